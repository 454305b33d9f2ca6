/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

static const struct {
    const char *name;
    void (*run)(void);
} measures[] = {
    {"told", measure_told},     {"all", measure_all},           {"publish", measure_publish},
    {"drain", measure_drain},   {"catch-up", measure_catch_up}, {"durable", measure_durable},
    {"memory", measure_memory}, {"stalled", measure_stalled},
};

struct bench_options bench_options = {.folder = "."};

unsigned usual_or(unsigned usual, unsigned smoke)
{
    return bench_options.smoke ? smoke : usual;
}

static _Noreturn void usage(FILE *out, int code)
{
    fprintf(out, "bench [--json FILE] [--folder DIR] [--smoke] [MEASURE...]\n\n"
                 "  --json FILE   the lines also as JSON\n"
                 "  --folder DIR  on the disk to be measured (the present one)\n"
                 "  --smoke       only whether everything runs\n\n"
                 "measures:");
    for (size_t i = 0; i < ARRAY_SIZE(measures); i++)
        fprintf(out, " %s", measures[i].name);
    fprintf(out, "\n");
    exit(code);
}

static bool is_wanted(const char *name, char *const wanted[])
{
    for (size_t i = 0; wanted[i]; i++)
        if (strcmp(wanted[i], name) == 0)
            return true;
    return !wanted[0];
}

static void check_names(char *const wanted[])
{
    for (size_t i = 0; wanted[i]; i++) {
        size_t known = 0;
        while (known < ARRAY_SIZE(measures) && strcmp(measures[known].name, wanted[i]) != 0)
            known++;
        if (known == ARRAY_SIZE(measures))
            usage(stderr, 2);
    }
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {{"json", required_argument, NULL, 'j'},
                                            {"folder", required_argument, NULL, 'f'},
                                            {"smoke", no_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *json = NULL;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'j')
            json = optarg;
        else if (c == 'f')
            bench_options.folder = optarg;
        else if (c == 's')
            bench_options.smoke = true;
        else
            usage(c == 'h' ? stdout : stderr, c == 'h' ? 0 : 2);
    }
    check_names(argv + optind);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < ARRAY_SIZE(measures); i++)
        if (is_wanted(measures[i].name, argv + optind))
            measures[i].run();
    return json ? report_json(json) : 0;
}
