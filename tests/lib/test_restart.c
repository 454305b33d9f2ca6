/* SPDX-License-Identifier: MIT */
#include "lib/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The service is killed and comes back; handles go on as if nothing had been. */

static void handles_go_on(void **state)
{
    (void)state;
    HGROUP group;
    HRESOURCE resource = make_resource(L"lasting", DUMMY, &group);
    HNODE node = OpenClusterNode(cluster, NULL);
    HKEY root = GetClusterKey(cluster, KEY_ALL_ACCESS), key = NULL;
    assert_int_equal(ClusterRegCreateKey(root, L"Lasting", 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    assert_int_equal(SetClusterResourceName(resource, L"under another name"), ERROR_SUCCESS);
    for (int round = 0; round < 3; round++) {
        service_restart(service);
        assert_int_equal(GetClusterResourceState(resource, NULL, NULL, NULL, NULL),
                         ClusterResourceOffline);
        assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOffline);
        assert_int_equal(GetClusterNodeState(node), ClusterNodeUp);
        const DWORD number = (DWORD)round;
        assert_int_equal(
            ClusterRegSetValue(key, L"n", REG_DWORD, (const BYTE *)&number, sizeof(number)),
            ERROR_SUCCESS);
        HNODE other = OpenClusterNode(cluster, L"node1");
        assert_non_null(other);
        assert_true(CloseClusterNode(other));
    }
    service_halt(service); /* in order this time */
    service_again(service);
    WCHAR name[64];
    DWORD size = 0;
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_GET_NAME, NULL, 0,
                                            name, sizeof(name), &size),
                     ERROR_SUCCESS);
    assert_wide_equal(name, L"under another name");
    assert_int_equal(ClusterRegCloseKey(key), ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteKey(root, L"Lasting"), ERROR_SUCCESS);
    ClusterRegCloseKey(root);
    CloseClusterNode(node);
    delete_resource(resource, group);
}

/* Closed, or used first, while there is no service. */
static void without_a_service(void **state)
{
    (void)state;
    HNODE node = OpenClusterNode(cluster, NULL), kept = OpenClusterNode(cluster, NULL);
    service_kill(service);
    assert_true(CloseClusterNode(node));
    SetLastError(ERROR_SUCCESS);
    assert_int_equal(GetClusterNodeState(kept), ClusterNodeStateUnknown);
    assert_int_equal(GetLastError(), RPC_S_SERVER_UNAVAILABLE);
    assert_fails(OpenCluster(NULL), RPC_S_SERVER_UNAVAILABLE);
    service_again(service);
    assert_int_equal(GetClusterNodeState(kept), ClusterNodeUp);
    CloseClusterNode(kept);
}

static void *call_meanwhile(void *context)
{
    if (GetClusterNodeState(context) != ClusterNodeUp)
        return NULL;
    return CreateClusterGroup(cluster, L"after");
}

/* A call made while the service is away waits for it. */
static void a_call_waits(void **state)
{
    (void)state;
    HNODE node = OpenClusterNode(cluster, NULL);
    service_kill(service);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, call_meanwhile, node), 0);
    service_again(service);
    void *group = NULL;
    pthread_join(t, &group);
    assert_non_null(group);
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    CloseClusterGroup(group);
    CloseClusterNode(node);
}

struct readers {
    HNODE node;
    atomic_bool ended;
    atomic_uint answers;
};

static void *read_on(void *context)
{
    struct readers *r = context;
    while (!atomic_load(&r->ended)) {
        if (GetClusterNodeState(r->node) == ClusterNodeStateUnknown)
            return (void *)(uintptr_t)GetLastError();
        atomic_fetch_add(&r->answers, 1);
    }
    return NULL;
}

/* No reader learns that the service was killed under it again and again. */
static void threads_read_through_kills(void **state)
{
    (void)state;
    struct readers r = {.node = OpenClusterNode(cluster, NULL)};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &r), 0);
    for (int round = 0; round < 4; round++) {
        unsigned before = atomic_load(&r.answers);
        while (atomic_load(&r.answers) < before + 20)
            ;
        service_restart(service);
    }
    atomic_store(&r.ended, true);
    for (int i = 0; i < 4; i++) {
        void *error = NULL;
        pthread_join(threads[i], &error);
        assert_int_equal((uintptr_t)error, ERROR_SUCCESS);
    }
    CloseClusterNode(r.node);
}

struct writer {
    HKEY key;
    atomic_bool ended;
    atomic_uint acknowledged; /* the last number that was */
    atomic_uint unknown;      /* calls whose outcome nobody knows */
};

static void *write_on(void *context)
{
    struct writer *w = context;
    for (DWORD n = 1; !atomic_load(&w->ended); n++) {
        DWORD error = ClusterRegSetValue(w->key, L"n", REG_DWORD, (const BYTE *)&n, sizeof(n));
        if (error == ERROR_SUCCESS)
            atomic_store(&w->acknowledged, n);
        else if (error == RPC_S_CALL_FAILED)
            atomic_fetch_add(&w->unknown, 1);
        else
            return (void *)(uintptr_t)error;
    }
    return NULL;
}

/* A change is done once, or its caller learns that it may have been; what was acknowledged stays.
 */
static void changes_through_kills(void **state)
{
    (void)state;
    HKEY root = GetClusterKey(cluster, KEY_ALL_ACCESS);
    struct writer w = {0};
    assert_int_equal(ClusterRegCreateKey(root, L"Written", 0, KEY_ALL_ACCESS, NULL, &w.key, NULL),
                     ERROR_SUCCESS);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, write_on, &w), 0);
    for (unsigned round = 0; round < 4; round++) {
        unsigned before = atomic_load(&w.acknowledged);
        while (atomic_load(&w.acknowledged) < before + 5)
            ;
        service_kill(service);
        unsigned kept = atomic_load(&w.acknowledged);
        service_again(service);
        DWORD n = 0, size = sizeof(n);
        assert_int_equal(ClusterRegQueryValue(w.key, L"n", NULL, (BYTE *)&n, &size), ERROR_SUCCESS);
        assert_true(n >= kept);
        assert_true(atomic_load(&w.unknown) <= round + 1);
    }
    atomic_store(&w.ended, true);
    void *error = NULL;
    pthread_join(t, &error);
    assert_int_equal((uintptr_t)error, ERROR_SUCCESS);
    ClusterRegCloseKey(w.key);
    assert_int_equal(ClusterRegDeleteKey(root, L"Written"), ERROR_SUCCESS);
    ClusterRegCloseKey(root);
}

/* What was deleted while the handle's connection was down is gone. */
static void deleted_meanwhile(void **state)
{
    (void)state;
    HCLUSTER second = OpenCluster(NULL);
    HGROUP group = CreateClusterGroup(cluster, L"short"), same = OpenClusterGroup(second, L"short");
    HKEY root = GetClusterKey(cluster, KEY_ALL_ACCESS), key = NULL;
    assert_int_equal(ClusterRegCreateKey(root, L"Short", 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    service_restart(service);
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteKey(root, L"Short"), ERROR_SUCCESS);
    SetLastError(ERROR_SUCCESS);
    assert_int_equal(GetClusterGroupState(same, NULL, NULL), ClusterGroupStateUnknown);
    assert_true(GetLastError() == ERROR_GROUP_NOT_FOUND ||
                GetLastError() == ERROR_GROUP_NOT_AVAILABLE);
    assert_int_equal(ClusterRegDeleteValue(key, L"v"), ERROR_KEY_DELETED);
    ClusterRegCloseKey(key);
    ClusterRegCloseKey(root);
    CloseClusterGroup(group);
    CloseCluster(second);
}

/* A child process has its own connection, and leaves its parent's alone. */
static void after_a_fork(void **state)
{
    (void)state;
    HNODE node = OpenClusterNode(cluster, NULL);
    pid_t child = fork();
    if (child == 0) {
        bool works = GetClusterNodeState(node) == ClusterNodeUp && CloseClusterNode(node);
        _exit(works ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(GetClusterNodeState(node), ClusterNodeUp);
    assert_true(CloseClusterNode(node));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_go_on),         cmocka_unit_test(without_a_service),
        cmocka_unit_test(a_call_waits),          cmocka_unit_test(threads_read_through_kills),
        cmocka_unit_test(changes_through_kills), cmocka_unit_test(deleted_meanwhile),
        cmocka_unit_test(after_a_fork),
    };
    return cmocka_run_group_tests(tests, start_service, stop_service);
}
