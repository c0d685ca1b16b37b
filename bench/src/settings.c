// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include "plan.h"
#include "stats.h"
#include "variants.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void settings_print_help(void)
{
    printf(
        "usage: ephemera-bench [options]               everything: handshakes, operations, projection, report\n"
        "       ephemera-bench --quick [options]       under 3 minutes: what would a device give me on this machine?\n"
        "       ephemera-bench handshakes [options]    handshakes only\n"
        "       ephemera-bench ops [options]           operations only\n"
        "       ephemera-bench project [options]       projection only\n"
        "       ephemera-bench compare A.json B.json   two reports, row by row\n"
        "       ephemera-bench show A.json [--html F]  prints a report again and draws its page\n\n"
        "  --suites LIST     comma-separated; parts of a suite's name joined by '/': X25519, P-384/RSA-2048, TLS1.2\n"
        "  --variants LIST   of: %s\n"
        "                    (what they mean: bench/README.md)\n"
        "  --in-flight LIST  of: 1, 8, 64, 256 (closed loop; 1 is always measured) and open; default: by suite\n"
        "  --device URI      your device instead of the described fast one: socket:PATH, pci, pci:BDF, broker:PATH;\n"
        "                    sim and sim:model (embedded simulation) only in the operations, as SIMULATED\n"
        "  --no-device       start no devices: stock OpenSSL and our software only\n"
        "  --enforce         exit code 1 also when a target was missed or not measured\n"
        "  --json FILE       report, default ephemera-bench.json\n"
        "  --html FILE       page with plots, default the same name with .html\n"
        "  --rounds N        1 to 99, default 9\n"
        "  --slice SECONDS   of one configuration in one round, default 0.1, with --quick 0.08\n"
        "  --provider FILE   ephemera.so, default that of this build\n"
        "  --fpga DIR        folder of PART/report.json files, default that of the source tree\n"
        "  --clock-mhz F     for the projection of a part that was not routed, default 160 (stated, not routed)\n"
        "  --engines N       of that part, default 1\n\n"
        "A suite, device or group that this machine does not have is skipped and the report says why. The exit code is "
        "1 only when\n"
        "something failed that should have worked, 2 for a wrong command line.\n",
        variant_names);
}

enum option_id {
    SUITES = 256,
    VARIANTS,
    IN_FLIGHT,
    DEVICE,
    JSON,
    HTML,
    ROUNDS,
    SLICE,
    PROVIDER,
    FPGA,
    CLOCK,
    ENGINES,
    QUICK,
    NO_DEVICE,
    ENFORCE
};

static const struct option long_options[] = {
    {"suites", required_argument, NULL, SUITES},
    {"variants", required_argument, NULL, VARIANTS},
    {"in-flight", required_argument, NULL, IN_FLIGHT},
    {"device", required_argument, NULL, DEVICE},
    {"json", required_argument, NULL, JSON},
    {"html", required_argument, NULL, HTML},
    {"rounds", required_argument, NULL, ROUNDS},
    {"slice", required_argument, NULL, SLICE},
    {"provider", required_argument, NULL, PROVIDER},
    {"fpga", required_argument, NULL, FPGA},
    {"clock-mhz", required_argument, NULL, CLOCK},
    {"engines", required_argument, NULL, ENGINES},
    {"quick", no_argument, NULL, QUICK},
    {"no-device", no_argument, NULL, NO_DEVICE},
    {"enforce", no_argument, NULL, ENFORCE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

// A number in (low, high], or a message naming the option.
static bool number(const char *name, const char *text, double low, double high, double *value)
{
    char *end;
    *value = strtod(text, &end);
    if (end != text && *end == '\0' && *value > low && *value <= high)
        return true;
    fprintf(stderr, "ephemera-bench: --%s %s: a number above %g and up to %g is needed\n", name, text, low, high);
    return false;
}

static bool set(struct settings *settings, int option)
{
    double value = 0;
    switch (option) {
    case SUITES:
        settings->suites = optarg;
        return true;
    case VARIANTS:
        settings->variants = optarg;
        return true;
    case IN_FLIGHT:
        settings->in_flight = optarg;
        return true;
    case DEVICE:
        settings->device = optarg;
        return true;
    case JSON:
        settings->json = optarg;
        return true;
    case HTML:
        settings->html = optarg;
        return true;
    case PROVIDER:
        settings->module = optarg;
        return true;
    case FPGA:
        settings->fpga = optarg;
        return true;
    case QUICK:
        settings->quick = true;
        return true;
    case NO_DEVICE:
        settings->no_device = true;
        return true;
    case ENFORCE:
        settings->enforce = true;
        return true;
    case 'h':
        settings->command = COMMAND_HELP;
        return true;
    case SLICE:
        return number("slice", optarg, 0, 60, &settings->slice_seconds);
    case CLOCK:
        return number("clock-mhz", optarg, 0, 5000, &settings->clock_mhz);
    case ROUNDS:
        if (!number("rounds", optarg, 0, STATS_MAX_ROUNDS, &value))
            return false;
        settings->rounds = (unsigned)value;
        return true;
    case ENGINES:
        if (!number("engines", optarg, 0, 64, &value))
            return false;
        settings->engines = (unsigned)value;
        return true;
    default:
        return false; // getopt has said what is wrong
    }
}

static bool set_command(struct settings *settings, int argc, char **argv)
{
    int words = argc - optind;
    const char *word = words > 0 ? argv[optind] : "";
    if (settings->command == COMMAND_HELP || words == 0)
        return true;
    if (strcmp(word, "compare") == 0 && words == 3) {
        settings->command = COMMAND_COMPARE;
        settings->compare[0] = argv[optind + 1];
        settings->compare[1] = argv[optind + 2];
        return true;
    }
    if (strcmp(word, "show") == 0 && words == 2) {
        settings->command = COMMAND_SHOW;
        settings->compare[0] = settings->json = argv[optind + 1];
        return true;
    }
    if (words == 1 && strcmp(word, "handshakes") == 0)
        settings->command = COMMAND_HANDSHAKES;
    else if (words == 1 && strcmp(word, "ops") == 0)
        settings->command = COMMAND_OPS;
    else if (words == 1 && strcmp(word, "project") == 0)
        settings->command = COMMAND_PROJECT;
    else {
        fprintf(stderr, "ephemera-bench: '%s' with %d arguments is not a command; see --help\n", word, words - 1);
        return false;
    }
    return true;
}

// Every name of the list is known, or a message says which is not.
static bool all_known(const char *list, bool (*known)(const char *), const char *what, const char *names)
{
    char name[64];
    for (; list; list = list[strcspn(list, ",")] ? list + strcspn(list, ",") + 1 : NULL) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(list, ","), list);
        if (!known(name)) {
            fprintf(stderr, "ephemera-bench: unknown %s '%s'; known: %s\n", what, name, names);
            return false;
        }
    }
    return true;
}

bool settings_parse(struct settings *settings, int argc, char **argv)
{
    int option;
    *settings = (struct settings){.clock_mhz = 160, .engines = 1, .dsp_per_engine = 108};
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
        if (!set(settings, option))
            return false;
    if (!set_command(settings, argc, argv) || !all_known(settings->variants, variant_known, "variant", variant_names) ||
        !all_known(settings->in_flight, plan_load_known, "load", plan_load_names))
        return false;
    if (settings->device && settings->no_device) {
        fprintf(stderr, "ephemera-bench: --device and --no-device exclude each other\n");
        return false;
    }
    if (settings->rounds == 0)
        settings->rounds = 9;
    if (settings->slice_seconds == 0)
        settings->slice_seconds = settings->quick ? 0.08 : 0.1;
    if (!settings->json)
        settings->json = "ephemera-bench.json";
    return true;
}
