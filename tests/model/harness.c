/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <stdio.h>
#include <string.h>

void world_init(struct world *w)
{
    *w = (struct world){.m = model_create(), .now_ns = 1000 * 1000 * MS, .rows = map_create()};
    assert_non_null(w->m);
    assert_non_null(w->rows);
}

static void forget_owed(struct world *w, size_t i)
{
    free(w->owed[i].resource_name);
    memmove(w->owed + i, w->owed + i + 1, (w->owed_count - i - 1) * sizeof(*w->owed));
    w->owed_count--;
}

void world_fini(struct world *w)
{
    model_destroy(w->m);
    while (w->owed_count > 0)
        forget_owed(w, w->owed_count - 1);
    free(w->owed);
    buffer_fini(&w->log);
    buffer_fini(&w->changes);
    for (struct map_entry *e = map_first(w->rows); e; e = map_next(w->rows, e))
        free(e->value);
    map_destroy(w->rows);
}

static void print_properties(struct buffer *log, const struct change_value *v)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    assert_int_equal(property_list_decode(v->data, v->size, &t), 0);
    for (size_t i = 0; i < t.count; i++) {
        const struct property *p = &t.items[i];
        buffer_printf(log, "%s%s=", i ? "," : "", p->name);
        if (p->format == PROPERTY_SZ)
            buffer_printf(log, "%s", (const char *)p->data);
        else
            buffer_printf(log, "%llu", (unsigned long long)p->number);
    }
}

static void print_value(struct buffer *log, const struct change *c, const struct change_value *v)
{
    const struct change_kind_info *info = change_kind_info(c->kind);
    const char *state = "";
    if (v->kind == VALUE_NUMBER && c->kind != CHANGE_GROUP_ADDED)
        state = object_state_name(info->object == OBJECT_QUORUM ? OBJECT_RESOURCE : info->object,
                                  v->number);
    switch (v->kind) {
    case VALUE_NONE:
        buffer_printf(log, "-");
        break;
    case VALUE_NUMBER:
        if (*state)
            buffer_printf(log, "%s", state);
        else
            buffer_printf(log, "%u", v->number);
        break;
    case VALUE_TEXT:
        buffer_printf(log, "'%.*s'", (int)v->size, (const char *)v->data);
        break;
    case VALUE_TEXT_LIST:
        for (size_t at = 0; at < v->size; at += strlen((const char *)v->data + at) + 1)
            buffer_printf(log, "%s%s", at ? "," : "", (const char *)v->data + at);
        break;
    case VALUE_PROPERTIES:
        print_properties(log, v);
        break;
    default:
        buffer_printf(log, "#%u:%zu", v->number, v->size);
        break;
    }
}

static void print_change(struct world *w, const struct change *c)
{
    buffer_printf(&w->log, "%s %s ", change_kind_info(c->kind)->json, c->name);
    if (change_kind_info(c->kind)->object == OBJECT_REGISTRY)
        buffer_printf(&w->log, "[%s] ", c->parent_id);
    print_value(&w->log, c, &c->old_value);
    buffer_printf(&w->log, ">");
    print_value(&w->log, c, &c->new_value);
    buffer_printf(&w->log, " %s\n", change_reason_name(c->actor.reason));
}

/* Revisions are dense, one step is one transaction, every record decodes. */
static void take_changes(struct world *w, const struct model_output *out)
{
    size_t at = 0, count = 0;
    uint64_t first = w->expected_revision + 1;
    while (at < out->changes.size) {
        struct change c;
        assert_int_equal(change_decode(out->changes.data + at, out->changes.size - at, &c), 0);
        at += change_size(out->changes.data + at);
        count++;
        assert_int_equal(c.revision, ++w->expected_revision);
        assert_int_equal(c.transaction, first);
        assert_int_equal(c.last, at == out->changes.size);
        assert_false(c.initial);
        assert_int_equal(c.time_ns, w->now_ns);
        if (!w->quiet)
            print_change(w, &c);
    }
    assert_int_equal(count, out->change_count);
    assert_int_equal(model_revision(w->m), w->expected_revision);
    buffer_clear(&w->changes);
    assert_int_equal(buffer_append(&w->changes, out->changes.data, out->changes.size), 0);
}

static void take_rows(struct world *w, const struct model_output *out)
{
    for (size_t i = 0; i < out->stored_count; i++) {
        const struct stored_object *row = &out->stored[i];
        _cleanup_free_
        char *key = text_format("%d %s", (int)row->type, row->key);
        free(map_remove(w->rows, key));
        if (!row->object)
            continue;
        struct buffer json = {0};
        assert_int_equal(model_object_encode(row->object, &json), 0);
        assert_int_equal(buffer_append_zero(&json, 1), 0);
        assert_int_equal(map_put(w->rows, key, json.data), 0);
    }
}

static void take_effects(struct world *w, const struct model_output *out)
{
    for (size_t i = 0; i < out->effect_count; i++) {
        const struct effect *e = &out->effects[i];
        assert_int_not_equal(e->id, 0);
        size_t known = 0;
        while (known < w->owed_count && w->owed[known].effect.id != e->id)
            known++;
        if (e->kind == EFFECT_CANCEL || e->kind == EFFECT_TIMER_CANCEL) {
            assert_true(known < w->owed_count);
            forget_owed(w, known);
            continue;
        }
        assert_int_equal(known, w->owed_count);
        if (w->owed_count == w->owed_capacity) {
            w->owed_capacity = w->owed_capacity * 2 + 8;
            w->owed = reallocarray(w->owed, w->owed_capacity, sizeof(*w->owed));
            assert_non_null(w->owed);
        }
        struct owed *o = &w->owed[w->owed_count++];
        *o = (struct owed){.effect = *e, .due_ns = w->now_ns + e->delay_ms * MS, .begun = w->steps};
        o->effect.properties = (struct property_table){0};
        if (e->kind == EFFECT_OPERATION) {
            assert_non_null(e->resource_id);
            assert_string_equal(e->type_name, "Dummy");
            o->resource_name = strdup(e->resource_name);
        }
    }
}

uint32_t world_step(struct world *w, const struct model_input *in)
{
    struct model_input copy = *in;
    struct model_output out = {0};
    copy.time_ns = w->now_ns;
    w->steps++;
    if (!copy.actor.node)
        copy.actor = (struct change_actor){.node = "n1", .program = "test", .uid = 7, .pid = 8};
    uint32_t code = model_step(w->m, &copy, &out);
    if (code != ERR_SUCCESS && code != ERR_IO_PENDING && code != ERR_RESOURCE_PROPERTIES_STORED) {
        assert_int_equal(out.change_count, 0);
        assert_int_equal(out.effect_count, 0);
        assert_int_equal(out.stored_count, 0);
    }
    take_changes(w, &out);
    take_rows(w, &out);
    take_effects(w, &out);
    model_output_fini(&out);
    check_model(w);
    if (w->watch)
        w->watch(w, &copy, code);
    return code;
}

void world_reload(struct world *w)
{
    uint64_t revision = model_revision(w->m);
    model_destroy(w->m);
    w->m = model_create();
    assert_non_null(w->m);
    for (struct map_entry *e = map_first(w->rows); e; e = map_next(w->rows, e)) {
        int type = atoi(e->key);
        const char *key = strchr(e->key, ' ') + 1;
        assert_int_equal(
            model_load_object(w->m, (enum object_type)type, key, e->value, strlen(e->value)), 0);
    }
    assert_int_equal(model_load_done(w->m, revision), 0);
    while (w->owed_count > 0)
        forget_owed(w, w->owed_count - 1);
}

static const char dummy_type[] =
    "{\"name\": \"Dummy\", \"display_name\": \"A dummy\", \"class\": \"storage\","
    "\"characteristics\": [\"quorum\"], \"agent\": \"ocf:heartbeat:Dummy\","
    "\"looks_alive_ms\": 5000, \"is_alive_ms\": 60000, \"pending_timeout_ms\": 20000,"
    "\"properties\": [{\"name\": \"State\", \"format\": \"sz\", \"default\": \"there\"},"
    "{\"name\": \"Delay\", \"format\": \"dword\", \"required\": true}]}";

void world_started(struct world *w)
{
    world_init(w);
    struct model_input in = {.kind = INPUT_FORM_CLUSTER, .new_id = "c0", .name = "lab"};
    assert_int_equal(world_step(w, &in), 0);
    in = (struct model_input){
        .kind = INPUT_DEFINE_TYPE, .data = dummy_type, .size = strlen(dummy_type)};
    assert_int_equal(world_step(w, &in), 0);
    in = (struct model_input){.kind = INPUT_NODE_STARTED, .object_id = "1", .name = "n1"};
    assert_int_equal(world_step(w, &in), 0);
    forget_log(w);
}

uint32_t create_group(struct world *w, const char *name)
{
    char id[32];
    snprintf(id, sizeof(id), "g-%llu", (unsigned long long)++w->next_id);
    struct model_input in = {.kind = INPUT_CREATE_GROUP, .new_id = id, .name = name};
    return world_step(w, &in);
}

uint32_t create_resource(struct world *w, const char *group, const char *name)
{
    char id[32];
    snprintf(id, sizeof(id), "r-%llu", (unsigned long long)++w->next_id);
    struct model_input in = {.kind = INPUT_CREATE_RESOURCE,
                             .new_id = id,
                             .name = name,
                             .parent_id = group,
                             .type_name = "dummy"};
    return world_step(w, &in);
}

uint32_t request(struct world *w, enum input_kind kind, const char *object)
{
    return request2(w, kind, object, NULL);
}

uint32_t request2(struct world *w, enum input_kind kind, const char *object, const char *parent)
{
    struct model_input in = {.kind = kind, .object_id = object, .parent_id = parent};
    return world_step(w, &in);
}

uint32_t rename_object(struct world *w, enum input_kind kind, const char *object, const char *name)
{
    struct model_input in = {.kind = kind, .object_id = object, .name = name};
    return world_step(w, &in);
}

uint32_t set_dword(struct world *w, enum object_type type, const char *object, const char *name,
                   uint32_t value)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    _cleanup_(buffer_fini) struct buffer list = {0};
    assert_int_equal(property_set_dword(&t, name, value), 0);
    assert_int_equal(property_list_encode(&t, &list), 0);
    struct model_input in = {.kind = INPUT_SET_COMMON_PROPERTIES,
                             .object_type = type,
                             .object_id = object,
                             .data = list.data,
                             .size = list.size};
    return world_step(w, &in);
}

static size_t find_operation(const struct world *w, const char *resource)
{
    size_t i = 0;
    while (i < w->owed_count &&
           !(w->owed[i].resource_name && strcmp(w->owed[i].resource_name, resource) == 0))
        i++;
    return i;
}

bool is_owed(const struct world *w, const char *resource, enum operation_kind kind)
{
    size_t i = find_operation(w, resource);
    return i < w->owed_count && w->owed[i].effect.operation == kind;
}

void answer_owed(struct world *w, size_t nth, uint32_t exit_code)
{
    const struct effect *e = &w->owed[nth].effect;
    struct model_input in = {.operation = e->id, .number = exit_code};
    in.kind = e->kind == EFFECT_TIMER ? INPUT_TIMER : INPUT_OPERATION_DONE;
    forget_owed(w, nth);
    assert_int_equal(world_step(w, &in), 0);
}

void finish(struct world *w, const char *resource, enum operation_kind kind, uint32_t exit_code)
{
    size_t i = find_operation(w, resource);
    assert_true(i < w->owed_count);
    assert_int_equal(w->owed[i].effect.operation, kind);
    answer_owed(w, i, exit_code);
}

bool finish_one(struct world *w)
{
    for (size_t i = 0; i < w->owed_count; i++) {
        if (w->owed[i].effect.kind == EFFECT_OPERATION) {
            answer_owed(w, i, 0);
            return true;
        }
    }
    return false;
}

void finish_all(struct world *w)
{
    while (finish_one(w))
        ;
}

size_t next_timer(const struct world *w)
{
    size_t next = w->owed_count;
    for (size_t i = 0; i < w->owed_count; i++)
        if (w->owed[i].effect.kind == EFFECT_TIMER &&
            (next == w->owed_count || w->owed[i].due_ns < w->owed[next].due_ns))
            next = i;
    return next;
}

void fire_next(struct world *w)
{
    size_t next = next_timer(w);
    assert_true(next < w->owed_count);
    w->now_ns = MAX(w->now_ns, w->owed[next].due_ns);
    answer_owed(w, next, 0);
}

size_t timers_owed(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->owed_count; i++)
        n += w->owed[i].effect.kind == EFFECT_TIMER;
    return n;
}

void expect(struct world *w, const char *const *lines, size_t count)
{
    _cleanup_(buffer_fini) struct buffer wanted = {0};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(buffer_printf(&wanted, "%s\n", lines[i]), 0);
    assert_int_equal(buffer_append_zero(&wanted, 1), 0);
    assert_int_equal(buffer_append_zero(&w->log, 1), 0);
    assert_string_equal((const char *)w->log.data, (const char *)wanted.data);
    buffer_clear(&w->log);
}

void expect_nothing(struct world *w)
{
    expect(w, NULL, 0);
}

void forget_log(struct world *w)
{
    buffer_clear(&w->log);
}

uint32_t resource_state(const struct world *w, const char *name)
{
    const struct resource *r = model_resource(w->m, name);
    assert_non_null(r);
    return r->o.state;
}

uint32_t group_state(const struct world *w, const char *name)
{
    const struct group *g = model_group(w->m, name);
    assert_non_null(g);
    return g->o.state;
}

/* [MS-CMRP] 3.1.4.2.46, written a second time on purpose. */
static uint32_t derived_state(const struct group *g)
{
    size_t failed = 0, pending = 0, top = 0, online = 0;
    for (size_t i = 0; i < g->resources.count; i++) {
        const struct resource *r = g->resources.items[i];
        failed += r->o.state == RESOURCE_FAILED;
        pending += r->o.state == RESOURCE_ONLINE_PENDING || r->o.state == RESOURCE_OFFLINE_PENDING;
        top += r->dependents.count == 0;
        online += r->dependents.count == 0 && r->o.state == RESOURCE_ONLINE;
    }
    if (failed)
        return GROUP_FAILED;
    if (pending)
        return GROUP_PENDING;
    if (top > 0 && online == top)
        return GROUP_ONLINE;
    return online > 0 ? GROUP_PARTIAL_ONLINE : GROUP_OFFLINE;
}

void check_model(const struct world *w)
{
    const struct map *groups = model_objects(w->m, OBJECT_GROUP);
    for (struct map_entry *e = map_first(groups); e; e = map_next(groups, e)) {
        const struct group *g = e->value;
        assert_int_equal(g->o.state, derived_state(g));
    }
    const struct map *resources = model_objects(w->m, OBJECT_RESOURCE);
    for (struct map_entry *e = map_first(resources); e; e = map_next(resources, e)) {
        const struct resource *r = e->value;
        for (size_t i = 0; i < r->providers.count; i++) {
            const struct resource *p = r->providers.items[i];
            assert_ptr_equal(p->group, r->group);
            assert_false(r->o.state == RESOURCE_ONLINE && p->o.state == RESOURCE_OFFLINE);
        }
    }
}
