/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

int buffer_reserve(struct buffer *b, size_t extra)
{
    if (b->failed)
        return -ENOMEM;
    if (extra <= b->capacity - b->size)
        return 0;

    size_t wanted;
    if (__builtin_add_overflow(b->size, extra, &wanted)) {
        b->failed = true;
        return -ENOMEM;
    }

    size_t capacity = MAX(b->capacity, (size_t)64);
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

int buffer_append(struct buffer *b, const void *data, size_t size)
{
    int r = buffer_reserve(b, size);
    if (r < 0)
        return r;
    if (size > 0)
        memcpy(b->data + b->size, data, size);
    b->size += size;
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

static void store_le(uint8_t *to, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

static int append_le(struct buffer *b, uint64_t v, size_t bytes)
{
    uint8_t le[8];
    store_le(le, v, bytes);
    return buffer_append(b, le, bytes);
}

int buffer_append_u16(struct buffer *b, uint16_t v)
{
    return append_le(b, v, 2);
}

int buffer_append_u32(struct buffer *b, uint32_t v)
{
    return append_le(b, v, 4);
}

int buffer_append_u64(struct buffer *b, uint64_t v)
{
    return append_le(b, v, 8);
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
    store_le(b->data + offset, v, 4);
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

static uint64_t read_le(struct reader *r, size_t bytes)
{
    const uint8_t *p = reader_bytes(r, bytes);
    uint64_t v = 0;
    for (size_t i = 0; p && i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint8_t reader_u8(struct reader *r)
{
    return (uint8_t)read_le(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
    return (uint16_t)read_le(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
    return (uint32_t)read_le(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
    return read_le(r, 8);
}
