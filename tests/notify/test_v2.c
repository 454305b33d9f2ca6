/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "notify/v2.h"

/* Version 2: type and flag of each event, and all that it carries ([MS-CMRP] 3.1.4.2.138). */

struct stage {
    struct world *w;
    HNODE node;
    HGROUP group;
    HRESOURCE resource, other;
    WCHAR group_id[64], resource_id[64], other_id[64];
};

/* ---- groups and resources ---- */

static void test_group_life(void **state)
{
    struct stage *s = *state;
    HCHANGE cluster = watch_v2(s->w, ALL(CLUSTER)), group = watch_v2(s->w, ALL(GROUP));
    WCHAR id[64], resource_id[64];

    HGROUP g = make_group(s->w, L"g");
    wcscpy(id, id_of_group(g));
    has_number(told(cluster, CLUSTER, CLUSTER_GROUP_ADDED, id, L"1", L"g", NULL), 9999);
    HRESOURCE r = make_resource(g, L"r", L"Dummy");
    wcscpy(resource_id, id_of_resource(r));
    has_text(told(group, GROUP, GROUP_RESOURCE_ADDED, resource_id, L"1", L"r", NULL), id);
    has_text(told(group, GROUP, GROUP_RESOURCE_GAINED, id, L"1", L"g", NULL), resource_id);

    online_and_wait(s->w, r);
    has_number(told(group, GROUP, GROUP_STATE, id, L"1", L"g", NULL), ClusterGroupPending);
    has_number(told(group, GROUP, GROUP_STATE, id, L"1", L"g", NULL), ClusterGroupOnline);
    offline_and_wait(s->w, r);
    has_number(told(group, GROUP, GROUP_STATE, id, L"1", L"g", NULL), ClusterGroupPending);
    has_number(told(group, GROUP, GROUP_STATE, id, L"1", L"g", NULL), ClusterGroupOffline);

    struct property p = text(L"Description", L"short-lived");
    assert_int_equal(ClusterGroupControl(g, NULL, CLUSCTL_GROUP_SET_COMMON_PROPERTIES, p.data,
                                         p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    has_list(told(group, GROUP, GROUP_COMMON_PROPERTY, id, L"1", L"g", NULL), p);
    p = number(L"Anything", 7);
    assert_int_equal(ClusterGroupControl(g, NULL, CLUSCTL_GROUP_SET_PRIVATE_PROPERTIES, p.data,
                                         p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    has_list(told(group, GROUP, GROUP_PRIVATE_PROPERTY, id, L"1", L"g", NULL), p);

    assert_int_equal(DeleteClusterResource(r), ERROR_SUCCESS);
    has_text(told(group, GROUP, GROUP_RESOURCE_LOST, id, L"1", L"g", NULL), resource_id);
    assert_true(CloseClusterResource(r));
    remove_group(g);
    has_nothing(told(group, GROUP, GROUP_DELETED, id, L"1", L"g", NULL));
    silent(cluster);
    silent(group);
    assert_true(CloseClusterNotifyPort(cluster));
    assert_true(CloseClusterNotifyPort(group));
}

static void test_resource_life(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch_v2(s->w, ALL(RESOURCE));
    WCHAR id[64];

    HRESOURCE r = make_resource(s->group, L"r", L"Dummy");
    silent(port); /* its coming is its group's event */
    wcscpy(id, id_of_resource(r));
    set_common(r, number(L"RestartDelay", 50));
    has_list(told(port, RESOURCE, RESOURCE_COMMON_PROPERTY, id, s->group_id, L"r", L"Dummy"),
             number(L"RestartDelay", 50));
    set_private(r, text(L"anything", L"goes"));
    has_nothing(told(port, RESOURCE, RESOURCE_PRIVATE_PROPERTY, id, s->group_id, L"r", L"Dummy"));
    online_and_wait(s->w, r);
    offline_and_wait(s->w, r);
    static const DWORD states[] = {ClusterResourceOnlinePending, ClusterResourceOnline,
                                   ClusterResourceOfflinePending, ClusterResourceOffline};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        has_number(told(port, RESOURCE, RESOURCE_STATE, id, s->group_id, L"r", L"Dummy"),
                   states[i]);
    assert_int_equal(SetClusterResourceName(r, L"R2"), ERROR_SUCCESS);
    has_list(told(port, RESOURCE, RESOURCE_COMMON_PROPERTY, id, s->group_id, L"R2", L"Dummy"),
             text(L"Name", L"R2"));
    assert_int_equal(DeleteClusterResource(r), ERROR_SUCCESS);
    has_text(told(port, RESOURCE, RESOURCE_DELETED, id, s->group_id, L"R2", L"Dummy"), s->group_id);
    silent(port);
    assert_true(CloseClusterResource(r));
    assert_true(CloseClusterNotifyPort(port));
}

static void test_dependencies(void **state)
{
    struct stage *s = *state;
    WCHAR expression[ROOM];
    DWORD length = ROOM;
    HCHANGE port = watch_v2(s->w, ALL(RESOURCE));

    assert_int_equal(AddClusterResourceDependency(s->resource, s->other), ERROR_SUCCESS);
    has_text(told(port, RESOURCE, RESOURCE_DEPENDENCIES, s->resource_id, s->group_id, L"Resource",
                  L"Dummy"),
             L"([Other])");
    assert_int_equal(GetClusterResourceDependencyExpression(s->resource, expression, &length),
                     ERROR_SUCCESS);
    assert_int_equal(wcscmp(expression, L"([Other])"), 0);
    has_texts(
        told(port, RESOURCE, RESOURCE_DEPENDENTS, s->other_id, s->group_id, L"Other", L"Dummy"),
        s->resource_id);
    assert_int_equal(RemoveClusterResourceDependency(s->resource, s->other), ERROR_SUCCESS);
    has_text(told(port, RESOURCE, RESOURCE_DEPENDENCIES, s->resource_id, s->group_id, L"Resource",
                  L"Dummy"),
             L"");
    told(port, RESOURCE, RESOURCE_DEPENDENTS, s->other_id, s->group_id, L"Other", L"Dummy");
    silent(port);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_change_of_group(void **state)
{
    struct stage *s = *state;
    HGROUP to = make_group(s->w, L"to");
    WCHAR to_id[64];
    HCHANGE resource = watch_v2(s->w, ALL(RESOURCE)), group = watch_v2(s->w, ALL(GROUP));

    wcscpy(to_id, id_of_group(to));
    assert_int_equal(ChangeClusterResourceGroup(s->other, to), ERROR_SUCCESS);
    has_text(told(resource, RESOURCE, RESOURCE_OWNER_GROUP, s->other_id, to_id, L"Other", L"Dummy"),
             to_id);
    has_text(told(group, GROUP, GROUP_RESOURCE_LOST, s->group_id, L"1", L"Group", NULL),
             s->other_id);
    has_text(told(group, GROUP, GROUP_RESOURCE_GAINED, to_id, L"1", L"to", NULL), s->other_id);
    assert_int_equal(ChangeClusterResourceGroup(s->other, s->group), ERROR_SUCCESS);
    assert_true(CloseClusterNotifyPort(resource));
    assert_true(CloseClusterNotifyPort(group));
    remove_group(to);
}

/* ---- the others ---- */

static void test_node(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch_v2(s->w, ALL(NODE));

    assert_int_equal(PauseClusterNode(s->node), ERROR_SUCCESS);
    has_number(told(port, NODE, NODE_STATE, L"1", NULL, L"node1", NULL), ClusterNodePaused);
    assert_int_equal(ResumeClusterNode(s->node), ERROR_SUCCESS);
    has_number(told(port, NODE, NODE_STATE, L"1", NULL, L"node1", NULL), ClusterNodeUp);
    struct property p = text(L"Description", L"in the attic");
    assert_int_equal(ClusterNodeControl(s->node, NULL, CLUSCTL_NODE_SET_COMMON_PROPERTIES, p.data,
                                        p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    has_list(told(port, NODE, NODE_COMMON_PROPERTY, L"1", NULL, L"node1", NULL), p);
    p = number(L"Anything", 1);
    assert_int_equal(ClusterNodeControl(s->node, NULL, CLUSCTL_NODE_SET_PRIVATE_PROPERTIES, p.data,
                                        p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    has_list(told(port, NODE, NODE_PRIVATE_PROPERTY, L"1", NULL, L"node1", NULL), p);
    silent(port);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_cluster(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch_v2(s->w, ALL(CLUSTER));

    struct property p = text(L"Description", L"of stars");
    assert_int_equal(ClusterControl(s->w->cluster, NULL, CLUSCTL_CLUSTER_SET_COMMON_PROPERTIES,
                                    p.data, p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    has_list(told(port, CLUSTER, CLUSTER_COMMON_PROPERTY, NULL, NULL, NULL, NULL), p);
    p = number(L"Anything", 1);
    assert_int_equal(ClusterControl(s->w->cluster, NULL, CLUSCTL_CLUSTER_SET_PRIVATE_PROPERTIES,
                                    p.data, p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    has_list(told(port, CLUSTER, CLUSTER_PRIVATE_PROPERTY, NULL, NULL, NULL, NULL), p);
    assert_int_equal(SetClusterName(s->w->cluster, L"stars"), ERROR_RESOURCE_PROPERTIES_STORED);
    has_nothing(told(port, CLUSTER, CLUSTER_RENAME, NULL, NULL, L"stars", NULL));
    assert_int_equal(SetClusterName(s->w->cluster, L"testcluster"),
                     ERROR_RESOURCE_PROPERTIES_STORED);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_quorum(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch_v2(s->w, ALL(QUORUM));
    HRESOURCE witness = make_resource(s->group, L"Witness", L"Witness");
    WCHAR id[64];

    wcscpy(id, id_of_resource(witness));
    assert_int_equal(SetClusterQuorumResource(witness, NULL, 0), ERROR_SUCCESS);
    has_number(told(port, QUORUM, QUORUM_STATE, id, NULL, L"Witness", NULL),
               ClusterResourceOffline);
    online_and_wait(s->w, witness);
    has_number(told(port, QUORUM, QUORUM_STATE, id, NULL, L"Witness", NULL),
               ClusterResourceOnlinePending);
    has_number(told(port, QUORUM, QUORUM_STATE, id, NULL, L"Witness", NULL), ClusterResourceOnline);
    silent(port);
    assert_true(CloseClusterResource(witness));
    assert_true(CloseClusterNotifyPort(port));
}

static void describe_type(struct stage *s, LPCWSTR name, LPCWSTR description)
{
    struct property p = text(L"Description", description);
    assert_int_equal(ClusterResourceTypeControl(s->w->cluster, name, NULL,
                                                CLUSCTL_RESOURCE_TYPE_SET_COMMON_PROPERTIES, p.data,
                                                p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
}

static void test_resource_type(void **state)
{
    struct stage *s = *state;
    HCHANGE all = watch_v2(s->w, ALL(RESOURCE_TYPE));
    NOTIFY_FILTER_AND_TYPE none = {CLUSTER_OBJECT_TYPE_CLUSTER, 0};
    HCHANGE one = CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, s->w->cluster, &none, 1, 0);

    assert_int_equal(RegisterClusterResourceTypeNotifyV2(
                         one, s->w->cluster, CLUSTER_CHANGE_RESOURCE_TYPE_ALL_V2, L"talker", KEY),
                     ERROR_SUCCESS);
    assert_int_equal(RegisterClusterResourceTypeNotifyV2(one, s->w->cluster,
                                                         CLUSTER_CHANGE_RESOURCE_TYPE_ALL_V2,
                                                         L"no such type", KEY),
                     ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    assert_int_equal(RegisterClusterResourceTypeNotifyV2(one, s->w->cluster, 0x40, L"Talker", KEY),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterResourceTypeNotifyV2(one, s->w->cluster, 1, NULL, KEY),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterResourceTypeNotifyV2(one, NULL, 1, L"Talker", KEY),
                     ERROR_INVALID_HANDLE);
    describe_type(s, L"Dummy", L"one");
    describe_type(s, L"Talker", L"two");
    has_list(told(all, RESOURCE_TYPE, RESOURCE_TYPE_COMMON_PROPERTY, NULL, NULL, L"Dummy", NULL),
             text(L"Description", L"one"));
    has_list(told(all, RESOURCE_TYPE, RESOURCE_TYPE_COMMON_PROPERTY, NULL, NULL, L"Talker", NULL),
             text(L"Description", L"two"));
    has_list(told(one, RESOURCE_TYPE, RESOURCE_TYPE_COMMON_PROPERTY, NULL, NULL, L"Talker", NULL),
             text(L"Description", L"two"));
    silent(all);
    silent(one);
    assert_true(CloseClusterNotifyPort(all));
    assert_true(CloseClusterNotifyPort(one));
}

static void test_registry(void **state)
{
    struct stage *s = *state;
    HKEY root = GetClusterKey(s->w->cluster, KEY_ALL_ACCESS), key = NULL;
    HCHANGE port = watch_v2(s->w, ALL(REGISTRY));
    DWORD value = 1;

    assert_int_equal(ClusterRegCreateKey(root, L"Key", 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    has_nothing(told(port, REGISTRY, REGISTRY_NAME, NULL, NULL, L"Key", NULL));
    assert_int_equal(
        ClusterRegSetValue(key, L"Value", REG_DWORD, (const BYTE *)&value, sizeof value),
        ERROR_SUCCESS);
    has_nothing(told(port, REGISTRY, REGISTRY_VALUE, L"Value", NULL, L"Key", NULL));
    silent(port);
    assert_int_equal(ClusterRegCloseKey(key), ERROR_SUCCESS);
    assert_int_equal(ClusterRegCloseKey(root), ERROR_SUCCESS);
    assert_true(CloseClusterNotifyPort(port));
}

/* ---- registrations ---- */

static void test_one_object(void **state)
{
    struct stage *s = *state;
    HCHANGE port =
        CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE, NULL, 0, 0);
    NOTIFY_FILTER_AND_TYPE group = {ALL(GROUP)}, resource = {ALL(RESOURCE)};

    assert_int_equal(RegisterClusterNotifyV2(port, resource, s->resource, KEY), ERROR_SUCCESS);
    assert_int_equal(RegisterClusterNotifyV2(port, group, s->group, KEY), ERROR_SUCCESS);
    HGROUP another = make_group(s->w, L"another");
    assert_int_equal(SetClusterGroupName(another, L"yet another"), ERROR_SUCCESS);
    set_common(s->other, text(L"Description", L"not asked for"));
    silent(port);
    set_common(s->resource, text(L"Description", L"asked for"));
    told(port, RESOURCE, RESOURCE_COMMON_PROPERTY, s->resource_id, s->group_id, L"Resource",
         L"Dummy");
    HRESOURCE r = make_resource(s->group, L"r", L"Dummy");
    WCHAR id[64];
    wcscpy(id, id_of_resource(r));
    told(port, GROUP, GROUP_RESOURCE_ADDED, id, L"1", L"r", NULL);
    told(port, GROUP, GROUP_RESOURCE_GAINED, s->group_id, L"1", L"Group", NULL);
    remove_resource(s->w, r);
    told(port, GROUP, GROUP_RESOURCE_LOST, s->group_id, L"1", L"Group", NULL);
    silent(port);
    remove_group(another);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_handle_close(void **state)
{
    (void)state;
    HCHANGE port =
        CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE, NULL, 0, 0);
    HCLUSTER cluster = OpenCluster(NULL);
    HGROUP group = OpenClusterGroup(cluster, L"Group");
    NOTIFY_FILTER_AND_TYPE f = {ALL(GROUP)}, of_cluster = {ALL(CLUSTER)};

    assert_int_equal(RegisterClusterNotifyV2(port, f, group, KEY), ERROR_SUCCESS);
    assert_ptr_equal(CreateClusterNotifyPortV2(port, cluster, &of_cluster, 1, KEY), port);
    assert_true(CloseClusterGroup(group));
    has_nothing(told(port, GROUP, GROUP_HANDLE_CLOSE, NULL, NULL, L"Group", NULL));
    assert_true(CloseCluster(cluster));
    has_nothing(told(port, CLUSTER, CLUSTER_HANDLE_CLOSE, NULL, NULL, L"testcluster", NULL));
    silent(port);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_refused(void **state)
{
    struct stage *s = *state;
    HCHANGE v1 = watch(s->w, CLUSTER_CHANGE_GROUP_ADDED, 1);
    HCHANGE v2 = watch_v2(s->w, ALL(GROUP));
    NOTIFY_FILTER_AND_TYPE good = {ALL(GROUP)}, no_type = {99, 1},
                           no_flag = {CLUSTER_OBJECT_TYPE_GROUP, 0x400};
    DWORD_PTR key;
    DWORD flag;

    /* A port is of one version for life. */
    assert_int_equal(GetClusterNotify(v2, &key, &flag, NULL, NULL, 0), ERROR_INVALID_HANDLE);
    assert_int_equal(RegisterClusterNotify(v2, CLUSTER_CHANGE_GROUP_STATE, s->group, 1),
                     ERROR_INVALID_HANDLE);
    assert_null(CreateClusterNotifyPort(v2, s->w->cluster, CLUSTER_CHANGE_GROUP_STATE, 1));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_int_equal(GetClusterNotifyV2(v1, &key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, 0),
                     ERROR_INVALID_HANDLE);
    assert_int_equal(RegisterClusterNotifyV2(v1, good, s->group, 1), ERROR_INVALID_HANDLE);
    assert_null(CreateClusterNotifyPortV2(v1, s->w->cluster, &good, 1, 1));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);

    assert_int_equal(RegisterClusterNotifyV2(v2, no_type, s->group, 1), ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterNotifyV2(v2, no_flag, s->group, 1), ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterNotifyV2(v2, good, s->resource, 1), ERROR_INVALID_HANDLE);
    /* One bad filter, and nothing is registered. */
    NOTIFY_FILTER_AND_TYPE mixed[] = {{ALL(RESOURCE)}, no_type};
    assert_null(CreateClusterNotifyPortV2(v2, s->w->cluster, mixed, 2, 1));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    set_common(s->resource, text(L"Description", L"nobody is told"));
    silent(v2);
    assert_null(CreateClusterNotifyPortV2(v2, s->w->cluster, NULL, 1, 1));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_true(CloseClusterNotifyPort(v1));
    assert_true(CloseClusterNotifyPort(v2));
}

/* ---- buffers ---- */

static void test_more_data(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch_v2(s->w, ALL(RESOURCE));
    struct property p = text(L"Description", L"more data");
    DWORD wanted[] = {p.size, (DWORD)wcslen(s->resource_id), (DWORD)wcslen(s->group_id), 8, 5};
    NOTIFY_FILTER_AND_TYPE what;
    DWORD_PTR key;
    BYTE buffer[1024];
    WCHAR texts[4][ROOM];

    set_common(s->resource, p);
    /* Each in turn too small by one: all sizes are told, and the event is kept. */
    for (int small = 0; small < 5; small++) {
        DWORD sizes[5] = {sizeof buffer, ROOM, ROOM, ROOM, ROOM};
        sizes[small] = small == 0 ? wanted[0] - 1 : wanted[small];
        key = 0;
        what = (NOTIFY_FILTER_AND_TYPE){0};
        assert_int_equal(GetClusterNotifyV2(port, &key, &what, buffer, &sizes[0], texts[0],
                                            &sizes[1], texts[1], &sizes[2], texts[2], &sizes[3],
                                            texts[3], &sizes[4], 0),
                         ERROR_MORE_DATA);
        assert_memory_equal(sizes, wanted, sizeof sizes);
        assert_true(key == KEY);
        assert_int_equal(what.dwObjectType, CLUSTER_OBJECT_TYPE_RESOURCE);
    }
    /* Exactly enough. */
    DWORD sizes[5];
    for (int i = 0; i < 5; i++)
        sizes[i] = wanted[i] + (i > 0);
    assert_int_equal(GetClusterNotifyV2(port, &key, &what, buffer, &sizes[0], texts[0], &sizes[1],
                                        texts[1], &sizes[2], texts[2], &sizes[3], texts[3],
                                        &sizes[4], 0),
                     ERROR_SUCCESS);
    assert_memory_equal(sizes, wanted, sizeof sizes);
    assert_memory_equal(buffer, p.data, p.size);
    silent(port);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_optional_outputs(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch_v2(s->w, ALL(RESOURCE));
    BYTE buffer[64];
    WCHAR name[64];
    DWORD_PTR key = 0;
    DWORD size = 0, length = 0;

    set_common(s->resource, text(L"Description", L"first"));
    set_common(s->resource, text(L"Description", L"second"));
    /* Without its size a buffer is refused; the event stays. */
    assert_int_equal(GetClusterNotifyV2(port, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, 0),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, buffer, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, NULL, 0),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, name,
                                        NULL, NULL, NULL, 0),
                     ERROR_INVALID_PARAMETER);
    /* A size alone asks for it. */
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, NULL, &size, NULL, NULL, NULL, NULL, NULL,
                                        &length, NULL, NULL, 0),
                     ERROR_SUCCESS);
    assert_int_equal(size, text(L"Description", L"first").size);
    assert_int_equal(length, 8);
    /* The key is enough. */
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, 0),
                     ERROR_SUCCESS);
    assert_true(key == KEY);
    silent(port);
    assert_true(CloseClusterNotifyPort(port));
}

/* ---- the event handle ---- */

static void check_event_handle(struct stage *s, HCHANGE port)
{
    HANDLE event = NULL, again = NULL;
    DWORD_PTR key;
    struct told_v2 t;

    assert_int_equal(GetNotifyEventHandle(port, NULL), ERROR_INVALID_PARAMETER);
    assert_int_equal(GetNotifyEventHandle(port, &event), ERROR_SUCCESS);
    assert_int_equal(GetNotifyEventHandle(port, &again), ERROR_SUCCESS);
    assert_ptr_equal(event, again);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    remove_group(make_group(s->w, L"g"));
    /* Signalled as long as something is there. */
    for (int left = 2; left > 0; left--) {
        assert_int_equal(WaitForSingleObject(event, EVENT_WAIT_MS), WAIT_OBJECT_0);
        assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        DWORD flag, error = GetClusterNotify(port, &key, &flag, NULL, NULL, 0);
        if (error == ERROR_INVALID_HANDLE)
            error = get_v2(port, &t, 0);
        assert_int_equal(error, ERROR_SUCCESS);
    }
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    assert_true(CloseHandle(event)); /* it is the port's, and stays */
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    assert_true(CloseClusterNotifyPort(port));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_FAILED);
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_int_equal(GetNotifyEventHandle(port, &event), ERROR_INVALID_HANDLE);
}

static void test_event_handle(void **state)
{
    struct stage *s = *state;
    NOTIFY_FILTER_AND_TYPE filters[] = {
        {CLUSTER_OBJECT_TYPE_CLUSTER, CLUSTER_CHANGE_CLUSTER_GROUP_ADDED_V2},
        {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_DELETED_V2}};

    check_event_handle(
        s, CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, s->w->cluster, filters, 2, 1));
    check_event_handle(s,
                       watch(s->w, CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_GROUP_DELETED, 1));
}

/* ---- the stage ---- */

static int stage_setup(void **state)
{
    struct stage *s = calloc(1, sizeof(*s));

    s->w = world_start(NULL);
    s->node = OpenClusterNode(s->w->cluster, L"node1");
    s->group = make_group(s->w, L"Group");
    s->resource = make_resource(s->group, L"Resource", L"Dummy");
    s->other = make_resource(s->group, L"Other", L"Dummy");
    wcscpy(s->group_id, id_of_group(s->group));
    wcscpy(s->resource_id, id_of_resource(s->resource));
    wcscpy(s->other_id, id_of_resource(s->other));
    *state = s;
    return 0;
}

static int stage_teardown(void **state)
{
    struct stage *s = *state;

    assert_true(CloseClusterResource(s->other));
    assert_true(CloseClusterResource(s->resource));
    assert_true(CloseClusterGroup(s->group));
    assert_true(CloseClusterNode(s->node));
    world_stop(s->w);
    free(s);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group_life),
        cmocka_unit_test(test_resource_life),
        cmocka_unit_test(test_dependencies),
        cmocka_unit_test(test_change_of_group),
        cmocka_unit_test(test_node),
        cmocka_unit_test(test_cluster),
        cmocka_unit_test(test_resource_type),
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_one_object),
        cmocka_unit_test(test_handle_close),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_more_data),
        cmocka_unit_test(test_optional_outputs),
        cmocka_unit_test(test_event_handle),
        cmocka_unit_test(test_quorum),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
