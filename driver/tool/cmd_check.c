// SPDX-License-Identifier: Apache-2.0
// Does a TLS handshake on this machine reach the device? Every application tried ignores a wrong module path without a
// word, so this walks the chain with the real openssl program and says which link is broken. It uses child processes:
// the tool links no OpenSSL.
#include "child.h"
#include "collect.h"
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: ephemera check [--openssl-conf FILE] [--openssl PROGRAM]\n\n"
    "Does a TLS handshake on this machine reach the device? Runs openssl s_server under FILE (default: OPENSSL_CONF) "
    "and a stock\n"
    "s_client, and tells the first step that fails: openssl, configuration, module, properties, device, handshake.\n"
    "Exit code 0 only if every handshake had its keys from the device.\n";

enum { STEP_MS = 30000 };

struct check {
    const char *openssl; // program
    const char *config;  // file
    char directory[64];  // temporary, ours
    char config_variable[4200];
    struct eph_child_output output;
};

__attribute__((format(printf, 3, 4))) static void say(bool good, const char *step, const char *format, ...)
{
    va_list arguments;
    printf("%s%-4s%s %-14s ", good ? eph_tool_green() : eph_tool_red(), good ? "ok" : "FAIL", eph_tool_plain(), step);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

// ---- files

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    fputs(text, file);
    return fclose(file) == 0;
}

static bool read_file(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    text[fread(text, 1, room - 1, file)] = 0;
    fclose(file);
    return true;
}

// Two levels, which is all that we made.
static void remove_tree(const char *path)
{
    DIR *listing = opendir(path);
    struct dirent *entry;
    if (listing != NULL) {
        while ((entry = readdir(listing)) != NULL) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                continue;
            char inner[512];
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
            if (unlink(inner) != 0 && errno == EISDIR)
                remove_tree(inner);
        }
        closedir(listing);
    }
    rmdir(path);
}

// The value of the first line "name = value"; names are matched without their blanks. False: no such line.
static bool config_value(const char *text, const char *name, char *value, size_t room)
{
    size_t name_bytes = strlen(name);
    for (const char *line = text; line != NULL && *line; line = strchr(line, '\n'), line += line != NULL) {
        const char *at = line + strspn(line, " \t");
        if (strncmp(at, name, name_bytes) != 0)
            continue;
        at += name_bytes + strspn(at + name_bytes, " \t");
        if (*at != '=')
            continue;
        at += 1 + strspn(at + 1, " \t");
        size_t bytes = strcspn(at, " \t\r\n#");
        snprintf(value, room, "%.*s", (int)bytes, at);
        return true;
    }
    return false;
}

// First line of the output that mentions text, or "".
static const char *line_with(struct eph_child_output *output, const char *text, char *line, size_t room)
{
    const char *hit = strstr(output->text, text);
    line[0] = 0;
    if (hit == NULL)
        return line;
    while (hit > output->text && hit[-1] != '\n')
        hit--;
    snprintf(line, room, "%.*s", (int)strcspn(hit, "\n"), hit);
    return line;
}

// ---- steps: each prints its line and returns whether it held

static int run_openssl(struct check *check, const char *const argv[], const char *offload, const char *statistics)
{
    char offload_variable[64], statistics_variable[160];
    snprintf(offload_variable, sizeof offload_variable, "EPHEMERA_OFFLOAD=%s", offload);
    snprintf(statistics_variable, sizeof statistics_variable, "EPHEMERA_STATS=%s", statistics);
    const char *environment[] = {check->config_variable, offload_variable, statistics_variable, NULL};
    return eph_child_run(argv, environment, NULL, STEP_MS, &check->output);
}

static bool step_openssl(struct check *check)
{
    const char *argv[] = {check->openssl, "version", NULL};
    const char *environment[] = {"OPENSSL_CONF=/dev/null", NULL};
    int code = eph_child_run(argv, environment, NULL, STEP_MS, &check->output);
    check->output.text[strcspn(check->output.text, "\n")] = 0;
    bool good = code == 0 && strncmp(check->output.text, "OpenSSL ", 8) == 0 && check->output.text[8] >= '3';
    say(good, "openssl", "%s",
        good        ? check->output.text
        : code == 0 ? "OpenSSL 3.0 or later is needed"
                    : "the program can not be run");
    return good;
}

static bool step_config(struct check *check, char *module, size_t room)
{
    static char text[65536];
    char value[256];
    const char *problem = NULL;
    if (!read_file(check->config, text, sizeof text))
        problem = strerror(errno);
    else if (!config_value(text, "openssl_conf", value, sizeof value))
        problem = "has no line openssl_conf = ..., so OpenSSL reads nothing of it";
    else if (!config_value(text, "module", module, room))
        problem = "has no line module = ..., so no provider is loaded from it";
    say(problem == NULL, "configuration", "%s%s%s", check->config, problem != NULL ? ": " : "",
        problem != NULL ? problem : "");
    return problem == NULL;
}

// Why did it not load? Ask openssl itself, without the configuration, which hides the error.
static void explain_module(struct check *check, const char *module)
{
    char directory[1024], name[256], error[512];
    const char *slash = strrchr(module, '/');
    const char *base = slash != NULL ? slash + 1 : module;
    if (access(module, R_OK) != 0) {
        say(false, "module", "not loaded: %s: %s", module, strerror(errno));
        return;
    }
    snprintf(directory, sizeof directory, "%.*s", slash != NULL ? (int)(slash - module) : 1,
             slash != NULL ? module : ".");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(base, "."), base);
    const char *argv[] = {check->openssl, "list", "-providers", "-provider-path", directory, "-provider", name, NULL};
    const char *environment[] = {"OPENSSL_CONF=/dev/null", NULL};
    eph_child_run(argv, environment, NULL, STEP_MS, &check->output);
    line_with(&check->output, "error:", error, sizeof error);
    say(false, "module", "not loaded: %s: %s", module,
        error[0] ? error : "loads by itself; is it listed under providers, with activate = 1?");
}

static bool step_module(struct check *check, const char *module)
{
    const char *argv[] = {check->openssl, "list", "-providers", NULL};
    run_openssl(check, argv, "never", "");
    if (strstr(check->output.text, "Ephemera:") == NULL) {
        explain_module(check, module);
        return false;
    }
    say(true, "module", "%s", module);
    return true;
}

// One key generation under the configuration; fills the counters that it left.
static bool make_key(struct check *check, const char *offload, struct eph_collected *collected)
{
    char statistics[128];
    snprintf(statistics, sizeof statistics, "%s/stats-%s", check->directory, offload);
    const char *argv[] = {check->openssl, "genpkey", "-algorithm", "X25519", "-out", "/dev/null", NULL};
    return mkdir(statistics, 0700) == 0 && run_openssl(check, argv, offload, statistics) == 0 &&
           eph_collect(statistics, collected);
}

static uint64_t operations(const struct eph_stats_counters *counters, enum eph_opcode opcode,
                           enum eph_stats_served served)
{
    return counters->operations[eph_stats_series(EPH_CURVE_X25519, opcode, served)];
}

static bool step_properties(struct check *check)
{
    struct eph_collected collected;
    bool good = make_key(check, "never", &collected) &&
                operations(&collected.counters, EPH_OP_KEYGEN, EPH_STATS_SERVED_SOFTWARE) > 0;
    say(good, "properties", "%s",
        good ? "X25519 keys are made by our provider"
             : "keys are made by another provider: default_properties = ?provider=ephemera is missing (alg_section)");
    return good;
}

// What kept operations from the device: the counted causes and policies, as one line.
static void reasons(const struct eph_stats_counters *counters, char *line, size_t room)
{
    size_t used = (size_t)snprintf(line, room, "done in software:");
    for (unsigned c = 0; c < EPH_CAUSE_COUNT; c++)
        if (counters->fallbacks[c] != 0 && used < room)
            used += (size_t)snprintf(line + used, room - used, " %s (%s);", eph_stats_cause_text[c],
                                     eph_stats_cause_name[c]);
    for (unsigned p = 0; p < EPH_POLICY_COUNT; p++)
        if (counters->policy[p] != 0 && used < room)
            used += (size_t)snprintf(line + used, room - used, " %s;", eph_stats_policy_text[p]);
}

static bool step_device(struct check *check)
{
    struct eph_collected collected;
    char line[1024], error[512];
    bool good = make_key(check, "always", &collected) &&
                operations(&collected.counters, EPH_OP_KEYGEN, EPH_STATS_SERVED_DEVICE) > 0;
    if (good) {
        say(true, "device", "%s made a key%s", collected.device,
            strncmp(collected.device, "sim", 3) == 0 ? " (SIMULATED)" : "");
    } else {
        reasons(&collected.counters, line, sizeof line);
        say(false, "device", "%s %s", line, line_with(&check->output, "ephemera: ", error, sizeof error));
    }
    return good;
}

// ---- handshakes

static bool make_certificate(struct check *check)
{
    char config[128], key[128], certificate[128];
    snprintf(config, sizeof config, "%s/req.cnf", check->directory);
    snprintf(key, sizeof key, "%s/key.pem", check->directory);
    snprintf(certificate, sizeof certificate, "%s/cert.pem", check->directory);
    const char *argv[] = {check->openssl,
                          "req",
                          "-x509",
                          "-newkey",
                          "ec",
                          "-pkeyopt",
                          "ec_paramgen_curve:P-256",
                          "-nodes",
                          "-subj",
                          "/CN=localhost",
                          "-days",
                          "1",
                          "-keyout",
                          key,
                          "-out",
                          certificate,
                          NULL};
    char variable[160];
    snprintf(variable, sizeof variable, "OPENSSL_CONF=%s", config);
    const char *environment[] = {variable, NULL};
    return write_file(config, "[req]\ndistinguished_name=dn\n[dn]\n") &&
           eph_child_run(argv, environment, NULL, STEP_MS, &check->output) == 0;
}

// A server under the configuration, on a port of the kernel's choice. Its pid, or -1.
static pid_t start_server(struct check *check, const char *statistics, char *port, size_t room)
{
    char key[128], certificate[128], log[128], variable[160], text[4096];
    snprintf(key, sizeof key, "%s/key.pem", check->directory);
    snprintf(certificate, sizeof certificate, "%s/cert.pem", check->directory);
    snprintf(log, sizeof log, "%s/server.log", check->directory);
    snprintf(variable, sizeof variable, "EPHEMERA_STATS=%s", statistics);
    const char *argv[] = {check->openssl, "s_server", "-accept", "127.0.0.1:0", "-cert",
                          certificate,    "-key",     key,       "-www",        NULL};
    const char *environment[] = {check->config_variable, variable, NULL};
    int output = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
        input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t pid = output >= 0 && input >= 0 ? eph_child_start(argv, environment, input, output) : -1;
    close(input);
    close(output);
    port[0] = 0;
    for (int i = 0; pid > 0 && i < 500 && port[0] == 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        const char *accept = read_file(log, text, sizeof text) ? strstr(text, "ACCEPT ") : NULL;
        const char *end = accept != NULL ? strchr(accept, '\n') : NULL;
        if (end != NULL)
            for (const char *colon = end; colon > accept && port[0] == 0; colon--)
                if (*colon == ':')
                    snprintf(port, room, "%.*s", (int)(end - colon - 1), colon + 1);
    }
    if (port[0] != 0)
        return pid;
    eph_child_stop(pid);
    return -1;
}

struct handshake {
    const char *version; // option of s_client
    const char *name;
};

// Forward secret: TLS 1.3 with a key exchange, or an ECDHE suite of TLS 1.2; libssl makes a key for each handshake.
static bool forward_secret(struct eph_child_output *output)
{
    bool ephemeral = strstr(output->text, "Server Temp Key:") != NULL ||
                     strstr(output->text, "Peer Temp Key:") != NULL ||
                     strstr(output->text, "Negotiated TLS1.3 group:") != NULL;
    return ephemeral &&
           (strstr(output->text, "New, TLSv1.3") != NULL || strstr(output->text, "Cipher is ECDHE-") != NULL);
}

static bool one_handshake(struct check *check, const struct handshake *handshake, bool *secret)
{
    char statistics[128], port[16], address[32], why[1024], negotiated[256], key[256];
    snprintf(statistics, sizeof statistics, "%s/stats-%s", check->directory, handshake->version);
    pid_t server = mkdir(statistics, 0700) == 0 ? start_server(check, statistics, port, sizeof port) : -1;
    if (server <= 0) {
        say(false, handshake->name, "openssl s_server does not start under this configuration");
        return false;
    }
    snprintf(address, sizeof address, "127.0.0.1:%s", port);
    const char *argv[] = {check->openssl, "s_client", "-connect", address, handshake->version, "-ign_eof", NULL};
    const char *environment[] = {"OPENSSL_CONF=/dev/null", "EPHEMERA_STATS", NULL};
    eph_child_run(argv, environment, "GET / HTTP/1.0\r\n\r\n", STEP_MS, &check->output);
    struct eph_collected collected;
    bool read = eph_collect(statistics, &collected);
    eph_child_stop(server);

    line_with(&check->output, "New, TLS", negotiated, sizeof negotiated);
    if (!line_with(&check->output, "Temp Key:", key, sizeof key)[0])
        line_with(&check->output, "Negotiated TLS1.3 group:", key, sizeof key);
    uint64_t keygens = operations(&collected.counters, EPH_OP_KEYGEN, EPH_STATS_SERVED_DEVICE);
    uint64_t derives = operations(&collected.counters, EPH_OP_DERIVE, EPH_STATS_SERVED_DEVICE);
    bool good = read && negotiated[0] && keygens == 1 && derives == 1;
    if (!negotiated[0]) {
        say(false, handshake->name, "the handshake itself failed");
    } else if (good) {
        say(true, handshake->name, "%s; %s; by the device: keygen 1, derive 1, %" PRIu64 " cycles", negotiated + 5, key,
            collected.counters.device_cycles);
    } else {
        reasons(&collected.counters, why, sizeof why);
        say(false, handshake->name, "%s; %s; by the device: keygen %" PRIu64 ", derive %" PRIu64 "; %s", negotiated + 5,
            key, keygens, derives, why);
    }
    *secret = *secret && negotiated[0] && forward_secret(&check->output);
    return good;
}

static bool step_handshakes(struct check *check)
{
    static const struct handshake handshakes[] = {{"-tls1_3", "TLS 1.3"}, {"-tls1_2", "TLS 1.2"}};
    if (!make_certificate(check)) {
        say(false, "handshake", "openssl can not make a certificate");
        return false;
    }
    bool good = true, secret = true;
    for (size_t i = 0; i < sizeof handshakes / sizeof *handshakes; i++)
        good = one_handshake(check, &handshakes[i], &secret) && good;
    say(secret, "forward secret", "%s",
        secret ? "yes: ephemeral keys, a new one for each full handshake, no key pool (resumption by TLS 1.2 ticket or "
                 "psk_ke is not)"
               : "no: a handshake above failed or had no ephemeral key exchange");
    return good && secret;
}

int eph_cmd_check(int argc, char **argv)
{
    static const struct option options[] = {{"openssl-conf", required_argument, NULL, 'c'},
                                            {"openssl", required_argument, NULL, 'o'},
                                            EPH_TOOL_HELP_OPTION,
                                            {0}};
    static struct check check;
    char module[1024];
    int option;
    check.openssl = "openssl";
    check.config = getenv("OPENSSL_CONF");
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            check.config = optarg;
            break;
        case 'o':
            check.openssl = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return EPH_EXIT_OK;
        default:
            return eph_tool_usage_error("check", "unknown option");
        }
    }
    if (optind < argc)
        return eph_tool_usage_error("check", "surplus argument");
    if (check.config == NULL || check.config[0] == 0)
        return eph_tool_usage_error("check", "no configuration: give --openssl-conf FILE or set OPENSSL_CONF");
    if (strlen(check.config) > 4096)
        return eph_tool_usage_error("check", "path of the configuration too long");
    snprintf(check.config_variable, sizeof check.config_variable, "OPENSSL_CONF=%s", check.config);
    snprintf(check.directory, sizeof check.directory, "/tmp/ephemera-check.XXXXXX");
    if (mkdtemp(check.directory) == NULL) {
        fprintf(stderr, "ephemera check: no temporary directory: %s\n", strerror(errno));
        return EPH_EXIT_FAILED;
    }
    bool good = step_openssl(&check) && step_config(&check, module, sizeof module) && step_module(&check, module) &&
                step_properties(&check) && step_device(&check) && step_handshakes(&check);
    remove_tree(check.directory);
    return good ? EPH_EXIT_OK : EPH_EXIT_FAILED;
}
