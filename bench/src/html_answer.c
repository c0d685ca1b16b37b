// SPDX-License-Identifier: Apache-2.0
#include "html_answer.h"

#include "bars.h"
#include "report.h"

#include <stdbool.h>
#include <string.h>

static const char style[] =
    "body{font:15px/1.45 sans-serif;color:#222;max-width:1180px;margin:2em auto;padding:0 1em}h1{margin-bottom:.2em}"
    "h2{margin:1.8em 0 .5em;font-size:1.15em}h3{font-size:1em;margin:.3em 0}.by{color:#555;margin-top:0}"
    "table{border-collapse:collapse;font-size:13px}td,th{border-bottom:1px solid #ddd;padding:3px 8px;text-align:left}"
    "th{background:#f3f3f3;vertical-align:bottom}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    "figure{margin:2em 0}figcaption{font-size:13px;color:#444}svg{max-width:100%;height:auto}"
    ".warn{background:#fff3d6;border-left:4px solid #e69f00;padding:.5em .8em}.good{color:#00734f}.bad{color:#b00020;"
    "font-weight:bold}.dim{color:#777}summary{cursor:pointer;font-weight:bold;margin:1.5em 0 .5em}.big{font-size:14px}"
    "div.wide{overflow-x:auto}";

// A reader must not take a described device for a card.
static void described_devices(FILE *page, const json_t *report)
{
    size_t index, count = 0;
    json_t *row;
    json_array_foreach(json_object_get(report, "devices"), index, row)
    {
        if (!json_is_true(json_object_get(row, "simulated")))
            continue;
        fprintf(page, count++ ? "; " : "<p class=warn>The devices are SIMULATED: no such card exists (");
        put_text(page, report_text(row, "device"));
    }
    if (count > 0)
        fprintf(page,
                "). Processes of this machine answer at the rate and latency of a described card; what is MEASURED "
                "is the CPU of the host with the real provider, driver and queue.</p>\n");
}

static void warnings(FILE *page, const json_t *report)
{
    const json_t *machine = json_object_get(report, "machine");
    if (json_is_true(json_object_get(report, "interrupted")))
        fprintf(page, "<p class=warn>Interrupted: this is what was measured before.</p>\n");
    if (report_number(machine, "load_average") > report_number(machine, "cpus") / 2)
        fprintf(page, "<p class=warn>The machine was busy at the start: ratios hold within the A/A spread, absolute "
                      "figures do not.</p>\n");
    described_devices(page, report);
}

void html_head(FILE *page, const json_t *report)
{
    const json_t *machine = json_object_get(report, "machine");
    fprintf(page,
            "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport "
            "content='width=device-width'><title>Ephemera benchmark</title><style>%s</style></head><body>\n"
            "<h1>Ephemera benchmark</h1>\n<p class=by>",
            style);
    put_text(page, report_text(machine, "cpu"));
    fprintf(page, ", %d CPUs%s, Linux ", (int)report_number(machine, "cpus"),
            json_is_true(json_object_get(machine, "virtual_machine")) ? " (virtual machine)" : "");
    put_text(page, report_text(machine, "kernel"));
    fprintf(page, ", ");
    put_text(page, report_text(machine, "openssl"));
    fprintf(page, "<br>%s, %d rounds of %g s a configuration%s</p>\n", report_text(report, "started"),
            (int)report_number(report, "rounds"), report_number(report, "slice_seconds"),
            json_is_true(json_object_get(report, "quick")) ? ", --quick" : "");
    warnings(page, report);
}

static const json_t *gain_of(const json_t *report, const char *suite, const char *variant, int in_flight)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(report, "handshakes"), index, row)
    {
        if (strcmp(report_text(row, "suite"), suite) == 0 && strcmp(report_text(row, "variant"), variant) == 0 &&
            strcmp(report_text(row, "handshake"), "full") == 0 && strcmp(report_text(row, "load"), "closed") == 0 &&
            (int)report_number(row, "in_flight") == in_flight)
            return json_object_get(row, "gain");
    }
    return NULL;
}

static void gain_cell(FILE *page, const json_t *gain)
{
    const char *verdict = report_text(gain, "verdict");
    const char *colour = strcmp(verdict, "faster") == 0 ? "good" : strcmp(verdict, "slower") == 0 ? "bad" : "dim";
    if (gain)
        fprintf(page, "<td class='n %s' title='%s'>%.2f x</td>", colour, verdict, report_number(gain, "ratio"));
    else
        fprintf(page, "<td class='n dim'>&ndash;</td>");
}

void html_answer(FILE *page, const json_t *report)
{
    static const struct {
        const char *variant;
        int in_flight;
    } columns[] = {{"never", 1}, {"auto", 1}, {"auto-async", 64}, {"auto-dead", 1}};
    size_t index;
    json_t *row;
    if (report_count(report, "suites") == 0)
        return;
    fprintf(page,
            "<h2>What would this give me?</h2>\n<div class=wide><table class=big><tr><th>full handshake<th "
            "class=n>stock OpenSSL,<br>server CPU us<th class=n>handshakes/s<br>a core<th class=n>ECDHE<br>share<th "
            "class=n>software<br>only<th class=n>synchronous<br>server<th class=n>asynchronous<br>server<th "
            "class=n>with a<br>dead device<th class=n>most possible<br>(Amdahl)<th class=n>A/A<br>spread</tr>\n");
    json_array_foreach(json_object_get(report, "suites"), index, row)
    {
        const char *suite = report_text(row, "suite");
        double cpu_us = report_median(row, "server_cpu_us");
        if (strcmp(report_text(row, "handshake"), "full") != 0)
            continue;
        fprintf(page, "<tr><td>%s<td class=n>%.0f<td class=n>%.0f", suite, cpu_us, cpu_us > 0 ? 1e6 / cpu_us : 0);
        if (json_object_get(row, "ecdhe_share"))
            fprintf(page, "<td class=n>%.0f %%", 100 * report_number(row, "ecdhe_share"));
        else
            fprintf(page, "<td class='n dim'>unknown");
        for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++)
            gain_cell(page, gain_of(report, suite, columns[c].variant, columns[c].in_flight));
        if (json_object_get(row, "amdahl_limit"))
            fprintf(page, "<td class=n>%.2f x", report_number(row, "amdahl_limit"));
        else
            fprintf(page, "<td class='n dim'>unknown");
        fprintf(page, "<td class=n>%.1f %%</tr>\n", 100 * report_number(row, "aa_spread"));
    }
    fprintf(
        page,
        "</table></div>\n<p><b>%s</b>: gain in server CPU a handshake, all threads counted, against stock OpenSSL in "
        "the same rounds; green: faster, red: slower, grey: inside the A/A spread, the difference of two identical "
        "configurations, and so no gain. <i>software only</i>: our provider without a device. <i>synchronous "
        "server</i> (nginx, Node, Python): keys made ahead by the fast device, one handshake after the other. "
        "<i>asynchronous server</i> (HAProxy ssl-mode-async, s_server -async): 64 in flight.</p>\n",
        CLASS_MEASURED);
}

void html_targets(FILE *page, const json_t *report)
{
    size_t index;
    json_t *row;
    const char *last = "";
    if (report_count(report, "targets") == 0)
        return;
    fprintf(page, "<h2>What it must show</h2>\n<div class=wide><table>\n");
    json_array_foreach(json_object_get(report, "targets"), index, row)
    {
        const char *outcome = report_text(row, "outcome"), *target = report_text(row, "target");
        const char *colour = strcmp(outcome, "holds") == 0 ? "good" : strcmp(outcome, "MISSED") == 0 ? "bad" : "dim";
        if (strcmp(last, target) != 0)
            fprintf(page, "<tr><th colspan=3>%s</tr>\n", target);
        last = target;
        fprintf(page, "<tr><td class=%s>%s<td>", colour, outcome);
        put_text(page, report_text(row, "what"));
        fprintf(page, "<td>");
        put_text(page, report_text(row, "text"));
        fprintf(page, "</tr>\n");
    }
    fprintf(page,
            "</table></div>\n<h2>Evidence</h2>\n<p>%s: CPU and wall time of this machine. %s: functional, says "
            "nothing about hardware's speed. %s: engines x clock / cycles. %s: arithmetic on measurements and stated "
            "costs. No table holds two of them.</p>\n",
            CLASS_MEASURED, CLASS_SIMULATED, CLASS_PROJECTED, CLASS_PREDICTED);
}
