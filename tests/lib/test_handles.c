/* SPDX-License-Identifier: MIT */
#include "lib/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Handles that are none: each function must say so, and none may touch an object. */
static void nothing_like_a_handle(void **state)
{
    (void)state;
    const void *const words[] = {NULL, INVALID_HANDLE_VALUE, (void *)1, (void *)0x123456789abcdef0,
                                 &words};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        void *h = (void *)words[i];
        DWORD cch = 0;
        assert_int_equal(GetClusterInformation(h, NULL, NULL, NULL), ERROR_INVALID_HANDLE);
        assert_int_equal(SetClusterName(h, L"x"), ERROR_INVALID_HANDLE);
        assert_fails(ClusterOpenEnum(h, CLUSTER_ENUM_NODE), ERROR_INVALID_HANDLE);
        assert_int_equal(ClusterEnum(h, 0, NULL, NULL, NULL), ERROR_INVALID_HANDLE);
        assert_int_equal(ClusterCloseEnum(h), ERROR_INVALID_HANDLE);
        assert_fails(CloseClusterNode(h), ERROR_INVALID_HANDLE);
        assert_fails(CloseClusterGroup(h), ERROR_INVALID_HANDLE);
        assert_fails(CloseClusterResource(h), ERROR_INVALID_HANDLE);
        assert_fails(CloseClusterNetwork(h), ERROR_INVALID_HANDLE);
        assert_fails(CloseClusterNetInterface(h), ERROR_INVALID_HANDLE);
        assert_int_equal(ClusterRegCloseKey(h), ERROR_INVALID_HANDLE);
        assert_int_equal(OnlineClusterGroup(h, NULL), ERROR_INVALID_HANDLE);
        assert_int_equal(MoveClusterGroup(h, NULL), ERROR_INVALID_HANDLE);
        assert_int_equal(OfflineClusterGroup(h), ERROR_INVALID_HANDLE);
        assert_int_equal(DeleteClusterGroup(h), ERROR_INVALID_HANDLE);
        assert_int_equal(SetClusterGroupName(h, L"x"), ERROR_INVALID_HANDLE);
        assert_int_equal(DeleteClusterResource(h), ERROR_INVALID_HANDLE);
        assert_int_equal(OnlineClusterResource(h), ERROR_INVALID_HANDLE);
        assert_int_equal(OfflineClusterResource(h), ERROR_INVALID_HANDLE);
        assert_int_equal(FailClusterResource(h), ERROR_INVALID_HANDLE);
        assert_int_equal(SetClusterResourceName(h, L"x"), ERROR_INVALID_HANDLE);
        assert_int_equal(AddClusterResourceDependency(h, h), ERROR_INVALID_HANDLE);
        assert_int_equal(RemoveClusterResourceDependency(h, h), ERROR_INVALID_HANDLE);
        assert_int_equal(ChangeClusterResourceGroup(h, h), ERROR_INVALID_HANDLE);
        assert_int_equal(GetClusterResourceDependencyExpression(h, NULL, &cch),
                         ERROR_INVALID_HANDLE);
        assert_int_equal(ClusterResourceControl(h, NULL, 0, NULL, 0, NULL, 0, NULL),
                         ERROR_INVALID_HANDLE);
        assert_int_equal(ClusterResourceTypeControl(h, L"x", NULL, 0, NULL, 0, NULL, 0, NULL),
                         ERROR_INVALID_HANDLE);
        assert_int_equal(GetClusterNetInterface(h, L"x", L"x", NULL, &cch), ERROR_INVALID_HANDLE);
        assert_fails(GetClusterFromGroup(h), ERROR_INVALID_HANDLE);
        assert_fails(GetClusterFromResource(h), ERROR_INVALID_HANDLE);
        assert_int_equal(PauseClusterNode(h), ERROR_INVALID_HANDLE);
        assert_true(CloseCluster(h)); /* always */
    }
}

static void another_kind(void **state)
{
    (void)state;
    HGROUP group = CreateClusterGroup(cluster, L"kinds");
    HKEY key = GetClusterKey(cluster, KEY_READ);
    HCLUSENUM e = ClusterOpenEnum(cluster, CLUSTER_ENUM_NODE);
    assert_fails(CloseClusterResource((HRESOURCE)group), ERROR_INVALID_HANDLE);
    assert_fails(CloseClusterNode((HNODE)cluster), ERROR_INVALID_HANDLE);
    assert_int_equal(ClusterRegCloseKey((HKEY)group), ERROR_INVALID_HANDLE);
    assert_int_equal(DeleteClusterGroup((HGROUP)key), ERROR_INVALID_HANDLE);
    assert_int_equal(OnlineClusterGroup((HGROUP)e, NULL), ERROR_INVALID_HANDLE);
    assert_int_equal(ClusterGroupCloseEnum((HGROUPENUM)e), ERROR_INVALID_HANDLE);
    assert_int_equal(MoveClusterGroup(group, (HNODE)key), ERROR_INVALID_HANDLE);
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOffline);
    assert_int_equal(ClusterCloseEnum(e), ERROR_SUCCESS);
    assert_int_equal(ClusterRegCloseKey(key), ERROR_SUCCESS);
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(group));
}

/* Two clusters' handles do not mix: each has its own connection. */
static void another_cluster(void **state)
{
    (void)state;
    HCLUSTER second = OpenCluster(NULL);
    HGROUP group = CreateClusterGroup(cluster, L"mine");
    HNODE node = OpenClusterNode(second, NULL);
    assert_int_equal(MoveClusterGroup(group, node), ERROR_INVALID_HANDLE);
    assert_int_equal(
        ClusterGroupControl(group, node, CLUSCTL_GROUP_GET_NAME, NULL, 0, NULL, 0, NULL),
        ERROR_INVALID_HANDLE);
    CloseCluster(second);
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    CloseClusterGroup(group);
}

static void closing_the_cluster_closes_all(void **state)
{
    (void)state;
    HCLUSTER c = OpenCluster(NULL);
    HNODE node = OpenClusterNode(c, NULL), second = OpenClusterNode(c, NULL);
    HKEY key = GetClusterKey(c, KEY_READ);
    HCLUSTER derived = GetClusterFromNode(node);
    HNODE survivor = OpenClusterNode(derived, NULL);
    HCLUSENUM e = ClusterOpenEnum(c, CLUSTER_ENUM_NODE);
    assert_true(CloseClusterNode(second));
    assert_true(CloseCluster(c));
    assert_int_equal(GetClusterInformation(c, NULL, NULL, NULL), ERROR_INVALID_HANDLE);
    assert_int_equal(GetClusterNodeState(node), ClusterNodeStateUnknown);
    assert_fails(CloseClusterNode(node), ERROR_INVALID_HANDLE);
    assert_int_equal(ClusterRegCloseKey(key), ERROR_INVALID_HANDLE);
    assert_fails(OpenClusterNode(c, NULL), ERROR_INVALID_HANDLE);
    assert_int_equal(ClusterGetEnumCount(e), 1); /* a picture needs no cluster */
    assert_int_equal(ClusterCloseEnum(e), ERROR_SUCCESS);
    assert_int_equal(GetClusterNodeState(survivor), ClusterNodeUp);
    assert_true(CloseCluster(derived));
    assert_int_equal(GetClusterNodeState(survivor), ClusterNodeStateUnknown);
}

/* Threads use one handle while another closes it, and open through a cluster that is closed. */
struct race {
    HCLUSTER cluster;
    _Atomic(HNODE) node;
    atomic_bool ended;
    atomic_uint answers, refusals;
};

static void *use(void *context)
{
    struct race *r = context;
    while (!atomic_load(&r->ended)) {
        HNODE node = atomic_load(&r->node);
        if (GetClusterNodeState(node) == ClusterNodeUp) {
            atomic_fetch_add(&r->answers, 1);
        } else {
            atomic_fetch_add(&r->refusals, 1);
            if (GetLastError() != ERROR_INVALID_HANDLE)
                abort();
        }
    }
    return NULL;
}

static void closing_under_use(void **state)
{
    (void)state;
    struct race r = {.cluster = OpenCluster(NULL)};
    atomic_store(&r.node, OpenClusterNode(r.cluster, NULL));
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, &r), 0);
    for (int i = 0; i < 200; i++) {
        HNODE next = OpenClusterNode(r.cluster, NULL);
        assert_non_null(next);
        assert_true(CloseClusterNode(atomic_exchange(&r.node, next)));
    }
    while (atomic_load(&r.answers) == 0)
        ;
    assert_true(CloseCluster(r.cluster));
    while (atomic_load(&r.refusals) == 0)
        ;
    atomic_store(&r.ended, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

static void *open_until_refused(void *context)
{
    struct race *r = context;
    while (OpenClusterNode(r->cluster, NULL))
        atomic_fetch_add(&r->answers, 1);
    if (GetLastError() != ERROR_INVALID_HANDLE)
        abort();
    return NULL;
}

static void closing_under_opening(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct race r = {.cluster = OpenCluster(NULL)};
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, open_until_refused, &r), 0);
        while (atomic_load(&r.answers) < 5)
            ;
        assert_true(CloseCluster(r.cluster));
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
    }
}

static void *own_error(void *context)
{
    (void)context;
    if (GetLastError() != ERROR_SUCCESS)
        abort();
    CloseClusterNode(NULL);
    if (GetLastError() != ERROR_INVALID_HANDLE)
        abort();
    return NULL;
}

static void last_error_is_the_threads_own(void **state)
{
    (void)state;
    SetLastError(12345);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, own_error, NULL), 0);
    pthread_join(t, NULL);
    assert_int_equal(GetLastError(), 12345);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_like_a_handle),
        cmocka_unit_test(another_kind),
        cmocka_unit_test(another_cluster),
        cmocka_unit_test(closing_the_cluster_closes_all),
        cmocka_unit_test(closing_under_use),
        cmocka_unit_test(closing_under_opening),
        cmocka_unit_test(last_error_is_the_threads_own),
    };
    return cmocka_run_group_tests(tests, start_service, stop_service);
}
