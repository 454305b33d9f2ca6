/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"
#include "fixture.h"
#include "support/service.h"

#define DUMMY "{\"name\": \"d\", \"agent\": \"ocf:heartbeat:Dummy\"}"
#define TALKER "{\"name\": \"t\", \"agent\": \"ocf:test:talker\"}"

static void scratch_path(struct agent_fixture *f, const char *name, char out[256])
{
    char boot[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    assert_non_null(file);
    assert_non_null(fgets(boot, sizeof(boot), file));
    fclose(file);
    boot[strcspn(boot, "\n")] = '\0';
    snprintf(out, 256, "%s/agents/%s/%s", f->folder, boot, name);
}

static void act(struct agent_fixture *f, const char *what)
{
    assert_int_equal(property_set_text(&f->properties, "act", what), 0);
}

static pid_t read_pid(struct agent_fixture *f, const char *name)
{
    char path[256], line[64];

    scratch_path(f, name, path);
    assert_true(read_file(path, line, sizeof(line)));
    return (pid_t)strtol(line, NULL, 10);
}

/* Gone, or dead and waiting for init. */
static bool is_gone(pid_t pid)
{
    _cleanup_close_
    int fd = pidfd_open(pid, 0);

    return fd < 0 || poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 10000) == 1;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static void test_dummy_lives(void **state)
{
    struct agent_fixture *f = *state;

    assert_int_equal(run(f, OPERATION_PROBE, DUMMY), AGENT_NOT_RUNNING);
    assert_int_equal(run(f, OPERATION_START, DUMMY), AGENT_OK);
    assert_string_equal(f->detail, "");
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, DUMMY), AGENT_OK);
    assert_int_equal(run(f, OPERATION_IS_ALIVE, DUMMY), AGENT_OK);
    assert_int_equal(run(f, OPERATION_STOP, DUMMY), AGENT_OK);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, DUMMY), AGENT_NOT_RUNNING);
    assert_string_equal(f->detail, "No process state file found");
}

static const char *line_of(const char *text, const char *wanted)
{
    size_t length = strlen(wanted);

    for (const char *at = text; (at = strstr(at, wanted)); at++)
        if ((at == text || at[-1] == '\n') && at[length] == '\n')
            return at;
    return NULL;
}

static void test_environment(void **state)
{
    static const char *const wanted[] = {
        "OCF_ROOT=/usr/lib/ocf",
        "OCF_RA_VERSION_MAJOR=1",
        "OCF_RA_VERSION_MINOR=1",
        "OCF_RESOURCE_INSTANCE=11111111-2222-3333-4444-555555555555",
        "OCF_RESOURCE_PROVIDER=test",
        "OCF_RESOURCE_TYPE=talker",
        "OCF_CHECK_LEVEL=10",
        "OCF_RESKEY_CRM_meta_timeout=20000",
        "OCF_RESKEY_CRM_meta_interval=60000",
        "OCF_RESKEY_CRM_meta_on_node=node1",
        "OCF_RESKEY_number=42",
        "OCF_RESKEY_several=one two",
        "argument=monitor",
        "directory=/",
        "blocked=0000000000000000",
    };
    struct agent_fixture *f = *state;
    char path[256], text[16384] = "";
    sigset_t blocked;
    FILE *file;
    unsigned long long ignored = ~0ull;
    int session = 0, self = -1, left_open = open("/dev/full", O_RDONLY);

    assert_true(left_open > STDERR_FILENO);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    setenv("SECRET_OF_THE_SERVICE", "1", 1);
    act(f, "environment");
    property_set_dword(&f->properties, "number", 42);
    property_set_multi(&f->properties, "several", "one\0two", 8);
    property_set_text(&f->properties, "CRM_meta_timeout", "1");
    assert_int_equal(run(f, OPERATION_IS_ALIVE, TALKER), AGENT_OK);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);

    scratch_path(f, "environment", path);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        if (!line_of(text, wanted[i]))
            fail_msg("no line \"%s\" in:\n%s", wanted[i], text);
    close(left_open);
    assert_null(strstr(text, "/dev/full"));
    assert_null(strstr(text, "SECRET_OF_THE_SERVICE"));
    assert_int_equal(sscanf(strstr(text, "ignored="), "ignored=%llx", &ignored), 1);
    assert_int_equal(ignored & 0x7fffffff, 0); /* above are the C library's own */
    assert_int_equal(sscanf(strstr(text, "session="), "session=%d self=%d", &session, &self), 2);
    assert_int_equal(session, self);
}

static void test_reason_is_told(void **state)
{
    struct agent_fixture *f = *state;

    act(f, "reason");
    assert_int_equal(run(f, OPERATION_START, TALKER), AGENT_GENERIC);
    assert_string_equal(f->detail, "the disk is on fire");
}

static void test_flood_is_bounded(void **state)
{
    struct agent_fixture *f = *state;

    act(f, "flood");
    assert_int_equal(run(f, OPERATION_START, TALKER), AGENT_NOT_RUNNING);
}

static void test_bytes_that_are_no_text(void **state)
{
    struct agent_fixture *f = *state;

    act(f, "bytes");
    assert_int_equal(run(f, OPERATION_START, TALKER), AGENT_GENERIC);
    assert_string_equal(f->detail, "a ?? z");
}

static void test_silent_failure_is_explained(void **state)
{
    struct agent_fixture *f = *state;

    property_set_text(&f->properties, "code", "6");
    assert_int_equal(run(f, OPERATION_START, TALKER), AGENT_NOT_CONFIGURED);
    assert_string_equal(f->detail, "start gave exit code 6 and no reason");
    act(f, "signal");
    assert_int_equal(run(f, OPERATION_STOP, TALKER), AGENT_GENERIC);
    assert_string_equal(f->detail, "stop was ended by signal 9");
}

static void test_time_limit(void **state)
{
    struct agent_fixture *f = *state;
    int64_t began = now_ms();

    act(f, "hang");
    assert_int_equal(begin(f, OPERATION_START, TALKER, 300), 0);
    await_result(f);
    assert_int_equal(f->exit_code, AGENT_TIMED_OUT);
    assert_string_equal(f->detail, "start did not end within 300 ms");
    assert_true(now_ms() - began >= 300);
    assert_true(now_ms() - began < 2300);
    assert_true(is_gone(read_pid(f, "hang.pid")));
}

static void test_time_limit_of_a_stubborn_one(void **state)
{
    struct agent_fixture *f = *state;

    act(f, "stubborn");
    assert_int_equal(begin(f, OPERATION_STOP, TALKER, 200), 0);
    await_result(f);
    assert_int_equal(f->exit_code, AGENT_TIMED_OUT);
    assert_true(is_gone(read_pid(f, "hang.pid")));
}

static void test_cancel_is_silent(void **state)
{
    struct agent_fixture *f = *state;
    pid_t pid;

    act(f, "hang");
    assert_int_equal(begin(f, OPERATION_START, TALKER, 20000), 0);
    pid = read_pid(f, "hang.pid");
    agent_cancel(f->runner, f->last_id);
    assert_true(is_gone(pid));
    agent_cancel(f->runner, f->last_id);
    agent_cancel(f->runner, 12345);
    act(f, "none");
    assert_int_equal(run(f, OPERATION_STOP, TALKER), AGENT_OK);
    assert_int_equal(f->results, 1);
}

static void test_daemon_survives(void **state)
{
    struct agent_fixture *f = *state;
    pid_t pid;

    act(f, "daemon");
    assert_int_equal(run(f, OPERATION_START, TALKER), AGENT_OK);
    pid = read_pid(f, "daemon.pid");
    agent_runner_destroy(f->runner);
    f->runner = NULL;
    assert_int_equal(kill(pid, 0), 0);
    kill(pid, SIGKILL);
    assert_true(is_gone(pid));
}

static void test_destroy_ends_operations(void **state)
{
    struct agent_fixture *f = *state;
    pid_t pid;

    act(f, "hang");
    assert_int_equal(begin(f, OPERATION_START, TALKER, 20000), 0);
    pid = read_pid(f, "hang.pid");
    agent_runner_destroy(f->runner);
    f->runner = NULL;
    assert_true(is_gone(pid));
    assert_int_equal(f->results, 0);
}

static void test_more_than_may_run_at_once(void **state)
{
    struct agent_fixture *f = *state;
    uint64_t first = f->last_id + 1;

    act(f, "hang");
    for (unsigned i = 0; i < AGENT_MOST_AT_ONCE; i++)
        assert_int_equal(begin(f, OPERATION_START, TALKER, 20000), 0);
    act(f, "none");
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(begin(f, OPERATION_STOP, TALKER, 20000), 0);
    while (sd_event_run(f->loop, 0) > 0)
        ;
    assert_int_equal(f->results, 0);
    agent_cancel(f->runner, f->last_id - 1); /* one that waits */
    agent_cancel(f->runner, first);          /* one that runs: the next has its turn */
    await_result(f);
    assert_int_equal(f->result_id, f->last_id - 2);
    await_result(f);
    assert_int_equal(f->result_id, f->last_id);
    assert_int_equal(f->exit_code, AGENT_OK);
}

/* A second runner in the same folder, as after a service was killed. */
static void test_left_over_is_ended(void **state)
{
    struct agent_fixture *f = *state;
    struct agent_runner *next = NULL;
    pid_t pid;

    act(f, "hang");
    assert_int_equal(begin(f, OPERATION_START, TALKER, 20000), 0);
    pid = read_pid(f, "hang.pid");
    assert_int_equal(
        agent_runner_create(f->loop,
                            &(struct agent_options){.state_dir = f->folder, .node_name = "node1"},
                            NULL, NULL, &next),
        0);
    assert_true(is_gone(pid));
    await_result(f);
    assert_string_equal(f->detail, "start was ended by signal 9");
    agent_runner_destroy(next);
}

static void test_absent_agent(void **state)
{
    struct agent_fixture *f = *state;

    assert_int_equal(run(f, OPERATION_START, "{\"agent\": \"ocf:heartbeat:NoSuchThing\"}"),
                     AGENT_NOT_INSTALLED);
    assert_string_equal(f->detail, "the agent ocf:heartbeat:NoSuchThing is not installed");
    assert_int_equal(run(f, OPERATION_START, "{\"agent\": \"ocf:..:talker\"}"),
                     AGENT_NOT_INSTALLED);
    assert_int_equal(begin(f, OPERATION_START, "{\"agent\": \"lsb:cron\"}", 1000), -EINVAL);
    assert_int_equal(begin(f, OPERATION_START, "{\"name\": \"x\"}", 1000), -EINVAL);
    assert_int_equal(begin(f, OPERATION_START, "not json", 1000), -EINVAL);
}

static void test_find(void **state)
{
    struct agent_options options = {.ocf_path = "/nowhere::/usr/lib/ocf/resource.d"};

    (void)state;
    assert_int_equal(agent_find(&options, "ocf:heartbeat:Dummy"), 0);
    assert_int_equal(agent_find(&options, "ocf:heartbeat:Nothing"), -ENOENT);
    assert_int_equal(agent_find(&options, "ocf:../heartbeat:Dummy"), -EINVAL);
    assert_int_equal(agent_find(&options, "ocf:heartbeat:../heartbeat/Dummy"), -EINVAL);
    assert_int_equal(agent_find(&options, "ocf:heartbeat"), -EINVAL);
    assert_int_equal(agent_find(&options, "Physical Disk"), -EINVAL);
    assert_int_equal(agent_find(&options, "systemd:"), -EINVAL);
    assert_int_equal(agent_find(&options, "systemd:no-such-unit-here"), -ENOENT);
    assert_int_equal(agent_find(&options, "systemd:../../etc/passwd"), -EINVAL);
    assert_int_equal(agent_find(&(struct agent_options){0}, "ocf:heartbeat:Dummy"), 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, agent_fixture_setup, agent_fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_dummy_lives),
        CASE(test_environment),
        CASE(test_reason_is_told),
        CASE(test_flood_is_bounded),
        CASE(test_bytes_that_are_no_text),
        CASE(test_silent_failure_is_explained),
        CASE(test_time_limit),
        CASE(test_time_limit_of_a_stubborn_one),
        CASE(test_cancel_is_silent),
        CASE(test_daemon_survives),
        CASE(test_destroy_ends_operations),
        CASE(test_more_than_may_run_at_once),
        CASE(test_left_over_is_ended),
        CASE(test_absent_agent),
        CASE(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
