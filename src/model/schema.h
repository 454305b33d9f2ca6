/* SPDX-License-Identifier: MIT */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include "model/internal.h"

#define PERSISTENT_STATE "PersistentState" /* want_online, not a stored property */

/* Texts and lists default to empty. */
struct property_schema {
    const char *name; /* NULL ends a table */
    enum property_format format;
    uint32_t number; /* the default */
    uint32_t least, most;
};

const struct property_schema *schema_common(enum object_type type); /* NULL: it has none */
const struct property_schema *schema_find(enum object_type type, const char *name);

#endif
