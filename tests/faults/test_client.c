/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "clusport.h"
#include "faults/driver.h"
#include "support/service.h"

/* The client library, each call of its own made to fail. Another cluster handle, whose calls never
 * fail, does what is to be told of and looks at what is true. */

#define NO_PORT ((HCHANGE)INVALID_HANDLE_VALUE)
#define LONG_MS 20000
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GROUPS (CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_GROUP_DELETED)

static struct test_service *service;
static HCLUSTER steady;

/* What the body under test holds. */
static HCLUSTER cluster;
static HGROUP group;
static HRESOURCE resource;
static HKEY key;
static HCHANGE port;

/* ---- what is true ---- */

/* What an error says of the change that was asked for. */
enum truth { TRUTH_DONE, TRUTH_NOT_DONE, TRUTH_MAY_BE_DONE };

static enum truth truth_of(DWORD error)
{
    switch (error) {
    case ERROR_SUCCESS:
    case ERROR_RESOURCE_PROPERTIES_STORED:
        return TRUTH_DONE;
    case RPC_S_CALL_FAILED:
    case ERROR_TIMEOUT:
        return TRUTH_MAY_BE_DONE;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_TOO_MANY_OPEN_FILES:
    case RPC_S_SERVER_UNAVAILABLE:
        return TRUTH_NOT_DONE;
    default:
        EXPECT(false, "error %u is not one of a call that failed below", error);
        return TRUTH_NOT_DONE;
    }
}

static void expect_truth(DWORD error, bool is_done, const char *what)
{
    enum truth told = truth_of(error);
    EXPECT(told != TRUTH_DONE || is_done, "%s: told that it is done, and it is not", what);
    EXPECT(told != TRUTH_NOT_DONE || !is_done, "%s: error %u says that it is not done, but it is",
           what, error);
}

/* Nothing was to be changed: any of the errors, and only when something failed. */
static void expect_read(DWORD error, const char *what)
{
    truth_of(error);
    EXPECT(error == ERROR_SUCCESS || faults_hit() > 0, "%s: error %u for nothing", what, error);
}

static DWORD error_of(bool success)
{
    return success ? ERROR_SUCCESS : GetLastError();
}

/* ---- the steady side ---- */

static bool group_is_there(LPCWSTR name)
{
    HGROUP found = OpenClusterGroup(steady, name);
    EXPECT(found || GetLastError() == ERROR_GROUP_NOT_FOUND, "error %u", GetLastError());
    if (found)
        CloseClusterGroup(found);
    return found != NULL;
}

static void make_group(LPCWSTR name)
{
    HGROUP made = CreateClusterGroup(steady, name);
    EXPECT(made, "error %u", GetLastError());
    CloseClusterGroup(made);
}

static void drop_group(LPCWSTR name)
{
    HGROUP found = OpenClusterGroup(steady, name);
    if (!found)
        return;
    EXPECT_CODE(DeleteClusterGroup(found), ERROR_SUCCESS);
    CloseClusterGroup(found);
}

static void drop_resource(LPCWSTR name)
{
    HRESOURCE found = OpenClusterResource(steady, name);
    if (!found)
        return;
    EXPECT_CODE(DeleteClusterResource(found), ERROR_SUCCESS);
    CloseClusterResource(found);
}

static HKEY steady_root(void)
{
    HKEY root = GetClusterKey(steady, KEY_ALL_ACCESS);
    EXPECT(root, "error %u", GetLastError());
    return root;
}

static void open_all(void)
{
    cluster = OpenCluster(NULL);
    EXPECT(cluster, "error %u", GetLastError());
}

/* Handles are let go of in any order, and those that the cluster's close took with it as well. */
static void close_all(void)
{
    if (port)
        EXPECT(CloseClusterNotifyPort(port), "error %u", GetLastError());
    if (key)
        EXPECT_CODE((DWORD)ClusterRegCloseKey(key), ERROR_SUCCESS);
    if (resource)
        EXPECT(CloseClusterResource(resource), "error %u", GetLastError());
    if (group)
        EXPECT(CloseClusterGroup(group), "error %u", GetLastError());
    if (cluster)
        EXPECT(CloseCluster(cluster), "error %u", GetLastError());
    port = NULL;
    key = NULL;
    resource = NULL;
    group = NULL;
    cluster = NULL;
}

/* ---- opening and closing ---- */

static void body_open(void)
{
    cluster = OpenCluster(NULL);
    expect_read(error_of(cluster), "OpenCluster");
    if (!cluster)
        return;
    group = OpenClusterGroup(cluster, L"steady");
    expect_read(error_of(group), "OpenClusterGroup");
    HNODE node = OpenClusterNode(cluster, L"node1");
    expect_read(error_of(node), "OpenClusterNode");
    EXPECT(CloseCluster(cluster), "error %u", GetLastError());
    cluster = NULL;
    group = NULL;
    EXPECT(!node || !CloseClusterNode(node), "its cluster's close took it along");
}

/* ---- objects ---- */

static DWORD created, renamed, made_resource, deleted, deleted_resource;

static void body_objects(void)
{
    renamed = made_resource = deleted = deleted_resource = RPC_S_SERVER_UNAVAILABLE;
    group = CreateClusterGroup(cluster, L"made");
    created = error_of(group);
    if (!group)
        return;
    renamed = SetClusterGroupName(group, L"renamed");
    resource = CreateClusterResource(group, L"disk", L"ocf:heartbeat:Dummy", 0);
    made_resource = error_of(resource);
    WCHAR name[64];
    DWORD size = COUNT(name);
    if (GetClusterGroupState(group, name, &size) == ClusterGroupStateUnknown)
        expect_read(GetLastError(), "GetClusterGroupState");
    if (!resource)
        return;
    size = COUNT(name);
    if (GetClusterResourceState(resource, name, &size, NULL, NULL) == ClusterResourceStateUnknown)
        expect_read(GetLastError(), "GetClusterResourceState");
    deleted_resource = DeleteClusterResource(resource);
}

static bool resource_is_there(LPCWSTR name)
{
    HRESOURCE found = OpenClusterResource(steady, name);
    if (found)
        CloseClusterResource(found);
    return found != NULL;
}

static void after_objects(void)
{
    bool there = group_is_there(L"made"), by_new_name = group_is_there(L"renamed");
    expect_truth(created, there || by_new_name, "CreateClusterGroup");
    if (group)
        expect_truth(renamed, by_new_name, "SetClusterGroupName");
    bool disk = resource_is_there(L"disk");
    if (resource)
        expect_truth(deleted_resource, !disk, "DeleteClusterResource");
    else if (group)
        expect_truth(made_resource, disk, "CreateClusterResource");
    close_all();
    drop_resource(L"disk");
    drop_group(L"made");
    drop_group(L"renamed");
}

/* ---- the registry ---- */

static DWORD made_key, set, removed;

static void body_registry(void)
{
    BYTE data[32];
    DWORD size = sizeof(data), disposition;
    WCHAR name[64];
    set = removed = RPC_S_SERVER_UNAVAILABLE;
    made_key = RPC_S_SERVER_UNAVAILABLE;
    HKEY root = GetClusterKey(cluster, KEY_ALL_ACCESS);
    expect_read(error_of(root), "GetClusterKey");
    if (!root)
        return;
    made_key = (DWORD)ClusterRegCreateKey(root, L"Faults\\Below", 0, KEY_ALL_ACCESS, NULL, &key,
                                          &disposition);
    ClusterRegCloseKey(root);
    if (made_key) {
        key = NULL;
        return;
    }
    set = ClusterRegSetValue(key, L"value", REG_BINARY, (const BYTE *)"12345", 5);
    DWORD error = (DWORD)ClusterRegQueryValue(key, L"value", NULL, data, &size);
    if (set == ERROR_SUCCESS) {
        expect_read(error, "ClusterRegQueryValue");
        EXPECT(error || (size == 5 && memcmp(data, "12345", 5) == 0), "another value");
    }
    size = COUNT(name);
    DWORD bytes = sizeof(data);
    error = (DWORD)ClusterRegEnumValue(key, 0, name, &size, NULL, data, &bytes);
    if (error != ERROR_NO_MORE_ITEMS)
        expect_read(error, "ClusterRegEnumValue");
}

static void after_registry(void)
{
    HKEY root = steady_root(), found = NULL;
    LONG error = ClusterRegOpenKey(root, L"Faults\\Below", KEY_ALL_ACCESS, &found);
    expect_truth(made_key, error == ERROR_SUCCESS, "ClusterRegCreateKey");
    if (error == ERROR_SUCCESS) {
        BYTE data[32];
        DWORD size = sizeof(data);
        LONG value = ClusterRegQueryValue(found, L"value", NULL, data, &size);
        if (key)
            expect_truth(set, value == ERROR_SUCCESS, "ClusterRegSetValue");
        ClusterRegCloseKey(found);
    }
    close_all();
    if (error == ERROR_SUCCESS) {
        EXPECT_CODE((DWORD)ClusterRegDeleteKey(root, L"Faults\\Below"), ERROR_SUCCESS);
        EXPECT_CODE((DWORD)ClusterRegDeleteKey(root, L"Faults"), ERROR_SUCCESS);
    }
    ClusterRegCloseKey(root);
}

/* ---- enumerations and control codes ---- */

static void body_lists(void)
{
    DWORD type, size, code = CLUSCTL_GROUP_GET_COMMON_PROPERTIES;
    WCHAR name[64];
    BYTE properties[1024];
    HCLUSENUM list = ClusterOpenEnum(cluster, CLUSTER_ENUM_GROUP | CLUSTER_ENUM_NODE);
    expect_read(error_of(list), "ClusterOpenEnum");
    if (list) {
        EXPECT(ClusterGetEnumCount(list) >= 2, "a list that is not whole");
        size = COUNT(name);
        expect_read(ClusterEnum(list, 0, &type, name, &size), "ClusterEnum");
        EXPECT_CODE(ClusterCloseEnum(list), ERROR_SUCCESS);
    }
    group = OpenClusterGroup(cluster, L"steady");
    expect_read(error_of(group), "OpenClusterGroup");
    if (!group)
        return;
    DWORD error =
        ClusterGroupControl(group, NULL, code, NULL, 0, properties, sizeof(properties), &size);
    expect_read(error, "ClusterGroupControl");
    error = ClusterGroupControl(group, NULL, code, NULL, 0, properties, 4, &size);
    if (error != ERROR_MORE_DATA)
        expect_read(error, "ClusterGroupControl");
}

/* ---- ports ---- */

/* The next event that is a change, while calls may fail. Events about the port itself, a lost
 * connection and the like, are legal in between. */
static DWORD next_of_v1(DWORD *ret_flag, WCHAR name[64])
{
    DWORD_PTR k;
    DWORD size = 64, error;
    do {
        size = 64;
        error = GetClusterNotify(port, &k, ret_flag, name, &size, LONG_MS);
    } while (error == ERROR_SUCCESS && *ret_flag == CLUSTER_CHANGE_CLUSTER_RECONNECT);
    return error;
}

/* It comes, whatever failed, as soon as nothing fails any more. */
static void expect_told(DWORD flag, LPCWSTR name)
{
    DWORD got = 0;
    WCHAR text[64] = L"";
    DWORD error = next_of_v1(&got, text);
    EXPECT(error == ERROR_SUCCESS, "error %u instead of event %#x", error, flag);
    EXPECT(got == flag && lstrcmpW(text, name) == 0, "event %#x of %ls, not %#x of %ls", got, text,
           flag, name);
}

static unsigned told; /* of the events, in the body */

static void body_port(void)
{
    WCHAR text[64], small[3];
    DWORD flag, size = COUNT(small), error;
    DWORD_PTR k;
    told = 0;
    port = CreateClusterNotifyPort(NO_PORT, cluster, GROUPS, 7);
    expect_read(error_of(port), "CreateClusterNotifyPort");
    if (!port)
        return;
    group = OpenClusterGroup(cluster, L"steady");
    if (group) {
        error = RegisterClusterNotify(port, CLUSTER_CHANGE_GROUP_PROPERTY, (HANDLE)group, 8);
        expect_read(error, "RegisterClusterNotify");
    }
    faults_spare_this_thread(true);
    make_group(L"event");
    drop_group(L"event");
    faults_spare_this_thread(false);
    error = GetClusterNotify(port, &k, &flag, small, &size, LONG_MS);
    if (error != ERROR_MORE_DATA)
        expect_read(error, "GetClusterNotify");
    for (; told < 2; told++) {
        error = next_of_v1(&flag, text);
        expect_read(error, "GetClusterNotify");
        if (error != ERROR_SUCCESS)
            return;
        EXPECT(flag == (told == 0 ? CLUSTER_CHANGE_GROUP_ADDED : CLUSTER_CHANGE_GROUP_DELETED) &&
                   lstrcmpW(text, L"event") == 0,
               "event %#x of %ls", flag, text);
    }
}

static void after_port(void)
{
    if (port && told < 1)
        expect_told(CLUSTER_CHANGE_GROUP_ADDED, L"event");
    if (port && told < 2)
        expect_told(CLUSTER_CHANGE_GROUP_DELETED, L"event");
    close_all();
}

static void body_port_v2(void)
{
    NOTIFY_FILTER_AND_TYPE filter = {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_DELETED_V2},
                           got = {0};
    WCHAR name[64] = L"", id[64], type[64], parent[64];
    BYTE buffer[256];
    DWORD n[5] = {64, 64, 64, 64, sizeof(buffer)};
    DWORD_PTR k;
    told = 0;
    port = CreateClusterNotifyPortV2(NO_PORT, cluster, &filter, 1, 9);
    expect_read(error_of(port), "CreateClusterNotifyPortV2");
    if (!port)
        return;
    faults_spare_this_thread(true);
    make_group(L"event");
    drop_group(L"event");
    faults_spare_this_thread(false);
    DWORD error = GetClusterNotifyV2(port, &k, &got, buffer, &n[4], id, &n[0], parent, &n[1], name,
                                     &n[2], type, &n[3], LONG_MS);
    expect_read(error, "GetClusterNotifyV2");
    told = error == ERROR_SUCCESS;
}

static void after_port_v2(void)
{
    NOTIFY_FILTER_AND_TYPE got = {0};
    WCHAR name[64] = L"";
    DWORD size = 64;
    DWORD_PTR k;
    if (port && !told) {
        DWORD error = GetClusterNotifyV2(port, &k, &got, NULL, NULL, NULL, NULL, NULL, NULL, name,
                                         &size, NULL, NULL, LONG_MS);
        EXPECT_CODE(error, ERROR_SUCCESS);
        EXPECT(lstrcmpW(name, L"event") == 0, "%ls", name);
    }
    close_all();
}

/* ---- a port of our own: a snapshot, then what follows; and a descriptor to poll ---- */

static unsigned seen; /* 1: "steady" was in the snapshot; 2: "event" was told after it */

static DWORD take_own(void)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    DWORD error = ClusportGetNotification(port, LONG_MS, &n);
    if (error != ERROR_SUCCESS)
        return error;
    if (n->fInitial && lstrcmpW(n->pszName, L"steady") == 0)
        seen |= 1;
    if (!n->fInitial && strcmp(n->pszKind, "group.added") == 0 &&
        lstrcmpW(n->pszName, L"event") == 0)
        seen |= 2;
    ClusportFreeNotification(n);
    return ERROR_SUCCESS;
}

static void body_own(void)
{
    const CLUSPORT_FILTER filter = {.cbSize = sizeof(filter), .pszKinds = "group.added"};
    const CLUSPORT_OPTIONS options = {.cbSize = sizeof(options), .fSnapshot = TRUE};
    int fd = -1;
    seen = 0;
    DWORD error = ClusportCreatePort(cluster, &filter, 1, &options, &port);
    expect_read(error, "ClusportCreatePort");
    if (error != ERROR_SUCCESS) {
        port = NULL;
        return;
    }
    error = ClusportGetFd(port, &fd);
    expect_read(error, "ClusportGetFd");
    faults_spare_this_thread(true);
    make_group(L"event");
    faults_spare_this_thread(false);
    while (error == ERROR_SUCCESS && seen != 3)
        error = take_own();
    expect_read(error, "ClusportGetNotification");
}

static void after_own(void)
{
    while (port && seen != 3)
        EXPECT_CODE(take_own(), ERROR_SUCCESS);
    close_all();
    drop_group(L"event");
}

/* The descriptor tells of an event that comes after all the faults. */
static void after_descriptor(void)
{
    int fd = -1;
    while (port && seen != 3)
        EXPECT_CODE(take_own(), ERROR_SUCCESS);
    if (port) {
        EXPECT_CODE(ClusportGetFd(port, &fd), ERROR_SUCCESS);
        drop_group(L"event");
        make_group(L"event");
        struct pollfd p = {.fd = fd, .events = POLLIN};
        EXPECT(poll(&p, 1, LONG_MS) == 1, "the descriptor does not tell of an event");
        seen &= ~2u;
        EXPECT_CODE(take_own(), ERROR_SUCCESS);
        EXPECT(seen == 3, "another event");
    }
    close_all();
    drop_group(L"event");
}

/* ---- an event handle first, then the registration ---- */

static HANDLE event;
static DWORD registered;

static void before_event(void)
{
    open_all();
    make_group(L"event");
    group = OpenClusterGroup(cluster, L"event");
    EXPECT(group, "error %u", GetLastError());
}

static void body_event(void)
{
    registered = RPC_S_SERVER_UNAVAILABLE;
    port = CreateClusterNotifyPort(NO_PORT, (HCLUSTER)INVALID_HANDLE_VALUE, 0, 0);
    expect_read(error_of(port), "CreateClusterNotifyPort");
    if (!port)
        return;
    DWORD error = GetNotifyEventHandle(port, &event);
    expect_read(error, "GetNotifyEventHandle");
    if (error == ERROR_SUCCESS)
        registered = RegisterClusterNotify(port, CLUSTER_CHANGE_GROUP_DELETED, (HANDLE)group, 5);
}

/* What failed is not half there: after another attempt an event is told, and only once. */
static void after_event(void)
{
    if (port) {
        EXPECT_CODE(GetNotifyEventHandle(port, &event), ERROR_SUCCESS);
        if (truth_of(registered) != TRUTH_DONE)
            EXPECT_CODE(RegisterClusterNotify(port, CLUSTER_CHANGE_GROUP_DELETED, (HANDLE)group, 5),
                        ERROR_SUCCESS);
        drop_group(L"event");
        EXPECT(WaitForSingleObject(event, LONG_MS) == WAIT_OBJECT_0, "the event is not set");
        expect_told(CLUSTER_CHANGE_GROUP_DELETED, L"event");
        DWORD flag, size = 0;
        DWORD_PTR k;
        EXPECT_CODE(GetClusterNotify(port, &k, &flag, NULL, &size, 0), WAIT_TIMEOUT);
    }
    close_all();
    drop_group(L"event");
}

/* ---- a service that goes and comes back ---- */

static void before_restart(void)
{
    open_all();
    port = CreateClusterNotifyPort(NO_PORT, cluster, GROUPS, 7);
    EXPECT(port, "error %u", GetLastError());
    make_group(L"event"); /* not taken before the restart */
}

static void body_restart(void)
{
    faults_spare_this_thread(true);
    service_restart(service);
    drop_group(L"event");
    faults_spare_this_thread(false);
}

static void after_restart(void)
{
    expect_told(CLUSTER_CHANGE_GROUP_ADDED, L"event");
    expect_told(CLUSTER_CHANGE_GROUP_DELETED, L"event");
    make_group(L"later");
    expect_told(CLUSTER_CHANGE_GROUP_ADDED, L"later");
    drop_group(L"later");
    close_all();
}

static const struct fault_task tasks[] = {
    {"open", NULL, body_open, close_all, FAULTS_CLIENT, 0, 0, true},
    {"objects", open_all, body_objects, after_objects, FAULTS_CLIENT, 32, 0, true},
    {"registry", open_all, body_registry, after_registry, FAULTS_CLIENT, 15, 0, true},
    {"lists", open_all, body_lists, close_all, FAULTS_CLIENT, 0, 0, true},
    {"port", open_all, body_port, after_port, FAULTS_CLIENT, 0, 0, true},
    {"port-v2", open_all, body_port_v2, after_port_v2, FAULTS_CLIENT, 0, 0, true},
    {"port-own", open_all, body_own, after_own, FAULTS_CLIENT, 0, 0, true},
    {"port-fd", open_all, body_own, after_descriptor, FAULTS_CLIENT, 15, 0, true},
    {"port-event", before_event, body_event, after_event, FAULTS_CLIENT, 0, 0, true},
    {"restart", before_restart, body_restart, after_restart, FAULTS_CLIENT, 6, 0, true},
};

int main(int argc, char *argv[])
{
    (void)argc;
    faults_begin(argv);
    faults_share();
    service = service_start(NULL);
    steady = OpenCluster(NULL);
    EXPECT(steady, "error %u", GetLastError());
    make_group(L"steady");
    for (size_t i = 0; i < COUNT(tasks); i++)
        faults_run(faults_own_page(), &tasks[i]);
    CloseCluster(steady);
    service_stop(service);
    return 0;
}
