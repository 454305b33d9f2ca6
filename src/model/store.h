/* SPDX-License-Identifier: MIT */
#ifndef MODEL_STORE_H
#define MODEL_STORE_H

#include <jansson.h>

#include "model/internal.h"

int store_append_texts(struct buffer *b,
                       const json_t *list); /* each with its NUL; -EBADMSG: no texts */

#endif
