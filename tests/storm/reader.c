/* SPDX-License-Identifier: MIT */
#include "storm/storm.h"

#include <clusport.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "storm/pause.h"

/* A program that reads: some ports of each version, a thread or two on each. */

#define PORTS 5
#define MOST_HANDLES 8
#define ROOM 128

/* ---- a port ---- */

struct handle {
    HANDLE object;
    DWORD v1_flags, v2_type;
    LONGLONG v2_flags;
    void (*close)(HANDLE object);
};

struct reader_port {
    HCLUSTER cluster;
    HCHANGE port;
    int version;
    uint64_t seed;
    struct test_random random; /* of its making */
    struct handle handles[MOST_HANDLES];
    size_t handle_count;
    DWORD_PTR last_key, end_key; /* keys count up, and so the order within a change is theirs */
    int fd;                      /* -1: has none */
    bool shared;                 /* by two threads: neither sees the order */
    bool ended;
    ULONGLONG revision; /* what was told last */
    DWORD_PTR revision_key;
};

static void close_group(HANDLE h)
{
    CloseClusterGroup(h);
}

static void close_resource(HANDLE h)
{
    CloseClusterResource(h);
}

static void close_node(HANDLE h)
{
    CloseClusterNode(h);
}

static void close_key(HANDLE h)
{
    ClusterRegCloseKey(h);
}

/* One of what the changer makes; .object NULL: it is not there now. */
static struct handle open_any(struct reader_port *p)
{
    WCHAR name[ROOM];
    HKEY root, key = NULL;

    switch (random_below(&p->random, 4)) {
    case 0:
        swprintf(name, ROOM, L"g%u", random_below(&p->random, 4));
        return (struct handle){OpenClusterGroup(p->cluster, name), 0xf000,
                               CLUSTER_OBJECT_TYPE_GROUP, 0x1ff, close_group};
    case 1:
        swprintf(name, ROOM, L"r%u", random_below(&p->random, 4));
        return (struct handle){OpenClusterResource(p->cluster, name), 0xf00,
                               CLUSTER_OBJECT_TYPE_RESOURCE, 0x1ff, close_resource};
    case 2:
        return (struct handle){OpenClusterNode(p->cluster, L"node1"), 0xf, CLUSTER_OBJECT_TYPE_NODE,
                               0x7f, close_node};
    default:
        root = GetClusterKey(p->cluster, KEY_READ);
        swprintf(name, ROOM, L"k%u", random_below(&p->random, 3));
        if (ClusterRegOpenKey(root, name, KEY_READ, &key) != ERROR_SUCCESS)
            key = NULL;
        ClusterRegCloseKey(root);
        return (struct handle){key, 0xf0, CLUSTER_OBJECT_TYPE_REGISTRY, 0xf, close_key};
    }
}

static LONGLONG some_of(struct test_random *r, LONGLONG flags)
{
    LONGLONG some = flags & (LONGLONG)random_next(r);
    return some ? some : flags;
}

static void register_wide(struct reader_port *p)
{
    DWORD_PTR key = ++p->last_key;

    if (p->version == 1) {
        DWORD flags = (DWORD)some_of(&p->random, 0x7fffffff);
        CHECK(CreateClusterNotifyPort(p->port, p->cluster, flags, key) == p->port);
        return;
    }
    NOTIFY_FILTER_AND_TYPE filters[] = {
        {CLUSTER_OBJECT_TYPE_CLUSTER, CLUSTER_CHANGE_CLUSTER_ALL_V2},
        {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_ALL_V2},
        {CLUSTER_OBJECT_TYPE_RESOURCE, CLUSTER_CHANGE_RESOURCE_ALL_V2},
        {CLUSTER_OBJECT_TYPE_NODE, CLUSTER_CHANGE_NODE_ALL_V2},
        {CLUSTER_OBJECT_TYPE_REGISTRY, CLUSTER_CHANGE_REGISTRY_ALL_V2},
        {CLUSTER_OBJECT_TYPE_RESOURCE_TYPE, CLUSTER_CHANGE_RESOURCE_TYPE_ALL_V2},
    };
    DWORD first = random_below(&p->random, 6);
    DWORD count = 1 + random_below(&p->random, 6 - first);
    for (DWORD i = 0; i < count; i++)
        filters[first + i].FilterFlags = some_of(&p->random, filters[first + i].FilterFlags);
    CHECK(CreateClusterNotifyPortV2(p->port, p->cluster, filters + first, count, key) == p->port);
}

static void register_one(struct reader_port *p)
{
    struct handle h = open_any(p);
    DWORD_PTR key = ++p->last_key;
    bool tell_close = random_one_in(&p->random, 2);

    if (!h.object)
        return;
    if (p->version == 1) {
        DWORD flags = (DWORD)some_of(&p->random, h.v1_flags);
        flags |= tell_close ? CLUSTER_CHANGE_HANDLE_CLOSE : 0;
        CHECK(RegisterClusterNotify(p->port, flags, h.object, key) == ERROR_SUCCESS);
    } else {
        NOTIFY_FILTER_AND_TYPE filter = {h.v2_type, some_of(&p->random, h.v2_flags)};
        filter.FilterFlags |= tell_close ? h.v2_flags + 1 : 0; /* HANDLE_CLOSE is the next bit */
        CHECK(RegisterClusterNotifyV2(p->port, filter, h.object, key) == ERROR_SUCCESS);
    }
    p->handles[p->handle_count++] = h;
}

static void register_end(struct reader_port *p)
{
    NOTIFY_FILTER_AND_TYPE filter = {CLUSTER_OBJECT_TYPE_CLUSTER,
                                     CLUSTER_CHANGE_CLUSTER_GROUP_ADDED_V2};

    p->end_key = ++p->last_key;
    if (p->version == 1)
        CHECK(CreateClusterNotifyPort(p->port, p->cluster, CLUSTER_CHANGE_GROUP_ADDED,
                                      p->end_key) == p->port);
    else
        CHECK(CreateClusterNotifyPortV2(p->port, p->cluster, &filter, 1, p->end_key) == p->port);
}

static void make_versioned(struct reader_port *p)
{
    if (p->version == 1)
        p->port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, p->cluster, 0, 0);
    else
        p->port = CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, p->cluster, NULL, 0, 0);
    CHECK(p->port != NULL);
    unsigned count = 1 + random_below(&p->random, 4), end_at = random_below(&p->random, count);
    for (unsigned i = 0; i < count; i++) {
        if (i == end_at)
            register_end(p);
        if (random_one_in(&p->random, 2))
            register_one(p);
        else
            register_wide(p);
    }
}

static void make_own(struct reader_port *p)
{
    static const char *const kinds[] = {
        "*",          "group.*",         "resource.state,node.state",
        "registry.*", "resource-type.*", "resource.added,group.*"};
    CLUSPORT_FILTER filters[4];
    CLUSPORT_OPTIONS options = {.cbSize = sizeof options};
    DWORD count = 1 + random_below(&p->random, 3);

    for (DWORD i = 0; i < count; i++)
        filters[i] = (CLUSPORT_FILTER){.cbSize = sizeof filters[i],
                                       .pszKinds = kinds[random_below(&p->random, 6)],
                                       .dwKey = ++p->last_key};
    p->end_key = ++p->last_key;
    filters[count++] = (CLUSPORT_FILTER){
        .cbSize = sizeof filters[0], .pszKinds = "group.added", .dwKey = p->end_key};
    if (random_one_in(&p->random, 3)) {
        options.fSnapshot = TRUE;
    } else if (random_one_in(&p->random, 2)) {
        CHECK(ClusportGetRevision(p->cluster, &options.ullSince) == ERROR_SUCCESS);
        options.ullSince -= random_below(&p->random, (uint32_t)options.ullSince);
        options.fSince = TRUE;
    }
    CHECK(ClusportCreatePort(p->cluster, filters, count, &options, &p->port) == ERROR_SUCCESS);
}

/* ---- reading ---- */

struct told {
    DWORD_PTR key;
    DWORD flag; /* of version 1 */
    NOTIFY_FILTER_AND_TYPE what;
    WCHAR name[ROOM];
};

static DWORD get_in(struct reader_port *p, struct told *t, DWORD length, DWORD wait)
{
    static const DWORD most = 64 << 10;
    DWORD size = length < ROOM ? length : most;
    _Thread_local static BYTE buffer[64 << 10];

    if (p->version == 1)
        return GetClusterNotify(p->port, &t->key, &t->flag, t->name, &length, wait);
    return GetClusterNotifyV2(p->port, &t->key, &t->what, buffer, &size, NULL, NULL, NULL, NULL,
                              t->name, &length, NULL, NULL, wait);
}

/* With a buffer that may be too small at first, and then is big enough: it is the same event. */
static DWORD get_versioned(struct reader_port *p, struct test_random *r, DWORD wait,
                           bool *ret_is_end)
{
    struct told t = {0}, first;
    DWORD length = random_one_in(r, 3) ? random_below(r, 4) : ROOM;
    DWORD error = get_in(p, &t, length, wait);

    while (error == ERROR_MORE_DATA) {
        first = t;
        if (random_one_in(r, 4))
            pause_a_while();
        error = get_in(p, &t, ROOM, INFINITE);
        if (!p->shared && (t.key != first.key || t.flag != first.flag))
            fprintf(stderr, "shown %ju %#x, then %ju %#x (%u)\n", (uintmax_t)first.key, first.flag,
                    (uintmax_t)t.key, t.flag, error);
        CHECK(p->shared || (error == ERROR_SUCCESS && t.key == first.key && t.flag == first.flag &&
                            t.what.FilterFlags == first.what.FilterFlags));
    }
    *ret_is_end = error == ERROR_SUCCESS && t.key == p->end_key && wcscmp(t.name, THE_END) == 0;
    return error;
}

static void check_order(struct reader_port *p, const CLUSPORT_NOTIFICATION *n)
{
    if (p->shared || n->fInitial)
        return;
    if (n->ullLostFirst != 0) {
        CHECK(n->ullLostFirst > p->revision || n->ullLostLast == p->revision);
        p->revision = n->ullLostLast;
        p->revision_key = ~(DWORD_PTR)0;
    } else if (n->ullRevision != 0) {
        CHECK(n->ullRevision > p->revision ||
              (n->ullRevision == p->revision && n->dwKey > p->revision_key));
        p->revision = n->ullRevision;
        p->revision_key = n->dwKey;
    }
}

static DWORD get_all(struct reader_port *p, DWORD wait, bool *ret_is_end)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    DWORD error = ClusportGetNotification(p->port, wait, &n);

    *ret_is_end = false;
    if (error != ERROR_SUCCESS)
        return error;
    check_order(p, n);
    *ret_is_end = n->dwKey == p->end_key && !n->fInitial && wcscmp(n->pszName, THE_END) == 0;
    ClusportFreeNotification(n);
    return error;
}

static void wait_readable(const struct reader_port *p)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};
    while (poll(&fd, 1, -1) < 1)
        ;
}

/* At random: by the version's own call or by ours, with one or the other wait. */
static DWORD get_next(struct reader_port *p, struct test_random *r, bool *ret_is_end)
{
    DWORD wait = INFINITE;

    if (p->fd >= 0) {
        wait_readable(p);
        wait = 0;
    } else if (random_one_in(r, 3)) {
        wait = random_below(r, 20);
    }
    if (p->version == 3 || random_one_in(r, 4))
        return get_all(p, wait, ret_is_end);
    return get_versioned(p, r, wait, ret_is_end);
}

static void close_one(struct reader_port *p, struct test_random *r)
{
    if (p->handle_count == 0 || p->shared)
        return;
    struct handle *h = &p->handles[random_below(r, (uint32_t)p->handle_count)];
    h->close(h->object);
    *h = p->handles[--p->handle_count];
}

static void read_on(struct reader_port *p, struct test_random *r)
{
    for (;;) {
        bool is_end = false;
        DWORD error = get_next(p, r, &is_end);
        if (is_end)
            return;
        if (p->shared && error == ERROR_INVALID_HANDLE)
            return;
        CHECK(error == ERROR_SUCCESS || error == WAIT_TIMEOUT);
        if (random_one_in(r, 40))
            pause_a_while();
        if (random_one_in(r, 60))
            close_one(p, r);
        if (p->version != 3 && !p->shared && p->handle_count < MOST_HANDLES && random_one_in(r, 60))
            register_one(p);
    }
}

static pthread_mutex_t ends_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_ended = PTHREAD_COND_INITIALIZER;

static void *read_to_the_end(struct reader_port *p, struct test_random r)
{
    read_on(p, &r);
    pthread_mutex_lock(&ends_lock);
    p->ended = true;
    pthread_cond_broadcast(&one_ended);
    pthread_mutex_unlock(&ends_lock);
    return NULL;
}

static void *read_first(void *argument)
{
    struct reader_port *p = argument;
    return read_to_the_end(p, random_of(p->seed));
}

static void *read_second(void *argument)
{
    struct reader_port *p = argument;
    return read_to_the_end(p, random_of(~p->seed));
}

/* ---- the program ---- */

static void make_port(struct reader_port *p, HCLUSTER cluster, uint64_t seed)
{
    *p =
        (struct reader_port){.seed = seed, .random = random_of(seed), .fd = -1, .cluster = cluster};
    p->version = 1 + (int)random_below(&p->random, 3);
    if (random_one_in(&p->random, 4)) { /* a way of its own to the service */
        p->cluster = OpenCluster(NULL);
        CHECK(p->cluster != NULL);
    }
    if (p->version == 3)
        make_own(p);
    else
        make_versioned(p);
    p->shared = random_one_in(&p->random, 5);
    if (!p->shared && random_one_in(&p->random, 3))
        CHECK(ClusportGetFd(p->port, &p->fd) == ERROR_SUCCESS);
}

static void *listen_to_driver(void *argument)
{
    char told;

    (void)argument;
    while (read(STDIN_FILENO, &told, 1) == 1)
        end_pauses(told == TELL_END);
    return NULL;
}

int run_reader(uint64_t seed)
{
    static struct reader_port ports[PORTS];
    pthread_t first[PORTS], second[PORTS], listener;
    HCLUSTER cluster = OpenCluster(NULL);

    CHECK(cluster != NULL);
    CHECK(pthread_create(&listener, NULL, listen_to_driver, NULL) == 0);
    for (int i = 0; i < PORTS; i++) {
        make_port(&ports[i], cluster, seed * PORTS + (uint64_t)i);
        CHECK(pthread_create(&first[i], NULL, read_first, &ports[i]) == 0);
        if (ports[i].shared)
            CHECK(pthread_create(&second[i], NULL, read_second, &ports[i]) == 0);
    }
    CHECK(write(STDOUT_FILENO, "r", 1) == 1);
    pthread_mutex_lock(&ends_lock);
    for (int i = 0; i < PORTS; i++)
        while (!ports[i].ended)
            pthread_cond_wait(&one_ended, &ends_lock);
    pthread_mutex_unlock(&ends_lock);
    for (int i = 0; i < PORTS; i++) {
        CHECK(CloseClusterNotifyPort(ports[i].port));
        pthread_join(first[i], NULL);
        if (ports[i].shared)
            pthread_join(second[i], NULL);
        if (ports[i].cluster != cluster)
            CloseCluster(ports[i].cluster);
    }
    CloseCluster(cluster);
    return 0;
}
