/* SPDX-License-Identifier: MIT */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
void buffer_clear(struct buffer *b);                /* keeps the memory, forgets the failure */
int buffer_reserve(struct buffer *b, size_t extra); /* 0 or -ENOMEM */
int buffer_append(struct buffer *b, const void *data, size_t size);
int buffer_append_zero(struct buffer *b, size_t size);
int buffer_align(struct buffer *b, size_t alignment); /* pads with zeroes */
int buffer_append_u16(struct buffer *b, uint16_t v);  /* little-endian, as all that follow */
int buffer_append_u32(struct buffer *b, uint32_t v);
int buffer_append_u64(struct buffer *b, uint64_t v);
int buffer_printf(struct buffer *b, const char *format, ...) _printf_(2, 3); /* without the NUL */
void buffer_put_u32(struct buffer *b, size_t offset, uint32_t v); /* overwrites what is there */
uint8_t *buffer_take(struct buffer *b, size_t *ret_size); /* the caller frees it; b is empty */

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
