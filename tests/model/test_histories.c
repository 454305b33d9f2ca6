/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "referee.h"

/* Random histories under a virtual clock, judged by the referee. CLUSPORT_SEED with
 * CLUSPORT_ROUNDS=1 repeats one, and prints it when it fails. */

#define STEPS 150
#define GROUPS 3
#define RESOURCES 8

static struct test_random dice;

static uint32_t pick(uint32_t below)
{
    return random_below(&dice, below);
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

static uint32_t set_some_property(struct world *w)
{
    static const struct {
        const char *name;
        uint32_t values[4];
    } properties[] = {
        {"RestartAction", {RESTART_NOT, RESTART_NO_NOTIFY, RESTART_NOTIFY, RESTART_NOTIFY}},
        {"RestartThreshold", {0, 1, 2, 3}},
        {"RestartPeriod", {0, 1000, 10000, 30000}},
        {"RestartDelay", {0, 1, 500, 2000}},
        {"RetryPeriodOnFailure", {0, 5000, 60000, UINT32_MAX}},
        {"LooksAlivePollInterval", {0, 20000, 100000, 100000}},
        {"IsAlivePollInterval", {0, 50000, 100000, UINT32_MAX}},
    };
    size_t i = pick(ARRAY_SIZE(properties));
    return set_dword(w, OBJECT_RESOURCE, resource_name(), properties[i].name,
                     properties[i].values[pick(4)]);
}

/* Its defaults are longer than referee_settle() waits. */
static uint32_t make_resource(struct world *w, const char *group, const char *name)
{
    uint32_t code = create_resource(w, group, name);
    if (code != ERR_SUCCESS)
        return code;
    assert_int_equal(set_dword(w, OBJECT_RESOURCE, name, "RetryPeriodOnFailure", 60000), 0);
    assert_int_equal(set_dword(w, OBJECT_RESOURCE, name, "RestartPeriod", 10000), 0);
    assert_int_equal(set_dword(w, OBJECT_RESOURCE, name, "LooksAlivePollInterval", 100000), 0);
    return code;
}

static uint32_t some_request(struct world *w)
{
    static const enum input_kind on_resource[] = {INPUT_ONLINE_RESOURCE, INPUT_ONLINE_RESOURCE,
                                                  INPUT_OFFLINE_RESOURCE, INPUT_FAIL_RESOURCE,
                                                  INPUT_DELETE_RESOURCE};
    static const enum input_kind on_group[] = {INPUT_ONLINE_GROUP, INPUT_ONLINE_GROUP,
                                               INPUT_OFFLINE_GROUP, INPUT_DELETE_GROUP,
                                               INPUT_MOVE_GROUP};
    switch (pick(14)) {
    case 0:
        return create_group(w, group_name());
    case 1:
    case 2:
        return make_resource(w, group_name(), resource_name());
    case 3:
    case 4:
    case 5:
        return request(w, on_resource[pick(ARRAY_SIZE(on_resource))], resource_name());
    case 6:
        return request(w, on_group[pick(ARRAY_SIZE(on_group))], group_name());
    case 7:
    case 8:
        return request2(w, INPUT_ADD_DEPENDENCY, resource_name(), resource_name());
    case 9:
        return pick(2) ? request2(w, INPUT_REMOVE_DEPENDENCY, resource_name(), resource_name())
                       : request2(w, INPUT_CHANGE_RESOURCE_GROUP, resource_name(), group_name());
    case 10:
    case 11:
    case 12:
        return set_some_property(w);
    default:
        return request(w, pick(3) ? INPUT_RESUME_NODE : INPUT_PAUSE_NODE, "n1");
    }
}

/* What is refused changes nothing. */
static void ask(struct world *w)
{
    uint64_t revision = model_revision(w->m);
    size_t owed = w->owed_count;
    uint32_t code = some_request(w);
    if (code == ERR_SUCCESS || code == ERR_IO_PENDING)
        return;
    assert_true(model_revision(w->m) == revision);
    assert_int_equal(w->owed_count, owed);
}

static void be_answered(struct world *w)
{
    if (w->owed_count == 0)
        return;
    size_t nth = pick((uint32_t)w->owed_count);
    if (!w->owed[nth].resource_name) {
        nth = next_timer(w);
        w->now_ns = MAX(w->now_ns, w->owed[nth].due_ns);
    }
    referee_answer(w, nth, true);
}

static void step(struct world *w)
{
    if (pick(60) == 0)
        referee_restart(w, pick(3) == 0);
    else if (pick(20) == 0)
        referee_crash(w, resource_name());
    else if (pick(2) == 0)
        ask(w);
    else
        be_answered(w);
    w->now_ns += pick(1000) * MS;
}

/* Most begin with something to lose. */
static void populate(struct world *w)
{
    static const char *const names[] = {"R0", "R1", "R2", "R3", "R4", "R5"};
    assert_int_equal(create_group(w, "G0"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(make_resource(w, "G0", names[i]), 0);
        if (i > 0 && pick(3) > 0)
            assert_int_equal(request2(w, INPUT_ADD_DEPENDENCY, names[i], names[pick((uint32_t)i)]),
                             0);
    }
    request(w, INPUT_ONLINE_GROUP, "G0");
}

static struct world world;
static uint64_t present_seed; /* 0: all is well */

static void one_history(void)
{
    dice = random_of(present_seed);
    world_started(&world);
    world.quiet = campaign_rounds(0, 0) != 1;
    referee_begin(&world, present_seed);
    if (pick(10) > 0)
        populate(&world);
    for (int i = 0; i < STEPS; i++)
        step(&world);
    referee_settle(&world);
    referee_end(&world);
    world_fini(&world);
}

static void random_histories_keep_the_rules(void **state)
{
    (void)state;
    uint64_t first = campaign_seed(1);
    uint64_t count = campaign_rounds(500, 30000);
    for (present_seed = first; present_seed < first + count; present_seed++)
        one_history();
    present_seed = 0;
}

static int tell_the_seed(void **state)
{
    (void)state;
    if (present_seed != 0)
        fprintf(stderr, "%.*s\nrepeat with CLUSPORT_ROUNDS=1 CLUSPORT_SEED=%llu\n",
                (int)world.log.size, (const char *)world.log.data,
                (unsigned long long)present_seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(random_histories_keep_the_rules, tell_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
