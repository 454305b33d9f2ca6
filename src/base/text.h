/* SPDX-License-Identifier: MIT */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Text inside is valid UTF-8; UTF-16LE on the wire and in property lists. Names are compared
 * without regard to case, one code point at a time (C.UTF-8 upper case), as Windows does. */

bool text_is_utf8(const char *s, size_t bytes);
void text_make_utf8(char *s);                   /* each malformed byte becomes '?' */
int text_compare(const char *a, const char *b); /* <0, 0, >0; case folded; NULL sorts first */
static inline bool text_equal(const char *a, const char *b)
{
    return text_compare(a, b) == 0;
}
/* Does path equal prefix, or lie below it? '\' separates; "" is the root and holds all. */
bool text_path_within(const char *path, const char *prefix);
uint64_t text_hash(const char *s); /* equal for texts that text_equal holds equal */
uint32_t text_fold_codepoint(uint32_t c);
char *text_format(const char *format, ...) _printf_(1, 2); /* malloc'ed, NULL when out of memory */

/* One code point. Decoding returns the bytes (or units) used, 0 at a malformed sequence. */
size_t utf8_decode(const char *s, size_t bytes, uint32_t *ret_codepoint);
size_t utf8_encode(uint32_t codepoint, char out[4]); /* 0 if it is not a code point */

/* Appends s as UTF-16LE, with its NUL if asked. 0, -EILSEQ, -ENOMEM. */
int utf16_append(struct buffer *b, const char *s, bool with_nul);
int utf16_append_bytes(struct buffer *b, const char *s, size_t bytes, bool with_nul);
/* UTF-16LE (units code units, at most up to the first NUL) to malloc'ed UTF-8. 0, -EILSEQ, -ENOMEM.
 */
int utf16_to_utf8(const uint8_t *utf16le, size_t units, char **ret);
/* Code units of s in UTF-16, without a NUL. */
size_t utf16_length(const char *s);

#endif
