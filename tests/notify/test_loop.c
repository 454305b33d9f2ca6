/* SPDX-License-Identifier: MIT */
#include "notify/loop.h"

#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* The documented loop: one thread waits in GetClusterNotify, while another works with the cluster;
 * closing the cluster ends the first. */

#define MOST_EVENTS 64
#define KEY ((DWORD_PTR)0xfeedfacecafebeefu)

struct told {
    DWORD flag;
    DWORD_PTR key;
    WCHAR name[NAME_ROOM];
};

struct watcher {
    struct world *w;
    HCHANGE port;
    struct told told[MOST_EVENTS];
    size_t count;
    bool dummy_was_there; /* RESOURCE_ADDED led to a resource of type Dummy */
    sem_t one_told;
};

static bool is_dummy(HCLUSTER cluster, LPCWSTR name)
{
    WCHAR type[NAME_ROOM];
    DWORD size = 0;
    HRESOURCE resource = OpenClusterResource(cluster, name);

    if (!resource)
        return false;
    DWORD error = ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_GET_RESOURCE_TYPE, NULL,
                                         0, type, sizeof type, &size);
    CloseClusterResource(resource);
    return error == ERROR_SUCCESS && size == sizeof L"Dummy" && lstrcmpi(type, L"DUMMY") == 0;
}

static DWORD WINAPI wait_for_events(LPVOID parameter)
{
    struct watcher *me = parameter;
    DWORD error = ERROR_SUCCESS, flag = 0;

    while (flag != CLUSTER_CHANGE_HANDLE_CLOSE && me->count < MOST_EVENTS) {
        struct told *t = &me->told[me->count];
        DWORD length = NAME_ROOM;

        error = GetClusterNotify(me->port, &t->key, &flag, t->name, &length, EVENT_WAIT_MS);
        if (error != ERROR_SUCCESS)
            return error;
        t->flag = flag;
        me->count++;
        if (flag == CLUSTER_CHANGE_RESOURCE_ADDED)
            me->dummy_was_there = is_dummy(me->w->cluster, t->name);
        sem_post(&me->one_told);
    }
    return 4711;
}

static HANDLE start_watcher(struct watcher *me, struct world *w, DWORD filter)
{
    *me = (struct watcher){.w = w};
    sem_init(&me->one_told, 0, 0);
    me->port = watch(w, filter, KEY);
    HANDLE thread = CreateThread(NULL, 0, wait_for_events, me, 0, NULL);
    assert_non_null(thread);
    return thread;
}

/* The watcher has been told of that many events. */
static void await(struct watcher *me, size_t count)
{
    while (count-- > 0)
        sem_wait(&me->one_told);
}

struct step {
    DWORD flag;
    LPCWSTR name;
};

static void assert_told(const struct watcher *me, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count && i < me->count; i++) {
        const struct told *t = &me->told[i];
        if (t->flag != steps[i].flag || wcscmp(t->name, steps[i].name) != 0)
            fail_msg("event %zu: wanted %s \"%ls\", got %s \"%ls\"", i, flag_name(steps[i].flag),
                     steps[i].name, flag_name(t->flag), t->name);
        assert_true(t->key == KEY);
    }
    assert_int_equal(me->count, count);
}

static void end_watcher(struct watcher *me, HANDLE thread)
{
    DWORD code = 0;

    assert_int_equal(WaitForSingleObject(thread, EVENT_WAIT_MS), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, 4711);
    assert_true(CloseHandle(thread));
    /* The cluster's handle is closed already; the port is not. */
    expect_nothing(me->port);
    assert_true(CloseClusterNotifyPort(me->port));
    sem_destroy(&me->one_told);
}

/* What the documented program asks for. */
#define SAMPLE_FILTER                                                                              \
    (CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_GROUP_DELETED | CLUSTER_CHANGE_GROUP_STATE |      \
     CLUSTER_CHANGE_RESOURCE_ADDED | CLUSTER_CHANGE_RESOURCE_DELETED |                             \
     CLUSTER_CHANGE_RESOURCE_STATE | CLUSTER_CHANGE_HANDLE_CLOSE)

static void work(struct watcher *me, struct world *w)
{
    HGROUP group = make_group(w, L"Group");
    HRESOURCE resource = make_resource(group, L"Resource", L"Dummy");
    await(me, 2); /* it looks at the resource before that goes on */

    assert_int_equal(OnlineClusterGroup(group, NULL), ERROR_IO_PENDING);
    await(me, 4);
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOnline);
    assert_int_equal(OfflineClusterGroup(group), ERROR_IO_PENDING);
    await(me, 4);
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOffline);
    assert_int_equal(DeleteClusterResource(resource), ERROR_SUCCESS);
    assert_true(CloseClusterResource(resource));
    remove_group(group);
    /* Not waited for: what happened before the close is told before it. */
    assert_true(CloseCluster(w->cluster));
    w->cluster = NULL;
}

static void test_the_documented_loop(void **state)
{
    static const struct step steps[] = {
        {CLUSTER_CHANGE_GROUP_ADDED, L"Group"},
        {CLUSTER_CHANGE_RESOURCE_ADDED, L"Resource"},
        {CLUSTER_CHANGE_RESOURCE_STATE, L"Resource"}, /* OnlinePending */
        {CLUSTER_CHANGE_GROUP_STATE, L"Group"},       /* Pending */
        {CLUSTER_CHANGE_RESOURCE_STATE, L"Resource"}, /* Online */
        {CLUSTER_CHANGE_GROUP_STATE, L"Group"},       /* Online */
        {CLUSTER_CHANGE_RESOURCE_STATE, L"Resource"}, /* OfflinePending */
        {CLUSTER_CHANGE_GROUP_STATE, L"Group"},       /* Pending */
        {CLUSTER_CHANGE_RESOURCE_STATE, L"Resource"}, /* Offline */
        {CLUSTER_CHANGE_GROUP_STATE, L"Group"},       /* Offline */
        {CLUSTER_CHANGE_RESOURCE_DELETED, L"Resource"},
        {CLUSTER_CHANGE_GROUP_DELETED, L"Group"},
        {CLUSTER_CHANGE_HANDLE_CLOSE, L"testcluster"},
    };
    struct watcher me;
    HANDLE thread = start_watcher(&me, *state, SAMPLE_FILTER);
    DWORD code = 0;

    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, STILL_ACTIVE);
    work(&me, *state);
    end_watcher(&me, thread);
    assert_told(&me, steps, sizeof steps / sizeof steps[0]);
    assert_true(me.dummy_was_there);
}

/* The same with all flags: the resource's coming and going is a change of the group's too. */
static void test_with_all_flags(void **state)
{
    static const struct step steps[] = {
        {CLUSTER_CHANGE_GROUP_ADDED, L"Group"},
        {CLUSTER_CHANGE_RESOURCE_ADDED, L"Resource"},
        {CLUSTER_CHANGE_GROUP_PROPERTY, L"Group"},
        {CLUSTER_CHANGE_RESOURCE_DELETED, L"Resource"},
        {CLUSTER_CHANGE_GROUP_PROPERTY, L"Group"},
        {CLUSTER_CHANGE_GROUP_DELETED, L"Group"},
        {CLUSTER_CHANGE_HANDLE_CLOSE, L"testcluster"},
    };
    struct world *w = *state;
    struct watcher me;
    HANDLE thread = start_watcher(&me, w, CLUSTER_CHANGE_ALL);

    HGROUP group = make_group(w, L"Group");
    HRESOURCE resource = make_resource(group, L"Resource", L"Dummy");
    assert_int_equal(DeleteClusterResource(resource), ERROR_SUCCESS);
    assert_true(CloseClusterResource(resource));
    remove_group(group);
    assert_true(CloseCluster(w->cluster));
    w->cluster = NULL;
    end_watcher(&me, thread);
    assert_told(&me, steps, sizeof steps / sizeof steps[0]);
}

/* The thread may come too late: then there is no port, and no crash. */
static void test_port_after_close(void **state)
{
    struct world *w = *state;
    HCLUSTER gone = w->cluster;

    assert_true(CloseCluster(w->cluster));
    w->cluster = NULL;
    SetLastError(0);
    assert_null(CreateClusterNotifyPort(INVALID_HANDLE_VALUE, gone, SAMPLE_FILTER, KEY));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
}

/* ---- examples/sample.cpp, as it is built ---- */

static const char *const sample_lines[] = {
    "group added: SampleGroup",
    "resource added: SampleShare",
    "resource state: SampleShare",
    "group state: SampleGroup",
};

/* Its thread starts beside its other work, so the first events may be missed, and with bad luck all
 * of them; and what the share makes of being brought online and offline at once depends on who is
 * faster. What holds is the order, and that the close comes last and ends it. */
static void test_the_sample_program(void **state)
{
    (void)state;
    const char *argv[] = {built_path("examples/sample"), NULL};
    char *out = NULL, *err = NULL;

    /* As programs for Windows do, it gives what new[] made to LocalFree. */
    setenv("ASAN_OPTIONS", "alloc_dealloc_mismatch=0", 1);
    assert_int_equal(run_program(argv, &out, &err), 0);
    assert_string_equal(err, "");
    assert_int_equal(strncmp(out, "on ", 3), 0);
    const char *rest = strchr(out, '\n') + 1, *at = rest;
    const char *close = strstr(out, "cluster handle close: testcluster\n");
    if (*rest != '\0') {
        assert_non_null(close);
        assert_string_equal(close, "cluster handle close: testcluster\n");
    }
    for (size_t i = 0; i < sizeof sample_lines / sizeof sample_lines[0]; i++) {
        const char *found = strstr(rest, sample_lines[i]);
        if (!found)
            continue;
        assert_true(found >= at);
        at = found;
    }
    assert_null(strstr(out, "other"));
    free(out);
    free(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_documented_loop, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_with_all_flags, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_port_after_close, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_the_sample_program, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
