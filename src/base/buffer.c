/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void buffer_fini(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

void buffer_clear(struct buffer *b)
{
    b->size = 0;
    b->failed = false;
}

void buffer_drop(struct buffer *b, size_t size)
{
    b->size -= size;
    if (b->size > 0)
        memmove(b->data, b->data + size, b->size);
}

#define LEAST_CAPACITY 256u /* what most messages and records take: no steps up to it */

int buffer_grow(struct buffer *b, size_t extra)
{
    if (b->failed)
        return -ENOMEM;

    size_t wanted;
    if (__builtin_add_overflow(b->size, extra, &wanted)) {
        b->failed = true;
        return -ENOMEM;
    }

    size_t capacity = MAX(b->capacity, (size_t)LEAST_CAPACITY);
    while (capacity < wanted)
        capacity = capacity > SIZE_MAX / 2 ? wanted : capacity * 2;

    uint8_t *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return -ENOMEM;
    }
    b->data = data;
    b->capacity = capacity;
    return 0;
}

int buffer_append_zero(struct buffer *b, size_t size)
{
    int r = buffer_reserve(b, size);
    if (r < 0)
        return r;
    if (size > 0)
        memset(b->data + b->size, 0, size);
    b->size += size;
    return 0;
}

int buffer_align(struct buffer *b, size_t alignment)
{
    return buffer_append_zero(b, ALIGN_UP(b->size, alignment) - b->size);
}

int buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);

    int r = length < 0 ? -EINVAL : buffer_reserve(b, (size_t)length + 1);
    if (r == 0) {
        vsnprintf((char *)b->data + b->size, (size_t)length + 1, format, again);
        b->size += (size_t)length;
    }
    va_end(again);
    return r;
}

void buffer_put_u32(struct buffer *b, size_t offset, uint32_t v)
{
    if (b->failed)
        return;
    PRE(offset + 4 <= b->size);
    v = htole32(v);
    memcpy(b->data + offset, &v, sizeof(v));
}

uint8_t *buffer_take(struct buffer *b, size_t *ret_size)
{
    uint8_t *data = b->data;
    if (ret_size)
        *ret_size = b->size;
    *b = (struct buffer){0};
    return data;
}

const uint8_t *reader_bytes(struct reader *r, size_t size)
{
    if (r->failed || size > reader_left(r)) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->data ? r->data + r->at : NULL;
    r->at += size;
    return p;
}

void reader_align(struct reader *r, size_t alignment)
{
    reader_bytes(r, ALIGN_UP(r->at, alignment) - r->at);
}

/* size bytes into the zeroed v. */
static void read_into(struct reader *r, void *v, size_t size)
{
    const uint8_t *p = reader_bytes(r, size);
    if (p)
        memcpy(v, p, size);
}

uint8_t reader_u8(struct reader *r)
{
    uint8_t v = 0;
    read_into(r, &v, sizeof(v));
    return v;
}

uint16_t reader_u16(struct reader *r)
{
    uint16_t v = 0;
    read_into(r, &v, sizeof(v));
    return le16toh(v);
}

uint32_t reader_u32(struct reader *r)
{
    uint32_t v = 0;
    read_into(r, &v, sizeof(v));
    return le32toh(v);
}

uint64_t reader_u64(struct reader *r)
{
    uint64_t v = 0;
    read_into(r, &v, sizeof(v));
    return le64toh(v);
}
