/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cli.h"

static void dump(json_t *j, size_t flags)
{
    char *text = must(json_dumps(j, flags | JSON_ENCODE_ANY));
    puts(text);
    free(text);
}

static int flushed(void)
{
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_ERROR;
}

/* What a table cell or a `key: value` line shows. malloc'ed. */
static char *shown(const json_t *j)
{
    char text[32];
    if (!j)
        return must(strdup("-"));
    switch (json_typeof(j)) {
    case JSON_STRING:
        return must(strdup(json_string_value(j)));
    case JSON_INTEGER:
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(j));
        return must(strdup(text));
    case JSON_TRUE:
        return must(strdup("yes"));
    case JSON_FALSE:
        return must(strdup("no"));
    case JSON_NULL:
        return must(strdup("-"));
    case JSON_ARRAY: {
        char *all = must(strdup(""));
        for (size_t i = 0; i < json_array_size(j); i++) {
            char *one = shown(json_array_get(j, i));
            char *longer = join(all, i ? ", " : "", one);
            free(one);
            free(all);
            all = longer;
        }
        return all;
    }
    default:
        return must(json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY));
    }
}

static int width_of(const char *text)
{
    WCHAR *w = widen(text);
    int width = wcswidth(w, wcslen(w));
    free(w);
    return width < 0 ? (int)strlen(text) : width;
}

const char *color_of_state(const struct cli *cli, const char *state)
{
    if (!cli->color)
        return "";
    if (strcmp(state, "Online") == 0 || strcmp(state, "Up") == 0)
        return "\033[32m";
    if (strcmp(state, "Failed") == 0 || strcmp(state, "Down") == 0)
        return "\033[31m";
    if (strstr(state, "Pending") || strstr(state, "Partial") || strcmp(state, "Paused") == 0)
        return "\033[33m";
    return "";
}

static void print_cell(const struct cli *cli, const char *text, int width, bool state, bool last)
{
    const char *color = state ? color_of_state(cli, text) : "";
    printf("%s%s%s", color, text, *color ? COLOR_END(cli) : "");
    if (last)
        putchar('\n');
    else
        printf("%*s", width - width_of(text) + 2, "");
}

static void print_table(const struct cli *cli, const json_t *array, const struct column *columns)
{
    int widths[16] = {0};
    size_t count = 0;
    for (; columns[count].title; count++)
        widths[count] = width_of(columns[count].title);

    size_t i;
    json_t *row;
    json_array_foreach(array, i, row)
    {
        for (size_t c = 0; c < count; c++) {
            char *text = shown(json_object_get(row, columns[c].key));
            int width = width_of(text);
            widths[c] = width > widths[c] ? width : widths[c];
            free(text);
        }
    }

    for (size_t c = 0; c < count; c++)
        print_cell(cli, columns[c].title, widths[c], false, c + 1 == count);
    json_array_foreach(array, i, row)
    {
        for (size_t c = 0; c < count; c++) {
            char *text = shown(json_object_get(row, columns[c].key));
            print_cell(cli, text, widths[c], strcmp(columns[c].key, "state") == 0, c + 1 == count);
            free(text);
        }
    }
}

int print_list(struct cli *cli, const char *key, json_t *array, const struct column *columns)
{
    must(array);
    if (cli->json) {
        json_t *whole = must(json_pack("{s:i, s:o}", "version", 1, key, array));
        dump(whole, JSON_INDENT(2));
        json_decref(whole);
    } else {
        print_table(cli, array, columns);
        json_decref(array);
    }
    return flushed();
}

static void print_fields(const struct cli *cli, const json_t *object, int indent)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (json_is_object(value)) {
            printf("%*s%s:\n", indent, "", key);
            print_fields(cli, value, indent + 2);
            continue;
        }
        char *text = shown(value);
        const char *color = strcmp(key, "state") == 0 ? color_of_state(cli, text) : "";
        printf("%*s%s: %s%s%s\n", indent, "", key, color, text, *color ? COLOR_END(cli) : "");
        free(text);
    }
}

int print_object(struct cli *cli, json_t *object)
{
    must(object);
    if (cli->json)
        dump(object, JSON_INDENT(2));
    else
        print_fields(cli, object, 0);
    json_decref(object);
    return flushed();
}

int print_line(struct cli *cli, json_t *object)
{
    (void)cli;
    dump(must(object), JSON_COMPACT);
    json_decref(object);
    return flushed();
}

int print_done(struct cli *cli, const char *done, const char *name)
{
    if (cli->json)
        return print_line(cli, must(json_pack("{s:s, s:s}", "done", done, "name", name)));
    printf("%s %s\n", name, done);
    return flushed();
}
