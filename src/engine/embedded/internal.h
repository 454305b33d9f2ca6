/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_EMBEDDED_INTERNAL_H
#define ENGINE_EMBEDDED_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/agent.h"
#include "base/buffer.h"
#include "base/map.h"
#include "engine/engine.h"

/* The parts of the embedded engine. Each is all zeroes at first, and its *_stop() takes that too.
 */

/* What the engine has to say. A report that cannot be submitted now is kept and tried again, in
 * order: the model waits for it. */
struct reports {
    const struct engine_options *options;
    struct report *first, **last; /* not yet submitted */
    sd_event_source *again;
};

void reports_init(struct reports *r, const struct engine_options *options);
/* Fills in the actor: this node's service, with reason. 0 or -ENOMEM: lost. */
int reports_submit(struct reports *r, const struct model_input *in, enum change_reason reason);
void reports_stop(struct reports *r);

/* The model's timers; each comes back as INPUT_TIMER. */
struct timers {
    struct reports *reports;
    struct map *running; /* id as decimal text → struct timer */
};

int timers_start(struct timers *t, uint64_t id, uint32_t delay_ms); /* 0 or -errno */
void timers_cancel(struct timers *t, uint64_t id);                  /* unknown: passed over */
void timers_stop(struct timers *t);

/* Reports each definition file that says what the model does not hold yet. A bad one is logged and
 * passed over. 0 or -ENOMEM: not all are. */
int types_report(struct reports *r);

/* The node's links as the kernel tells them. */
struct links;
int links_start(struct reports *r, struct links **ret); /* reports what is there; 0 or -errno */
void links_stop(struct links *l);                       /* NULL is fine */

#endif
