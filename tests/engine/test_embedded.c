/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/macro.h"
#include "world.h"

#define GROUP "aaaaaaaa-0000-4000-8000-000000000001"
#define RESOURCE "aaaaaaaa-0000-4000-8000-000000000002"
#define QUICK_APPLICATION                                                                          \
    "{\"name\": \"Quick Application\", \"class\": \"user\","                                       \
    " \"agent\": \"ocf:clusport:generic-application\", \"looks_alive_ms\": 100,"                   \
    " \"properties\": [{\"name\": \"CommandLine\", \"format\": \"sz\", \"required\": true,"        \
    " \"parameter\": \"command_line\"}]}"

static bool in_state(struct world *w, const void *state)
{
    const struct resource *r = model_resource(w->model, RESOURCE);

    return r && r->o.state == *(const uint32_t *)state;
}

static void await_state(struct world *w, uint32_t state)
{
    world_until(w, in_state, &state);
}

static void make(struct world *w, const char *type)
{
    assert_int_equal(
        world_request(
            w, (struct model_input){.kind = INPUT_CREATE_GROUP, .new_id = GROUP, .name = "G"}),
        ERR_SUCCESS);
    assert_int_equal(world_request(w, (struct model_input){.kind = INPUT_CREATE_RESOURCE,
                                                           .new_id = RESOURCE,
                                                           .parent_id = GROUP,
                                                           .name = "R",
                                                           .type_name = type}),
                     ERR_SUCCESS);
}

static uint32_t ask(struct world *w, enum input_kind kind)
{
    return world_request(w, (struct model_input){.kind = kind, .object_id = RESOURCE});
}

static void set_text(struct world *w, const char *name, const char *value)
{
    _cleanup_(property_table_fini) struct property_table table = {0};
    _cleanup_(buffer_fini) struct buffer list = {0};

    assert_int_equal(property_set_text(&table, name, value), 0);
    assert_int_equal(property_list_encode(&table, &list), 0);
    assert_int_equal(world_request(w, (struct model_input){.kind = INPUT_SET_PRIVATE_PROPERTIES,
                                                           .object_type = OBJECT_RESOURCE,
                                                           .object_id = RESOURCE,
                                                           .data = list.data,
                                                           .size = list.size}),
                     ERR_SUCCESS);
}

/* The process that the application agent keeps for the resource. */
static pid_t application_pid(struct world *w)
{
    char pattern[128], path[512];
    int pid = 0;
    FILE *file;

    snprintf(pattern, sizeof(pattern), "%s/agents", w->folder);
    DIR *d = opendir(pattern);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            snprintf(path, sizeof(path), "%s/%s/generic-application-%s.pid", pattern, e->d_name,
                     RESOURCE);
    closedir(d);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

static void test_start_reports(void **state)
{
    struct world *w = *state;

    world_start(w);
    assert_int_equal(world_count(w, INPUT_FORM_CLUSTER), 1);
    assert_string_equal(world_input(w, INPUT_FORM_CLUSTER, 0).name, "testcluster");
    assert_int_equal(strlen(world_input(w, INPUT_FORM_CLUSTER, 0).new_id), 36);
    assert_int_equal(world_count(w, INPUT_NODE_STARTED), 1);
    assert_string_equal(world_input(w, INPUT_NODE_STARTED, 0).object_id, "1");
    assert_string_equal(world_input(w, INPUT_NODE_STARTED, 0).name, "node1");
    assert_string_equal(world_input(w, INPUT_NODE_STARTED, 0).actor.node, "node1");
    assert_int_equal(world_input(w, INPUT_NODE_STARTED, 0).actor.reason, REASON_ENGINE);
    world_deliver(w);
    world_restart(w);
    assert_int_equal(world_count(w, INPUT_FORM_CLUSTER), 1);
    assert_int_equal(world_count(w, INPUT_NODE_STARTED), 2);
}

static void test_type_by_agent_name(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_deliver(w);
    make(w, "ocf:heartbeat:Dummy");
    assert_int_equal(world_count(w, INPUT_DEFINE_TYPE), 1);
    assert_non_null(model_resource_type(w->model, "ocf:heartbeat:Dummy"));
    assert_int_equal(ask(w, INPUT_ONLINE_RESOURCE), ERR_IO_PENDING);
    await_state(w, RESOURCE_ONLINE);
    assert_int_equal(ask(w, INPUT_OFFLINE_RESOURCE), ERR_IO_PENDING);
    await_state(w, RESOURCE_OFFLINE);
}

static void test_unknown_types(void **state)
{
    static const char *const types[] = {"ocf:heartbeat:Nothing", "No Such Type", "systemd:nothing"};
    struct world *w = *state;

    world_start(w);
    world_deliver(w);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        assert_int_equal(world_request(w, (struct model_input){.kind = INPUT_CREATE_RESOURCE,
                                                               .new_id = RESOURCE,
                                                               .parent_id = GROUP,
                                                               .name = "R",
                                                               .type_name = types[i]}),
                         ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    assert_int_equal(world_count(w, INPUT_CREATE_RESOURCE), 0);
}

static bool not_online(struct world *w, const void *context)
{
    (void)context;
    return model_resource(w->model, RESOURCE)->o.state != RESOURCE_ONLINE;
}

static void test_failure_is_noticed_and_repaired(void **state)
{
    struct world *w = *state;
    pid_t first, second;

    world_write(w, "quick.json", QUICK_APPLICATION);
    world_start(w);
    world_deliver(w);
    make(w, "Quick Application");
    set_text(w, "CommandLine", "sleep 600");
    assert_int_equal(ask(w, INPUT_ONLINE_RESOURCE), ERR_IO_PENDING);
    await_state(w, RESOURCE_ONLINE);
    first = application_pid(w);
    assert_int_equal(kill(first, SIGKILL), 0);
    world_until(w, not_online, NULL);
    await_state(w, RESOURCE_ONLINE);
    second = application_pid(w);
    assert_true(second != first);
    assert_int_equal(kill(second, 0), 0);
    assert_int_equal(ask(w, INPUT_OFFLINE_RESOURCE), ERR_IO_PENDING);
    await_state(w, RESOURCE_OFFLINE);
}

/* What runs when the engine comes back is found running, and is the same process. */
static void test_application_survives_the_engine(void **state)
{
    struct world *w = *state;
    pid_t pid;

    world_write(w, "quick.json", QUICK_APPLICATION);
    world_start(w);
    world_deliver(w);
    make(w, "Quick Application");
    set_text(w, "CommandLine", "sleep 600");
    assert_int_equal(ask(w, INPUT_ONLINE_RESOURCE), ERR_IO_PENDING);
    await_state(w, RESOURCE_ONLINE);
    pid = application_pid(w);
    w->delivered = w->submitted;
    world_restart(w);
    await_state(w, RESOURCE_ONLINE);
    assert_int_equal(application_pid(w), pid);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(ask(w, INPUT_OFFLINE_RESOURCE), ERR_IO_PENDING);
    await_state(w, RESOURCE_OFFLINE);
}

static bool has_timer(struct world *w, const void *id)
{
    for (size_t i = 0; i < world_count(w, INPUT_TIMER); i++)
        if (world_input(w, INPUT_TIMER, i).operation == *(const uint64_t *)id)
            return true;
    return false;
}

static void test_timers(void **state)
{
    struct world *w = *state;
    const struct engine_methods *m;
    uint64_t first = 11, second = 12, cancelled = 13;

    world_start(w);
    w->deaf = true;
    m = w->engine->methods;
    m->perform(w->engine, &(struct effect){.kind = EFFECT_TIMER, .id = cancelled, .delay_ms = 1});
    m->perform(w->engine, &(struct effect){.kind = EFFECT_TIMER, .id = second, .delay_ms = 60});
    m->perform(w->engine, &(struct effect){.kind = EFFECT_TIMER, .id = first, .delay_ms = 20});
    m->perform(w->engine, &(struct effect){.kind = EFFECT_TIMER_CANCEL, .id = cancelled});
    m->perform(w->engine, &(struct effect){.kind = EFFECT_TIMER_CANCEL, .id = 99});
    world_until(w, has_timer, &second);
    assert_int_equal(world_input(w, INPUT_TIMER, 0).operation, first);
    assert_int_equal(world_count(w, INPUT_TIMER), 2);
}

static void test_refused_reports_come_later_in_order(void **state)
{
    struct world *w = *state;
    const struct engine_methods *m;
    uint64_t last = 23;

    world_start(w);
    w->deaf = true;
    w->refusals = 3;
    m = w->engine->methods;
    for (uint64_t id = 21; id <= last; id++)
        m->perform(
            w->engine,
            &(struct effect){.kind = EFFECT_TIMER, .id = id, .delay_ms = (uint32_t)(id - 20) * 10});
    world_until(w, has_timer, &last);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(world_input(w, INPUT_TIMER, i).operation, 21 + i);
    assert_int_equal(w->refusals, 0);
}

static void test_operation_without_agent(void **state)
{
    struct world *w = *state;
    struct model_input done;

    world_start(w);
    w->deaf = true;
    w->engine->methods->perform(w->engine, &(struct effect){.kind = EFFECT_OPERATION,
                                                            .id = 31,
                                                            .operation = OPERATION_START,
                                                            .timeout_ms = 1000,
                                                            .type_name = (char *)"Gone"});
    done = world_input(w, INPUT_OPERATION_DONE, 0);
    assert_int_equal(done.operation, 31);
    assert_int_equal(done.number, AGENT_NOT_CONFIGURED);
    assert_int_equal(done.actor.reason, REASON_FAILURE);
    assert_true(done.name[0]);
}

static void test_definition_files(void **state)
{
    struct world *w = *state;

    world_write(w, "one.json", "{\"name\": \"One\", \"agent\": \"ocf:heartbeat:Dummy\"}");
    world_write(w, "bad.json", "{\"name\": \"Bad\"");
    world_write(w, "nameless.json", "{\"agent\": \"ocf:heartbeat:Dummy\"}");
    world_write(w, "notes.txt", "not a definition");
    world_start(w);
    assert_int_equal(world_count(w, INPUT_DEFINE_TYPE), 1);
    world_deliver(w);
    assert_non_null(model_resource_type(w->model, "One"));
    /* Layout alone is no change. */
    world_write(w, "one.json", "{\n  \"name\": \"One\",\n  \"agent\": \"ocf:heartbeat:Dummy\"}\n");
    world_write(w, "two.json", "{\"name\": \"Two\", \"agent\": \"ocf:heartbeat:Dummy\"}");
    w->engine->methods->reload(w->engine);
    assert_int_equal(world_count(w, INPUT_DEFINE_TYPE), 2);
    world_deliver(w);
    assert_non_null(model_resource_type(w->model, "Two"));
    w->engine->methods->reload(w->engine);
    assert_int_equal(world_count(w, INPUT_DEFINE_TYPE), 2);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_start_reports),
        CASE(test_type_by_agent_name),
        CASE(test_unknown_types),
        CASE(test_failure_is_noticed_and_repaired),
        CASE(test_application_survives_the_engine),
        CASE(test_timers),
        CASE(test_refused_reports_come_later_in_order),
        CASE(test_operation_without_agent),
        CASE(test_definition_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
