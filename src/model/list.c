/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#include <errno.h>

static int make_room(struct pointer_list *l)
{
    if (l->count < l->capacity)
        return 0;
    size_t capacity = l->capacity ? l->capacity * 2 : 4;
    void **items = reallocarray(l->items, capacity, sizeof(*items));
    if (!items)
        return -ENOMEM;
    l->items = items;
    l->capacity = capacity;
    return 0;
}

int list_append(struct pointer_list *l, void *item)
{
    int r = make_room(l);
    if (r < 0)
        return r;
    l->items[l->count++] = item;
    return 0;
}

/* In order of creation wherever an object came in late (moved, loaded): a node that loaded its
 * state then walks the lists as one that lived through it. */
int list_insert_object(struct pointer_list *l, void *object)
{
    int r = make_room(l);
    if (r < 0)
        return r;
    size_t at = l->count;
    while (at > 0 &&
           ((struct object *)l->items[at - 1])->created > ((struct object *)object)->created)
        at--;
    memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof(*l->items));
    l->items[at] = object;
    l->count++;
    return 0;
}

bool list_contains(const struct pointer_list *l, const void *item)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i] == item)
            return true;
    return false;
}

void list_remove(struct pointer_list *l, const void *item)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i] != item)
            continue;
        memmove(l->items + i, l->items + i + 1, (l->count - i - 1) * sizeof(*l->items));
        l->count--;
        return;
    }
}

void list_fini(struct pointer_list *l)
{
    free(l->items);
    *l = (struct pointer_list){0};
}
