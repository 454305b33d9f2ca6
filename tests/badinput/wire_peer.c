/* SPDX-License-Identifier: MIT */
#include "badinput/wire_peer.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"

#define PATIENCE_MS 30000

void peer_connect_only(struct peer *p, const char *socket)
{
    *p = (struct peer){0};
    assert_int_equal(rpc_transport_unix_connect(socket, 0, -1, &p->t), 0);
}

struct pdu_bind peer_bind(uint32_t group)
{
    struct pdu_bind bind = {.most_sent = PDU_MOST_FRAGMENT,
                            .most_received = PDU_MOST_FRAGMENT,
                            .group = group,
                            .count = 2};
    const struct rpc_interface *const interfaces[] = {&rpc_cmrp, &rpc_private};
    for (uint16_t i = 0; i < 2; i++) {
        bind.contexts[i].id = i;
        memcpy(bind.contexts[i].uuid, interfaces[i]->uuid, 16);
        bind.contexts[i].major = interfaces[i]->major;
        bind.contexts[i].minor = interfaces[i]->minor;
    }
    return bind;
}

void peer_connect(struct peer *p, const char *socket)
{
    peer_connect_only(p, socket);
    _cleanup_(buffer_fini) struct buffer pdu = {0};
    struct pdu_bind bind = peer_bind(0);
    pdu_bind_encode(&pdu, 0, &bind);
    peer_say(p, pdu.data, pdu.size);
    struct answer a = peer_hear(p);
    assert_int_equal(a.type, PDU_BIND_ACK);
    buffer_fini(&a.stub);
}

void peer_close(struct peer *p)
{
    p->t->methods->destroy(p->t);
    rpc_arena_fini(&p->arena);
}

void peer_say(struct peer *p, const void *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = p->t->methods->send(p->t, (const uint8_t *)data + at, size - at, -1);
        assert_true(n > 0);
        at += (size_t)n;
    }
}

uint32_t peer_request(struct peer *p, const struct rpc_interface *i, uint16_t opnum,
                      const void *stub, size_t size)
{
    _cleanup_(buffer_fini) struct buffer pdus = {0};
    assert_int_equal(pdu_request_encode(&pdus, PDU_MOST_FRAGMENT, ++p->last_call, i == &rpc_private,
                                        opnum, stub, size),
                     0);
    peer_say(p, pdus.data, pdus.size);
    return p->last_call;
}

static bool read_whole(struct peer *p, uint8_t *to, size_t size)
{
    for (size_t at = 0; at < size;) {
        struct pollfd fd = {.fd = p->t->methods->fd(p->t), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
        ssize_t n = p->t->methods->receive(p->t, to + at, size - at);
        if (n == 0 || n == -ECONNRESET)
            return false;
        assert_true(n > 0);
        at += (size_t)n;
    }
    return true;
}

struct answer peer_hear(struct peer *p)
{
    struct answer a = {.type = -1};
    for (;;) {
        uint8_t pdu[UINT16_MAX];
        struct pdu_header h;
        if (!read_whole(p, pdu, PDU_HEADER_SIZE))
            return a;
        assert_int_equal(pdu_header_decode(pdu, &h), 0);
        if (!read_whole(p, pdu + PDU_HEADER_SIZE, h.fragment_size - PDU_HEADER_SIZE))
            return a;
        a.type = h.type;
        a.call = h.call_id;
        if (h.type != PDU_RESPONSE && h.type != PDU_FAULT) {
            buffer_append(&a.stub, pdu, h.fragment_size);
            return a;
        }
        struct pdu_stub part;
        assert_int_equal(pdu_stub_decode(pdu, &h, &part), 0);
        buffer_append(&a.stub, part.data, part.size);
        a.fault = part.status;
        if (h.flags & PDU_LAST)
            break;
    }
    p->t->methods->drop_descriptor(p->t);
    return a;
}

void peer_call(struct peer *p, const struct rpc_interface *i, const struct rpc_op *op, void *args)
{
    _cleanup_(buffer_fini) struct buffer stub = {0};
    assert_int_equal(ndr_encode(op, RPC_IN, args, &stub), 0);
    uint32_t call = peer_request(p, i, op->opnum, stub.data, stub.size);
    struct answer a = peer_hear(p);
    assert_int_equal(a.type, PDU_RESPONSE);
    assert_int_equal(a.call, call);
    assert_int_equal(ndr_decode(op, RPC_OUT, a.stub.data, a.stub.size, &p->arena, args), 0);
    buffer_fini(&a.stub);
}

unsigned descriptors_of(struct rig *rig)
{
    char path[32];
    struct private_ServiceInfo info = {0};
    CALL_PRIVATE(rig, ServiceInfo, &info); /* opens the journal for reading */
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)service_pid(rig->service));
    DIR *dir = opendir(path);
    assert_non_null(dir);
    unsigned count = 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

void wait_for_descriptors(struct rig *rig, unsigned wanted)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (descriptors_of(rig) > wanted) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec - start.tv_sec < PATIENCE_MS / 1000);
        rpc_arena_fini(&rig->arena);
    }
}
