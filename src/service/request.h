/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_REQUEST_H
#define SERVICE_REQUEST_H

#include "base/macro.h"
#include "base/map.h"
#include "service/access.h"
#include "service/service.h"

/* One call on its way through the service. An operation is written as READ(op) or REQUEST(op) with
 * a body; what is the same for all of them (access, the gate that holds back a reply until what it
 * was computed from is durable, the way through the pipeline) is in request.c.
 *
 *   READ(GetNodeState) { ... fills a->state from the model; returns a Win32 code }
 *   REQUEST(OnlineGroup) { ... fills *in; returns a Win32 code }
 *
 * If a REQUEST leaves in->kind at INPUT_NONE, its code is the answer. */

/* A client: an association of the RPC. */
struct client {
    struct service *service;
    struct rpc_association *association;
    enum access access;
    unsigned feeds; /* that it was given */
    int ports_fd;   /* its page of port counters, -1 */
};

/* What a context handle stands for: never a pointer into the model, the object may be gone. */
struct target {
    enum object_type type;
    char *id;
    uint64_t owner;  /* this handle's number: registrations that end with it */
    bool registered; /* there may be some */
    struct client *client;
    struct service *service;
};

struct request {
    struct pipeline_request flight;
    struct service *service;
    struct client *client;
    struct rpc_call *call;
    const struct rpc_op *op;
    void *args;
    /* Called when the model's answer is durable; gives the call's result. NULL: the answer is it.
     */
    uint32_t (*finish)(struct request *r, uint32_t result);
    char new_id[GUID_TEXT_SIZE];
};

/* NULL: memory is short, and the call is answered. */
struct request *request_begin(struct rpc_call *call, const struct rpc_op *op, void *args);
uint32_t request_access(const struct request *r, enum access wanted); /* 0 or ACCESS_DENIED */
/* The reply leaves when all is durable that the model says now. */
void request_answer(struct request *r, uint32_t result);
void request_submit(struct request *r, struct model_input *in, uint32_t code);
/* The call's result stands in its arguments' status; replies now. */
void request_reply(struct request *r, uint32_t result);
/* What OpenXEx grants of what is desired. ERROR_ACCESS_DENIED: more than the client may have. */
uint32_t request_granted(const struct request *r, uint32_t desired, uint32_t *ret);

/* Opens a context handle of kind RPC_CONTEXT_*. A Win32 code. */
uint32_t request_open(struct request *r, unsigned kind, const char *id, struct rpc_context *ret);
uint32_t request_close(struct request *r, struct rpc_context *c);
uint32_t request_new_id(struct request *r, struct model_input *in);
const struct model *request_model(const struct request *r);

/* The object behind a context handle, NULL: it is gone. */
struct target *target_of(const struct rpc_context *c);
const struct node *target_node(const struct request *r, const struct rpc_context *c);
const struct group *target_group(const struct request *r, const struct rpc_context *c);
const struct resource *target_resource(const struct request *r, const struct rpc_context *c);
const struct network *target_network(const struct request *r, const struct rpc_context *c);
const struct netinterface *target_netinterface(const struct request *r,
                                               const struct rpc_context *c);
const struct registry_key *target_key(const struct request *r, const struct rpc_context *c);
const struct object *target_object(const struct request *r, const struct target *t);

/* A copy in the call's arena. NULL: memory is short (or text is NULL). */
char *request_text(const struct request *r, const char *text);
/* *ret is such a copy. A Win32 code. */
uint32_t request_give_text(const struct request *r, const char *text, char **ret);
uint32_t request_give_bytes(const struct request *r, const void *data, size_t size,
                            struct rpc_bytes *ret);
void *request_alloc(const struct request *r, size_t size); /* zeroed, in the arena */

/* Room for `most` entries; then one by one. */
uint32_t enum_begin(const struct request *r, size_t most, struct rpc_enum_list *list);
uint32_t enum_add(const struct request *r, struct rpc_enum_list *list, uint32_t type,
                  const char *name);

/* The set of the names in a MULTI_SZ as on the wire; map_destroy() it. A Win32 code. */
uint32_t names_of(const struct rpc_bytes *multi_sz, struct map **ret);
/* Those properties of an object. */
uint32_t properties_chosen(const struct request *r, const struct object *o,
                           enum property_scope scope, const struct map *names,
                           struct rpc_bytes *ret);

#define _unused_ __attribute__((unused))

#define OPERATION_READ(interface, op)                                                              \
    static uint32_t read_##op(struct request *r, struct interface##_##op *a);                      \
    void op_##op(struct rpc_call *call, void *args)                                                \
    {                                                                                              \
        struct request *r = request_begin(call, &interface##_op_##op, args);                       \
        if (!r)                                                                                    \
            return;                                                                                \
        uint32_t code = request_access(r, ACCESS_READ);                                            \
        request_answer(r, code ? code : read_##op(r, args));                                       \
    }                                                                                              \
    static uint32_t read_##op(_unused_ struct request *r, _unused_ struct interface##_##op *a)

#define READ(op) OPERATION_READ(cmrp, op)

#define REQUEST(op)                                                                                \
    static uint32_t request_##op(struct request *r, struct cmrp_##op *a, struct model_input *in);  \
    void op_##op(struct rpc_call *call, void *args)                                                \
    {                                                                                              \
        struct request *r = request_begin(call, &cmrp_op_##op, args);                              \
        if (!r)                                                                                    \
            return;                                                                                \
        struct model_input in = {0};                                                               \
        uint32_t code = request_access(r, ACCESS_ALL);                                             \
        request_submit(r, &in, code ? code : request_##op(r, args, &in));                          \
    }                                                                                              \
    static uint32_t request_##op(_unused_ struct request *r, struct cmrp_##op *a,                  \
                                 struct model_input *in)

/* An operation that is known and always answered with one code. */
#define REFUSED(op, code)                                                                          \
    void op_##op(struct rpc_call *call, void *args)                                                \
    {                                                                                              \
        struct request *r = request_begin(call, &cmrp_op_##op, args);                              \
        if (r)                                                                                     \
            request_reply(r, (code));                                                              \
    }

#define OP(number, name) void op_##name(struct rpc_call *call, void *args);
CMRP_OPS(OP)
PRIVATE_OPS(OP)
#undef OP

#endif
