/* SPDX-License-Identifier: MIT */
#include "service/request.h"

#include <string.h>

#include "base/macro.h"
#include "base/text.h"
#include "service/codes.h"

static void client_close(void *data)
{
    struct client *c = data;
    if (c->ports_fd >= 0)
        close(c->ports_fd);
    free(c);
}

static struct client *client_of(struct rpc_call *call)
{
    struct rpc_association *a = rpc_call_association(call);
    struct client *c = rpc_association_data(a);
    if (c)
        return c;
    c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->service = rpc_call_context(call);
    c->association = a;
    c->access = access_of(c->service->options, rpc_call_peer(call));
    c->ports_fd = -1;
    rpc_association_set_data(a, c, client_close);
    return c;
}

static const size_t field_sizes[] = {
#define T(type, field) [RPC_##type] = sizeof(field),
    RPC_TYPES(T)
#undef T
};

/* Nothing that was computed may leave with an answer that says otherwise. */
static void wipe(struct request *r)
{
    struct rpc_association *a = rpc_call_association(r->call);
    for (unsigned i = 0; i < r->op->param_count; i++) {
        const struct rpc_param *p = &r->op->params[i];
        uint8_t *field = (uint8_t *)r->args + p->offset;
        if (p->direction != RPC_OUT)
            continue;
        if (rpc_type_is_context(p->type) && ((struct rpc_context *)field)->object)
            rpc_context_close(a, (struct rpc_context *)field);
        memset(field, 0, field_sizes[p->type]);
    }
}

void request_reply(struct request *r, uint32_t result)
{
    rpc_op_set_status(r->op, r->args, result);
    rpc_reply(r->call);
}

struct request *request_begin(struct rpc_call *call, const struct rpc_op *op, void *args)
{
    struct request *r = rpc_arena_alloc(rpc_call_arena(call), sizeof(*r));
    struct client *c = client_of(call);
    if (!r || !c) {
        rpc_op_set_status(op, args, ERR_NOT_ENOUGH_MEMORY);
        rpc_reply(call);
        return NULL;
    }
    r->service = c->service;
    r->client = c;
    r->call = call;
    r->op = op;
    r->args = args;
    return r;
}

uint32_t request_access(const struct request *r, enum access wanted)
{
    return r->client->access >= wanted ? ERR_SUCCESS : ERR_ACCESS_DENIED;
}

uint32_t request_granted(const struct request *r, uint32_t desired, uint32_t *ret)
{
    bool all = r->client->access == ACCESS_ALL;
    if ((desired & GENERIC_ALL_ACCESS) && !all)
        return ERR_ACCESS_DENIED;
    *ret = all && desired != GENERIC_READ_ACCESS ? GENERIC_ALL_ACCESS : GENERIC_READ_ACCESS;
    return ERR_SUCCESS;
}

static void on_read_durable(struct pipeline_wait *w, uint32_t error)
{
    struct request *r = container_of(w, struct request, flight.wait);
    if (error)
        wipe(r);
    request_reply(r, error ? error : r->flight.result);
}

void request_answer(struct request *r, uint32_t result)
{
    r->flight.result = result;
    r->flight.wait.done = on_read_durable;
    pipeline_when_durable(r->service->pipeline, &r->flight.wait);
}

/* It is done, and nothing that follows may say that it is not: a handle to it, or the reply itself,
 * can still fail. */
static void on_request_durable(struct pipeline_wait *w, uint32_t error)
{
    struct request *r = container_of(w, struct request, flight.wait);
    if (error) {
        request_reply(r, error);
        return;
    }
    uint32_t result = r->flight.result;
    if (r->finish)
        result = r->finish(r, result);
    if (result == ERR_NOT_ENOUGH_MEMORY && r->flight.result != result)
        result = ERR_RPC_S_CALL_FAILED;
    rpc_call_changed(r->call);
    request_reply(r, result);
}

void request_submit(struct request *r, struct model_input *in, uint32_t code)
{
    if (code || in->kind == INPUT_NONE) {
        request_answer(r, code);
        return;
    }
    const struct rpc_peer *peer = rpc_call_peer(r->call);
    in->actor.program = peer->program;
    in->actor.uid = peer->uid;
    in->actor.pid = peer->pid;
    r->flight.wait.done = on_request_durable;
    code = pipeline_request(r->service->pipeline, in, &r->flight);
    if (code)
        request_answer(r, code);
}

/* ---- context handles ---- */

static uint64_t target_cost(const struct target *t)
{
    return sizeof(*t) + strlen(t->id) + 1;
}

static void target_close(void *object)
{
    struct target *t = object;
    struct rpc_association *a = t->client->association;
    /* When all is over the ports end too: nothing to tell them. */
    if (t->registered && !rpc_association_is_over(a))
        notify_handle_closed(t->service, t->owner);
    rpc_association_give(a, RPC_MEMORY, target_cost(t));
    free(t->id);
    free(t);
}

static enum object_type type_of_context(unsigned kind)
{
    switch (kind) {
    case RPC_CONTEXT_CLUSTER:
        return OBJECT_CLUSTER;
    case RPC_CONTEXT_NODE:
        return OBJECT_NODE;
    case RPC_CONTEXT_GROUP:
        return OBJECT_GROUP;
    case RPC_CONTEXT_RESOURCE:
        return OBJECT_RESOURCE;
    case RPC_CONTEXT_NETWORK:
        return OBJECT_NETWORK;
    case RPC_CONTEXT_NETINTERFACE:
        return OBJECT_NETWORK_INTERFACE;
    default:
        return OBJECT_REGISTRY;
    }
}

uint32_t request_open(struct request *r, unsigned kind, const char *id, struct rpc_context *ret)
{
    struct target *t = calloc(1, sizeof(*t));
    char *copy = strdup(id);
    if (!t || !copy) {
        free(t);
        free(copy);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    t->type = type_of_context(kind);
    t->id = copy;
    t->owner = ++r->service->last_owner;
    t->client = r->client;
    t->service = r->service;
    struct rpc_association *a = r->client->association;
    if (!rpc_association_take(a, RPC_MEMORY, target_cost(t))) {
        free(t->id);
        free(t);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    if (rpc_context_open(a, kind, t, target_close, ret) < 0) {
        target_close(t);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    ret->object = t;
    return ERR_SUCCESS;
}

uint32_t request_close(struct request *r, struct rpc_context *c)
{
    rpc_context_close(rpc_call_association(r->call), c);
    return ERR_SUCCESS;
}

uint32_t request_new_id(struct request *r, struct model_input *in)
{
    if (guid_make(r->new_id) < 0)
        return ERR_GEN_FAILURE;
    in->new_id = r->new_id;
    return ERR_SUCCESS;
}

const struct model *request_model(const struct request *r)
{
    return pipeline_model(r->service->pipeline);
}

struct target *target_of(const struct rpc_context *c)
{
    return c->object;
}

const struct node *target_node(const struct request *r, const struct rpc_context *c)
{
    return model_node(request_model(r), target_of(c)->id);
}

const struct group *target_group(const struct request *r, const struct rpc_context *c)
{
    return model_group(request_model(r), target_of(c)->id);
}

const struct resource *target_resource(const struct request *r, const struct rpc_context *c)
{
    return model_resource(request_model(r), target_of(c)->id);
}

const struct network *target_network(const struct request *r, const struct rpc_context *c)
{
    return model_network(request_model(r), target_of(c)->id);
}

const struct netinterface *target_netinterface(const struct request *r, const struct rpc_context *c)
{
    return model_netinterface(request_model(r), target_of(c)->id);
}

const struct registry_key *target_key(const struct request *r, const struct rpc_context *c)
{
    return model_key(request_model(r), target_of(c)->id);
}

#define AS_OBJECT(pointer)                                                                         \
    ({                                                                                             \
        __typeof__(pointer) it_ = (pointer);                                                       \
        it_ ? &it_->o : NULL;                                                                      \
    })

const struct object *target_object(const struct request *r, const struct target *t)
{
    const struct model *m = request_model(r);
    switch (t->type) {
    case OBJECT_CLUSTER:
        return AS_OBJECT(model_cluster(m));
    case OBJECT_NODE:
        return AS_OBJECT(model_node(m, t->id));
    case OBJECT_GROUP:
        return AS_OBJECT(model_group(m, t->id));
    case OBJECT_RESOURCE:
        return AS_OBJECT(model_resource(m, t->id));
    case OBJECT_RESOURCE_TYPE:
        return AS_OBJECT(model_resource_type(m, t->id));
    case OBJECT_NETWORK:
        return AS_OBJECT(model_network(m, t->id));
    case OBJECT_NETWORK_INTERFACE:
        return AS_OBJECT(model_netinterface(m, t->id));
    case OBJECT_REGISTRY:
        return AS_OBJECT(model_key(m, t->id));
    default:
        return NULL;
    }
}

/* ---- what goes into a reply ---- */

void *request_alloc(const struct request *r, size_t size)
{
    return rpc_arena_alloc(rpc_call_arena(r->call), size);
}

char *request_text(const struct request *r, const char *text)
{
    return rpc_arena_text(rpc_call_arena(r->call), text);
}

uint32_t request_give_text(const struct request *r, const char *text, char **ret)
{
    char *copy = request_text(r, text ? text : "");
    if (!copy)
        return ERR_NOT_ENOUGH_MEMORY;
    *ret = copy;
    return ERR_SUCCESS;
}

uint32_t request_give_bytes(const struct request *r, const void *data, size_t size,
                            struct rpc_bytes *ret)
{
    void *copy = request_alloc(r, MAX(size, (size_t)1));
    if (!copy || size > UINT32_MAX)
        return ERR_NOT_ENOUGH_MEMORY;
    if (size)
        memcpy(copy, data, size);
    ret->data = copy;
    ret->size = (uint32_t)size;
    return ERR_SUCCESS;
}

uint32_t enum_begin(const struct request *r, size_t most, struct rpc_enum_list *list)
{
    struct rpc_enum_entry *entries = request_alloc(r, MAX(most, (size_t)1) * sizeof(*entries));
    if (!entries)
        return ERR_NOT_ENOUGH_MEMORY;
    list->entries = entries;
    list->count = 0;
    return ERR_SUCCESS;
}

uint32_t enum_add(const struct request *r, struct rpc_enum_list *list, uint32_t type,
                  const char *name)
{
    char *copy = request_text(r, name);
    if (!copy)
        return ERR_NOT_ENOUGH_MEMORY;
    list->entries[list->count++] = (struct rpc_enum_entry){.type = type, .name = copy};
    return ERR_SUCCESS;
}
