/* SPDX-License-Identifier: MIT */
#ifndef BASE_QUOTA_H
#define BASE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

/* A limited amount of something, and perhaps a part of a larger one: what is taken from it is taken
 * from all above it as well. */
struct quota {
    struct quota *above; /* NULL: the whole */
    uint64_t used, most;
};

/* All the way up, or not at all. */
bool quota_take(struct quota *q, uint64_t amount);
void quota_take_anyway(struct quota *q, uint64_t amount); /* what must be, beyond `most` too */
void quota_give(struct quota *q, uint64_t amount);

#endif
