/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <stdio.h>
#include <wchar.h>

#include "notify/loop.h"

/* A short program that does a little of everything that the judge looks at; test_judge.py falsifies
 * its history. */

static DWORD next_v1(HCHANGE port, DWORD room)
{
    static WCHAR name[NAME_ROOM];
    DWORD_PTR key;
    DWORD flag;
    return GetClusterNotify(port, &key, &flag, name, &room, 0);
}

static DWORD next_v2(HCHANGE port)
{
    static WCHAR text[4][NAME_ROOM];
    static BYTE buffer[256];
    DWORD_PTR key;
    NOTIFY_FILTER_AND_TYPE filter;
    DWORD size = sizeof(buffer), room[] = {NAME_ROOM, NAME_ROOM, NAME_ROOM, NAME_ROOM};
    return GetClusterNotifyV2(port, &key, &filter, buffer, &size, text[0], &room[0], text[1],
                              &room[1], text[2], &room[2], text[3], &room[3], 0);
}

static DWORD next_own(HCHANGE port)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    DWORD error = ClusportGetNotification(port, 0, &n);
    ClusportFreeNotification(n);
    return error;
}

static void drain_v1(HCHANGE port)
{
    while (next_v1(port, NAME_ROOM) == ERROR_SUCCESS)
        ;
}

static void drain_v2(HCHANGE port)
{
    while (next_v2(port) == ERROR_SUCCESS)
        ;
}

static void drain_own(HCHANGE port)
{
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
    drain_v1(v1);
    drain_v2(v2);
    assert_int_equal(next_own(own), ERROR_SUCCESS);

    service_restart(w->service);
    online_and_wait(w, resource);
    assert_int_equal(SetClusterGroupName(group, L"again"), ERROR_SUCCESS);
    drain_own(own);
    drain_v2(v2);
    drain_v1(v1);
    CLUSPORT_OPTIONS from = {.cbSize = sizeof(from), .fSince = TRUE, .ullSince = since};
    CLUSPORT_OPTIONS snapshot = {.cbSize = sizeof(snapshot), .fSnapshot = TRUE};
    HCHANGE resumed = own_port(w, &from), joined = own_port(w, &snapshot);
    remove_resource(w, resource);
    drain_own(resumed);
    drain_own(joined);
    assert_true(CloseClusterGroup(group));
    drain_v1(v1);

    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS);
    assert_non_null(root);
    assert_int_equal(next_own(slow), ERROR_SUCCESS);
    assert_int_equal(next_own(slow), ERROR_SUCCESS);
    set_values(root, 400);
    drain_own(slow);
    set_values(root, 3);
    drain_own(slow);
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
