/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#include <inttypes.h>
#include <stdio.h>

/* The upper half of an id is the service's life, so that an answer that an earlier life still owes
 * is never taken for one of this. */
static uint64_t next_id(struct model *m)
{
    return (uint64_t)m->cluster->lives << 32 | ++m->effects;
}

struct effect_key {
    char text[17];
};

static struct effect_key key_of(uint64_t id)
{
    struct effect_key key;
    snprintf(key.text, sizeof(key.text), "%" PRIx64, id);
    return key;
}

/* Whom an answer is for: resources are many and polls come all the time. */
static uint64_t new_id_for(struct model *m, struct resource *r)
{
    uint64_t id = next_id(m);
    check_result(m, map_put(m->waiting, key_of(id).text, r));
    return id;
}

struct resource *effect_find(const struct model *m, uint64_t id)
{
    return map_get(m->waiting, key_of(id).text);
}

void effect_forget(struct model *m, uint64_t *id)
{
    if (*id != 0)
        map_remove(m->waiting, key_of(*id).text);
    *id = 0;
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
    uint64_t id = new_id_for(m, r);
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

uint64_t effect_timer(struct model *m, struct resource *r, uint32_t delay_ms)
{
    uint64_t id = new_id_for(m, r);
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
    effect_forget(m, id);
}

void effect_cancel(struct model *m, uint64_t *operation)
{
    cancel(m, EFFECT_CANCEL, operation);
}

void effect_timer_cancel(struct model *m, uint64_t *timer)
{
    cancel(m, EFFECT_TIMER_CANCEL, timer);
}
