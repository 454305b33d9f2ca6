/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>

#include "rpc/ndr.h"

#define ROOM 256 /* that the caller states for what comes back */

static bool is_buffer(unsigned type)
{
    return type == RPC_BUFFER || type == RPC_FULL_BUFFER || type == RPC_RESIZED_BUFFER;
}

static int decode(const struct rpc_op *op, enum rpc_direction direction, const void *data,
                  size_t size, struct rpc_arena *arena, void **ret)
{
    uint8_t *args = rpc_arena_alloc(arena, op->args_size);

    CHECK(args);
    for (unsigned i = 0; direction == RPC_OUT && i < op->param_count; i++)
        if (is_buffer(op->params[i].type))
            ((struct rpc_bytes *)(args + op->params[i].offset))->capacity = ROOM;
    *ret = args;
    return ndr_decode(op, direction, data, size, arena, args);
}

/* The first byte chooses interface and direction, the second the operation; then its stub. What is
 * decoded and can be written is read again as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {.limit = 16 << 20};
    _cleanup_(buffer_fini) struct buffer first = {0}, second = {0};
    void *args;

    if (size < 2)
        return 0;
    const enum rpc_direction direction = data[0] & 2 ? RPC_OUT : RPC_IN;
    const struct rpc_op *op = rpc_interface_op(data[0] & 1 ? &rpc_private : &rpc_cmrp, data[1]);
    if (!op || decode(op, direction, data + 2, size - 2, &arena, &args) < 0)
        return 0;
    int r = ndr_encode(op, direction, args, &first);
    CHECK(r == 0 || r == -EINVAL);
    if (r < 0)
        return 0;
    r = decode(op, direction, first.data, first.size, &arena, &args);
    CHECK(r == 0 || r == -ENOMEM);
    if (r == 0)
        CHECK(ndr_encode(op, direction, args, &second) == 0 && buffer_equal(&first, &second));
    return 0;
}
