/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/macro.h"
#include "rpc/server_internal.h"

/* Of one connection, before another has its turn. */
#define FRAGMENTS_AT_A_TIME 16
#define LONGEST_TURN_NS 1000000u

#define READ_AHEAD 1024 /* a usual request comes by one read */

/* Back pressure: who does not take its answers is not asked for more. A request that has begun is
 * taken to its end. */
static bool wants_input(const struct connection *c)
{
    if (c->closing)
        return false;
    return c->assembling || (c->output_size <= PENDING_OUTPUT && c->call_count < MOST_CALLS);
}

static bool has_fragment(const struct connection *c)
{
    return c->has_header && c->input.size >= c->header.fragment_size;
}

/* The loop sees the hang-up and destroys it: nothing below rpc_reply() may. */
static void connection_break(struct connection *c)
{
    c->broken = true;
    c->transport->methods->shut_down(c->transport);
}

/* A fragment that was read ahead is no input to the kernel; that there is room to write soon comes
 * true. */
void connection_update_events(struct connection *c)
{
    bool wants = wants_input(c);
    uint32_t events =
        (wants ? EPOLLIN : 0) | (c->output || (wants && has_fragment(c)) ? EPOLLOUT : 0);

    if (!c->broken && events != c->events && poller_update(&c->server->poller, c, events) < 0)
        connection_break(c);
}

static void output_destroy(struct connection *c, struct output *o)
{
    quota_give(&c->account->of[RPC_MEMORY], o->bytes.size);
    buffer_fini(&o->bytes);
    cleanup_close(&o->fd);
    free(o);
}

static void flush(struct connection *c)
{
    while (c->output && !c->broken) {
        struct output *o = c->output;
        ssize_t n = c->transport->methods->send(c->transport, o->bytes.data + o->sent,
                                                o->bytes.size - o->sent, o->sent == 0 ? o->fd : -1);

        if (n == -EAGAIN)
            break;
        if (n < 0) {
            connection_break(c);
            return;
        }
        o->sent += (size_t)n;
        c->output_size -= (size_t)n;
        if (o->sent == o->bytes.size) {
            c->output = o->next;
            output_destroy(c, o);
        }
    }
    connection_update_events(c);
}

/* The bytes are taken from the account already. */
static void enqueue(struct connection *c, struct buffer *bytes, int fd)
{
    struct output *o = calloc(1, sizeof(*o));
    bool idle = !c->output;

    if (!o) {
        quota_give(&c->account->of[RPC_MEMORY], bytes->size);
        cleanup_close(&fd);
        connection_break(c);
        return;
    }
    o->fd = fd;
    o->bytes = *bytes;
    *bytes = (struct buffer){0};
    if (idle)
        c->output = o;
    else
        c->output_last->next = o;
    c->output_last = o;
    c->output_size += o->bytes.size;
    if (idle)
        flush(c);
    else
        connection_update_events(c);
}

bool connection_send(struct connection *c, struct buffer *bytes, int fd)
{
    if (c->broken) {
        cleanup_close(&fd);
        return true;
    }
    if (!quota_take(&c->account->of[RPC_MEMORY], bytes->size))
        return false;
    enqueue(c, bytes, fd);
    return true;
}

void connection_tell(struct connection *c, struct buffer *bytes)
{
    if (c->broken)
        return;
    if (buffer_failed(bytes)) {
        connection_break(c);
    } else if (!connection_send(c, bytes, -1)) {
        if (c->output) {
            connection_break(c);
            return;
        }
        quota_take_anyway(&c->account->of[RPC_MEMORY], bytes->size);
        enqueue(c, bytes, -1);
    }
}

void connection_send_fault(struct connection *c, uint32_t call_id, uint16_t context_id,
                           uint32_t status)
{
    _cleanup_(buffer_fini) struct buffer pdu = {0};

    pdu_fault_encode(&pdu, call_id, context_id, status);
    connection_tell(c, &pdu);
}

static void refuse_bind(struct connection *c, uint16_t reason)
{
    _cleanup_(buffer_fini) struct buffer pdu = {0};

    c->closing = true;
    pdu_bind_nak_encode(&pdu, c->header.call_id, reason);
    connection_tell(c, &pdu);
}

static const struct rpc_service *find_service(const struct rpc_server *s,
                                              const struct pdu_context *context)
{
    for (size_t i = 0; i < s->options.service_count; i++) {
        const struct rpc_interface *interface = s->options.services[i].interface;

        if (memcmp(interface->uuid, context->uuid, sizeof(context->uuid)) == 0 &&
            interface->major == context->major && interface->minor >= context->minor)
            return &s->options.services[i];
    }
    return NULL;
}

static bool add_context(struct connection *c, uint16_t id, const struct rpc_service *service)
{
    unsigned i = 0;

    while (i < c->context_count && c->contexts[i].id != id)
        i++;
    if (i == PDU_MOST_CONTEXTS)
        return false;
    c->contexts[i].id = id;
    c->contexts[i].service = service;
    c->context_count = MAX(c->context_count, i + 1);
    return true;
}

static void negotiate(struct connection *c, const struct pdu_bind *bind, struct pdu_bind_ack *ack)
{
    ack->count = bind->count;
    for (unsigned i = 0; i < bind->count; i++) {
        const struct pdu_context *context = &bind->contexts[i];
        const struct rpc_service *service = find_service(c->server, context);

        if (context->transfer == PDU_TRANSFER_FEATURES) {
            ack->results[i].result = PDU_NEGOTIATED; /* none of the features is ours */
        } else if (context->transfer != PDU_TRANSFER_NDR32) {
            ack->results[i].result = PDU_REJECTED;
            ack->results[i].reason = PDU_REASON_TRANSFER;
        } else if (!service || !add_context(c, context->id, service)) {
            ack->results[i].result = PDU_REJECTED;
            ack->results[i].reason = PDU_REASON_INTERFACE;
        }
    }
}

/* A bind, or a later change of the presentation contexts. */
static void handle_bind(struct connection *c, bool first)
{
    _cleanup_(buffer_fini) struct buffer pdu = {0};
    struct pdu_bind bind;
    struct pdu_bind_ack ack = {0};

    if (first == (c->association != NULL) ||
        pdu_bind_decode(c->input.data, &c->header, &bind) < 0) {
        connection_break(c);
        return;
    }
    if (c->header.auth_size > 0) {
        refuse_bind(c, PDU_NAK_AUTHENTICATION_NOT_KNOWN);
        return;
    }
    if (first) {
        int r = bind.most_received < PDU_LEAST_FRAGMENT ? -EINVAL : association_join(c, bind.group);

        if (r == -ENOMEM) { /* a refusal would tell the client that it may not */
            connection_break(c);
            return;
        }
        if (r < 0) {
            refuse_bind(c, PDU_NAK_REASON_NOT_SPECIFIED);
            return;
        }
        c->most_sent = MIN(bind.most_received, PDU_MOST_FRAGMENT);
    }
    ack.most_sent = c->most_sent;
    ack.most_received = MIN(bind.most_sent, PDU_MOST_FRAGMENT);
    ack.group = c->association->group;
    negotiate(c, &bind, &ack);
    pdu_bind_ack_encode(&pdu, first ? PDU_BIND_ACK : PDU_ALTER_CONTEXT_RESPONSE, c->header.call_id,
                        &ack);
    connection_tell(c, &pdu);
}

static const struct rpc_service *service_of_context(const struct connection *c, uint16_t id)
{
    for (unsigned i = 0; i < c->context_count; i++)
        if (c->contexts[i].id == id)
            return c->contexts[i].service;
    return NULL;
}

static void append_stub(struct rpc_call *call, const struct pdu_stub *stub)
{
    size_t size = call->stub.size + stub->size;

    if (call->too_long)
        return;
    if (size > RPC_MOST_REQUEST || !quota_take(call->arena.quota, stub->size)) {
        call->too_long = true;
    } else if (buffer_append(&call->stub, stub->data, stub->size) < 0) {
        quota_give(call->arena.quota, stub->size);
        call->too_long = true;
    }
    if (call->too_long)
        call_free_stub(call);
}

static void handle_request(struct connection *c)
{
    struct rpc_call *call = c->assembling;
    struct pdu_stub stub;
    bool first = c->header.flags & PDU_FIRST;

    if (!c->association || first == (call != NULL) || (call && call->id != c->header.call_id) ||
        pdu_stub_decode(c->input.data, &c->header, &stub) < 0) {
        connection_break(c);
        return;
    }
    if (first) {
        call = call_create(c, &c->header, &stub);
        if (!call) {
            connection_break(c);
            return;
        }
        call->service = service_of_context(c, stub.context_id);
        c->assembling = call;
    }
    append_stub(call, &stub);
    if (c->header.flags & PDU_LAST) {
        c->assembling = NULL;
        connection_update_events(c);
        call_dispatch(call);
    }
}

static void handle_orphaned(struct connection *c)
{
    struct rpc_call *call = c->calls;

    while (call && call->id != c->header.call_id)
        call = call->next;
    if (call)
        call_abandon(call);
}

static void handle_fragment(struct connection *c)
{
    switch ((enum pdu_type)c->header.type) {
    case PDU_BIND:
        handle_bind(c, true);
        break;
    case PDU_ALTER_CONTEXT:
        handle_bind(c, false);
        break;
    case PDU_REQUEST:
        handle_request(c);
        break;
    case PDU_ORPHANED:
        handle_orphaned(c);
        break;
    case PDU_CANCEL: /* a wish; the call goes on */
    case PDU_AUTH3:
        break;
    default:
        connection_break(c);
        break;
    }
    /* One that nobody asked for: whoever sends such a thing wants it to do harm here. */
    if (!c->assembling && c->transport->methods->drop_descriptor(c->transport))
        connection_break(c);
}

static void refuse_representation(struct connection *c)
{
    if (c->header.type == PDU_BIND) {
        refuse_bind(c, PDU_NAK_REASON_NOT_SPECIFIED);
    } else {
        c->closing = true;
        connection_send_fault(c, c->header.call_id, 0, NCA_UNSPECIFIED);
    }
}

static void handle_header(struct connection *c)
{
    int r = pdu_header_decode(c->input.data, &c->header);

    if (r == -EPROTO)
        refuse_representation(c);
    else if (r < 0 || c->header.fragment_size > PDU_MOST_FRAGMENT)
        connection_break(c);
    else
        c->has_header = true;
}

static void look_at_header(struct connection *c)
{
    if (c->input.size >= PDU_HEADER_SIZE)
        handle_header(c);
}

static void next_fragment(struct connection *c)
{
    c->has_header = false; /* this one is no longer waiting */
    handle_fragment(c);
    buffer_drop(&c->input, c->header.fragment_size);
    if (!c->broken && !c->closing)
        look_at_header(c);
}

/* Whether there may be more. */
static bool read_some(struct connection *c)
{
    size_t want = c->has_header ? c->header.fragment_size - c->input.size : READ_AHEAD;
    ssize_t n;

    if (buffer_reserve(&c->input, want) < 0) {
        connection_break(c);
        return false;
    }
    n = c->transport->methods->receive(c->transport, c->input.data + c->input.size, want);
    if (n == -EAGAIN)
        return false;
    if (n <= 0) {
        connection_break(c);
        return false;
    }
    c->input.size += (size_t)n;
    if (!c->has_header)
        look_at_header(c);
    return !c->broken && !c->closing;
}

/* Who asks for more at once is rare: the loop says so, and the others need no vain read. */
static bool may_be_more(const struct connection *c)
{
    return c->assembling || c->input.size > 0;
}

/* A user who has kept the loop busy of late comes after those who have not. */
static void read_fragments(struct connection *c)
{
    const uint64_t begun = rpc_now_ns();
    uint64_t now = begun;
    unsigned count = 0;
    bool late;

    while (count < FRAGMENTS_AT_A_TIME && now - begun < LONGEST_TURN_NS && wants_input(c)) {
        if (!has_fragment(c)) {
            if ((count > 0 && !may_be_more(c)) || !read_some(c))
                break;
            continue;
        }
        next_fragment(c);
        count++;
        now = rpc_now_ns();
        if (c->broken)
            break;
    }
    late = account_was_busy(c->account, begun, now);
    if (late != c->late && poller_move(&c->server->poller, c, late) < 0)
        c->broken = true;
}

void connection_serve(struct connection *c, uint32_t events)
{
    if ((events & EPOLLOUT) && !c->broken)
        flush(c);
    if (((events & EPOLLIN) || has_fragment(c)) && wants_input(c) && !c->broken)
        read_fragments(c);
    else if (events & (EPOLLHUP | EPOLLERR))
        c->broken = true;
    if (c->broken || (c->closing && !c->output))
        connection_destroy(c);
    else
        connection_update_events(c);
}

int connection_create(struct rpc_server *s, struct rpc_transport *t, const struct rpc_peer *peer,
                      struct account *account)
{
    struct connection *c = calloc(1, sizeof(*c));
    int r = -ENOMEM;

    if (c) {
        c->server = s;
        c->transport = t;
        c->peer = *peer;
        c->account = account;
        c->events = EPOLLIN;
        c->most_sent = PDU_LEAST_FRAGMENT;
        r = poller_add(&s->poller, c);
    }
    if (r < 0) {
        quota_give(&account->of[RPC_CONNECTIONS], 1);
        free(c);
        t->methods->destroy(t);
        return r;
    }
    account_ref(account);
    c->next = s->connections;
    if (c->next)
        c->next->previous = c;
    s->connections = c;
    return 0;
}

void connection_destroy(struct connection *c)
{
    struct output *next;

    c->broken = true; /* calls that are answered from here on only end */
    poller_remove(&c->server->poller, c);
    while (c->calls)
        call_abandon(c->calls);
    if (c->previous)
        c->previous->next = c->next;
    else
        c->server->connections = c->next;
    if (c->next)
        c->next->previous = c->previous;
    if (c->association)
        association_leave(c->association);
    for (struct output *o = c->output; o; o = next) {
        next = o->next;
        output_destroy(c, o);
    }
    buffer_fini(&c->input);
    c->transport->methods->destroy(c->transport);
    quota_give(&c->account->of[RPC_CONNECTIONS], 1);
    account_unref(c->account);
    free(c);
}
