/* SPDX-License-Identifier: MIT */
#include "badinput/wire_stub.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/macro.h"

/* Whoever may only look is denied each operation that changes something. An operation that is not
 * in this list must be denied, or not exist. */
static const struct rpc_op *const reads[] = {
#define R(op) &cmrp_op_##op
    R(OpenCluster),
    R(OpenClusterEx),
    R(CloseCluster),
    R(GetClusterName),
    R(GetClusterVersion2),
    R(GetQuorumResource),
    R(CreateEnum),
    R(CreateEnumEx),
    R(OpenResource),
    R(OpenResourceEx),
    R(CloseResource),
    R(GetResourceState),
    R(GetResourceId),
    R(GetResourceType),
    R(CanResourceBeDependent),
    R(CreateResEnum),
    R(AddResourceNode),
    R(CreateResTypeEnum),
    R(GetRootKey),
    R(OpenKey),
    R(EnumKey),
    R(QueryValue),
    R(EnumValue),
    R(CloseKey),
    R(QueryInfoKey),
    R(GetKeySecurity),
    R(OpenGroup),
    R(OpenGroupEx),
    R(CloseGroup),
    R(GetGroupState),
    R(GetGroupId),
    R(GetNodeId),
    R(CreateGroupResourceEnum),
    R(CreateNotify),
    R(CreateNotifyV2),
    R(CloseNotify),
    R(AddNotifyCluster),
    R(AddNotifyNode),
    R(AddNotifyGroup),
    R(AddNotifyResource),
    R(AddNotifyKey),
    R(AddNotifyNetwork),
    R(AddNotifyNetInterface),
    R(ReAddNotifyNode),
    R(ReAddNotifyGroup),
    R(ReAddNotifyResource),
    R(ReAddNotifyNetwork),
    R(ReAddNotifyNetInterface),
    R(AddNotifyV2),
    R(UnblockGetNotifyCall),
    R(OpenNode),
    R(OpenNodeEx),
    R(CloseNode),
    R(GetNodeState),
    R(OpenNetwork),
    R(OpenNetworkEx),
    R(CloseNetwork),
    R(GetNetworkState),
    R(GetNetworkId),
    R(CreateNetworkEnum),
    R(OpenNetInterface),
    R(OpenNetInterfaceEx),
    R(CloseNetInterface),
    R(GetNetInterfaceState),
    R(GetNetInterface),
    R(GetNetInterfaceId),
    R(CreateNodeEnum),
    R(CreateNodeEnumEx),
    R(GetResourceDependencyExpression),
    R(GetResourceNetworkName),
    R(CreateGroupEnum),
    R(CreateResourceEnum),
    /* Their code says whether they change anything: below. */
    R(ClusterControl),
    R(NodeClusterControl),
    R(ResourceControl),
    R(NodeResourceControl),
    R(ResourceTypeControl),
    R(NodeResourceTypeControl),
    R(GroupControl),
    R(NodeGroupControl),
    R(NodeControl),
    R(NodeNodeControl),
    R(NetworkControl),
    R(NodeNetworkControl),
    R(NetInterfaceControl),
    R(NodeNetInterfaceControl),
#undef R
    &private_op_OpenFeed,
    &private_op_ReadJournal,
    &private_op_Snapshot,
    &private_op_PublishPorts,
    &private_op_ListPorts,
    &private_op_ServiceInfo,
    &private_op_Identify,
};

static bool is_read(const struct rpc_op *op)
{
    for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
        if (reads[i] == op)
            return true;
    return false;
}

static uint32_t code_of(struct peer *p, const struct rpc_interface *interface,
                        const struct rpc_op *op, const struct buffer *stub)
{
    uint8_t *args = rpc_arena_alloc(&p->arena, op->args_size);
    assert_int_equal(ndr_decode(op, RPC_IN, stub->data, stub->size, &p->arena, args), 0);
    peer_request(p, interface, op->opnum, stub->data, stub->size);
    struct answer a = peer_hear(p);
    if (a.type == PDU_FAULT && a.fault == NCA_CONTEXT_MISMATCH)
        return ERR_CALL_NOT_IMPLEMENTED; /* of a kind that is never made */
    if (a.type != PDU_RESPONSE)
        fail_msg("%s: answered by %d, %#x", op->name, a.type, a.fault);
    assert_int_equal(ndr_decode(op, RPC_OUT, a.stub.data, a.stub.size, &p->arena, args), 0);
    buffer_fini(&a.stub);
    return rpc_op_status(op, args);
}

static void expect_denied(struct peer *p, const struct rpc_interface *interface,
                          const struct rpc_op *op, const struct buffer *stub, bool denied)
{
    uint32_t code = code_of(p, interface, op, stub);
    bool right = denied ? code == ERR_ACCESS_DENIED || code == ERR_CALL_NOT_IMPLEMENTED
                        : code != ERR_ACCESS_DENIED;
    if (!right)
        fail_msg("%s: %u", op->name, code);
}

/* The parameter that is the control code; NULL: the operation has none. */
static const struct rpc_param *control_code(const struct rpc_op *op)
{
    const char *end = strstr(op->name, "Control");
    for (unsigned i = 0; end && i < op->param_count; i++)
        if (op->params[i].type == RPC_U32 && op->params[i].direction == RPC_IN)
            return &op->params[i];
    return NULL;
}

/* Setting properties, of whatever object the code says it is for. */
static void expect_controls_denied(struct peer *p, const struct rpc_interface *interface,
                                   const struct rpc_op *op, const struct buffer *stub)
{
    const struct rpc_param *code = control_code(op);
    for (uint32_t object = 1; code && object <= 7; object++) {
        for (uint32_t function = 0x40005e; function <= 0x400086; function += 0x28) {
            _cleanup_(buffer_fini) struct buffer changed = {0};
            uint8_t *args = rpc_arena_alloc(&p->arena, op->args_size);
            assert_int_equal(ndr_decode(op, RPC_IN, stub->data, stub->size, &p->arena, args), 0);
            *(uint32_t *)(args + code->offset) = object << 24 | function;
            assert_int_equal(ndr_encode(op, RPC_IN, args, &changed), 0);
            uint32_t result = code_of(p, interface, op, &changed);
            if (result != ERR_ACCESS_DENIED && result != ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND)
                fail_msg("%s with a code that changes: %u", op->name, result);
        }
    }
}

static void try_operation(const char *socket, const struct rpc_interface *interface,
                          const struct rpc_op *op, bool may_read)
{
    struct peer p;
    struct handles h = {0};
    _cleanup_(buffer_fini) struct buffer stub = {0};
    if (op_waits(op))
        return;
    peer_connect(&p, socket);
    if (may_read)
        open_handles(&p, &h);
    make_stub(&p, op, &h, &stub);
    expect_denied(&p, interface, op, &stub, !may_read || !is_read(op));
    if (may_read)
        expect_controls_denied(&p, interface, op, &stub);
    peer_close(&p);
}

/* In a child that became another user. */
static void as_another_user(struct rig *rig, bool may_read)
{
    assert_int_equal(chmod(service_folder(rig->service), 0755), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(2);
        const struct rpc_interface *const interfaces[] = {&rpc_cmrp, &rpc_private};
        for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++)
            for (unsigned n = 0; n < interfaces[i]->op_count; n++)
                if (rpc_interface_op(interfaces[i], n))
                    try_operation(service_socket(rig->service), interfaces[i],
                                  rpc_interface_op(interfaces[i], n), may_read);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int64_t last_revision(struct rig *rig)
{
    struct private_ServiceInfo a = {0};
    CALL_PRIVATE(rig, ServiceInfo, &a);
    assert_int_equal(a.result, 0);
    return a.last_revision;
}

static void run(const char *const args[], bool may_read)
{
    if (geteuid() != 0)
        skip(); /* needs root to become another user */
    struct rig rig;
    rig_start(&rig, args);
    struct peer p;
    struct handles h = {0};
    peer_connect(&p, service_socket(rig.service));
    open_handles(&p, &h); /* makes the victims */
    peer_close(&p);
    int64_t before = last_revision(&rig);
    as_another_user(&rig, may_read);
    assert_int_equal(last_revision(&rig), before);
    rig_stop(&rig);
}

static void who_may_look_may_not_change(void **state)
{
    (void)state;
    run((const char *const[]){"--networks", "lo", NULL}, true);
}

static void who_may_nothing_gets_nothing(void **state)
{
    (void)state;
    run((const char *const[]){"--networks", "lo", "--read-group", "daemon", NULL}, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_look_may_not_change),
        cmocka_unit_test(who_may_nothing_gets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
