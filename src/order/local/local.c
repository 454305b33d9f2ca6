/* SPDX-License-Identifier: MIT */
#include "order/local/local.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"

/* Inputs that wait. A program that submits faster than the loop delivers is told to come back. */
#define WAITING_MOST 65536
/* Inputs delivered in one go, before other sources of the loop have their turn. */
#define BATCH_MOST 256

struct input {
    struct input *next;
    size_t size;
    uint8_t data[];
};

struct local {
    struct order order;
    sd_event *loop;
    sd_event_source *source; /* on while inputs wait */
    struct input *first, *last;
    uint32_t waiting;
    uint64_t position;
    int64_t time_ns;
    bool started;
};

static struct local *local_of(struct order *o)
{
    return container_of(o, struct local, order);
}

static int64_t next_time(struct local *l)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    l->time_ns = MAX(l->time_ns, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    return l->time_ns;
}

static struct input *take_first(struct local *l)
{
    struct input *i = l->first;
    l->first = i->next;
    if (!l->first)
        l->last = NULL;
    l->waiting--;
    return i;
}

/* A receiver may submit, or stop the order, from within. */
static int deliver(sd_event_source *source, void *context)
{
    struct local *l = context;
    (void)source;

    for (int n = 0; n < BATCH_MOST && l->started && l->first; n++) {
        _cleanup_free_
        struct input *i = take_first(l);
        l->order.deliver(l->order.context, ++l->position, next_time(l), i->data, i->size);
    }
    if (l->started && l->first)
        return sd_event_source_set_enabled(l->source, SD_EVENT_ONESHOT);
    return 0;
}

static int local_start(struct order *o)
{
    struct local *l = local_of(o);
    PRE(!l->started && o->deliver);

    int r = sd_event_add_defer(l->loop, &l->source, deliver, l);
    if (r < 0)
        return r;
    r = sd_event_source_set_enabled(l->source, SD_EVENT_OFF);
    if (r < 0) {
        l->source = sd_event_source_unref(l->source);
        return r;
    }
    sd_event_source_set_description(l->source, "order-local");
    l->started = true;
    return 0;
}

static int local_submit(struct order *o, const void *data, size_t size)
{
    struct local *l = local_of(o);

    if (!l->started)
        return -ESHUTDOWN;
    if (l->waiting >= WAITING_MOST)
        return -EAGAIN;
    _cleanup_free_
    struct input *i = NULL;
    if (size > SIZE_MAX - sizeof(*i) || !(i = malloc(sizeof(*i) + size)))
        return -ENOMEM;
    int r = sd_event_source_set_enabled(l->source, SD_EVENT_ONESHOT);
    if (r < 0)
        return r;

    i->next = NULL;
    i->size = size;
    if (size > 0)
        memcpy(i->data, data, size);
    *(l->last ? &l->last->next : &l->first) = i;
    l->last = TAKE_PTR(i);
    l->waiting++;
    return 0;
}

static void local_stop(struct order *o)
{
    struct local *l = local_of(o);

    l->started = false;
    l->source = sd_event_source_disable_unref(l->source);
    while (l->first)
        free(take_first(l));
}

static void local_free(struct order *o)
{
    if (!o)
        return;
    struct local *l = local_of(o);
    local_stop(o);
    sd_event_unref(l->loop);
    free(l);
}

static const struct order_methods methods = {
    .version = 1,
    .object_size = sizeof(struct local),
    .name = "local",
    .start = local_start,
    .submit = local_submit,
    .stop = local_stop,
    .free = local_free,
};

int order_local_create(sd_event *loop, int64_t last_time_ns, struct order **ret)
{
    struct local *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->order.methods = &methods;
    l->loop = sd_event_ref(loop);
    l->time_ns = last_time_ns;
    *ret = &l->order;
    return 0;
}
