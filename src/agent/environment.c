/* SPDX-License-Identifier: MIT */
#include "agent/environment.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static int make_room(struct environment *e)
{
    size_t capacity = MAX(e->capacity * 2, (size_t)32);
    char **items;

    if (e->count + 1 < e->capacity)
        return 0;
    items = reallocarray(e->items, capacity, sizeof(*items));
    if (!items)
        return -1;
    e->items = items;
    e->capacity = capacity;
    return 0;
}

void environment_add(struct environment *e, const char *name, const char *format, ...)
{
    _cleanup_free_
    char *value = NULL;
    char *item = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&value, format, arguments) < 0)
        value = NULL;
    va_end(arguments);
    if (value && make_room(e) == 0)
        item = text_format("%s=%s", name, value);
    if (!item) {
        e->failed = true;
        return;
    }
    e->items[e->count++] = item;
    e->items[e->count] = NULL;
}

void environment_fini(struct environment *e)
{
    for (size_t i = 0; i < e->count; i++)
        free(e->items[i]);
    free(e->items);
    *e = (struct environment){0};
}
