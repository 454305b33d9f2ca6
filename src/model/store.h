/* SPDX-License-Identifier: MIT */
#ifndef MODEL_STORE_H
#define MODEL_STORE_H

#include <jansson.h>

#include "model/internal.h"

json_t *store_base64(const void *data, size_t size);

#endif
