/* SPDX-License-Identifier: MIT */
#include "service/batch.h"

#include <errno.h>

#include "base/macro.h"

static int put_row(struct batch *b, enum object_type type, const char *key, const struct object *o)
{
    if (!o)
        return journal_batch_put(&b->rows, type, key, NULL, 0);
    _cleanup_(buffer_fini) struct buffer json = {0};
    int r = model_object_encode(o, &json);
    if (r < 0)
        return r;
    return journal_batch_put(&b->rows, type, key, (const char *)json.data, json.size);
}

int batch_put_object(struct batch *b, const struct object *o)
{
    return put_row(b, o->type, o->id, o);
}

static int take_effects(struct batch *b, struct model_output *out)
{
    if (out->effect_count == 0)
        return 0;
    struct effect_run *run = calloc(1, sizeof(*run));
    if (!run)
        return -ENOMEM;
    run->output.effects = TAKE_PTR(out->effects);
    run->output.effect_count = out->effect_count;
    run->output.effect_capacity = out->effect_capacity;
    out->effect_count = out->effect_capacity = 0;
    if (b->last_effects)
        b->last_effects->next = run;
    else
        b->effects = run;
    b->last_effects = run;
    return 0;
}

static int add_changes(struct batch *b, const struct model_output *out)
{
    if (out->change_count == 0)
        return 0;
    uint64_t first = change_peek_revision(out->changes.data);
    if (b->rows.first_revision == 0)
        b->rows.first_revision = first;
    b->rows.last_revision = first + out->change_count - 1;
    return buffer_append(&b->rows.changes, out->changes.data, out->changes.size);
}

int batch_add(struct batch *b, struct model_output *out)
{
    int r = add_changes(b, out);
    for (size_t i = 0; r == 0 && i < out->stored_count; i++)
        r = put_row(b, out->stored[i].type, out->stored[i].key, out->stored[i].object);
    return r < 0 ? r : take_effects(b, out);
}

void batch_wait(struct batch *b, struct pipeline_wait *w)
{
    w->next = NULL;
    if (b->last_wait)
        b->last_wait->next = w;
    else
        b->waits = w;
    b->last_wait = w;
}

bool batch_needs_commit(const struct batch *b)
{
    return b->rows.row_count > 0 || b->rows.changes.size > 0;
}

bool batch_is_empty(const struct batch *b)
{
    return !batch_needs_commit(b) && !b->effects && !b->waits;
}

void batch_answer(struct batch *b, uint32_t error)
{
    struct pipeline_wait *w = TAKE_PTR(b->waits);
    b->last_wait = NULL;
    while (w) {
        struct pipeline_wait *next = w->next;
        w->done(w, error);
        w = next;
    }
}

void batch_fini(struct batch *b)
{
    for (struct effect_run *run = b->effects; run;) {
        struct effect_run *next = run->next;
        model_output_fini(&run->output);
        free(run);
        run = next;
    }
    journal_batch_fini(&b->rows);
    *b = (struct batch){0};
}
