/* SPDX-License-Identifier: MIT */
#ifndef CHANGE_PROPERTY_LIST_H
#define CHANGE_PROPERTY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Named, typed values, and their form on the wire and in the API's buffers: the CLUSPROP property
 * list (DWORD count; per property a name, its values, an end mark; UTF-16LE, padded to 4 bytes). */

/* CLUSTER_PROPERTY_FORMAT's numbers. */
enum property_format {
    PROPERTY_BINARY = 1,
    PROPERTY_DWORD = 2,
    PROPERTY_SZ = 3,
    PROPERTY_EXPAND_SZ = 4,
    PROPERTY_MULTI_SZ = 5,
    PROPERTY_ULARGE_INTEGER = 6,
    PROPERTY_LONG = 7,
    PROPERTY_EXPANDED_SZ = 8,
    PROPERTY_SECURITY_DESCRIPTOR = 9,
    PROPERTY_LARGE_INTEGER = 10,
    PROPERTY_WORD = 11,
    PROPERTY_FILETIME = 12,
};

struct property {
    char *name;
    enum property_format format;
    uint64_t number; /* DWORD, LONG (sign-extended), WORD, the 64-bit ones */
    void *data;      /* SZ kinds: UTF-8 with NUL; MULTI_SZ: UTF-8 texts each with NUL, without the
                        final empty one; BINARY kinds: bytes. Never NULL for these. */
    size_t size;     /* of data, NULs counted */
    uint64_t hash;   /* of the name, in a table: its own business */
};

/* In the order they were set. All zeroes is an empty table. */
struct property_table {
    struct property *items;
    size_t count;
    size_t capacity;
};

void property_table_fini(struct property_table *t);
const struct property *property_find(const struct property_table *t, const char *name);
/* Copies. Replaces a property of the same name (case not regarded) in place. 0, -ENOMEM. */
int property_set(struct property_table *t, const struct property *p);
int property_set_text(struct property_table *t, const char *name, const char *value);
int property_set_dword(struct property_table *t, const char *name, uint32_t value);
int property_set_multi(struct property_table *t, const char *name, const char *texts, size_t size);
bool property_remove(struct property_table *t, const char *name);
bool property_equal(const struct property *a, const struct property *b); /* format and value */
int property_table_copy(const struct property_table *from, struct property_table *ret);

/* Appends the list. EXPAND_SZ gives two values, as servers do. 0, -EILSEQ, -ENOMEM. */
int property_list_encode(const struct property_table *t, struct buffer *out);
/* Each name costs a walk over the table, so that a longer list could hold up a service. */
#define PROPERTY_LIST_MOST 4096

/* Checks every length. *ret is untouched on failure. 0; -EBADMSG; -ENOBUFS when the list is longer
 * than size; -ENOMEM. A second value of a property is passed over. A value of length 0 and of a
 * BINARY or SZ syntax is kept, with size 0 (it asks for the default). */
int property_list_decode(const void *data, size_t size, struct property_table *ret);
/* Name and WORD format of each, as the *_FMTS control codes give. */
int property_formats_encode(const struct property_table *t, struct buffer *out);
/* MULTI_SZ of the names, UTF-16LE. */
int property_names_encode(const struct property_table *t, struct buffer *out);

#endif
