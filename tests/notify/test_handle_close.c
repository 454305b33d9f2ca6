/* SPDX-License-Identifier: MIT */
#include "notify/loop.h"

#include <stdbool.h>

/* HANDLE_CLOSE: for a handle that was registered with it, and for no other. */

#define CLOSE CLUSTER_CHANGE_HANDLE_CLOSE

struct kind {
    const char *title;
    DWORD flag; /* one that goes with the handle */
    LPCWSTR name;
    HANDLE (*open)(struct world *w);
    bool (*close)(HANDLE h);
};

static HANDLE open_cluster(struct world *w)
{
    (void)w;
    return OpenCluster(NULL);
}

static bool close_cluster(HANDLE h)
{
    return CloseCluster(h);
}

static HANDLE open_node(struct world *w)
{
    return OpenClusterNode(w->cluster, L"node1");
}

static bool close_node(HANDLE h)
{
    return CloseClusterNode(h);
}

static HANDLE open_group(struct world *w)
{
    return OpenClusterGroup(w->cluster, L"Group");
}

static bool close_group(HANDLE h)
{
    return CloseClusterGroup(h);
}

static HANDLE open_resource(struct world *w)
{
    return OpenClusterResource(w->cluster, L"Resource");
}

static bool close_resource(HANDLE h)
{
    return CloseClusterResource(h);
}

static HANDLE open_key(struct world *w)
{
    return GetClusterKey(w->cluster, KEY_READ);
}

static bool close_key(HANDLE h)
{
    return ClusterRegCloseKey(h) == ERROR_SUCCESS;
}

static const struct kind kinds[] = {
    {"cluster", CLUSTER_CHANGE_CLUSTER_PROPERTY, L"testcluster", open_cluster, close_cluster},
    {"node", CLUSTER_CHANGE_NODE_STATE, L"node1", open_node, close_node},
    {"group", CLUSTER_CHANGE_GROUP_STATE, L"Group", open_group, close_group},
    {"resource", CLUSTER_CHANGE_RESOURCE_STATE, L"Resource", open_resource, close_resource},
    {"key", CLUSTER_CHANGE_REGISTRY_VALUE, L"", open_key, close_key},
};
/* Networks and interfaces: test_networks.c, where there are some. */

static void test_each_kind(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct kind *k = &kinds[i];
        HANDLE registered = k->open(w), second = k->open(w), without = k->open(w);
        HCHANGE port = watch(w, 0, 0);

        print_message("%s\n", k->title);
        watch_too(port, k->flag | CLOSE, registered, 11);
        watch_too(port, CLOSE, registered, 12);
        watch_too(port, k->flag, without, 13);
        assert_true(k->close(second));
        expect_nothing(port);
        assert_true(k->close(without));
        expect_nothing(port);
        assert_true(k->close(registered));
        expect_event(port, CLOSE, 11, k->name);
        expect_event(port, CLOSE, 12, k->name);
        expect_nothing(port);
        assert_int_equal(RegisterClusterNotify(port, CLOSE, registered, 14), ERROR_INVALID_HANDLE);
        assert_true(CloseClusterNotifyPort(port));
    }
}

/* All that happened before the close comes before it; what happens after it does not come. */
static void test_order(void **state)
{
    struct world *w = *state;
    HGROUP watched = open_group(w), group = open_group(w);
    HCHANGE port = watch(w, 0, 0);

    watch_too(port, CLUSTER_CHANGE_GROUP_PROPERTY | CLOSE, watched, 1);
    assert_int_equal(SetClusterGroupName(group, L"Once"), ERROR_SUCCESS);
    assert_int_equal(SetClusterGroupName(group, L"Twice"), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(watched));
    assert_int_equal(SetClusterGroupName(group, L"Group"), ERROR_SUCCESS);
    expect_event(port, CLUSTER_CHANGE_GROUP_PROPERTY, 1, L"Once");
    expect_event(port, CLUSTER_CHANGE_GROUP_PROPERTY, 1, L"Twice");
    /* As the object was called when the handle was registered. */
    expect_event(port, CLOSE, 1, L"Group");
    expect_nothing(port);
    assert_true(CloseClusterNotifyPort(port));
    assert_true(CloseClusterGroup(group));
}

/* A cluster-wide registration ends with the cluster's handle; the sample's objects, whose handles
 * are closed before, do not end its loop. */
static void test_cluster_wide(void **state)
{
    struct world *w = *state;
    HCLUSTER cluster = OpenCluster(NULL);
    HCHANGE port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster,
                                           CLUSTER_CHANGE_GROUP_PROPERTY | CLOSE, 1);

    assert_non_null(port);
    assert_ptr_equal(CreateClusterNotifyPort(port, cluster, CLOSE, 2), port);
    HGROUP group = OpenClusterGroup(cluster, L"Group");
    HRESOURCE resource = OpenClusterResource(cluster, L"Resource");
    assert_true(CloseClusterResource(resource));
    assert_true(CloseClusterGroup(group));
    expect_nothing(port);
    assert_true(CloseCluster(cluster));
    expect_event(port, CLOSE, 1, L"testcluster");
    expect_event(port, CLOSE, 2, L"testcluster");
    expect_nothing(port);

    HGROUP other = open_group(w);
    assert_int_equal(SetClusterGroupName(other, L"Other"), ERROR_SUCCESS);
    expect_nothing(port);
    assert_int_equal(SetClusterGroupName(other, L"Group"), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(other));
    assert_true(CloseClusterNotifyPort(port));
}

/* CloseCluster makes the handles opened through it useless, and their registrations silent. */
static void test_handles_below_a_closed_cluster(void **state)
{
    struct world *w = *state;
    HCLUSTER cluster = OpenCluster(NULL);
    HGROUP group = OpenClusterGroup(cluster, L"Group"), other = open_group(w);
    HCHANGE port = watch(w, 0, 0);

    watch_too(port, CLUSTER_CHANGE_GROUP_PROPERTY | CLOSE, group, 1);
    assert_true(CloseCluster(cluster));
    assert_int_equal(SetClusterGroupName(other, L"Other"), ERROR_SUCCESS);
    expect_nothing(port);
    assert_int_equal(SetClusterGroupName(other, L"Group"), ERROR_SUCCESS);
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupStateUnknown);
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_true(CloseClusterGroup(other));
    assert_true(CloseClusterNotifyPort(port));
}

static int stage_setup(void **state)
{
    struct world *w = world_start(NULL);
    HGROUP group = make_group(w, L"Group");

    assert_true(CloseClusterResource(make_resource(group, L"Resource", L"Dummy")));
    assert_true(CloseClusterGroup(group));
    *state = w;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_cluster_wide),
        cmocka_unit_test(test_handles_below_a_closed_cluster),
    };
    return cmocka_run_group_tests(tests, stage_setup, world_teardown);
}
