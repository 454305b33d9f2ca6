/* SPDX-License-Identifier: MIT */
#include "change/property_list.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* An entry is a DWORD syntax (type and format), a DWORD length without padding, and the data. */
#define TYPE_VALUE 1u
#define SYNTAX(type, format) ((type) << 16 | (uint32_t)(format))
#define SYNTAX_NAME SYNTAX(4u, PROPERTY_SZ)
#define SYNTAX_END 0u

/* Bytes of a number on the wire; 0: not a number. */
static size_t number_size(enum property_format format)
{
    switch (format) {
    case PROPERTY_WORD:
        return 2;
    case PROPERTY_DWORD:
    case PROPERTY_LONG:
        return 4;
    case PROPERTY_ULARGE_INTEGER:
    case PROPERTY_LARGE_INTEGER:
    case PROPERTY_FILETIME:
        return 8;
    case PROPERTY_BINARY:
    case PROPERTY_SZ:
    case PROPERTY_EXPAND_SZ:
    case PROPERTY_MULTI_SZ:
    case PROPERTY_EXPANDED_SZ:
    case PROPERTY_SECURITY_DESCRIPTOR:
        break;
    }
    return 0;
}

/* UTF-16LE: each text with its NUL, then an empty one. */
static int append_multi(struct buffer *out, const char *texts, size_t size)
{
    for (size_t at = 0; at < size; at += strlen(texts + at) + 1) {
        int r = utf16_append(out, texts + at, true);
        if (r < 0)
            return r;
    }
    return buffer_append_u16(out, 0);
}

static int append_value_data(struct buffer *out, const struct property *p)
{
    const size_t bytes = number_size(p->format);
    if (bytes > 0) {
        uint8_t le[8];
        for (size_t i = 0; i < sizeof(le); i++)
            le[i] = (uint8_t)(p->number >> (8 * i));
        return buffer_append(out, le, bytes);
    }
    if (p->size == 0) /* asks for the default; an empty text has its NUL */
        return p->format == PROPERTY_MULTI_SZ ? buffer_append_u16(out, 0) : 0;

    switch (p->format) {
    case PROPERTY_SZ:
    case PROPERTY_EXPAND_SZ:
    case PROPERTY_EXPANDED_SZ:
        return utf16_append_bytes(out, p->data, p->size - 1, true);
    case PROPERTY_MULTI_SZ:
        return append_multi(out, p->data, p->size);
    default:
        return buffer_append(out, p->data, p->size);
    }
}

/* Writes an entry around what append_value_data() gives; offsets count from the list's start. */
static int append_entry(struct buffer *out, size_t start, uint32_t syntax, const struct property *p)
{
    buffer_append_u32(out, syntax);
    const size_t length_at = out->size;
    buffer_append_u32(out, 0);
    int r = append_value_data(out, p);
    if (r < 0)
        return r;
    if (buffer_failed(out))
        return -ENOMEM;
    buffer_put_u32(out, length_at, (uint32_t)(out->size - length_at - 4));
    const size_t size = out->size - start;
    return buffer_append_zero(out, ALIGN_UP(size, (size_t)4) - size);
}

static int append_property(struct buffer *out, size_t start, const struct property *p)
{
    const struct property name = {
        .format = PROPERTY_SZ, .data = p->name, .size = strlen(p->name) + 1};

    int r = append_entry(out, start, SYNTAX_NAME, &name);
    if (r == 0)
        r = append_entry(out, start, SYNTAX(TYPE_VALUE, p->format), p);
    if (r == 0 && p->format == PROPERTY_EXPAND_SZ) /* what it expands to: here it is the same */
        r = append_entry(out, start, SYNTAX(TYPE_VALUE, PROPERTY_EXPANDED_SZ), p);
    if (r == 0)
        r = buffer_append_u32(out, SYNTAX_END);
    return r;
}

int property_list_encode(const struct property_table *t, struct buffer *out)
{
    const size_t start = out->size;

    int r = buffer_append_u32(out, (uint32_t)t->count);
    for (size_t i = 0; r == 0 && i < t->count; i++)
        r = append_property(out, start, &t->items[i]);
    if (r < 0)
        out->size = start;
    return r;
}

int property_formats_encode(const struct property_table *t, struct buffer *out)
{
    const size_t start = out->size;

    int r = buffer_append_u32(out, (uint32_t)t->count);
    for (size_t i = 0; r == 0 && i < t->count; i++) {
        const struct property format = {
            .name = t->items[i].name, .format = PROPERTY_WORD, .number = t->items[i].format};
        r = append_property(out, start, &format);
    }
    if (r < 0)
        out->size = start;
    return r;
}

int property_names_encode(const struct property_table *t, struct buffer *out)
{
    const size_t start = out->size;
    int r = 0;

    for (size_t i = 0; r == 0 && i < t->count; i++)
        r = utf16_append(out, t->items[i].name, true);
    if (r == 0)
        r = buffer_append_u16(out, 0);
    if (r < 0)
        out->size = start;
    return r;
}

struct entry {
    uint32_t syntax;
    const uint8_t *data;
    size_t length;
};

/* 0; -ENOBUFS when the list's size does not hold it. The padding is read with the next entry, for
 * an end mark always follows. */
static int read_entry(struct reader *r, struct entry *ret)
{
    reader_align(r, 4);
    struct entry e = {.syntax = reader_u32(r)};
    if (e.syntax != SYNTAX_END) {
        e.length = reader_u32(r);
        e.data = reader_bytes(r, e.length);
    }
    if (r->failed)
        return -ENOBUFS;
    *ret = e;
    return 0;
}

static int read_text(const struct entry *e, char **ret)
{
    if (e->length % 2 != 0)
        return -EBADMSG;
    int r = utf16_to_utf8(e->data, e->length / 2, ret);
    return r == -EILSEQ ? -EBADMSG : r;
}

static int read_multi(const struct entry *e, struct buffer *ret)
{
    if (e->length % 2 != 0)
        return -EBADMSG;

    for (size_t at = 0; at < e->length;) {
        _cleanup_free_
        char *text = NULL;
        int r = utf16_to_utf8(e->data + at, (e->length - at) / 2, &text);
        if (r < 0)
            return r == -EILSEQ ? -EBADMSG : r;
        if (*text == '\0')
            break;
        r = buffer_append(ret, text, strlen(text) + 1);
        if (r < 0)
            return r;
        at += (utf16_length(text) + 1) * 2;
    }
    return 0;
}

static int read_number(const struct entry *e, enum property_format format, uint64_t *ret)
{
    if (e->length != number_size(format))
        return -EBADMSG;
    uint64_t v = 0;
    for (size_t i = 0; i < e->length; i++)
        v |= (uint64_t)e->data[i] << (8 * i);
    *ret = format == PROPERTY_LONG ? (uint64_t)(int64_t)(int32_t)v : v;
    return 0;
}

static int set_from_entry(struct property_table *t, char *name, const struct entry *e)
{
    struct property p = {.name = name, .format = e->syntax & 0xFFFF};
    _cleanup_free_
    char *text = NULL;
    _cleanup_(buffer_fini) struct buffer multi = {0};
    int r = 0;

    if (e->syntax >> 16 != TYPE_VALUE)
        return -EBADMSG;
    switch (p.format) {
    case PROPERTY_SZ:
    case PROPERTY_EXPAND_SZ:
        r = read_text(e, &text);
        p.data = text;
        p.size = r == 0 && e->length > 0 ? strlen(text) + 1 : 0;
        break;
    case PROPERTY_MULTI_SZ:
        r = read_multi(e, &multi);
        p.data = multi.data;
        p.size = multi.size;
        break;
    case PROPERTY_BINARY:
    case PROPERTY_SECURITY_DESCRIPTOR:
        p.data = (void *)e->data;
        p.size = e->length;
        break;
    default: /* EXPANDED_SZ is only ever a second value */
        r = number_size(p.format) > 0 ? read_number(e, p.format, &p.number) : -EBADMSG;
        break;
    }
    return r < 0 ? r : property_set(t, &p);
}

static int read_property(struct reader *r, struct property_table *t)
{
    struct entry name_entry, value, further = {0};
    _cleanup_free_
    char *name = NULL;

    int e = read_entry(r, &name_entry);
    if (e < 0)
        return e;
    if (name_entry.syntax != SYNTAX_NAME)
        return -EBADMSG;
    e = read_text(&name_entry, &name);
    if (e < 0)
        return e;
    if (*name == '\0')
        return -EBADMSG;

    e = read_entry(r, &value);
    if (e == 0)
        e = set_from_entry(t, name, &value);
    while (e == 0) {
        e = read_entry(r, &further);
        if (e == 0 && further.syntax == SYNTAX_END)
            return 0;
    }
    return e;
}

int property_list_decode(const void *data, size_t size, struct property_table *ret)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    struct reader r = reader_over(data, size);

    const uint32_t count = reader_u32(&r);
    if (r.failed)
        return -ENOBUFS;
    if (count > PROPERTY_LIST_MOST)
        return -EBADMSG;
    for (uint32_t i = 0; i < count; i++) {
        int e = read_property(&r, &t);
        if (e < 0)
            return e;
    }
    *ret = t;
    t = (struct property_table){0};
    return 0;
}
