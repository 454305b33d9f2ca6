/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <string.h>

#include "notify/v2.h"

/* Readers that fall behind: the shared memory is small here, and in the second half of the tests
 * the journal keeps little too. What cannot be had any more is told with its exact extent. */

#define CHANGES 1500
#define KEPT "100"

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

#define FLAGS (CLUSTER_CHANGE_REGISTRY_VALUE | CLUSTER_CHANGE_REGISTRY_SUBTREE)

static void test_out_of_the_journal(void **state)
{
    struct world *w = *state;
    HCHANGE v1 = watch(w, FLAGS | CLUSTER_CHANGE_CLUSTER_RECONNECT, 1), own = NULL;
    CLUSPORT_NOTIFICATION *n = NULL;
    ULONGLONG revision = 0, last = 0;

    assert_int_equal(ClusportCreatePort(w->cluster, NULL, 0, NULL, &own), ERROR_SUCCESS);
    assert_int_equal(ClusportGetRevision(w->cluster, &revision), ERROR_SUCCESS);
    change_values(w);
    for (int i = 0; i < CHANGES; i++)
        expect_event(v1, CLUSTER_CHANGE_REGISTRY_VALUE, 1, L"Key");
    expect_nothing(v1);
    while (ClusportGetNotification(own, 0, &n) == ERROR_SUCCESS) {
        assert_true(n->ullRevision == ++revision);
        ClusportFreeNotification(n);
    }
    assert_int_equal(ClusportGetRevision(w->cluster, &last), ERROR_SUCCESS);
    assert_true(revision == last);
    assert_true(CloseClusterNotifyPort(v1));
    assert_true(CloseClusterNotifyPort(own));
}

/* Delivered and lost together are all that there was. */
static void test_lost_with_its_extent(void **state)
{
    struct world *w = *state;
    CLUSPORT_NOTIFICATION *n = NULL;
    ULONGLONG revision = 0, last = 0, lost = 0;
    HCHANGE own = NULL;

    assert_int_equal(ClusportCreatePort(w->cluster, NULL, 0, NULL, &own), ERROR_SUCCESS);
    assert_int_equal(ClusportGetRevision(w->cluster, &revision), ERROR_SUCCESS);
    change_values(w);
    assert_int_equal(ClusportGetRevision(w->cluster, &last), ERROR_SUCCESS);
    while (ClusportGetNotification(own, 0, &n) == ERROR_SUCCESS) {
        if (strcmp(n->pszKind, "port.lost") == 0) {
            assert_true(n->ullLostFirst == revision + 1);
            assert_true(n->ullLostCount == n->ullLostLast - n->ullLostFirst + 1);
            lost += n->ullLostCount;
            revision = n->ullLostLast;
        } else {
            assert_true(n->ullRevision == ++revision);
        }
        ClusportFreeNotification(n);
    }
    assert_true(revision == last);
    assert_true(lost > 0);
    assert_true(CloseClusterNotifyPort(own));
}

/* Version 1 is told by RECONNECT, version 2 by LOST_NOTIFICATIONS, where they asked for them; the
 * list of ports counts for all. */
static void test_lost_to_the_versions(void **state)
{
    struct world *w = *state;
    HCHANGE asks = watch(w, FLAGS | CLUSTER_CHANGE_CLUSTER_RECONNECT, 1);
    HCHANGE does_not = watch(w, FLAGS, 2);
    HCHANGE v2 = watch_v2(w, ALL(REGISTRY));
    NOTIFY_FILTER_AND_TYPE filter = {ALL(CLUSTER)};
    CLUSPORT_PORT *ports = NULL;
    DWORD count = 0;

    assert_ptr_equal(CreateClusterNotifyPortV2(v2, w->cluster, &filter, 1, KEY), v2);
    change_values(w);
    expect_event(asks, CLUSTER_CHANGE_CLUSTER_RECONNECT, 1, L"testcluster");
    expect_event(asks, CLUSTER_CHANGE_REGISTRY_VALUE, 1, L"Key");
    expect_event(does_not, CLUSTER_CHANGE_REGISTRY_VALUE, 2, L"Key");
    has_nothing(told(v2, CLUSTER, CLUSTER_LOST_NOTIFICATIONS, NULL, NULL, NULL, NULL));
    has_nothing(told(v2, REGISTRY, REGISTRY_VALUE, L"v", NULL, L"Key", NULL));
    assert_int_equal(ClusportListPorts(w->cluster, &ports, &count), ERROR_SUCCESS);
    assert_int_equal(count, 3);
    for (DWORD i = 0; i < count; i++)
        assert_true(ports[i].ullLost > 0 && ports[i].ullLost < CHANGES);
    ClusportFreePorts(ports);
    assert_true(CloseClusterNotifyPort(asks));
    assert_true(CloseClusterNotifyPort(does_not));
    assert_true(CloseClusterNotifyPort(v2));
}

static int small_memory(void **state)
{
    *state = world_start((const char *[]){"--feed-size", "64K", "--log-level", "info", NULL});
    return 0;
}

static int small_journal(void **state)
{
    *state = world_start((const char *[]){"--feed-size", "64K", "--keep-changes", KEPT,
                                          "--log-level", "info", NULL});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_out_of_the_journal, small_memory, world_teardown),
        cmocka_unit_test_setup_teardown(test_lost_with_its_extent, small_journal, world_teardown),
        cmocka_unit_test_setup_teardown(test_lost_to_the_versions, small_journal, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
