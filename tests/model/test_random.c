/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Random histories under a virtual clock. MODEL_SEED repeats one. */

#define STEPS 4000
#define GROUPS 3
#define RESOURCES 8

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

static const char *group_name(void)
{
    static const char *const names[GROUPS] = {"G0", "G1", "G2"};
    return names[pick(GROUPS)];
}

static const char *resource_name(void)
{
    static const char *const names[RESOURCES] = {"R0", "R1", "R2", "R3", "R4", "R5", "R6", "R7"};
    return names[pick(RESOURCES)];
}

static bool transition_is_legal(uint32_t from, uint32_t to)
{
    switch (from) {
    case RESOURCE_OFFLINE:
        return to == RESOURCE_ONLINE_PENDING;
    case RESOURCE_ONLINE_PENDING:
        return to == RESOURCE_ONLINE || to == RESOURCE_FAILED || to == RESOURCE_OFFLINE_PENDING ||
               to == RESOURCE_OFFLINE;
    case RESOURCE_ONLINE:
        return to == RESOURCE_OFFLINE_PENDING || to == RESOURCE_FAILED;
    case RESOURCE_OFFLINE_PENDING:
        return to == RESOURCE_OFFLINE || to == RESOURCE_FAILED;
    case RESOURCE_FAILED:
        return to == RESOURCE_ONLINE_PENDING || to == RESOURCE_OFFLINE_PENDING ||
               to == RESOURCE_OFFLINE;
    default:
        return false;
    }
}

/* What a reader of nothing but changes knows: id → "kind of object + state". */
struct reader_view {
    struct map *states;
};

static void check_state_change(struct reader_view *v, const struct change *c, char *known)
{
    uint32_t state;
    assert_non_null(known);
    memcpy(&state, known, sizeof(state));
    assert_int_equal(c->old_value.number, state);
    assert_int_not_equal(c->new_value.number, state);
    if (c->kind == CHANGE_RESOURCE_STATE)
        assert_true(transition_is_legal(state, c->new_value.number));
    memcpy(known, &c->new_value.number, sizeof(state));
    (void)v;
}

/* ADDED is first, DELETED last, and each state follows from the one before. */
static void follow(struct reader_view *v, const struct buffer *changes)
{
    size_t at = 0;
    while (at < changes->size) {
        struct change c;
        assert_int_equal(change_decode(changes->data + at, changes->size - at, &c), 0);
        at += change_size(changes->data + at);
        enum object_type type = change_kind_info(c.kind)->object;
        if (type != OBJECT_GROUP && type != OBJECT_RESOURCE)
            continue;
        char *known = map_get(v->states, c.object_id);
        if (c.kind == CHANGE_GROUP_ADDED || c.kind == CHANGE_RESOURCE_ADDED) {
            uint32_t state = type == OBJECT_GROUP ? GROUP_OFFLINE : c.new_value.number;
            assert_null(known);
            known = malloc(sizeof(state));
            memcpy(known, &state, sizeof(state));
            assert_int_equal(map_put(v->states, c.object_id, known), 0);
            continue;
        }
        assert_non_null(known);
        if (c.kind == CHANGE_GROUP_DELETED || c.kind == CHANGE_RESOURCE_DELETED)
            free(map_remove(v->states, c.object_id));
        else if (c.kind == CHANGE_GROUP_STATE || c.kind == CHANGE_RESOURCE_STATE)
            check_state_change(v, &c, known);
    }
}

static void take_snapshot(const struct world *w, struct buffer *out)
{
    size_t count = 0;
    buffer_clear(out);
    assert_int_equal(model_snapshot(w->m, out, &count), 0);
    assert_true(count > 0);
}

static void check_same(const struct buffer *a, const struct buffer *b)
{
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->data, b->data, a->size);
}

static uint32_t some_request(struct world *w)
{
    static const enum input_kind on_resource[] = {INPUT_ONLINE_RESOURCE, INPUT_ONLINE_RESOURCE,
                                                  INPUT_OFFLINE_RESOURCE, INPUT_FAIL_RESOURCE,
                                                  INPUT_DELETE_RESOURCE};
    static const enum input_kind on_group[] = {INPUT_ONLINE_GROUP, INPUT_ONLINE_GROUP,
                                               INPUT_OFFLINE_GROUP, INPUT_DELETE_GROUP,
                                               INPUT_MOVE_GROUP};
    switch (pick(12)) {
    case 0:
        return create_group(w, group_name());
    case 1:
    case 2:
        return create_resource(w, group_name(), resource_name());
    case 3:
    case 4:
    case 5:
        return request(w, on_resource[pick(ARRAY_SIZE(on_resource))], resource_name());
    case 6:
    case 7:
        return request(w, on_group[pick(ARRAY_SIZE(on_group))], group_name());
    case 8:
        return request2(w, INPUT_ADD_DEPENDENCY, resource_name(), resource_name());
    case 9:
        return pick(2) ? request2(w, INPUT_REMOVE_DEPENDENCY, resource_name(), resource_name())
                       : request2(w, INPUT_CHANGE_RESOURCE_GROUP, resource_name(), group_name());
    case 10:
        return set_dword(w, OBJECT_RESOURCE, resource_name(),
                         pick(2) ? "RestartAction" : "PersistentState", pick(4));
    default:
        return request(w, pick(3) ? INPUT_RESUME_NODE : INPUT_PAUSE_NODE, "n1");
    }
}

static void some_answer(struct world *w)
{
    size_t operations = 0;
    for (size_t i = 0; i < w->owed_count; i++)
        operations += w->owed[i].effect.kind == EFFECT_OPERATION;
    if (operations > 0 && (pick(4) > 0 || timers_owed(w) == 0)) {
        size_t nth = pick((uint32_t)operations);
        for (size_t i = 0; i < w->owed_count; i++) {
            if (w->owed[i].effect.kind != EFFECT_OPERATION || nth-- > 0)
                continue;
            _cleanup_free_
            char *name = strdup(w->owed[i].resource_name);
            static const uint32_t codes[] = {0, 0, 0, 0, 0, 7, 1, 198};
            finish(w, name, w->owed[i].effect.operation, codes[pick(ARRAY_SIZE(codes))]);
            return;
        }
    } else if (timers_owed(w) > 0) {
        fire_next(w);
    }
}

static void restart_service(struct world *w)
{
    _cleanup_(buffer_fini) struct buffer before = {0};
    _cleanup_(buffer_fini) struct buffer after = {0};
    take_snapshot(w, &before);
    world_reload(w);
    take_snapshot(w, &after);
    check_same(&before, &after);
    struct model_input in = {.kind = INPUT_NODE_STARTED, .object_id = "1", .name = "n1"};
    assert_int_equal(world_step(w, &in), 0);
}

static void step(struct world *w)
{
    if (pick(100) == 0) {
        restart_service(w);
    } else if (pick(3) == 0) {
        _cleanup_(buffer_fini) struct buffer before = {0};
        _cleanup_(buffer_fini) struct buffer after = {0};
        take_snapshot(w, &before);
        uint32_t code = some_request(w);
        if (code == ERR_SUCCESS || code == ERR_IO_PENDING)
            return;
        take_snapshot(w, &after);
        check_same(&before, &after);
    } else {
        some_answer(w);
    }
    w->now_ns += pick(1000) * MS;
}

/* Every operation answered with success: nothing may stay pending for ever. */
static void check_it_settles(struct world *w, struct reader_view *v)
{
    while (finish_one(w))
        follow(v, &w->changes);
    const struct map *resources = model_objects(w->m, OBJECT_RESOURCE);
    for (struct map_entry *e = map_first(resources); e; e = map_next(resources, e)) {
        uint32_t s = ((const struct resource *)e->value)->o.state;
        assert_true(s == RESOURCE_ONLINE || s == RESOURCE_OFFLINE || s == RESOURCE_FAILED);
    }
}

static void random_histories_keep_the_rules(void **state)
{
    (void)state;
    const char *seed = getenv("MODEL_SEED");
    random_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    print_message("MODEL_SEED=%llu\n", (unsigned long long)random_state);
    struct world w;
    struct reader_view v = {.states = map_create()};
    assert_non_null(v.states);
    world_started(&w);
    w.quiet = true;
    char core[] = {GROUP_OFFLINE, 0, 0, 0};
    assert_int_equal(map_put(v.states, model_group(w.m, "Cluster Group")->o.id,
                             memcpy(malloc(sizeof(core)), core, sizeof(core))),
                     0);
    for (int i = 0; i < STEPS; i++) {
        uint64_t before = model_revision(w.m);
        step(&w);
        if (model_revision(w.m) != before)
            follow(&v, &w.changes);
        if (i % 200 == 199)
            check_it_settles(&w, &v);
    }
    check_it_settles(&w, &v);
    for (struct map_entry *e = map_first(v.states); e; e = map_next(v.states, e))
        free(e->value);
    map_destroy(v.states);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_keep_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
