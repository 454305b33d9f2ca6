/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "notify/loop.h"

/* A service that is there and does not answer: stopped, or another program on its socket. It holds
 * up nobody who does not ask it, and who asks it not for ever. */

#define FLAGS (CLUSTER_CHANGE_REGISTRY_VALUE | CLUSTER_CHANGE_REGISTRY_SUBTREE)
#define CHANGES 400 /* more than the memory of 64 KiB holds */

/* ---- what must come to its end while the service does not answer ---- */

struct act {
    DWORD (*run)(void *context);
    void *context;
    DWORD result;
};

static DWORD WINAPI run_act(LPVOID parameter)
{
    struct act *a = parameter;
    a->result = a->run(a->context);
    return 0;
}

/* On a thread of its own, so that one that hangs is found. */
static DWORD ends(DWORD (*run)(void *context), void *context)
{
    struct act a = {run, context, 0};
    HANDLE thread = CreateThread(NULL, 0, run_act, &a, 0, NULL);
    assert_non_null(thread);
    assert_int_equal(WaitForSingleObject(thread, 2 * EVENT_WAIT_MS), WAIT_OBJECT_0);
    assert_true(CloseHandle(thread));
    return a.result;
}

static DWORD take(HCHANGE port, DWORD wait)
{
    DWORD_PTR key;
    DWORD flag;
    return GetClusterNotify(port, &key, &flag, NULL, NULL, wait);
}

static DWORD does_not_wait(void *port)
{
    return take(port, 0);
}

static DWORD waits_a_little(void *port)
{
    return take(port, 50);
}

static DWORD waits(void *port)
{
    return take(port, INFINITE);
}

static DWORD closes_port(void *port)
{
    return CloseClusterNotifyPort(port) ? ERROR_SUCCESS : ERROR_INVALID_FUNCTION;
}

static DWORD closes_cluster(void *cluster)
{
    return CloseCluster(cluster) ? ERROR_SUCCESS : GetLastError();
}

struct registration {
    HCHANGE port;
    HGROUP group;
};

static DWORD registers(void *context)
{
    struct registration *r = context;
    return RegisterClusterNotify(r->port, CLUSTER_CHANGE_GROUP_STATE, r->group, 2);
}

static DWORD is_readable(void *port)
{
    struct pollfd p = {.events = POLLIN};
    DWORD error = ClusportGetFd(port, &p.fd);
    return error != ERROR_SUCCESS ? error : (DWORD)poll(&p, 1, 0);
}

#define HANDLES 100

struct many {
    HGROUP groups[HANDLES];
};

static DWORD closes_many(void *context)
{
    struct many *m = context;
    for (int i = 0; i < HANDLES; i++)
        if (!CloseClusterGroup(m->groups[i]))
            return GetLastError();
    return ERROR_SUCCESS;
}

static DWORD asks_state(void *group)
{
    CLUSTER_GROUP_STATE state = GetClusterGroupState(group, NULL, NULL);
    return state == ClusterGroupStateUnknown ? GetLastError() : ERROR_SUCCESS;
}

static DWORD opens(void *unused)
{
    (void)unused;
    HCLUSTER cluster = OpenCluster(NULL);
    DWORD error = cluster ? ERROR_SUCCESS : GetLastError();
    CloseCluster(cluster);
    return error;
}

/* ---- a stopped service ---- */

static void stop(struct world *w)
{
    int status;
    pid_t pid = service_pid(w->service);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
}

static void go_on(struct world *w)
{
    assert_int_equal(kill(service_pid(w->service), SIGCONT), 0);
}

static void change_values(struct world *w)
{
    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS), key = NULL;
    static DWORD value;

    assert_int_equal(ClusterRegCreateKey(root, L"Key", 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    for (DWORD i = 0; i < CHANGES; i++) {
        value++;
        assert_int_equal(ClusterRegSetValue(key, L"v", REG_DWORD, (const BYTE *)&value, 4),
                         ERROR_SUCCESS);
    }
    assert_int_equal(ClusterRegCloseKey(key), ERROR_SUCCESS);
    assert_int_equal(ClusterRegCloseKey(root), ERROR_SUCCESS);
}

/* Both ports need the journal, which nobody reads to them. */
static void test_stopped(void **state)
{
    struct world *w = *state;
    struct registration r = {.group = make_group(w, L"Group")};
    HCHANGE closed = watch(w, FLAGS, 1), kept = watch(w, FLAGS, 1), other;
    HGROUP second = OpenClusterGroup(w->cluster, L"Group");
    struct act waiter = {waits, closed, 0};
    int fd = -1;

    assert_non_null(second);
    change_values(w);
    stop(w);
    assert_int_equal(ends(does_not_wait, closed), WAIT_TIMEOUT);
    assert_int_equal(ends(does_not_wait, closed), WAIT_TIMEOUT);
    assert_int_equal(ends(waits_a_little, closed), WAIT_TIMEOUT);
    assert_int_equal(ends(is_readable, kept), 0);
    r.port = closed;
    assert_int_equal(ends(registers, &r), ERROR_SUCCESS);
    other = watch(w, CLUSTER_CHANGE_GROUP_ADDED, 3); /* a new port of a session that is there */
    assert_int_equal(ends(does_not_wait, other), WAIT_TIMEOUT);
    assert_int_equal(ends(closes_port, other), ERROR_SUCCESS);

    HANDLE thread = CreateThread(NULL, 0, run_act, &waiter, 0, NULL);
    assert_non_null(thread);
    assert_int_equal(WaitForSingleObject(thread, 50), WAIT_TIMEOUT);
    assert_int_equal(ends(closes_port, closed), ERROR_SUCCESS);
    assert_int_equal(WaitForSingleObject(thread, EVENT_WAIT_MS), WAIT_OBJECT_0);
    assert_int_equal(waiter.result, ERROR_INVALID_HANDLE);
    assert_true(CloseHandle(thread));
    expect_stale(closed);

    /* What was asked for comes, and the descriptor tells. */
    go_on(w);
    assert_int_equal(ClusportGetFd(kept, &fd), ERROR_SUCCESS);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, EVENT_WAIT_MS), 1);
    for (int i = 0; i < CHANGES; i++)
        expect_event(kept, CLUSTER_CHANGE_REGISTRY_VALUE, 1, L"Key");
    expect_nothing(kept);
    assert_true(CloseClusterNotifyPort(kept));
    assert_true(CloseClusterGroup(second));
    remove_group(r.group);
}

/* A session whose journal is being read ends without its service. */
static void test_session_ends(void **state)
{
    struct world *w = *state;
    HCLUSTER cluster = OpenCluster(NULL);
    HCHANGE port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, FLAGS, 1);

    assert_non_null(port);
    change_values(w);
    assert_true(CloseCluster(cluster)); /* the session is the port's alone */
    stop(w);
    assert_int_equal(ends(does_not_wait, port), WAIT_TIMEOUT);
    assert_int_equal(ends(closes_port, port), ERROR_SUCCESS);
    go_on(w);
}

/* Calls of a session that was told to be less patient; the answers that come late harm nobody. */
static void test_calls_end(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"Group");

    assert_int_equal(setenv("CLUSPORT_CALL_TIMEOUT", "5", 1), 0);
    HCLUSTER cluster = OpenCluster(NULL);
    HGROUP own = OpenClusterGroup(cluster, L"Group");
    assert_non_null(own);
    struct act acts[] = {{asks_state, own, 0}, {asks_state, own, 0}, {opens, NULL, 0}};
    HANDLE threads[3];
    stop(w);
    for (int i = 0; i < 3; i++)
        threads[i] = CreateThread(NULL, 0, run_act, &acts[i], 0, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(WaitForSingleObject(threads[i], 2 * EVENT_WAIT_MS), WAIT_OBJECT_0);
        assert_true(CloseHandle(threads[i]));
        assert_int_equal(acts[i].result, ERROR_TIMEOUT);
    }
    go_on(w);
    assert_int_equal(unsetenv("CLUSPORT_CALL_TIMEOUT"), 0);
    assert_int_equal(asks_state(group), ERROR_SUCCESS);
    assert_int_equal(asks_state(own), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(own));
    assert_true(CloseCluster(cluster));
    remove_group(group);
}

static void open_many(HCLUSTER cluster, struct many *m)
{
    for (int i = 0; i < HANDLES; i++) {
        m->groups[i] = OpenClusterGroup(cluster, L"Group");
        assert_non_null(m->groups[i]);
    }
}

/* Who closes handles waits for one call's time-out, not once for each. */
static void test_many_handles(void **state)
{
    struct world *w = *state;
    struct many many;
    HGROUP group = make_group(w, L"Group");

    assert_int_equal(setenv("CLUSPORT_CALL_TIMEOUT", "5", 1), 0);
    HCLUSTER cluster = OpenCluster(NULL);
    assert_int_equal(unsetenv("CLUSPORT_CALL_TIMEOUT"), 0);
    open_many(cluster, &many);
    stop(w);
    assert_int_equal(ends(closes_many, &many), ERROR_SUCCESS);
    go_on(w);
    /* It is as good as before. */
    HGROUP again = OpenClusterGroup(cluster, L"Group");
    assert_int_equal(asks_state(again), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(again));
    assert_true(CloseCluster(cluster));
    remove_group(group);
}

/* ---- a peer that takes connections and no more ---- */

static int listen_on(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0 && strlen(path) < sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

/* A header's first bytes, one at a time, and slower than a call has time. */
static void *let_trickle(void *listener)
{
    static const unsigned char header[] = {5, 0, 12, 3, 16, 0, 0, 0, 60, 0, 0, 0, 1, 0, 0};
    int fd = accept(*(int *)listener, NULL, NULL);

    for (size_t i = 0; i < sizeof(header); i++) {
        struct pollfd gone = {.fd = fd, .events = POLLRDHUP};
        if (send(fd, &header[i], 1, MSG_NOSIGNAL) < 0 || poll(&gone, 1, 200) > 0)
            break;
    }
    char byte;
    while (recv(fd, &byte, 1, 0) > 0)
        ;
    close(fd);
    return NULL;
}

static void test_silent_peer(void **state)
{
    struct world *w = *state;
    char path[108], real[108];
    pthread_t trickler;

    snprintf(path, sizeof(path), "%s/silent.sock", service_folder(w->service));
    snprintf(real, sizeof(real), "%s", service_socket(w->service));
    assert_int_equal(setenv("CLUSPORT_SOCKET", path, 1), 0);
    assert_int_equal(setenv("CLUSPORT_CALL_TIMEOUT", "1", 1), 0);

    int fd = listen_on(path, 8);
    assert_int_equal(ends(opens, NULL), ERROR_TIMEOUT);
    close(fd);

    fd = listen_on(path, 8);
    assert_int_equal(pthread_create(&trickler, NULL, let_trickle, &fd), 0);
    assert_int_equal(ends(opens, NULL), ERROR_TIMEOUT);
    pthread_join(trickler, NULL);
    close(fd);

    /* Not even taken: the queue has room for one. */
    fd = listen_on(path, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(address.sun_path, path);
    assert_int_equal(connect(first, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(ends(opens, NULL), ERROR_TIMEOUT);
    close(first);
    close(fd);

    unlink(path);
    assert_int_equal(unsetenv("CLUSPORT_CALL_TIMEOUT"), 0);
    assert_int_equal(setenv("CLUSPORT_SOCKET", real, 1), 0);
}

/* The session's watch is at it when the session ends. */
static void test_silent_successor(void **state)
{
    struct world *w = *state;
    HCLUSTER cluster = OpenCluster(NULL);
    HCHANGE port =
        CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, CLUSTER_CHANGE_GROUP_ADDED, 1);
    char byte;

    assert_non_null(port);
    service_kill(w->service);
    int fd = listen_on(service_socket(w->service), 64);
    int taken = accept(fd, NULL, NULL);
    assert_int_equal(recv(taken, &byte, 1, 0), 1); /* it asked to be served */
    assert_int_equal(ends(does_not_wait, port), WAIT_TIMEOUT);
    assert_int_equal(ends(closes_port, port), ERROR_SUCCESS);
    assert_int_equal(ends(closes_cluster, cluster), ERROR_SUCCESS);
    close(taken);
    close(fd);
    unlink(service_socket(w->service));
    service_again(w->service);
}

/* Its ports would have to know it, to be told where the registrations end. */
static void test_many_handles_and_a_silent_successor(void **state)
{
    struct world *w = *state;
    struct many many;
    HGROUP group = make_group(w, L"Group");

    assert_int_equal(setenv("CLUSPORT_CALL_TIMEOUT", "5", 1), 0);
    HCLUSTER cluster = OpenCluster(NULL);
    assert_int_equal(unsetenv("CLUSPORT_CALL_TIMEOUT"), 0);
    open_many(cluster, &many);
    HCHANGE port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, 0, 0);
    assert_non_null(port);
    for (DWORD_PTR i = 0; i < HANDLES; i++)
        watch_too(port, CLUSTER_CHANGE_GROUP_PROPERTY | CLUSTER_CHANGE_HANDLE_CLOSE, many.groups[i],
                  i);
    service_kill(w->service);
    int fd = listen_on(service_socket(w->service), 64);
    assert_int_equal(ends(closes_many, &many), ERROR_SUCCESS);
    assert_int_equal(ends(does_not_wait, port), WAIT_TIMEOUT);
    close(fd);
    unlink(service_socket(w->service));
    service_again(w->service);
    for (DWORD_PTR i = 0; i < HANDLES; i++)
        expect_event(port, CLUSTER_CHANGE_HANDLE_CLOSE, i, L"Group");
    expect_nothing(port);
    assert_true(CloseClusterNotifyPort(port));
    assert_true(CloseCluster(cluster));
    remove_group(group);
}

static int small_memory(void **state)
{
    *state = world_start((const char *[]){"--feed-size", "64K", NULL});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_session_ends),
        cmocka_unit_test(test_calls_end),
        cmocka_unit_test(test_silent_peer),
        cmocka_unit_test(test_silent_successor),
        cmocka_unit_test(test_many_handles),
        cmocka_unit_test(test_many_handles_and_a_silent_successor),
    };
    return cmocka_run_group_tests(tests, small_memory, world_teardown);
}
