/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "clusport.h"
#include "faults/driver.h"
#include "rpc/rpc_interface.h"
#include "support/campaign.h"
#include "support/service.h"

/* The service, each call of its own made to fail. This program is its client, and never fails. */

#define LONG_MS 20000
#define SHORT_MS 100
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DEEPER_EVERY 16 /* runs after which all is looked at once more after a kill */

static struct test_service *service;
static struct fault_page *page;
static HCLUSTER cluster;
static unsigned runs;

/* ---- what is true ---- */

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
    case ERROR_DISK_FULL:
    case ERROR_IO_DEVICE:
    case ERROR_GEN_FAILURE:
    case RPC_S_SERVER_UNAVAILABLE:
        return TRUTH_NOT_DONE;
    default:
        EXPECT(false, "error %u is not one of a service in trouble", error);
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

static DWORD error_of(bool success)
{
    return success ? ERROR_SUCCESS : GetLastError();
}

/* ---- the service's life ---- */

static bool is_logged(const char *pattern)
{
    char line[4096];
    regex_t wanted;
    bool found = false;
    FILE *log = fopen(service_log(service), "re");
    EXPECT(log && regcomp(&wanted, pattern, REG_EXTENDED | REG_NOSUB) == 0, "%m");
    while (!found && fgets(line, sizeof(line), log))
        found = regexec(&wanted, line, 0, NULL, 0) == 0;
    regfree(&wanted);
    fclose(log);
    return found;
}

/* What a run looks for in the log is of that run. */
static void forget_log(void)
{
    EXPECT(truncate(service_log(service), 0) == 0, "%m");
}

/* It may end for what failed, but not by a signal, and not without a word, which is true. */
static void expect_ended_well(int status)
{
    bool memory = page->class == FAULT_MEMORY;
    bool can_speak = page->class != FAULT_IO || !page->persistent; /* the log is a file, too */
    EXPECT(WIFEXITED(status), "the service was ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) == 0)
        return;
    EXPECT(faults_hit() > 0, "the service ended with %d for nothing", WEXITSTATUS(status));
    /* A thread whose stack could not be had is what is "temporarily unavailable". */
    EXPECT(!can_speak || is_logged(memory ? "error=.*(memory|temporarily)" : "error="),
           "the service ended with %d and did not say why in %s", WEXITSTATUS(status),
           service_log(service));
    EXPECT(!memory || !is_logged("Bad message|Input/output|type_file_bad"),
           "the files are whole, and the service says in %s that they are not",
           service_log(service));
}

/* The service as it is without faults: started again if it ended. */
static void revive(void)
{
    int status;
    if (service_pid(service) > 0 && !service_ended(service, &status))
        return;
    if (service_pid(service) == 0)
        status = 0;
    expect_ended_well(status);
    service_again(service);
}

/* As the system's manager does: a service that ends while it is asked is started again, and what
 * lasts has lasted for a life. */
static void *supervise(void *context)
{
    const int *done = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = *done, .events = POLLIN},
                               {.fd = service_pidfd(service), .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 || fds[0].revents)
            return NULL;
        atomic_store(&page->armed, false);
        revive();
    }
}

static void supervised(void (*body)(void))
{
    pthread_t supervisor;
    int done = eventfd(0, EFD_CLOEXEC);
    EXPECT(done >= 0 && pthread_create(&supervisor, NULL, supervise, &done) == 0, "%m");
    body();
    EXPECT(eventfd_write(done, 1) == 0 && pthread_join(supervisor, NULL) == 0, "%m");
    close(done);
}

/* Until the service takes changes again: a disk that did not work is tried in intervals. */
static void settle(void)
{
    DWORD error;
    HKEY root = NULL;
    do {
        revive();
        error = error_of(root || (root = GetClusterKey(cluster, KEY_ALL_ACCESS)));
        if (error == ERROR_SUCCESS)
            error = ClusterRegSetValue(root, L"settled", REG_BINARY, (const BYTE *)"1", 1);
    } while (truth_of(error) != TRUTH_DONE);
    ClusterRegCloseKey(root);
}

/* ---- requests ---- */

static DWORD created, renamed, stored, made_key, made_resource;
static HCHANGE port;
static HGROUP group;

static bool group_is_there(LPCWSTR name)
{
    HGROUP found = OpenClusterGroup(cluster, name);
    EXPECT(found || GetLastError() == ERROR_GROUP_NOT_FOUND, "error %u", GetLastError());
    if (found)
        CloseClusterGroup(found);
    return found != NULL;
}

static bool resource_is_there(LPCWSTR name)
{
    HRESOURCE found = OpenClusterResource(cluster, name);
    EXPECT(found || GetLastError() == ERROR_RESOURCE_NOT_FOUND, "error %u", GetLastError());
    if (found)
        CloseClusterResource(found);
    return found != NULL;
}

static bool value_is_there(void)
{
    HKEY root = GetClusterKey(cluster, KEY_ALL_ACCESS), key = NULL;
    EXPECT(root, "error %u", GetLastError());
    bool there = false;
    if (ClusterRegOpenKey(root, L"Faults", KEY_READ, &key) == ERROR_SUCCESS) {
        DWORD size = 0;
        there = ClusterRegQueryValue(key, L"value", NULL, NULL, &size) == ERROR_SUCCESS;
        ClusterRegCloseKey(key);
    }
    ClusterRegCloseKey(root);
    return there;
}

static void open_port(void)
{
    const CLUSPORT_FILTER filter = {.cbSize = sizeof(filter),
                                    .pszKinds = "group.added,group.deleted"};
    settle();
    forget_log();
    EXPECT_CODE(ClusportCreatePort(cluster, &filter, 1, NULL, &port), ERROR_SUCCESS);
}

static void ask_all(void)
{
    HRESOURCE resource;
    HKEY root, key = NULL;
    created = renamed = stored = made_key = made_resource = RPC_S_SERVER_UNAVAILABLE;
    group = CreateClusterGroup(cluster, L"made");
    created = error_of(group);
    if (group) {
        renamed = SetClusterGroupName(group, L"renamed");
        resource = CreateClusterResource(group, L"disk", L"ocf:heartbeat:Dummy", 0);
        made_resource = error_of(resource);
        if (resource)
            CloseClusterResource(resource);
    }
    root = GetClusterKey(cluster, KEY_ALL_ACCESS);
    truth_of(error_of(root));
    if (!root)
        return;
    made_key = (DWORD)ClusterRegCreateKey(root, L"Faults", 0, KEY_ALL_ACCESS, NULL, &key, NULL);
    if (made_key == ERROR_SUCCESS) {
        stored = ClusterRegSetValue(key, L"value", REG_BINARY, (const BYTE *)"12345", 5);
        ClusterRegCloseKey(key);
    }
    ClusterRegCloseKey(root);
}

static void body_requests(void)
{
    supervised(ask_all);
}

static void check_requests(void)
{
    bool there = group_is_there(L"made"), by_new_name = group_is_there(L"renamed");
    expect_truth(created, there || by_new_name, "CreateClusterGroup");
    if (group) {
        expect_truth(renamed, by_new_name, "SetClusterGroupName");
        expect_truth(made_resource, resource_is_there(L"disk"), "CreateClusterResource");
    }
    if (made_key == ERROR_SUCCESS)
        expect_truth(stored, value_is_there(), "ClusterRegSetValue");
}

/* What the port tells is what happened: no more, and no less. */
static void check_told(bool was_made)
{
    bool told = false, last = false;
    HGROUP end = CreateClusterGroup(cluster, L"end");
    EXPECT(end, "error %u", GetLastError());
    while (!last) {
        CLUSPORT_NOTIFICATION *n = NULL;
        EXPECT_CODE(ClusportGetNotification(port, LONG_MS, &n), ERROR_SUCCESS);
        told |= strcmp(n->pszKind, "group.added") == 0 && lstrcmpW(n->pszName, L"made") == 0;
        last = lstrcmpW(n->pszName, L"end") == 0;
        EXPECT(n->ullLostCount == 0, "the port says that it lost %llu",
               (unsigned long long)n->ullLostCount);
        ClusportFreeNotification(n);
    }
    EXPECT(told == was_made, "the group was %s, and the port told of %s",
           was_made ? "made" : "not made", told ? "it" : "nothing");
    EXPECT_CODE(DeleteClusterGroup(end), ERROR_SUCCESS);
    CloseClusterGroup(end);
}

static void remove_all(void)
{
    HRESOURCE resource = OpenClusterResource(cluster, L"disk");
    if (resource) {
        EXPECT_CODE(DeleteClusterResource(resource), ERROR_SUCCESS);
        CloseClusterResource(resource);
    }
    for (unsigned i = 0; i < 2; i++) {
        HGROUP found = OpenClusterGroup(cluster, i ? L"renamed" : L"made");
        if (!found)
            continue;
        EXPECT_CODE(DeleteClusterGroup(found), ERROR_SUCCESS);
        CloseClusterGroup(found);
    }
    HKEY root = GetClusterKey(cluster, KEY_ALL_ACCESS);
    LONG error = ClusterRegDeleteKey(root, L"Faults");
    EXPECT(error == ERROR_SUCCESS || error == ERROR_FILE_NOT_FOUND, "error %d", error);
    ClusterRegCloseKey(root);
}

static void after_requests(void)
{
    settle();
    check_requests();
    if (++runs % DEEPER_EVERY == 0) {
        service_restart(service);
        settle();
        check_requests();
    }
    check_told(group_is_there(L"made") || group_is_there(L"renamed"));
    if (group)
        CloseClusterGroup(group);
    EXPECT(CloseClusterNotifyPort(port), "error %u", GetLastError());
    remove_all();
}

/* ---- reads, and ports of other programs ---- */

static void read_code(DWORD error)
{
    truth_of(error);
    EXPECT(error == ERROR_SUCCESS || faults_hit() > 0, "error %u for nothing", error);
}

static void read_all(void)
{
    const CLUSPORT_FILTER filter = {.cbSize = sizeof(filter), .pszKinds = "group.*"};
    const CLUSPORT_OPTIONS since = {.cbSize = sizeof(since), .fSince = TRUE, .ullSince = 1},
                           snapshot = {.cbSize = sizeof(snapshot), .fSnapshot = TRUE};
    CLUSPORT_NOTIFICATION *n = NULL;
    CLUSPORT_PORT *ports = NULL;
    DWORD count, size = 0, type;
    WCHAR name[64];
    HCLUSTER own = OpenCluster(NULL);
    read_code(error_of(own));
    if (!own)
        return;
    HCLUSENUM list = ClusterOpenEnum(own, CLUSTER_ENUM_GROUP | CLUSTER_ENUM_RESTYPE);
    read_code(error_of(list));
    if (list) {
        size = COUNT(name);
        read_code(ClusterEnum(list, 0, &type, name, &size));
        ClusterCloseEnum(list);
    }
    HGROUP kept = OpenClusterGroup(own, L"kept");
    read_code(error_of(kept));
    BYTE properties[1024];
    if (kept)
        read_code(ClusterGroupControl(kept, NULL, CLUSCTL_GROUP_GET_COMMON_PROPERTIES, NULL, 0,
                                      properties, sizeof(properties), &size));
    for (unsigned i = 0; i < 2; i++) {
        HCHANGE p = NULL;
        DWORD error = ClusportCreatePort(own, &filter, 1, i ? &snapshot : &since, &p);
        read_code(error);
        if (error != ERROR_SUCCESS)
            continue;
        /* The ring is small: from the journal. A service that can never again answer is one that
         * is away, and a port waits for it. */
        error = ClusportGetNotification(p, page->persistent ? SHORT_MS : LONG_MS, &n);
        if (error != WAIT_TIMEOUT || !page->persistent)
            read_code(error);
        ClusportFreeNotification(error == ERROR_SUCCESS ? n : NULL);
        CloseClusterNotifyPort(p);
    }
    DWORD error = ClusportListPorts(own, &ports, &count);
    read_code(error);
    if (error == ERROR_SUCCESS)
        ClusportFreePorts(ports);
    EXPECT(CloseCluster(own), "error %u", GetLastError());
}

static void body_reads(void)
{
    supervised(read_all);
}

static void after_reads(void)
{
    settle();
    EXPECT(group_is_there(L"kept"), "what was there before is gone");
}

/* ---- a port over RPC: whoever waits is answered, and no event is lost ---- */

static struct rpc_client *wire;
static struct rpc_arena arena;
static struct rpc_context wire_port;
static uint32_t told_code, told_result;
static const char *told_name;

static void call(const struct rpc_op *op, void *arguments)
{
    EXPECT_CODE(rpc_client_call(wire, &rpc_cmrp, op, arguments, &arena), 0);
}

static void before_any_wire(const struct rpc_op *create_op)
{
    const struct rpc_client_options options = {
        .path = service_socket(service), .timeout_ms = LONG_MS, .cancel_fd = -1};
    struct cmrp_OpenCluster open = {0};
    struct cmrp_CreateNotify create = {0};
    settle();
    forget_log();
    EXPECT_CODE(rpc_client_connect(&options, &wire), 0);
    call(&cmrp_op_OpenCluster, &open);
    call(create_op, &create);
    wire_port = create.notify;
    if (create_op == &cmrp_op_CreateNotify) {
        struct cmrp_AddNotifyCluster add = {
            .notify = wire_port, .cluster = open.cluster, .filter = CLUSTER_CHANGE_GROUP_ADDED};
        call(&cmrp_op_AddNotifyCluster, &add);
        EXPECT_CODE(add.result, ERROR_SUCCESS);
    } else {
        struct cmrp_AddNotifyV2 add = {.notify = wire_port,
                                       .object = open.cluster,
                                       .filter = {.object_type = CLUSTER_OBJECT_TYPE_CLUSTER,
                                                  .flags = CLUSTER_CHANGE_CLUSTER_GROUP_ADDED_V2},
                                       .version = 2};
        call(&cmrp_op_AddNotifyV2, &add);
        EXPECT_CODE(add.result, ERROR_SUCCESS);
    }
    group = CreateClusterGroup(cluster, L"made");
    EXPECT(group, "error %u", GetLastError());
}

static void before_wire(void)
{
    before_any_wire(&cmrp_op_CreateNotify);
}

static void before_wire_v2(void)
{
    _Static_assert(sizeof(struct cmrp_CreateNotify) == sizeof(struct cmrp_CreateNotifyV2), "");
    before_any_wire(&cmrp_op_CreateNotifyV2);
}

/* The event is there. No other change comes that would wake a call which was forgotten. */
static void body_wire(void)
{
    struct cmrp_GetNotify a = {.notify = wire_port};
    told_code = rpc_client_call(wire, &rpc_cmrp, &cmrp_op_GetNotify, &a, &arena);
    told_result = a.result;
    told_name = a.name;
}

static void body_wire_many(void)
{
    struct cmrp_GetNotifyAsync a = {.notify = wire_port};
    told_code = rpc_client_call(wire, &rpc_cmrp, &cmrp_op_GetNotifyAsync, &a, &arena);
    told_result = a.result;
    told_name = a.notifications.count == 1 ? a.notifications.entries[0].name : NULL;
}

static void body_wire_v2(void)
{
    struct cmrp_GetNotifyV2 a = {.notify = wire_port};
    told_code = rpc_client_call(wire, &rpc_cmrp, &cmrp_op_GetNotifyV2, &a, &arena);
    told_result = a.result;
    told_name = a.notifications.count == 1 ? a.notifications.entries[0].name : NULL;
}

/* What one call could not have, the next one has, in whatever form it asks. */
static void after_any_wire(void (*ask_again)(void))
{
    bool failed = told_code != 0 || told_result != ERROR_SUCCESS;
    EXPECT(!failed || faults_hit() > 0, "error %#x, %u for nothing", told_code, told_result);
    EXPECT(!failed || truth_of(told_code ? told_code : told_result) != TRUTH_DONE, "no error");
    if (failed && !rpc_client_broken(wire)) {
        ask_again();
        EXPECT_CODE(told_code, 0);
        EXPECT_CODE(told_result, ERROR_SUCCESS);
    }
    if (told_code == 0)
        EXPECT(told_name && strcmp(told_name, "made") == 0, "an event of %s", told_name);
    rpc_client_close(wire);
    rpc_client_unref(wire);
    rpc_arena_fini(&arena);
    CloseClusterGroup(group);
    settle();
    remove_all();
}

static void after_wire(void)
{
    after_any_wire(body_wire_many);
}

static void after_wire_many(void)
{
    after_any_wire(body_wire);
}

static void after_wire_v2(void)
{
    after_any_wire(body_wire_v2);
}

/* ---- from a start to a stop ---- */

static int64_t blocks_of_a_good_life;

static void before_life(void)
{
    if (service_pid(service) > 0)
        service_halt(service);
    forget_log();
}

static void body_life(void)
{
    int status;
    bool ready = service_try(service, &status);
    EXPECT(!ready || page->class != FAULT_MEMORY || !is_logged("type_file_bad"),
           "the service is ready, and took a type's whole file for a bad one");
    if (ready)
        status = service_signal(service, SIGTERM);
    expect_ended_well(status);
}

/* What memory was short of is not on the disk: in a campaign, not after each of its many lives. */
static bool is_to_be_looked_at(void)
{
    return !campaign_runs() || page->class != FAULT_MEMORY || faults_hit() == 0 ||
           ++runs % DEEPER_EVERY == 0;
}

static void after_life(void)
{
    int64_t blocks = atomic_load(&page->blocks_at_exit);
    if (faults_hit() == 0)
        blocks_of_a_good_life = MAX(blocks_of_a_good_life, blocks);
    EXPECT(blocks <= blocks_of_a_good_life, "%ld blocks of memory were held at the end, not %ld",
           (long)blocks, (long)blocks_of_a_good_life);
    if (!is_to_be_looked_at())
        return;
    service_again(service);
    settle();
    EXPECT(group_is_there(L"kept"), "what was there before is gone");
}

static void before_first_life(void)
{
    before_life();
    service_forget(service);
}

/* Another cluster: the handle of the one before is of no use to it. */
static void after_first_life(void)
{
    if (!is_to_be_looked_at())
        return;
    service_again(service);
    CloseCluster(cluster);
    cluster = OpenCluster(NULL);
    EXPECT(cluster, "error %u", GetLastError());
    settle();
    EXPECT(!group_is_there(L"kept"), "a group of another life");
}

#define IO (1u << FAULT_IO)
#define MEMORY (1u << FAULT_MEMORY)

/* With so few cases none is of a failure that lasts: those end with somebody's patience, and are
 * the campaign's. Not even there a service that can never again accept anyone: to a reader that is
 * a silent one, a whole CLUSPORT_CALL_TIMEOUT for each attempt. */
static const struct fault_task tasks[] = {
    {"requests", open_port, body_requests, after_requests, FAULTS_ALL & ~IO, 3, 0, true},
    {"reads", settle, body_reads, after_reads, FAULTS_ALL, 3, 1u << FAULT_DESCRIPTOR, true},
    {"wire", before_wire, body_wire, after_wire, MEMORY, 0, MEMORY, false},
    {"wire-many", before_wire, body_wire_many, after_wire_many, MEMORY, 0, MEMORY, false},
    {"wire-v2", before_wire_v2, body_wire_v2, after_wire_v2, MEMORY, 0, MEMORY, false},
    {"life", before_life, body_life, after_life, FAULTS_ALL, 3, 0, false},
    {"first-life", before_first_life, body_life, after_first_life, FAULTS_ALL, 3, 0, false},
};

/* A case takes half a minute now and then: not for make check. */
static const struct fault_task requests_io = {
    "requests-io", open_port, body_requests, after_requests, IO, 3, 0, true};

int main(int argc, char *argv[])
{
    const char *const args[] = {"--feed-size", "65536", NULL};
    const char *environment[3];
    (void)argc;
    faults_begin(argv);
    faults_share();
    page = faults_shared_page(environment);
    service_environment(environment);
    service = service_start(args);
    cluster = OpenCluster(NULL);
    EXPECT(cluster, "error %u", GetLastError());
    HGROUP kept = CreateClusterGroup(cluster, L"kept");
    EXPECT(kept, "error %u", GetLastError());
    CloseClusterGroup(kept);
    for (size_t i = 0; i < COUNT(tasks); i++)
        faults_run(page, &tasks[i]);
    if (campaign_runs())
        faults_run(page, &requests_io);
    CloseCluster(cluster);
    service_stop(service);
    return 0;
}
