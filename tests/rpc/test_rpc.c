/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/macro.h"
#include "rpc/echo_server.h"
#include "rpc/rpc_interface.h"

/* A real client and a real server, over a real socket. */

struct fixture {
    struct echo_server server;
    struct rpc_client *client;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    echo_server_start(&f->server, 0, 0);
    assert_int_equal(rpc_client_connect_unix(f->server.path, &f->client), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    rpc_client_unref(f->client);
    if (f->server.pid > 0)
        echo_server_stop(&f->server);
    free(f);
    return 0;
}

#define CALL(client, arena, name, args)                                                            \
    rpc_client_call((client), &rpc_cmrp, &cmrp_op_##name, (args), (arena))

static struct rpc_context open_resource(struct rpc_client *c, const char *name)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_OpenResource a = {.name = (char *)name};

    assert_int_equal(CALL(c, &arena, OpenResource, &a), 0);
    assert_int_equal(a.status, 0);
    return a.resource;
}

static uint32_t get_id(struct rpc_client *c, struct rpc_context resource, const char *expected)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetResourceId a = {.resource = resource};
    uint32_t error = CALL(c, &arena, GetResourceId, &a);

    if (error == 0)
        assert_string_equal(a.id, expected);
    return error;
}

static struct rpc_context create_notify(struct rpc_client *c)
{
    struct cmrp_CreateNotify a = {0};

    assert_int_equal(CALL(c, NULL, CreateNotify, &a), 0);
    assert_int_equal(a.status, 0);
    return a.notify;
}

static void test_call(void **state)
{
    struct fixture *f = *state;
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct cmrp_GetClusterName a = {0};
    struct cmrp_GetClusterVersion unbuilt = {0};

    assert_int_equal(CALL(f->client, &arena, GetClusterName, &a), 0);
    assert_int_equal(a.result, 0);
    assert_string_equal(a.cluster_name, "Gr\xc3\xbc\xc3\x9f");
    assert_string_equal(a.node_name, "test_rpc"); /* who calls is the transport's word */
    assert_int_equal(CALL(f->client, &arena, GetClusterVersion, &unbuilt), 0);
    assert_int_equal(unbuilt.result, ERR_CALL_NOT_IMPLEMENTED);
}

static void test_faults(void **state)
{
    struct fixture *f = *state;
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct rpc_op op = cmrp_op_GetClusterName;
    struct cmrp_GetClusterName a = {0};

    op.opnum = 80;
    assert_int_equal(rpc_client_call(f->client, &rpc_cmrp, &op, &a, &arena),
                     ERR_RPC_S_PROCNUM_OUT_OF_RANGE);
    op.opnum = 9999;
    assert_int_equal(rpc_client_call(f->client, &rpc_cmrp, &op, &a, &arena),
                     ERR_RPC_S_PROCNUM_OUT_OF_RANGE);
    op.opnum = CMRP_OPNUM_OpenResource; /* which wants a name */
    assert_int_equal(rpc_client_call(f->client, &rpc_cmrp, &op, &a, &arena),
                     ERR_RPC_X_BAD_STUB_DATA);
    assert_int_equal(CALL(f->client, &arena, GetClusterName, &a), 0);
    assert_false(rpc_client_broken(f->client));
}

static void test_contexts(void **state)
{
    struct fixture *f = *state;
    struct rpc_context a = open_resource(f->client, "A"), b = open_resource(f->client, "B");
    struct cmrp_CloseResource closing = {.resource = a};
    struct cmrp_OpenCluster cluster = {0};
    struct rpc_context none = {0};
    struct rpc_client *other;

    assert_int_equal(get_id(f->client, a, "A"), 0);
    assert_int_equal(get_id(f->client, b, "B"), 0);
    assert_int_equal(CALL(f->client, NULL, CloseResource, &closing), 0);
    assert_memory_equal(closing.resource.wire, none.wire, sizeof(none.wire));
    echo_server_expect(&f->server, 'c');
    assert_int_equal(get_id(f->client, a, "A"), ERR_INVALID_HANDLE); /* stale */
    closing.resource = a;
    assert_int_equal(CALL(f->client, NULL, CloseResource, &closing), ERR_INVALID_HANDLE);
    assert_int_equal(get_id(f->client, none, ""), ERR_INVALID_HANDLE);
    assert_int_equal(CALL(f->client, NULL, OpenCluster, &cluster), 0);
    assert_int_equal(get_id(f->client, cluster.cluster, ""), ERR_INVALID_HANDLE); /* wrong kind */

    assert_int_equal(rpc_client_connect_unix(f->server.path, &other), 0);
    open_resource(other, "C");
    assert_int_equal(get_id(other, b, "B"), ERR_INVALID_HANDLE); /* another's */
    rpc_client_unref(other);
    echo_server_expect(&f->server, 'c'); /* C ended with its association */
    assert_int_equal(get_id(f->client, b, "B"), 0);
}

static void test_any_kind(void **state)
{
    struct fixture *f = *state;
    struct cmrp_AddNotifyV2 a = {.notify = create_notify(f->client),
                                 .object = open_resource(f->client, "A")};

    assert_int_equal(CALL(f->client, NULL, AddNotifyV2, &a), 0);
    assert_int_equal(a.result, RPC_CONTEXT_RESOURCE);
}

static void test_too_many_contexts(void **state)
{
    struct echo_server small = {0};
    struct rpc_client *client;
    struct cmrp_OpenCluster a = {0};

    (void)state;
    echo_server_start(&small, 0, 12); /* a process has a quarter */
    assert_int_equal(rpc_client_connect_unix(small.path, &client), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(CALL(client, NULL, OpenCluster, &a), 0);
        assert_int_equal(a.status, 0);
    }
    assert_int_equal(CALL(client, NULL, OpenCluster, &a), 0);
    assert_int_equal(a.status, 8);
    rpc_client_unref(client);
    echo_server_stop(&small);
}

static void test_too_many_connections(void **state)
{
    struct echo_server small = {0};
    struct rpc_client *client, *other;

    (void)state;
    echo_server_start(&small, 1, 0);
    assert_int_equal(rpc_client_connect_unix(small.path, &client), 0);
    assert_int_equal(rpc_client_connect_unix(small.path, &other), ERR_RPC_S_SERVER_UNAVAILABLE);
    rpc_client_unref(client);
    echo_server_stop(&small);
}

/* A process of that user that takes as many of `count` connections as it gets, and keeps them. */
static int take_connections(pid_t *child, uid_t uid, const char *path, int count)
{
    struct rpc_client *client;
    int ends[2];
    unsigned char taken = 0;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *child = fork();
    if (*child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (setresuid(uid, uid, uid) < 0)
            _exit(1);
        while (taken < count && rpc_client_connect_unix(path, &client) == 0)
            taken++;
        if (write(ends[1], &taken, 1) == 1)
            pause();
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &taken, 1), 1);
    close(ends[0]);
    return taken;
}

static void let_go(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Of 32: a process has 8, a user 16, all but root 28; and root what is left. */
static void test_connections_are_shared_out(void **state)
{
    struct echo_server small = {0};
    pid_t children[8];
    static const struct {
        uid_t uid;
        int taken;
    } takers[] = {{65534, 8}, {65534, 8}, {65534, 0}, {65533, 8}, {65532, 4}, {65531, 0}, {0, 4}};

    (void)state;
    if (geteuid() != 0)
        skip(); /* needs root to become other users */
    echo_server_start(&small, 32, 0);
    assert_return_code(chmod(small.directory, 0755), 0);
    assert_return_code(chmod(small.path, 0666), 0);
    for (size_t i = 0; i < ARRAY_SIZE(takers); i++)
        assert_int_equal(take_connections(&children[i], takers[i].uid, small.path, 9),
                         takers[i].taken);
    for (size_t i = 0; i < ARRAY_SIZE(takers); i++)
        let_go(children[i]);
    echo_server_stop(&small);

    small = (struct echo_server){0};
    echo_server_start(&small, 32, 0);
    for (size_t i = 0; i < 5; i++) /* one process's limit is root's too */
        assert_int_equal(take_connections(&children[i], 0, small.path, 9), i < 4 ? 8 : 0);
    for (size_t i = 0; i < 5; i++)
        let_go(children[i]);
    echo_server_stop(&small);
}

static void test_fragments(void **state)
{
    struct fixture *f = *state;
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    const uint32_t size = 1 << 20;
    _cleanup_free_
    uint8_t *data = malloc(size);
    struct cmrp_ResourceControl a = {.resource = open_resource(f->client, "A"),
                                     .input = {.data = data, .size = size},
                                     .output = {.capacity = size}};

    for (uint32_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 24);
    assert_int_equal(CALL(f->client, &arena, ResourceControl, &a), 0);
    assert_int_equal(a.result, 0);
    assert_int_equal(a.output.size, size);
    assert_memory_equal(a.output.data, data, size);

    a.output.capacity = 100;
    assert_int_equal(CALL(f->client, &arena, ResourceControl, &a), 0);
    assert_int_equal(a.result, ERR_MORE_DATA);
    assert_int_equal(a.required, size);
    assert_int_equal(a.output.size, 100);
}

static void test_sizes_at_the_limits(void **state)
{
    struct fixture *f = *state;
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_free_
    uint8_t *data = calloc(1, RPC_MOST_REQUEST);
    struct cmrp_ResourceControl a = {.resource = open_resource(f->client, "A"),
                                     .input = {.data = data, .size = RPC_MOST_REQUEST}};
    struct private_ReadJournal read = {.max_bytes = RPC_MOST_BYTES};

    assert_int_equal(CALL(f->client, &arena, ResourceControl, &a), ERR_INVALID_PARAMETER);
    assert_int_equal(get_id(f->client, a.resource, "A"), 0);
    assert_int_equal(
        rpc_client_call(f->client, &rpc_private, &private_op_ReadJournal, &read, &arena), 0);
    assert_int_equal(read.changes.size, RPC_MOST_BYTES);
    assert_int_equal(((char *)read.changes.data)[RPC_MOST_BYTES - 1], 'j');
    read.max_bytes = RPC_MOST_REPLY;
    assert_int_equal(
        rpc_client_call(f->client, &rpc_private, &private_op_ReadJournal, &read, &arena),
        ERR_NOT_ENOUGH_MEMORY);
}

static void test_descriptors(void **state)
{
    struct fixture *f = *state;
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_close_
    int sent = memfd_create("ports", MFD_CLOEXEC), received = -1;
    struct private_PublishPorts publish = {0};
    struct private_OpenFeed feed = {0};
    char text[5] = "";

    assert_int_equal(write(sent, "P", 1), 1);
    assert_int_equal(rpc_client_call_fd(f->client, &rpc_private, &private_op_PublishPorts, &publish,
                                        &arena, sent, NULL),
                     0);
    assert_int_equal(publish.result, 'P');
    assert_int_equal(
        rpc_client_call(f->client, &rpc_private, &private_op_PublishPorts, &publish, &arena), 0);
    assert_int_equal(publish.result, 6); /* none came, and not the last one again */
    assert_int_equal(rpc_client_call_fd(f->client, &rpc_private, &private_op_OpenFeed, &feed,
                                        &arena, -1, &received),
                     0);
    assert_int_equal(feed.head_revision, 1ll << 40);
    assert_int_equal(pread(received, text, 4, 0), 4);
    assert_string_equal(text, "feed");
}

struct waiter {
    struct rpc_client *client;
    struct rpc_context notify;
    pthread_t thread;
    uint32_t error;
};

static void *wait_for_notify(void *data)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct waiter *w = data;
    struct cmrp_GetNotify a = {.notify = w->notify};

    w->error = CALL(w->client, &arena, GetNotify, &a);
    return NULL;
}

static void start_waiter(struct fixture *f, struct waiter *w, struct rpc_client *client)
{
    w->client = client;
    w->notify = create_notify(client);
    assert_int_equal(pthread_create(&w->thread, NULL, wait_for_notify, w), 0);
    echo_server_expect(&f->server, 'w');
}

static void test_waiting_call(void **state)
{
    struct fixture *f = *state;
    struct waiter w;
    struct cmrp_UnblockGetNotifyCall unblock;

    start_waiter(f, &w, f->client);
    assert_int_equal(get_id(f->client, open_resource(f->client, "A"), "A"), 0);
    /* The same handle, over another connection of the association. */
    unblock = (struct cmrp_UnblockGetNotifyCall){.notify = w.notify};
    assert_int_equal(CALL(f->client, NULL, UnblockGetNotifyCall, &unblock), 0);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.error, 0);
}

static void test_caller_gone(void **state)
{
    struct fixture *f = *state;
    struct rpc_client *other;
    struct waiter w;

    assert_int_equal(rpc_client_connect_unix(f->server.path, &other), 0);
    start_waiter(f, &w, other);
    rpc_client_close(other);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.error, ERR_RPC_S_CALL_FAILED);
    assert_true(rpc_client_broken(other));
    assert_int_equal(get_id(other, w.notify, ""), ERR_RPC_S_SERVER_UNAVAILABLE);
    rpc_client_unref(other);
    echo_server_expect(&f->server, 'g');
    echo_server_expect(&f->server, 'c');
    assert_int_equal(get_id(f->client, open_resource(f->client, "A"), "A"), 0);
}

static void test_service_killed(void **state)
{
    struct fixture *f = *state;
    struct pollfd watch = {.fd = rpc_client_watch_fd(f->client)};
    struct rpc_client *again;
    struct waiter w;

    start_waiter(f, &w, f->client);
    assert_int_equal(poll(&watch, 1, 0), 0);
    echo_server_kill(&f->server);
    f->server.pid = 0;
    pthread_join(w.thread, NULL);
    assert_int_equal(w.error, ERR_RPC_S_CALL_FAILED);
    assert_int_equal(poll(&watch, 1, 10000), 1);
    assert_true(watch.revents & POLLHUP);
    assert_true(rpc_client_broken(f->client));
    assert_int_equal(get_id(f->client, w.notify, ""), ERR_RPC_S_SERVER_UNAVAILABLE);
    assert_int_equal(rpc_client_connect_unix(f->server.path, &again), ERR_RPC_S_SERVER_UNAVAILABLE);
}

static atomic_uint right;

static void *call_often(void *data)
{
    struct rpc_client *client = data;
    struct rpc_context resource = open_resource(client, "A");

    for (int i = 0; i < 20; i++)
        if (get_id(client, resource, "A") == 0)
            right++;
    return NULL;
}

static void test_many_threads(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[100];

    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, f->client), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(right, 2000);
}

static int64_t turns(struct rpc_client *c)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct private_ServiceInfo a = {0};

    assert_int_equal(rpc_client_call(c, &rpc_private, &private_op_ServiceInfo, &a, &arena), 0);
    return a.last_revision;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void limit_descriptors(const struct echo_server *s, rlim_t most, struct rlimit *ret_before)
{
    struct rlimit limit;

    assert_return_code(prlimit(s->pid, RLIMIT_NOFILE, NULL, &limit), 0);
    if (ret_before)
        *ret_before = limit;
    limit.rlim_cur = most;
    assert_return_code(prlimit(s->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* Somebody waits whom the server cannot accept, and cannot even refuse: it does not look in vain
 * all the time, and its present clients are served. */
static void test_no_descriptor_to_accept(void **state)
{
    enum { CALLS = 500, LEAST_PAUSE_MS = 100 };
    struct fixture *f = *state;
    struct rpc_client_options options = {
        .path = f->server.path, .timeout_ms = 30000, .cancel_fd = -1};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct rlimit before;
    struct rpc_client *other;
    char byte;

    turns(f->client); /* its connection for calls is there */
    limit_descriptors(&f->server, 1, &before);
    strcpy(address.sun_path, f->server.path);
    int waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(connect(waiting, (struct sockaddr *)&address, sizeof(address)), 0);
    int64_t begun_ms = now_ms(), first = turns(f->client), last = first;
    for (int i = 0; i < CALLS; i++)
        last = turns(f->client);
    /* One for each call, and two for each pause; had it looked in vain, two for each call. */
    int64_t pauses = (now_ms() - begun_ms) / LEAST_PAUSE_MS + 1;
    assert_in_range(last - first, CALLS, CALLS + 2 * pauses);
    assert_int_equal(recv(waiting, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN); /* it was not turned away */

    limit_descriptors(&f->server, before.rlim_cur, NULL);
    assert_int_equal(rpc_client_connect(&options, &other), 0);
    assert_true(turns(other) > last);
    rpc_client_unref(other);
    close(waiting);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_call),
        CASE(test_faults),
        CASE(test_contexts),
        CASE(test_any_kind),
        cmocka_unit_test(test_too_many_contexts),
        cmocka_unit_test(test_too_many_connections),
        cmocka_unit_test(test_connections_are_shared_out),
        CASE(test_fragments),
        CASE(test_sizes_at_the_limits),
        CASE(test_descriptors),
        CASE(test_waiting_call),
        CASE(test_caller_gone),
        CASE(test_service_killed),
        CASE(test_many_threads),
        CASE(test_no_descriptor_to_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
