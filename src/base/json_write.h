/* SPDX-License-Identifier: MIT */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include "base/buffer.h"

/* JSON straight into a buffer, for what is written with every change; jansson, whose trees cost
 * more than the rest of a commit, reads it. Commas come by themselves. What fails, for want of
 * memory or because a text is not UTF-8, marks the buffer: one look at the end is enough. */
void json_begin(struct buffer *b, char bracket); /* '{' or '[' */
void json_end(struct buffer *b, char bracket);   /* '}' or ']' */
void json_key(struct buffer *b, const char *name);
void json_put_text(struct buffer *b, const char *text);
void json_put_number(struct buffer *b, int64_t number);
void json_put_flag(struct buffer *b, bool flag);
void json_put_base64(struct buffer *b, const void *data, size_t size);
void json_put_null(struct buffer *b);

#endif
