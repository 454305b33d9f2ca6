/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/agent.h"
#include "agent/leftover.h"
#include "agent/operation.h"
#include "agent/scratch.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/map.h"
#include "base/text.h"

struct agent_runner {
    sd_event *loop;
    struct agent_options options; /* texts are ours */
    char *scratch;
    agent_done_fn done;
    void *context;
    struct map *operations; /* id as decimal text → struct operation */
    struct operation *first_waiting, *last_waiting;
    unsigned running;
    struct systemd_link *systemd;
};

#define KEY_SIZE 24
#define DETAIL_SIZE 600

static const struct carrier *const carriers[] = {&carrier_ocf, &carrier_systemd};

static const char *key_of(uint64_t id, char out[KEY_SIZE])
{
    snprintf(out, KEY_SIZE, "%" PRIu64, id);
    return out;
}

static const struct carrier *carrier_of(const char *spec)
{
    for (size_t i = 0; i < ARRAY_SIZE(carriers); i++)
        if (strncmp(spec, carriers[i]->prefix, strlen(carriers[i]->prefix)) == 0)
            return carriers[i];
    return NULL;
}

static const char *ocf_path_of(const struct agent_options *options)
{
    return options->ocf_path ? options->ocf_path : DEFAULT_OCF_PATH;
}

const char *operation_name(enum operation_kind kind)
{
    return kind == OPERATION_START ? "start" : kind == OPERATION_STOP ? "stop" : "monitor";
}

sd_event *runner_loop(const struct agent_runner *r)
{
    return r->loop;
}

const struct agent_options *runner_options(const struct agent_runner *r)
{
    return &r->options;
}

const char *runner_scratch(const struct agent_runner *r)
{
    return r->scratch;
}

struct systemd_link **runner_systemd(struct agent_runner *r)
{
    return &r->systemd;
}

static void operation_free(struct operation *o)
{
    if (!o)
        return;
    sd_event_source_disable_unref(o->deadline);
    sd_event_source_disable_unref(o->early);
    o->carrier->fini(o);
    parameters_fini(&o->parameters);
    free(o->early_detail);
    free(o->resource_id);
    free(o->resource_name);
    free(o->spec);
    free(o);
}

static void operation_freep(struct operation **o)
{
    operation_free(*o);
}

static void log_end(const struct operation *o, int exit_code, const char *detail)
{
    const char *name = operation_name(o->kind);

    if (exit_code == AGENT_OK || (o->kind == OPERATION_PROBE && exit_code == AGENT_NOT_RUNNING))
        log_debug("agent_done resource=%s operation=%s exit=%d", log_quote(o->resource_name), name,
                  exit_code);
    else
        log_warning("agent_failed resource=%s operation=%s exit=%d detail=%s",
                    log_quote(o->resource_name), name, exit_code, log_quote(detail));
}

static void finish(struct operation *o, int exit_code, const char *detail)
{
    struct agent_runner *r = o->runner;
    uint64_t id = o->id;
    char key[KEY_SIZE], said[DETAIL_SIZE];

    if (o->timed_out) {
        snprintf(said, sizeof(said), "%s did not end within %" PRIu32 " ms",
                 operation_name(o->kind), o->timeout_ms);
        exit_code = AGENT_TIMED_OUT;
    } else {
        snprintf(said, sizeof(said), "%s", exit_code == AGENT_OK ? "" : detail);
        text_make_utf8(said); /* it may have been cut within a character */
    }
    log_end(o, exit_code, said);
    map_remove(r->operations, key_of(id, key));
    operation_free(o);
    r->done(r->context, id, exit_code, said);
}

static void put_waiting(struct operation *o)
{
    struct agent_runner *r = o->runner;

    o->waits = true;
    *(r->last_waiting ? &r->last_waiting->next : &r->first_waiting) = o;
    r->last_waiting = o;
}

static void take_waiting(struct operation *o)
{
    struct agent_runner *r = o->runner;
    struct operation **at = &r->first_waiting, *before = NULL;

    for (; *at != o; at = &before->next)
        before = *at;
    *at = o->next;
    if (r->last_waiting == o)
        r->last_waiting = before;
    o->next = NULL;
    o->waits = false;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata);

static int launch(struct operation *o)
{
    int error = sd_event_add_time_relative(o->runner->loop, &o->deadline, CLOCK_MONOTONIC,
                                           (uint64_t)o->timeout_ms * 1000, 10000, on_deadline, o);

    if (error >= 0)
        error = o->carrier->start(o);
    if (error >= 0)
        o->runner->running++;
    return MIN(error, 0);
}

static void launch_waiting(struct agent_runner *r)
{
    while (r->first_waiting && r->running < AGENT_MOST_AT_ONCE) {
        struct operation *o = r->first_waiting;
        int error;

        take_waiting(o);
        error = launch(o);
        if (error < 0)
            finish(o, AGENT_GENERIC, strerror(-error));
    }
}

void operation_done(struct operation *o, int exit_code, const char *detail)
{
    struct agent_runner *r = o->runner;

    r->running--;
    finish(o, exit_code, detail);
    launch_waiting(r);
}

static int on_early(sd_event_source *source, void *userdata)
{
    struct operation *o = userdata;

    (void)source;
    operation_done(o, o->early_exit_code, o->early_detail);
    return 0;
}

int operation_done_early(struct operation *o, int exit_code, const char *detail)
{
    o->early_exit_code = exit_code;
    o->early_detail = strdup(detail);
    if (!o->early_detail)
        return -ENOMEM;
    return sd_event_add_defer(o->runner->loop, &o->early, on_early, o);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct operation *o = userdata;

    (void)source;
    (void)usec;
    log_warning("agent_late resource=%s operation=%s timeout_ms=%" PRIu32,
                log_quote(o->resource_name), operation_name(o->kind), o->timeout_ms);
    o->timed_out = true;
    o->carrier->expire(o);
    return 0;
}

static int operation_create(struct agent_runner *r, const struct effect *e,
                            const struct resource_type *t, struct operation **ret)
{
    _cleanup_(operation_freep) struct operation *o = NULL;
    _cleanup_(parameters_fini) struct parameters parameters = {0};
    _cleanup_free_
    char *agent = NULL;
    const struct carrier *carrier;
    int r2;

    r2 = definition_resolve(t->definition, &e->properties, &agent, &parameters);
    if (r2 < 0)
        return r2;
    carrier = carrier_of(agent);
    if (!carrier)
        return -EINVAL;
    o = calloc(1, carrier->object_size);
    if (!o)
        return -ENOMEM;
    o->runner = r;
    o->carrier = carrier;
    carrier->init(o);
    o->id = e->id;
    o->kind = e->operation;
    o->timeout_ms = e->timeout_ms;
    o->interval_ms = e->operation == OPERATION_LOOKS_ALIVE ? MAX(t->looks_alive_ms, 1u)
                     : e->operation == OPERATION_IS_ALIVE  ? MAX(t->is_alive_ms, 1u)
                                                           : 0;
    o->parameters = parameters;
    parameters = (struct parameters){0};
    o->resource_id = strdup(e->resource_id ? e->resource_id : "");
    o->resource_name = strdup(e->resource_name ? e->resource_name : "");
    o->spec = strdup(agent + strlen(carrier->prefix));
    if (!o->resource_id || !o->resource_name || !o->spec)
        return -ENOMEM;
    *ret = TAKE_PTR(o);
    return 0;
}

int agent_start(struct agent_runner *r, const struct effect *e, const struct resource_type *t)
{
    _cleanup_(operation_freep) struct operation *o = NULL;
    char key[KEY_SIZE];
    int error;

    PRE(e->kind == EFFECT_OPERATION);
    error = operation_create(r, e, t, &o);
    if (error < 0)
        return error;
    error = map_put(r->operations, key_of(o->id, key), o);
    if (error < 0)
        return error;
    if (r->running >= AGENT_MOST_AT_ONCE)
        put_waiting(o);
    else
        error = launch(o);
    if (error < 0) {
        map_remove(r->operations, key);
        return error;
    }
    o = NULL;
    return 0;
}

void agent_cancel(struct agent_runner *r, uint64_t operation)
{
    char key[KEY_SIZE];
    struct operation *o = map_remove(r->operations, key_of(operation, key));

    if (!o)
        return;
    if (o->waits) {
        take_waiting(o);
    } else {
        o->carrier->abandon(o);
        r->running--;
    }
    operation_free(o);
    launch_waiting(r);
}

int agent_find(const struct agent_options *options, const char *spec)
{
    const struct carrier *carrier = carrier_of(spec);

    return carrier ? carrier->find(ocf_path_of(options), spec + strlen(carrier->prefix)) : -EINVAL;
}

static int copy_options(struct agent_runner *r, const struct agent_options *options)
{
    r->options.ocf_path = strdup(ocf_path_of(options));
    r->options.state_dir = strdup(options->state_dir);
    r->options.node_name = strdup(options->node_name ? options->node_name : "");
    r->options.cluster_name = strdup(options->cluster_name ? options->cluster_name : "");
    if (!r->options.ocf_path || !r->options.state_dir || !r->options.node_name ||
        !r->options.cluster_name)
        return -ENOMEM;
    return 0;
}

static void agent_runner_destroyp(struct agent_runner **r)
{
    agent_runner_destroy(*r);
}

int agent_runner_create(sd_event *loop, const struct agent_options *options, agent_done_fn done,
                        void *context, struct agent_runner **ret)
{
    _cleanup_(agent_runner_destroyp) struct agent_runner *r = calloc(1, sizeof(*r));
    int error;

    if (!r)
        return -ENOMEM;
    r->loop = sd_event_ref(loop);
    r->done = done;
    r->context = context;
    r->operations = map_create();
    if (!r->operations)
        return -ENOMEM;
    error = copy_options(r, options);
    if (error < 0)
        return error;
    error = scratch_prepare(options->state_dir, &r->scratch);
    if (error < 0)
        return error;
    leftovers_end(r->scratch);
    *ret = TAKE_PTR(r);
    return 0;
}

void agent_runner_destroy(struct agent_runner *r)
{
    if (!r)
        return;
    for (struct map_entry *e = r->operations ? map_first(r->operations) : NULL, *next; e;
         e = next) {
        struct operation *o = e->value;

        next = map_next(r->operations, e);
        if (!o->waits)
            o->carrier->abandon(o);
        operation_free(o);
    }
    map_destroy(r->operations);
    systemd_link_free(r->systemd);
    free((char *)r->options.ocf_path);
    free((char *)r->options.state_dir);
    free((char *)r->options.node_name);
    free((char *)r->options.cluster_name);
    free(r->scratch);
    sd_event_unref(r->loop);
    free(r);
}
