/* SPDX-License-Identifier: MIT
 *
 * Watches a cluster: prints what happens to its groups and resources, one line an event, and where
 * each disk is mounted when it comes online. A line of input closes the port, its end the cluster.
 * Usage: watch [CLUSTER] */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include <windows.h>

#include <clusapi.h>

#define FILTER                                                                                     \
    (CLUSTER_CHANGE_RESOURCE_ADDED | CLUSTER_CHANGE_RESOURCE_DELETED |                             \
     CLUSTER_CHANGE_RESOURCE_STATE | CLUSTER_CHANGE_RESOURCE_PROPERTY |                            \
     CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_GROUP_DELETED | CLUSTER_CHANGE_GROUP_STATE |      \
     CLUSTER_CHANGE_GROUP_PROPERTY | CLUSTER_CHANGE_HANDLE_CLOSE)
#define KEY 1
#define NAME_LENGTH 256

struct watch {
    HCLUSTER cluster;
    HCHANGE port;
};

static const char *flag_name(DWORD flag)
{
    static const struct {
        DWORD flag;
        const char *name;
    } names[] = {
        {CLUSTER_CHANGE_RESOURCE_ADDED, "RESOURCE_ADDED"},
        {CLUSTER_CHANGE_RESOURCE_DELETED, "RESOURCE_DELETED"},
        {CLUSTER_CHANGE_RESOURCE_STATE, "RESOURCE_STATE"},
        {CLUSTER_CHANGE_RESOURCE_PROPERTY, "RESOURCE_PROPERTY"},
        {CLUSTER_CHANGE_GROUP_ADDED, "GROUP_ADDED"},
        {CLUSTER_CHANGE_GROUP_DELETED, "GROUP_DELETED"},
        {CLUSTER_CHANGE_GROUP_STATE, "GROUP_STATE"},
        {CLUSTER_CHANGE_GROUP_PROPERTY, "GROUP_PROPERTY"},
        {CLUSTER_CHANGE_HANDLE_CLOSE, "HANDLE_CLOSE"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].flag == flag)
            return names[i].name;
    return "UNKNOWN";
}

static const char *state_name(CLUSTER_RESOURCE_STATE state)
{
    switch (state) {
    case ClusterResourceOnline:
        return "Online";
    case ClusterResourceOffline:
        return "Offline";
    case ClusterResourceFailed:
        return "Failed";
    case ClusterResourceOnlinePending:
        return "OnlinePending";
    case ClusterResourceOfflinePending:
        return "OfflinePending";
    default:
        return "Unknown";
    }
}

static void print_error(const char *what, DWORD error)
{
    WCHAR *message = NULL;

    FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER |
                      FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                  NULL, error, 0, (LPWSTR)(void *)&message, 0, NULL);
    fprintf(stderr, "watch: %s: %u %ls\n", what, error, message ? message : L"");
    LocalFree(message);
}

/* The output of a control code: memory for LocalFree, or NULL. */
static void *control(HRESOURCE resource, DWORD code, DWORD *size)
{
    BYTE *out = NULL;
    DWORD room = 512, error;

    for (;;) {
        LocalFree(out);
        out = LocalAlloc(LPTR, room);
        if (!out)
            return NULL;
        error = ClusterResourceControl(resource, NULL, code, NULL, 0, out, room, size);
        if (error != ERROR_MORE_DATA)
            break;
        room = *size;
    }
    if (error == ERROR_SUCCESS)
        return out;
    if (error != ERROR_RESOURCE_NOT_AVAILABLE) /* deleted since it was opened */
        print_error("ClusterResourceControl", error);
    LocalFree(out);
    return NULL;
}

/* The entry at `at`, if it lies within the list as a whole. */
static const CLUSPROP_VALUE *entry_at(const BYTE *list, DWORD size, DWORD at)
{
    const CLUSPROP_VALUE *v = (const CLUSPROP_VALUE *)(const void *)(list + at);

    if (at > size || size - at < sizeof *v || size - at - sizeof *v < v->cbLength)
        return NULL;
    return v;
}

static DWORD after(DWORD at, const CLUSPROP_VALUE *v)
{
    return at + (DWORD)sizeof *v + ALIGN_CLUSPROP(v->cbLength);
}

/* A text property's value, within the list; NULL if it is not there. */
static LPCWSTR find_text(const BYTE *list, DWORD size, LPCWSTR wanted)
{
    DWORD at = sizeof(DWORD),
          count = size >= sizeof(DWORD) ? *(const DWORD *)(const void *)list : 0;

    while (count-- > 0) {
        const CLUSPROP_VALUE *name = entry_at(list, size, at), *value;

        if (!name || name->Syntax.dw != CLUSPROP_SYNTAX_NAME)
            return NULL;
        at = after(at, name);
        value = entry_at(list, size, at);
        if (value && value->Syntax.wFormat == CLUSPROP_FORMAT_SZ &&
            value->cbLength >= sizeof(WCHAR) &&
            lstrcmpi(((const CLUSPROP_SZ *)(const void *)name)->sz, wanted) == 0)
            return ((const CLUSPROP_SZ *)(const void *)value)->sz;
        while (value && value->Syntax.dw != CLUSPROP_SYNTAX_ENDMARK) { /* a property's values */
            at = after(at, value);
            if (at <= size && size - at >= sizeof(DWORD) &&
                *(const DWORD *)(const void *)(list + at) == CLUSPROP_SYNTAX_ENDMARK)
                break;
            value = entry_at(list, size, at);
        }
        at += sizeof(DWORD); /* the end mark has no length */
    }
    return NULL;
}

static void print_disk(LPCWSTR name, HRESOURCE resource)
{
    DWORD size = 0;
    BYTE *list = control(resource, CLUSCTL_RESOURCE_GET_PRIVATE_PROPERTIES, &size);
    LPCWSTR directory = list ? find_text(list, size, L"Directory") : NULL;
    LPCWSTR device = list ? find_text(list, size, L"Device") : NULL;
    struct statvfs fs;
    char path[4096];

    if (directory && snprintf(path, sizeof path, "%ls", directory) > 0 && statvfs(path, &fs) == 0 &&
        fs.f_blocks > 0)
        printf("disk %ls: %ls on %s, %.0f%% of %.1f MiB used\n", name, device ? device : L"?", path,
               100.0 * (double)(fs.f_blocks - fs.f_bfree) / (double)fs.f_blocks,
               (double)fs.f_blocks * (double)fs.f_frsize / (1 << 20));
    else
        printf("disk %ls: %ls, no mount point yet\n", name, device ? device : L"no device yet");
    LocalFree(list);
}

static void look_at_resource(HCLUSTER cluster, LPCWSTR name)
{
    HRESOURCE resource = OpenClusterResource(cluster, name);
    CLUSTER_RESOURCE_STATE state;
    WCHAR *type;
    DWORD size;

    if (!resource) {
        if (GetLastError() == ERROR_RESOURCE_NOT_FOUND) /* deleted since */
            printf("resource %ls: gone\n", name);
        else
            print_error("OpenClusterResource", GetLastError());
        return;
    }
    state = GetClusterResourceState(resource, NULL, NULL, NULL, NULL);
    type = control(resource, CLUSCTL_RESOURCE_GET_RESOURCE_TYPE, &size);
    if (type) {
        printf("resource %ls: type %ls, %s\n", name, type, state_name(state));
        if (lstrcmpi(type, L"Physical Disk") == 0 && state == ClusterResourceOnline)
            print_disk(name, resource);
    }
    LocalFree(type);
    CloseClusterResource(resource);
}

static DWORD WINAPI wait_for_events(LPVOID parameter)
{
    struct watch *w = parameter;
    DWORD room = NAME_LENGTH, error = ERROR_SUCCESS, flag = 0;
    WCHAR *name = LocalAlloc(LPTR, room * sizeof(WCHAR));

    while (name && flag != CLUSTER_CHANGE_HANDLE_CLOSE) {
        DWORD length = room;
        DWORD_PTR key;

        error = GetClusterNotify(w->port, &key, &flag, name, &length, INFINITE);
        if (error == ERROR_MORE_DATA) { /* the event is kept */
            LocalFree(name);
            room = length + 1;
            name = LocalAlloc(LPTR, room * sizeof(WCHAR));
            flag = 0;
            continue;
        }
        if (error != ERROR_SUCCESS)
            break;
        printf("%s key=%ju name=\"%ls\"\n", flag_name(flag), (uintmax_t)key, name);
        if (flag == CLUSTER_CHANGE_RESOURCE_ADDED || flag == CLUSTER_CHANGE_RESOURCE_STATE)
            look_at_resource(w->cluster, name);
        fflush(stdout);
    }
    LocalFree(name);
    if (error == ERROR_INVALID_HANDLE) {
        puts("the port was closed by another thread");
        error = ERROR_SUCCESS;
    }
    if (error != ERROR_SUCCESS)
        print_error("GetClusterNotify", error);
    return error;
}

int main(int argc, char **argv)
{
    WCHAR cluster_name[NAME_LENGTH] = L"";
    struct watch w;
    DWORD result = 1;
    HANDLE thread;

    setlocale(LC_ALL, "");
    if (argc > 1 && mbstowcs(cluster_name, argv[1], NAME_LENGTH - 1) == (size_t)-1)
        return 2;
    w.cluster = OpenCluster(argc > 1 ? cluster_name : NULL);
    if (!w.cluster) {
        print_error("OpenCluster", GetLastError());
        return 1;
    }
    w.port = CreateClusterNotifyPort((HCHANGE)INVALID_HANDLE_VALUE, w.cluster, FILTER, KEY);
    if (!w.port) {
        print_error("CreateClusterNotifyPort", GetLastError());
        CloseCluster(w.cluster);
        return 1;
    }
    thread = CreateThread(NULL, 0, wait_for_events, &w, 0, NULL);
    if (thread) {
        puts("watching");
        fflush(stdout);
        if (getchar() == EOF)
            CloseCluster(w.cluster); /* HANDLE_CLOSE comes after all that happened before */
        else
            CloseClusterNotifyPort(w.port); /* the wait ends with ERROR_INVALID_HANDLE */
        WaitForSingleObject(thread, INFINITE);
        GetExitCodeThread(thread, &result);
        CloseHandle(thread);
    }
    CloseClusterNotifyPort(w.port); /* closing what is closed does no harm */
    CloseCluster(w.cluster);
    return result == ERROR_SUCCESS ? 0 : 1;
}
