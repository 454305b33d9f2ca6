/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_PIPELINE_H
#define SERVICE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "engine/engine.h"
#include "feed/feed.h"
#include "model/model.h"

/* The way of an input: engine → order → model → journal → feed → effects and replies. It owns all
 * of them. What one fsync makes durable is a batch; while a batch is being committed on the
 * committer's thread, the loop fills the next. Everything here runs on the loop's thread.
 *
 * When a commit fails, nothing of the batch happened: those who wait are told so, the model is
 * thrown away and loaded again from the journal, and changes are refused until the journal can be
 * written again, which is tried in growing intervals. If not even that can be made sure, the
 * service ends and answers nobody. */

struct pipeline;

/* Waits until what the model says now is durable. Embedded in what waits, and the waiter's. */
struct pipeline_wait {
    void (*done)(struct pipeline_wait *w, uint32_t error); /* a Win32 code; 0: it is durable */
    struct pipeline_wait *next;
};

/* A program's request on its way. */
struct pipeline_request {
    struct pipeline_wait wait; /* done() with 0: `result` is the model's answer */
    uint32_t result;
    uint64_t token; /* from here on the pipeline's own */
    struct pipeline_request *next;
};

struct pipeline_options {
    sd_event *loop;
    const char *journal_path;
    uint64_t keep_changes, keep_bytes;
    uint32_t feed_size;
    struct engine_options engine; /* loop, host and model are filled in by the pipeline */
    void *context;                /* of the callbacks */
    void (*ready)(void *context); /* once: the node is up, requests may come */
    void (*published)(void *context);
    void (*stopped)(void *context, int error); /* pipeline_stop() is done; or it cannot go on */
};

/* Opens what is there and starts the engine. 0 or -errno, and *ret_error (malloc'ed or NULL) says
 * for people what is wrong. */
int pipeline_create(const struct pipeline_options *options, struct pipeline **ret,
                    char **ret_error);
/* The node leaves in order: stopped() is called when that is durable. */
void pipeline_stop(struct pipeline *p);
void pipeline_destroy(struct pipeline *p); /* ends the feed; NULL is fine */

const struct model *pipeline_model(const struct pipeline *p); /* another one after each failure */
struct feed *pipeline_feed(const struct pipeline *p);
int pipeline_feed_fd(const struct pipeline *p);
void pipeline_reload(struct pipeline *p); /* the definitions in files */

/* Calls w->done, at once if all is durable. */
void pipeline_when_durable(struct pipeline *p, struct pipeline_wait *w);
/* Submits in (copied). 0: r->wait.done will be called; else a Win32 code and it will not. */
uint32_t pipeline_request(struct pipeline *p, struct model_input *in, struct pipeline_request *r);

#endif
