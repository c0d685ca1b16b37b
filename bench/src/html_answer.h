// SPDX-License-Identifier: Apache-2.0
// The top of the page: on which machine, what it would give, whether it keeps its promises.
#ifndef BENCH_HTML_ANSWER_H
#define BENCH_HTML_ANSWER_H

#include <jansson.h>
#include <stdio.h>

void html_head(FILE *page, const json_t *report);
void html_answer(FILE *page, const json_t *report);
void html_targets(FILE *page, const json_t *report);

#endif
