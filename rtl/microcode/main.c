// SPDX-License-Identifier: Apache-2.0
// eph-asm: assembles Ephemera's microprograms into one ROM image. See README.md for the language.
#include "asm.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *directory; // NULL: write nothing
    const char *symbol;    // C image
    bool list, c_only;
};

static void usage(FILE *out)
{
    fputs("usage: eph-asm [--list] [--out DIR] [--c-only] [--symbol NAME] FILE.uasm ...\n"
          "  --list         print the programs: address, registers, ports, bias, bounds\n"
          "  --out DIR      write eph_ucode_pkg.sv, eph_ucode_rom.sv, eph_base_rom.sv and NAME_data.c\n"
          "  --c-only       write only NAME_data.c\n"
          "  --symbol NAME  of the C image, default eph_ucode\n"
          "Messages go to stderr as file:line: message; exit code 1 when there was one.\n",
          out);
}

static FILE *create(const struct options *options, const char *name, const char *suffix)
{
    char path[1024];
    int length = snprintf(path, sizeof path, "%s/%s%s", options->directory, name, suffix);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "w") : NULL;
    if (!file)
        fprintf(stderr, "eph-asm: cannot write '%s/%s%s'\n", options->directory, name, suffix);
    return file;
}

static bool finish(FILE *file)
{
    bool good = !ferror(file);
    if (fclose(file) == 0 && good)
        return true;
    fprintf(stderr, "eph-asm: write error\n");
    return false;
}

static bool write_sv(const struct assembly *as, const struct options *options)
{
    if (eph_asm_base_words(as) > EPH_BASE_WORDS) {
        fprintf(stderr, "eph-asm: the RTL's fixed-base ROM has unit 0 only (.base)\n");
        return false;
    }
    FILE *file = create(options, "eph_ucode_pkg", ".sv");
    if (!file)
        return false;
    eph_asm_emit_package(as, file);
    if (!finish(file) || !(file = create(options, "eph_ucode_rom", ".sv")))
        return false;
    eph_asm_emit_rom(as, file);
    if (!finish(file) || !(file = create(options, "eph_base_rom", ".sv")))
        return false;
    eph_asm_emit_base_rom(file);
    return finish(file);
}

static bool write_all(const struct assembly *as, const struct options *options)
{
    if (!options->c_only && !write_sv(as, options))
        return false;
    FILE *file = create(options, options->symbol, "_data.c");
    if (!file)
        return false;
    eph_asm_emit_c(as, options->symbol, file);
    return finish(file);
}

static void assemble(struct assembly *as, char **paths, int count)
{
    for (int i = 0; i < count; i++)
        eph_asm_parse(as, paths[i]);
    for (unsigned i = 0; i < as->program_count && !as->errors; i++) {
        eph_asm_steer(as, as->programs[i]);
        if (!as->errors)
            eph_asm_allocate(as, as->programs[i]);
        if (!as->errors)
            eph_asm_bounds(as, as->programs[i]);
    }
    if (!as->errors)
        eph_asm_encode(as);
}

static void release(struct assembly *as)
{
    for (unsigned i = 0; i < as->program_count; i++) {
        for (unsigned j = 0; j < as->programs[i]->length; j++)
            free(as->programs[i]->code[j].text);
        free(as->programs[i]->code);
        free(as->programs[i]);
    }
    for (unsigned i = 0; i < as->file_count; i++)
        free(as->files[i]);
}

static bool parse_options(int argc, char **argv, struct options *options)
{
    static const struct option long_options[] = {
        {"list", no_argument, NULL, 'l'},   {"out", required_argument, NULL, 'o'},
        {"c-only", no_argument, NULL, 'c'}, {"symbol", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},   {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'l')
            options->list = true;
        else if (option == 'o')
            options->directory = optarg;
        else if (option == 'c')
            options->c_only = true;
        else if (option == 's')
            options->symbol = optarg;
        else {
            usage(option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 2);
        }
    }
    return optind < argc;
}

int main(int argc, char **argv)
{
    struct options options = {.symbol = "eph_ucode"};
    struct assembly as = {0};
    if (!parse_options(argc, argv, &options)) {
        usage(stderr);
        return 2;
    }
    assemble(&as, argv + optind, argc - optind);
    bool good = !as.errors;
    if (good && options.list)
        eph_asm_list(&as, stdout);
    if (good && options.directory)
        good = write_all(&as, &options);
    release(&as);
    return good ? 0 : 1;
}
