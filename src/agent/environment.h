/* SPDX-License-Identifier: MIT */
#ifndef AGENT_ENVIRONMENT_H
#define AGENT_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

/* What a new program gets as its environment. All zeroes is an empty one. */
struct environment {
    char **items; /* "NAME=value", ends with NULL */
    size_t count;
    size_t capacity;
    bool failed; /* an add ran out of memory */
};

void environment_add(struct environment *e, const char *name, const char *format, ...)
    _printf_(3, 4);
void environment_fini(struct environment *e);

#endif
