// SPDX-License-Identifier: Apache-2.0
// ephemera-bench: measures, and says what may be believed. See bench/README.md.
#include "bench.h"
#include "compare.h"
#include "gain_checks.h"
#include "html.h"
#include "progress.h"
#include "stop.h"
#include "targets.h"
#include "text.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The provider reads these at start; they would turn every variant into the same one.
static void clear_environment(json_t *report)
{
    static const char *const names[] = {"EPHEMERA_DEVICE", "EPHEMERA_OFFLOAD", "EPHEMERA_STATS", "OPENSSL_CONF"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (getenv(names[i])) {
            report_skip(report, names[i], "ignored: each variant has a configuration of its own");
            unsetenv(names[i]);
        }
}

// ephemera-bench.json -> ephemera-bench.html
static void html_name(const struct settings *settings, char *path, size_t size)
{
    size_t length = strlen(settings->json);
    if (length > 5 && strcmp(settings->json + length - 5, ".json") == 0)
        length -= 5;
    if (settings->html)
        snprintf(path, size, "%s", settings->html);
    else
        snprintf(path, size, "%.*s.html", (int)length, settings->json);
}

static void measure(struct bench *bench)
{
    const struct settings *settings = bench->settings;
    bool handshakes = settings_handshakes(settings), operations = settings->command != COMMAND_HANDSHAKES;
    if (handshakes)
        handshakes_plan(bench);
    if (operations)
        operations_plan(bench);
    if (handshakes)
        handshakes_measure(bench);
    if (operations)
        operations_measure(bench);
    variants_report(bench);
    if (handshakes)
        predictions_make(bench);
    if (settings->command == COMMAND_ALL || settings->command == COMMAND_PROJECT) {
        cycles_count(bench);
        projections_make(bench);
    }
    progress_end();
    if (stop_requested())
        json_object_set_new(bench->report, "interrupted", json_true());
}

static void judge(json_t *report)
{
    gain_checks_not_slower(report);
    gain_checks_amdahl(report);
    targets_judge(report);
}

static int run(const struct settings *settings)
{
    char html[4096];
    struct bench bench = {.settings = settings, .report = report_new(settings)};
    clear_environment(bench.report);
    stop_on_signals();
    bench.client_libctx = OSSL_LIB_CTX_new();
    if (bench.client_libctx && credentials_init(&bench.credentials)) {
        device_starts(&bench);
        measure(&bench);
    } else
        report_failure(bench.report, "start", "no library context or no certificates");
    // who holds a hung device open would wait for it
    devices_stop_hung(&bench.devices);
    variants_close(bench.variants);
    devices_stop(&bench.devices);
    json_object_set_new(bench.report, "devices", devices_json(&bench.devices));
    devices_close(&bench.devices);
    if (settings->command != COMMAND_PROJECT)
        judge(bench.report);
    html_name(settings, html, sizeof(html));
    bool written = report_write(bench.report, settings->json);
    written = html_write(bench.report, html) && written;
    text_print(bench.report);
    if (written)
        printf("\nreport: %s, %s\n", settings->json, html);
    bool failed = report_count(bench.report, "failures") > 0;
    int code = !written || failed || (settings->enforce && !targets_hold(bench.report)) ? 1 : 0;
    credentials_fini(&bench.credentials);
    OSSL_LIB_CTX_free(bench.client_libctx);
    json_decref(bench.report);
    return code;
}

static int show(const struct settings *settings)
{
    char html[4096];
    json_t *report = report_load(settings->json);
    if (!report)
        return 2;
    html_name(settings, html, sizeof(html));
    bool written = html_write(report, html);
    text_print(report);
    json_decref(report);
    return written ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct settings settings;
    if (!settings_parse(&settings, argc, argv))
        return 2;
    switch (settings.command) {
    case COMMAND_HELP:
        settings_print_help();
        return 0;
    case COMMAND_SHOW:
        return show(&settings);
    case COMMAND_COMPARE:
        return compare_reports(settings.compare[0], settings.compare[1]);
    default:
        return run(&settings);
    }
}
