/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cli.h"

void *must(void *p)
{
    if (!p) {
        fputs("clusport: out of memory\n", stderr);
        exit(EXIT_ERROR);
    }
    return p;
}

char *narrow(const WCHAR *text)
{
    size_t size = wcstombs(NULL, text, 0);
    if (size == (size_t)-1)
        return must(strdup("?"));
    char *out = must(malloc(size + 1));
    wcstombs(out, text, size + 1);
    return out;
}

WCHAR *widen(const char *text)
{
    if (!text)
        return NULL;
    size_t length = mbstowcs(NULL, text, 0);
    if (length == (size_t)-1) {
        fprintf(stderr, "clusport: an argument is not valid UTF-8\n");
        exit(EXIT_USAGE);
    }
    WCHAR *out = must(calloc(length + 1, sizeof(*out)));
    mbstowcs(out, text, length + 1);
    return out;
}

char *join(const char *a, const char *between, const char *b)
{
    char *out = NULL;
    if (asprintf(&out, "%s%s%s", a, between, b) < 0)
        out = NULL;
    return must(out);
}

json_t *json_wide(const WCHAR *text)
{
    if (!text)
        return json_null();
    char *s = narrow(text);
    json_t *j = must(json_string(s));
    free(s);
    return j;
}

bool parse_number(const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 0);
    if (errno || end == text || *end || strchr(text, '-'))
        return false;
    *ret = n;
    return true;
}

bool parse_duration(const char *text, DWORD *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}};

    char *end;
    errno = 0;
    double n = strtod(text, &end);
    if (errno || end == text || !(n >= 0))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        if (n * units[i].ms >= INFINITE)
            return false;
        *ret_ms = (DWORD)(n * units[i].ms);
        return true;
    }
    return false;
}
