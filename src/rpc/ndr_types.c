/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/text.h"
#include "rpc/ndr_internal.h"

/* RPC_SECURITY_DESCRIPTOR: a pointer to a conformant varying array, its room, its length. */
static void descriptor_struct(struct ndr *n, struct rpc_bytes *b)
{
    ndr_pointer_field(n, &b->data);
    ndr_u32(n, &b->capacity);
    ndr_u32(n, &b->size);
}

static void descriptor_data(struct ndr *n, struct rpc_bytes *b)
{
    if (!b->data)
        return;
    if (b->size > b->capacity)
        ndr_fail(n, ndr_writing(n) ? -EINVAL : -EBADMSG);
    ndr_expect(n, b->capacity);
    ndr_expect(n, 0);
    ndr_expect(n, b->size);
    if (n->error == 0)
        ndr_raw(n, &b->data, b->size);
}

void ndr_security_descriptor(struct ndr *n, struct rpc_bytes *b)
{
    descriptor_struct(n, b);
    descriptor_data(n, b);
}

void ndr_security_attributes(struct ndr *n, struct rpc_security_attributes **a)
{
    if (!ndr_pointer(n, *a)) {
        *a = NULL;
        return;
    }
    if (!ndr_writing(n))
        *a = ndr_alloc(n, 1, sizeof(**a), 20);
    if (n->error != 0)
        return;
    ndr_u32(n, &(*a)->length);
    descriptor_struct(n, &(*a)->descriptor);
    ndr_u32(n, &(*a)->inherit);
    descriptor_data(n, &(*a)->descriptor);
}

void ndr_group_info(struct ndr *n, struct rpc_group_info **info)
{
    if (!ndr_pointer(n, *info)) {
        *info = NULL;
        return;
    }
    if (!ndr_writing(n))
        *info = ndr_alloc(n, 1, sizeof(**info), 8);
    if (n->error != 0)
        return;
    ndr_u32(n, &(*info)->version);
    ndr_u32(n, &(*info)->group_type);
}

/* A pointer to {conformance, EntryCount, entries}: whether there is a list to walk, its entries
 * allocated. An empty one is written as such, not as NULL, which some clients take for a failure.
 */
static bool list_head(struct ndr *n, uint32_t *count, void **entries, size_t size, size_t wire)
{
    if (!ndr_writing(n)) {
        *count = 0;
        *entries = NULL;
    }
    if (!ndr_pointer(n, true))
        return false;
    ndr_u32(n, count);
    ndr_expect(n, *count);
    if (*count > RPC_MOST_ENTRIES)
        ndr_fail(n, ndr_writing(n) ? -EINVAL : -EBADMSG);
    if (!ndr_writing(n))
        *entries = ndr_alloc(n, *count, size, wire);
    return n->error == 0;
}

static void string_behind(struct ndr *n, char **s)
{
    if (*s && n->error == 0)
        ndr_string(n, s);
}

static void bytes_field(struct ndr *n, struct rpc_bytes *b)
{
    ndr_u32(n, &b->size);
    ndr_pointer_field(n, &b->data);
    if (b->size > 0 && !b->data)
        ndr_fail(n, ndr_writing(n) ? -EINVAL : -EBADMSG);
}

static void bytes_behind(struct ndr *n, struct rpc_bytes *b)
{
    if (b->data && n->error == 0)
        ndr_bytes(n, b);
}

void ndr_enum_list(struct ndr *n, struct rpc_enum_list *l)
{
    if (!list_head(n, &l->count, (void **)&l->entries, sizeof(*l->entries), 8))
        return;
    for (uint32_t i = 0; i < l->count; i++) {
        ndr_u32(n, &l->entries[i].type);
        ndr_pointer_field(n, (void **)&l->entries[i].name);
    }
    for (uint32_t i = 0; i < l->count; i++)
        string_behind(n, &l->entries[i].name);
}

void ndr_group_enum_list(struct ndr *n, struct rpc_group_enum_list *l)
{
    if (!list_head(n, &l->count, (void **)&l->entries, sizeof(*l->entries), 36))
        return;
    for (uint32_t i = 0; i < l->count && n->error == 0; i++) {
        struct rpc_group_enum_entry *e = &l->entries[i];

        ndr_pointer_field(n, (void **)&e->name);
        ndr_pointer_field(n, (void **)&e->id);
        ndr_u32(n, &e->state);
        ndr_pointer_field(n, (void **)&e->owner);
        ndr_u32(n, &e->flags);
        bytes_field(n, &e->properties);
        bytes_field(n, &e->ro_properties);
    }
    for (uint32_t i = 0; i < l->count && n->error == 0; i++) {
        struct rpc_group_enum_entry *e = &l->entries[i];

        string_behind(n, &e->name);
        string_behind(n, &e->id);
        string_behind(n, &e->owner);
        bytes_behind(n, &e->properties);
        bytes_behind(n, &e->ro_properties);
    }
}

void ndr_resource_enum_list(struct ndr *n, struct rpc_resource_enum_list *l)
{
    if (!list_head(n, &l->count, (void **)&l->entries, sizeof(*l->entries), 32))
        return;
    for (uint32_t i = 0; i < l->count && n->error == 0; i++) {
        struct rpc_resource_enum_entry *e = &l->entries[i];

        ndr_pointer_field(n, (void **)&e->name);
        ndr_pointer_field(n, (void **)&e->id);
        ndr_pointer_field(n, (void **)&e->owner_name);
        ndr_pointer_field(n, (void **)&e->owner_id);
        bytes_field(n, &e->properties);
        bytes_field(n, &e->ro_properties);
    }
    for (uint32_t i = 0; i < l->count && n->error == 0; i++) {
        struct rpc_resource_enum_entry *e = &l->entries[i];

        string_behind(n, &e->name);
        string_behind(n, &e->id);
        string_behind(n, &e->owner_name);
        string_behind(n, &e->owner_id);
        bytes_behind(n, &e->properties);
        bytes_behind(n, &e->ro_properties);
    }
}

static void write_multi_sz(struct ndr *n, const struct rpc_texts *t)
{
    size_t units = 1, start;

    for (uint32_t i = 0; i < t->count; i++)
        units += t->items[i] ? utf16_length(t->items[i]) + 1 : 0;
    if (t->count == 0)
        units = 0;
    if (units > RPC_MOST_STRING_UNITS) {
        ndr_fail(n, -EINVAL);
        return;
    }
    if (ndr_pointer(n, t->count > 0)) {
        ndr_expect(n, (uint32_t)units);
        start = n->out->size;
        for (uint32_t i = 0; i < t->count; i++)
            /* An empty item would end the list. */
            if (!t->items[i] || !*t->items[i] || utf16_append(n->out, t->items[i], true) == -EILSEQ)
                ndr_fail(n, -EINVAL);
        buffer_append_u16(n->out, 0);
        if (n->error == 0 && !buffer_failed(n->out))
            INVARIANT((n->out->size - start) / 2 == units);
    }
    ndr_expect(n, (uint32_t)units);
}

/* The item that begins at unit `at`: the units it takes with its NUL, 0: not ended. */
static size_t item_length(const uint8_t *utf16, size_t at, size_t units)
{
    for (size_t i = at; i < units; i++)
        if (utf16[2 * i] == 0 && utf16[2 * i + 1] == 0)
            return i - at + 1;
    return 0;
}

static void split_multi_sz(struct ndr *n, const uint8_t *utf16, size_t units, struct rpc_texts *t)
{
    size_t length;
    uint32_t count = 0;

    for (size_t at = 0; (length = item_length(utf16, at, units)) > 1; at += length)
        count++;
    t->items = rpc_arena_alloc(n->arena, count * sizeof(*t->items));
    if (!t->items) {
        ndr_fail(n, -ENOMEM);
        return;
    }
    for (size_t at = 0; t->count < count; at += length) {
        _cleanup_free_
        char *utf8 = NULL;
        int r;

        length = item_length(utf16, at, units);
        r = utf16_to_utf8(utf16 + 2 * at, length, &utf8);
        t->items[t->count] = r == 0 ? rpc_arena_text(n->arena, utf8) : NULL;
        if (!t->items[t->count]) {
            ndr_fail(n, r == -EILSEQ ? -EBADMSG : -ENOMEM);
            return;
        }
        t->count++;
    }
}

void ndr_multi_sz(struct ndr *n, struct rpc_texts *t)
{
    uint32_t units = 0;
    const uint8_t *utf16;

    if (ndr_writing(n)) {
        write_multi_sz(n, t);
        return;
    }
    *t = (struct rpc_texts){0};
    if (ndr_pointer(n, false)) {
        ndr_u32(n, &units);
        if (units > RPC_MOST_STRING_UNITS)
            ndr_fail(n, -EBADMSG);
        utf16 = n->error == 0 ? reader_bytes(&n->in, (size_t)units * 2) : NULL;
        if (utf16)
            split_multi_sz(n, utf16, units, t);
    }
    ndr_expect(n, units);
}

void ndr_string_array(struct ndr *n, struct rpc_texts *t)
{
    ndr_u32(n, &t->count);
    ndr_expect(n, t->count);
    if (t->count > RPC_MOST_ENTRIES)
        ndr_fail(n, ndr_writing(n) ? -EINVAL : -EBADMSG);
    if (!ndr_writing(n))
        t->items = ndr_alloc(n, t->count, sizeof(*t->items), 4);
    for (uint32_t i = 0; i < t->count && n->error == 0; i++) {
        ndr_pointer_field(n, (void **)&t->items[i]);
        if (!t->items[i])
            ndr_fail(n, ndr_writing(n) ? -EINVAL : -EBADMSG);
    }
    for (uint32_t i = 0; i < t->count && n->error == 0; i++)
        ndr_string(n, &t->items[i]);
}

void ndr_filter(struct ndr *n, struct rpc_filter *f)
{
    ndr_align(n, 8);
    ndr_u32(n, &f->object_type);
    ndr_u64(n, (uint64_t *)&f->flags, 8);
}

/* [size_is(,*count)] T **: a pointer to a conformant array, which then is walked in two passes. */
static bool array_head(struct ndr *n, uint32_t *count, void **entries, size_t size, size_t wire)
{
    if (!ndr_writing(n)) {
        *count = 0;
        *entries = NULL;
    }
    if (!ndr_pointer(n, *count > 0))
        return false;
    ndr_u32(n, count);
    if (*count > RPC_MOST_ENTRIES)
        ndr_fail(n, ndr_writing(n) ? -EINVAL : -EBADMSG);
    if (!ndr_writing(n))
        *entries = ndr_alloc(n, *count, size, wire);
    return n->error == 0;
}

void ndr_notifications(struct ndr *n, struct rpc_notifications *l)
{
    if (array_head(n, &l->count, (void **)&l->entries, sizeof(*l->entries), 12)) {
        for (uint32_t i = 0; i < l->count; i++) {
            ndr_u32(n, &l->entries[i].key);
            ndr_u32(n, &l->entries[i].filter);
            ndr_pointer_field(n, (void **)&l->entries[i].name);
        }
        for (uint32_t i = 0; i < l->count; i++)
            string_behind(n, &l->entries[i].name);
    }
    ndr_expect(n, l->count);
}

static void notification_v2(struct ndr *n, struct rpc_notification_v2 *e)
{
    ndr_align(n, 8);
    ndr_u32(n, &e->key);
    ndr_filter(n, &e->filter);
    ndr_pointer_field(n, &e->buffer.data);
    ndr_u32(n, &e->buffer.size);
    ndr_pointer_field(n, (void **)&e->object_id);
    ndr_pointer_field(n, (void **)&e->parent_id);
    ndr_pointer_field(n, (void **)&e->name);
    ndr_pointer_field(n, (void **)&e->type);
    if (e->buffer.size > 0 && !e->buffer.data)
        ndr_fail(n, ndr_writing(n) ? -EINVAL : -EBADMSG);
}

void ndr_notifications_v2(struct ndr *n, struct rpc_notifications_v2 *l)
{
    if (array_head(n, &l->count, (void **)&l->entries, sizeof(*l->entries), 48)) {
        for (uint32_t i = 0; i < l->count && n->error == 0; i++)
            notification_v2(n, &l->entries[i]);
        for (uint32_t i = 0; i < l->count && n->error == 0; i++) {
            struct rpc_notification_v2 *e = &l->entries[i];

            bytes_behind(n, &e->buffer);
            string_behind(n, &e->object_id);
            string_behind(n, &e->parent_id);
            string_behind(n, &e->name);
            string_behind(n, &e->type);
        }
    }
    ndr_expect(n, l->count);
}

void ndr_version_info(struct ndr *n, struct rpc_version_info *v)
{
    if (!ndr_pointer(n, true)) {
        *v = (struct rpc_version_info){0};
        return;
    }
    ndr_u32(n, &v->size);
    ndr_u32(n, &v->highest_version);
    ndr_u32(n, &v->lowest_version);
    ndr_u32(n, &v->flags);
    ndr_u32(n, &v->reserved);
}
