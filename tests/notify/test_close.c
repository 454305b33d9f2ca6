/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "notify/loop.h"

/* Closing: a port under its waiters, a cluster under its port, twice, and by stale handles. */

#define WAITERS 4
#define ROUNDS 2000

/* ---- what the process uses ---- */

static size_t entries(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

struct use {
    size_t fds, threads;
};

static struct use measure(void)
{
    return (struct use){entries("/proc/self/fd"), entries("/proc/self/task")};
}

static struct use at_first;

/* ---- a port under its waiters ---- */

struct round {
    pthread_barrier_t begin, end;
    _Atomic(HCHANGE) port;
    _Atomic bool over;
    _Atomic unsigned told, wrong;
};

/* Until the port is closed. Whatever else comes must be an event. */
static void wait_for_the_end(struct round *r)
{
    DWORD_PTR key;
    DWORD flag, error;

    while ((error = GetClusterNotify(r->port, &key, &flag, NULL, NULL, INFINITE)) == ERROR_SUCCESS)
        r->told++;
    if (error != ERROR_INVALID_HANDLE)
        r->wrong++;
}

static DWORD WINAPI waiter(LPVOID parameter)
{
    struct round *r = parameter;

    for (;;) {
        pthread_barrier_wait(&r->begin);
        if (r->over)
            return 0;
        wait_for_the_end(r);
        pthread_barrier_wait(&r->end);
    }
}

static void start_waiters(struct round *r, HANDLE *threads)
{
    pthread_barrier_init(&r->begin, NULL, WAITERS + 1);
    pthread_barrier_init(&r->end, NULL, WAITERS + 1);
    for (int i = 0; i < WAITERS; i++) {
        threads[i] = CreateThread(NULL, 0, waiter, r, 0, NULL);
        assert_non_null(threads[i]);
    }
}

static void end_waiters(struct round *r, HANDLE *threads)
{
    r->over = true;
    pthread_barrier_wait(&r->begin);
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(WaitForSingleObject(threads[i], EVENT_WAIT_MS), WAIT_OBJECT_0);
        assert_true(CloseHandle(threads[i]));
    }
    pthread_barrier_destroy(&r->begin);
    pthread_barrier_destroy(&r->end);
    assert_int_equal(r->wrong, 0);
}

/* They may be before their call, on their way to sleep, asleep, or just woken by an event. */
static void test_closed_under_waiters(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"Group");
    struct round r = {0};
    HANDLE threads[WAITERS];
    HCHANGE first = NULL;

    start_waiters(&r, threads);
    for (int i = 0; i < ROUNDS; i++) {
        r.port = watch(w, CLUSTER_CHANGE_GROUP_PROPERTY, 1);
        first = first ? first : r.port;
        pthread_barrier_wait(&r.begin);
        if (i % 20 == 0)
            assert_int_equal(SetClusterGroupName(group, i % 40 ? L"One" : L"Other"), ERROR_SUCCESS);
        for (int spin = 0; spin < i % 1000 * 10; spin++)
            atomic_signal_fence(memory_order_seq_cst);
        assert_true(CloseClusterNotifyPort(r.port));
        pthread_barrier_wait(&r.end);
        /* A stale handle never means another port. */
        expect_stale(first);
    }
    /* All that is made once, for the process or the session, is there by now. */
    at_first = measure();
    at_first.threads -= WAITERS;
    end_waiters(&r, threads);
    remove_group(group);
}

/* With an event handle, and waited for by that too. */
static DWORD WINAPI waits_for_event(LPVOID parameter)
{
    return WaitForSingleObject(parameter, INFINITE);
}

static void test_closed_under_event_waiters(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 50; i++) {
        HCHANGE port = watch(w, CLUSTER_CHANGE_GROUP_PROPERTY, 1);
        HANDLE event = NULL;
        DWORD code = 0;

        assert_int_equal(GetNotifyEventHandle(port, &event), ERROR_SUCCESS);
        HANDLE thread = CreateThread(NULL, 0, waits_for_event, event, 0, NULL);
        assert_true(CloseClusterNotifyPort(port));
        assert_int_equal(WaitForSingleObject(thread, EVENT_WAIT_MS), WAIT_OBJECT_0);
        assert_true(GetExitCodeThread(thread, &code));
        assert_true(code == WAIT_OBJECT_0 || code == WAIT_FAILED);
        assert_true(CloseHandle(thread));
    }
}

/* ---- twice, and at once ---- */

static DWORD WINAPI closer(LPVOID parameter)
{
    struct round *r = parameter;

    pthread_barrier_wait(&r->begin);
    if (!CloseClusterNotifyPort(r->port))
        r->wrong++;
    return 0;
}

static void test_closed_twice(void **state)
{
    struct world *w = *state;
    HCHANGE port = watch(w, CLUSTER_CHANGE_ALL, 1);

    assert_true(CloseClusterNotifyPort(port));
    assert_true(CloseClusterNotifyPort(port));
    assert_true(CloseClusterNotifyPort(NULL));
    assert_true(CloseClusterNotifyPort(INVALID_HANDLE_VALUE));
    assert_true(CloseClusterNotifyPort((HCHANGE)(void *)w->cluster));
    HGROUP group = make_group(w, L"Group"); /* the cluster's handle was none of its business */
    remove_group(group);

    for (int i = 0; i < 200; i++) {
        struct round r = {.port = watch(w, CLUSTER_CHANGE_GROUP_STATE, 1)};
        HANDLE threads[2];
        pthread_barrier_init(&r.begin, NULL, 2);
        for (int t = 0; t < 2; t++)
            threads[t] = CreateThread(NULL, 0, closer, &r, 0, NULL);
        for (int t = 0; t < 2; t++) {
            assert_int_equal(WaitForSingleObject(threads[t], EVENT_WAIT_MS), WAIT_OBJECT_0);
            assert_true(CloseHandle(threads[t]));
        }
        pthread_barrier_destroy(&r.begin);
        assert_int_equal(r.wrong, 0);
        expect_stale(r.port);
    }
}

/* Registering races with closing: it works or finds no port. */
static DWORD WINAPI registers(LPVOID parameter)
{
    struct round *r = parameter;
    HCLUSTER cluster = OpenCluster(NULL);

    pthread_barrier_wait(&r->begin);
    for (int i = 0; i < 20; i++) {
        DWORD error =
            RegisterClusterNotify(r->port, CLUSTER_CHANGE_CLUSTER_PROPERTY, cluster, (DWORD_PTR)i);
        if (error != ERROR_SUCCESS && error != ERROR_INVALID_HANDLE)
            r->wrong++;
    }
    CloseCluster(cluster);
    return 0;
}

static void test_closed_under_registration(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 50; i++) {
        struct round r = {.port = watch(w, CLUSTER_CHANGE_GROUP_STATE, 1)};
        pthread_barrier_init(&r.begin, NULL, 2);
        HANDLE thread = CreateThread(NULL, 0, registers, &r, 0, NULL);
        pthread_barrier_wait(&r.begin);
        assert_true(CloseClusterNotifyPort(r.port));
        assert_int_equal(WaitForSingleObject(thread, EVENT_WAIT_MS), WAIT_OBJECT_0);
        assert_true(CloseHandle(thread));
        pthread_barrier_destroy(&r.begin);
        assert_int_equal(r.wrong, 0);
    }
}

/* ---- a cluster under its port ---- */

static DWORD WINAPI waits_once(LPVOID parameter)
{
    DWORD_PTR key;
    DWORD flag, error = GetClusterNotify(parameter, &key, &flag, NULL, NULL, INFINITE);

    return error == ERROR_SUCCESS ? flag : error;
}

/* One of the waiters is told of the close; the port's close ends the others. */
static void test_cluster_closed_under_waiters(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        HCLUSTER cluster = OpenCluster(NULL);
        HCHANGE port =
            CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, CLUSTER_CHANGE_HANDLE_CLOSE, 1);
        HANDLE threads[WAITERS];
        unsigned told = 0, ended = 0;

        assert_non_null(port);
        for (int i = 0; i < WAITERS; i++)
            threads[i] = CreateThread(NULL, 0, waits_once, port, 0, NULL);
        assert_true(CloseCluster(cluster));
        while (told == 0) /* one of them ends with it */
            for (int i = 0; i < WAITERS; i++)
                told += WaitForSingleObject(threads[i], 1) == WAIT_OBJECT_0;
        assert_true(CloseClusterNotifyPort(port));
        told = 0;
        for (int i = 0; i < WAITERS; i++) {
            DWORD code = 0;
            assert_int_equal(WaitForSingleObject(threads[i], EVENT_WAIT_MS), WAIT_OBJECT_0);
            assert_true(GetExitCodeThread(threads[i], &code));
            told += code == CLUSTER_CHANGE_HANDLE_CLOSE;
            ended += code == ERROR_INVALID_HANDLE;
            assert_true(CloseHandle(threads[i]));
        }
        assert_int_equal(told, 1);
        assert_int_equal(ended, WAITERS - 1);
    }
}

/* Without HANDLE_CLOSE nothing comes; what was there already can still be had. */
static void test_cluster_closed_silently(void **state)
{
    struct world *w = *state;
    HCLUSTER cluster = OpenCluster(NULL);
    HCHANGE port =
        CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, CLUSTER_CHANGE_GROUP_ADDED, 1);

    HGROUP before = make_group(w, L"Before");
    assert_true(CloseCluster(cluster));
    HGROUP after = make_group(w, L"After");
    expect_event(port, CLUSTER_CHANGE_GROUP_ADDED, 1, L"Before");
    expect_nothing(port);
    HANDLE thread = CreateThread(NULL, 0, waits_once, port, 0, NULL);
    assert_int_equal(WaitForSingleObject(thread, 10), WAIT_TIMEOUT);
    assert_true(CloseClusterNotifyPort(port));
    DWORD code = 0;
    assert_int_equal(WaitForSingleObject(thread, EVENT_WAIT_MS), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, ERROR_INVALID_HANDLE);
    assert_true(CloseHandle(thread));
    remove_group(before);
    remove_group(after);
}

/* Events that nobody fetched are gone with the port. */
static void test_closed_with_events(void **state)
{
    struct world *w = *state;
    HCHANGE port = watch(w, CLUSTER_CHANGE_GROUP_ADDED, 1);

    remove_group(make_group(w, L"Group"));
    assert_true(CloseClusterNotifyPort(port));
    expect_stale(port);
}

/* ---- nothing is left behind ---- */

static void open_and_close_all(struct world *w)
{
    HCLUSTER cluster = OpenCluster(NULL);
    HCHANGE port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, CLUSTER_CHANGE_ALL, 1);
    HANDLE event = NULL;

    assert_int_equal(GetNotifyEventHandle(port, &event), ERROR_SUCCESS);
    remove_group(make_group(w, L"Group"));
    assert_int_equal(WaitForSingleObject(event, EVENT_WAIT_MS), WAIT_OBJECT_0);
    assert_true(CloseCluster(cluster));
    assert_true(CloseClusterNotifyPort(port));
}

static void test_nothing_is_left(void **state)
{
    for (int i = 0; i < 50; i++)
        open_and_close_all(*state);
    struct use now = measure();
    /* A thread that was waited for is the kernel's for a moment more. */
    for (int i = 0; i < 1000 && now.threads > at_first.threads; i++, now = measure())
        sched_yield();
    assert_int_equal(now.fds, at_first.fds);
    assert_int_equal(now.threads, at_first.threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_under_waiters),
        cmocka_unit_test(test_closed_under_event_waiters),
        cmocka_unit_test(test_closed_twice),
        cmocka_unit_test(test_closed_under_registration),
        cmocka_unit_test(test_cluster_closed_under_waiters),
        cmocka_unit_test(test_cluster_closed_silently),
        cmocka_unit_test(test_closed_with_events),
        cmocka_unit_test(test_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
