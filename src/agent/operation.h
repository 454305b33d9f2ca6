/* SPDX-License-Identifier: MIT */
#ifndef AGENT_OPERATION_H
#define AGENT_OPERATION_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "agent/agent.h"
#include "agent/definition.h"

/* One operation under way, and what carries it: a process or systemd. Only for src/agent. */

struct operation {
    struct agent_runner *runner;
    struct operation *next; /* that waits */
    bool waits;
    const struct carrier *carrier;
    uint64_t id;
    enum operation_kind kind;
    char *resource_id, *resource_name;
    char *spec; /* after the carrier's prefix: "heartbeat:Dummy", "nginx" */
    struct parameters parameters;
    uint32_t timeout_ms, interval_ms;
    sd_event_source *deadline;
    sd_event_source *early; /* it ended before start() returned */
    int early_exit_code;
    char *early_detail;
    bool timed_out;
};

struct carrier {
    const char *prefix;                /* "ocf:" */
    size_t object_size;                /* begins with a struct operation */
    void (*init)(struct operation *o); /* of zeroes; makes it fit for fini() */
    /* 0 or -errno. Later, operation_done() or operation_done_early() is called exactly once. */
    int (*start)(struct operation *o);
    /* The time is over: operation_done() follows soon. */
    void (*expire)(struct operation *o);
    /* Ends it by force and now; operation_done() is not called any more. */
    void (*abandon)(struct operation *o);
    void (*fini)(struct operation *o);
    int (*find)(const char *ocf_path, const char *spec); /* as agent_find() */
};

extern const struct carrier carrier_ocf;
extern const struct carrier carrier_systemd;

const char *operation_name(enum operation_kind kind); /* OCF's: "start", "stop", "monitor" */

/* Tells the runner's owner and frees o. */
void operation_done(struct operation *o, int exit_code, const char *detail);
/* The same, but on the loop's next round; for use within start(). 0 or -errno. */
int operation_done_early(struct operation *o, int exit_code, const char *detail);

sd_event *runner_loop(const struct agent_runner *r);
const struct agent_options *runner_options(const struct agent_runner *r);
const char *runner_scratch(const struct agent_runner *r); /* HA_RSCTMP */
struct systemd_link **runner_systemd(struct agent_runner *r);

void systemd_link_free(struct systemd_link *l); /* NULL is fine */

#endif
