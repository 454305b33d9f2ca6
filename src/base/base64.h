/* SPDX-License-Identifier: MIT */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buffer.h"

/* Bytes as text (RFC 4648, with padding), for JSON. */
int base64_append(struct buffer *b, const void *data, size_t size); /* no NUL. 0 or -ENOMEM */
/* Refuses everything but what base64_append writes. *ret_data is malloc'ed, also for no bytes, and
 * followed by a zero that is not counted. 0, -EBADMSG, -ENOMEM. */
int base64_decode(const char *text, uint8_t **ret_data, size_t *ret_size);

#endif
