/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static json_t *lines;

void samples_add(struct samples *s, double value)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 64;
        s->values = reallocarray(s->values, s->capacity, sizeof(*s->values));
        if (!s->values)
            fail("no memory");
    }
    s->values[s->count++] = value;
}

void samples_fini(struct samples *s)
{
    free(s->values);
    *s = (struct samples){0};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double samples_quantile(struct samples *s, double q)
{
    if (s->count == 0)
        return 0;
    qsort(s->values, s->count, sizeof(*s->values), compare);
    return s->values[(size_t)(q * (double)(s->count - 1) + 0.5)];
}

struct line line_of(const char *measure, enum cpus cpus, const char *side, const char *unit,
                    struct samples *s, struct samples *reference, const char *of)
{
    struct line l = {.measure = measure,
                     .side = side,
                     .unit = unit,
                     .cpus = cpus,
                     .median = samples_quantile(s, 0.5),
                     .least = samples_quantile(s, 0),
                     .most = samples_quantile(s, 1),
                     .of = of};
    if (reference)
        l.ratio = l.median / samples_quantile(reference, 0.5);
    return l;
}

struct line line_with_target(struct line l, bool reached, const char *wanted)
{
    l.wanted = wanted;
    l.reached = reached;
    return l;
}

static void print_heading(void)
{
    printf("%-14s %4s  %-30s %12s %24s %-9s  %s\n", "measure", "CPUs", "side", "median",
           "(least to most)", "unit", "ratio, target");
}

static void keep(const struct line *l)
{
    if (!lines) {
        lines = json_array();
        print_heading();
    }
    json_t *j = json_pack("{s:s, s:i, s:s, s:s, s:f, s:f, s:f}", "measure", l->measure, "cpus",
                          (int)l->cpus, "side", l->side, "unit", l->unit, "median", l->median,
                          "least", l->least, "most", l->most);
    if (l->ratio > 0)
        json_object_set_new(j, "ratio", json_real(l->ratio));
    if (l->of)
        json_object_set_new(j, "ratio_of", json_string(l->of));
    if (l->wanted) {
        json_object_set_new(j, "target", json_string(l->wanted));
        json_object_set_new(j, "reached", json_boolean(l->reached));
    }
    json_array_append_new(lines, j);
}

void report(const struct line *l)
{
    char range[32], cpus[8] = "";
    keep(l);
    snprintf(range, sizeof(range), "(%.4g to %.4g)", l->least, l->most);
    if (l->cpus)
        snprintf(cpus, sizeof(cpus), "%d", (int)l->cpus);
    printf("%-14s %4s  %-30s %12.4g %24s %-9s", l->measure, cpus, l->side, l->median, range,
           l->unit);
    if (l->ratio > 0)
        printf("  %.3f x %s", l->ratio, l->of);
    if (l->wanted)
        printf("  [%s: %s]", l->wanted, l->reached ? "reached" : "MISSED");
    printf("\n");
}

void note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("# ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

int report_json(const char *path)
{
    if (json_dump_file(lines, path, JSON_INDENT(2)) == 0)
        return 0;
    fprintf(stderr, "bench: %s cannot be written\n", path);
    return 1;
}
