/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "lib/wide.h"

#define IS_HIGH_SURROGATE(u) ((u) >= 0xd800 && (u) <= 0xdbff)
#define IS_LOW_SURROGATE(u) ((u) >= 0xdc00 && (u) <= 0xdfff)

size_t wide_length(const WCHAR *s)
{
    size_t n = 0;

    while (s && s[n])
        n++;
    return n;
}

/* The WCHARs of one code point: 1, or 2 for a pair of surrogates. */
static size_t encode(uint32_t c, WCHAR out[2])
{
#if __SIZEOF_WCHAR_T__ == 2
    if (c > 0xffff) {
        out[0] = (WCHAR)(0xd800 + ((c - 0x10000) >> 10));
        out[1] = (WCHAR)(0xdc00 + ((c - 0x10000) & 0x3ff));
        return 2;
    }
#endif
    out[0] = (WCHAR)c;
    return 1;
}

/* Of the at least one WCHAR at s; those used, or 0. `left` may be too much if a NUL comes first. */
static size_t decode(const WCHAR *s, size_t left, uint32_t *ret)
{
    uint32_t c = (uint32_t)s[0];

#if __SIZEOF_WCHAR_T__ == 2
    if (IS_HIGH_SURROGATE(c) && left > 1 && IS_LOW_SURROGATE((uint32_t)s[1])) {
        *ret = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)s[1] - 0xdc00);
        return 2;
    }
#else
    (void)left;
#endif
    if (IS_HIGH_SURROGATE(c) || IS_LOW_SURROGATE(c) || c > 0x10ffff)
        return 0;
    *ret = c;
    return 1;
}

int wide_next(const WCHAR **s, uint32_t *ret_codepoint)
{
    size_t used = decode(*s, SIZE_MAX, ret_codepoint);

    if (used == 0)
        return -EILSEQ;
    if (*ret_codepoint != 0)
        *s += used;
    return 0;
}

int utf8_from_wide(const WCHAR *s, size_t count, char **ret)
{
    _cleanup_(buffer_fini) struct buffer b = {0};

    for (size_t i = 0; i < count;) {
        char bytes[4];
        uint32_t c;
        size_t used = decode(s + i, count - i, &c);

        if (used == 0 || c == 0)
            return -EILSEQ;
        buffer_append(&b, bytes, utf8_encode(c, bytes));
        i += used;
    }
    buffer_append_zero(&b, 1);
    if (buffer_failed(&b))
        return -ENOMEM;
    *ret = (char *)buffer_take(&b, NULL);
    return 0;
}

int wide_to_utf8(const WCHAR *s, char **ret)
{
    if (!s) {
        *ret = NULL;
        return 0;
    }
    size_t length = 0;
    while (length <= WIDE_MOST && s[length])
        length++;
    return length <= WIDE_MOST ? utf8_from_wide(s, length, ret) : -EINVAL;
}

size_t wide_length_of_utf8(const char *utf8)
{
    size_t length = 0, bytes = strlen(utf8);

    for (size_t i = 0; i < bytes;) {
        WCHAR units[2];
        uint32_t c;
        size_t used = utf8_decode(utf8 + i, bytes - i, &c);

        if (used == 0)
            break;
        length += encode(c, units);
        i += used;
    }
    return length;
}

int wide_append(struct buffer *b, const char *utf8, bool with_nul)
{
    size_t bytes = strlen(utf8);

    for (size_t i = 0; i < bytes;) {
        WCHAR units[2];
        uint32_t c;
        size_t used = utf8_decode(utf8 + i, bytes - i, &c);

        if (used == 0)
            return -EILSEQ;
        buffer_append(b, units, encode(c, units) * sizeof(WCHAR));
        i += used;
    }
    if (with_nul)
        buffer_append_zero(b, sizeof(WCHAR));
    return buffer_failed(b) ? -ENOMEM : 0;
}

int wide_from_utf8(const char *utf8, WCHAR **ret)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    int r;

    if (!utf8) {
        *ret = NULL;
        return 0;
    }
    r = wide_append(&b, utf8, true);
    if (r == 0)
        *ret = (WCHAR *)(void *)buffer_take(&b, NULL);
    return r;
}

DWORD wide_give(const char *utf8, WCHAR *buffer, DWORD *cch)
{
    size_t bytes, room, length = 0, written = 0;
    bool full = false;

    if (!cch)
        return buffer ? ERROR_INVALID_PARAMETER : ERROR_SUCCESS;
    if (!utf8)
        utf8 = "";
    room = buffer ? *cch : 0;
    /* A name's plain beginning, nearly always all of it. */
    for (signed char c; length + 1 < room && (c = (signed char)utf8[length]) > 0; length++)
        buffer[length] = (WCHAR)c;
    written = length;
    bytes = length + strlen(utf8 + length);
    for (size_t i = length; i < bytes;) {
        WCHAR units[2];
        uint32_t c;
        size_t used = utf8_decode(utf8 + i, bytes - i, &c), n;

        if (used == 0)
            return ERROR_NO_UNICODE_TRANSLATION;
        n = encode(c, units);
        full = full || written + n >= room; /* one is kept for the NUL */
        if (!full) {
            memcpy(buffer + written, units, n * sizeof(WCHAR));
            written += n;
        }
        length += n;
        i += used;
    }
    if (room > 0)
        buffer[written] = 0;
    *cch = (DWORD)length;
    return buffer && length >= room ? ERROR_MORE_DATA : ERROR_SUCCESS;
}
