/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "notify/states.h"

/* The service is killed and started again under its readers: they miss nothing, are told nothing
 * twice, and do not notice. */

#define MOST_EVENTS 20000
#define KILLS 8
#define FLAGS                                                                                      \
    (CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_GROUP_DELETED | CLUSTER_CHANGE_GROUP_PROPERTY |   \
     CLUSTER_CHANGE_RESOURCE_ADDED | CLUSTER_CHANGE_RESOURCE_DELETED | CLUSTER_CHANGE_NODE_STATE)

struct told {
    DWORD flag;
    WCHAR name[32];
};

struct watcher {
    HCHANGE port;
    struct told *told;
    size_t count;
    DWORD error; /* of the last call */
};

static DWORD WINAPI watch_until_the_end(LPVOID parameter)
{
    struct watcher *me = parameter;

    while (me->count < MOST_EVENTS) {
        struct told *t = &me->told[me->count];
        DWORD_PTR key;
        DWORD length = 32;

        me->error = GetClusterNotify(me->port, &key, &t->flag, t->name, &length, INFINITE);
        if (me->error != ERROR_SUCCESS)
            return 1;
        me->count++;
        if (t->flag == CLUSTER_CHANGE_GROUP_ADDED && wcscmp(t->name, L"the end") == 0)
            return 0;
    }
    return 1;
}

/* Changes without a pause. While the service is away a call may fail, and may or may not have been
 * carried out: the journal knows. */
struct worker {
    HCLUSTER cluster;
    _Atomic bool stop;
    _Atomic unsigned rounds;
};

static DWORD WINAPI work(LPVOID parameter)
{
    struct worker *me = parameter;

    while (!me->stop) {
        WCHAR name[32];
        swprintf(name, 32, L"group %u", me->rounds++);
        HGROUP group = CreateClusterGroup(me->cluster, name);
        if (!group)
            continue;
        HRESOURCE resource = CreateClusterResource(group, name, L"Dummy", 0);
        if (resource) {
            SetClusterGroupName(group, L"renamed");
            DeleteClusterResource(resource);
            CloseClusterResource(resource);
        }
        DeleteClusterGroup(group);
        CloseClusterGroup(group);
    }
    return 0;
}

static void join(HANDLE thread)
{
    DWORD code = 1;

    assert_int_equal(WaitForSingleObject(thread, EVENT_WAIT_MS), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, 0);
    assert_true(CloseHandle(thread));
}

/* What the journal says about these flags after a revision, read by another port. */
static void compare_with_journal(struct world *w, ULONGLONG since, const struct watcher *me)
{
    const CLUSPORT_OPTIONS options = {.cbSize = sizeof options, .fSince = TRUE, .ullSince = since};
    CLUSPORT_NOTIFICATION *n = NULL;
    ULONGLONG last = since;
    HCHANGE port = NULL;
    size_t i = 0;

    assert_int_equal(ClusportCreatePort(w->cluster, NULL, 0, &options, &port), ERROR_SUCCESS);
    while (ClusportGetNotification(port, 0, &n) == ERROR_SUCCESS) {
        assert_true(n->ullRevision == last + 1); /* dense, also over the restarts */
        last = n->ullRevision;
        if (n->dwFlag & FLAGS) {
            assert_true(i < me->count);
            if (n->dwFlag != me->told[i].flag || wcscmp(n->pszName, me->told[i].name) != 0)
                fail_msg("event %zu: the journal has %s \"%ls\", told was %s \"%ls\"", i,
                         flag_name(n->dwFlag), n->pszName, flag_name(me->told[i].flag),
                         me->told[i].name);
            i++;
        }
        ClusportFreeNotification(n);
    }
    assert_int_equal(i, me->count);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_killed_while_at_work(void **state)
{
    struct world *w = *state;
    struct watcher me = {.told = calloc(MOST_EVENTS, sizeof(struct told))};
    struct worker worker = {.cluster = w->cluster};
    ULONGLONG since = 0;

    assert_int_equal(ClusportGetRevision(w->cluster, &since), ERROR_SUCCESS);
    me.port = watch(w, FLAGS, 1);
    HANDLE watching = CreateThread(NULL, 0, watch_until_the_end, &me, 0, NULL);
    HANDLE working = CreateThread(NULL, 0, work, &worker, 0, NULL);
    HCHANGE pace = watch(w, CLUSTER_CHANGE_GROUP_DELETED, 1);
    for (int i = 0; i < KILLS; i++) {
        DWORD_PTR key;
        DWORD flag;
        /* In the middle of its work, a little later each time. */
        for (int round = 0; round < i + 2; round++)
            assert_int_equal(GetClusterNotify(pace, &key, &flag, NULL, NULL, EVENT_WAIT_MS),
                             ERROR_SUCCESS);
        service_restart(w->service);
    }
    worker.stop = true;
    join(working);
    HGROUP end = make_group(w, L"the end");
    join(watching);
    assert_true(me.count > KILLS);
    compare_with_journal(w, since, &me);
    remove_group(end);
    assert_true(CloseClusterNotifyPort(pace));
    assert_true(CloseClusterNotifyPort(me.port));
    free(me.told);
}

/* Nothing happens meanwhile: nothing is told, and handles and ports go on. */
static void test_handles_survive(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"Group");
    HRESOURCE resource = make_resource(group, L"Resource", L"Dummy");
    HNODE node = OpenClusterNode(w->cluster, L"node1");
    HKEY key = NULL, root = GetClusterKey(w->cluster, KEY_ALL_ACCESS);
    HCHANGE port = watch(w, FLAGS, 1);
    DWORD value = 1;

    assert_int_equal(ClusterRegCreateKey(root, L"Key", 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    watch_too(port, CLUSTER_CHANGE_REGISTRY_VALUE, key, 2);
    watch_too(port, CLUSTER_CHANGE_RESOURCE_PROPERTY, resource, 3);
    watch_too(port, CLUSTER_CHANGE_NODE_PROPERTY, node, 4);
    for (int i = 0; i < 2; i++) {
        service_restart(w->service);
        expect_nothing(port);
        assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOffline);
        set_common(resource, text(L"Description", i ? L"once" : L"twice"));
        expect_event(port, CLUSTER_CHANGE_RESOURCE_PROPERTY, 3, L"Resource");
        value += 1;
        assert_int_equal(
            ClusterRegSetValue(key, L"Value", REG_DWORD, (const BYTE *)&value, sizeof value),
            ERROR_SUCCESS);
        expect_event(port, CLUSTER_CHANGE_REGISTRY_VALUE, 2, L"Key");
        struct property p = text(L"Description", i ? L"here" : L"there");
        assert_int_equal(ClusterNodeControl(node, NULL, CLUSCTL_NODE_SET_COMMON_PROPERTIES, p.data,
                                            p.size, NULL, 0, NULL),
                         ERROR_SUCCESS);
        expect_event(port, CLUSTER_CHANGE_NODE_PROPERTY, 4, L"node1");
        expect_nothing(port);
    }
    assert_int_equal(ClusterRegCloseKey(key), ERROR_SUCCESS);
    assert_int_equal(ClusterRegCloseKey(root), ERROR_SUCCESS);
    assert_true(CloseClusterNode(node));
    remove_resource(w, resource);
    remove_group(group);
    assert_true(CloseClusterNotifyPort(port));
}

/* Stopped in order, the node says that it leaves, and that it is back. */
static void test_stopped_in_order(void **state)
{
    struct world *w = *state;
    NOTIFY_FILTER_AND_TYPE filter = {CLUSTER_OBJECT_TYPE_NODE, CLUSTER_CHANGE_NODE_STATE_V2};
    HCHANGE port = CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, w->cluster, &filter, 1, 0);

    service_halt(w->service);
    service_again(w->service);
    expect_state_at(port, CLUSTER_OBJECT_TYPE_NODE, L"node1", ClusterNodeDown, __FILE__, __LINE__);
    expect_state_at(port, CLUSTER_OBJECT_TYPE_NODE, L"node1", ClusterNodeUp, __FILE__, __LINE__);
    no_more_states(port);
    assert_true(CloseClusterNotifyPort(port));
}

/* An application lives on without the service; one that died meanwhile is found and restarted. */
static void test_applications(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"g");
    char pid_file[128];

    snprintf(pid_file, sizeof pid_file, "%s/app.pid", service_folder(w->service));
    HRESOURCE app = make_application(group, L"app", pid_file);
    online_and_wait(w, app);
    pid_t pid = wait_pid(pid_file, 0);
    HCHANGE states = watch_states(w);

    service_restart(w->service);
    HGROUP fence = make_group(w, L"fence");
    remove_group(fence);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(GetClusterResourceState(app, NULL, NULL, NULL, NULL), ClusterResourceOnline);
    no_more_states(states);

    service_kill(w->service);
    assert_int_equal(kill(pid, SIGKILL), 0);
    service_again(w->service);
    resource_goes(states, L"app", FAILED);
    group_goes(states, L"g", ClusterGroupFailed);
    resource_goes(states, L"app", ONLINE_PENDING);
    group_goes(states, L"g", ClusterGroupPending);
    resource_goes(states, L"app", ONLINE);
    group_goes(states, L"g", ClusterGroupOnline);
    assert_int_equal(kill(wait_pid(pid_file, pid), 0), 0);
    no_more_states(states);
    remove_resource(w, app);
    remove_group(group);
    assert_true(CloseClusterNotifyPort(states));
}

/* A start under way when the service is killed is found out about, too. */
static void test_killed_while_starting(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"g");
    HRESOURCE r = make_resource(group, L"r", L"Dummy");
    HCHANGE states = watch_states(w);

    for (int i = 0; i < 5; i++) {
        assert_int_equal(OnlineClusterResource(r), ERROR_IO_PENDING);
        service_restart(w->service);
        resource_goes(states, L"r", ONLINE_PENDING);
        group_goes(states, L"g", ClusterGroupPending);
        resource_goes(states, L"r", ONLINE);
        group_goes(states, L"g", ClusterGroupOnline);
        assert_int_equal(OfflineClusterResource(r), ERROR_IO_PENDING);
        service_restart(w->service);
        resource_goes(states, L"r", OFFLINE_PENDING);
        group_goes(states, L"g", ClusterGroupPending);
        resource_goes(states, L"r", OFFLINE);
        group_goes(states, L"g", ClusterGroupOffline);
    }
    no_more_states(states);
    remove_resource(w, r);
    remove_group(group);
    assert_true(CloseClusterNotifyPort(states));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_killed_while_at_work, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_handles_survive, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_stopped_in_order, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_applications, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_killed_while_starting, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
