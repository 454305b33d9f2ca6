/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"

/* A property list as the API gives it: a count, then entries of syntax, length and padded data. */
struct walk {
    const BYTE *data;
    size_t size, at;
};

struct entry {
    DWORD syntax, length;
    const BYTE *data;
};

static bool next_entry(struct walk *w, struct entry *ret)
{
    if (w->size - w->at < 4)
        return false;
    memcpy(&ret->syntax, w->data + w->at, 4);
    w->at += 4;
    if (ret->syntax == CLUSPROP_SYNTAX_ENDMARK) {
        *ret = (struct entry){.syntax = CLUSPROP_SYNTAX_ENDMARK};
        return true;
    }
    if (w->size - w->at < 4)
        return false;
    memcpy(&ret->length, w->data + w->at, 4);
    w->at += 4;
    size_t padded = ((size_t)ret->length + 3) & ~(size_t)3;
    if (padded > w->size - w->at)
        return false;
    ret->data = w->data + w->at;
    w->at += padded;
    return true;
}

static json_t *wide_value(const struct entry *e)
{
    size_t length = e->length / sizeof(WCHAR);
    WCHAR *copy = must(calloc(length + 1, sizeof(WCHAR)));
    memcpy(copy, e->data, length * sizeof(WCHAR));
    json_t *j = json_wide(copy);
    free(copy);
    return j;
}

static json_t *multi_value(const struct entry *e)
{
    json_t *array = must(json_array());
    size_t length = e->length / sizeof(WCHAR);
    WCHAR *copy = must(calloc(length + 1, sizeof(WCHAR)));
    memcpy(copy, e->data, length * sizeof(WCHAR));
    for (size_t i = 0; i < length && copy[i]; i += (size_t)lstrlenW(copy + i) + 1)
        json_array_append_new(array, json_wide(copy + i));
    free(copy);
    return array;
}

static json_t *hex_value(const struct entry *e)
{
    char *text = must(malloc((size_t)e->length * 2 + 1));
    for (DWORD i = 0; i < e->length; i++)
        sprintf(text + 2 * i, "%02x", e->data[i]);
    text[2 * (size_t)e->length] = '\0';
    json_t *j = must(json_string(text));
    free(text);
    return j;
}

static json_t *value_to_json(const struct entry *e)
{
    uint64_t number = 0;
    if (e->data)
        memcpy(&number, e->data, e->length < 8 ? e->length : 8);
    switch (e->syntax & 0xffff) {
    case CLUSPROP_FORMAT_SZ:
    case CLUSPROP_FORMAT_EXPAND_SZ:
    case CLUSPROP_FORMAT_EXPANDED_SZ:
        return wide_value(e);
    case CLUSPROP_FORMAT_MULTI_SZ:
        return multi_value(e);
    case CLUSPROP_FORMAT_DWORD:
    case CLUSPROP_FORMAT_WORD:
    case CLUSPROP_FORMAT_ULARGE_INTEGER:
        return must(json_integer((json_int_t)number));
    case CLUSPROP_FORMAT_LONG:
        return must(json_integer((int32_t)number));
    case CLUSPROP_FORMAT_LARGE_INTEGER:
        return must(json_integer((int64_t)number));
    default:
        return hex_value(e);
    }
}

json_t *properties_to_json(const void *list, DWORD size)
{
    json_t *object = must(json_object());
    struct walk w = {.data = list, .size = size, .at = 4};
    struct entry name, value, end;
    while (size > 4 && next_entry(&w, &name) && name.syntax == CLUSPROP_SYNTAX_NAME &&
           next_entry(&w, &value)) {
        json_t *wide_name = wide_value(&name);
        if (value.syntax != CLUSPROP_SYNTAX_ENDMARK)
            json_object_set_new(object, json_string_value(wide_name), value_to_json(&value));
        json_decref(wide_name);
        for (end = value; end.syntax != CLUSPROP_SYNTAX_ENDMARK;)
            if (!next_entry(&w, &end))
                return object;
    }
    return object;
}

/* The format that a *_FMTS answer gives to a name; text for a name it does not have. */
static WORD format_of(const void *formats, DWORD size, const char *wanted)
{
    struct walk w = {.data = formats, .size = size, .at = 4};
    struct entry name, value;
    while (size > 4 && next_entry(&w, &name) && name.syntax == CLUSPROP_SYNTAX_NAME &&
           next_entry(&w, &value)) {
        json_t *j = wide_value(&name);
        bool found = strcasecmp(json_string_value(j), wanted) == 0;
        json_decref(j);
        WORD format = 0;
        if (value.data)
            memcpy(&format, value.data, value.length < 2 ? value.length : 2);
        if (found && format)
            return format;
        for (struct entry end = value; end.syntax != CLUSPROP_SYNTAX_ENDMARK;)
            if (!next_entry(&w, &end))
                return CLUSPROP_FORMAT_SZ;
    }
    return CLUSPROP_FORMAT_SZ;
}

static void put(BYTE **list, DWORD *size, DWORD syntax, const void *data, DWORD length)
{
    DWORD padded = (length + 3) & ~3u;
    *list = must(realloc(*list, *size + 8 + padded));
    memset(*list + *size, 0, 8 + padded);
    memcpy(*list + *size, &syntax, 4);
    memcpy(*list + *size + 4, &length, 4);
    if (length)
        memcpy(*list + *size + 8, data, length);
    *size += 8 + padded;
}

static void put_end(BYTE **list, DWORD *size)
{
    *list = must(realloc(*list, *size + 4));
    memset(*list + *size, 0, 4);
    *size += 4;
}

static DWORD number_size(WORD format)
{
    return format == CLUSPROP_FORMAT_WORD                                      ? 2
           : format == CLUSPROP_FORMAT_DWORD || format == CLUSPROP_FORMAT_LONG ? 4
                                                                               : 8;
}

/* "-1" stands for the largest number too. */
static bool put_number(BYTE **list, DWORD *size, WORD format, const char *text)
{
    uint64_t number = 0;
    DWORD bytes = number_size(format);
    bool negative = text[0] == '-';
    if (!parse_number(text + negative, &number) || number > UINT64_MAX >> (64 - 8 * bytes))
        return false;
    number = negative ? 0 - number : number;
    put(list, size, 0x00010000u | format, &number, bytes);
    return true;
}

static bool put_value(BYTE **list, DWORD *size, WORD format, const char *value)
{
    DWORD syntax = 0x00010000u | format;
    switch (format) {
    case CLUSPROP_FORMAT_DWORD:
    case CLUSPROP_FORMAT_LONG:
    case CLUSPROP_FORMAT_ULARGE_INTEGER:
    case CLUSPROP_FORMAT_LARGE_INTEGER:
    case CLUSPROP_FORMAT_WORD:
        return put_number(list, size, format, value);
    case CLUSPROP_FORMAT_MULTI_SZ: { /* blanks separate */
        WCHAR *wide = widen(value);
        size_t length = (size_t)lstrlenW(wide);
        WCHAR *multi = must(calloc(length + 2, sizeof(WCHAR)));
        size_t at = 0;
        for (size_t i = 0; i < length; i++)
            if (wide[i] != ' ' || (at && multi[at - 1]))
                multi[at++] = wide[i] == ' ' ? 0 : wide[i];
        at += at && multi[at - 1] ? 1 : 0;
        put(list, size, syntax, multi, (DWORD)((at + 1) * sizeof(WCHAR)));
        free(multi);
        free(wide);
        return true;
    }
    case CLUSPROP_FORMAT_SZ:
    case CLUSPROP_FORMAT_EXPAND_SZ: {
        WCHAR *wide = widen(value);
        put(list, size, syntax, wide, (DWORD)(((size_t)lstrlenW(wide) + 1) * sizeof(WCHAR)));
        free(wide);
        return true;
    }
    default:
        return false;
    }
}

BYTE *properties_from_arguments(char **pairs, int count, const void *formats, DWORD formats_size,
                                DWORD *ret_size, char **ret_complaint)
{
    DWORD size = 4, number = (DWORD)count;
    BYTE *list = must(calloc(1, 4));
    memcpy(list, &number, 4);
    for (int i = 0; i < count; i++) {
        char *equals = strchr(pairs[i], '=');
        if (!equals || equals == pairs[i]) {
            free(list);
            *ret_complaint = join("a property is NAME=VALUE, not '", pairs[i], "'");
            return NULL;
        }
        char *name = must(strndup(pairs[i], (size_t)(equals - pairs[i])));
        WCHAR *wide = widen(name);
        put(&list, &size, CLUSPROP_SYNTAX_NAME, wide,
            (DWORD)(((size_t)lstrlenW(wide) + 1) * sizeof(WCHAR)));
        bool good = put_value(&list, &size, format_of(formats, formats_size, name), equals + 1);
        free(wide);
        free(name);
        if (!good) {
            free(list);
            *ret_complaint = join("the value does not fit the property: '", pairs[i], "'");
            return NULL;
        }
        put_end(&list, &size);
    }
    *ret_size = size;
    return list;
}
