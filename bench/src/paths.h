// SPDX-License-Identifier: Apache-2.0
#ifndef BENCH_PATHS_H
#define BENCH_PATHS_H

#include <stdbool.h>
#include <stddef.h>

// Absolute path of a file given relative to the folder of this program. False when too long for size.
bool path_beside_program(const char *relative, char *path, size_t size);
// Is name one of the comma-separated items of list (any case)?
bool list_has(const char *list, const char *name);

#endif
