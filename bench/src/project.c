// SPDX-License-Identifier: Apache-2.0
// PROJECTED = engines x clock x contexts / cycles. The clock is the worst routed one that a part's report states, or
// the one on the command line, labelled so; the cycles are counted by the device while its RTL is simulated; all inputs
// stand beside the result.
#include "bench.h"

#include "operation.h"
#include "paths.h"
#include "progress.h"
#include "stop.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Published figures, quoted with their source. Other people's measurements on other machines; "note" says what differs.
static const struct record {
    const char *label, *curve, *note, *source;
    double per_second;
} records[] = {
    {"X25519, xc7z020, 220 DSP", "X25519", "more than 32,000",
     "Sasdrich, Gueneysu: Efficient Elliptic-Curve Cryptography using Curve25519 on Reconfigurable Devices, ARC 2014",
     32000},
    {"FourQ, xc7z020", "", "another, cheaper curve", "Jaervinen, Miele, Azarderakhsh, Longa: FourQ on FPGA, CHES 2016",
     64730},
    {"256-bit Weierstrass, Zynq-7020, one core", "P-256", "0.206 ms an operation",
     "Awaludin, Larasati, Kim: High-Speed and Unified ECC Processor for Generic Weierstrass Curves over GF(p) on FPGA, "
     "Sensors 2021",
     4854},
    {"lib25519, one core", "X25519", "batches of 16, about", "lib25519, lib25519.cr.yp.to", 160000},
};

// Pairs (keygen + derive) a second that one core running crypto_mb does, when this run could not measure it.
static const struct {
    const char *curve;
    double pairs_per_second;
} crypto_mb_stated[] = {{"X25519", 93000}, {"P-256", 52000}, {"P-384", 14700}};
static const char crypto_mb_stated_source[] =
    "stated: measured by this project on an AVX-512 IFMA core, not in this run";

static void add_cycles(json_t *report, const struct group *group, const struct device_cycles *cycles, const char *uri)
{
    for (int operation = 0; operation < OPERATION_COUNT; operation++)
        report_add(report, "cycles",
                   json_pack("{s:s, s:s, s:s, s:i, s:i, s:s}", "class", CLASS_SIMULATED, "curve", group->name,
                             "operation", operation_names[operation], "cycles",
                             (int)(operation ? cycles->derive : cycles->keygen), "contexts", (int)cycles->contexts,
                             "device", uri));
}

void cycles_count(struct bench *bench)
{
    static const char *const uris[] = {"sim", "sim:model"}; // both count alike; the second is for builds without RTL
    char reason[200] = "", last[200] = "", curves[128] = "projection of";
    for (size_t g = 0; g < suite_group_count && !stop_requested(); g++) {
        const struct group *group = &suite_groups[g];
        struct device_cycles cycles;
        bool counted = false;
        for (size_t u = 0; u < 2 && !counted && group->kind == GROUP_ECDHE; u++) {
            progress_show("counting cycles in simulation");
            counted = driver_count_cycles(uris[u], group, &cycles, reason);
            if (counted)
                add_cycles(bench->report, group, &cycles, uris[u]);
        }
        if (counted || group->kind != GROUP_ECDHE)
            continue;
        if (last[0] && strcmp(last, reason) != 0) { // curves that lack it for the same reason share a line
            report_skip(bench->report, curves, last);
            snprintf(curves, sizeof(curves), "projection of");
        }
        snprintf(curves + strlen(curves), sizeof(curves) - strlen(curves), " %s", group->name);
        snprintf(last, sizeof(last), "%s", reason);
    }
    if (last[0])
        report_skip(bench->report, curves, last);
}

// CPU us of one keygen and one derive on a back end of this run with so many in flight; 0 when not measured.
static double pair_cpu_us(const json_t *report, const char *curve, const char *backend, int in_flight)
{
    size_t index;
    json_t *row;
    double sum_us[OPERATION_COUNT] = {0};
    json_array_foreach(json_object_get(report, "operations"), index,
                       row) for (int operation = 0; operation < OPERATION_COUNT;
                                 operation++) if (strcmp(report_text(row, "curve"), curve) == 0 &&
                                                  strcmp(report_text(row, "backend"), backend) == 0 &&
                                                  (int)report_number(row, "in_flight") == in_flight &&
                                                  strcmp(report_text(row, "operation"), operation_names[operation]) ==
                                                      0) sum_us[operation] = report_median(row, "cpu_us");
    return sum_us[0] > 0 && sum_us[1] > 0 ? sum_us[0] + sum_us[1] : 0;
}

struct part {
    const char *name, *clock_source;
    double engines, clock_mhz, dsp; // dsp: of all engines, 0 when unknown
};

static void compare_software(json_t *row, const json_t *report, const char *curve, double pairs_per_second)
{
    double here_us = pair_cpu_us(report, curve, "default", 1), mb_us = pair_cpu_us(report, curve, "crypto_mb", 8);
    double mb_per_second = mb_us > 0 ? 1e6 / mb_us : 0;
    for (size_t i = 0; mb_us <= 0 && i < sizeof(crypto_mb_stated) / sizeof(crypto_mb_stated[0]); i++)
        if (strcmp(crypto_mb_stated[i].curve, curve) == 0)
            mb_per_second = crypto_mb_stated[i].pairs_per_second;
    if (here_us > 0) {
        json_object_set_new(row, "pair_cpu_us", json_real(here_us));
        json_object_set_new(row, "cores_replaced", json_real(pairs_per_second * here_us / 1e6));
    }
    if (mb_per_second > 0) {
        json_object_set_new(row, "crypto_mb_pairs_per_second", json_real(mb_per_second));
        json_object_set_new(row, "crypto_mb_cores_replaced", json_real(pairs_per_second / mb_per_second));
        json_object_set_new(row, "crypto_mb_source",
                            json_string(mb_us > 0 ? "measured in this run" : crypto_mb_stated_source));
    }
}

static void project(struct bench *bench, const struct part *part, const json_t *keygen, const json_t *derive)
{
    double contexts = report_number(derive, "contexts"), hertz = part->clock_mhz * 1e6;
    double keygen_cycles = report_number(keygen, "cycles"), derive_cycles = report_number(derive, "cycles");
    double keygens = part->engines * hertz * contexts / keygen_cycles,
           derives = part->engines * hertz * contexts / derive_cycles;
    double pairs = part->engines * hertz * contexts / (keygen_cycles + derive_cycles);
    json_t *row = json_pack(
        "{s:s, s:s, s:s, s:i, s:f, s:s, s:f, s:f, s:s, s:f, s:f, s:f, s:f, s:f, s:f}", "class", CLASS_PROJECTED, "part",
        part->name, "curve", report_text(derive, "curve"), "engines", (int)part->engines, "clock_mhz", part->clock_mhz,
        "clock_source", part->clock_source, "keygen_cycles", keygen_cycles, "derive_cycles", derive_cycles,
        "cycles_source", strcmp(report_text(derive, "device"), "sim") == 0 ? "RTL simulation" : "microcode model",
        "contexts", contexts, "keygens_per_second", keygens, "derives_per_second", derives, "pairs_per_second", pairs,
        "keygen_latency_us", keygen_cycles / part->clock_mhz, "derive_latency_us", derive_cycles / part->clock_mhz);
    if (part->dsp > 0) {
        json_object_set_new(row, "dsp", json_real(part->dsp));
        json_object_set_new(row, "derives_per_dsp_100mhz", json_real(derives / part->dsp / (part->clock_mhz / 100)));
    }
    compare_software(row, bench->report, report_text(derive, "curve"), pairs);
    report_add(bench->report, "projections", row);
}

static void project_part(struct bench *bench, const struct part *part)
{
    const json_t *cycles = json_object_get(bench->report, "cycles"); // keygen and derive of a curve follow each other
    for (size_t i = 0; i + 1 < json_array_size(cycles); i += 2)
        project(bench, part, json_array_get(cycles, i), json_array_get(cycles, i + 1));
}

// One PART/report.json: {"part", "engines", "dsp", "fmax_mhz"}, fmax_mhz the worst of its routed seeds.
static bool project_report(struct bench *bench, const char *path)
{
    json_t *routed = json_load_file(path, 0, NULL);
    if (!routed)
        return false;
    struct part part = {.name = report_text(routed, "part"),
                        .clock_source = "post-route, worst of several seeds",
                        .engines = report_number(routed, "engines"),
                        .clock_mhz = report_number(routed, "fmax_mhz"),
                        .dsp = report_number(routed, "dsp")};
    bool good = part.name[0] && part.engines >= 1 && part.clock_mhz > 0;
    if (good)
        project_part(bench, &part);
    else
        report_skip(bench->report, path, "not a part's report: part, engines and fmax_mhz are needed");
    json_decref(routed);
    return good;
}

static bool project_routed(struct bench *bench, const char *folder)
{
    char path[PATH_MAX];
    bool any = false;
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.' &&
            snprintf(path, sizeof(path), "%s/%s/report.json", folder, entries[i]->d_name) < (int)sizeof(path))
            any |= project_report(bench, path);
        free(entries[i]);
    }
    free(entries);
    return any;
}

void projections_make(struct bench *bench)
{
    char folder[PATH_MAX] = "";
    const struct settings *settings = bench->settings;
    if (settings->fpga)
        snprintf(folder, sizeof(folder), "%s", settings->fpga);
    else if (!path_beside_program("../../rtl/fpga", folder, sizeof(folder)))
        folder[0] = '\0';
    if (report_count(bench->report, "cycles") > 0 && !project_routed(bench, folder)) {
        struct part part = {.name = "any part",
                            .clock_source = "stated, not routed",
                            .engines = settings->engines,
                            .clock_mhz = settings->clock_mhz,
                            .dsp = settings->engines * settings->dsp_per_engine};
        report_skip(bench->report, "projection of routed parts",
                    "no rtl/fpga/PART/report.json: a stated clock is used");
        project_part(bench, &part);
    }
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
        report_add(bench->report, "records",
                   json_pack("{s:s, s:s, s:f, s:s, s:s}", "label", records[i].label, "curve", records[i].curve,
                             "per_second", records[i].per_second, "note", records[i].note, "source",
                             records[i].source));
}
