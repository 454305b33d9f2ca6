/* SPDX-License-Identifier: MIT */
#include "service/notify_port.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "port/port_table.h"

#define MOST_AT_A_TIME 64
#define MOST_BYTES_AT_A_TIME (1u << 20) /* about, so that every reply can be sent */

uint64_t notify_port_next_revision(const struct notify_port *p)
{
    return feed_head_revision(pipeline_feed(p->service->pipeline)) + 1;
}

/* ---- the calls that wait ---- */

static void unlink_call(struct notify_call *c)
{
    struct notify_call **at = &c->port->calls;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    if (!*at)
        c->port->calls_end = at;
}

static void finish_call(struct notify_call *c, uint32_t result)
{
    unlink_call(c);
    request_reply(c->request, result);
}

static void caller_gone(struct rpc_call *call, void *data)
{
    (void)call;
    finish_call(data, ERR_CANCELLED);
}

void notify_port_end_calls(struct notify_port *p, uint32_t result)
{
    while (p->calls)
        finish_call(p->calls, result);
}

/* ---- what they get ---- */

static struct notify_state_event *take_state_event(struct notify_port *p)
{
    struct notify_state_event *e = p->state_events;
    p->state_events = e->next;
    if (!p->state_events)
        p->state_events_end = &p->state_events;
    return e;
}

static void state_event_free(struct notify_state_event *e)
{
    free(e->name);
    free(e);
}

static uint32_t sequence_of(const struct request *r, const struct change *c)
{
    if (c->kind == CHANGE_NONE)
        return 0;
    struct target t = {.type = change_kind_info(c->kind)->object, .id = (char *)c->object_id};
    const struct object *o = target_object(r, &t);
    return o ? o->state_sequence : 0;
}

static uint32_t give_one(struct notify_call *c, const struct port_notification *n)
{
    struct cmrp_GetNotify *a = c->request->args;
    a->notify_key = (uint32_t)n->key;
    a->filter = n->v1_flag;
    a->state_sequence = sequence_of(c->request, &n->change);
    return request_give_text(c->request, n->name, &a->name);
}

static uint32_t give_state_event(struct notify_call *c, struct notify_state_event *e)
{
    if (c->form == NOTIFY_ONE) {
        struct cmrp_GetNotify *a = c->request->args;
        a->notify_key = e->key;
        a->filter = e->flag;
        a->state_sequence = e->sequence;
        return request_give_text(c->request, e->name, &a->name);
    }
    struct cmrp_GetNotifyAsync *a = c->request->args;
    struct rpc_notification *entry = request_alloc(c->request, sizeof(*entry));
    if (!entry)
        return ERR_NOT_ENOUGH_MEMORY;
    entry->key = e->key;
    entry->filter = e->flag;
    a->notifications.entries = entry;
    a->notifications.count = 1;
    return request_give_text(c->request, e->name, &entry->name);
}

static uint32_t fill_v1(const struct request *r, const struct port_notification *n,
                        struct rpc_notification *ret)
{
    ret->key = (uint32_t)n->key;
    ret->filter = n->v1_flag;
    return request_give_text(r, n->name, &ret->name);
}

static uint32_t fill_v2(const struct request *r, const struct port_notification *n,
                        struct rpc_notification_v2 *ret)
{
    ret->key = (uint32_t)n->key;
    ret->filter = (struct rpc_filter){.object_type = n->v2_type, .flags = n->v2_flag};
    _cleanup_(buffer_fini) struct buffer data = {0};
    if (n->change.kind != CHANGE_NONE && change_v2_buffer(&n->change, &data) < 0)
        return ERR_NOT_ENOUGH_MEMORY;
    uint32_t code = request_give_bytes(r, data.data, data.size, &ret->buffer);
    if (!code)
        code = request_give_text(r, n->object_id, &ret->object_id);
    if (!code)
        code = request_give_text(r, n->parent_id, &ret->parent_id);
    if (!code)
        code = request_give_text(r, n->name, &ret->name);
    return code ? code : request_give_text(r, n->type_name, &ret->type);
}

/* The entries of a call that takes many: how many are there already, and one more. */
static uint32_t give_another(struct notify_call *c, const struct port_notification *n)
{
    const struct request *r = c->request;
    if (c->form == NOTIFY_MANY) {
        struct rpc_notifications *list = &((struct cmrp_GetNotifyAsync *)r->args)->notifications;
        if (!list->entries)
            list->entries = request_alloc(r, MOST_AT_A_TIME * sizeof(*list->entries));
        if (!list->entries)
            return ERR_NOT_ENOUGH_MEMORY;
        uint32_t code = fill_v1(r, n, &list->entries[list->count]);
        list->count += code == ERR_SUCCESS;
        return code;
    }
    struct rpc_notifications_v2 *list = &((struct cmrp_GetNotifyV2 *)r->args)->notifications;
    if (!list->entries)
        list->entries = request_alloc(r, MOST_AT_A_TIME * sizeof(*list->entries));
    if (!list->entries)
        return ERR_NOT_ENOUGH_MEMORY;
    uint32_t code = fill_v2(r, n, &list->entries[list->count]);
    list->count += code == ERR_SUCCESS;
    return code;
}

/* ---- what a reply did not bring ---- */

static bool has_kept(const struct notify_port *p)
{
    return p->kept.list.count > 0 || p->kept.list_v2.count > 0;
}

/* What the call was given, with the memory that it lies in. */
static void keep(struct notify_call *c)
{
    struct notify_kept *k = &c->port->kept;
    struct rpc_arena *arena = rpc_call_arena(c->request->call);
    const void *args = c->request->args;

    switch (c->form) {
    case NOTIFY_ONE: {
        const struct cmrp_GetNotify *a = args;
        k->one =
            (struct rpc_notification){.key = a->notify_key, .filter = a->filter, .name = a->name};
        k->sequence = a->state_sequence;
        k->list = (struct rpc_notifications){.entries = &k->one, .count = 1};
        break;
    }
    case NOTIFY_MANY:
        k->list = ((const struct cmrp_GetNotifyAsync *)args)->notifications;
        break;
    case NOTIFY_MANY_V2:
        k->list_v2 = ((const struct cmrp_GetNotifyV2 *)args)->notifications;
        break;
    }
    k->arena = *arena;
    arena->blocks = NULL;
    arena->used = 0;
}

/* Shows it to a call; forget_kept() when the call has it. */
static void give_kept(struct notify_call *c)
{
    const struct notify_kept *k = &c->port->kept;
    void *args = c->request->args;

    if (c->form == NOTIFY_ONE) {
        struct cmrp_GetNotify *a = args;
        const struct rpc_notification *n = &k->list.entries[0];
        a->notify_key = n->key;
        a->filter = n->filter;
        a->name = n->name;
        a->state_sequence = n == &k->one ? k->sequence : 0;
    } else if (c->form == NOTIFY_MANY) {
        ((struct cmrp_GetNotifyAsync *)args)->notifications = k->list;
    } else {
        ((struct cmrp_GetNotifyV2 *)args)->notifications = k->list_v2;
    }
}

static void forget_kept(struct notify_kept *k, bool only_first)
{
    if (only_first && k->list.count > 1) {
        k->list.entries++;
        k->list.count--;
        return;
    }
    rpc_arena_fini(&k->arena);
    *k = (struct notify_kept){0};
}

/* ---- giving ---- */

/* PORT_NOTIFICATION: *ret is the call's result. What could not be given is not consumed. */
static enum port_result fill_call(struct notify_call *c, uint32_t *ret)
{
    struct notify_port *p = c->port;
    if (p->state_events) {
        *ret = give_state_event(c, p->state_events);
        if (*ret == ERR_SUCCESS)
            state_event_free(take_state_event(p));
        return PORT_NOTIFICATION;
    }
    unsigned most = c->form == NOTIFY_ONE ? 1 : MOST_AT_A_TIME, count = 0;
    enum port_result found = PORT_EMPTY;
    const struct rpc_arena *arena = rpc_call_arena(c->request->call);
    for (*ret = ERR_SUCCESS; count < most && arena->used < MOST_BYTES_AT_A_TIME; count++) {
        struct port_notification n;
        found = port_peek(p->port, feed_source_port(p->source), &n);
        if (found != PORT_NOTIFICATION)
            break;
        *ret = c->form == NOTIFY_ONE ? give_one(c, &n) : give_another(c, &n);
        if (*ret)
            break;
        port_consume(p->port);
    }
    if (count > 0)
        *ret = ERR_SUCCESS; /* they are consumed */
    return count > 0 || *ret ? PORT_NOTIFICATION : found;
}

/* The call ends; what its reply does not bring stays the port's. */
static void give(struct notify_call *c)
{
    struct notify_port *p = c->port;
    struct rpc_call *call = c->request->call;
    bool was_kept = has_kept(p), is_one = c->form == NOTIFY_ONE;

    unlink_call(c);
    if (was_kept)
        give_kept(c);
    rpc_op_set_status(c->request->op, c->request->args, ERR_SUCCESS);
    uint32_t fault = rpc_try_reply(call);
    if (fault == 0) {
        if (was_kept)
            forget_kept(&p->kept, is_one);
        return;
    }
    if (!was_kept)
        keep(c);
    rpc_fault(call, fault);
}

/* Nothing comes by itself to those who wait: they are told why, and ask again. */
static bool end_failed(struct notify_port *p)
{
    int error = feed_source_error(p->source);
    if (error < 0)
        notify_port_end_calls(p, error == -ENOMEM ? ERR_NOT_ENOUGH_MEMORY : ERR_IO_DEVICE);
    return error < 0;
}

static void serve(struct notify_port *p)
{
    while (p->calls) {
        uint32_t result = ERR_SUCCESS;
        enum port_result found = has_kept(p) ? PORT_NOTIFICATION : fill_call(p->calls, &result);
        if (found == PORT_AWAY && end_failed(p))
            return;
        if (found != PORT_NOTIFICATION)
            return;
        if (result == ERR_SUCCESS)
            give(p->calls);
        else
            finish_call(p->calls, result);
    }
}

static void page_arrived(void *context)
{
    struct notify_port *p = context;
    if (!end_failed(p))
        serve(p);
}

void notify_port_wait(struct notify_port *p, struct request *r, enum notify_form form)
{
    struct notify_call *c = request_alloc(r, sizeof(*c));
    if (!c) {
        request_reply(r, ERR_NOT_ENOUGH_MEMORY);
        return;
    }
    *c = (struct notify_call){.request = r, .form = form, .port = p};
    *p->calls_end = c;
    p->calls_end = &c->next;
    rpc_call_on_gone(r->call, caller_gone, c);
    serve(p);
}

/* ---- the port ---- */

static int64_t wall_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool notify_port_has_room(struct notify_port *p)
{
    uint64_t now = p->port->filter_count + 1;
    rpc_association_give(p->association, RPC_REGISTRATIONS, p->charged - now); /* closed ones */
    p->charged = now;
    if (!rpc_association_take(p->association, RPC_REGISTRATIONS, 1))
        return false;
    p->charged++;
    return true;
}

int notify_port_create(struct service *s, enum port_version version, struct rpc_association *a,
                       const struct rpc_peer *peer, struct notify_port **ret)
{
    if (!rpc_association_take(a, RPC_REGISTRATIONS, 1))
        return -ENOSPC;
    struct notify_port *p = calloc(1, sizeof(*p));
    if (!p) {
        rpc_association_give(a, RPC_REGISTRATIONS, 1);
        return -ENOMEM;
    }
    p->service = s;
    p->association = a;
    p->charged = 1;
    p->peer = *peer;
    p->id = ++s->last_owner;
    p->created_ns = wall_clock_ns();
    p->calls_end = &p->calls;
    p->state_events_end = &p->state_events;
    const char *cluster_name = model_cluster(pipeline_model(s->pipeline))->o.name;
    p->port = port_create(version, cluster_name, notify_port_next_revision(p));
    int r = p->port ? feed_source_create(pipeline_feed(s->pipeline), s->reader, page_arrived, p,
                                         &p->source)
                    : -ENOMEM;
    if (r < 0) {
        rpc_association_give(a, RPC_REGISTRATIONS, 1);
        port_destroy(p->port);
        free(p);
        return r;
    }
    p->link = &s->ports;
    p->next = s->ports;
    if (p->next)
        p->next->link = &p->next;
    s->ports = p;
    *ret = p;
    return 0;
}

void notify_port_close(struct notify_port *p)
{
    notify_port_end_calls(p, ERR_NO_MORE_ITEMS);
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    while (p->state_events)
        state_event_free(take_state_event(p));
    forget_kept(&p->kept, false);
    rpc_association_give(p->association, RPC_REGISTRATIONS, p->charged);
    feed_source_close(p->source);
    port_destroy(p->port);
    free(p);
}

int notify_port_put_state(struct notify_port *p, uint32_t key, uint32_t flag, uint32_t sequence,
                          const char *name)
{
    struct notify_state_event *e = calloc(1, sizeof(*e));
    char *copy = strdup(name);
    if (!e || !copy) {
        free(e);
        free(copy);
        return -ENOMEM;
    }
    *e = (struct notify_state_event){.key = key, .flag = flag, .sequence = sequence, .name = copy};
    *p->state_events_end = e;
    p->state_events_end = &e->next;
    serve(p);
    return 0;
}

void notify_published(struct service *s)
{
    for (struct notify_port *p = s->ports, *next; p; p = next) {
        next = p->next;
        serve(p);
    }
}

void notify_handle_closed(struct service *s, uint64_t owner)
{
    for (struct notify_port *p = s->ports; p; p = p->next)
        port_handle_closed(p->port, owner, notify_port_next_revision(p));
}

static struct port_info info_of(const struct notify_port *p)
{
    struct port_info info = {.id = p->id,
                             .version = p->port->version,
                             .registrations = (uint32_t)p->port->filter_count,
                             .created_ns = p->created_ns,
                             .revision = p->port->revision,
                             .delivered = p->port->delivered,
                             .lost = p->port->lost};
    memcpy(info.kinds, p->port->kinds, sizeof(info.kinds));
    for (const struct notify_call *c = p->calls; c; c = c->next)
        info.waiting++;
    return info;
}

int notify_port_list(const struct service *s, struct buffer *out)
{
    int r = 0;
    for (const struct notify_port *p = s->ports; p && r == 0; p = p->next) {
        struct port_listing line = {
            .pid = p->peer.pid, .uid = p->peer.uid, .program = p->peer.program, .port = info_of(p)};
        r = port_listing_append(&line, out);
    }
    return r;
}
