/* SPDX-License-Identifier: MIT */
#include "world.h"

/* The text of a resource type's definition. One that is taken gives types that resources can be
 * made of. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(model_destroyp) struct model *m = world_create();
    struct model_input in = {.kind = INPUT_DEFINE_TYPE, .data = data, .size = size};

    if (world_step(m, &in) != 0)
        return 0;
    const struct map *types = model_objects(m, OBJECT_RESOURCE_TYPE);
    for (struct map_entry *e = map_first(types); e; e = map_next(types, e)) {
        in = (struct model_input){.kind = INPUT_CREATE_RESOURCE,
                                  .new_id = e->key,
                                  .parent_id = "g",
                                  .name = e->key,
                                  .type_name = e->key};
        world_step(m, &in);
        in = (struct model_input){.kind = INPUT_ONLINE_RESOURCE, .object_id = e->key};
        world_step(m, &in);
    }
    world_check(m);
    return 0;
}
