/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <stdio.h>
#include <wchar.h>

#include "notify/loop.h"

/* A short program that does a little of everything that the judge looks at; test_judge.py falsifies
 * its history. */

static DWORD read_v1(HCHANGE port, DWORD room, DWORD wait_ms, DWORD *flag, DWORD_PTR *key)
{
    static WCHAR name[NAME_ROOM];
    return GetClusterNotify(port, key, flag, name, &room, wait_ms);
}

static DWORD next_v1(HCHANGE port, DWORD room)
{
    DWORD flag;
    DWORD_PTR key;
    return read_v1(port, room, 0, &flag, &key);
}

static DWORD read_v2(HCHANGE port, DWORD wait_ms, NOTIFY_FILTER_AND_TYPE *filter)
{
    static WCHAR text[4][NAME_ROOM];
    static BYTE buffer[256];
    DWORD_PTR key;
    DWORD size = sizeof(buffer), room[] = {NAME_ROOM, NAME_ROOM, NAME_ROOM, NAME_ROOM};
    return GetClusterNotifyV2(port, &key, filter, buffer, &size, text[0], &room[0], text[1],
                              &room[1], text[2], &room[2], text[3], &room[3], wait_ms);
}

static DWORD read_own(HCHANGE port, DWORD wait_ms, ULONGLONG *revision)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    DWORD error = ClusportGetNotification(port, wait_ms, &n);
    if (n)
        *revision = n->ullRevision;
    ClusportFreeNotification(n);
    return error;
}

static DWORD next_own(HCHANGE port)
{
    ULONGLONG revision;
    return read_own(port, 0, &revision);
}

/* What a port has to read from the journal is not there at once, so a drain waits for what it knows
 * to come; then nothing more is on its way. */

static void drain_v1(HCHANGE port)
{
    while (next_v1(port, NAME_ROOM) == ERROR_SUCCESS)
        ;
}

static void drain_v1_to(HCHANGE port, DWORD last, DWORD_PTR last_key)
{
    DWORD flag = 0;
    DWORD_PTR key = 0;
    while (flag != last || key != last_key)
        assert_int_equal(read_v1(port, NAME_ROOM, EVENT_WAIT_MS, &flag, &key), ERROR_SUCCESS);
    drain_v1(port);
}

static void drain_v2_to(HCHANGE port, DWORD type, LONGLONG last)
{
    NOTIFY_FILTER_AND_TYPE filter = {0};
    while (filter.dwObjectType != type || filter.FilterFlags != last)
        assert_int_equal(read_v2(port, EVENT_WAIT_MS, &filter), ERROR_SUCCESS);
    while (read_v2(port, 0, &filter) == ERROR_SUCCESS)
        ;
}

static void drain_own(struct world *w, HCHANGE port)
{
    ULONGLONG last = 0, revision = 0;
    assert_int_equal(ClusportGetRevision(w->cluster, &last), ERROR_SUCCESS);
    while (revision < last)
        assert_int_equal(read_own(port, EVENT_WAIT_MS, &revision), ERROR_SUCCESS);
    while (next_own(port) == ERROR_SUCCESS)
        ;
}

static HCHANGE own_port(struct world *w, const CLUSPORT_OPTIONS *options)
{
    const CLUSPORT_FILTER filters[] = {{sizeof(CLUSPORT_FILTER), "*", NULL, 5},
                                       {sizeof(CLUSPORT_FILTER), "group.*", NULL, 6}};
    HCHANGE port = NULL;
    assert_int_equal(ClusportCreatePort(w->cluster, filters, 2, options, &port), ERROR_SUCCESS);
    return port;
}

static void set_values(HKEY key, DWORD count)
{
    static DWORD value;
    for (DWORD i = 0; i < count; i++) {
        value++;
        assert_int_equal(ClusterRegSetValue(key, L"v", REG_DWORD, (const BYTE *)&value, 4),
                         ERROR_SUCCESS);
    }
}

static void sample(void **state)
{
    struct world *w = *state;
    NOTIFY_FILTER_AND_TYPE filters[] = {
        {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_ALL_V2},
        {CLUSTER_OBJECT_TYPE_RESOURCE, CLUSTER_CHANGE_RESOURCE_ALL_V2}};
    HCHANGE v1 = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, w->cluster, CLUSTER_CHANGE_ALL, 1);
    HCHANGE v2 = CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, w->cluster, filters, 2, 7);
    HCHANGE own = own_port(w, NULL), slow = own_port(w, NULL);
    assert_non_null(v1);
    assert_non_null(v2);

    HGROUP group = make_group(w, L"group");
    assert_int_equal(RegisterClusterNotify(
                         v1, CLUSTER_CHANGE_GROUP_PROPERTY | CLUSTER_CHANGE_HANDLE_CLOSE, group, 2),
                     ERROR_SUCCESS);
    ULONGLONG since = 0;
    assert_int_equal(ClusportGetRevision(w->cluster, &since), ERROR_SUCCESS);
    HRESOURCE resource = make_resource(group, L"resource", L"Dummy");
    assert_int_equal(SetClusterGroupName(group, L"renamed"), ERROR_SUCCESS);
    assert_int_equal(next_v1(v1, 2), ERROR_MORE_DATA);
    assert_int_equal(next_v1(v1, NAME_ROOM), ERROR_SUCCESS);
    assert_int_equal(next_v1(v1, 2), ERROR_MORE_DATA);
    drain_v1_to(v1, CLUSTER_CHANGE_GROUP_PROPERTY, 2);
    drain_v2_to(v2, CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_COMMON_PROPERTY_V2);
    assert_int_equal(next_own(own), ERROR_SUCCESS);

    service_restart(w->service);
    online_and_wait(w, resource);
    assert_int_equal(SetClusterGroupName(group, L"again"), ERROR_SUCCESS);
    drain_own(w, own);
    drain_v2_to(v2, CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_COMMON_PROPERTY_V2);
    drain_v1_to(v1, CLUSTER_CHANGE_GROUP_PROPERTY, 2);
    CLUSPORT_OPTIONS from = {.cbSize = sizeof(from), .fSince = TRUE, .ullSince = since};
    CLUSPORT_OPTIONS snapshot = {.cbSize = sizeof(snapshot), .fSnapshot = TRUE};
    HCHANGE resumed = own_port(w, &from), joined = own_port(w, &snapshot);
    remove_resource(w, resource);
    drain_own(w, resumed);
    drain_own(w, joined);
    assert_true(CloseClusterGroup(group));
    drain_v1(v1);

    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS);
    assert_non_null(root);
    ULONGLONG early;
    assert_int_equal(read_own(slow, EVENT_WAIT_MS, &early), ERROR_SUCCESS);
    assert_int_equal(read_own(slow, EVENT_WAIT_MS, &early), ERROR_SUCCESS);
    set_values(root, 400);
    drain_own(w, slow);
    set_values(root, 3);
    drain_own(w, slow);
    assert_int_equal(ClusterRegCloseKey(root), ERROR_SUCCESS);

    const HCHANGE ports[] = {v1, v2, own, slow, resumed, joined};
    for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
        assert_true(CloseClusterNotifyPort(ports[i]));
    assert_int_equal(next_v1(v1, NAME_ROOM), ERROR_INVALID_HANDLE);
    assert_int_equal(next_own(own), ERROR_INVALID_HANDLE);
}

static int setup(void **state)
{
    *state = world_start((const char *[]){"--feed-size", "64K", "--keep-changes", "100",
                                          "--log-level", "info", NULL});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sample, setup, world_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
