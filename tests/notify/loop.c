/* SPDX-License-Identifier: MIT */
#include "notify/loop.h"

#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define MOST_ARGS 32

/* ---- the world ---- */

struct world *world_start(const char *const extra_args[])
{
    char types[1024];
    const char *args[MOST_ARGS] = {"--types", types};
    size_t n = 2;

    snprintf(types, sizeof types, "%s:%s", source_path("types"), source_path("tests/notify/types"));
    for (size_t i = 0; extra_args && extra_args[i]; i++) {
        assert_true(n < MOST_ARGS - 1);
        args[n++] = extra_args[i];
    }
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->service = service_start(args);
    w->cluster = OpenCluster(NULL);
    assert_non_null(w->cluster);
    return w;
}

/* What a test that failed half-way has left running. */
static void sweep(const char *folder)
{
    char command[512];

    snprintf(command, sizeof command,
             "cd %s && { umount -q mnt; losetup -j disk.img | cut -d: -f1 | xargs -r losetup -d; "
             "p=$(cat app.pid) && [ \"$(cat /proc/$p/comm)\" = sleep ] && kill -KILL $p; } "
             "2>/dev/null; true",
             folder);
    if (system(command) != 0)
        print_error("not swept: %s\n", folder);
}

void world_stop(struct world *w)
{
    if (w->cluster)
        CloseCluster(w->cluster);
    if (service_pid(w->service) > 0)
        service_halt(w->service);
    sweep(service_folder(w->service));
    service_stop(w->service);
    free(w);
}

int world_setup(void **state)
{
    *state = world_start(NULL);
    return 0;
}

int world_teardown(void **state)
{
    world_stop(*state);
    return 0;
}

/* ---- texts and properties ---- */

LPCWSTR wide(const char *ascii)
{
    static WCHAR texts[8][512];
    static unsigned next;
    WCHAR *out = texts[next++ % 8];
    size_t i = 0;

    for (; ascii[i] && i < 511; i++)
        out[i] = (WCHAR)ascii[i];
    out[i] = 0;
    return out;
}

static BYTE list[4096];

static DWORD put(DWORD at, DWORD syntax, const void *data, DWORD size)
{
    CLUSPROP_VALUE head = {.Syntax.dw = syntax, .cbLength = size};

    assert_true(at + sizeof(head) + size + 8 < sizeof(list));
    memcpy(list + at, &head, sizeof(head));
    memset(list + at + sizeof(head), 0, ALIGN_CLUSPROP(size));
    memcpy(list + at + sizeof(head), data, size);
    return at + (DWORD)sizeof(head) + ALIGN_CLUSPROP(size);
}

static struct property property(LPCWSTR name, DWORD syntax, const void *data, DWORD size)
{
    DWORD count = 1, end = CLUSPROP_SYNTAX_ENDMARK;

    memcpy(list, &count, sizeof(count));
    DWORD at =
        put(sizeof(count), CLUSPROP_SYNTAX_NAME, name, (DWORD)((wcslen(name) + 1) * sizeof(WCHAR)));
    at = put(at, syntax, data, size);
    memcpy(list + at, &end, sizeof(end));
    return (struct property){list, at + (DWORD)sizeof(end)};
}

struct property number(LPCWSTR name, DWORD value)
{
    return property(name, CLUSPROP_SYNTAX_LIST_VALUE_DWORD, &value, sizeof(value));
}

struct property text(LPCWSTR name, LPCWSTR value)
{
    return property(name, CLUSPROP_SYNTAX_LIST_VALUE_SZ, value,
                    (DWORD)((wcslen(value) + 1) * sizeof(WCHAR)));
}

void set_common(HRESOURCE resource, struct property p)
{
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_SET_COMMON_PROPERTIES,
                                            p.data, p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
}

void set_private(HRESOURCE resource, struct property p)
{
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_SET_PRIVATE_PROPERTIES,
                                            p.data, p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
}

static WCHAR *id_room(void)
{
    static WCHAR ids[8][64];
    static unsigned next;
    return ids[next++ % 8];
}

LPCWSTR id_of_resource(HRESOURCE resource)
{
    WCHAR *id = id_room();
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_GET_ID, NULL, 0, id,
                                            64 * sizeof(WCHAR), NULL),
                     ERROR_SUCCESS);
    return id;
}

LPCWSTR id_of_group(HGROUP group)
{
    WCHAR *id = id_room();
    assert_int_equal(ClusterGroupControl(group, NULL, CLUSCTL_GROUP_GET_ID, NULL, 0, id,
                                         64 * sizeof(WCHAR), NULL),
                     ERROR_SUCCESS);
    return id;
}

/* ---- doing ---- */

HGROUP make_group(struct world *w, LPCWSTR name)
{
    HGROUP group = CreateClusterGroup(w->cluster, name);
    assert_non_null(group);
    return group;
}

HRESOURCE make_resource(HGROUP group, LPCWSTR name, LPCWSTR type)
{
    HRESOURCE resource = CreateClusterResource(group, name, type, 0);
    if (!resource)
        fail_msg("CreateClusterResource %ls: error %u", name, GetLastError());
    return resource;
}

HRESOURCE make_application(HGROUP group, LPCWSTR name, const char *pid_file)
{
    HRESOURCE resource = make_resource(group, name, L"Generic Application");
    char command[256];

    snprintf(command, sizeof command, "sh -c 'echo $$ >%s; exec sleep 100000'", pid_file);
    set_private(resource, text(L"CommandLine", wide(command)));
    set_common(resource, number(L"LooksAlivePollInterval", 100));
    set_common(resource, number(L"RestartDelay", 50));
    return resource;
}

void wait_resource_state(struct world *w, HRESOURCE resource, CLUSTER_RESOURCE_STATE state)
{
    HCHANGE port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, w->cluster, 0, 0);
    assert_non_null(port);
    watch_too(port, CLUSTER_CHANGE_RESOURCE_STATE, resource, 0);
    for (;;) {
        CLUSTER_RESOURCE_STATE now = GetClusterResourceState(resource, NULL, NULL, NULL, NULL);
        DWORD_PTR key;
        DWORD flag;

        if (now == state)
            break;
        if (GetClusterNotify(port, &key, &flag, NULL, NULL, EVENT_WAIT_MS) != ERROR_SUCCESS)
            fail_msg("state %d instead of %d", now, state);
    }
    assert_true(CloseClusterNotifyPort(port));
}

static void assert_under_way(DWORD error)
{
    if (error != ERROR_SUCCESS)
        assert_int_equal(error, ERROR_IO_PENDING);
}

void online_and_wait(struct world *w, HRESOURCE resource)
{
    assert_under_way(OnlineClusterResource(resource));
    wait_resource_state(w, resource, ClusterResourceOnline);
}

void offline_and_wait(struct world *w, HRESOURCE resource)
{
    assert_under_way(OfflineClusterResource(resource));
    wait_resource_state(w, resource, ClusterResourceOffline);
}

void remove_resource(struct world *w, HRESOURCE resource)
{
    offline_and_wait(w, resource);
    assert_int_equal(DeleteClusterResource(resource), ERROR_SUCCESS);
    assert_true(CloseClusterResource(resource));
}

void remove_group(HGROUP group)
{
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(group));
}

void shell(const char *format, ...)
{
    char command[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

static pid_t pid_in(const char *file)
{
    int pid = 0;
    FILE *f = fopen(file, "re");

    if (!f)
        return 0;
    if (fscanf(f, "%d\n", &pid) != 1)
        pid = 0;
    fclose(f);
    return pid;
}

pid_t wait_pid(const char *file, pid_t other_than)
{
    char folder[256];
    struct pollfd changed = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};
    union {
        struct inotify_event event;
        char room[4096];
    } events;

    snprintf(folder, sizeof folder, "%s", file);
    assert_true(inotify_add_watch(changed.fd, dirname(folder), IN_CLOSE_WRITE) > 0);
    pid_t pid;
    while ((pid = pid_in(file)) == 0 || pid == other_than) {
        assert_int_equal(poll(&changed, 1, EVENT_WAIT_MS), 1);
        assert_true(read(changed.fd, &events, sizeof events) > 0);
    }
    close(changed.fd);
    return pid;
}

/* ---- being told ---- */

HCHANGE watch(struct world *w, DWORD filter, DWORD_PTR key)
{
    HCHANGE port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, w->cluster, filter, key);
    if (!port)
        fail_msg("CreateClusterNotifyPort: error %u", GetLastError());
    return port;
}

void watch_too(HCHANGE port, DWORD filter, HANDLE object, DWORD_PTR key)
{
    assert_int_equal(RegisterClusterNotify(port, filter, object, key), ERROR_SUCCESS);
}

const char *flag_name(DWORD flag)
{
    static const char *const names[32] = {
        "NODE_STATE",
        "NODE_DELETED",
        "NODE_ADDED",
        "NODE_PROPERTY",
        "REGISTRY_NAME",
        "REGISTRY_ATTRIBUTES",
        "REGISTRY_VALUE",
        "REGISTRY_SUBTREE",
        "RESOURCE_STATE",
        "RESOURCE_DELETED",
        "RESOURCE_ADDED",
        "RESOURCE_PROPERTY",
        "GROUP_STATE",
        "GROUP_DELETED",
        "GROUP_ADDED",
        "GROUP_PROPERTY",
        "RESOURCE_TYPE_DELETED",
        "RESOURCE_TYPE_ADDED",
        "RESOURCE_TYPE_PROPERTY",
        "CLUSTER_RECONNECT",
        "NETWORK_STATE",
        "NETWORK_DELETED",
        "NETWORK_ADDED",
        "NETWORK_PROPERTY",
        "NETINTERFACE_STATE",
        "NETINTERFACE_DELETED",
        "NETINTERFACE_ADDED",
        "NETINTERFACE_PROPERTY",
        "QUORUM_STATE",
        "CLUSTER_STATE",
        "CLUSTER_PROPERTY",
        "HANDLE_CLOSE",
    };

    for (unsigned i = 0; i < 32; i++)
        if (flag == 1u << i)
            return names[i];
    return "not exactly one flag";
}

__attribute__((format(printf, 3, 4))) static _Noreturn void fail_at(const char *file, int line,
                                                                    const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprint_error(format, args);
    va_end(args);
    _fail(file, line);
    abort();
}

void expect_event_at(HCHANGE port, DWORD flag, DWORD_PTR key, LPCWSTR name, const char *file,
                     int line)
{
    WCHAR got_name[NAME_ROOM] = L"";
    DWORD got_flag = 0, length = NAME_ROOM;
    DWORD_PTR got_key = 0;

    DWORD error = GetClusterNotify(port, &got_key, &got_flag, got_name, &length, EVENT_WAIT_MS);
    if (error == ERROR_SUCCESS && got_flag == flag && got_key == key &&
        wcscmp(got_name, name) == 0 && length == wcslen(name))
        return;
    fail_at(file, line, "wanted %s key %ju \"%ls\", got %s key %ju \"%ls\" (error %u)\n",
            flag_name(flag), (uintmax_t)key, name, flag_name(got_flag), (uintmax_t)got_key,
            got_name, error);
}

void expect_nothing_at(HCHANGE port, const char *file, int line)
{
    WCHAR name[NAME_ROOM] = L"";
    DWORD flag = 0, length = NAME_ROOM;
    DWORD_PTR key = 0;

    DWORD error = GetClusterNotify(port, &key, &flag, name, &length, 0);
    if (error == WAIT_TIMEOUT)
        return;
    fail_at(file, line, "wanted nothing, got %s key %ju \"%ls\" (error %u)\n", flag_name(flag),
            (uintmax_t)key, name, error);
}

void expect_stale(HCHANGE port)
{
    DWORD_PTR key;
    DWORD flag;

    assert_int_equal(GetClusterNotify(port, &key, &flag, NULL, NULL, 0), ERROR_INVALID_HANDLE);
}
