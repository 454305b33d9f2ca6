/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/guid.h"
#include "base/log.h"
#include "base/macro.h"
#include "engine/embedded/internal.h"

/* One node, always quorate. The failover manager in the model decides; this carries out what it
 * decided, and reports what became of it. */

struct embedded {
    struct engine e;
    const struct engine_options *options;
    struct agent_options agents;
    struct reports reports;
    struct timers timers;
    struct links *links;
    struct agent_runner *runner;
};

static struct embedded *embedded_of(struct engine *e)
{
    return container_of(e, struct embedded, e);
}

static void report_done(struct embedded *m, uint64_t operation, int exit_code, const char *detail)
{
    struct model_input in = {.kind = INPUT_OPERATION_DONE,
                             .operation = operation,
                             .number = (uint32_t)exit_code,
                             .name = detail};

    reports_submit(&m->reports, &in, exit_code == AGENT_OK ? REASON_ENGINE : REASON_FAILURE);
}

static void on_done(void *context, uint64_t operation, int exit_code, const char *detail)
{
    report_done(context, operation, exit_code, detail);
}

static int form_cluster(struct embedded *m)
{
    char id[GUID_TEXT_SIZE];
    int r = guid_make(id);

    if (r < 0)
        return r;
    return reports_submit(&m->reports,
                          &(struct model_input){.kind = INPUT_FORM_CLUSTER,
                                                .new_id = id,
                                                .name = m->options->cluster_name},
                          REASON_ENGINE);
}

static int start_node(struct embedded *m)
{
    return reports_submit(&m->reports,
                          &(struct model_input){.kind = INPUT_NODE_STARTED,
                                                .object_id = m->options->node_id,
                                                .name = m->options->node_name},
                          REASON_ENGINE);
}

static int embedded_start(struct engine *e, const struct engine_options *options)
{
    struct embedded *m = embedded_of(e);
    int r;

    m->options = options;
    reports_init(&m->reports, options);
    m->timers.reports = &m->reports;
    m->agents = (struct agent_options){.ocf_path = options->ocf_path,
                                       .state_dir = options->state_dir,
                                       .node_name = options->node_name,
                                       .cluster_name = options->cluster_name};
    r = agent_runner_create(options->loop, &m->agents, on_done, m, &m->runner);
    if (r >= 0 && !model_cluster(options->model))
        r = form_cluster(m);
    if (r >= 0)
        r = types_report(&m->reports);
    if (r < 0)
        return r;
    /* Before the links: an interface belongs to a node. */
    r = start_node(m);
    if (r < 0)
        return r;
    r = links_start(&m->reports, &m->links);
    /* A sandbox may hide the kernel's links; resources do without. */
    if (r < 0)
        log_warning("links_unknown error=%s", log_quote(strerror(-r)));
    return 0;
}

/* An agent that is installed can be named as a type without a definition file. */
static uint32_t define_by_name(struct embedded *m, const char *spec)
{
    json_auto_t *definition = NULL;
    _cleanup_free_
    char *text = NULL;

    if (!spec || model_resource_type(m->options->model, spec))
        return ERR_SUCCESS;
    if (agent_find(&m->agents, spec) < 0)
        return ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND;
    definition = json_pack("{s:s, s:s}", "name", spec, "agent", spec);
    text = definition ? json_dumps(definition, JSON_COMPACT) : NULL;
    if (!text)
        return ERR_NOT_ENOUGH_MEMORY;
    return reports_submit(
               &m->reports,
               &(struct model_input){
                   .kind = INPUT_DEFINE_TYPE, .name = spec, .data = text, .size = strlen(text)},
               REASON_ENGINE) < 0
               ? ERR_NOT_ENOUGH_MEMORY
               : ERR_SUCCESS;
}

static uint32_t embedded_request(struct engine *e, const struct model_input *in)
{
    struct embedded *m = embedded_of(e);
    uint32_t code = ERR_SUCCESS;

    if (in->kind == INPUT_CREATE_RESOURCE)
        code = define_by_name(m, in->type_name);
    if (code != ERR_SUCCESS)
        return code;
    return error_from_errno(m->options->host.submit(m->options->host.context, in));
}

static void perform_operation(struct embedded *m, const struct effect *effect)
{
    const struct resource_type *type = model_resource_type(m->options->model, effect->type_name);
    int r = type ? agent_start(m->runner, effect, type) : -ENOENT;

    if (r >= 0)
        return;
    log_error("agent_not_started resource=%s type=%s error=%s", log_quote(effect->resource_name),
              log_quote(effect->type_name), log_quote(strerror(-r)));
    if (r == -EINVAL || r == -ENOENT)
        report_done(m, effect->id, AGENT_NOT_CONFIGURED, "its type's definition names no agent");
    else
        report_done(m, effect->id, AGENT_GENERIC, strerror(-r));
}

static void perform_timer(struct embedded *m, const struct effect *effect)
{
    int r = timers_start(&m->timers, effect->id, effect->delay_ms);

    if (r >= 0)
        return;
    /* Early is better than never: what waits for it would wait for ever. */
    log_error("timer_not_started resource=%s error=%s", log_quote(effect->resource_name),
              log_quote(strerror(-r)));
    reports_submit(&m->reports, &(struct model_input){.kind = INPUT_TIMER, .operation = effect->id},
                   REASON_ENGINE);
}

static void embedded_perform(struct engine *e, const struct effect *effect)
{
    struct embedded *m = embedded_of(e);

    if (!m->runner)
        return;
    switch (effect->kind) {
    case EFFECT_OPERATION:
        perform_operation(m, effect);
        break;
    case EFFECT_CANCEL:
        agent_cancel(m->runner, effect->id);
        break;
    case EFFECT_TIMER:
        perform_timer(m, effect);
        break;
    case EFFECT_TIMER_CANCEL:
        timers_cancel(&m->timers, effect->id);
        break;
    }
}

static void embedded_stop(struct engine *e)
{
    struct embedded *m = embedded_of(e);

    links_stop(m->links);
    m->links = NULL;
    timers_stop(&m->timers);
    agent_runner_destroy(m->runner);
    m->runner = NULL;
    reports_stop(&m->reports);
}

static void embedded_free(struct engine *e)
{
    if (!e)
        return;
    embedded_stop(e);
    free(embedded_of(e));
}

static void embedded_reload(struct engine *e)
{
    int r = types_report(&embedded_of(e)->reports);

    if (r < 0)
        log_error("types_not_read error=%s consequence=%s", log_quote(strerror(-r)),
                  log_quote("they stay as they are until the next reload"));
}

static const struct engine_methods methods = {
    .version = 1,
    .object_size = sizeof(struct embedded),
    .name = "embedded",
    .start = embedded_start,
    .request = embedded_request,
    .perform = embedded_perform,
    .stop = embedded_stop,
    .free = embedded_free,
    .reload = embedded_reload,
};

int engine_embedded_create(struct engine **ret)
{
    struct embedded *m = calloc(1, sizeof(*m));

    if (!m)
        return -ENOMEM;
    m->e.methods = &methods;
    *ret = &m->e;
    return 0;
}
