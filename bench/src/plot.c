// SPDX-License-Identifier: Apache-2.0
#include "plot.h"

#include "gnuplot.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

enum { SUITES_SHOWN = 8, VARIANTS_SHOWN = 6 };

// What the curves show; the others are in the table.
static const char *const shown[VARIANTS_SHOWN] = {"plain", "plain-async", "ideal",
                                                  "auto",  "auto-async",  "always-async"};

static const char preamble[] =
    "set terminal svg size 900,420 dynamic font 'sans,12' background '#ffffff'\n"
    "set linetype 1 lc rgb '#777777' lw 2 pt 7 ps 0.6\nset linetype 2 lc rgb '#56b4e9' lw 2 pt 7 ps 0.6\n"
    "set linetype 3 lc rgb '#009e73' lw 2 pt 7 ps 0.6\nset linetype 4 lc rgb '#e69f00' lw 2 pt 7 ps 0.6\n"
    "set linetype 5 lc rgb '#d55e00' lw 2 pt 7 ps 0.6\nset linetype 6 lc rgb '#0072b2' lw 2 pt 7 ps 0.6\n"
    "set termoption noenhanced\nset grid\nset key outside right top\nset style fill solid 0.8 border -1\n";

bool plot_available(void)
{
    return gnuplot_present();
}

static void figure(FILE *page, char *script, const char *class_name, const char *caption)
{
    fprintf(page, "<figure>\n");
    if (!gnuplot_svg(script, page))
        fprintf(page, "<p>gnuplot could not draw this picture.</p>\n");
    fprintf(page, "<figcaption><b>%s</b> %s</figcaption></figure>\n", class_name, caption);
    free(script);
}

static bool is_full(const json_t *row, const char *suite)
{
    return strcmp(report_text(row, "suite"), suite) == 0 && strcmp(report_text(row, "handshake"), "full") == 0;
}

static bool is_open(const json_t *row)
{
    return strcmp(report_text(row, "load"), "open") == 0;
}

// Suites that were measured under all loads, at most SUITES_SHOWN. Borrowed names.
static size_t loaded_suites(const json_t *report, const char *names[SUITES_SHOWN])
{
    size_t index, count = 0;
    json_t *row;
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        bool seen = count == SUITES_SHOWN || !is_open(row);
        for (size_t i = 0; i < count && !seen; i++)
            seen = strcmp(names[i], report_text(row, "suite")) == 0;
        if (!seen)
            names[count++] = report_text(row, "suite");
    }
    return count;
}

// Those of the shown variants that this suite has.
static size_t variants_of(const json_t *report, const char *suite, const char *names[VARIANTS_SHOWN])
{
    size_t count = 0;
    for (size_t v = 0; v < VARIANTS_SHOWN; v++) {
        size_t index;
        json_t *row;
        bool has = false;
        json_array_foreach(json_object_get(report, "handshakes"), index, row)
        {
            has |= is_full(row, suite) && strcmp(report_text(row, "variant"), shown[v]) == 0;
        }
        if (has)
            names[count++] = shown[v];
    }
    return count;
}

// One gnuplot data block a variant: "place p50 p99 p999 rate", closed loop first. Place: 1.. in the order measured.
static void data_blocks(FILE *script, const json_t *report, const char *suite, const char *const *variants,
                        size_t count)
{
    for (size_t v = 0; v < count; v++) {
        size_t index;
        json_t *row;
        int place = 0;
        bool opened = false;
        fprintf(script, "$v%zu << EOD\n", v);
        json_array_foreach(json_object_get(report, "handshakes"), index, row)
        {
            const json_t *latency = json_object_get(row, "latency_us");
            if (!is_full(row, suite) || strcmp(report_text(row, "variant"), variants[v]) != 0)
                continue;
            char label[32];
            if (is_open(row) && !opened) {
                fprintf(script, "\n"); // no line between the two kinds of load
                opened = true;
            }
            if (is_open(row))
                snprintf(label, sizeof(label), "%d %%", (int)report_number(row, "utilisation_percent"));
            else
                snprintf(label, sizeof(label), "%d", (int)report_number(row, "in_flight"));
            fprintf(script, "%d %g %g %g %g %d \"%s\"\n", ++place, report_number(latency, "p50"),
                    report_number(latency, "p99"), report_number(latency, "p999"), report_median(row, "per_second"),
                    is_open(row) ? 0 : (int)report_number(row, "in_flight"), label);
        }
        fprintf(script, "EOD\n");
    }
}

static void plot_list(FILE *script, const char *columns, const char *style, const char *const *variants, size_t count)
{
    for (size_t v = 0; v < count; v++)
        fprintf(script, "%s $v%zu using %s with %s title \"%s\"", v ? "," : "plot", v, columns, style, variants[v]);
    fprintf(script, "\n");
}

void plot_throughput(FILE *page, const json_t *report)
{
    const char *suites[SUITES_SHOWN], *variants[VARIANTS_SHOWN];
    size_t count = loaded_suites(report, suites);
    for (size_t s = 0; s < count; s++) {
        char *text;
        size_t bytes;
        FILE *script = open_memstream(&text, &bytes);
        size_t known = variants_of(report, suites[s], variants);
        fprintf(
            script,
            "%sset title \"%s: handshakes a second against handshakes in flight\"\nset logscale x 2\nset yrange [0:*]\n"
            "set xlabel \"in flight\"\nset ylabel \"handshakes/s, client included\"\n",
            preamble, suites[s]);
        data_blocks(script, report, suites[s], variants, known);
        plot_list(script, "($6>0?$6:NaN):5", "linespoints", variants, known);
        fclose(script);
        figure(page, text, CLASS_MEASURED, "Closed loop, server and client on one thread: the client's work is in it.");
    }
}

void plot_latency(FILE *page, const json_t *report)
{
    const char *suites[SUITES_SHOWN], *variants[VARIANTS_SHOWN];
    size_t count = loaded_suites(report, suites);
    for (size_t s = 0; s < count; s++) {
        char *text;
        size_t bytes;
        FILE *script = open_memstream(&text, &bytes);
        size_t known = variants_of(report, suites[s], variants);
        fprintf(script,
                "%sset title \"%s: latency of the server's handshake\"\nset logscale y\nset xlabel \"in flight (closed "
                "loop), "
                "or arrivals in %% of capacity (open loop)\"\nset ylabel \"us\"\nset xrange [0.5:*]\n",
                preamble, suites[s]);
        data_blocks(script, report, suites[s], variants, known);
        plot_list(script, "1:3:2:4:xtic(7)", "yerrorlines", variants, known);
        fclose(script);
        figure(page, text, CLASS_MEASURED, "Point: p99; bar: p50 to p99.9.");
    }
}
