/* SPDX-License-Identifier: MIT */
#ifndef MODEL_JSON_TEXT_H
#define MODEL_JSON_TEXT_H

#include <jansson.h>

/* Jansson's parser, for texts that are to be read whole or not at all, whatever memory is short.
 * flags are json_loadb()'s. 0; -EBADMSG, with why in *ret_error, which may be NULL; -ENOMEM. */

int json_text_parse(const char *text, size_t size, size_t flags, json_error_t *ret_error,
                    json_t **ret);
/* Also -errno of opening the file. */
int json_text_read(const char *path, size_t flags, json_error_t *ret_error, json_t **ret);

#endif
