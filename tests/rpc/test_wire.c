/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/macro.h"
#include "rpc/echo_server.h"
#include "rpc/pdu.h"
#include "rpc/rpc_interface.h"
#include "rpc/transport.h"
#include "support/campaign.h"

/* The server, seen by a client that says whatever it likes. */

struct fixture {
    struct echo_server server;
    struct rpc_transport *raw;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    echo_server_start(&f->server, 0, 0);
    assert_int_equal(rpc_transport_unix_connect(f->server.path, 0, -1, &f->raw), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    f->raw->methods->destroy(f->raw);
    echo_server_stop(&f->server);
    free(f);
    return 0;
}

static void say(struct rpc_transport *t, const struct buffer *b)
{
    assert_int_equal(t->methods->send(t, b->data, b->size, -1), b->size);
}

/* The type of what comes, -1 at the end. */
static int hear(struct rpc_transport *t, struct buffer *b, struct pdu_header *h)
{
    buffer_clear(b);
    buffer_reserve(b, PDU_MOST_FRAGMENT);
    for (size_t want = PDU_HEADER_SIZE; b->size < want;) {
        struct pollfd p = {.fd = t->methods->fd(t), .events = POLLIN};
        ssize_t n;

        assert_int_equal(poll(&p, 1, 10000), 1);
        n = t->methods->receive(t, b->data + b->size, want - b->size);
        if (n == 0 || n == -ECONNRESET)
            return -1;
        assert_true(n > 0);
        b->size += (size_t)n;
        if (b->size == PDU_HEADER_SIZE) {
            assert_int_equal(pdu_header_decode(b->data, h), 0);
            want = h->fragment_size;
        }
    }
    return h->type;
}

static struct pdu_bind a_bind(uint32_t group)
{
    struct pdu_bind bind = {.most_sent = 5840, .most_received = 5840, .group = group, .count = 2};

    for (unsigned i = 0; i < 2; i++) {
        const struct rpc_interface *interface = i == 0 ? &rpc_cmrp : &rpc_private;

        bind.contexts[i].id = (uint16_t)(7 + i);
        memcpy(bind.contexts[i].uuid, interface->uuid, 16);
        bind.contexts[i].major = interface->major;
    }
    return bind;
}

static uint32_t do_bind(struct rpc_transport *t, const struct pdu_bind *bind)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    struct pdu_bind_ack ack;
    struct pdu_header h;

    pdu_bind_encode(&b, 1, bind);
    say(t, &b);
    assert_int_equal(hear(t, &b, &h), PDU_BIND_ACK);
    assert_int_equal(pdu_bind_ack_decode(b.data, &h, &ack), 0);
    assert_int_equal(ack.count, bind->count);
    assert_int_equal(ack.results[0].result, PDU_ACCEPTED);
    return ack.group;
}

static void expect_nak(struct rpc_transport *t, const struct buffer *bind)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    struct pdu_header h;

    say(t, bind);
    assert_int_equal(hear(t, &b, &h), PDU_BIND_NAK);
    assert_int_equal(hear(t, &b, &h), -1);
}

static void test_transfer_syntaxes(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0};
    struct pdu_bind bind = a_bind(0);
    struct pdu_bind_ack ack;
    struct pdu_header h;
    static const uint8_t features[] = {0x2c, 0x1c, 0xb7, 0x6c, 0x12, 0x98, 0x40, 0x45, 3, 0,
                                       0,    0,    0,    0,    0,    0,    1,    0,    0, 0};

    /* Context 0 as it is, 1 with the features' syntax, 2 with one that nobody knows, 3 of an
     * interface that nobody serves. */
    bind.contexts[2] = bind.contexts[3] = bind.contexts[1] = bind.contexts[0];
    bind.contexts[3].uuid[0] ^= 1;
    bind.count = 4;
    pdu_bind_encode(&b, 1, &bind);
    memcpy(b.data + 28 + 44 + 24, features, sizeof(features));
    memset(b.data + 28 + 2 * 44 + 24, 0x33, 16);
    say(f->raw, &b);
    assert_int_equal(hear(f->raw, &b, &h), PDU_BIND_ACK);
    assert_int_equal(pdu_bind_ack_decode(b.data, &h, &ack), 0);
    assert_int_equal(ack.count, 4);
    assert_int_equal(ack.results[0].result, PDU_ACCEPTED);
    assert_int_equal(ack.results[1].result, PDU_NEGOTIATED);
    assert_int_equal(ack.results[1].reason, 0);
    assert_int_equal(ack.results[2].result, PDU_REJECTED);
    assert_int_equal(ack.results[2].reason, PDU_REASON_TRANSFER);
    assert_int_equal(ack.results[3].result, PDU_REJECTED);
    assert_int_equal(ack.results[3].reason, PDU_REASON_INTERFACE);
    assert_int_equal(ack.most_sent, 5840);
    assert_int_not_equal(ack.group, 0);
}

static void test_big_endian_is_refused(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0};
    struct pdu_bind bind = a_bind(0);

    pdu_bind_encode(&b, 1, &bind);
    b.data[4] = 0;
    b.data[9] = b.data[8];
    b.data[8] = 0;
    expect_nak(f->raw, &b);
}

static void test_unknown_group_is_refused(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0};
    struct pdu_bind bind = a_bind(12345);

    pdu_bind_encode(&b, 1, &bind);
    expect_nak(f->raw, &b);
}

static void test_group_of_another_process_is_refused(void **state)
{
    struct fixture *f = *state;
    struct pdu_bind bind = a_bind(0);
    int status;
    pid_t child;

    bind.group = do_bind(f->raw, &bind);
    child = fork();
    if (child == 0) {
        _cleanup_(buffer_fini) struct buffer b = {0};
        struct rpc_transport *t;
        struct pdu_header h;

        if (rpc_transport_unix_connect(f->server.path, 0, -1, &t) < 0)
            _exit(2);
        pdu_bind_encode(&b, 1, &bind);
        say(t, &b);
        _exit(hear(t, &b, &h) == PDU_BIND_NAK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_protocol_errors_end_the_connection(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer answer = {0};
    struct pdu_bind bind = a_bind(0);
    struct pdu_header h;

    for (unsigned i = 0; i < 6; i++) {
        _cleanup_(buffer_fini) struct buffer b = {0};
        struct rpc_transport *t;

        assert_int_equal(rpc_transport_unix_connect(f->server.path, 0, -1, &t), 0);
        if (i > 0)
            do_bind(t, &bind);
        if (i <= 1)
            pdu_request_encode(&b, 5840, 2, 7, CMRP_OPNUM_GetClusterName, NULL, 0);
        else
            pdu_bind_encode(&b, 2, &bind);
        if (i == 1)
            b.data[3] = PDU_LAST; /* of a request that never began */
        else if (i == 2)
            b.data[0] = 4; /* another protocol; 0: nothing was bound */
        else if (i == 3)
            b.data[8] = 15; /* shorter than its header; 4: bound twice */
        else if (i == 5)
            b.data[2] = PDU_SHUTDOWN; /* a server's word */
        say(t, &b);
        assert_int_equal(hear(t, &answer, &h), -1);
        t->methods->destroy(t);
    }
    do_bind(f->raw, &bind); /* nobody else was disturbed */
}

static void test_small_fragments_and_alter_context(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0}, stub = {0}, whole = {0};
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct pdu_bind bind = a_bind(0);
    struct private_ReadJournal a = {.max_bytes = 10000};
    struct pdu_stub part;
    struct pdu_header h;
    unsigned fragments = 0;

    bind.count = 1;
    bind.most_received = PDU_LEAST_FRAGMENT;
    do_bind(f->raw, &bind);
    bind = a_bind(0);
    pdu_bind_encode(&b, 2, &bind);
    b.data[2] = PDU_ALTER_CONTEXT;
    say(f->raw, &b);
    assert_int_equal(hear(f->raw, &b, &h), PDU_ALTER_CONTEXT_RESPONSE);

    assert_int_equal(ndr_encode(&private_op_ReadJournal, RPC_IN, &a, &stub), 0);
    for (unsigned i = 0; i < 2; i++) { /* the request itself in two parts, and a cancel between */
        buffer_clear(&b);
        pdu_request_encode(&b, 5840, 3, 8, PRIVATE_OPNUM_ReadJournal, stub.data + 8 * i,
                           i == 0 ? 8 : stub.size - 8);
        b.data[3] = i == 0 ? PDU_FIRST : PDU_LAST;
        say(f->raw, &b);
        buffer_clear(&b);
        pdu_fault_encode(&b, 3, 0, 0);
        b.data[2] = PDU_CANCEL;
        say(f->raw, &b);
    }
    do {
        assert_int_equal(hear(f->raw, &b, &h), PDU_RESPONSE);
        assert_int_equal(h.call_id, 3);
        assert_true(h.fragment_size <= PDU_LEAST_FRAGMENT);
        assert_int_equal(pdu_stub_decode(b.data, &h, &part), 0);
        buffer_append(&whole, part.data, part.size);
        fragments++;
    } while (!(h.flags & PDU_LAST));
    assert_true(fragments > 7);
    assert_int_equal(
        ndr_decode(&private_op_ReadJournal, RPC_OUT, whole.data, whole.size, &arena, &a), 0);
    assert_int_equal(a.changes.size, 10000);
}

/* The stub of a call that waits. */
static void make_port(struct rpc_transport *t, struct buffer *ret_stub)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_CreateNotify create = {0};
    struct cmrp_GetNotify wait = {0};
    struct pdu_stub part;
    struct pdu_header h;

    pdu_request_encode(&b, 5840, 2, 7, CMRP_OPNUM_CreateNotify, NULL, 0);
    say(t, &b);
    assert_int_equal(hear(t, &b, &h), PDU_RESPONSE);
    assert_int_equal(pdu_stub_decode(b.data, &h, &part), 0);
    assert_int_equal(
        ndr_decode(&cmrp_op_CreateNotify, RPC_OUT, part.data, part.size, &arena, &create), 0);
    wait.notify = create.notify;
    assert_int_equal(ndr_encode(&cmrp_op_GetNotify, RPC_IN, &wait, ret_stub), 0);
}

#define CALLS 64u /* that the server takes of one connection */

/* One call more than the server takes was read ahead; who asked is gone all the same. */
static void test_gone_with_calls_under_way(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0}, stub = {0};
    struct pdu_bind bind = a_bind(0);

    do_bind(f->raw, &bind);
    make_port(f->raw, &stub);
    for (uint32_t i = 0; i < CALLS - 1; i++) {
        buffer_clear(&b);
        pdu_request_encode(&b, 5840, 3 + i, 7, CMRP_OPNUM_GetNotify, stub.data, stub.size);
        say(f->raw, &b);
        echo_server_expect(&f->server, 'w');
    }
    buffer_clear(&b);
    for (uint32_t i = CALLS - 1; i < CALLS + 1; i++)
        pdu_request_encode(&b, 5840, 3 + i, 7, CMRP_OPNUM_GetNotify, stub.data, stub.size);
    say(f->raw, &b);
    echo_server_expect(&f->server, 'w');
    f->raw->methods->destroy(f->raw);
    assert_int_equal(rpc_transport_unix_connect(f->server.path, 0, -1, &f->raw), 0);
    for (uint32_t i = 0; i < CALLS; i++)
        echo_server_expect(&f->server, 'g');
}

static void test_orphaned_call(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0}, stub = {0};
    struct pdu_bind bind = a_bind(0);
    struct pdu_stub part;
    struct pdu_header h;

    do_bind(f->raw, &bind);
    make_port(f->raw, &stub);
    pdu_request_encode(&b, 5840, 3, 7, CMRP_OPNUM_GetNotify, stub.data, stub.size);
    say(f->raw, &b);
    echo_server_expect(&f->server, 'w');
    b.data[2] = PDU_ORPHANED;
    say(f->raw, &b);
    echo_server_expect(&f->server, 'g');
    buffer_clear(&b);
    pdu_request_encode(&b, 5840, 4, 7, 80, NULL, 0); /* it goes on */
    say(f->raw, &b);
    assert_int_equal(hear(f->raw, &b, &h), PDU_FAULT);
    assert_int_equal(h.call_id, 4);
    assert_int_equal(pdu_stub_decode(b.data, &h, &part), 0);
    assert_int_equal(part.status, NCA_OP_RANGE_ERROR);
}

static void test_slow_reader(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0}, stub = {0};
    struct pdu_bind bind = a_bind(0);
    struct private_ReadJournal a = {.max_bytes = 4 << 20};
    struct cmrp_GetClusterName name = {0};
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct rpc_client *other;
    struct pdu_header h;
    ssize_t n = 0;
    unsigned sent = 0;

    do_bind(f->raw, &bind);
    ndr_encode(&private_op_ReadJournal, RPC_IN, &a, &stub);
    pdu_request_encode(&b, 5840, 2, 8, PRIVATE_OPNUM_ReadJournal, stub.data, stub.size);
    fcntl(f->raw->methods->fd(f->raw), F_SETFL, O_NONBLOCK);
    /* It asks and asks, until the server does not listen any more. */
    while (n >= 0 && sent < 1000000) {
        n = f->raw->methods->send(f->raw, b.data, b.size, -1);
        if (n >= 0)
            sent++;
    }
    assert_int_equal(n, -EAGAIN);

    assert_int_equal(rpc_client_connect_unix(f->server.path, &other), 0);
    assert_int_equal(rpc_client_call(other, &rpc_cmrp, &cmrp_op_GetClusterName, &name, &arena), 0);
    rpc_client_unref(other);

    for (unsigned replies = 0; replies < 3;) { /* and what it asked for is still all there */
        assert_int_equal(hear(f->raw, &b, &h), PDU_RESPONSE);
        if (h.flags & PDU_LAST)
            replies++;
    }
}

/* That a client of ours does not even send. */
static void test_request_that_is_too_long(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0};
    _cleanup_free_
    uint8_t *stub = calloc(1, RPC_MOST_REQUEST + 1);
    struct pdu_bind bind = a_bind(0);
    struct pdu_stub part;
    struct pdu_header h;

    do_bind(f->raw, &bind);
    pdu_request_encode(&b, 5840, 2, 7, CMRP_OPNUM_ResourceControl, stub, RPC_MOST_REQUEST + 1);
    for (size_t at = 0, n; at < b.size; at += n) {
        n = (size_t)f->raw->methods->send(f->raw, b.data + at, b.size - at, -1);
        assert_in_range(n, 1, b.size);
    }
    assert_int_equal(hear(f->raw, &b, &h), PDU_FAULT);
    assert_int_equal(pdu_stub_decode(b.data, &h, &part), 0);
    assert_int_equal(part.status, NCA_REMOTE_NO_MEMORY);
    buffer_clear(&b);
    pdu_request_encode(&b, 5840, 3, 7, CMRP_OPNUM_GetClusterName, NULL, 0); /* it goes on */
    assert_int_equal(f->raw->methods->send(f->raw, b.data, b.size, -1), b.size);
    assert_int_equal(hear(f->raw, &b, &h), PDU_RESPONSE);
}

#define REQUESTS 100u

/* Whatever pieces they come in, many in one or one in many, each is answered, in order. */
static void test_requests_in_pieces(void **state)
{
    struct fixture *f = *state;
    struct pdu_bind bind = a_bind(0);
    struct test_random random = random_of(1);
    static const uint8_t stub[4000];
    uint32_t last = 1;

    do_bind(f->raw, &bind);
    for (unsigned round = 0; round < 14; round++) {
        _cleanup_(buffer_fini) struct buffer all = {0}, b = {0};
        const uint32_t first = last + 1, longest = round == 0 ? UINT32_MAX : 1u << (round % 13);
        struct pdu_header h;

        while (last < first + REQUESTS - 1)
            pdu_request_encode(&all, 1432, ++last, 7, 80, stub,
                               round % 2 ? 0 : random_below(&random, sizeof(stub)));
        for (size_t at = 0, n; at < all.size; at += n) {
            n = (size_t)random_below(&random, longest) + 1;
            n = MIN(n, all.size - at);
            assert_int_equal(f->raw->methods->send(f->raw, all.data + at, n, -1), n);
        }
        for (uint32_t id = first; id <= last; id++) {
            assert_int_equal(hear(f->raw, &b, &h), PDU_FAULT);
            assert_int_equal(h.call_id, id);
        }
    }
}

static void test_damaged_requests(void **state)
{
    struct fixture *f = *state;
    struct pdu_bind bind = a_bind(0);
    uint32_t seed = 1;
    struct cmrp_GetClusterName name = {0};
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct rpc_client *other;

    for (unsigned i = 0; i < 300; i++) {
        _cleanup_(buffer_fini) struct buffer b = {0};
        struct rpc_transport *t;
        uint8_t stub[64];

        assert_int_equal(rpc_transport_unix_connect(f->server.path, 0, -1, &t), 0);
        if (i % 3 > 0)
            do_bind(t, &bind);
        for (unsigned k = 0; k < sizeof(stub); k++)
            stub[k] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
        if (i % 3 < 2)
            pdu_bind_encode(&b, 1, &bind);
        else
            pdu_request_encode(&b, 5840, 2, 7, (uint16_t)(i % 186), stub, sizeof(stub));
        for (unsigned k = 0; k < 3; k++)
            b.data[stub[k] % b.size] = stub[k + 3];
        t->methods->send(t, b.data, b.size, -1);
        t->methods->destroy(t);
    }
    assert_int_equal(rpc_client_connect_unix(f->server.path, &other), 0);
    assert_int_equal(rpc_client_call(other, &rpc_cmrp, &cmrp_op_GetClusterName, &name, &arena), 0);
    rpc_client_unref(other);
}

static void test_descriptors_unasked(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0};
    struct pdu_bind bind = a_bind(0);
    struct pdu_header h;
    int ends[2];
    char byte;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    do_bind(f->raw, &bind);
    pdu_request_encode(&b, 5840, 2, 7, CMRP_OPNUM_GetClusterName, NULL, 0);
    assert_int_equal(f->raw->methods->send(f->raw, b.data, b.size, ends[1]), b.size);
    close(ends[1]);
    assert_int_equal(hear(f->raw, &b, &h), PDU_RESPONSE);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* the server's copy is closed as well */
    close(ends[0]);
}

/* A connection whose end has much to send, to one that does not read: closing it takes ten minutes,
 * if nobody else has it. */
static int lingering_socket(int *ret_other)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    static const char much[65536];
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_return_code(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_return_code(listen(listener, 1), 0);
    assert_return_code(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_return_code(connect(fd, (struct sockaddr *)&address, size), 0);
    *ret_other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(*ret_other >= 0);
    close(listener);
    assert_return_code(setsockopt(fd, SOL_SOCKET, SO_LINGER,
                                  &(struct linger){.l_onoff = 1, .l_linger = 600},
                                  sizeof(struct linger)),
                       0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (send(fd, much, sizeof(much), MSG_NOSIGNAL) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
    return fd;
}

/* The server gets the bytes, the descriptor with those from `at` on, when nobody else has it any
 * more. */
static void give_away(const struct echo_server *s, struct rpc_transport *t, const struct buffer *b,
                      size_t at, int fd)
{
    int status;

    assert_return_code(kill(s->pid, SIGSTOP), 0);
    assert_int_equal(waitpid(s->pid, &status, WUNTRACED), s->pid);
    if (at > 0)
        assert_int_equal(t->methods->send(t, b->data, at, -1), at);
    assert_int_equal(t->methods->send(t, b->data + at, b->size - at, fd), b->size - at);
    close(fd);
    assert_return_code(kill(s->pid, SIGCONT), 0);
}

static void expect_served(const struct echo_server *s)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetClusterName name = {0};
    struct rpc_client *other;

    assert_int_equal(rpc_client_connect_unix(s->path, &other), 0);
    assert_int_equal(rpc_client_call(other, &rpc_cmrp, &cmrp_op_GetClusterName, &name, &arena), 0);
    rpc_client_unref(other);
}

/* With a bind, with bytes that begin nothing, with a request, and never read. */
static void test_descriptors_that_linger(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 4; i++) {
        _cleanup_(buffer_fini) struct buffer b = {0}, answer = {0};
        struct pdu_bind bind = a_bind(0);
        struct rpc_transport *t;
        struct pdu_header h;
        int other, fd = lingering_socket(&other);

        assert_int_equal(rpc_transport_unix_connect(f->server.path, 0, -1, &t), 0);
        if (i == 2)
            do_bind(t, &bind);
        if (i == 2)
            pdu_request_encode(&b, 5840, 2, 7, CMRP_OPNUM_GetClusterName, NULL, 0);
        else
            pdu_bind_encode(&b, 1, &bind);
        if (i == 3)
            b.data[0] = 4; /* another protocol: what comes after the header stays unread */
        if (i == 1)
            b.size = 10;
        give_away(&f->server, t, &b, i == 3 ? PDU_HEADER_SIZE : 0, fd);
        if (i == 0 || i == 2)
            assert_int_equal(hear(t, &answer, &h), i == 0 ? PDU_BIND_ACK : PDU_RESPONSE);
        if (i != 1)
            assert_int_equal(hear(t, &answer, &h), -1); /* who sends it is not heard again */
        t->methods->destroy(t);
        expect_served(&f->server);
        close(other);
    }
}

static void test_many_descriptors_end_the_connection(void **state)
{
    struct fixture *f = *state;
    _cleanup_(buffer_fini) struct buffer b = {0};
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(253 * sizeof(int))] = {0};
    struct pdu_bind bind = a_bind(0);
    struct iovec io;
    struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control};
    struct cmsghdr *c;
    struct pdu_header h;
    int ends[2];
    char byte;

    do_bind(f->raw, &bind);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pdu_request_encode(&b, 5840, 2, 8, PRIVATE_OPNUM_PublishPorts, NULL, 0);
    io = (struct iovec){.iov_base = b.data, .iov_len = b.size};
    message.msg_controllen = sizeof(control);
    c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(253 * sizeof(int));
    for (unsigned i = 0; i < 253; i++)
        memcpy(CMSG_DATA(c) + i * sizeof(int), &ends[1], sizeof(int));
    assert_int_equal(sendmsg(f->raw->methods->fd(f->raw), &message, MSG_NOSIGNAL), b.size);
    close(ends[1]);
    assert_int_equal(hear(f->raw, &b, &h), -1);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* none of them is kept */
    close(ends[0]);
    expect_served(&f->server);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_transfer_syntaxes),
        CASE(test_big_endian_is_refused),
        CASE(test_unknown_group_is_refused),
        CASE(test_group_of_another_process_is_refused),
        CASE(test_protocol_errors_end_the_connection),
        CASE(test_small_fragments_and_alter_context),
        CASE(test_gone_with_calls_under_way),
        CASE(test_orphaned_call),
        CASE(test_slow_reader),
        CASE(test_request_that_is_too_long),
        CASE(test_requests_in_pieces),
        CASE(test_damaged_requests),
        CASE(test_descriptors_unasked),
        CASE(test_descriptors_that_linger),
        CASE(test_many_descriptors_end_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
