/* SPDX-License-Identifier: MIT */
#include "harness.h"

/* One provider P and its dependent D in group G, both online; the log is empty. */
static void pair_online(struct world *w)
{
    world_started(w);
    assert_int_equal(create_group(w, "G"), 0);
    assert_int_equal(create_resource(w, "G", "D"), 0);
    assert_int_equal(create_resource(w, "G", "P"), 0);
    assert_int_equal(request2(w, INPUT_ADD_DEPENDENCY, "D", "P"), 0);
    assert_int_equal(request(w, INPUT_ONLINE_RESOURCE, "D"), ERR_IO_PENDING);
    finish_all(w);
    assert_int_equal(group_state(w, "G"), GROUP_ONLINE);
    forget_log(w);
}

static void one_online(struct world *w)
{
    world_started(w);
    assert_int_equal(create_group(w, "G"), 0);
    assert_int_equal(create_resource(w, "G", "R"), 0);
    assert_int_equal(request(w, INPUT_ONLINE_RESOURCE, "R"), ERR_IO_PENDING);
    finish_all(w);
    forget_log(w);
}

static void providers_come_first_and_go_last(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(request(&w, INPUT_OFFLINE_RESOURCE, "P"), ERR_IO_PENDING);
    EXPECT(&w, "resource.state D Online>OfflinePending dependency",
           "group.state G Online>Pending dependency",
           "resource.state P Online>OfflinePending request");
    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "D"), ERR_INVALID_STATE);
    assert_int_equal(request(&w, INPUT_ONLINE_GROUP, "G"), ERR_INVALID_STATE);
    assert_int_equal(request(&w, INPUT_MOVE_GROUP, "G"), ERR_INVALID_STATE);
    assert_false(is_owed(&w, "P", OPERATION_STOP));
    finish(&w, "D", OPERATION_STOP, 0);
    finish(&w, "P", OPERATION_STOP, 0);
    EXPECT(&w, "resource.state D OfflinePending>Offline dependency",
           "resource.state P OfflinePending>Offline request",
           "group.state G Pending>Offline request");
    assert_int_equal(timers_owed(&w), 0);

    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "D"), ERR_IO_PENDING);
    assert_false(is_owed(&w, "D", OPERATION_START));
    finish(&w, "P", OPERATION_START, 0);
    finish(&w, "D", OPERATION_START, 0);
    EXPECT(&w, "resource.state P Offline>OnlinePending request",
           "group.state G Offline>Pending request",
           "resource.state D Offline>OnlinePending request",
           "resource.state P OnlinePending>Online request",
           "resource.state D OnlinePending>Online request", "group.state G Pending>Online request");
    world_fini(&w);
}

static void a_failed_provider_is_restarted_with_its_dependents(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    fire_next(&w); /* D, made first, was online last: P is looked at first */
    finish(&w, "P", OPERATION_LOOKS_ALIVE, 7);
    finish(&w, "P", OPERATION_IS_ALIVE, 7);
    EXPECT(&w, "resource.state P Online>Failed failure", "group.state G Online>Failed failure",
           "resource.state D Online>OfflinePending dependency");
    assert_false(is_owed(&w, "P", OPERATION_STOP));
    finish(&w, "D", OPERATION_STOP, 0);
    EXPECT(&w, "resource.state D OfflinePending>Offline dependency");
    finish(&w, "P", OPERATION_STOP, 0);
    expect_nothing(&w);
    int64_t before = w.now_ns;
    fire_next(&w);
    assert_int_equal(w.now_ns - before, 500 * MS);
    EXPECT(&w, "resource.state P Failed>OnlinePending failover",
           "group.state G Failed>Pending failover",
           "resource.state D Offline>OnlinePending dependency");
    finish(&w, "P", OPERATION_START, 0);
    finish(&w, "D", OPERATION_START, 0);
    EXPECT(&w, "resource.state P OnlinePending>Online failover",
           "resource.state D OnlinePending>Online dependency",
           "group.state G Pending>Online dependency");
    world_fini(&w);
}

static void a_false_alarm_is_cleared_by_is_alive(void **state)
{
    (void)state;
    struct world w;
    one_online(&w);
    fire_next(&w);
    finish(&w, "R", OPERATION_LOOKS_ALIVE, 1);
    finish(&w, "R", OPERATION_IS_ALIVE, 0);
    expect_nothing(&w);
    assert_int_equal(resource_state(&w, "R"), RESOURCE_ONLINE);
    world_fini(&w);
}

static void fail_once(struct world *w)
{
    assert_int_equal(request(w, INPUT_FAIL_RESOURCE, "R"), 0);
    finish(w, "R", OPERATION_STOP, 0);
}

static void after_the_threshold_comes_the_retry_period(void **state)
{
    (void)state;
    struct world w;
    one_online(&w);
    for (int i = 0; i < 3; i++) {
        fail_once(&w);
        int64_t before = w.now_ns;
        fire_next(&w);
        assert_int_equal(w.now_ns - before, 500 * MS);
        finish(&w, "R", OPERATION_START, 0);
    }
    forget_log(&w);
    fail_once(&w);
    EXPECT(&w, "resource.state R Online>Failed request", "group.state G Online>Failed request");
    int64_t before = w.now_ns;
    fire_next(&w);
    assert_int_equal(w.now_ns - before, 3600000 * MS);
    finish(&w, "R", OPERATION_START, 1);
    EXPECT(&w, "resource.state R Failed>OnlinePending failover",
           "group.state G Failed>Pending failover", "resource.state R OnlinePending>Failed failure",
           "group.state G Pending>Failed failure");
    finish(&w, "R", OPERATION_STOP, 0);
    before = w.now_ns;
    fire_next(&w); /* the period is over: counted anew */
    assert_int_equal(w.now_ns - before, 500 * MS);
    world_fini(&w);
}

static void restart_action_0_leaves_it_failed(void **state)
{
    (void)state;
    struct world w;
    one_online(&w);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "R", "RestartAction", RESTART_NOT), 0);
    EXPECT(&w, "resource.common-property R RestartAction=2>RestartAction=0 request");
    fail_once(&w);
    assert_int_equal(timers_owed(&w), 0);
    assert_int_equal(request(&w, INPUT_FAIL_RESOURCE, "R"), ERR_INVALID_STATE);
    forget_log(&w);
    assert_int_equal(request(&w, INPUT_OFFLINE_RESOURCE, "R"), 0);
    EXPECT(&w, "resource.state R Failed>Offline request", "group.state G Failed>Offline request");
    world_fini(&w);
}

static void what_could_not_be_stopped_is_not_started(void **state)
{
    (void)state;
    struct world w;
    one_online(&w);
    assert_int_equal(request(&w, INPUT_FAIL_RESOURCE, "R"), 0);
    finish(&w, "R", OPERATION_STOP, 198);
    assert_int_equal(timers_owed(&w), 0);
    assert_int_equal(w.owed_count, 0);
    forget_log(&w);
    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "R"), ERR_IO_PENDING);
    assert_false(is_owed(&w, "R", OPERATION_START));
    finish(&w, "R", OPERATION_STOP, 0);
    finish(&w, "R", OPERATION_START, 0);
    EXPECT(&w, "resource.state R Failed>OnlinePending request",
           "group.state G Failed>Pending request", "resource.state R OnlinePending>Online request",
           "group.state G Pending>Online request");
    assert_int_equal(request(&w, INPUT_OFFLINE_RESOURCE, "R"), ERR_IO_PENDING);
    finish(&w, "R", OPERATION_STOP, 1);
    assert_int_equal(resource_state(&w, "R"), RESOURCE_FAILED);
    assert_int_equal(w.owed_count, 0);
    assert_int_equal(request(&w, INPUT_OFFLINE_RESOURCE, "R"), ERR_IO_PENDING);
    finish(&w, "R", OPERATION_STOP, 0);
    assert_int_equal(resource_state(&w, "R"), RESOURCE_OFFLINE);
    world_fini(&w);
}

static void offline_ends_a_start_under_way(void **state)
{
    (void)state;
    struct world w;
    one_online(&w);
    assert_int_equal(create_resource(&w, "G", "S"), 0);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "S", "R"), 0);
    assert_int_equal(request(&w, INPUT_OFFLINE_GROUP, "G"), ERR_IO_PENDING);
    finish_all(&w);
    assert_int_equal(request(&w, INPUT_ONLINE_GROUP, "G"), ERR_IO_PENDING);
    forget_log(&w);
    assert_int_equal(request(&w, INPUT_OFFLINE_GROUP, "G"), ERR_IO_PENDING);
    EXPECT(&w, "resource.state S OnlinePending>Offline dependency",
           "resource.state R OnlinePending>OfflinePending request");
    finish(&w, "R", OPERATION_STOP, 0);
    EXPECT(&w, "resource.state R OfflinePending>Offline request",
           "group.state G Pending>Offline request");
    world_fini(&w);
}

static void start_service(struct world *w)
{
    world_reload(w);
    struct model_input in = {.kind = INPUT_NODE_STARTED, .object_id = "1", .name = "n1"};
    assert_int_equal(world_step(w, &in), 0);
}

static void what_runs_stays_online_over_a_restart(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    start_service(&w);
    finish(&w, "D", OPERATION_PROBE, 0);
    finish(&w, "P", OPERATION_PROBE, 0);
    expect_nothing(&w);
    assert_int_equal(timers_owed(&w), 4);
    assert_int_equal(w.owed_count, 4);
    world_fini(&w);
}

static void what_was_lost_over_a_restart_comes_back(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "P", "RestartAction", RESTART_NOT), 0);
    forget_log(&w);
    start_service(&w);
    finish(&w, "P", OPERATION_PROBE, 7);
    EXPECT(&w, "resource.state P Online>Failed engine", "group.state G Online>Failed engine",
           "resource.state D Online>OfflinePending dependency");
    finish_all(&w);
    fire_next(&w);
    finish_all(&w);
    assert_int_equal(group_state(&w, "G"), GROUP_ONLINE);
    world_fini(&w);
}

static void pending_ones_are_taken_up_after_a_restart(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(request(&w, INPUT_OFFLINE_GROUP, "G"), ERR_IO_PENDING);
    forget_log(&w);
    uint64_t old_operation = w.owed[w.owed_count - 1].effect.id;
    start_service(&w);
    struct model_input late = {.kind = INPUT_OPERATION_DONE, .operation = old_operation};
    assert_int_equal(world_step(&w, &late), 0);
    expect_nothing(&w);
    finish(&w, "P", OPERATION_PROBE, 0);
    finish(&w, "D", OPERATION_PROBE, 7);
    finish(&w, "P", OPERATION_STOP, 0);
    EXPECT(&w, "resource.state D OfflinePending>Offline engine",
           "resource.state P OfflinePending>Offline engine",
           "group.state G Pending>Offline engine");
    assert_int_equal(request(&w, INPUT_ONLINE_GROUP, "G"), ERR_IO_PENDING);
    forget_log(&w);
    start_service(&w);
    finish(&w, "D", OPERATION_PROBE, 7);
    finish(&w, "P", OPERATION_PROBE, 0);
    finish(&w, "D", OPERATION_START, 0);
    EXPECT(&w, "resource.state P OnlinePending>Online engine",
           "resource.state D OnlinePending>Online engine", "group.state G Pending>Online engine");
    world_fini(&w);
}

static void what_runs_without_its_provider_is_stopped_first(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(request(&w, INPUT_OFFLINE_GROUP, "G"), ERR_IO_PENDING);
    finish_all(&w);
    assert_int_equal(request(&w, INPUT_ONLINE_GROUP, "G"), ERR_IO_PENDING);
    start_service(&w);
    forget_log(&w);
    finish(&w, "D", OPERATION_PROBE, 0);
    finish(&w, "P", OPERATION_PROBE, 7);
    EXPECT(&w, "resource.state D OnlinePending>Online engine",
           "resource.state D Online>OfflinePending dependency");
    assert_false(is_owed(&w, "P", OPERATION_START));
    finish(&w, "D", OPERATION_STOP, 0);
    finish(&w, "P", OPERATION_STOP, 0);
    finish(&w, "P", OPERATION_START, 0);
    finish(&w, "D", OPERATION_START, 0);
    assert_int_equal(group_state(&w, "G"), GROUP_ONLINE);
    world_fini(&w);
}

static void a_restart_that_was_due_is_not_forgotten(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(request(&w, INPUT_FAIL_RESOURCE, "P"), 0);
    finish_all(&w);
    assert_int_equal(resource_state(&w, "P"), RESOURCE_FAILED);
    assert_int_equal(resource_state(&w, "D"), RESOURCE_OFFLINE);
    start_service(&w);
    finish(&w, "P", OPERATION_PROBE, 7);
    fire_next(&w);
    finish_all(&w);
    assert_int_equal(group_state(&w, "G"), GROUP_ONLINE);
    world_fini(&w);
}

static void a_paused_node_starts_nothing(void **state)
{
    (void)state;
    struct world w;
    one_online(&w);
    assert_int_equal(request(&w, INPUT_RESUME_NODE, "n1"), ERR_CLUSTER_NODE_NOT_PAUSED);
    assert_int_equal(request(&w, INPUT_PAUSE_NODE, "n1"), 0);
    assert_int_equal(request(&w, INPUT_PAUSE_NODE, "n1"), 0);
    assert_int_equal(request(&w, INPUT_OFFLINE_RESOURCE, "R"), ERR_IO_PENDING);
    finish_all(&w);
    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "R"), ERR_SHARING_PAUSED);
    forget_log(&w);
    assert_int_equal(request(&w, INPUT_NODE_STOPPED, "1"), 0);
    start_service(&w);
    assert_int_equal(request(&w, INPUT_RESUME_NODE, "1"), 0);
    EXPECT(&w, "node.state n1 Paused>Down engine", "node.state n1 Down>Paused engine",
           "node.state n1 Paused>Up request");
    world_fini(&w);
}

static void what_goes_down_during_a_restart_comes_back_with_its_provider(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(request(&w, INPUT_FAIL_RESOURCE, "P"), 0);
    assert_int_equal(resource_state(&w, "D"), RESOURCE_OFFLINE_PENDING);
    start_service(&w);
    finish(&w, "D", OPERATION_PROBE, 7);
    finish(&w, "P", OPERATION_PROBE, 7);
    fire_next(&w);
    finish_all(&w);
    assert_int_equal(group_state(&w, "G"), GROUP_ONLINE);
    world_fini(&w);
}

static void what_waits_for_a_dependents_probe_is_woken_by_it(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(request(&w, INPUT_FAIL_RESOURCE, "D"), 0);
    finish_all(&w);
    start_service(&w);
    finish(&w, "P", OPERATION_PROBE, 7);
    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "D"), ERR_IO_PENDING);
    assert_false(is_owed(&w, "P", OPERATION_STOP));
    finish(&w, "D", OPERATION_PROBE, 7);
    assert_true(is_owed(&w, "P", OPERATION_STOP));
    finish_all(&w);
    assert_int_equal(group_state(&w, "G"), GROUP_ONLINE);
    world_fini(&w);
}

static void a_dependent_is_cleaned_up_before_its_provider(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(request(&w, INPUT_OFFLINE_RESOURCE, "D"), ERR_IO_PENDING);
    finish(&w, "D", OPERATION_STOP, 1);
    assert_int_equal(request(&w, INPUT_FAIL_RESOURCE, "P"), 0);
    finish(&w, "P", OPERATION_STOP, 1);
    forget_log(&w);
    assert_int_equal(request(&w, INPUT_ONLINE_GROUP, "G"), ERR_IO_PENDING);
    assert_true(is_owed(&w, "D", OPERATION_STOP));
    assert_false(is_owed(&w, "P", OPERATION_STOP));
    finish_all(&w);
    assert_int_equal(group_state(&w, "G"), GROUP_ONLINE);
    world_fini(&w);
}

static void without_the_dependency_it_need_not_wait(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "P", "RestartAction", RESTART_NOT), 0);
    assert_int_equal(request(&w, INPUT_FAIL_RESOURCE, "P"), 0);
    finish_all(&w);
    assert_int_equal(resource_state(&w, "D"), RESOURCE_OFFLINE);
    forget_log(&w);
    assert_int_equal(request2(&w, INPUT_REMOVE_DEPENDENCY, "D", "P"), 0);
    finish_all(&w);
    assert_int_equal(resource_state(&w, "D"), RESOURCE_ONLINE);
    world_fini(&w);
}

static void offline_reaches_what_failed_behind_what_is_offline(void **state)
{
    (void)state;
    struct world w;
    pair_online(&w);
    assert_int_equal(create_resource(&w, "G", "E"), 0);
    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "E"), ERR_IO_PENDING);
    finish_all(&w);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "E", "D"), 0);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "E", "RestartAction", RESTART_NOT), 0);
    assert_int_equal(request(&w, INPUT_FAIL_RESOURCE, "E"), 0);
    assert_int_equal(request(&w, INPUT_FAIL_RESOURCE, "P"), 0);
    finish_all(&w);
    assert_int_equal(resource_state(&w, "D"), RESOURCE_OFFLINE);
    assert_int_equal(resource_state(&w, "E"), RESOURCE_FAILED);
    assert_int_equal(request(&w, INPUT_OFFLINE_RESOURCE, "P"), 0);
    assert_int_equal(group_state(&w, "G"), GROUP_OFFLINE);
    assert_int_equal(timers_owed(&w), 0);
    world_fini(&w);
}

static void who_asks_for_the_group_begins_anew(void **state)
{
    (void)state;
    struct world w;
    one_online(&w);
    for (int i = 0; i < 3; i++) {
        fail_once(&w);
        fire_next(&w);
        finish(&w, "R", OPERATION_START, 0);
    }
    fail_once(&w); /* the fourth: nothing before RetryPeriodOnFailure */
    assert_int_equal(request(&w, INPUT_ONLINE_GROUP, "G"), ERR_IO_PENDING);
    finish_all(&w);
    fail_once(&w);
    int64_t before = w.now_ns;
    fire_next(&w);
    assert_int_equal(w.now_ns - before, 500 * MS);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(providers_come_first_and_go_last),
        cmocka_unit_test(a_failed_provider_is_restarted_with_its_dependents),
        cmocka_unit_test(a_false_alarm_is_cleared_by_is_alive),
        cmocka_unit_test(after_the_threshold_comes_the_retry_period),
        cmocka_unit_test(restart_action_0_leaves_it_failed),
        cmocka_unit_test(what_could_not_be_stopped_is_not_started),
        cmocka_unit_test(offline_ends_a_start_under_way),
        cmocka_unit_test(what_runs_stays_online_over_a_restart),
        cmocka_unit_test(what_was_lost_over_a_restart_comes_back),
        cmocka_unit_test(pending_ones_are_taken_up_after_a_restart),
        cmocka_unit_test(what_runs_without_its_provider_is_stopped_first),
        cmocka_unit_test(a_restart_that_was_due_is_not_forgotten),
        cmocka_unit_test(a_paused_node_starts_nothing),
        cmocka_unit_test(what_goes_down_during_a_restart_comes_back_with_its_provider),
        cmocka_unit_test(what_waits_for_a_dependents_probe_is_woken_by_it),
        cmocka_unit_test(a_dependent_is_cleaned_up_before_its_provider),
        cmocka_unit_test(without_the_dependency_it_need_not_wait),
        cmocka_unit_test(offline_reaches_what_failed_behind_what_is_offline),
        cmocka_unit_test(who_asks_for_the_group_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
