/* SPDX-License-Identifier: MIT */
#include "referee.h"

#include <string.h>

#define EXIT_FAILED 1
#define EXIT_NOT_RUNNING 7
#define EXIT_TIMED_OUT 198
#define SETTLE_NS (150000 * MS) /* longer than the properties that the test sets add up to */
#define NEVER UINT32_MAX

/* A resource as one knows it who sees only what is told and asked. */
struct piece {
    char *name;
    uint32_t state;
    enum change_reason reason; /* of its state */
    bool runs;                 /* the truth */
    bool may_run; /* what its agent said last leaves this open, or what it left behind */
    bool wanted;
    bool given_up;
    uint64_t operation; /* under way; 0: none */
    enum operation_kind kind;
    uint32_t counted; /* failures answered in the period that began at: */
    int64_t period_start_ns;
};

static struct {
    struct map *pieces; /* id → struct piece */
    struct map *groups; /* id → its state, a uint32_t */
    struct test_random random;
} referee;

/* ---- (1) ---- */

static bool may_follow(uint32_t from, uint32_t to)
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

static void piece_free(struct piece *p)
{
    if (p)
        free(p->name);
    free(p);
}

static void see_resource(const struct change *c)
{
    struct piece *p = map_get(referee.pieces, c->object_id);
    if (c->kind == CHANGE_RESOURCE_ADDED) {
        assert_null(p);
        p = calloc(1, sizeof(*p));
        assert_non_null(p);
        p->name = strdup(c->name);
        p->state = c->new_value.number;
        assert_int_equal(map_put(referee.pieces, c->object_id, p), 0);
        return;
    }
    assert_non_null(p);
    if (c->kind == CHANGE_RESOURCE_DELETED) {
        piece_free(map_remove(referee.pieces, c->object_id));
    } else if (c->kind == CHANGE_RESOURCE_STATE) {
        assert_int_equal(c->old_value.number, p->state);
        assert_true(may_follow(p->state, c->new_value.number));
        p->state = c->new_value.number;
        p->reason = c->actor.reason;
        if (p->state != RESOURCE_FAILED)
            p->given_up = false;
    }
}

static void see_group(const struct change *c)
{
    uint32_t *state = map_get(referee.groups, c->object_id);
    if (c->kind == CHANGE_GROUP_ADDED) {
        assert_null(state);
        state = malloc(sizeof(*state));
        assert_non_null(state);
        *state = GROUP_OFFLINE;
        assert_int_equal(map_put(referee.groups, c->object_id, state), 0);
        return;
    }
    assert_non_null(state);
    if (c->kind == CHANGE_GROUP_DELETED) {
        free(map_remove(referee.groups, c->object_id));
    } else if (c->kind == CHANGE_GROUP_STATE) {
        assert_int_equal(c->old_value.number, *state);
        assert_int_not_equal(c->new_value.number, *state);
        *state = c->new_value.number;
    }
}

static void see_changes(const struct buffer *changes)
{
    for (size_t at = 0; at < changes->size; at += change_size(changes->data + at)) {
        struct change c;
        assert_int_equal(change_decode(changes->data + at, changes->size - at, &c), 0);
        enum object_type type = change_kind_info(c.kind)->object;
        if (type == OBJECT_RESOURCE)
            see_resource(&c);
        else if (type == OBJECT_GROUP)
            see_group(&c);
    }
}

/* ---- (6): what was asked for ---- */

static struct piece *piece_of(const struct resource *r)
{
    struct piece *p = map_get(referee.pieces, r->o.id);
    assert_non_null(p);
    return p;
}

static void want_with_providers(const struct resource *r)
{
    struct piece *p = piece_of(r);
    if (p->state != RESOURCE_OFFLINE && p->state != RESOURCE_FAILED)
        return;
    p->wanted = true;
    p->counted = 0; /* who asks does not care what failed before */
    for (size_t i = 0; i < r->providers.count; i++)
        want_with_providers(r->providers.items[i]);
}

static void renounce_with_dependents(const struct resource *r)
{
    piece_of(r)->wanted = false;
    for (size_t i = 0; i < r->dependents.count; i++)
        renounce_with_dependents(r->dependents.items[i]);
}

static void see_group_request(const struct group *g, bool online)
{
    for (size_t i = 0; i < g->resources.count; i++) {
        if (online)
            want_with_providers(g->resources.items[i]);
        else
            renounce_with_dependents(g->resources.items[i]);
    }
}

static void see_request(const struct world *w, const struct model_input *in)
{
    switch (in->kind) {
    case INPUT_ONLINE_RESOURCE:
        want_with_providers(model_resource(w->m, in->object_id));
        break;
    case INPUT_OFFLINE_RESOURCE:
        renounce_with_dependents(model_resource(w->m, in->object_id));
        break;
    case INPUT_ONLINE_GROUP:
        see_group_request(model_group(w->m, in->object_id), true);
        break;
    case INPUT_OFFLINE_GROUP:
        see_group_request(model_group(w->m, in->object_id), false);
        break;
    default:
        break;
    }
}

/* ---- (7): how a failure is answered ---- */

static uint32_t property(const struct world *w, const char *resource, const char *name)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    const struct resource *r = model_resource(w->m, resource);
    assert_non_null(r);
    assert_int_equal(model_properties(w->m, &r->o, PROPERTIES_COMMON, &t), 0);
    const struct property *p = property_find(&t, name);
    assert_non_null(p);
    return (uint32_t)p->number;
}

/* The delay after which it is to start again, NEVER: not at all. */
static uint32_t restart_delay(const struct world *w, struct piece *p)
{
    uint32_t delay = property(w, p->name, "RestartDelay");
    if (p->reason == REASON_ENGINE) /* lost while the service was away: no failure */
        return delay;
    if (property(w, p->name, "RestartAction") == RESTART_NOT)
        return NEVER;
    uint32_t period = property(w, p->name, "RestartPeriod");
    if (p->counted == 0 || w->now_ns - p->period_start_ns > period * MS) {
        p->counted = 0;
        p->period_start_ns = w->now_ns;
    }
    if (p->counted < property(w, p->name, "RestartThreshold")) {
        p->counted++;
        return delay;
    }
    uint32_t retry = property(w, p->name, "RetryPeriodOnFailure");
    return retry == NEVER ? NEVER : MAX(retry, period);
}

/* It failed and is stopped now. The only timer that this step began is its restart's. */
static void check_answer_to_failure(const struct world *w, struct piece *p)
{
    uint32_t delay = p->wanted ? restart_delay(w, p) : NEVER;
    size_t begun = 0;
    for (size_t i = 0; i < w->owed_count; i++) {
        if (w->owed[i].effect.kind != EFFECT_TIMER || w->owed[i].begun != w->steps)
            continue;
        begun++;
        assert_int_equal(w->owed[i].effect.delay_ms, delay);
    }
    assert_int_equal(begun, delay != NEVER);
    p->given_up = delay == NEVER;
}

/* ---- (2) to (5): what is asked of agents ---- */

static void check_start(const struct resource *r, const struct piece *p)
{
    assert_int_equal(p->state, RESOURCE_ONLINE_PENDING);
    assert_false(p->may_run);
    for (size_t i = 0; i < r->providers.count; i++)
        assert_int_equal(piece_of(r->providers.items[i])->state, RESOURCE_ONLINE);
}

static void check_stop(const struct resource *r)
{
    for (size_t i = 0; i < r->dependents.count; i++) {
        const struct piece *d = piece_of(r->dependents.items[i]);
        if (d->may_run)
            assert_true(d->state == RESOURCE_FAILED && d->operation == 0);
    }
}

static const struct owed *operation_of(const struct world *w, const char *resource)
{
    const struct owed *found = NULL;
    for (size_t i = 0; i < w->owed_count; i++) {
        if (!w->owed[i].resource_name || strcmp(w->owed[i].resource_name, resource) != 0)
            continue;
        assert_null(found); /* (2) */
        found = &w->owed[i];
    }
    return found;
}

static void see_operations(const struct world *w)
{
    for (struct map_entry *e = map_first(referee.pieces); e; e = map_next(referee.pieces, e)) {
        struct piece *p = e->value;
        const struct owed *o = operation_of(w, p->name);
        uint64_t id = o ? o->effect.id : 0;
        if (p->operation == id)
            continue;
        /* One that was ended by force has done half of its work. */
        if (p->operation != 0 && p->kind == OPERATION_START)
            p->runs = random_one_in(&referee.random, 2);
        p->operation = id;
        p->kind = o ? o->effect.operation : p->kind;
    }
    for (struct map_entry *e = map_first(referee.pieces); e; e = map_next(referee.pieces, e)) {
        struct piece *p = e->value;
        const struct owed *o = operation_of(w, p->name);
        const struct resource *r = model_resource(w->m, p->name);
        if (!o || o->begun != w->steps)
            continue;
        if (p->kind == OPERATION_START) {
            check_start(r, p);
            p->may_run = true;
        } else if (p->kind == OPERATION_STOP) {
            check_stop(r);
        }
    }
}

/* Gives what had failed and is known now not to run; NULL: the answer was about something else. */
static struct piece *see_answer(const struct model_input *in)
{
    for (struct map_entry *e = map_first(referee.pieces); e; e = map_next(referee.pieces, e)) {
        struct piece *p = e->value;
        if (p->operation == 0 || p->operation != in->operation)
            continue;
        p->operation = 0;
        if (p->kind == OPERATION_STOP && in->number != 0)
            p->may_run = true; /* who was only asked to be on the safe side, too */
        bool stopped = p->kind == OPERATION_STOP && in->number == 0;
        /* What was Online and does not run has failed, and may have left something behind. */
        bool runs_not = p->kind == OPERATION_PROBE && in->number == EXIT_NOT_RUNNING &&
                        p->state != RESOURCE_ONLINE;
        if (!stopped && !runs_not)
            return NULL;
        p->may_run = false;
        return p->state == RESOURCE_FAILED ? p : NULL;
    }
    return NULL;
}

static void check_piece(const struct world *w, const struct piece *p)
{
    const struct resource *r = model_resource(w->m, p->name);
    assert_non_null(r);
    assert_int_equal(r->o.state, p->state);
    assert_int_equal(property(w, p->name, "PersistentState"), p->wanted);
    if (p->runs)
        assert_true(p->may_run);
    if (p->state == RESOURCE_OFFLINE)
        assert_false(p->may_run);
    if (p->state == RESOURCE_ONLINE)
        assert_true(p->may_run);
    if (p->state == RESOURCE_ONLINE || p->state == RESOURCE_ONLINE_PENDING)
        assert_true(p->wanted);
}

/* A new life: failures are counted anew, and what is down is no failure of its own. */
static void see_service_start(const struct world *w)
{
    for (struct map_entry *e = map_first(referee.pieces); e; e = map_next(referee.pieces, e)) {
        struct piece *p = e->value;
        p->counted = 0;
        p->reason = REASON_ENGINE;
        p->given_up = p->state == RESOURCE_FAILED &&
                      (!p->wanted || property(w, p->name, "RestartAction") == RESTART_NOT);
        /* What the last life had begun is ended by force. */
        if (p->operation != 0 && (p->kind == OPERATION_START || p->kind == OPERATION_STOP))
            p->runs = p->may_run && random_one_in(&referee.random, 2);
        p->operation = 0;
    }
}

static void watch(struct world *w, const struct model_input *in, uint32_t code)
{
    struct piece *failed = NULL;
    if (code == ERR_SUCCESS || code == ERR_IO_PENDING)
        see_request(w, in);
    if (in->kind == INPUT_NODE_STARTED)
        see_service_start(w);
    if (in->kind == INPUT_OPERATION_DONE)
        failed = see_answer(in);
    see_changes(&w->changes);
    see_operations(w);
    for (struct map_entry *e = map_first(referee.pieces); e; e = map_next(referee.pieces, e))
        check_piece(w, e->value);
    if (failed)
        check_answer_to_failure(w, failed);
}

/* ---- the machine ---- */

void referee_crash(struct world *w, const char *resource)
{
    const struct resource *r = model_resource(w->m, resource);
    if (r)
        piece_of(r)->runs = false;
}

static uint32_t do_operation(struct piece *p, bool fails)
{
    switch (p->kind) {
    case OPERATION_START:
        assert_false(p->runs); /* (3), on the machine itself */
        p->runs = !fails || random_one_in(&referee.random, 2);
        return !fails ? 0 : random_one_in(&referee.random, 2) ? EXIT_FAILED : EXIT_TIMED_OUT;
    case OPERATION_STOP:
        p->runs = p->runs && fails;
        return fails ? EXIT_FAILED : 0;
    default:
        if (!p->runs)
            return EXIT_NOT_RUNNING;
        return fails ? EXIT_TIMED_OUT : 0;
    }
}

void referee_answer(struct world *w, size_t nth, bool may_fail)
{
    const char *name = w->owed[nth].resource_name;
    if (!name) {
        answer_owed(w, nth, 0);
        return;
    }
    struct piece *p = piece_of(model_resource(w->m, name));
    answer_owed(w, nth, do_operation(p, may_fail && random_one_in(&referee.random, 8)));
}

static void take_snapshot(const struct world *w, struct buffer *out)
{
    size_t count = 0;
    assert_int_equal(model_snapshot(w->m, out, &count), 0);
    assert_true(count > 0);
}

void referee_restart(struct world *w, bool in_order)
{
    _cleanup_(buffer_fini) struct buffer before = {0};
    _cleanup_(buffer_fini) struct buffer after = {0};
    if (in_order)
        assert_int_equal(request(w, INPUT_NODE_STOPPED, "1"), 0);
    take_snapshot(w, &before);
    world_reload(w);
    take_snapshot(w, &after);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    struct model_input in = {.kind = INPUT_NODE_STARTED, .object_id = "1", .name = "n1"};
    assert_int_equal(world_step(w, &in), 0);
}

/* ---- (8) ---- */

static bool providers_are_online(const struct resource *r)
{
    for (size_t i = 0; i < r->providers.count; i++)
        if (piece_of(r->providers.items[i])->state != RESOURCE_ONLINE)
            return false;
    return true;
}

static void check_at_rest(const struct world *w, const struct piece *p)
{
    const struct resource *r = model_resource(w->m, p->name);
    bool may_stay_failed = p->may_run || p->given_up;
    switch (p->state) {
    case RESOURCE_ONLINE:
        break; /* and so it is wanted: check_piece() */
    case RESOURCE_OFFLINE:
        if (p->wanted && providers_are_online(r))
            fail_msg("%s is wanted, and nothing keeps it from being online", p->name);
        break;
    case RESOURCE_FAILED:
        if (!may_stay_failed && (!p->wanted || providers_are_online(r)))
            fail_msg("%s failed, and nobody does anything about it", p->name);
        break;
    default:
        fail_msg("%s is pending for ever", p->name);
    }
}

void referee_settle(struct world *w)
{
    int64_t end_ns = w->now_ns + SETTLE_NS;
    size_t nth;
    for (;;) {
        for (nth = 0; nth < w->owed_count && !w->owed[nth].resource_name; nth++)
            ;
        if (nth < w->owed_count) {
            referee_answer(w, nth, false);
            continue;
        }
        nth = next_timer(w);
        if (nth == w->owed_count || w->owed[nth].due_ns > end_ns)
            break;
        w->now_ns = MAX(w->now_ns, w->owed[nth].due_ns);
        referee_answer(w, nth, false);
    }
    for (struct map_entry *e = map_first(referee.pieces); e; e = map_next(referee.pieces, e))
        check_at_rest(w, e->value);
}

/* ---- life ---- */

void referee_begin(struct world *w, uint64_t seed)
{
    referee.pieces = map_create();
    referee.groups = map_create();
    assert_non_null(referee.pieces);
    assert_non_null(referee.groups);
    referee.random = random_of(seed);
    const struct map *groups = model_objects(w->m, OBJECT_GROUP);
    for (struct map_entry *e = map_first(groups); e; e = map_next(groups, e)) {
        const struct group *g = e->value;
        uint32_t *state = malloc(sizeof(*state));
        assert_non_null(state);
        *state = g->o.state;
        assert_int_equal(map_put(referee.groups, g->o.id, state), 0);
    }
    w->watch = watch;
}

void referee_end(struct world *w)
{
    w->watch = NULL;
    for (struct map_entry *e = map_first(referee.pieces); e; e = map_next(referee.pieces, e))
        piece_free(e->value);
    for (struct map_entry *e = map_first(referee.groups); e; e = map_next(referee.groups, e))
        free(e->value);
    map_destroy(referee.pieces);
    map_destroy(referee.groups);
}
