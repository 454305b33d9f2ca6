/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/macro.h"
#include "engine/embedded/internal.h"

#define AGAIN_MS 50

struct report {
    struct report *next;
    struct buffer input; /* encoded */
};

void reports_init(struct reports *r, const struct engine_options *options)
{
    *r = (struct reports){.options = options};
    r->last = &r->first;
}

static int submit(const struct reports *r, const struct model_input *in)
{
    return r->options->host.submit(r->options->host.context, in);
}

static void report_free(struct report *p)
{
    buffer_fini(&p->input);
    free(p);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct reports *r = userdata;
    struct model_input in;

    (void)source;
    (void)usec;
    while (r->first) {
        struct report *p = r->first;
        int error = model_input_decode(p->input.data, p->input.size, &in);

        if (error == 0)
            error = submit(r, &in);
        if (error == -EAGAIN || error == -ENOMEM)
            return sd_event_source_set_time_relative(source, AGAIN_MS * 1000) < 0
                       ? 0
                       : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        if (error < 0)
            log_error("report_lost kind=%d error=%d", (int)in.kind, error);
        r->first = p->next;
        if (!r->first)
            r->last = &r->first;
        report_free(p);
    }
    r->again = sd_event_source_disable_unref(r->again);
    return 0;
}

static int keep(struct reports *r, const struct model_input *in)
{
    struct report *p = calloc(1, sizeof(*p));
    int error = p ? model_input_encode(in, &p->input) : -ENOMEM;

    if (error == 0 && !r->again)
        error = MIN(sd_event_add_time_relative(r->options->loop, &r->again, CLOCK_MONOTONIC,
                                               AGAIN_MS * 1000, 0, on_again, r),
                    0);
    if (error < 0) {
        if (p)
            report_free(p);
        return error;
    }
    *r->last = p;
    r->last = &p->next;
    return 0;
}

int reports_submit(struct reports *r, const struct model_input *in, enum change_reason reason)
{
    struct model_input full = *in;
    int error;

    full.actor = (struct change_actor){.node = r->options->node_name,
                                       .program = "clusportd",
                                       .uid = getuid(),
                                       .pid = (uint32_t)getpid(),
                                       .reason = reason};
    error = r->first ? -EAGAIN : submit(r, &full);
    if (error == -EAGAIN || error == -ENOMEM)
        error = keep(r, &full);
    if (error < 0)
        log_error("report_lost kind=%d error=%s", (int)in->kind, log_quote(strerror(-error)));
    return error;
}

void reports_stop(struct reports *r)
{
    for (struct report *p = r->first, *next; p; p = next) {
        next = p->next;
        report_free(p);
    }
    r->first = NULL;
    r->last = &r->first;
    r->again = sd_event_source_disable_unref(r->again);
}
