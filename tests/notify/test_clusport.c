/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "notify/loop.h"

/* What clusport.h adds: revisions, who and when, resuming, snapshots, a descriptor, lists. */

static HCHANGE port_for(struct world *w, const char *kinds, HANDLE object,
                        const CLUSPORT_OPTIONS *options)
{
    CLUSPORT_FILTER filter = {
        .cbSize = sizeof filter, .pszKinds = kinds, .hObject = object, .dwKey = 5};
    HCHANGE port = NULL;

    assert_int_equal(ClusportCreatePort(w->cluster, &filter, 1, options, &port), ERROR_SUCCESS);
    assert_non_null(port);
    return port;
}

static CLUSPORT_NOTIFICATION *next_at(HCHANGE port, const char *kind, LPCWSTR name, int line)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    DWORD error = ClusportGetNotification(port, EVENT_WAIT_MS, &n);

    if (error == ERROR_SUCCESS && strcmp(n->pszKind, kind) == 0 && wcscmp(n->pszName, name) == 0)
        return n;
    print_error("wanted %s \"%ls\", got error %u, %s \"%ls\"\n", kind, name, error,
                n ? n->pszKind : "nothing", n ? n->pszName : L"");
    _fail(__FILE__, line);
    return NULL;
}
#define next(port, kind, name) next_at(port, kind, name, __LINE__)
#define skip_one(port, kind, name) ClusportFreeNotification(next(port, kind, name))

static void no_more(HCHANGE port)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    DWORD error = ClusportGetNotification(port, 0, &n);

    if (error != WAIT_TIMEOUT)
        fail_msg("error %u, %s", error, n ? n->pszKind : "");
    assert_null(n);
}

/* ---- what a notification tells ---- */

static void assert_is_ours(const CLUSPORT_NOTIFICATION *n)
{
    char program[32] = "";
    FILE *f = fopen("/proc/self/comm", "re");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%31s", program), 1);
    fclose(f);
    assert_int_equal(wcscmp(n->pszActorNode, L"node1"), 0);
    assert_int_equal(wcscmp(n->pszActorProgram, wide(program)), 0);
    assert_int_equal(n->dwActorUid, getuid());
    assert_int_equal(n->dwActorPid, getpid());
    assert_string_equal(n->pszReason, "request");
}

static void test_notification(void **state)
{
    struct world *w = *state;
    ULONGLONG before = 0, after = 0;
    struct timespec t;

    assert_int_equal(ClusportGetRevision(w->cluster, &before), ERROR_SUCCESS);
    HCHANGE port = port_for(w, "group.*,resource.state,resource.added", NULL, NULL);
    clock_gettime(CLOCK_REALTIME, &t);
    HGROUP group = make_group(w, L"Group");
    LPCWSTR id = id_of_group(group);
    assert_int_equal(ClusportGetRevision(w->cluster, &after), ERROR_SUCCESS);
    assert_true(after == before + 1);

    CLUSPORT_NOTIFICATION *n = next(port, "group.added", L"Group");
    assert_int_equal(n->cbSize, sizeof *n);
    assert_true(n->ullRevision == after);
    assert_true(n->ullTransaction == after);
    assert_true(n->fLast);
    assert_false(n->fInitial);
    assert_true(n->dwKey == 5);
    assert_int_equal(n->dwFlag, CLUSTER_CHANGE_GROUP_ADDED);
    assert_int_equal(n->dwObjectType, CLUSTER_OBJECT_TYPE_CLUSTER);
    assert_int_equal(n->llFlag, CLUSTER_CHANGE_CLUSTER_GROUP_ADDED_V2);
    assert_string_equal(n->pszObject, "group");
    assert_int_equal(wcscmp(n->pszObjectId, id), 0);
    assert_int_equal(wcscmp(n->pszParentId, L"1"), 0);
    assert_int_equal(wcscmp(n->pszNodeId, L"1"), 0);
    assert_true(n->llTime >= (LONGLONG)t.tv_sec * 1000000000);
    assert_true(n->llTime < ((LONGLONG)t.tv_sec + 60) * 1000000000);
    assert_int_equal(n->ullLostFirst + n->ullLostLast + n->ullLostCount, 0);
    assert_is_ours(n);
    ClusportFreeNotification(n);

    /* Of one transaction: the resource's coming, and its group's gaining it. */
    HRESOURCE r = make_resource(group, L"r", L"Dummy");
    n = next(port, "resource.added", L"r");
    ULONGLONG first = n->ullRevision;
    assert_false(n->fLast);
    assert_int_equal(wcscmp(n->pszTypeName, L"Dummy"), 0);
    assert_int_equal(wcscmp(n->pszParentId, id), 0);
    ClusportFreeNotification(n);
    n = next(port, "group.resource-gained", L"Group");
    assert_true(n->ullTransaction == first && n->ullRevision == first + 1 && n->fLast);
    assert_int_equal(n->NewValue.dwKind, ClusportValueText);
    assert_int_equal(wcscmp(n->NewValue.pData, id_of_resource(r)), 0);
    ClusportFreeNotification(n);

    struct property p = text(L"Description", L"told");
    assert_int_equal(ClusterGroupControl(group, NULL, CLUSCTL_GROUP_SET_COMMON_PROPERTIES, p.data,
                                         p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    n = next(port, "group.common-property", L"Group");
    assert_int_equal(n->NewValue.dwKind, ClusportValueProperties);
    assert_int_equal(n->NewValue.cbData, p.size);
    assert_memory_equal(n->NewValue.pData, p.data, p.size);
    p = text(L"Description", L"");
    assert_int_equal(n->OldValue.cbData, p.size);
    assert_memory_equal(n->OldValue.pData, p.data, p.size);
    assert_int_equal(n->dwOldState, (DWORD)-1);
    ClusportFreeNotification(n);
    remove_resource(w, r);
    remove_group(group);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_states(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"Group");
    HRESOURCE r = make_resource(group, L"r", L"Dummy");
    HCHANGE port = port_for(w, "resource.state", NULL, NULL);
    static const DWORD states[] = {
        ClusterResourceOffline,        ClusterResourceOnlinePending, ClusterResourceOnline,
        ClusterResourceOfflinePending, ClusterResourceOffline,
    };

    online_and_wait(w, r);
    offline_and_wait(w, r);
    for (size_t i = 0; i < 4; i++) {
        CLUSPORT_NOTIFICATION *n = next(port, "resource.state", L"r");
        assert_int_equal(n->dwOldState, states[i]);
        assert_int_equal(n->dwNewState, states[i + 1]);
        assert_string_equal(n->pszReason, "request");
        if (i % 2 == 0) /* what the agent answered is the service's own */
            assert_is_ours(n);
        ClusportFreeNotification(n);
    }
    assert_int_equal(FailClusterResource(r), ERROR_INVALID_STATE);
    no_more(port);
    remove_resource(w, r);
    remove_group(group);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_registry_values(void **state)
{
    struct world *w = *state;
    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS), key = NULL;
    static const WCHAR data[] = L"some text";

    assert_int_equal(ClusterRegCreateKey(root, L"Key", 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    HCHANGE port = port_for(w, "registry.*", key, NULL);
    assert_int_equal(ClusterRegSetValue(root, L"v", REG_SZ, (const BYTE *)data, sizeof data),
                     ERROR_SUCCESS);
    assert_int_equal(ClusterRegSetValue(key, L"v", REG_SZ, (const BYTE *)data, sizeof data),
                     ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteValue(key, L"v"), ERROR_SUCCESS);
    CLUSPORT_NOTIFICATION *n = next(port, "registry.value", L"Key");
    assert_int_equal(wcscmp(n->pszParentId, L"v"), 0);
    assert_int_equal(n->OldValue.dwKind, ClusportValueNone);
    assert_int_equal(n->NewValue.dwKind, ClusportValueRegistry);
    assert_int_equal(n->NewValue.dwNumber, REG_SZ);
    assert_int_equal(n->NewValue.cbData, sizeof data);
    assert_memory_equal(n->NewValue.pData, data, sizeof data);
    ClusportFreeNotification(n);
    n = next(port, "registry.value", L"Key");
    assert_int_equal(n->NewValue.dwKind, ClusportValueNone);
    assert_memory_equal(n->OldValue.pData, data, sizeof data);
    ClusportFreeNotification(n);
    no_more(port);
    assert_int_equal(ClusterRegCloseKey(key), ERROR_SUCCESS);
    assert_int_equal(ClusterRegCloseKey(root), ERROR_SUCCESS);
    assert_true(CloseClusterNotifyPort(port));
}

/* Any port: the same event as version 1 would have given. */
static void test_on_a_version_1_port(void **state)
{
    struct world *w = *state;
    HCHANGE port = watch(w, CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_GROUP_DELETED, 9);
    DWORD_PTR key;
    DWORD flag;

    remove_group(make_group(w, L"g"));
    CLUSPORT_NOTIFICATION *n = next(port, "group.added", L"g");
    assert_int_equal(n->dwFlag, CLUSTER_CHANGE_GROUP_ADDED);
    assert_true(n->dwKey == 9);
    ClusportFreeNotification(n);
    expect_event(port, CLUSTER_CHANGE_GROUP_DELETED, 9, L"g");
    assert_true(CloseClusterNotifyPort(port));

    port = port_for(w, "*", NULL, NULL);
    assert_int_equal(GetClusterNotify(port, &key, &flag, NULL, NULL, 0), ERROR_INVALID_HANDLE);
    assert_int_equal(RegisterClusterNotify(port, CLUSTER_CHANGE_CLUSTER_PROPERTY, w->cluster, 1),
                     ERROR_INVALID_HANDLE);
    assert_true(CloseClusterNotifyPort(port));
}

/* ---- the descriptor ---- */

static bool readable(int fd, int wait)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, wait) == 1;
}

static void test_descriptor(void **state)
{
    struct world *w = *state;
    HCHANGE port = port_for(w, "group.added,group.deleted", NULL, NULL);
    int fd = -1, again = -1;

    assert_int_equal(ClusportGetFd(port, NULL), ERROR_INVALID_PARAMETER);
    assert_int_equal(ClusportGetFd(NULL, &fd), ERROR_INVALID_HANDLE);
    assert_int_equal(ClusportGetFd(port, &fd), ERROR_SUCCESS);
    assert_int_equal(ClusportGetFd(port, &again), ERROR_SUCCESS);
    assert_int_equal(fd, again);
    for (int i = 0; i < 20; i++) {
        assert_false(readable(fd, 0));
        HGROUP group = make_group(w, L"g");
        assert_int_equal(SetClusterGroupName(group, L"not asked for"), ERROR_SUCCESS);
        remove_group(group);
        assert_true(readable(fd, EVENT_WAIT_MS));
        skip_one(port, "group.added", L"g");
        assert_true(readable(fd, 0));
        skip_one(port, "group.deleted", L"not asked for");
        assert_false(readable(fd, 0));
    }
    /* Over a restart too. */
    service_restart(w->service);
    assert_false(readable(fd, 0));
    remove_group(make_group(w, L"g"));
    assert_true(readable(fd, EVENT_WAIT_MS));
    skip_one(port, "group.added", L"g");
    skip_one(port, "group.deleted", L"g");
    assert_false(readable(fd, 0));
    assert_true(CloseClusterNotifyPort(port));
    assert_int_equal(ClusportGetFd(port, &fd), ERROR_INVALID_HANDLE);
}

/* ---- since a revision ---- */

static void test_since(void **state)
{
    struct world *w = *state;
    CLUSPORT_OPTIONS options = {.cbSize = sizeof options, .fSince = TRUE};
    CLUSPORT_FILTER filter = {.cbSize = sizeof filter};
    HCHANGE port = NULL;

    assert_int_equal(ClusportGetRevision(w->cluster, &options.ullSince), ERROR_SUCCESS);
    HGROUP group = make_group(w, L"one");
    assert_int_equal(SetClusterGroupName(group, L"two"), ERROR_SUCCESS);
    remove_group(group);
    port = port_for(w, "group.*", NULL, &options);
    CLUSPORT_NOTIFICATION *n = next(port, "group.added", L"one");
    assert_true(n->ullRevision == options.ullSince + 1);
    options.ullSince = n->ullRevision;
    ClusportFreeNotification(n);
    assert_true(CloseClusterNotifyPort(port));

    /* From there on: out of the shared memory, and out of the journal, since a service that was
     * started again has an empty memory. */
    for (int i = 0; i < 2; i++) {
        port = port_for(w, "group.*", NULL, &options);
        skip_one(port, "group.common-property", L"two");
        skip_one(port, "group.deleted", L"two");
        no_more(port);
        assert_true(CloseClusterNotifyPort(port));
        service_restart(w->service);
    }
    port = port_for(w, "group.added,group.deleted", NULL, &options);
    remove_group(make_group(w, L"three"));
    skip_one(port, "group.deleted", L"two");
    skip_one(port, "group.added", L"three");
    skip_one(port, "group.deleted", L"three");
    assert_true(CloseClusterNotifyPort(port));

    options.ullSince += 1000; /* lies ahead */
    assert_int_equal(ClusportCreatePort(w->cluster, &filter, 1, &options, &port),
                     ERROR_INVALID_PARAMETER);
}

/* From the beginning: the log tells the cluster's whole life, without a hole. */
static void test_from_the_beginning(void **state)
{
    struct world *w = *state;
    const CLUSPORT_OPTIONS options = {.cbSize = sizeof options, .fSince = TRUE};
    CLUSPORT_NOTIFICATION *n = NULL;
    ULONGLONG revision = 0, last = 0;
    HCHANGE port = port_for(w, NULL, NULL, &options);

    assert_int_equal(ClusportGetRevision(w->cluster, &last), ERROR_SUCCESS);
    while (ClusportGetNotification(port, 0, &n) == ERROR_SUCCESS) {
        assert_true(n->ullRevision == ++revision);
        assert_true(n->ullTransaction <= n->ullRevision);
        ClusportFreeNotification(n);
    }
    assert_true(revision == last);
    assert_true(CloseClusterNotifyPort(port));
}

/* ---- snapshot and stream ---- */

#define GROUPS 8

struct worker {
    HCLUSTER cluster;
    _Atomic bool stop;
};

/* Groups come and go, in a changing pattern. */
static DWORD WINAPI work(LPVOID parameter)
{
    struct worker *me = parameter;

    for (unsigned i = 0; !me->stop; i++) {
        WCHAR name[16];
        swprintf(name, 16, L"g%u", i * 5 % GROUPS);
        HGROUP group = OpenClusterGroup(me->cluster, name);
        if (group)
            DeleteClusterGroup(group);
        else
            group = CreateClusterGroup(me->cluster, name);
        if (!group || !CloseClusterGroup(group))
            return 1;
    }
    return 0;
}

static int group_number(LPCWSTR name)
{
    int number = -1;
    return swscanf(name, L"g%d", &number) == 1 && number < GROUPS ? number : -1;
}

/* What a program knows that begins with a snapshot: exactly what there is, at every moment. */
static void follow(struct world *w, unsigned changes)
{
    const CLUSPORT_OPTIONS options = {.cbSize = sizeof options, .fSnapshot = TRUE};
    HCHANGE port = port_for(w, "group.added,group.deleted", NULL, &options);
    bool there[GROUPS] = {false};
    bool streams = false;
    ULONGLONG at = 0;

    while (changes > 0) {
        CLUSPORT_NOTIFICATION *n = NULL;
        assert_int_equal(ClusportGetNotification(port, EVENT_WAIT_MS, &n), ERROR_SUCCESS);
        int g = group_number(n->pszName);
        if (n->fInitial) {
            assert_false(streams);
            assert_true(at == 0 || n->ullRevision == at);
        } else {
            assert_true(n->ullRevision > at);
            streams = true;
            changes--;
        }
        at = n->ullRevision;
        if (g >= 0) {
            bool comes = n->fInitial || n->dwFlag == CLUSTER_CHANGE_GROUP_ADDED;
            assert_int_equal(there[g], !comes);
            there[g] = comes;
        }
        ClusportFreeNotification(n);
    }
    assert_true(CloseClusterNotifyPort(port));
}

static void test_snapshot_and_stream(void **state)
{
    struct world *w = *state;
    struct worker worker = {.cluster = w->cluster};
    DWORD code = 1;
    HANDLE thread = CreateThread(NULL, 0, work, &worker, 0, NULL);

    for (int i = 0; i < 40; i++)
        follow(w, 10);
    worker.stop = true;
    assert_int_equal(WaitForSingleObject(thread, EVENT_WAIT_MS), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, 0);
    assert_true(CloseHandle(thread));
}

static void test_snapshot(void **state)
{
    struct world *w = *state;
    const CLUSPORT_OPTIONS options = {.cbSize = sizeof options, .fSnapshot = TRUE};
    HGROUP group = make_group(w, L"Group");
    HRESOURCE r = make_resource(group, L"r", L"Dummy");

    online_and_wait(w, r);
    HCHANGE port = port_for(w, "resource.state,node.state", NULL, &options);
    bool node = false, resource = false;
    for (int i = 0; i < 2; i++) {
        CLUSPORT_NOTIFICATION *n = NULL;
        assert_int_equal(ClusportGetNotification(port, 0, &n), ERROR_SUCCESS);
        assert_true(n->fInitial);
        if (strcmp(n->pszObject, "node") == 0) {
            node = true;
            assert_int_equal(n->dwNewState, ClusterNodeUp);
        } else {
            resource = true;
            assert_string_equal(n->pszObject, "resource");
            assert_int_equal(wcscmp(n->pszName, L"r"), 0);
            assert_int_equal(n->dwNewState, ClusterResourceOnline);
        }
        ClusportFreeNotification(n);
    }
    assert_true(node && resource);
    no_more(port);
    assert_int_equal(OfflineClusterResource(r), ERROR_IO_PENDING);
    CLUSPORT_NOTIFICATION *n = next(port, "resource.state", L"r");
    assert_false(n->fInitial);
    ClusportFreeNotification(n);
    assert_true(CloseClusterNotifyPort(port));
    remove_resource(w, r);
    remove_group(group);
}

/* ---- lists ---- */

static void test_ports(void **state)
{
    struct world *w = *state;
    CLUSPORT_PORT *ports = NULL;
    DWORD count = 0, ours = 0;
    HCHANGE v1 = watch(w, CLUSTER_CHANGE_GROUP_ADDED, 1);
    HCHANGE own = port_for(w, "resource.state", NULL, NULL);

    watch_too(v1, CLUSTER_CHANGE_CLUSTER_PROPERTY, w->cluster, 2);
    HGROUP group = make_group(w, L"g");
    expect_event(v1, CLUSTER_CHANGE_GROUP_ADDED, 1, L"g");
    remove_group(group);
    assert_int_equal(ClusportListPorts(w->cluster, &ports, &count), ERROR_SUCCESS);
    for (DWORD i = 0; i < count; i++) {
        const CLUSPORT_PORT *p = &ports[i];
        if (p->dwPid != (DWORD)getpid())
            continue;
        ours++;
        assert_int_equal(p->cbSize, sizeof *p);
        assert_int_equal(p->dwUid, getuid());
        assert_int_equal(p->dwWaiting, 0);
        assert_true(p->ullLost == 0);
        assert_non_null(strstr(p->pszProgram, "test_notify"));
        if (p->dwVersion == 1) {
            assert_int_equal(p->dwRegistrations, 2);
            assert_true(p->ullDelivered == 1);
            assert_non_null(strstr(p->pszKinds, "group.added"));
        } else {
            assert_int_equal(p->dwVersion, 3);
            assert_int_equal(p->dwRegistrations, 1);
            assert_string_equal(p->pszKinds, "resource.state");
        }
    }
    assert_int_equal(ours, 2);
    ClusportFreePorts(ports);
    assert_true(CloseClusterNotifyPort(v1));
    assert_true(CloseClusterNotifyPort(own));
    assert_int_equal(ClusportListPorts(w->cluster, &ports, &count), ERROR_SUCCESS);
    assert_int_equal(count, 0);
    ClusportFreePorts(ports);
    ClusportFreePorts(NULL);
}

static void test_service_info(void **state)
{
    struct world *w = *state;
    CLUSPORT_SERVICE_INFO info = {.cbSize = sizeof info};
    ULONGLONG revision = 0;

    assert_int_equal(ClusportGetServiceInfo(w->cluster, &info), ERROR_SUCCESS);
    assert_int_equal(ClusportGetRevision(w->cluster, &revision), ERROR_SUCCESS);
    assert_int_equal(info.dwPid, service_pid(w->service));
    assert_string_equal(info.szVersion, ClusportVersion());
    assert_int_equal(wcscmp(info.szClusterName, L"testcluster"), 0);
    assert_int_equal(wcscmp(info.szNodeName, L"node1"), 0);
    assert_true(info.ullFirstRevision == 1);
    assert_true(info.ullLastRevision == revision);
    info.cbSize = 1;
    assert_int_equal(ClusportGetServiceInfo(w->cluster, &info), ERROR_INVALID_PARAMETER);
    assert_int_equal(ClusportGetServiceInfo(NULL, &info), ERROR_INVALID_HANDLE);
    assert_int_equal(ClusportGetRevision(w->cluster, NULL), ERROR_INVALID_PARAMETER);
}

static void test_kinds(void **state)
{
    (void)state;
    CLUSPORT_KIND kind;
    DWORD seen = 0, i = 0;

    for (; ClusportEnumKinds(i, &kind) == ERROR_SUCCESS; i++) {
        seen |= kind.dwFlag;
        assert_non_null(strchr(kind.pszName, '.'));
        assert_int_not_equal(kind.dwObjectType, 0);
        assert_int_not_equal(kind.llFlag, 0);
    }
    assert_int_equal(ClusportEnumKinds(i, &kind), ERROR_NO_MORE_ITEMS);
    assert_int_equal(ClusportEnumKinds(0, NULL), ERROR_INVALID_PARAMETER);
    /* Every flag that is a change: the others are the port's own, or only asked for. */
    assert_int_equal(seen | CLUSTER_CHANGE_REGISTRY_SUBTREE | CLUSTER_CHANGE_CLUSTER_RECONNECT |
                         CLUSTER_CHANGE_CLUSTER_STATE | CLUSTER_CHANGE_HANDLE_CLOSE,
                     CLUSTER_CHANGE_ALL);
}

static void test_refused(void **state)
{
    struct world *w = *state;
    CLUSPORT_FILTER filter = {.cbSize = sizeof filter, .pszKinds = "group.added,nothing.such"};
    CLUSPORT_OPTIONS options = {.cbSize = sizeof options, .fSince = TRUE, .fSnapshot = TRUE};
    HCHANGE port = NULL;

    assert_int_equal(ClusportCreatePort(w->cluster, &filter, 1, NULL, &port),
                     ERROR_INVALID_PARAMETER);
    filter.pszKinds = NULL;
    assert_int_equal(ClusportCreatePort(w->cluster, &filter, 1, &options, &port),
                     ERROR_INVALID_PARAMETER);
    filter.cbSize = 3;
    assert_int_equal(ClusportCreatePort(w->cluster, &filter, 1, NULL, &port),
                     ERROR_INVALID_PARAMETER);
    filter.cbSize = sizeof filter;
    filter.hObject = INVALID_HANDLE_VALUE;
    assert_int_equal(ClusportCreatePort(w->cluster, &filter, 1, NULL, &port), ERROR_INVALID_HANDLE);
    assert_int_equal(ClusportCreatePort(NULL, NULL, 0, NULL, &port), ERROR_INVALID_HANDLE);
    assert_int_equal(ClusportCreatePort(w->cluster, NULL, 0, NULL, NULL), ERROR_INVALID_PARAMETER);
    assert_null(port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_notification),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_registry_values),
        cmocka_unit_test(test_on_a_version_1_port),
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_from_the_beginning),
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_snapshot_and_stream),
        cmocka_unit_test(test_service_info),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_descriptor),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
