/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wctype.h>

#define CODEPOINT_MAX 0x10FFFFu
/* A byte that belongs to no UTF-8 sequence is compared as a code point of its own, above all real
 * ones, so that comparison and hash are total whatever they are given. */
#define MALFORMED_BASE 0x110000u

static pthread_once_t fold_once = PTHREAD_ONCE_INIT;
static locale_t fold_locale;

static void fold_init(void)
{
    fold_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

uint32_t text_fold_codepoint(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c;
    if (c > CODEPOINT_MAX)
        return c;

    pthread_once(&fold_once, fold_init);
    if (!fold_locale)
        return c;
    uint32_t upper = (uint32_t)towupper_l((wint_t)c, fold_locale);
    /* U+0131 and U+017F have ASCII capitals; to Windows, as to us, they are letters of their own.
     */
    return upper < 0x80 ? c : upper;
}

size_t utf8_decode(const char *s, size_t bytes, uint32_t *ret_codepoint)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *p = (const uint8_t *)s;

    if (bytes == 0)
        return 0;
    if (p[0] < 0x80) {
        *ret_codepoint = p[0];
        return 1;
    }

    size_t length = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || length > bytes)
        return 0;
    uint32_t c = p[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    if (c < smallest[length] || c > CODEPOINT_MAX || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *ret_codepoint = c;
    return length;
}

size_t utf8_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c >= 0xD800 && c <= 0xDFFF)
        return 0;
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    if (c > CODEPOINT_MAX)
        return 0;
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

bool text_is_utf8(const char *s, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        uint32_t c;
        size_t used = utf8_decode(s + at, bytes - at, &c);
        if (used == 0)
            return false;
        at += used;
    }
    return true;
}

void text_make_utf8(char *s)
{
    uint32_t ignored;
    for (size_t used; *s; s += used) {
        used = utf8_decode(s, strnlen(s, 4), &ignored);
        if (used > 0)
            continue;
        *s = '?';
        used = 1;
    }
}

/* The next code point of a NUL-terminated text, folded; 0 at its end. */
static uint32_t next_folded(const char **s)
{
    const uint8_t first = (uint8_t) * *s;
    if (first < 0x80) {
        if (first != 0)
            (*s)++;
        return text_fold_codepoint(first);
    }

    uint32_t c;
    size_t used = utf8_decode(*s, strnlen(*s, 4), &c);
    if (used == 0) {
        (*s)++;
        return MALFORMED_BASE + first;
    }
    *s += used;
    return text_fold_codepoint(c);
}

int text_compare(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);

    uint32_t x, y;
    do {
        x = next_folded(&a);
        y = next_folded(&b);
    } while (x == y && x != 0);
    return (x > y) - (x < y);
}

bool text_path_within(const char *path, const char *prefix)
{
    if (*prefix == '\0')
        return true;
    while (*prefix) {
        if (next_folded(&path) != next_folded(&prefix))
            return false;
    }
    return *path == '\0' || *path == '\\';
}

uint64_t text_hash(const char *s)
{
    uint64_t hash = 0xCBF29CE484222325u; /* FNV-1a, by code point, then mixed downwards */
    for (uint32_t c; (c = next_folded(&s)) != 0;)
        hash = (hash ^ c) * 0x100000001B3u;
    return hash ^ hash >> 29;
}

char *text_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    int r = vasprintf(&text, format, args);
    va_end(args);
    return r < 0 ? NULL : text;
}

static int append_units(struct buffer *b, uint32_t c)
{
    if (c < 0x10000)
        return buffer_append_u16(b, (uint16_t)c);
    c -= 0x10000;
    return buffer_append_u32(b, (0xD800 | c >> 10) | (0xDC00 | (c & 0x3FF)) << 16);
}

int utf16_append(struct buffer *b, const char *s, bool with_nul)
{
    return utf16_append_bytes(b, s, strlen(s), with_nul);
}

int utf16_append_bytes(struct buffer *b, const char *s, size_t bytes, bool with_nul)
{
    const size_t start = b->size;
    int r = buffer_reserve(b, (bytes + with_nul) * 2);

    for (size_t at = 0; r == 0 && at < bytes;) {
        uint32_t c = 0;
        size_t used = utf8_decode(s + at, bytes - at, &c);
        r = used > 0 ? append_units(b, c) : -EILSEQ;
        at += used;
    }
    if (r == 0 && with_nul)
        r = buffer_append_u16(b, 0);
    if (r < 0)
        b->size = start;
    return r;
}

static uint32_t unit_at(const uint8_t *utf16le, size_t i)
{
    return utf16le[2 * i] | (uint32_t)utf16le[2 * i + 1] << 8;
}

int utf16_to_utf8(const uint8_t *utf16le, size_t units, char **ret)
{
    size_t length = 0;
    while (length < units && unit_at(utf16le, length) != 0)
        length++;
    if (length > (SIZE_MAX - 1) / 3)
        return -ENOMEM;

    _cleanup_free_
    char *text = malloc(length * 3 + 1);
    if (!text)
        return -ENOMEM;

    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        uint32_t c = unit_at(utf16le, i);
        if (c >= 0xD800 && c <= 0xDBFF && i + 1 < length) {
            uint32_t low = unit_at(utf16le, i + 1);
            if (low >= 0xDC00 && low <= 0xDFFF) {
                c = 0x10000 + ((c & 0x3FF) << 10 | (low & 0x3FF));
                i++;
            }
        }
        size_t used = utf8_encode(c, text + size);
        if (used == 0)
            return -EILSEQ;
        size += used;
    }
    text[size] = '\0';
    *ret = TAKE_PTR(text);
    return 0;
}

size_t utf16_length(const char *s)
{
    size_t units = 0;
    for (size_t left = strlen(s); left > 0;) {
        uint32_t c = 0;
        size_t used = utf8_decode(s, left, &c);
        units += c >= 0x10000 ? 2 : 1;
        used = MAX(used, (size_t)1);
        s += used;
        left -= used;
    }
    return units;
}
