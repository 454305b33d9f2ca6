/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_append(struct buffer *b, const void *data, size_t size)
{
    const uint8_t *p = data;
    if (size == 0)
        return b->failed ? -ENOMEM : 0;
    if (size > SIZE_MAX / 2 || buffer_reserve(b, (size + 2) / 3 * 4) < 0) {
        b->failed = true;
        return -ENOMEM;
    }

    uint8_t *out = b->data + b->size;
    for (size_t at = 0; at < size; at += 3) {
        const size_t n = MIN(size - at, (size_t)3);
        uint32_t v = (uint32_t)p[at] << 16;
        if (n > 1)
            v |= (uint32_t)p[at + 1] << 8;
        if (n > 2)
            v |= p[at + 2];
        *out++ = (uint8_t)digits[v >> 18];
        *out++ = (uint8_t)digits[v >> 12 & 63];
        *out++ = n > 1 ? (uint8_t)digits[v >> 6 & 63] : '=';
        *out++ = n > 2 ? (uint8_t)digits[v & 63] : '=';
    }
    b->size = (size_t)(out - b->data);
    return 0;
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *text, uint8_t **ret_data, size_t *ret_size)
{
    const size_t length = strlen(text);
    if (length % 4 != 0)
        return -EBADMSG;
    size_t padding = 0;
    if (length > 0)
        padding = text[length - 2] == '=' ? 2 : text[length - 1] == '=' ? 1 : 0;

    const size_t size = length / 4 * 3 - padding;
    _cleanup_free_
    uint8_t *data = malloc(length / 4 * 3 + 1);
    if (!data)
        return -ENOMEM;

    for (size_t at = 0, out = 0; at < length; at += 4, out += 3) {
        uint32_t v = 0;
        for (size_t i = 0; i < 4; i++) {
            const bool pad = at + i >= length - padding;
            const int digit = pad ? 0 : digit_value(text[at + i]);
            if (digit < 0 || (pad && text[at + i] != '='))
                return -EBADMSG;
            v = v << 6 | (uint32_t)digit;
        }
        data[out] = (uint8_t)(v >> 16);
        data[out + 1] = (uint8_t)(v >> 8);
        data[out + 2] = (uint8_t)v;
    }
    for (size_t i = 0; i < padding; i++) { /* bits that no byte holds must be zero */
        if (data[size + i] != 0)
            return -EBADMSG;
    }
    data[size] = 0;
    *ret_data = TAKE_PTR(data);
    *ret_size = size;
    return 0;
}
