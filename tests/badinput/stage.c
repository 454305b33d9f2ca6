/* SPDX-License-Identifier: MIT */
#include "badinput/stage.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Where there is a sanitizer, its heap is the one that counts. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

/* ---- the witness ---- */

static void read_line(int fd, const char *wanted)
{
    char line[64];
    size_t at = 0;
    while (at < sizeof(line) - 1 && read(fd, line + at, 1) == 1 && line[at] != '\n')
        at++;
    line[at] = '\0';
    assert_string_equal(line, wanted);
}

static void start_witness(struct stage *s)
{
    const char *path = built_path("tests/badinput/badinput_witness");
    char *const argv[] = {(char *)path, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    assert_int_equal(posix_spawn(&s->witness, path, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    s->witness_output = ends[0];
    read_line(s->witness_output, "ready");
}

static void stop_witness(struct stage *s)
{
    int status = 0;
    assert_int_equal(ClusterRegSetValue(s->key, L"end", REG_BINARY, NULL, 0), ERROR_SUCCESS);
    read_line(s->witness_output, "all was told");
    assert_int_equal(waitpid(s->witness, &status, 0), s->witness);
    assert_int_equal(status, 0);
    close(s->witness_output);
}

void stage_mark(struct stage *s)
{
    static uint32_t count;
    count++;
    assert_int_equal(ClusterRegSetValue(s->key, L"mark", REG_DWORD, (const BYTE *)&count, 4),
                     ERROR_SUCCESS);
}

/* ---- handles ---- */

bool kind_takes(enum kind wanted, enum kind given)
{
    switch (wanted) {
    case KIND_PORT_ANY:
        return given == KIND_PORT_V1 || given == KIND_PORT_V2 || given == KIND_PORT_OWN;
    case KIND_PORT_V1_OR_NEW:
        return given == KIND_PORT_V1;
    case KIND_PORT_V2_OR_NEW:
        return given == KIND_PORT_V2;
    case KIND_CLUSTER_OR_NONE:
        return given == KIND_CLUSTER;
    case KIND_THREAD_OR_EVENT:
        return given == KIND_THREAD || given == KIND_EVENT;
    default:
        return wanted == given;
    }
}

void *good_handle(const struct stage *s, enum kind kind)
{
    for (size_t i = 0; i < s->live_count; i++)
        if (kind_takes(kind, s->live[i].kind) && !s->live[i].other)
            return s->live[i].word;
    fail_msg("no handle of kind %d", (int)kind);
    return NULL;
}

bool is_live(const struct stage *s, const void *word)
{
    for (size_t i = 0; i < s->live_count; i++)
        if (s->live[i].word == word)
            return true;
    return false;
}

static void *keep_as(struct stage *s, enum kind kind, void *word, bool other)
{
    assert_non_null(word);
    assert_true(s->live_count < LIVE_MOST);
    s->live[s->live_count++] = (struct live){word, kind, other};
    return word;
}

static void *keep(struct stage *s, enum kind kind, void *word)
{
    return keep_as(s, kind, word, false);
}

static void was(struct stage *s, void *word)
{
    assert_non_null(word);
    s->stale[s->stale_count++] = word;
}

static HKEY make_key(HKEY parent, LPCWSTR name)
{
    HKEY key = NULL;
    assert_int_equal(ClusterRegCreateKey(parent, name, 0, KEY_ALL_ACCESS, NULL, &key, NULL),
                     ERROR_SUCCESS);
    return key;
}

static void open_objects(struct stage *s)
{
    HCLUSTER c = s->cluster;
    keep(s, KIND_CLUSTER, c);
    keep(s, KIND_NODE, OpenClusterNode(c, L"node1"));
    s->group = keep(s, KIND_GROUP, CreateClusterGroup(c, L"stage"));
    s->resource = keep(s, KIND_RESOURCE,
                       CreateClusterResource(s->group, L"stage", L"ocf:heartbeat:Dummy", 0));
    keep(s, KIND_NETWORK, OpenClusterNetwork(c, L"Cluster Network 1"));
    keep(s, KIND_NETINTERFACE, OpenClusterNetInterface(c, L"node1 - lo"));
    s->root = GetClusterKey(c, KEY_ALL_ACCESS);
    s->key = keep(s, KIND_KEY, make_key(s->root, L"stage"));
    keep(s, KIND_KEY, s->root);
    static const WCHAR text[] = L"a text";
    assert_int_equal(ClusterRegSetValue(s->key, L"text", REG_SZ, (const BYTE *)text, sizeof(text)),
                     ERROR_SUCCESS);
    ClusterRegCloseKey(make_key(s->key, L"sub"));
}

static void open_enumerations(struct stage *s)
{
    keep(s, KIND_CLUSTER_ENUM, ClusterOpenEnum(s->cluster, CLUSTER_ENUM_ALL));
    keep(s, KIND_NODE_ENUM, ClusterNodeOpenEnum(good_handle(s, KIND_NODE), CLUSTER_NODE_ENUM_ALL));
    keep(s, KIND_GROUP_ENUM, ClusterGroupOpenEnum(s->group, CLUSTER_GROUP_ENUM_ALL));
    keep(s, KIND_RESOURCE_ENUM, ClusterResourceOpenEnum(s->resource, CLUSTER_RESOURCE_ENUM_ALL));
    keep(s, KIND_TYPE_ENUM,
         ClusterResourceTypeOpenEnum(s->cluster, L"Physical Disk", CLUSTER_RESOURCE_TYPE_ENUM_ALL));
    keep(s, KIND_NETWORK_ENUM,
         ClusterNetworkOpenEnum(good_handle(s, KIND_NETWORK), CLUSTER_NETWORK_ENUM_ALL));
}

static DWORD WINAPI nothing(LPVOID unused)
{
    (void)unused;
    return 0;
}

static void open_ports(struct stage *s)
{
    HCHANGE own = NULL;
    HANDLE event = NULL;
    keep(s, KIND_PORT_V1,
         CreateClusterNotifyPort(INVALID_HANDLE_VALUE, s->cluster, CLUSTER_CHANGE_GROUP_STATE, 1));
    keep(s, KIND_PORT_V2, CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, s->cluster, NULL, 0, 1));
    assert_int_equal(ClusportCreatePort(s->cluster, NULL, 0, NULL, &own), ERROR_SUCCESS);
    keep(s, KIND_PORT_OWN, own);
    for (size_t i = 0, ports = s->live_count; i < ports; i++) {
        if (!kind_takes(KIND_PORT_ANY, s->live[i].kind))
            continue;
        assert_int_equal(GetNotifyEventHandle(s->live[i].word, &event), ERROR_SUCCESS);
        keep(s, KIND_EVENT, event);
    }
    keep(s, KIND_THREAD, CreateThread(NULL, 0, nothing, NULL, 0, NULL));
    assert_int_equal(WaitForSingleObject(good_handle(s, KIND_THREAD), INFINITE), WAIT_OBJECT_0);
}

static void open_others(struct stage *s)
{
    HCLUSTER c = s->other_cluster = OpenCluster(NULL);
    HKEY root = GetClusterKey(c, KEY_READ);
    keep_as(s, KIND_CLUSTER, c, true);
    keep_as(s, KIND_NODE, OpenClusterNode(c, L"node1"), true);
    keep_as(s, KIND_GROUP, OpenClusterGroup(c, L"stage"), true);
    keep_as(s, KIND_RESOURCE, OpenClusterResource(c, L"stage"), true);
    keep_as(s, KIND_NETWORK, OpenClusterNetwork(c, L"Cluster Network 1"), true);
    keep_as(s, KIND_NETINTERFACE, OpenClusterNetInterface(c, L"node1 - lo"), true);
    keep_as(s, KIND_KEY, root, true);
}

/* One of each kind, closed in different ways. */
static void make_stale(struct stage *s)
{
    HCLUSTER c = OpenCluster(NULL);
    was(s, c);
    was(s, OpenClusterNode(c, NULL));
    was(s, OpenClusterGroup(c, L"stage"));
    was(s, OpenClusterResource(c, L"stage"));
    was(s, OpenClusterNetwork(c, L"Cluster Network 1"));
    was(s, OpenClusterNetInterface(c, L"node1 - lo"));
    was(s, GetClusterKey(c, KEY_READ));
    CloseCluster(c);
    HCLUSENUM e = ClusterOpenEnum(s->cluster, CLUSTER_ENUM_ALL);
    was(s, e);
    assert_int_equal(ClusterCloseEnum(e), ERROR_SUCCESS);
    HCHANGE port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, s->cluster, 0, 0);
    HANDLE event = NULL;
    assert_int_equal(GetNotifyEventHandle(port, &event), ERROR_SUCCESS);
    was(s, port);
    was(s, event);
    assert_true(CloseClusterNotifyPort(port));
    HANDLE thread = CreateThread(NULL, 0, nothing, NULL, 0, NULL);
    was(s, thread);
    assert_true(CloseHandle(thread));
}

/* ---- start and stop ---- */

struct stage *stage_start(void)
{
    static const char *const args[] = {"--networks", "lo", NULL};
    struct stage *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->service = service_start(args);
    s->cluster = OpenCluster(NULL);
    open_objects(s);
    start_witness(s);
    open_enumerations(s);
    open_ports(s);
    open_others(s);
    make_stale(s);
    return s;
}

void stage_stop(struct stage *s)
{
    stop_witness(s);
    for (size_t i = 0; i < s->live_count; i++)
        if (kind_takes(KIND_PORT_ANY, s->live[i].kind))
            CloseClusterNotifyPort(s->live[i].word);
    assert_int_equal(ClusterCloseEnum(good_handle(s, KIND_CLUSTER_ENUM)), ERROR_SUCCESS);
    assert_int_equal(ClusterNodeCloseEnum(good_handle(s, KIND_NODE_ENUM)), ERROR_SUCCESS);
    assert_int_equal(ClusterGroupCloseEnum(good_handle(s, KIND_GROUP_ENUM)), ERROR_SUCCESS);
    assert_int_equal(ClusterResourceCloseEnum(good_handle(s, KIND_RESOURCE_ENUM)), ERROR_SUCCESS);
    assert_int_equal(ClusterResourceTypeCloseEnum(good_handle(s, KIND_TYPE_ENUM)), ERROR_SUCCESS);
    assert_int_equal(ClusterNetworkCloseEnum(good_handle(s, KIND_NETWORK_ENUM)), ERROR_SUCCESS);
    assert_true(CloseHandle(good_handle(s, KIND_THREAD)));
    CloseCluster(s->other_cluster);
    CloseCluster(s->cluster);
    service_stop(s->service);
    free(s);
}

/* ---- holdings ---- */

static unsigned count_entries(const char *folder)
{
    unsigned count = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

struct holdings holdings_now(void)
{
    struct holdings h = {.descriptors = count_entries("/proc/self/fd"),
                         .threads = count_entries("/proc/self/task")};
    h.bytes = __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
                                                      : mallinfo2().uordblks;
    return h;
}
