/* SPDX-License-Identifier: MIT */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/macro.h"

/* A growable run of bytes. All zeroes is an empty buffer.
 * An append that fails leaves the contents as they were and marks the buffer failed, so that a
 * chain of appends needs one check at its end: buffer_failed(). */
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
};

void buffer_fini(struct buffer *b);
void buffer_clear(struct buffer *b); /* keeps the memory, forgets the failure */
void buffer_drop(struct buffer *b,
                 size_t size); /* the first `size` bytes; PRE: there are so many */
int buffer_grow(struct buffer *b, size_t extra); /* buffer_reserve() where there is no room */
int buffer_append_zero(struct buffer *b, size_t size);
int buffer_align(struct buffer *b, size_t alignment);                        /* pads with zeroes */
int buffer_printf(struct buffer *b, const char *format, ...) _printf_(2, 3); /* without the NUL */
void buffer_put_u32(struct buffer *b, size_t offset, uint32_t v); /* overwrites what is there */
uint8_t *buffer_take(struct buffer *b, size_t *ret_size); /* the caller frees it; b is empty */

/* Inline, for a record or a message is made of dozens of these. */

static inline int buffer_reserve(struct buffer *b, size_t extra) /* 0 or -ENOMEM */
{
    return !b->failed && extra <= b->capacity - b->size ? 0 : buffer_grow(b, extra);
}

static inline int buffer_append(struct buffer *b, const void *data, size_t size)
{
    int r = buffer_reserve(b, size);
    if (r < 0 || size == 0)
        return r;
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return 0;
}

static inline int buffer_append_u16(struct buffer *b, uint16_t v) /* little-endian, as the others */
{
    v = htole16(v);
    return buffer_append(b, &v, sizeof(v));
}

static inline int buffer_append_u32(struct buffer *b, uint32_t v)
{
    v = htole32(v);
    return buffer_append(b, &v, sizeof(v));
}

static inline int buffer_append_u64(struct buffer *b, uint64_t v)
{
    v = htole64(v);
    return buffer_append(b, &v, sizeof(v));
}

static inline bool buffer_failed(const struct buffer *b)
{
    return b->failed;
}

/* Reads what buffer_append_* wrote. A read past the end returns zeroes and marks the reader failed.
 */
struct reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    bool failed;
};

static inline struct reader reader_over(const void *data, size_t size)
{
    return (struct reader){.data = data, .size = size};
}

static inline size_t reader_left(const struct reader *r)
{
    return r->failed ? 0 : r->size - r->at;
}

const uint8_t *reader_bytes(struct reader *r, size_t size); /* NULL when there are fewer */
void reader_align(struct reader *r, size_t alignment);      /* relative to the start of data */
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);

#endif
