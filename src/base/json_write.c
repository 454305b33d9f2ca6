/* SPDX-License-Identifier: MIT */
#include "base/json_write.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"

/* A value that follows another one: only an opening bracket and a key's colon have none before. */
static void separate(struct buffer *b)
{
    char last = b->size > 0 ? (char)b->data[b->size - 1] : '[';

    if (last != '{' && last != '[' && last != ':')
        buffer_append(b, ",", 1);
}

static void put(struct buffer *b, const char *literal)
{
    separate(b);
    buffer_append(b, literal, strlen(literal));
}

void json_begin(struct buffer *b, char bracket)
{
    separate(b);
    buffer_append(b, &bracket, 1);
}

void json_end(struct buffer *b, char bracket)
{
    buffer_append(b, &bracket, 1);
}

static bool must_be_escaped(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

static size_t plain_length(const char *text)
{
    size_t n = 0;
    while (text[n] && !must_be_escaped(text[n]))
        n++;
    return n;
}

void json_put_text(struct buffer *b, const char *text)
{
    char escape[8];

    if (!text_is_utf8(text, strlen(text)))
        b->failed = true;
    separate(b);
    buffer_append(b, "\"", 1);
    for (size_t plain = plain_length(text);; plain = plain_length(text)) {
        buffer_append(b, text, plain);
        text += plain;
        if (!*text)
            break;
        snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)*text++);
        buffer_append(b, escape, 6);
    }
    buffer_append(b, "\"", 1);
}

void json_key(struct buffer *b, const char *name)
{
    separate(b);
    buffer_append(b, "\"", 1);
    buffer_append(b, name, strlen(name));
    buffer_append(b, "\":", 2);
}

void json_put_number(struct buffer *b, int64_t number)
{
    char digits[24], *at = digits + sizeof(digits);
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

    *--at = '\0';
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        *--at = '-';
    put(b, at);
}

void json_put_flag(struct buffer *b, bool flag)
{
    put(b, flag ? "true" : "false");
}

void json_put_null(struct buffer *b)
{
    put(b, "null");
}

void json_put_base64(struct buffer *b, const void *data, size_t size)
{
    separate(b);
    buffer_append(b, "\"", 1);
    base64_append(b, data, size);
    buffer_append(b, "\"", 1);
}
