/* SPDX-License-Identifier: MIT */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "model/model.h"

/* Runs the operations of resources: OCF agents as processes, systemd units over D-Bus.
 * Asynchronous, on the caller's event loop. */

struct agent_runner;

/* Operations beyond wait for their turn, and their time limit begins with it: a group of thousands
 * must not start thousands of processes at once. */
#define AGENT_MOST_AT_ONCE 64

enum agent_exit {
    AGENT_OK = 0,
    AGENT_GENERIC = 1,
    AGENT_ARGUMENTS = 2,
    AGENT_UNIMPLEMENTED = 3,
    AGENT_PERMISSION = 4,
    AGENT_NOT_INSTALLED = 5,
    AGENT_NOT_CONFIGURED = 6,
    AGENT_NOT_RUNNING = 7,
    AGENT_TIMED_OUT = 198
};

struct agent_options {
    const char *ocf_path;  /* folders that hold provider folders, ':' between them; NULL: as
                              installed */
    const char *state_dir; /* HA_RSCTMP is a folder below it that does not outlive a boot */
    const char *node_name, *cluster_name;
};

/* The operation ended. exit_code: the agent's, or AGENT_TIMED_OUT; detail: for people, "" on
 * success. Called from the loop, never from within agent_start(). */
typedef void (*agent_done_fn)(void *context, uint64_t operation, int exit_code, const char *detail);

int agent_runner_create(sd_event *loop, const struct agent_options *options, agent_done_fn done,
                        void *context, struct agent_runner **ret);
void agent_runner_destroy(
    struct agent_runner *r); /* operations under way are ended by force; NULL is fine */

/* e is an EFFECT_OPERATION; t its type. Texts are copied. 0: done() will be called exactly once,
 * unless the operation is cancelled; -errno: it will not. */
int agent_start(struct agent_runner *r, const struct effect *e, const struct resource_type *t);
void agent_cancel(struct agent_runner *r, uint64_t operation); /* unknown ones are passed over */
/* Is there such an agent ("ocf:heartbeat:Dummy", "systemd:nginx")? 0, -ENOENT, -EINVAL: not of that
 * form. */
int agent_find(const struct agent_options *options, const char *spec);

#endif
