/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_BATCH_H
#define SERVICE_BATCH_H

#include "journal/journal.h"
#include "model/model.h"
#include "service/pipeline.h"

/* What one commit makes durable, and what is to happen then. All zeroes is an empty batch. */
struct batch {
    struct journal_batch rows;
    struct effect_run { /* the effects of one step, in the output that owns them */
        struct model_output output;
        struct effect_run *next;
    } * effects, *last_effects;
    struct pipeline_wait *waits, *last_wait;
};

/* Copies changes and objects, takes the effects. 0 or -ENOMEM, and then the batch is of no use. */
int batch_add(struct batch *b, struct model_output *out);
int batch_put_object(struct batch *b, const struct object *o);
void batch_wait(struct batch *b, struct pipeline_wait *w);
bool batch_is_empty(const struct batch *b);         /* nothing at all */
bool batch_needs_commit(const struct batch *b);     /* there is something to be stored */
void batch_answer(struct batch *b, uint32_t error); /* tells, and forgets, those who wait */
void batch_fini(struct batch *b);                   /* leaves an empty batch */

#endif
