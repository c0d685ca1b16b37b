// SPDX-License-Identifier: Apache-2.0
#include "bars.h"
#include "plot.h"
#include "report.h"

#include <math.h>
#include <string.h>

static const char *const phases[] = {"keygen", "derive", "check", "release", "kem", "signature", "rest"};
enum { PHASES = sizeof(phases) / sizeof(phases[0]), FEW_SUITES = 8 };

static void caption(FILE *page, const char *class_name, const char *text)
{
    fprintf(page, "<figcaption><b>%s</b> %s</figcaption></figure>\n", class_name, text);
}

static const double REMARK_ROOM = 1.3; // beside the longest bar

// Stock OpenSSL of every suite; with few suites our provider beside it.
static bool has_phases_to_show(const json_t *row, bool few)
{
    const char *variant = report_text(row, "variant");
    return json_object_get(row, "phases_us") && strcmp(report_text(row, "handshake"), "full") == 0 &&
           (strcmp(variant, "plain") == 0 || (few && strcmp(variant, "plain-again") != 0));
}

void plot_phases(FILE *page, const json_t *report)
{
    size_t index, rows = 0, suites = 0;
    double maximum = 0;
    json_t *row;
    struct bars bars;
    json_array_foreach(json_object_get(report, "suites"), index, row)
    {
        suites += strcmp(report_text(row, "handshake"), "full") == 0;
    }
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        if (!has_phases_to_show(row, suites <= FEW_SUITES))
            continue;
        double sum = 0;
        for (int phase = 0; phase < PHASES; phase++)
            sum += fmax(report_number(json_object_get(row, "phases_us"), phases[phase]), 0);
        maximum = fmax(maximum, sum);
        rows++;
    }
    if (rows == 0)
        return;
    fprintf(page, "<figure><h3>Server CPU of one full handshake, by phase, us</h3>\n");
    bars_open(&bars, page, maximum, rows, 0, 0);
    bars_legend(&bars, phases, PHASES);
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        char label[96];
        double values[PHASES];
        if (!has_phases_to_show(row, suites <= FEW_SUITES))
            continue;
        for (int phase = 0; phase < PHASES; phase++)
            values[phase] = fmax(report_number(json_object_get(row, "phases_us"), phases[phase]), 0);
        snprintf(label, sizeof(label), "%s, %s", report_text(row, "suite"), report_text(row, "variant"));
        bars_row(&bars, &(struct bar){.label = label, .values = values, .count = PHASES});
    }
    bars_close(&bars);
    caption(
        page, CLASS_MEASURED,
        "One handshake after the other, phases timed. kem: ML-KEM and ECDHE of a hybrid together. A device can take "
        "over keygen, derive, check and release.");
}

void plot_records(FILE *page, const json_t *report)
{
    static const char *const kinds[] = {"projected", "published"};
    size_t index, projections = report_count(report, "projections"), records = report_count(report, "records");
    double maximum = 0;
    json_t *row;
    struct bars bars;
    if (projections == 0)
        return;
    json_array_foreach(json_object_get(report, "projections"), index, row)
    {
        maximum = fmax(maximum, report_number(row, "derives_per_second"));
    }
    json_array_foreach(json_object_get(report, "records"), index, row)
    {
        maximum = fmax(maximum, report_number(row, "per_second"));
    }
    fprintf(page, "<figure><h3>Variable-base operations a second</h3>\n");
    bars_open(&bars, page, REMARK_ROOM * maximum, projections + records, 1, 0);
    bars_legend(&bars, kinds, 2);
    json_array_foreach(json_object_get(report, "projections"), index, row)
    {
        char label[96], note[256];
        double value = report_number(row, "derives_per_second");
        snprintf(label, sizeof(label), "%s, %d engine%s, %s", report_text(row, "part"),
                 (int)report_number(row, "engines"), (int)report_number(row, "engines") == 1 ? "" : "s",
                 report_text(row, "curve"));
        snprintf(note, sizeof(note), "%.1f MHz (%s), %.0f cycles, %.0f contexts an engine",
                 report_number(row, "clock_mhz"), report_text(row, "clock_source"), report_number(row, "derive_cycles"),
                 report_number(row, "contexts"));
        bars_row(&bars, &(struct bar){.label = label, .note = note, .values = &value, .count = 1});
    }
    json_array_foreach(json_object_get(report, "records"), index, row)
    {
        double value = report_number(row, "per_second");
        bars_row(&bars, &(struct bar){.label = report_text(row, "label"),
                                      .note = report_text(row, "source"),
                                      .remark = report_text(row, "note"),
                                      .values = &value,
                                      .count = 1,
                                      .first = 1});
    }
    bars_close(&bars);
    caption(page, CLASS_PROJECTED,
            "beside published figures, which are other people's measurements: the source is under "
            "each bar.");
}
