/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notify/states.h"

/* The exact order of states, of real agents. */

struct stage {
    struct world *w;
    HGROUP group;
    HCHANGE port;
};

static void test_online_and_offline(void **state)
{
    struct stage *s = *state;
    HRESOURCE r = make_resource(s->group, L"r", L"Dummy");

    no_more_states(s->port);
    assert_int_equal(OnlineClusterResource(r), ERROR_IO_PENDING);
    resource_goes(s->port, L"r", ONLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"r", ONLINE);
    group_goes(s->port, L"g", ClusterGroupOnline);
    assert_int_equal(OnlineClusterResource(r), ERROR_SUCCESS);
    no_more_states(s->port);
    assert_int_equal(DeleteClusterResource(r), ERROR_RESOURCE_ONLINE);
    assert_int_equal(OfflineClusterResource(r), ERROR_IO_PENDING);
    resource_goes(s->port, L"r", OFFLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"r", OFFLINE);
    group_goes(s->port, L"g", ClusterGroupOffline);
    assert_int_equal(OfflineClusterResource(r), ERROR_SUCCESS);
    remove_resource(s->w, r);
    no_more_states(s->port);
}

/* Providers come first and go last; the group is Pending all the time. */
static void test_dependencies(void **state)
{
    struct stage *s = *state;
    HRESOURCE disk = make_resource(s->group, L"disk", L"Dummy");
    HRESOURCE app = make_resource(s->group, L"app", L"Dummy");

    assert_int_equal(AddClusterResourceDependency(app, disk), ERROR_SUCCESS);
    assert_int_equal(OnlineClusterGroup(s->group, NULL), ERROR_IO_PENDING);
    resource_goes(s->port, L"disk", ONLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"app", ONLINE_PENDING);
    resource_goes(s->port, L"disk", ONLINE);
    resource_goes(s->port, L"app", ONLINE);
    group_goes(s->port, L"g", ClusterGroupOnline);

    assert_int_equal(OfflineClusterResource(disk), ERROR_IO_PENDING);
    resource_goes(s->port, L"app", OFFLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"disk", OFFLINE_PENDING);
    resource_goes(s->port, L"app", OFFLINE);
    resource_goes(s->port, L"disk", OFFLINE);
    group_goes(s->port, L"g", ClusterGroupOffline);

    /* What a resource needs comes with it. */
    assert_int_equal(OnlineClusterResource(app), ERROR_IO_PENDING);
    resource_goes(s->port, L"disk", ONLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"app", ONLINE_PENDING);
    resource_goes(s->port, L"disk", ONLINE);
    resource_goes(s->port, L"app", ONLINE);
    group_goes(s->port, L"g", ClusterGroupOnline);
    assert_int_equal(DeleteClusterResource(disk), ERROR_DEPENDENT_RESOURCE_EXISTS);

    /* Of the group's state only those count that nobody depends on. */
    assert_int_equal(OfflineClusterResource(app), ERROR_IO_PENDING);
    resource_goes(s->port, L"app", OFFLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"app", OFFLINE);
    group_goes(s->port, L"g", ClusterGroupOffline);
    remove_resource(s->w, app);
    group_goes(s->port, L"g", ClusterGroupOnline); /* the disk is on top now */
    remove_resource(s->w, disk);
}

static void test_group_of_two(void **state)
{
    struct stage *s = *state;
    HRESOURCE one = make_resource(s->group, L"one", L"Dummy");
    HRESOURCE two = make_resource(s->group, L"two", L"Dummy");

    assert_int_equal(OnlineClusterResource(one), ERROR_IO_PENDING);
    resource_goes(s->port, L"one", ONLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"one", ONLINE);
    group_goes(s->port, L"g", ClusterGroupPartialOnline);
    assert_int_equal(OnlineClusterResource(two), ERROR_IO_PENDING);
    resource_goes(s->port, L"two", ONLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"two", ONLINE);
    group_goes(s->port, L"g", ClusterGroupOnline);
    remove_resource(s->w, one);
    remove_resource(s->w, two);
}

static void goes_failed_and_back(HCHANGE port, LPCWSTR name)
{
    resource_goes(port, name, FAILED);
    group_goes(port, L"g", ClusterGroupFailed);
    resource_goes(port, name, ONLINE_PENDING);
    group_goes(port, L"g", ClusterGroupPending);
    resource_goes(port, name, ONLINE);
    group_goes(port, L"g", ClusterGroupOnline);
}

static void goes_online(HCHANGE port, HRESOURCE r, LPCWSTR name)
{
    assert_int_equal(OnlineClusterResource(r), ERROR_IO_PENDING);
    resource_goes(port, name, ONLINE_PENDING);
    group_goes(port, L"g", ClusterGroupPending);
    resource_goes(port, name, ONLINE);
    group_goes(port, L"g", ClusterGroupOnline);
}

static void test_fail_by_request(void **state)
{
    struct stage *s = *state;
    HRESOURCE r = make_resource(s->group, L"r", L"Dummy");

    set_common(r, number(L"RestartDelay", 10));
    assert_int_equal(FailClusterResource(r), ERROR_INVALID_STATE);
    goes_online(s->port, r, L"r");
    assert_int_equal(FailClusterResource(r), ERROR_SUCCESS);
    goes_failed_and_back(s->port, L"r");

    /* RestartAction 0: it stays. */
    set_common(r, number(L"RestartAction", ClusterResourceDontRestart));
    assert_int_equal(FailClusterResource(r), ERROR_SUCCESS);
    resource_goes(s->port, L"r", FAILED);
    group_goes(s->port, L"g", ClusterGroupFailed);
    remove_resource(s->w, r);
}

/* A failed provider takes its dependents along, and brings them back. */
static void test_failed_provider(void **state)
{
    struct stage *s = *state;
    HRESOURCE disk = make_resource(s->group, L"disk", L"Dummy");
    HRESOURCE app = make_resource(s->group, L"app", L"Dummy");

    set_common(disk, number(L"RestartDelay", 10));
    assert_int_equal(AddClusterResourceDependency(app, disk), ERROR_SUCCESS);
    online_and_wait(s->w, app);
    assert_true(CloseClusterNotifyPort(s->port));
    s->port = watch_states(s->w);
    assert_int_equal(FailClusterResource(disk), ERROR_SUCCESS);
    resource_goes(s->port, L"disk", FAILED);
    group_goes(s->port, L"g", ClusterGroupFailed);
    resource_goes(s->port, L"app", OFFLINE_PENDING);
    resource_goes(s->port, L"app", OFFLINE);
    resource_goes(s->port, L"disk", ONLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"app", ONLINE_PENDING);
    resource_goes(s->port, L"disk", ONLINE);
    resource_goes(s->port, L"app", ONLINE);
    group_goes(s->port, L"g", ClusterGroupOnline);
    remove_resource(s->w, app);
    remove_resource(s->w, disk);
}

/* The application's process dies: it is restarted, until that was too often. */
static void test_killed_application(void **state)
{
    struct stage *s = *state;
    char pid_file[128];

    snprintf(pid_file, sizeof pid_file, "%s/app.pid", service_folder(s->w->service));
    HRESOURCE app = make_application(s->group, L"app", pid_file);
    set_common(app, number(L"RestartThreshold", 1));
    goes_online(s->port, app, L"app");
    pid_t first = wait_pid(pid_file, 0);
    assert_int_equal(kill(first, SIGKILL), 0);
    goes_failed_and_back(s->port, L"app");
    pid_t second = wait_pid(pid_file, first);
    assert_int_equal(kill(second, SIGKILL), 0);
    resource_goes(s->port, L"app", FAILED);
    group_goes(s->port, L"g", ClusterGroupFailed);

    /* Another one, with the same delay, fails later and is back: this one stays. */
    HGROUP other = make_group(s->w, L"other");
    HRESOURCE clock = make_resource(other, L"clock", L"Dummy");
    set_common(clock, number(L"RestartDelay", 50));
    online_and_wait(s->w, clock);
    assert_int_equal(FailClusterResource(clock), ERROR_SUCCESS);
    wait_resource_state(s->w, clock, ClusterResourceOnline);
    assert_int_equal(GetClusterResourceState(app, NULL, NULL, NULL, NULL), ClusterResourceFailed);

    /* A person may try again. */
    online_and_wait(s->w, app);
    remove_resource(s->w, app);
    remove_resource(s->w, clock);
    remove_group(other);
}

/* A start that does not end in time is a failure; so is its stop, and a person has to look. */
static void test_pending_timeout(void **state)
{
    struct stage *s = *state;
    HRESOURCE r = make_resource(s->group, L"r", L"Talker");

    set_common(r, number(L"PendingTimeout", 200));
    set_private(r, text(L"act", L"hang"));
    assert_int_equal(OnlineClusterResource(r), ERROR_IO_PENDING);
    resource_goes(s->port, L"r", ONLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"r", FAILED);
    group_goes(s->port, L"g", ClusterGroupFailed);
    assert_int_equal(OfflineClusterResource(r), ERROR_IO_PENDING);
    resource_goes(s->port, L"r", OFFLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"r", FAILED);
    group_goes(s->port, L"g", ClusterGroupFailed);
    set_private(r, text(L"act", L"well"));
    assert_int_equal(OfflineClusterResource(r), ERROR_IO_PENDING);
    resource_goes(s->port, L"r", OFFLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"r", OFFLINE);
    group_goes(s->port, L"g", ClusterGroupOffline);
    remove_resource(s->w, r);
}

/* A start that fails. */
static void test_failed_start(void **state)
{
    struct stage *s = *state;
    HRESOURCE r = make_resource(s->group, L"r", L"Generic Application");

    set_common(r, number(L"RestartAction", ClusterResourceDontRestart));
    set_private(r, text(L"CommandLine", L"/nonexistent/program"));
    assert_int_equal(OnlineClusterResource(r), ERROR_IO_PENDING);
    resource_goes(s->port, L"r", ONLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"r", FAILED);
    group_goes(s->port, L"g", ClusterGroupFailed);
    remove_resource(s->w, r);
}

/* Deleting a resource that failed leaves its group as it then is. */
static void test_deletion(void **state)
{
    struct stage *s = *state;
    HCHANGE v1 = watch(s->w,
                       CLUSTER_CHANGE_RESOURCE_DELETED | CLUSTER_CHANGE_GROUP_DELETED |
                           CLUSTER_CHANGE_GROUP_STATE | CLUSTER_CHANGE_GROUP_PROPERTY,
                       1);
    HRESOURCE r = make_resource(s->group, L"r", L"Dummy");

    expect_event(v1, CLUSTER_CHANGE_GROUP_PROPERTY, 1, L"g");
    assert_int_equal(DeleteClusterGroup(s->group), ERROR_DIR_NOT_EMPTY);
    expect_nothing(v1);
    assert_int_equal(DeleteClusterResource(r), ERROR_SUCCESS);
    expect_event(v1, CLUSTER_CHANGE_RESOURCE_DELETED, 1, L"r");
    expect_event(v1, CLUSTER_CHANGE_GROUP_PROPERTY, 1, L"g");
    expect_nothing(v1);
    assert_null(OpenClusterResource(s->w->cluster, L"r"));
    assert_int_equal(GetLastError(), ERROR_RESOURCE_NOT_FOUND);
    assert_int_equal(OnlineClusterResource(r), ERROR_RESOURCE_NOT_AVAILABLE);
    assert_true(CloseClusterResource(r));
    assert_true(CloseClusterNotifyPort(v1));
}

/* ---- a file system on a loop device ---- */

static char *make_loop_device(const char *folder)
{
    char command[512], device[64] = "";

    snprintf(command, sizeof command,
             "truncate -s 16M %s/disk.img && mkfs.ext4 -q %s/disk.img && mkdir %s/mnt && "
             "losetup -f --show %s/disk.img",
             folder, folder, folder, folder);
    FILE *f = popen(command, "re");
    assert_non_null(f);
    int n = fscanf(f, "%63s", device);
    if (pclose(f) != 0 || n != 1)
        return NULL;
    return strdup(device);
}

static void test_physical_disk(void **state)
{
    struct stage *s = *state;
    const char *folder = service_folder(s->w->service);
    char mount[128];

    if (geteuid() != 0)
        skip();
    char *device = make_loop_device(folder);
    if (!device)
        skip();
    snprintf(mount, sizeof mount, "%s/mnt", folder);
    HRESOURCE disk = make_resource(s->group, L"disk", L"Physical Disk");
    set_private(disk, text(L"Device", wide(device)));
    set_private(disk, text(L"Directory", wide(mount)));
    set_private(disk, text(L"FSType", L"ext4"));
    goes_online(s->port, disk, L"disk");
    shell("mountpoint -q %s", mount);
    assert_int_equal(OfflineClusterResource(disk), ERROR_IO_PENDING);
    resource_goes(s->port, L"disk", OFFLINE_PENDING);
    group_goes(s->port, L"g", ClusterGroupPending);
    resource_goes(s->port, L"disk", OFFLINE);
    group_goes(s->port, L"g", ClusterGroupOffline);
    shell("! mountpoint -q %s", mount);
    remove_resource(s->w, disk);
    shell("losetup -d %s", device);
    free(device);
}

/* ---- the stage ---- */

static int stage_setup(void **state)
{
    struct stage *s = calloc(1, sizeof(*s));

    s->w = world_start(NULL);
    s->group = make_group(s->w, L"g");
    s->port = watch_states(s->w);
    *state = s;
    return 0;
}

static int stage_teardown(void **state)
{
    struct stage *s = *state;

    CloseClusterNotifyPort(s->port);
    DWORD error = DeleteClusterGroup(s->group);
    CloseClusterGroup(s->group);
    world_stop(s->w);
    assert_int_equal(error, ERROR_SUCCESS);
    free(s);
    return 0;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_online_and_offline), CASE(test_dependencies),    CASE(test_group_of_two),
        CASE(test_fail_by_request),    CASE(test_failed_provider), CASE(test_killed_application),
        CASE(test_pending_timeout),    CASE(test_failed_start),    CASE(test_deletion),
        CASE(test_physical_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
