/* SPDX-License-Identifier: MIT */
#include "world.h"

/* What is decoded has one form, and whatever it says, the model stays whole. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(buffer_fini) struct buffer out = {0};
    _cleanup_(model_destroyp) struct model *m = NULL;
    struct model_input in;

    if (model_input_decode(data, size, &in) < 0)
        return 0;
    CHECK(model_input_encode(&in, &out) == 0);
    CHECK(out.size == size && memcmp(out.data, data, size) == 0);

    m = world_create();
    world_step(m, &in);
    world_check(m);
    return 0;
}
