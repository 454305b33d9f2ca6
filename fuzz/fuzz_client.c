/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <sys/socket.h>

#include "base/macro.h"
#include "rpc/client_internal.h"
#include "rpc/rpc_interface.h"

static void close_here(int fd)
{
    close(fd);
}

/* The first byte chooses the operation; then all that a service says to a bind and a call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {.limit = 16 << 20};
    _cleanup_(buffer_fini) struct buffer stub = {0};
    struct client_answer answer = {.fd = -1};
    struct client_connection c = {0};
    bool sent;
    int ends[2];

    if (size < 1)
        return 0;
    const struct rpc_op *op = rpc_interface_op(&rpc_cmrp, data[0]);
    op = op ? op : rpc_interface_op(&rpc_private, data[0] % PRIVATE_OPNUM_COUNT);
    /* Then it is gone: what is not there at once never comes. */
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    CHECK(send(ends[1], data + 1, size - 1, MSG_NOSIGNAL) == (ssize_t)(size - 1));
    CHECK(shutdown(ends[1], SHUT_WR) == 0);
    c.transport = rpc_transport_unix(ends[0], close_here);
    if (client_bind(&c, 0, -1) == 0) {
        uint8_t *args = rpc_arena_alloc(&arena, op->args_size);
        uint32_t error = client_exchange(&c, 0, op->opnum, &stub, -1, &answer, &sent);

        CHECK(args);
        if (error == 0 && answer.fault == 0)
            ndr_decode(op, RPC_OUT, answer.stub.data, answer.stub.size, &arena, args);
    }
    buffer_fini(&answer.stub);
    buffer_fini(&c.input);
    cleanup_close(&answer.fd);
    c.transport->methods->destroy(c.transport);
    close(ends[1]);
    return 0;
}
