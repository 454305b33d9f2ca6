/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/macro.h"
#include "rpc/server_internal.h"

struct context {
    struct handle_object base;
    struct quota *quota;
    void *object;
    void (*close)(void *object);
};

static struct rpc_association *find(struct rpc_server *s, uint32_t group)
{
    struct rpc_association *a = s->associations;

    while (a && a->group != group)
        a = a->next;
    return a;
}

static struct rpc_association *association_create(struct connection *c)
{
    struct rpc_server *s = c->server;
    struct rpc_association *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->contexts = handle_table_create((uint32_t)c->account->of[RPC_CONTEXTS].most);
    if (!a->contexts || getrandom(&a->nonce, sizeof(a->nonce), 0) != sizeof(a->nonce)) {
        handle_table_destroy(a->contexts);
        free(a);
        return NULL;
    }
    do
        s->last_group++;
    while (s->last_group == 0 || find(s, s->last_group));
    a->group = s->last_group;
    a->server = s;
    a->peer = c->peer;
    a->account = account_ref(c->account);
    a->next = s->associations;
    if (a->next)
        a->next->previous = a;
    s->associations = a;
    return a;
}

int association_join(struct connection *c, uint32_t group)
{
    struct rpc_association *a;

    if (group == 0) {
        a = association_create(c);
        if (!a)
            return -ENOMEM;
    } else {
        a = find(c->server, group);
        /* Group numbers are no secret: only the process that made it may use its handles. */
        if (!a || a->peer.uid != c->peer.uid || a->peer.pid != c->peer.pid)
            return -ENOENT;
    }
    a->connections++;
    c->association = association_ref(a);
    return 0;
}

void association_leave(struct rpc_association *a)
{
    if (--a->connections == 0) {
        if (a->previous)
            a->previous->next = a->next;
        else
            a->server->associations = a->next;
        if (a->next)
            a->next->previous = a->previous;
        a->server = NULL;
    }
    association_unref(a);
}

struct rpc_association *association_ref(struct rpc_association *a)
{
    a->references++;
    return a;
}

void association_unref(struct rpc_association *a)
{
    if (--a->references > 0)
        return;
    /* Closing may look at the association, its data included. */
    a->references++;
    handle_table_destroy(a->contexts);
    if (a->close_data)
        a->close_data(a->data);
    account_unref(a->account);
    free(a);
}

static void context_release(struct handle_object *o)
{
    struct context *context = container_of(o, struct context, base);

    if (context->close)
        context->close(context->object);
    quota_give(context->quota, 1);
    free(context);
}

static void put_u64(uint8_t *to, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_u64(const uint8_t *from)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)from[i] << (8 * i);
    return v;
}

/* On the wire: 4 bytes of attributes (none), the handle, the association's nonce. */
static handle_t handle_of(const struct rpc_association *a, const struct rpc_context *c)
{
    static const uint8_t no_attributes[4];

    if (memcmp(c->wire, no_attributes, sizeof(no_attributes)) != 0 ||
        get_u64(c->wire + 12) != a->nonce)
        return 0;
    return get_u64(c->wire + 4);
}

int rpc_context_open(struct rpc_association *a, unsigned kind, void *object,
                     void (*close)(void *object), struct rpc_context *ret)
{
    struct quota *quota = &a->account->of[RPC_CONTEXTS];
    struct context *context;
    handle_t handle;
    int r;

    PRE(rpc_type_is_context(kind) && kind != RPC_CONTEXT_ANY);
    if (!quota_take(quota, 1))
        return -ENOSPC;
    context = calloc(1, sizeof(*context));
    r = context ? 0 : -ENOMEM;
    if (r == 0) {
        *context = (struct context){.quota = quota, .object = object, .close = close};
        r = handle_insert(a->contexts, &context->base, (uint16_t)kind, context_release, &handle);
    }
    if (r < 0) {
        free(context);
        quota_give(quota, 1);
        return r;
    }
    *ret = (struct rpc_context){.object = object, .kind = kind};
    put_u64(ret->wire + 4, handle);
    put_u64(ret->wire + 12, a->nonce);
    return 0;
}

void rpc_context_close(struct rpc_association *a, struct rpc_context *c)
{
    handle_unref(handle_remove(a->contexts, handle_of(a, c), 0));
    *c = (struct rpc_context){0};
}

struct handle_object *association_resolve(struct rpc_association *a, unsigned kind,
                                          struct rpc_context *c)
{
    struct handle_object *o =
        handle_acquire(a->contexts, handle_of(a, c), kind == RPC_CONTEXT_ANY ? 0 : (uint16_t)kind);

    if (o) {
        c->object = container_of(o, struct context, base)->object;
        c->kind = o->kind;
    }
    return o;
}

bool rpc_association_take(struct rpc_association *a, enum rpc_limit limit, uint64_t amount)
{
    return quota_take(&a->account->of[limit], amount);
}

void rpc_association_give(struct rpc_association *a, enum rpc_limit limit, uint64_t amount)
{
    quota_give(&a->account->of[limit], amount);
}

bool rpc_association_is_over(const struct rpc_association *a)
{
    return a->connections == 0;
}

void rpc_association_set_data(struct rpc_association *a, void *data, void (*close)(void *data))
{
    a->data = data;
    a->close_data = close;
}

void *rpc_association_data(struct rpc_association *a)
{
    return a->data;
}

void rpc_server_each_association(struct rpc_server *s,
                                 void (*each)(struct rpc_association *a,
                                              const struct rpc_peer *peer, void *context),
                                 void *context)
{
    for (struct rpc_association *a = s->associations; a; a = a->next)
        each(a, &a->peer, context);
}
