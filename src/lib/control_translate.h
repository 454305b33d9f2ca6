/* SPDX-License-Identifier: MIT */
#ifndef LIB_CONTROL_TRANSLATE_H
#define LIB_CONTROL_TRANSLATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Buffers whose texts are UTF-16LE on the wire and WCHARs in the API. The two forms differ in the
 * width of the texts and in nothing else; where a WCHAR has 16 bits they are the same. */

enum shape {
    SHAPE_BYTES,      /* numbers, structures, whatever is not known: as it is */
    SHAPE_TEXT,       /* one text, or a MULTI_SZ */
    SHAPE_PROPERTIES, /* a property list; a list of formats has the same form */
    SHAPE_VALUES,     /* a value list */
};

/* By control code, of any object. */
enum shape control_in_shape(uint32_t code);
enum shape control_out_shape(uint32_t code);
/* A registry value's, by REG_* type. */
enum shape registry_shape(uint32_t type);

/* Append the other form. 0; -ENOMEM; -EBADMSG: not of that shape; -ENOBUFS: a list that is longer
 * than size. */
int translate_to_wire(enum shape shape, const void *data, size_t size, struct buffer *out);
int translate_from_wire(enum shape shape, const void *data, size_t size, struct buffer *out);

#endif
