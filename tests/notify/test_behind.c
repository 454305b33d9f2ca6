/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <pthread.h>
#include <string.h>

#include "notify/v2.h"

/* Readers that fall behind: the shared memory is small here, and in the second half of the tests
 * the journal keeps little too. What cannot be had any more is told with its exact extent. */

#define CHANGES 1500
#define LAP 400 /* more than the memory holds */
#define KEPT "100"

static void set_first(struct world *w)
{
    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS), key = NULL;
    const DWORD value = 1;

    assert_int_equal(ClusterRegCreateKey(root, L"First", 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    assert_int_equal(ClusterRegSetValue(key, L"v", REG_DWORD, (const BYTE *)&value, 4),
                     ERROR_SUCCESS);
    assert_int_equal(ClusterRegCloseKey(key), ERROR_SUCCESS);
    assert_int_equal(ClusterRegCloseKey(root), ERROR_SUCCESS);
}

#define WRITERS 8

struct writer {
    HKEY key;
    DWORD times;
};

static void *write_values(void *context)
{
    const struct writer *w = context;
    static _Atomic DWORD last;

    for (DWORD i = 0; i < w->times; i++) {
        DWORD value = ++last;
        if (ClusterRegSetValue(w->key, L"v", REG_DWORD, (const BYTE *)&value, 4) != ERROR_SUCCESS)
            return "a value was not set";
    }
    return NULL;
}

/* By several at once: one write to the disk serves them all. */
static void change_values_times(struct world *w, DWORD times)
{
    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS), key = NULL;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];

    assert_int_equal(ClusterRegCreateKey(root, L"Key", 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    for (DWORD i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.key = key, .times = times / WRITERS + (i < times % WRITERS)};
        assert_int_equal(pthread_create(&threads[i], NULL, write_values, &writers[i]), 0);
    }
    for (DWORD i = 0; i < WRITERS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(ClusterRegCloseKey(key), ERROR_SUCCESS);
    assert_int_equal(ClusterRegCloseKey(root), ERROR_SUCCESS);
}

static void change_values(struct world *w)
{
    change_values_times(w, CHANGES);
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
    assert_int_equal(ClusportGetRevision(w->cluster, &last), ERROR_SUCCESS);
    while (revision < last) {
        assert_int_equal(ClusportGetNotification(own, EVENT_WAIT_MS, &n), ERROR_SUCCESS);
        assert_true(n->ullRevision == ++revision);
        ClusportFreeNotification(n);
    }
    assert_int_equal(ClusportGetNotification(own, 0, &n), WAIT_TIMEOUT);
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
    while (revision < last) {
        assert_int_equal(ClusportGetNotification(own, EVENT_WAIT_MS, &n), ERROR_SUCCESS);
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
    assert_int_equal(ClusportGetNotification(own, 0, &n), WAIT_TIMEOUT);
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

static void expect_more_data(HCHANGE port)
{
    WCHAR name[3] = L"";
    DWORD_PTR key = 0;
    DWORD flag = 0, length = 3;

    assert_int_equal(GetClusterNotify(port, &key, &flag, name, &length, EVENT_WAIT_MS),
                     ERROR_MORE_DATA);
    assert_int_equal(flag, CLUSTER_CHANGE_REGISTRY_VALUE);
    assert_int_equal(length, wcslen(L"First"));
}

/* What did not fit the buffer is there for the next one, though memory and journal hold it no
 * longer and the service was killed in between. */
static void shown_is_kept(struct world *w, HCHANGE port)
{
    expect_more_data(port);
    change_values_times(w, 2 * LAP);
    expect_more_data(port);
    service_restart(w->service);
    expect_more_data(port);
    expect_event(port, CLUSTER_CHANGE_REGISTRY_VALUE, 1, L"First");
}

static void test_shown_is_kept(void **state)
{
    struct world *w = *state;
    HCHANGE port = watch(w, FLAGS | CLUSTER_CHANGE_CLUSTER_RECONNECT, 1);

    set_first(w);
    shown_is_kept(w, port);
    expect_event(port, CLUSTER_CHANGE_CLUSTER_RECONNECT, 1, L"testcluster");
    expect_event(port, CLUSTER_CHANGE_REGISTRY_VALUE, 1, L"Key");
    assert_true(CloseClusterNotifyPort(port));
}

static void test_shown_by_the_journal_is_kept(void **state)
{
    struct world *w = *state;
    HCHANGE port = watch(w, FLAGS | CLUSTER_CHANGE_CLUSTER_RECONNECT, 1);

    set_first(w);
    change_values_times(w, LAP); /* out of the memory */
    shown_is_kept(w, port);
    expect_event(port, CLUSTER_CHANGE_REGISTRY_VALUE, 1, L"Key");
    assert_true(CloseClusterNotifyPort(port));
}

/* The registrations of a port are told of a change one after the other; in between it falls behind.
 */
static void test_told_is_not_lost(void **state)
{
    static const CLUSPORT_FILTER filters[] = {{.cbSize = sizeof(filters[0]), .dwKey = 1},
                                              {.cbSize = sizeof(filters[0]), .dwKey = 2}};
    struct world *w = *state;
    CLUSPORT_NOTIFICATION *n = NULL;
    ULONGLONG revision = 0;
    HCHANGE own = NULL;

    assert_int_equal(ClusportGetRevision(w->cluster, &revision), ERROR_SUCCESS);
    assert_int_equal(ClusportCreatePort(w->cluster, filters, 2, NULL, &own), ERROR_SUCCESS);
    set_first(w); /* two changes, which the port fetches together */
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(ClusportGetNotification(own, EVENT_WAIT_MS, &n), ERROR_SUCCESS);
        assert_true(n->ullRevision == revision + 1 + i / 2 && n->dwKey == 1 + i % 2);
        ClusportFreeNotification(n);
        change_values_times(w, LAP);
    }
    assert_int_equal(ClusportGetNotification(own, EVENT_WAIT_MS, &n), ERROR_SUCCESS);
    assert_string_equal(n->pszKind, "port.lost");
    assert_true(n->ullLostFirst == revision + 3);
    ClusportFreeNotification(n);
    assert_true(CloseClusterNotifyPort(own));
}

/* A call of version 1 gives what registrations ask for, also after one of ours that gives more. */
static void test_lost_is_not_given_unasked(void **state)
{
    struct world *w = *state;
    HCHANGE port = watch(w, FLAGS, 1);
    CLUSPORT_NOTIFICATION *n = NULL;

    change_values_times(w, LAP);
    assert_int_equal(ClusportGetNotification(port, EVENT_WAIT_MS, &n), ERROR_SUCCESS);
    assert_string_equal(n->pszKind, "port.lost");
    ClusportFreeNotification(n);
    change_values_times(w, LAP);
    expect_event(port, CLUSTER_CHANGE_REGISTRY_VALUE, 1, L"Key");
    assert_true(CloseClusterNotifyPort(port));
}

static int small_memory(void **state)
{
    *state = world_start((const char *[]){"--feed-size", "64K", "--log-level", "info", NULL});
    return 0;
}

static int medium_journal(void **state)
{
    *state = world_start((const char *[]){"--feed-size", "64K", "--keep-changes", "600",
                                          "--log-level", "info", NULL});
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
        cmocka_unit_test_setup_teardown(test_shown_is_kept, small_journal, world_teardown),
        cmocka_unit_test_setup_teardown(test_shown_by_the_journal_is_kept, medium_journal,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_told_is_not_lost, small_journal, world_teardown),
        cmocka_unit_test_setup_teardown(test_lost_is_not_given_unasked, small_journal,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(test_lost_to_the_versions, small_journal, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
