/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

/* The upper half of an id is the service's life, so that an answer that an earlier life still owes
 * is never taken for one of this. */
static uint64_t next_id(struct model *m)
{
    return (uint64_t)m->cluster->lives << 32 | ++m->effects;
}

static struct effect *effect_add(struct model *m)
{
    struct model_output *out = m->out;
    if (out->effect_count == out->effect_capacity) {
        size_t capacity = out->effect_capacity ? out->effect_capacity * 2 : 8;
        void *effects = reallocarray(out->effects, capacity, sizeof(*out->effects));
        if (!check_memory(m, effects))
            return NULL;
        out->effects = effects;
        out->effect_capacity = capacity;
    }
    struct effect *e = &out->effects[out->effect_count++];
    *e = (struct effect){0};
    return e;
}

uint64_t effect_operation(struct model *m, struct resource *r, enum operation_kind operation,
                          uint32_t timeout_ms)
{
    uint64_t id = next_id(m);
    struct effect *e = effect_add(m);
    if (!e)
        return id;
    e->kind = EFFECT_OPERATION;
    e->id = id;
    e->operation = operation;
    e->timeout_ms = timeout_ms;
    e->resource_id = text_copy(m, r->o.id);
    e->resource_name = text_copy(m, r->o.name);
    e->type_name = text_copy(m, r->resource_type->o.name);
    check_result(m, model_properties(m, &r->o, PROPERTIES_PRIVATE, &e->properties));
    return id;
}

uint64_t effect_timer(struct model *m, uint32_t delay_ms)
{
    uint64_t id = next_id(m);
    struct effect *e = effect_add(m);
    if (e) {
        e->kind = EFFECT_TIMER;
        e->id = id;
        e->delay_ms = delay_ms;
    }
    return id;
}

static void cancel(struct model *m, enum effect_kind kind, uint64_t *id)
{
    if (*id == 0)
        return;
    struct effect *e = effect_add(m);
    if (e) {
        e->kind = kind;
        e->id = *id;
    }
    *id = 0;
}

void effect_cancel(struct model *m, uint64_t *operation)
{
    cancel(m, EFFECT_CANCEL, operation);
}

void effect_timer_cancel(struct model *m, uint64_t *timer)
{
    cancel(m, EFFECT_TIMER_CANCEL, timer);
}
