/* SPDX-License-Identifier: MIT */
#include "change/property_list.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

static bool holds_data(enum property_format format)
{
    switch (format) {
    case PROPERTY_BINARY:
    case PROPERTY_SZ:
    case PROPERTY_EXPAND_SZ:
    case PROPERTY_MULTI_SZ:
    case PROPERTY_EXPANDED_SZ:
    case PROPERTY_SECURITY_DESCRIPTOR:
        return true;
    case PROPERTY_DWORD:
    case PROPERTY_ULARGE_INTEGER:
    case PROPERTY_LONG:
    case PROPERTY_LARGE_INTEGER:
    case PROPERTY_WORD:
    case PROPERTY_FILETIME:
        break;
    }
    return false;
}

void property_table_fini(struct property_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->items[i].name);
        free(t->items[i].data);
    }
    free(t->items);
    *t = (struct property_table){0};
}

static struct property *find_hashed(const struct property_table *t, const char *name, uint64_t hash)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i].hash == hash && text_equal(t->items[i].name, name))
            return &t->items[i];
    }
    return NULL;
}

static struct property *find(const struct property_table *t, const char *name)
{
    return t->count > 0 ? find_hashed(t, name, text_hash(name)) : NULL;
}

const struct property *property_find(const struct property_table *t, const char *name)
{
    return find(t, name);
}

static int reserve_one(struct property_table *t)
{
    if (t->count < t->capacity)
        return 0;
    const size_t capacity = MAX(t->capacity * 2, (size_t)8);
    struct property *items = reallocarray(t->items, capacity, sizeof(*items));
    if (!items)
        return -ENOMEM;
    t->items = items;
    t->capacity = capacity;
    return 0;
}

int property_set(struct property_table *t, const struct property *p)
{
    struct property copy = {.format = p->format, .hash = text_hash(p->name)};
    _cleanup_free_
    void *data = NULL;

    if (holds_data(p->format)) {
        data = malloc(p->size + 1); /* never NULL, also for nothing */
        if (!data)
            return -ENOMEM;
        if (p->size > 0)
            memcpy(data, p->data, p->size);
        ((char *)data)[p->size] = '\0';
        copy.size = p->size;
    } else {
        copy.number = p->number;
    }

    struct property *old = find_hashed(t, p->name, copy.hash);
    if (old) {
        free(old->data);
        copy.name = old->name;
        copy.data = TAKE_PTR(data);
        *old = copy;
        return 0;
    }

    _cleanup_free_
    char *name = strdup(p->name);
    if (!name || reserve_one(t) < 0)
        return -ENOMEM;
    copy.name = TAKE_PTR(name);
    copy.data = TAKE_PTR(data);
    t->items[t->count++] = copy;
    return 0;
}

int property_set_text(struct property_table *t, const char *name, const char *value)
{
    return property_set(t, &(struct property){.name = (char *)name,
                                              .format = PROPERTY_SZ,
                                              .data = (char *)value,
                                              .size = strlen(value) + 1});
}

int property_set_dword(struct property_table *t, const char *name, uint32_t value)
{
    return property_set(
        t, &(struct property){.name = (char *)name, .format = PROPERTY_DWORD, .number = value});
}

int property_set_multi(struct property_table *t, const char *name, const char *texts, size_t size)
{
    PRE(size == 0 || texts[size - 1] == '\0');
    return property_set(t, &(struct property){.name = (char *)name,
                                              .format = PROPERTY_MULTI_SZ,
                                              .data = (char *)texts,
                                              .size = size});
}

bool property_remove(struct property_table *t, const char *name)
{
    struct property *p = find(t, name);
    if (!p)
        return false;
    free(p->name);
    free(p->data);
    const size_t after = t->count - (size_t)(p - t->items) - 1;
    memmove(p, p + 1, after * sizeof(*p));
    t->count--;
    return true;
}

bool property_equal(const struct property *a, const struct property *b)
{
    if (a->format != b->format)
        return false;
    if (!holds_data(a->format))
        return a->number == b->number;
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

int property_table_copy(const struct property_table *from, struct property_table *ret)
{
    _cleanup_(property_table_fini) struct property_table copy = {0};

    for (size_t i = 0; i < from->count; i++) {
        int r = property_set(&copy, &from->items[i]);
        if (r < 0)
            return r;
    }
    *ret = copy;
    copy = (struct property_table){0};
    return 0;
}
