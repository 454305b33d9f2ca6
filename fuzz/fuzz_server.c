/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <sys/socket.h>

#include "base/macro.h"
#include "rpc/rpc_interface.h"
#include "rpc/server_internal.h"

/* Opens and closes handles as the operation says, and otherwise answers with nothing. */
static void answer(struct rpc_call *call, void *args)
{
    for (unsigned i = 0; i < call->op->param_count; i++) {
        const struct rpc_param *p = &call->op->params[i];
        struct rpc_context *context = (struct rpc_context *)((uint8_t *)args + p->offset);

        if (!rpc_type_is_context(p->type))
            continue;
        if (p->direction == RPC_OUT)
            rpc_context_open(call->association, p->type, context, NULL, context);
        else if (p->direction == RPC_INOUT)
            rpc_context_close(call->association, context);
    }
    rpc_reply(call);
}

static bool nobody_is_trusted(void *context, const struct rpc_peer *peer)
{
    (void)context;
    (void)peer;
    return false;
}

static void close_here(int fd)
{
    close(fd);
}

static void add_bind(struct buffer *out)
{
    const struct rpc_interface *const interfaces[] = {&rpc_cmrp, &rpc_private};
    struct pdu_bind bind = {.most_sent = 5840, .most_received = 5840, .count = 2};

    for (uint16_t i = 0; i < 2; i++) {
        bind.contexts[i].id = i;
        memcpy(bind.contexts[i].uuid, interfaces[i]->uuid, 16);
        bind.contexts[i].major = interfaces[i]->major;
    }
    pdu_bind_encode(out, 1, &bind);
}

static void connect_to(struct rpc_server *s, int fd)
{
    const struct rpc_peer peer = {.uid = 7, .pid = 8};
    struct account *a =
        account_of_process(s->account, &peer, s->options.trusted, s->options.context);

    CHECK(a && quota_take(&a->of[RPC_CONNECTIONS], 1));
    CHECK(connection_create(s, rpc_transport_unix(fd, close_here), &peer, a) == 0);
    account_unref(a);
}

/* All that a connection says in its life, after a bind when the first byte is odd. Then it is gone,
 * and so is all that was taken for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static rpc_handler_fn handlers[CMRP_OPNUM_COUNT];
    static const struct rpc_service services[] = {{&rpc_cmrp, handlers}, {&rpc_private, handlers}};
    struct rpc_server_options options = {
        .services = services, .service_count = 2, .trusted = nobody_is_trusted};
    _cleanup_(buffer_fini) struct buffer stream = {0};
    struct rpc_server *s;
    int ends[2];

    if (size < 1)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
        handlers[i] = answer;
    CHECK(sd_event_new(&options.loop) >= 0 && rpc_server_create(&options, &s) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    connect_to(s, ends[0]);
    if (data[0] & 1)
        add_bind(&stream);
    buffer_append(&stream, data + 1, size - 1);
    send(ends[1], stream.data, stream.size, MSG_NOSIGNAL);
    while (sd_event_run(options.loop, 0) > 0) {
        uint8_t heard[4096];
        while (recv(ends[1], heard, sizeof(heard), 0) > 0)
            ;
    }
    close(ends[1]);
    while (s->connections)
        CHECK(sd_event_run(options.loop, UINT64_MAX) >= 0);
    for (size_t i = 0; i < RPC_LIMIT_COUNT; i++)
        CHECK(s->account->of[i].used == 0);
    rpc_server_destroy(s);
    sd_event_unref(options.loop);
    return 0;
}
