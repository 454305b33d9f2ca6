/* SPDX-License-Identifier: MIT */
#include "lib/support.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clusport.h"

#define NO_PORT ((HCHANGE)INVALID_HANDLE_VALUE)
#define GROUPS                                                                                     \
    (CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_GROUP_DELETED | CLUSTER_CHANGE_GROUP_STATE)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Something is wrong if an event takes longer. */
#define LONG_MS 20000

static HCHANGE make_port(DWORD filter, DWORD_PTR key)
{
    HCHANGE port = CreateClusterNotifyPort(NO_PORT, cluster, filter, key);
    assert_non_null(port);
    return port;
}

static void expect(HCHANGE port, DWORD_PTR key, DWORD flag, LPCWSTR name)
{
    WCHAR buffer[256];
    DWORD cch = COUNT(buffer), filter = 0;
    DWORD_PTR got = 0;
    assert_int_equal(GetClusterNotify(port, &got, &filter, buffer, &cch, LONG_MS), ERROR_SUCCESS);
    assert_int_equal(filter, flag);
    assert_wide_equal(buffer, name);
    assert_int_equal(cch, lstrlenW(name));
    assert_int_equal(got, key);
}

static void expect_nothing(HCHANGE port)
{
    WCHAR buffer[256] = L"untouched";
    DWORD cch = COUNT(buffer), filter = 12345;
    DWORD_PTR key = 54321;
    assert_int_equal(GetClusterNotify(port, &key, &filter, buffer, &cch, 0), WAIT_TIMEOUT);
    assert_int_equal(cch, COUNT(buffer));
    assert_int_equal(filter, 12345);
    assert_int_equal(key, 54321);
    assert_wide_equal(buffer, L"untouched");
}

static void make_group(LPCWSTR name)
{
    HGROUP group = CreateClusterGroup(cluster, name);
    assert_non_null(group);
    assert_true(CloseClusterGroup(group));
}

static void drop_group(LPCWSTR name)
{
    HGROUP group = OpenClusterGroup(cluster, name);
    assert_non_null(group);
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(group));
}

/* ---- version 1 ---- */

static void groups_come_and_go(void **state)
{
    (void)state;
    make_group(L"before");
    HCHANGE port = make_port(GROUPS, 77);
    expect_nothing(port);
    make_group(L"Gruppe \x00e4\x20ac");
    expect(port, 77, CLUSTER_CHANGE_GROUP_ADDED, L"Gruppe \x00e4\x20ac");
    drop_group(L"gruppe \x00c4\x20ac");
    expect(port, 77, CLUSTER_CHANGE_GROUP_DELETED, L"Gruppe \x00e4\x20ac");
    expect_nothing(port);
    drop_group(L"before");
    expect(port, 77, CLUSTER_CHANGE_GROUP_DELETED, L"before");
    assert_true(CloseClusterNotifyPort(port));
}

static void the_close_of_the_cluster_comes_last(void **state)
{
    (void)state;
    HCLUSTER own = OpenCluster(NULL);
    HCHANGE port = CreateClusterNotifyPort(NO_PORT, own, GROUPS | CLUSTER_CHANGE_HANDLE_CLOSE, 5);
    assert_non_null(port);
    HGROUP group = CreateClusterGroup(own, L"demo");
    HGROUP not_registered = OpenClusterGroup(own, L"demo");
    assert_int_equal(RegisterClusterNotify(port, CLUSTER_CHANGE_HANDLE_CLOSE, (HANDLE)group, 6),
                     ERROR_SUCCESS);
    HGROUP implicit = OpenClusterGroup(own, L"demo");
    assert_int_equal(
        RegisterClusterNotify(port, CLUSTER_CHANGE_GROUP_DELETED | CLUSTER_CHANGE_HANDLE_CLOSE,
                              (HANDLE)implicit, 7),
        ERROR_SUCCESS);
    assert_true(CloseClusterGroup(not_registered));
    assert_true(CloseClusterGroup(group));
    assert_true(CloseCluster(own));
    drop_group(L"demo"); /* after the close: nobody listens any more */
    expect(port, 5, CLUSTER_CHANGE_GROUP_ADDED, L"demo");
    expect(port, 6, CLUSTER_CHANGE_HANDLE_CLOSE, L"demo");
    expect(port, 5, CLUSTER_CHANGE_HANDLE_CLOSE, L"testcluster");
    expect_nothing(port); /* handles that the cluster's close took with it are silent */
    assert_true(CloseClusterNotifyPort(port));
}

static void registrations_on_objects(void **state)
{
    (void)state;
    HGROUP a = CreateClusterGroup(cluster, L"a"), b = CreateClusterGroup(cluster, L"b");
    HCHANGE port = CreateClusterNotifyPort(NO_PORT, (HCLUSTER)INVALID_HANDLE_VALUE, GROUPS, 1);
    assert_non_null(port);
    expect_nothing(port);
    DWORD property = CLUSTER_CHANGE_GROUP_PROPERTY | CLUSTER_CHANGE_GROUP_DELETED;
    assert_int_equal(RegisterClusterNotify(port, property, (HANDLE)a, 10), ERROR_SUCCESS);
    assert_int_equal(RegisterClusterNotify(port, property, (HANDLE)a, 11), ERROR_SUCCESS);
    assert_int_equal(SetClusterGroupName(b, L"b2"), ERROR_SUCCESS);
    assert_int_equal(SetClusterGroupName(a, L"a2"), ERROR_SUCCESS);
    assert_int_equal(DeleteClusterGroup(a), ERROR_SUCCESS);
    expect(port, 10, CLUSTER_CHANGE_GROUP_PROPERTY, L"a2");
    expect(port, 11, CLUSTER_CHANGE_GROUP_PROPERTY, L"a2");
    expect(port, 10, CLUSTER_CHANGE_GROUP_DELETED, L"a2");
    expect(port, 11, CLUSTER_CHANGE_GROUP_DELETED, L"a2");
    expect_nothing(port);
    assert_int_equal(DeleteClusterGroup(b), ERROR_SUCCESS);
    CloseClusterGroup(a);
    CloseClusterGroup(b);
    assert_true(CloseClusterNotifyPort(port));
}

static void a_buffer_too_small_keeps_the_event(void **state)
{
    (void)state;
    HCHANGE port = make_port(GROUPS, 3);
    WCHAR buffer[64];
    DWORD cch = 4, filter = 0;
    DWORD_PTR key = 0;
    make_group(L"name of sorts");
    for (int i = 0; i < 3; i++) {
        cch = 13; /* without room for the NUL */
        assert_int_equal(GetClusterNotify(port, &key, &filter, buffer, &cch, 0), ERROR_MORE_DATA);
        assert_int_equal(cch, 13);
        assert_int_equal(filter, CLUSTER_CHANGE_GROUP_ADDED);
        assert_int_equal(key, 3);
    }
    cch++;
    assert_int_equal(GetClusterNotify(port, &key, &filter, buffer, &cch, 0), ERROR_SUCCESS);
    assert_wide_equal(buffer, L"name of sorts");

    drop_group(L"name of sorts");
    cch = 0;
    assert_int_equal(GetClusterNotify(port, &key, &filter, NULL, &cch, LONG_MS), ERROR_SUCCESS);
    assert_int_equal(cch, 13);
    make_group(L"x");
    assert_int_equal(GetClusterNotify(port, NULL, &filter, buffer, &cch, 0),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(GetClusterNotify(port, &key, NULL, buffer, &cch, 0), ERROR_INVALID_PARAMETER);
    assert_int_equal(GetClusterNotify(port, &key, &filter, buffer, NULL, 0),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(GetClusterNotify(port, &key, &filter, NULL, NULL, 0), ERROR_SUCCESS);
    assert_int_equal(filter, CLUSTER_CHANGE_GROUP_ADDED);
    expect_nothing(port);
    drop_group(L"x");
    assert_true(CloseClusterNotifyPort(port));
}

static void wrong_handles_and_flags(void **state)
{
    (void)state;
    HCHANGE port = make_port(GROUPS, 0);
    HGROUP group = CreateClusterGroup(cluster, L"g");
    DWORD_PTR key;
    DWORD filter;

    assert_fails(CreateClusterNotifyPort(NO_PORT, NULL, GROUPS, 0), ERROR_INVALID_HANDLE);
    assert_fails(CreateClusterNotifyPort(NULL, cluster, GROUPS, 0), ERROR_INVALID_HANDLE);
    assert_fails(CreateClusterNotifyPort(port, (HCLUSTER)group, GROUPS, 0), ERROR_INVALID_HANDLE);
    assert_fails(CreateClusterNotifyPort(port, (HCLUSTER)INVALID_HANDLE_VALUE, GROUPS, 0),
                 ERROR_INVALID_PARAMETER);
    assert_ptr_equal(CreateClusterNotifyPort(port, cluster, CLUSTER_CHANGE_NODE_STATE, 1), port);
    assert_int_equal(RegisterClusterNotify(port, CLUSTER_CHANGE_RESOURCE_STATE, (HANDLE)group, 0),
                     ERROR_INVALID_HANDLE);
    assert_int_equal(
        RegisterClusterNotify(port, CLUSTER_CHANGE_RESOURCE_STATE | CLUSTER_CHANGE_GROUP_STATE,
                              (HANDLE)group, 0),
        ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterNotify(port, GROUPS, NULL, 0), ERROR_INVALID_HANDLE);
    assert_int_equal(GetClusterNotify((HCHANGE)group, &key, &filter, NULL, NULL, 0),
                     ERROR_INVALID_HANDLE);
    /* The other version's calls. */
    NOTIFY_FILTER_AND_TYPE f = {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_ALL_V2};
    assert_fails(CreateClusterNotifyPortV2(port, cluster, &f, 1, 0), ERROR_INVALID_HANDLE);
    assert_int_equal(RegisterClusterNotifyV2(port, f, (HANDLE)group, 0), ERROR_INVALID_HANDLE);
    HCHANGE v2 = CreateClusterNotifyPortV2(NO_PORT, cluster, &f, 1, 0);
    assert_non_null(v2);
    assert_int_equal(GetClusterNotify(v2, &key, &filter, NULL, NULL, 0), ERROR_INVALID_HANDLE);
    f.FilterFlags = 0x10000;
    assert_fails(CreateClusterNotifyPortV2(v2, cluster, &f, 1, 0), ERROR_INVALID_PARAMETER);
    assert_true(CloseClusterNotifyPort(v2));
    assert_true(CloseClusterNotifyPort(port));
    assert_true(CloseClusterNotifyPort(port));
    assert_true(CloseClusterNotifyPort(NULL));
    assert_int_equal(GetClusterNotify(port, &key, &filter, NULL, NULL, 0), ERROR_INVALID_HANDLE);
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    CloseClusterGroup(group);
}

/* ---- threads ---- */

struct waiter {
    HCHANGE port;
    DWORD result;
    unsigned events;
};

static void *wait_to_the_end(void *argument)
{
    struct waiter *w = argument;
    for (;;) {
        DWORD_PTR key;
        DWORD filter;
        w->result = GetClusterNotify(w->port, &key, &filter, NULL, NULL, INFINITE);
        if (w->result != ERROR_SUCCESS)
            return NULL;
        w->events++;
    }
}

static void a_close_ends_every_wait(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        HCHANGE port = make_port(CLUSTER_CHANGE_NODE_ADDED, 0);
        struct waiter waiters[4];
        pthread_t threads[COUNT(waiters)];
        for (size_t i = 0; i < COUNT(waiters); i++) {
            waiters[i] = (struct waiter){.port = port};
            assert_int_equal(pthread_create(&threads[i], NULL, wait_to_the_end, &waiters[i]), 0);
        }
        assert_true(CloseClusterNotifyPort(port));
        for (size_t i = 0; i < COUNT(waiters); i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(waiters[i].result, ERROR_INVALID_HANDLE);
        }
    }
}

static void each_event_goes_to_one_thread(void **state)
{
    (void)state;
    enum { EVENTS = 60 };
    HCHANGE port = make_port(CLUSTER_CHANGE_REGISTRY_VALUE, 0);
    HCHANGE witness = make_port(CLUSTER_CHANGE_REGISTRY_VALUE, 0);
    struct waiter waiters[3];
    pthread_t threads[COUNT(waiters)];
    for (size_t i = 0; i < COUNT(waiters); i++) {
        waiters[i] = (struct waiter){.port = port};
        assert_int_equal(pthread_create(&threads[i], NULL, wait_to_the_end, &waiters[i]), 0);
    }
    HKEY root = GetClusterKey(cluster, KEY_ALL_ACCESS);
    assert_non_null(root);
    for (DWORD i = 1; i <= EVENTS; i++)
        assert_int_equal(
            ClusterRegSetValue(root, L"counter", REG_DWORD, (const BYTE *)&i, sizeof(i)),
            ERROR_SUCCESS);
    for (unsigned i = 0; i < EVENTS; i++)
        expect(witness, 0, CLUSTER_CHANGE_REGISTRY_VALUE, L"");
    /* The port is done with all when the service's list says so. */
    for (bool done = false; !done;) {
        CLUSPORT_PORT *ports;
        DWORD count;
        assert_int_equal(ClusportListPorts(cluster, &ports, &count), ERROR_SUCCESS);
        for (DWORD i = 0; i < count; i++)
            done |= ports[i].ullId == (ULONGLONG)(uintptr_t)port && ports[i].ullDelivered == EVENTS;
        ClusportFreePorts(ports);
    }
    assert_true(CloseClusterNotifyPort(port));
    unsigned events = 0;
    for (size_t i = 0; i < COUNT(waiters); i++) {
        pthread_join(threads[i], NULL);
        events += waiters[i].events;
    }
    assert_int_equal(events, EVENTS);
    expect_nothing(witness);
    assert_true(CloseClusterNotifyPort(witness));
    ClusterRegCloseKey(root);
}

/* ---- version 2 ---- */

struct v2_event {
    DWORD_PTR key;
    NOTIFY_FILTER_AND_TYPE filter;
    BYTE buffer[512];
    DWORD size;
    WCHAR id[64], parent[64], name[64], type[64];
};

static DWORD get_v2(HCHANGE port, struct v2_event *e)
{
    DWORD id = COUNT(e->id), parent = COUNT(e->parent), name = COUNT(e->name),
          type = COUNT(e->type);
    e->size = sizeof(e->buffer);
    return GetClusterNotifyV2(port, &e->key, &e->filter, e->buffer, &e->size, e->id, &id, e->parent,
                              &parent, e->name, &name, e->type, &type, LONG_MS);
}

static void version_2_tells_more(void **state)
{
    (void)state;
    NOTIFY_FILTER_AND_TYPE filters[] = {
        {CLUSTER_OBJECT_TYPE_CLUSTER, CLUSTER_CHANGE_CLUSTER_GROUP_ADDED_V2},
        {CLUSTER_OBJECT_TYPE_GROUP,
         CLUSTER_CHANGE_GROUP_RESOURCE_ADDED_V2 | CLUSTER_CHANGE_GROUP_DELETED_V2},
        {CLUSTER_OBJECT_TYPE_RESOURCE, CLUSTER_CHANGE_RESOURCE_DELETED_V2}};
    HCHANGE port = CreateClusterNotifyPortV2(NO_PORT, cluster, filters, COUNT(filters), 42);
    assert_non_null(port);
    HGROUP group;
    HRESOURCE resource = make_resource(L"two", DUMMY, &group);
    struct v2_event e, added;
    assert_int_equal(get_v2(port, &added), ERROR_SUCCESS);
    assert_int_equal(added.key, 42);
    assert_int_equal(added.filter.dwObjectType, CLUSTER_OBJECT_TYPE_CLUSTER);
    assert_int_equal(added.filter.FilterFlags, CLUSTER_CHANGE_CLUSTER_GROUP_ADDED_V2);
    assert_wide_equal(added.name, L"two");
    assert_int_equal(lstrlenW(added.id), 36);
    assert_int_equal(added.size, sizeof(DWORD)); /* the group's type */

    assert_int_equal(get_v2(port, &e), ERROR_SUCCESS);
    assert_int_equal(e.filter.dwObjectType, CLUSTER_OBJECT_TYPE_GROUP);
    assert_int_equal(e.filter.FilterFlags, CLUSTER_CHANGE_GROUP_RESOURCE_ADDED_V2);
    assert_wide_equal(e.name, L"two");
    assert_int_equal(e.size, 37 * sizeof(WCHAR)); /* the group's id, in this library's WCHARs */
    assert_wide_equal((const WCHAR *)(const void *)e.buffer, added.id);

    delete_resource(resource, group);
    DWORD small = 3, size = 0, name = 0;
    BYTE byte[4];
    DWORD_PTR key;
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, byte, &small, NULL, NULL, NULL, NULL,
                                        NULL, &name, NULL, NULL, LONG_MS),
                     ERROR_MORE_DATA);
    assert_int_equal(small, 37 * sizeof(WCHAR));
    assert_int_equal(name, 3);
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, NULL, &size, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, 0),
                     ERROR_SUCCESS);
    assert_int_equal(size, 37 * sizeof(WCHAR));
    assert_int_equal(get_v2(port, &e), ERROR_SUCCESS);
    assert_int_equal(e.filter.FilterFlags, CLUSTER_CHANGE_GROUP_DELETED_V2);
    assert_wide_equal(e.id, added.id);
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, 0),
                     WAIT_TIMEOUT);
    assert_true(CloseClusterNotifyPort(port));
}

static void resource_types_by_name(void **state)
{
    (void)state;
    NOTIFY_FILTER_AND_TYPE all = {CLUSTER_OBJECT_TYPE_RESOURCE_TYPE,
                                  CLUSTER_CHANGE_RESOURCE_TYPE_ALL_V2};
    HCHANGE port = CreateClusterNotifyPortV2(NO_PORT, cluster, NULL, 0, 0);
    assert_non_null(port);
    assert_int_equal(
        RegisterClusterResourceTypeNotifyV2(port, cluster, all.FilterFlags, L"Physical Disk", 1),
        ERROR_SUCCESS);
    assert_int_equal(
        RegisterClusterResourceTypeNotifyV2(port, cluster, all.FilterFlags, L"none", 1),
        ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    assert_int_equal(RegisterClusterResourceTypeNotifyV2(port, cluster, 1, NULL, 1),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterNotifyV2(port, all, (HANDLE)cluster, 2), ERROR_SUCCESS);
    assert_true(CloseClusterNotifyPort(port));
}

/* ---- the service goes and comes ---- */

static void a_port_outlives_its_service(void **state)
{
    (void)state;
    HCHANGE asks = make_port(GROUPS | CLUSTER_CHANGE_CLUSTER_RECONNECT, 1);
    HCHANGE asks_not = make_port(GROUPS, 2);
    HCHANGE blocked = make_port(CLUSTER_CHANGE_GROUP_ADDED, 3);
    make_group(L"old");
    expect(blocked, 3, CLUSTER_CHANGE_GROUP_ADDED, L"old");
    struct waiter w = {.port = blocked};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_to_the_end, &w), 0);
    for (int round = 0; round < 3; round++) {
        service_restart(service);
        make_group(L"new"); /* the call finds the new service */
        if (round == 0) {
            expect(asks, 1, CLUSTER_CHANGE_GROUP_ADDED, L"old");
            expect(asks_not, 2, CLUSTER_CHANGE_GROUP_ADDED, L"old");
        }
        expect(asks, 1, CLUSTER_CHANGE_CLUSTER_RECONNECT, L"testcluster");
        expect(asks, 1, CLUSTER_CHANGE_GROUP_ADDED, L"new");
        expect(asks_not, 2, CLUSTER_CHANGE_GROUP_ADDED, L"new");
        drop_group(L"new");
        expect(asks, 1, CLUSTER_CHANGE_GROUP_DELETED, L"new");
        expect(asks_not, 2, CLUSTER_CHANGE_GROUP_DELETED, L"new");
        expect_nothing(asks);
        expect_nothing(asks_not);
    }
    drop_group(L"old");
    assert_true(CloseClusterNotifyPort(asks));
    assert_true(CloseClusterNotifyPort(asks_not));
    for (bool done = false; !done;) {
        CLUSPORT_PORT *ports;
        DWORD count;
        assert_int_equal(ClusportListPorts(cluster, &ports, &count), ERROR_SUCCESS);
        for (DWORD i = 0; i < count; i++)
            done |= ports[i].ullId == (ULONGLONG)(uintptr_t)blocked && ports[i].ullDelivered == 4;
        ClusportFreePorts(ports);
    }
    assert_true(CloseClusterNotifyPort(blocked));
    pthread_join(thread, NULL);
    assert_int_equal(w.result, ERROR_INVALID_HANDLE);
    assert_int_equal(w.events, 3);
}

static void a_reader_that_was_lapped_reads_the_journal(void **state)
{
    (void)state;
    enum { VALUES = 160, SIZE = 60000 }; /* old and new: more than the ring holds */
    HCHANGE port = make_port(CLUSTER_CHANGE_REGISTRY_VALUE | CLUSTER_CHANGE_CLUSTER_RECONNECT, 0);
    HCHANGE own = NULL;
    assert_int_equal(ClusportCreatePort(cluster, NULL, 0, NULL, &own), ERROR_SUCCESS);
    HKEY root = GetClusterKey(cluster, KEY_ALL_ACCESS);
    BYTE *data = calloc(1, SIZE);
    for (unsigned i = 0; i < VALUES; i++) {
        memcpy(data, &i, sizeof(i));
        assert_int_equal(ClusterRegSetValue(root, L"big", REG_BINARY, data, SIZE), ERROR_SUCCESS);
    }
    for (unsigned i = 0; i < VALUES; i++) {
        expect(port, 0, CLUSTER_CHANGE_REGISTRY_VALUE, L"");
        CLUSPORT_NOTIFICATION *n = NULL;
        unsigned got;
        assert_int_equal(ClusportGetNotification(own, LONG_MS, &n), ERROR_SUCCESS);
        assert_string_equal(n->pszKind, "registry.value");
        assert_int_equal(n->NewValue.cbData, SIZE);
        memcpy(&got, n->NewValue.pData, sizeof(got));
        assert_int_equal(got, i);
        ClusportFreeNotification(n);
    }
    expect_nothing(port);
    assert_int_equal(ClusterRegDeleteValue(root, L"big"), ERROR_SUCCESS);
    expect(port, 0, CLUSTER_CHANGE_REGISTRY_VALUE, L"");
    free(data);
    ClusterRegCloseKey(root);
    assert_true(CloseClusterNotifyPort(port));
    assert_true(CloseClusterNotifyPort(own));
}

/* ---- descriptors ---- */

static bool readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1 && (p.revents & POLLIN);
}

static void a_descriptor_is_readable_while_there_is_something(void **state)
{
    (void)state;
    HCHANGE port = CreateClusterNotifyPort(NO_PORT, (HCLUSTER)INVALID_HANDLE_VALUE, 0, 0);
    HANDLE event = NULL, again = NULL;
    int fd = -1;
    assert_int_equal(ClusportGetFd(port, &fd), ERROR_SUCCESS); /* before there is a cluster */
    assert_int_equal(GetNotifyEventHandle(port, &event), ERROR_SUCCESS);
    assert_int_equal(GetNotifyEventHandle(port, &again), ERROR_SUCCESS);
    assert_ptr_equal(event, again);
    assert_int_equal(GetNotifyEventHandle(port, NULL), ERROR_INVALID_PARAMETER);
    assert_ptr_equal(CreateClusterNotifyPort(port, cluster, GROUPS, 9), port);
    assert_false(readable(fd, 0));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    for (int round = 0; round < 20; round++) {
        make_group(L"watched");
        assert_true(readable(fd, LONG_MS));
        assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        assert_true(readable(fd, 0)); /* looking does not reset it */
        expect(port, 9, CLUSTER_CHANGE_GROUP_ADDED, L"watched");
        assert_false(readable(fd, 0));
        drop_group(L"watched");
        assert_int_equal(WaitForSingleObject(event, LONG_MS), WAIT_OBJECT_0);
        expect(port, 9, CLUSTER_CHANGE_GROUP_DELETED, L"watched");
        assert_false(readable(fd, 0));
    }
    service_restart(service);
    make_group(L"watched");
    assert_true(readable(fd, LONG_MS));
    expect(port, 9, CLUSTER_CHANGE_GROUP_ADDED, L"watched");
    drop_group(L"watched");
    assert_true(CloseClusterNotifyPort(port));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_FAILED);
}

/* ---- clusport.h ---- */

static void kinds_have_names(void **state)
{
    (void)state;
    CLUSPORT_KIND kind;
    DWORD count = 0, found = 0;
    for (; ClusportEnumKinds(count, &kind) == ERROR_SUCCESS; count++)
        if (strcmp(kind.pszName, "resource.state") == 0) {
            assert_string_equal(kind.pszObject, "resource");
            assert_int_equal(kind.dwFlag, CLUSTER_CHANGE_RESOURCE_STATE);
            found++;
        }
    assert_int_equal(found, 1);
    assert_int_equal(ClusportEnumKinds(count, &kind), ERROR_NO_MORE_ITEMS);
    assert_int_equal(ClusportEnumKinds(0, NULL), ERROR_INVALID_PARAMETER);
    assert_string_equal(ClusportVersion(), "0.1.0");
}

static void a_snapshot_and_what_follows(void **state)
{
    (void)state;
    make_group(L"there");
    CLUSPORT_FILTER filter = {
        .cbSize = sizeof(filter), .pszKinds = "group.added,group.deleted", .dwKey = 4};
    CLUSPORT_OPTIONS options = {.cbSize = sizeof(options), .fSnapshot = TRUE};
    HCHANGE port = NULL, since = NULL;
    ULONGLONG revision = 0;
    assert_int_equal(ClusportCreatePort(cluster, &filter, 1, &options, &port), ERROR_SUCCESS);
    assert_int_equal(ClusportGetRevision(cluster, &revision), ERROR_SUCCESS);
    drop_group(L"there");
    bool seen = false;
    CLUSPORT_NOTIFICATION *n = NULL;
    for (;;) {
        assert_int_equal(ClusportGetNotification(port, LONG_MS, &n), ERROR_SUCCESS);
        assert_int_equal(n->dwKey, 4);
        assert_string_equal(n->pszObject, "group");
        if (!n->fInitial)
            break;
        if (lstrcmpW(n->pszName, L"there") == 0) {
            assert_int_equal(n->dwNewState, ClusterGroupOffline);
            seen = true;
        }
        ClusportFreeNotification(n);
    }
    assert_true(seen);
    assert_string_equal(n->pszKind, "group.deleted");
    assert_wide_equal(n->pszName, L"there");
    assert_wide_equal(n->pszActorNode, L"node1");
    assert_int_equal(n->dwActorPid, getpid());
    assert_string_equal(n->pszReason, "request");
    assert_true(n->fLast);
    ULONGLONG deleted = n->ullRevision;
    assert_true(deleted > revision);
    ClusportFreeNotification(n);

    /* The same change again, from its number. */
    options =
        (CLUSPORT_OPTIONS){.cbSize = sizeof(options), .fSince = TRUE, .ullSince = deleted - 1};
    assert_int_equal(ClusportCreatePort(cluster, &filter, 1, &options, &since), ERROR_SUCCESS);
    assert_int_equal(ClusportGetNotification(since, LONG_MS, &n), ERROR_SUCCESS);
    assert_int_equal(n->ullRevision, deleted);
    ClusportFreeNotification(n);
    assert_int_equal(ClusportGetNotification(since, 0, &n), WAIT_TIMEOUT);
    assert_true(CloseClusterNotifyPort(since));
    /* All of it, from the journal. */
    options.ullSince = 0;
    assert_int_equal(ClusportCreatePort(cluster, NULL, 0, &options, &since), ERROR_SUCCESS);
    for (ULONGLONG r = 1; r <= deleted; r++) {
        assert_int_equal(ClusportGetNotification(since, LONG_MS, &n), ERROR_SUCCESS);
        assert_int_equal(n->ullRevision, r);
        ClusportFreeNotification(n);
    }
    options.ullSince = deleted + 1000000;
    HCHANGE none = NULL;
    assert_int_equal(ClusportCreatePort(cluster, NULL, 0, &options, &none),
                     ERROR_INVALID_PARAMETER);
    filter.pszKinds = "group.nonsense";
    assert_int_equal(ClusportCreatePort(cluster, &filter, 1, NULL, &none), ERROR_INVALID_PARAMETER);
    assert_null(none);
    DWORD_PTR key;
    DWORD flag;
    assert_int_equal(GetClusterNotify(port, &key, &flag, NULL, NULL, 0), ERROR_INVALID_HANDLE);
    assert_true(CloseClusterNotifyPort(since));
    assert_true(CloseClusterNotifyPort(port));
}

static void the_list_shows_ports(void **state)
{
    (void)state;
    HCHANGE port = make_port(GROUPS, 0);
    make_group(L"listed");
    drop_group(L"listed");
    expect(port, 0, CLUSTER_CHANGE_GROUP_ADDED, L"listed");
    CLUSPORT_PORT *ports = NULL;
    DWORD count = 0, found = 0;
    assert_int_equal(ClusportListPorts(cluster, &ports, &count), ERROR_SUCCESS);
    for (DWORD i = 0; i < count; i++) {
        if (ports[i].ullId != (ULONGLONG)(uintptr_t)port)
            continue;
        found++;
        assert_int_equal(ports[i].dwPid, getpid());
        assert_int_equal(ports[i].dwVersion, 1);
        assert_int_equal(ports[i].dwRegistrations, 1);
        assert_int_equal(ports[i].ullDelivered, 1);
        assert_int_equal(ports[i].ullLost, 0);
        assert_true(ports[i].ullLag > 0);
        assert_string_equal(ports[i].pszKinds, "group.added,group.deleted,group.state");
    }
    assert_int_equal(found, 1);
    ClusportFreePorts(ports);
    assert_true(CloseClusterNotifyPort(port));

    CLUSPORT_SERVICE_INFO info = {.cbSize = sizeof(info)};
    assert_int_equal(ClusportGetServiceInfo(cluster, &info), ERROR_SUCCESS);
    assert_int_equal(info.dwPid, service_pid(service));
    assert_wide_equal(info.szClusterName, L"testcluster");
    assert_wide_equal(info.szNodeName, L"node1");
    assert_int_equal(info.ullFirstRevision, 1);
    ULONGLONG revision = 0;
    assert_int_equal(ClusportGetRevision(cluster, &revision), ERROR_SUCCESS);
    assert_int_equal(info.ullLastRevision, revision);
    info.cbSize = 4;
    assert_int_equal(ClusportGetServiceInfo(cluster, &info), ERROR_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_come_and_go),
        cmocka_unit_test(the_close_of_the_cluster_comes_last),
        cmocka_unit_test(registrations_on_objects),
        cmocka_unit_test(a_buffer_too_small_keeps_the_event),
        cmocka_unit_test(wrong_handles_and_flags),
        cmocka_unit_test(a_close_ends_every_wait),
        cmocka_unit_test(each_event_goes_to_one_thread),
        cmocka_unit_test(version_2_tells_more),
        cmocka_unit_test(resource_types_by_name),
        cmocka_unit_test(a_port_outlives_its_service),
        cmocka_unit_test(a_reader_that_was_lapped_reads_the_journal),
        cmocka_unit_test(a_descriptor_is_readable_while_there_is_something),
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(a_snapshot_and_what_follows),
        cmocka_unit_test(the_list_shows_ports),
    };
    return cmocka_run_group_tests(tests, start_service, stop_service);
}
