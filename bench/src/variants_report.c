// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

#include "served.h"

#include <stdio.h>

// A variant that is called after the device must have been served by it. A full queue is the one honest reason for
// software: more were in flight than it holds.
static void check_served(struct bench *bench, const struct variant *variant, const struct served *served)
{
    char what[64], text[192];
    double software = report_number(served->operations, "software"),
           full = report_number(served->fallbacks, "full") + report_number(served->fallbacks, "async_full");
    bool good = served->device > 0 && served->fallback_count <= full;
    snprintf(what, sizeof(what), "served: %s", variant->name);
    snprintf(text, sizeof(text), "device %.0f, software %.0f, fallbacks %.0f, of these %.0f since the queue was full%s",
             served->device, software, served->fallback_count, full,
             good ? "" : ": NOT THE DEVICE'S FIGURES, do not believe these rows");
    report_check(bench->report, what, good, text);
}

void variants_report(struct bench *bench)
{
    for (int v = 0; v < VARIANT_COUNT; v++) {
        const struct variant *variant = &bench->variants[v];
        struct served served;
        if (!variant->libctx)
            continue;
        json_t *row = json_pack("{s:s, s:s}", "name", variant->name, "text", variant->text);
        if (variant->folder[0] && served_read(variant->folder, &served)) {
            if (variant->needs_device)
                check_served(bench, variant, &served);
            json_object_set_new(row, "operations", served.operations);
            json_object_set_new(row, "fallbacks", served.fallbacks);
        } else if (variant->offload && settings_handshakes(bench->settings))
            report_skip(bench->report, variant->name,
                        "the provider wrote no statistics: who served its operations is unknown");
        report_add(bench->report, "variants", row);
    }
}
