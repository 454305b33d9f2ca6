/* SPDX-License-Identifier: MIT */
#include "lib/control.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "clusapi.h"
#include "lib/control_translate.h"
#include "lib/object_kinds.h"
#include "lib/wide.h"

/* Room for an answer whose size in the caller's form is not known beforehand. */
#define FIRST_ROOM 4096u
#define MOST_ROOM (16u << 20)
#define MOST_ATTEMPTS 8
#define MOST_INPUT (2 * MOST_ROOM) /* what is larger is not even copied */

/* Control operations differ only in what they begin with. */
struct control_tail {
    uint32_t code;
    struct rpc_bytes input, output;
    uint32_t required, rpc_status, result;
};
struct control_args {
    struct rpc_context object;
    struct control_tail tail;
};
struct control_node_args {
    struct rpc_context object, host_node;
    struct control_tail tail;
};
struct control_type_args {
    struct rpc_context cluster;
    char *type_name;
    struct control_tail tail;
};
struct control_type_node_args {
    struct rpc_context cluster;
    char *type_name;
    struct rpc_context host_node;
    struct control_tail tail;
};

#define SAME_FORM(op, form)                                                                        \
    _Static_assert(sizeof(struct cmrp_##op) == sizeof(struct form) &&                              \
                       offsetof(struct cmrp_##op, code) == offsetof(struct form, tail.code) &&     \
                       offsetof(struct cmrp_##op, input) == offsetof(struct form, tail.input) &&   \
                       offsetof(struct cmrp_##op, output) == offsetof(struct form, tail.output) && \
                       offsetof(struct cmrp_##op, required) ==                                     \
                           offsetof(struct form, tail.required) &&                                 \
                       offsetof(struct cmrp_##op, result) == offsetof(struct form, tail.result),   \
                   #op)
#define SAME_FORMS(kind)                                                                           \
    SAME_FORM(kind##Control, control_args);                                                        \
    SAME_FORM(Node##kind##Control, control_node_args)
SAME_FORMS(Cluster);
SAME_FORMS(Node);
SAME_FORMS(Group);
SAME_FORMS(Resource);
SAME_FORMS(Network);
SAME_FORMS(NetInterface);
SAME_FORM(ResourceTypeControl, control_type_args);
SAME_FORM(NodeResourceTypeControl, control_type_node_args);

struct request {
    struct object *object;
    struct object *host_node; /* or NULL */
    char *type_name;          /* or NULL */
    struct control_tail tail; /* as asked, then as answered */
};

/* ---- one call ---- */

static uint32_t call(struct request *q, struct rpc_arena *arena)
{
    const struct object_kind *kind = object_kind(q->object->handle.kind);
    union {
        struct control_args plain;
        struct control_node_args node;
        struct control_type_args type;
        struct control_type_node_args type_node;
    } a = {0};
    struct control_tail *tail = &a.plain.tail;
    const struct rpc_op *op = kind->control;
    struct rpc_context *node_slot = NULL;

    if (q->type_name && q->host_node) {
        op = &cmrp_op_NodeResourceTypeControl;
        a.type_node.type_name = q->type_name;
        node_slot = &a.type_node.host_node;
        tail = &a.type_node.tail;
    } else if (q->type_name) {
        op = &cmrp_op_ResourceTypeControl;
        a.type.type_name = q->type_name;
        tail = &a.type.tail;
    } else if (q->host_node) {
        op = kind->node_control;
        node_slot = &a.node.host_node;
        tail = &a.node.tail;
    }
    *tail = q->tail;
    struct session_call c = {.interface = &rpc_cmrp,
                             .op = op,
                             .args = &a,
                             .arena = arena,
                             .read = (q->tail.code & CLCTL_MODIFY_MASK) == 0 &&
                                     (q->tail.code & CLCTL_USER_MASK) == 0,
                             .contexts = {{&q->object->context, &a.plain.object}}};
    if (q->host_node) {
        c.contexts[1].context = &q->host_node->context;
        c.contexts[1].slot = node_slot;
    }
    uint32_t error = session_call(q->object->session, &c);
    q->tail = *tail;
    return error;
}

/* Answers with the whole of what there is, however much; the bytes are in `arena`. */
static uint32_t call_for_all(struct request *q, uint32_t room, struct rpc_arena *arena)
{
    room = MIN(MAX(room, FIRST_ROOM), MOST_ROOM);
    for (unsigned i = 0; i < MOST_ATTEMPTS; i++) {
        q->tail.output = (struct rpc_bytes){.capacity = room};
        uint32_t error = call(q, arena);
        if (error != ERR_MORE_DATA || q->tail.required <= room || q->tail.required > MOST_ROOM)
            return error;
        room = q->tail.required;
    }
    return ERR_MORE_DATA;
}

/* ---- the caller's buffers ---- */

static uint32_t error_of_input(enum shape shape, int r)
{
    switch (r) {
    case -EBADMSG:
        return shape == SHAPE_TEXT ? ERR_INVALID_PARAMETER : ERR_INVALID_DATA;
    case -ENOBUFS:
        return ERR_INSUFFICIENT_BUFFER;
    default:
        return error_from_errno(r);
    }
}

static uint32_t give(const void *data, size_t size, void *out, uint32_t out_size,
                     uint32_t *ret_size)
{
    *ret_size = (uint32_t)size;
    if (size > out_size)
        return ERR_MORE_DATA;
    if (size > 0)
        memcpy(out, data, size);
    return 0;
}

/* Bytes go through as they are: one call, the sizes are the service's. */
static uint32_t run_bytes(struct request *q, void *out, uint32_t out_size, uint32_t *ret_size,
                          struct rpc_arena *arena)
{
    q->tail.output = (struct rpc_bytes){.capacity = MIN(out_size, MOST_ROOM)};
    uint32_t error = call(q, arena);
    if (error == ERR_MORE_DATA) {
        *ret_size = q->tail.required;
        return error;
    }
    /* An answer may be its size alone, where there was no room for more. */
    uint32_t given = 0, e = give(q->tail.output.data, q->tail.output.size, out, out_size, &given);
    *ret_size = MAX(given, out_size == 0 ? q->tail.required : 0);
    return error != 0 ? error : e;
}

static uint32_t run_shaped(struct request *q, enum shape shape, void *out, uint32_t out_size,
                           uint32_t *ret_size, struct rpc_arena *arena)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    uint32_t error = call_for_all(q, out_size, arena);
    if (error != 0)
        return error;
    int r = translate_from_wire(shape, q->tail.output.data, q->tail.output.size, &b);
    if (r < 0)
        return r == -ENOMEM ? ERR_NOT_ENOUGH_MEMORY : ERR_INVALID_DATA;
    return give(b.data, b.size, out, out_size, ret_size);
}

static uint32_t run(struct request *q, const void *in, uint32_t in_size, void *out,
                    uint32_t out_size, uint32_t *ret_size)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_(buffer_fini) struct buffer input = {0};
    uint32_t code = q->tail.code;
    enum shape in_shape = control_in_shape(code), out_shape = control_out_shape(code);

    int r = translate_to_wire(in_shape, in, in_size, &input);
    if (r < 0)
        return error_of_input(in_shape, r);
    q->tail.input = (struct rpc_bytes){.data = input.data, .size = (uint32_t)input.size};
    if (out_shape == SHAPE_BYTES)
        return run_bytes(q, out, out_size, ret_size, &arena);
    return run_shaped(q, out_shape, out, out_size, ret_size, &arena);
}

DWORD control(const void *handle, enum lib_handle_kind kind, LPCWSTR type_name,
              const void *host_node, DWORD code, const void *in, DWORD in_size, void *out,
              DWORD out_size, DWORD *ret_size)
{
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, kind);
    _cleanup_(object_unrefp) struct object *node = NULL;
    _cleanup_free_
    char *type = NULL;
    uint32_t size = 0;
    if (!o)
        return ERROR_INVALID_HANDLE;
    if (host_node) {
        node = object_acquire(host_node, LIB_HANDLE_NODE);
        if (!node || node->session != o->session)
            return ERROR_INVALID_HANDLE;
    }
    if ((!in && in_size > 0) || (!out && out_size > 0) || in_size > MOST_INPUT)
        return ERROR_INVALID_PARAMETER;
    int r = wide_to_utf8(type_name, &type);
    if (r < 0)
        return error_from_errno(r);
    struct request q = {.object = o, .host_node = node, .type_name = type, .tail.code = code};
    uint32_t error = run(&q, in, in_size, out, out_size, &size);
    if (ret_size)
        *ret_size = size;
    return error;
}

static uint32_t read_cluster_name(struct object *o, char **ret)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetClusterName a = {0};
    uint32_t error = object_ask(o, &cmrp_op_GetClusterName, &a, &arena);
    if (error != 0)
        return error;
    char *name = strdup(a.cluster_name ? a.cluster_name : "");
    if (!name)
        return ERR_NOT_ENOUGH_MEMORY;
    *ret = name;
    return 0;
}

uint32_t object_read_name(struct object *o, char **ret)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    if (o->type == OBJECT_CLUSTER)
        return read_cluster_name(o, ret);
    struct request q = {.object = o, .tail.code = object_kind(o->handle.kind)->get_name};
    if (q.tail.code == 0) {
        char *none = strdup("");
        if (!none)
            return ERR_NOT_ENOUGH_MEMORY;
        *ret = none;
        return 0;
    }
    uint32_t error = call_for_all(&q, 0, &arena);
    if (error != 0)
        return error;
    int r = utf16_to_utf8(q.tail.output.data, q.tail.output.size / 2, ret);
    return r < 0 ? error_from_errno(r) : 0;
}
