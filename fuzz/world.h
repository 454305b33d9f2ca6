/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "fuzz.h"
#include "model/model.h"

static inline void model_destroyp(struct model **m)
{
    model_destroy(*m);
}

/* A formed cluster with a node, a network, a type, a group and a resource. */
struct model *world_create(void);
/* A step whose changes must decode. */
uint32_t world_step(struct model *m, const struct model_input *in);
/* What the model stores it can load, and what it loads it stores the same. */
void world_check(const struct model *m);

#endif
