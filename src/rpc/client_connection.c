/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/macro.h"
#include "rpc/client_internal.h"
#include "rpc/ndr.h"

#define MOST_HINT                                                                                  \
    (1u << 20) /* a service's word counts for so much memory; more comes as it comes */

const struct rpc_interface *const client_interfaces[CLIENT_INTERFACES] = {&rpc_cmrp, &rpc_private};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void begin_exchange(struct client_connection *c)
{
    c->deadline_ms = c->timeout_ms != 0 ? now_ms() + c->timeout_ms : INT64_MAX;
}

/* The transport limits one wait; a peer that lets bytes trickle is limited here. */
static bool too_late(const struct client_connection *c)
{
    return c->deadline_ms != INT64_MAX && now_ms() >= c->deadline_ms;
}

static int send_all(struct client_connection *c, const struct buffer *bytes, int fd, bool *ret_sent)
{
    for (size_t sent = 0; sent < bytes->size;) {
        ssize_t n = c->transport->methods->send(c->transport, bytes->data + sent,
                                                bytes->size - sent, sent == 0 ? fd : -1);

        if (n < 0)
            return (int)n;
        sent += (size_t)n;
        *ret_sent = true;
        if (sent < bytes->size && too_late(c))
            return -EAGAIN;
    }
    return 0;
}

#define READ_AHEAD 1024 /* a usual answer comes by one read */

/* Until there are `size` bytes, and at once what comes with them. */
static int receive_until(struct client_connection *c, size_t size)
{
    if (buffer_reserve(&c->input, MAX(size, (size_t)READ_AHEAD)) < 0)
        return -ENOMEM;
    while (c->input.size < size) {
        ssize_t n = c->transport->methods->receive(c->transport, c->input.data + c->input.size,
                                                   c->input.capacity - c->input.size);

        if (n <= 0)
            return n < 0 ? (int)n : -ECONNRESET;
        c->input.size += (size_t)n;
        if (c->input.size < size && too_late(c))
            return -EAGAIN;
    }
    return 0;
}

/* One whole fragment at the start of the input, header included; drop_fragment() when it was read.
 */
static int receive_fragment(struct client_connection *c, struct pdu_header *ret)
{
    int r = receive_until(c, PDU_HEADER_SIZE);

    if (r == 0)
        r = pdu_header_decode(c->input.data, ret);
    if (r == 0 && ret->fragment_size > PDU_MOST_FRAGMENT)
        r = -EBADMSG;
    return r == 0 ? receive_until(c, ret->fragment_size) : r;
}

static void drop_fragment(struct client_connection *c, const struct pdu_header *h)
{
    buffer_drop(&c->input, h->fragment_size);
    if (c->input.size == 0 && c->input.capacity > READ_AHEAD)
        buffer_fini(&c->input);
}

static void describe_interfaces(struct pdu_bind *bind)
{
    for (unsigned i = 0; i < CLIENT_INTERFACES; i++) {
        struct pdu_context *context = &bind->contexts[i];

        context->id = (uint16_t)i;
        memcpy(context->uuid, client_interfaces[i]->uuid, sizeof(context->uuid));
        context->major = client_interfaces[i]->major;
        context->minor = client_interfaces[i]->minor;
    }
}

static uint32_t read_ack(struct client_connection *c, const struct pdu_header *h)
{
    struct pdu_bind_ack ack;

    if (h->type == PDU_BIND_NAK)
        return ERR_ACCESS_DENIED;
    if (h->type != PDU_BIND_ACK || pdu_bind_ack_decode(c->input.data, h, &ack) < 0 ||
        ack.most_received < PDU_LEAST_FRAGMENT)
        return ERR_RPC_S_PROTOCOL_ERROR;
    c->most_sent = MIN(ack.most_received, PDU_MOST_FRAGMENT);
    c->group = ack.group;
    for (unsigned i = 0; i < MIN(ack.count, (unsigned)CLIENT_INTERFACES); i++)
        if (ack.results[i].result == PDU_ACCEPTED)
            c->accepted |= 1u << i;
    return 0;
}

/* Until the other side says something. Who slept in recvmsg() instead would also be woken by the
 * service's taking the request. */
static int wait_for_answer(const struct client_connection *c, int cancel_fd)
{
    struct pollfd fds[] = {{.fd = c->transport->methods->fd(c->transport), .events = POLLIN},
                           {.fd = cancel_fd, .events = POLLIN}};
    int left_ms = -1, n;

    do {
        if (c->timeout_ms != 0)
            left_ms = (int)MAX(c->deadline_ms - now_ms(), 0);
        n = poll(fds, ARRAY_SIZE(fds), left_ms);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (n == 0)
        return -EAGAIN;
    return fds[1].revents ? -ECANCELED : 0;
}

uint32_t client_bind(struct client_connection *c, uint32_t group, int cancel_fd)
{
    _cleanup_(buffer_fini) struct buffer pdu = {0};
    struct pdu_bind bind = {.most_sent = PDU_MOST_FRAGMENT,
                            .most_received = PDU_MOST_FRAGMENT,
                            .group = group,
                            .count = CLIENT_INTERFACES};
    struct pdu_header h;
    uint32_t error;
    bool sent;
    int r;

    describe_interfaces(&bind);
    pdu_bind_encode(&pdu, ++c->last_call, &bind);
    if (buffer_failed(&pdu))
        return ERR_NOT_ENOUGH_MEMORY;
    begin_exchange(c);
    r = send_all(c, &pdu, -1, &sent);
    if (r == 0)
        r = wait_for_answer(c, cancel_fd);
    if (r == 0)
        r = receive_fragment(c, &h);
    if (r != 0)
        return r == -EAGAIN   ? ERR_TIMEOUT
               : r == -ENOMEM ? ERR_NOT_ENOUGH_MEMORY
                              : ERR_RPC_S_SERVER_UNAVAILABLE;
    error = read_ack(c, &h);
    drop_fragment(c, &h);
    return error;
}

/* Adds a fragment of the answer. 0; 1: that was the last; -EBADMSG, -ENOMEM. */
static int take_fragment(struct client_connection *c, const struct pdu_header *h,
                         struct client_answer *answer)
{
    struct pdu_stub stub;
    bool first = answer->stub.size == 0;

    if ((h->type != PDU_RESPONSE && h->type != PDU_FAULT) || h->call_id != c->last_call ||
        (first && !(h->flags & PDU_FIRST)) || pdu_stub_decode(c->input.data, h, &stub) < 0)
        return -EBADMSG;
    if (h->type == PDU_FAULT) {
        answer->fault = stub.status != 0 ? stub.status : NCA_UNSPECIFIED;
        return 1;
    }
    if (answer->fd < 0)
        answer->fd = c->transport->methods->take_descriptor(c->transport);
    if (stub.size > RPC_MOST_REPLY - answer->stub.size)
        return -EBADMSG;
    if (first && stub.hint <= MOST_HINT && buffer_reserve(&answer->stub, stub.hint) < 0)
        return -ENOMEM;
    if (buffer_append(&answer->stub, stub.data, stub.size) < 0)
        return -ENOMEM;
    return (h->flags & PDU_LAST) ? 1 : 0;
}

static int receive_answer(struct client_connection *c, struct client_answer *answer)
{
    struct pdu_header h;
    int r;

    do {
        r = c->input.size > 0 ? 0 : wait_for_answer(c, -1);
        if (r == 0)
            r = receive_fragment(c, &h);
        if (r == 0) {
            r = take_fragment(c, &h, answer);
            drop_fragment(c, &h);
        }
    } while (r == 0);
    return r < 0 ? r : 0;
}

uint32_t client_exchange(struct client_connection *c, uint16_t context_id, uint16_t opnum,
                         const struct buffer *stub, int send_fd, struct client_answer *answer,
                         bool *ret_sent)
{
    _cleanup_(buffer_fini) struct buffer pdus = {0};
    int r;

    *ret_sent = false;
    if (pdu_request_encode(&pdus, c->most_sent, ++c->last_call, context_id, opnum, stub->data,
                           stub->size) < 0)
        return ERR_NOT_ENOUGH_MEMORY;
    begin_exchange(c);
    r = send_all(c, &pdus, send_fd, ret_sent);
    if (r == -EAGAIN)
        return ERR_TIMEOUT;
    if (r < 0)
        return *ret_sent ? ERR_RPC_S_CALL_FAILED : ERR_RPC_S_SERVER_UNAVAILABLE;
    buffer_fini(&pdus);
    r = receive_answer(c, answer);
    if (r == -EAGAIN)
        return ERR_TIMEOUT;
    if (r == -EBADMSG || r == -EPROTO)
        return ERR_RPC_S_PROTOCOL_ERROR;
    return r < 0 ? ERR_RPC_S_CALL_FAILED : 0;
}
