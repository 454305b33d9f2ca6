/* SPDX-License-Identifier: MIT */
#include "badinput/wire_stub.h"

#include <stdio.h>
#include <string.h>

#include "base/macro.h"

/* Every operation of both interfaces with whatever can be wrong in a request. Each is answered, by
 * a fault or by the operation's own code; the service goes on, for a witness too. */

#define BATCH 16u

static const struct rpc_interface *const interfaces[] = {&rpc_cmrp, &rpc_private};

/* ---- many requests, each with one answer ---- */

struct batch {
    struct peer *p;
    const struct rpc_interface *interface;
    const struct rpc_op *op;
    const struct handles *h;
    unsigned waiting; /* for an answer */
    bool closed;
};

static void end_waiting_calls(struct batch *b)
{
    struct cmrp_UnblockGetNotifyCall a = {
        .notify = op_is_about_v2(b->op) ? b->h->port_v2 : b->h->of[RPC_CONTEXT_NOTIFY]};
    _cleanup_(buffer_fini) struct buffer stub = {0};
    assert_int_equal(ndr_encode(&cmrp_op_UnblockGetNotifyCall, RPC_IN, &a, &stub), 0);
    peer_request(b->p, &rpc_cmrp, CMRP_OPNUM_UnblockGetNotifyCall, stub.data, stub.size);
    b->waiting++;
}

static void hear_all(struct batch *b)
{
    if (op_waits(b->op))
        end_waiting_calls(b);
    for (; b->waiting > 0; b->waiting--) {
        struct answer a = peer_hear(b->p);
        if (a.type != PDU_RESPONSE && a.type != PDU_FAULT)
            fail_msg("%s: answered by %d", b->op->name, a.type);
        if (a.type == PDU_FAULT)
            assert_true(a.fault == NCA_BAD_STUB_DATA || a.fault == NCA_CONTEXT_MISMATCH ||
                        a.fault == NCA_REMOTE_NO_MEMORY);
        buffer_fini(&a.stub);
    }
}

static void ask(struct batch *b, const void *stub, size_t size)
{
    peer_request(b->p, b->interface, b->op->opnum, stub, size);
    if (++b->waiting == BATCH)
        hear_all(b);
}

static void ask_truncated(struct batch *b, const struct buffer *stub)
{
    for (size_t size = 0; size < stub->size; size++)
        ask(b, stub->data, size);
}

static void ask_with_bad_words(struct batch *b, const struct buffer *stub)
{
    const uint32_t bad[] = {0,       1,          2,          0x7f,       0xffff,
                            0x20000, 0x7fffffff, 0x80000000, 0xfffffffe, UINT32_MAX};
    _cleanup_(buffer_fini) struct buffer copy = {0};
    buffer_append(&copy, stub->data, stub->size);
    for (size_t at = 0; at + 4 <= stub->size; at += 4) {
        for (size_t i = 0; i < ARRAY_SIZE(bad) + 2; i++) {
            uint32_t word;
            memcpy(&word, stub->data + at, 4);
            word = i < ARRAY_SIZE(bad) ? bad[i] : i == ARRAY_SIZE(bad) ? word + 1 : word - 1;
            buffer_put_u32(&copy, at, word);
            ask(b, copy.data, copy.size);
        }
        memcpy(copy.data + at, stub->data + at, 4);
    }
}

static void ask_too_much(struct batch *b, const struct buffer *stub)
{
    _cleanup_(buffer_fini) struct buffer copy = {0};
    buffer_append(&copy, stub->data, stub->size);
    buffer_append_zero(&copy, 3 * PDU_MOST_FRAGMENT);
    ask(b, copy.data, copy.size);
}

/* ---- handles ---- */

static void expect_mismatch(struct batch *b, const struct buffer *stub)
{
    uint32_t call = peer_request(b->p, b->interface, b->op->opnum, stub->data, stub->size);
    struct answer a = peer_hear(b->p);
    if (a.type != PDU_FAULT || a.fault != NCA_CONTEXT_MISMATCH || a.call != call)
        fail_msg("%s: a bad handle was answered by %d, %#x", b->op->name, a.type, a.fault);
    buffer_fini(&a.stub);
}

/* Null, stale, another association's, of the wrong kind, nobody's. */
static void ask_with_bad_handles(struct batch *b, const struct buffer *stub,
                                 const struct rpc_context *foreign)
{
    struct cmrp_OpenCluster opening = {0};
    PEER_CALL(b->p, OpenCluster, &opening);
    struct rpc_context stale = opening.cluster;
    struct cmrp_CloseCluster closing = {.cluster = stale};
    PEER_CALL(b->p, CloseCluster, &closing);
    struct rpc_context nobodys = b->h->of[RPC_CONTEXT_GROUP];
    nobodys.wire[7] ^= 0x55;
    const struct rpc_context bad[] = {{.wire = {0}}, stale, *foreign, nobodys};
    size_t at = 0;
    for (unsigned i = 0; i < b->op->param_count; i++) {
        const struct rpc_param *param = &b->op->params[i];
        if (!(param->direction & RPC_IN))
            continue;
        if (!rpc_type_is_context(param->type))
            break; /* handles come first, but for ResourceTypeControl's node */
        for (size_t k = 0; k <= ARRAY_SIZE(bad); k++) {
            _cleanup_(buffer_fini) struct buffer copy = {0};
            struct rpc_context wrong =
                b->h->of[param->type == RPC_CONTEXT_KEY ? RPC_CONTEXT_NODE : RPC_CONTEXT_KEY];
            if (k == ARRAY_SIZE(bad) && param->type == RPC_CONTEXT_ANY)
                continue;
            buffer_append(&copy, stub->data, stub->size);
            memcpy(copy.data + at, k < ARRAY_SIZE(bad) ? bad[k].wire : wrong.wire,
                   RPC_CONTEXT_SIZE);
            expect_mismatch(b, &copy);
        }
        at += RPC_CONTEXT_SIZE;
    }
}

/* ---- the witness ---- */

static void expect_event(struct rig *rig, struct rpc_context port, unsigned number)
{
    char name[32];
    snprintf(name, sizeof(name), "witness %u", number);
    create_group(rig, name);
    struct cmrp_GetNotify event;
    do
        event = next_event(rig, port);
    while (event.result == 0 && strcmp(event.name, name) != 0);
    assert_int_equal(event.result, 0);
    rpc_arena_fini(&rig->arena);
}

static void try_everything(struct rig *rig, const struct rpc_interface *interface,
                           const struct rpc_op *op, const struct rpc_context *foreign)
{
    struct peer p;
    struct handles h = {0};
    _cleanup_(buffer_fini) struct buffer stub = {0};
    struct batch b = {.p = &p, .interface = interface, .op = op, .h = &h};
    peer_connect(&p, service_socket(rig->service));
    open_handles(&p, &h);
    make_stub(&p, op, &h, &stub);
    ask_with_bad_handles(&b, &stub, foreign);
    ask_truncated(&b, &stub);
    ask_with_bad_words(&b, &stub);
    hear_all(&b);
    peer_close(&p);
    peer_connect(&p, service_socket(rig->service));
    open_handles(&p, &h);
    buffer_clear(&stub);
    make_stub(&p, op, &h, &stub);
    ask_too_much(&b, &stub);
    hear_all(&b);
    peer_close(&p);
}

/* So that the service has its timers, too, when its descriptors are counted. */
static void bring_something_online(struct rig *rig)
{
    struct rpc_context states = create_port(rig, 0x100, 1); /* of resources */
    struct cmrp_OnlineResource a = {.resource = create_resource(rig, create_group(rig, "running"),
                                                                "running", "ocf:heartbeat:Dummy")};
    CALL(rig, OnlineResource, &a);
    wait_resource_state(rig, states, a.resource, 2);
    struct cmrp_CloseNotify closing = {.notify = states};
    CALL(rig, CloseNotify, &closing);
}

static void every_operation_with_every_bad_request(void **state)
{
    (void)state;
    struct rig rig;
    const char *const args[] = {"--networks", "lo", NULL};
    rig_start(&rig, args);
    struct rpc_context port = create_port(&rig, 0x4000, 1); /* groups are added */
    struct rpc_context foreign = create_group(&rig, "foreign");
    expect_event(&rig, port, 0);
    bring_something_online(&rig);
    unsigned before = descriptors_of(&rig), operations = 0;
    for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
        for (unsigned opnum = 0; opnum < interfaces[i]->op_count; opnum++) {
            const struct rpc_op *op = rpc_interface_op(interfaces[i], opnum);
            if (!op)
                continue;
            try_everything(&rig, interfaces[i], op, &foreign);
            operations++;
            if (operations % 16 == 0)
                expect_event(&rig, port, operations);
            assert_int_equal(group_code(&rig, "foreign"), 0);
        }
    }
    assert_true(operations > 100);
    expect_event(&rig, port, operations + 1);
    wait_for_descriptors(&rig, before);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_with_every_bad_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
