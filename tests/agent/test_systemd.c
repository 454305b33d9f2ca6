/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/macro.h"
#include "fixture.h"

/* A message bus of the test's own, on which the test itself is systemd. */

#define UNIT "{\"name\": \"u\", \"agent\": \"systemd:web\"}"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define UNIT_PATH MANAGER_PATH "/unit/web_2eservice"
#define JOB_PATH MANAGER_PATH "/job/7"

struct manager {
    struct agent_fixture *f;
    pid_t daemon;
    sd_bus *bus;
    const char *active_state;
    const char *job_result; /* NULL: the job never ends */
    const char *refusal;    /* an error's name, for every call */
    char last_call[128];
    bool subscribed;
};

static struct manager *manager;

static int on_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    (void)userdata;
    (void)error;
    manager->subscribed = true;
    return sd_bus_reply_method_return(m, NULL);
}

static int on_job(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *unit, *mode;
    int r;

    (void)userdata;
    if (manager->refusal)
        return sd_bus_error_set(error, manager->refusal, "as the test wants");
    assert_true(sd_bus_message_read(m, "ss", &unit, &mode) >= 0);
    snprintf(manager->last_call, sizeof(manager->last_call), "%s %s %s",
             sd_bus_message_get_member(m), unit, mode);
    r = sd_bus_reply_method_return(m, "o", JOB_PATH);
    if (r >= 0 && manager->job_result && manager->subscribed)
        r = sd_bus_emit_signal(manager->bus, MANAGER_PATH, "org.freedesktop.systemd1.Manager",
                               "JobRemoved", "uoss", 7, JOB_PATH, unit, manager->job_result);
    return r;
}

static int on_load(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    const char *unit;

    (void)userdata;
    if (manager->refusal)
        return sd_bus_error_set(error, manager->refusal, "as the test wants");
    assert_true(sd_bus_message_read(m, "s", &unit) >= 0);
    assert_string_equal(unit, "web.service");
    return sd_bus_reply_method_return(m, "o", UNIT_PATH);
}

static int on_active_state(sd_bus *bus, const char *path, const char *interface,
                           const char *property, sd_bus_message *reply, void *userdata,
                           sd_bus_error *error)
{
    (void)bus;
    (void)path;
    (void)interface;
    (void)property;
    (void)userdata;
    (void)error;
    return sd_bus_message_append(reply, "s", manager->active_state);
}

static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Subscribe", "", "", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StartUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StopUnit", "ss", "o", on_job, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("LoadUnit", "s", "o", on_load, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable unit_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("ActiveState", "s", on_active_state, 0, 0),
    SD_BUS_VTABLE_END,
};

/* Returns when the daemon has printed its address: then it can be reached. */
static pid_t start_bus(const char *address)
{
    char argument[256], line[512];
    int fds[2];
    pid_t pid;

    snprintf(argument, sizeof(argument), "--address=%s", address);
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fds[1], STDOUT_FILENO);
        execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nopidfile",
               "--print-address", argument, NULL);
        _exit(127);
    }
    close(fds[1]);
    assert_true(read(fds[0], line, sizeof(line)) > 0);
    close(fds[0]);
    return pid;
}

static int systemd_setup(void **state)
{
    char address[128];

    manager = calloc(1, sizeof(*manager));
    assert_non_null(manager);
    agent_fixture_setup((void **)&manager->f);
    snprintf(address, sizeof(address), "unix:path=%s/bus", manager->f->folder);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
    manager->daemon = start_bus(address);
    assert_true(sd_bus_open_system(&manager->bus) >= 0);
    assert_true(sd_bus_add_object_vtable(manager->bus, NULL, MANAGER_PATH,
                                         "org.freedesktop.systemd1.Manager", manager_vtable,
                                         NULL) >= 0);
    assert_true(sd_bus_add_object_vtable(manager->bus, NULL, UNIT_PATH,
                                         "org.freedesktop.systemd1.Unit", unit_vtable, NULL) >= 0);
    assert_true(sd_bus_request_name(manager->bus, "org.freedesktop.systemd1", 0) >= 0);
    assert_true(sd_bus_attach_event(manager->bus, manager->f->loop, 0) >= 0);
    manager->active_state = "active";
    manager->job_result = "done";
    *state = manager;
    return 0;
}

static void stop_bus(void)
{
    if (manager->daemon > 0) {
        kill(manager->daemon, SIGKILL);
        waitpid(manager->daemon, NULL, 0);
    }
    manager->daemon = 0;
}

static void leave_bus(void)
{
    if (manager->bus)
        sd_bus_detach_event(manager->bus);
    manager->bus = sd_bus_flush_close_unref(manager->bus);
}

static int systemd_teardown(void **state)
{
    (void)state;
    leave_bus();
    stop_bus();
    agent_fixture_teardown((void **)&manager->f);
    free(manager);
    return 0;
}

static void test_start_and_stop(void **state)
{
    struct agent_fixture *f = manager->f;

    (void)state;
    assert_int_equal(run(f, OPERATION_START, UNIT), AGENT_OK);
    assert_string_equal(manager->last_call, "StartUnit web.service replace");
    assert_int_equal(run(f, OPERATION_STOP, UNIT), AGENT_OK);
    assert_string_equal(manager->last_call, "StopUnit web.service replace");
    manager->job_result = "failed";
    assert_int_equal(run(f, OPERATION_START, UNIT), AGENT_GENERIC);
    assert_string_equal(f->detail, "the start job of web.service ended: failed");
}

static void test_unit_from_property(void **state)
{
    struct agent_fixture *f = manager->f;
    const char *type = "{\"agent\": \"systemd:\", \"properties\": [{\"name\": \"ServiceName\","
                       " \"format\": \"sz\", \"parameter\": \"unit\"}]}";

    (void)state;
    assert_int_equal(run(f, OPERATION_START, type), AGENT_NOT_CONFIGURED);
    assert_string_equal(f->detail, "no unit is named");
    property_set_text(&f->properties, "ServiceName", "data.mount");
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    assert_string_equal(manager->last_call, "StartUnit data.mount replace");
}

static void test_monitor(void **state)
{
    static const struct {
        const char *active_state;
        int monitor, probe;
    } expected[] = {
        {"active", AGENT_OK, AGENT_OK},
        {"reloading", AGENT_OK, AGENT_OK},
        {"inactive", AGENT_NOT_RUNNING, AGENT_NOT_RUNNING},
        {"failed", AGENT_GENERIC, AGENT_NOT_RUNNING},
    };
    struct agent_fixture *f = manager->f;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        manager->active_state = expected[i].active_state;
        assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, UNIT), expected[i].monitor);
        assert_int_equal(run(f, OPERATION_IS_ALIVE, UNIT), expected[i].monitor);
        assert_int_equal(run(f, OPERATION_PROBE, UNIT), expected[i].probe);
    }
    assert_string_equal(f->detail, "web.service is failed");
}

static void test_no_such_unit(void **state)
{
    struct agent_fixture *f = manager->f;

    (void)state;
    manager->refusal = "org.freedesktop.systemd1.NoSuchUnit";
    assert_int_equal(run(f, OPERATION_START, UNIT), AGENT_NOT_INSTALLED);
    assert_string_equal(f->detail, "there is no unit web.service");
    assert_int_equal(run(f, OPERATION_STOP, UNIT), AGENT_OK);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, UNIT), AGENT_NOT_RUNNING);
    manager->refusal = "org.freedesktop.DBus.Error.AccessDenied";
    assert_int_equal(run(f, OPERATION_START, UNIT), AGENT_PERMISSION);
}

static void test_job_without_end(void **state)
{
    struct agent_fixture *f = manager->f;

    (void)state;
    manager->job_result = NULL;
    assert_int_equal(begin(f, OPERATION_START, UNIT, 200), 0);
    await_result(f);
    assert_int_equal(f->exit_code, AGENT_TIMED_OUT);
    assert_int_equal(begin(f, OPERATION_START, UNIT, 20000), 0);
    agent_cancel(f->runner, f->last_id);
    manager->job_result = "done";
    assert_int_equal(run(f, OPERATION_STOP, UNIT), AGENT_OK);
    assert_int_equal(f->results, 2);
}

static void test_no_systemd_on_the_bus(void **state)
{
    struct agent_fixture *f = manager->f;

    (void)state;
    leave_bus();
    assert_int_equal(run(f, OPERATION_START, UNIT), AGENT_NOT_INSTALLED);
    assert_memory_equal(f->detail, "systemd is not running here", 27);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, UNIT), AGENT_NOT_INSTALLED);
}

static void test_bus_goes_away(void **state)
{
    struct agent_fixture *f = manager->f;

    (void)state;
    manager->job_result = NULL;
    assert_int_equal(begin(f, OPERATION_START, UNIT, 20000), 0);
    while (!manager->last_call[0])
        assert_true(sd_event_run(f->loop, UINT64_MAX) >= 0);
    stop_bus();
    await_result(f);
    assert_int_not_equal(f->exit_code, AGENT_OK);
    assert_int_not_equal(f->exit_code, AGENT_TIMED_OUT);
    assert_int_equal(run(f, OPERATION_STOP, UNIT), AGENT_NOT_INSTALLED);
    assert_memory_equal(f->detail, "systemd is not running here", 27);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, systemd_setup, systemd_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_start_and_stop), CASE(test_unit_from_property), CASE(test_monitor),
        CASE(test_no_such_unit),   CASE(test_job_without_end),    CASE(test_no_systemd_on_the_bus),
        CASE(test_bus_goes_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
