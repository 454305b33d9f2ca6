/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/text.h"

#define DUMMY "ocf:heartbeat:Dummy"
#define RESOURCE_STATE_FLAG 0x100u
#define ONLINE 2u

static void run_service(struct rig *rig, const char *const extra[], int *ret_code, char **ret_error)
{
    const char *argv[16] = {built_path("src/service/clusportd"), "--networks", "", "--types",
                            source_path("types")};
    size_t n = 5;
    for (size_t i = 0; extra[i]; i++)
        argv[n++] = extra[i];
    (void)rig;
    *ret_code = run_program(argv, NULL, ret_error);
}

/* ---- killed ---- */

struct worker {
    struct rpc_client *client;
    atomic_uint acknowledged;
};

static void *create_groups(void *context)
{
    struct worker *w = context;
    for (unsigned i = 0;; i++) {
        struct rpc_arena arena = {0};
        char name[32];
        snprintf(name, sizeof(name), "g%u", i);
        struct cmrp_CreateGroup a = {.name = name};
        uint32_t code = rpc_client_call(w->client, &rpc_cmrp, &cmrp_op_CreateGroup, &a, &arena);
        rpc_arena_fini(&arena);
        if (code || a.status)
            return NULL;
        atomic_store(&w->acknowledged, i + 1);
    }
}

/* Looks for the next group before anybody was told of it; counts those it saw. */
static void *look_for_groups(void *context)
{
    struct worker *w = context;
    unsigned seen = 0;
    for (;;) {
        struct rpc_arena arena = {0};
        char name[32];
        snprintf(name, sizeof(name), "g%u", seen);
        struct cmrp_OpenGroup a = {.name = name};
        uint32_t code = rpc_client_call(w->client, &rpc_cmrp, &cmrp_op_OpenGroup, &a, &arena);
        rpc_arena_fini(&arena);
        if (code)
            return NULL;
        if (a.status == 0)
            atomic_store(&w->acknowledged, ++seen);
    }
}

/* Neither to who made it nor to who merely saw it is anything shown that a kill could undo. */
static void what_was_acknowledged_outlives_a_kill(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    struct worker w = {.client = rig.client}, reader = {0};
    assert_int_equal(rpc_client_connect_unix(service_socket(rig.service), &reader.client), 0);
    pthread_t thread, reader_thread;
    assert_int_equal(pthread_create(&thread, NULL, create_groups, &w), 0);
    assert_int_equal(pthread_create(&reader_thread, NULL, look_for_groups, &reader), 0);
    while (atomic_load(&w.acknowledged) < 50 || atomic_load(&reader.acknowledged) < 50)
        sched_yield();
    service_kill(rig.service);
    pthread_join(thread, NULL);
    pthread_join(reader_thread, NULL);
    rpc_client_close(reader.client);
    rpc_client_unref(reader.client);
    unsigned seen = atomic_load(&reader.acknowledged);
    unsigned acknowledged = MAX(atomic_load(&w.acknowledged), seen);
    service_again(rig.service);
    rig_connect(&rig);
    for (unsigned i = 0; i < acknowledged; i++) {
        char name[32];
        snprintf(name, sizeof(name), "g%u", i);
        assert_int_equal(group_code(&rig, name), 0);
    }
    rig_stop(&rig);
}

static void running_resource_is_found_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    struct rpc_context port = create_port(&rig, RESOURCE_STATE_FLAG, 1);
    struct rpc_context dummy = create_resource(&rig, create_group(&rig, "Kept"), "kept", DUMMY);
    struct cmrp_OnlineResource online = {.resource = dummy};
    CALL(&rig, OnlineResource, &online);
    wait_resource_state(&rig, port, dummy, ONLINE);
    void (*const ends[])(struct test_service * s) = {service_kill, service_halt};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        ends[i](rig.service);
        service_again(rig.service);
        rig_connect(&rig);
        port = create_port(&rig, RESOURCE_STATE_FLAG, 1);
        struct cmrp_OpenResource open = {.name = "kept"};
        CALL(&rig, OpenResource, &open);
        assert_int_equal(open.status, 0);
        wait_resource_state(&rig, port, open.resource, ONLINE);
        dummy = open.resource;
    }
    struct cmrp_OfflineResource offline = {.resource = dummy};
    CALL(&rig, OfflineResource, &offline);
    wait_resource_state(&rig, port, dummy, 3);
    rig_stop(&rig);
}

static void feed_of_a_new_service_begins_with_the_past(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    create_group(&rig, "past");
    struct private_OpenFeed before = {0}, after = {0};
    CALL_PRIVATE(&rig, OpenFeed, &before);
    service_kill(rig.service);
    service_again(rig.service);
    rig_connect(&rig);
    CALL_PRIVATE(&rig, OpenFeed, &after);
    assert_true(after.head_revision >= before.head_revision);
    assert_string_not_equal(before.boot_id, after.boot_id);
    rig_stop(&rig);
}

/* ---- started wrongly ---- */

static void second_service_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    _cleanup_free_
    char *state_dir = text_format("%s/state", service_folder(rig.service));
    _cleanup_free_
    char *socket = text_format("%s/other.sock", service_folder(rig.service));
    const char *const same_state[] = {"--state", state_dir, "--socket", socket, NULL};
    int code;
    char *error;
    run_service(&rig, same_state, &code, &error);
    assert_int_equal(code, 1);
    assert_non_null(strstr(error, "start_failed"));
    free(error);
    _cleanup_free_
    char *other = text_format("%s/other", service_folder(rig.service));
    const char *const same_socket[] = {"--state", other, "--socket", service_socket(rig.service),
                                       NULL};
    run_service(&rig, same_socket, &code, &error);
    assert_int_equal(code, 1);
    assert_non_null(strstr(error, "answers on"));
    free(error);
    create_group(&rig, "still served");
    rig_stop(&rig);
}

static void wrong_options_are_explained(void **state)
{
    (void)state;
    const char *const wrong[][4] = {
        {"--feed-size", "1000", NULL}, {"--log-level", "loud", NULL},
        {"--keep-changes", "0", NULL}, {"--cluster-name", "a/b", NULL},
        {"--no-such", NULL},           {"stray", NULL},
        {"--keep-bytes", "-1", NULL},  {"--node-name", "a\001b", NULL},
        {"--state", "", NULL},         {"--socket", "", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        int code;
        char *error;
        run_service(NULL, wrong[i], &code, &error);
        assert_int_equal(code, 2);
        assert_non_null(strstr(error, "--help"));
        free(error);
    }
    const char *const no_group[] = {"--admin-group", "no-such-group-here", NULL};
    int code;
    char *error;
    run_service(NULL, no_group, &code, &error);
    assert_int_equal(code, 1);
    assert_non_null(strstr(error, "no-such-group-here"));
    free(error);
}

static void socket_that_nobody_answers_on_is_replaced(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    service_kill(rig.service);
    struct stat st;
    assert_int_equal(stat(service_socket(rig.service), &st), 0);
    service_again(rig.service);
    rig_connect(&rig);
    create_group(&rig, "answered");
    service_halt(rig.service);
    assert_int_equal(stat(service_socket(rig.service), &st), -1);
    int fd = open(service_socket(rig.service), O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    close(fd);
    _cleanup_free_
    char *state_dir = text_format("%s/state", service_folder(rig.service));
    const char *const args[] = {"--state", state_dir, "--socket", service_socket(rig.service),
                                NULL};
    int code;
    char *error;
    run_service(&rig, args, &code, &error);
    assert_int_equal(code, 1);
    assert_non_null(strstr(error, "is no socket"));
    free(error);
    assert_int_equal(unlink(service_socket(rig.service)), 0);
    service_again(rig.service);
    rig_stop(&rig);
}

/* ---- as systemd starts it ---- */

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static pid_t start_with_socket(const char *state_dir, int fd)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    char own[16];
    snprintf(own, sizeof(own), "%d", (int)getpid());
    setenv("LISTEN_PID", own, 1);
    setenv("LISTEN_FDS", "1", 1);
    if (fd == 3)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, 3);
    execl(built_path("src/service/clusportd"), "clusportd", "--state", state_dir, "--networks", "",
          "--socket", "/nonexistent/unused", "--types", source_path("types"), NULL);
    _exit(1);
}

/* Who connects before the service is ready is served when it is. */
static void socket_may_be_handed_over(void **state)
{
    (void)state;
    char folder[] = "/tmp/clusport-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    _cleanup_free_
    char *state_dir = text_format("%s/state", folder);
    _cleanup_free_
    char *path = text_format("%s/s", folder);
    int fd = listen_at(path);
    pid_t pid = start_with_socket(state_dir, fd);
    close(fd);
    struct rig rig = {0};
    assert_int_equal(rpc_client_connect_unix(path, &rig.client), 0);
    struct cmrp_GetClusterName a = {0};
    CALL(&rig, GetClusterName, &a);
    assert_string_equal(a.cluster_name, "cluster");
    rpc_client_close(rig.client);
    rpc_client_unref(rig.client);
    rpc_arena_fini(&rig.arena);
    assert_int_equal(kill(pid, SIGTERM), 0);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(access(path, F_OK), 0);
    const char *const remove[] = {"rm", "-r", folder, NULL};
    assert_int_equal(run_program(remove, NULL, NULL), 0);
}

static void write_type(const char *folder, const char *name)
{
    _cleanup_free_
    char *path = text_format("%s/%s.json", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "{\"name\": \"%s\", \"agent\": \"" DUMMY "\"}", name);
    fclose(f);
}

static void hangup_reads_the_types_again(void **state)
{
    (void)state;
    char folder[] = "/tmp/clusport-types-XXXXXX";
    assert_non_null(mkdtemp(folder));
    write_type(folder, "first");
    const char *const args[] = {"--types", folder, NULL};
    struct rig rig;
    rig_start(&rig, args);
    struct rpc_context port = create_port(&rig, 0x20000, 1);
    write_type(folder, "second");
    assert_int_equal(kill(service_pid(rig.service), SIGHUP), 0);
    assert_string_equal(next_event(&rig, port).name, "second");
    rig_stop(&rig);
    const char *const remove[] = {"rm", "-r", folder, NULL};
    assert_int_equal(run_program(remove, NULL, NULL), 0);
}

/* ---- who may ---- */

/* In a child that became another user: the results of a read and of a change. */
static void as_another_user(struct rig *rig, uint32_t codes[2])
{
    assert_int_equal(chmod(service_folder(rig->service), 0755), 0);
    int results[2];
    assert_int_equal(pipe(results), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        uint32_t found[2] = {UINT32_MAX, UINT32_MAX};
        struct rig own = {.service = rig->service};
        if (setgid(65534) == 0 && setuid(65534) == 0 &&
            rpc_client_connect_unix(service_socket(rig->service), &own.client) == 0) {
            struct cmrp_GetClusterName read = {0};
            struct cmrp_CreateGroup create = {.name = "stolen"};
            if (call_cmrp(&own, &cmrp_op_GetClusterName, &read) == 0)
                found[0] = read.result;
            if (read.result && read.cluster_name)
                found[0] = UINT32_MAX;
            if (call_cmrp(&own, &cmrp_op_CreateGroup, &create) == 0)
                found[1] = create.status;
        }
        _exit(write(results[1], found, sizeof(found)) == sizeof(found) ? 0 : 1);
    }
    close(results[1]);
    assert_int_equal(read(results[0], codes, 2 * sizeof(codes[0])), 2 * sizeof(codes[0]));
    close(results[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void others_may_read_but_not_change(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* needs root to become another user */
    struct rig rig;
    rig_start(&rig, NULL);
    uint32_t codes[2];
    as_another_user(&rig, codes);
    assert_int_equal(codes[0], 0);
    assert_int_equal(codes[1], ERR_ACCESS_DENIED);
    assert_int_equal(group_code(&rig, "stolen"), ERR_GROUP_NOT_FOUND);
    rig_stop(&rig);
}

static void read_group_shuts_others_out(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* needs root to become another user */
    struct rig rig;
    const char *const args[] = {"--read-group", "daemon", NULL};
    rig_start(&rig, args);
    uint32_t codes[2];
    as_another_user(&rig, codes);
    assert_int_equal(codes[0], ERR_ACCESS_DENIED);
    assert_int_equal(codes[1], ERR_ACCESS_DENIED);
    rig_stop(&rig);
}

static void admin_group_may_change(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* needs root to become another user */
    struct rig rig;
    const char *const args[] = {"--admin-group", "nogroup", NULL};
    rig_start(&rig, args);
    uint32_t codes[2];
    as_another_user(&rig, codes);
    assert_int_equal(codes[0], 0);
    assert_int_equal(codes[1], 0);
    rig_stop(&rig);
}

/* ---- status without a service ---- */

static void database_tells_the_status(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    create_group(&rig, "Written \"down\"");
    _cleanup_free_
    char *state_dir = text_format("%s/state", service_folder(rig.service));
    const char *argv[] = {built_path("src/service/clusportd"), "--state", state_dir,
                          "--print-status", NULL};
    for (int i = 0; i < 3; i++) {
        char *out;
        assert_int_equal(run_program(argv, &out, NULL), 0);
        assert_non_null(strstr(out, "\"name\":\"Written \\\"down\\\"\""));
        assert_non_null(strstr(out, "{\"type\":\"cluster\",\"name\":\"testcluster\""));
        free(out);
        if (i == 0)
            service_kill(rig.service);
        if (i == 1) {
            service_again(rig.service);
            service_halt(rig.service);
        }
    }
    const char *missing[] = {argv[0], "--state", "/nonexistent", "--print-status", NULL};
    char *error;
    assert_int_equal(run_program(missing, NULL, &error), 1);
    assert_non_null(strstr(error, "/nonexistent"));
    free(error);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_outlives_a_kill),
        cmocka_unit_test(running_resource_is_found_again),
        cmocka_unit_test(feed_of_a_new_service_begins_with_the_past),
        cmocka_unit_test(second_service_is_refused),
        cmocka_unit_test(wrong_options_are_explained),
        cmocka_unit_test(socket_that_nobody_answers_on_is_replaced),
        cmocka_unit_test(socket_may_be_handed_over),
        cmocka_unit_test(hangup_reads_the_types_again),
        cmocka_unit_test(others_may_read_but_not_change),
        cmocka_unit_test(read_group_shuts_others_out),
        cmocka_unit_test(admin_group_may_change),
        cmocka_unit_test(database_tells_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
