/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>

#include "base/macro.h"
#include "storm/pause.h"
#include "storm/storm.h"
#include "storm/wire_library.h"

/* A program that reads over plain RPC: a port on each of its threads. With the service it loses the
 * port, and makes another of the next one. */

#define PORTS 3
#define MOST_HANDLES 6
#define ROOM 256
#define BUFFER_ROOM (64 << 10)

/* What the service makes itself; the rest is a library's. */
#define V1_ALL (CLUSTER_CHANGE_ALL & ~(CLUSTER_CHANGE_CLUSTER_STATE | CLUSTER_CHANGE_HANDLE_CLOSE))
#define V2_CLUSTER                                                                                 \
    (CLUSTER_CHANGE_CLUSTER_ALL_V2 &                                                               \
     ~(CLUSTER_CHANGE_CLUSTER_STATE_V2 | CLUSTER_CHANGE_CLUSTER_RECONNECT_V2 |                     \
       CLUSTER_CHANGE_CLUSTER_HANDLE_CLOSE_V2))

struct handle {
    HANDLE object;
    DWORD v1_flags;
    NOTIFY_FILTER_AND_TYPE v2;
    void (*close)(HANDLE object);
};

struct wire_port {
    struct test_random random;
    int version;
    HCLUSTER cluster;
    HCHANGE port;
    struct handle handles[MOST_HANDLES];
    size_t handle_count;
    DWORD_PTR last_key, end_key;
    bool there; /* `lock` */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static struct wire_port ports[PORTS];
static unsigned lives; /* of the service, that the driver told of */

/* ---- the service's lives ---- */

static unsigned present_life(void)
{
    pthread_mutex_lock(&lock);
    unsigned life = lives;
    pthread_mutex_unlock(&lock);
    return life;
}

static void wait_for_life_after(unsigned life)
{
    pthread_mutex_lock(&lock);
    while (lives == life)
        pthread_cond_wait(&moved, &lock);
    pthread_mutex_unlock(&lock);
}

static void set_there(struct wire_port *p, bool there)
{
    pthread_mutex_lock(&lock);
    p->there = there;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

/* ---- a port ---- */

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

static HKEY open_key(struct wire_port *p)
{
    WCHAR name[ROOM];
    HKEY root = GetClusterKey(p->cluster, KEY_READ), key = NULL;

    swprintf(name, ROOM, L"k%u", random_below(&p->random, 3));
    if (!root || ClusterRegOpenKey(root, name, KEY_READ, &key) != ERROR_SUCCESS)
        key = NULL;
    if (root)
        ClusterRegCloseKey(root);
    return key;
}

/* One of what the changer makes; .object NULL: it is not there now. */
static struct handle open_any(struct wire_port *p)
{
    WCHAR name[ROOM];

    switch (random_below(&p->random, 4)) {
    case 0:
        swprintf(name, ROOM, L"g%u", random_below(&p->random, 4));
        return (struct handle){OpenClusterGroup(p->cluster, name),
                               0xf000,
                               {CLUSTER_OBJECT_TYPE_GROUP, 0x1ff},
                               close_group};
    case 1:
        swprintf(name, ROOM, L"r%u", random_below(&p->random, 4));
        return (struct handle){OpenClusterResource(p->cluster, name),
                               0xf00,
                               {CLUSTER_OBJECT_TYPE_RESOURCE, 0x1ff},
                               close_resource};
    case 2:
        return (struct handle){OpenClusterNode(p->cluster, L"node1"),
                               0xf,
                               {CLUSTER_OBJECT_TYPE_NODE, 0x7f},
                               close_node};
    default:
        return (struct handle){open_key(p), 0xf0, {CLUSTER_OBJECT_TYPE_REGISTRY, 0xf}, close_key};
    }
}

static LONGLONG some_of(struct test_random *r, LONGLONG flags)
{
    LONGLONG some = flags & (LONGLONG)random_next(r);
    return some ? some : flags;
}

/* These are false when the service is gone. */

static bool register_one(struct wire_port *p)
{
    struct handle h = open_any(p);
    DWORD_PTR key = ++p->last_key;

    if (!h.object)
        return !wire_broken(p->cluster, 0);
    p->handles[p->handle_count++] = h;
    h.v2.FilterFlags = some_of(&p->random, h.v2.FilterFlags);
    return (p->version == 1 ? RegisterClusterNotify(p->port, (DWORD)some_of(&p->random, h.v1_flags),
                                                    h.object, key)
                            : RegisterClusterNotifyV2(p->port, h.v2, h.object, key)) == 0;
}

static bool register_wide(struct wire_port *p)
{
    NOTIFY_FILTER_AND_TYPE filters[] = {
        {CLUSTER_OBJECT_TYPE_CLUSTER, V2_CLUSTER}, {CLUSTER_OBJECT_TYPE_GROUP, 0x1ff},
        {CLUSTER_OBJECT_TYPE_RESOURCE, 0x1ff},     {CLUSTER_OBJECT_TYPE_NODE, 0x7f},
        {CLUSTER_OBJECT_TYPE_REGISTRY, 0xf},
    };
    DWORD_PTR key = ++p->last_key;

    if (p->version == 1)
        return CreateClusterNotifyPort(p->port, p->cluster,
                                       (DWORD)some_of(&p->random, V1_ALL) |
                                           CLUSTER_CHANGE_CLUSTER_RECONNECT,
                                       key) != NULL;
    DWORD first = random_below(&p->random, ARRAY_SIZE(filters));
    for (DWORD i = first; i < ARRAY_SIZE(filters); i++)
        filters[i].FilterFlags = some_of(&p->random, filters[i].FilterFlags);
    return CreateClusterNotifyPortV2(p->port, p->cluster, filters + first,
                                     (DWORD)ARRAY_SIZE(filters) - first, key) != NULL;
}

static bool make_port(struct wire_port *p)
{
    NOTIFY_FILTER_AND_TYPE end = {CLUSTER_OBJECT_TYPE_CLUSTER,
                                  CLUSTER_CHANGE_CLUSTER_GROUP_ADDED_V2};

    p->handle_count = 0;
    p->end_key = ++p->last_key;
    p->version = 1 + (int)random_below(&p->random, 2);
    p->port =
        p->version == 1
            ? CreateClusterNotifyPort(INVALID_HANDLE_VALUE, p->cluster,
                                      CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_CLUSTER_RECONNECT,
                                      p->end_key)
            : CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, p->cluster, &end, 1, p->end_key);
    bool ok = p->port != NULL;
    for (unsigned count = random_below(&p->random, 4); ok && count > 0; count--)
        ok = random_one_in(&p->random, 2) ? register_one(p) : register_wide(p);
    return ok;
}

static DWORD get(struct wire_port *p, bool *ret_is_end)
{
    _Thread_local static BYTE buffer[BUFFER_ROOM];
    WCHAR id[ROOM], parent[ROOM], name[ROOM], type[ROOM];
    DWORD size = sizeof(buffer), lengths[4] = {ROOM, ROOM, ROOM, ROOM}, flag, error;
    NOTIFY_FILTER_AND_TYPE what;
    DWORD_PTR key = 0;

    if (p->version == 1)
        error = GetClusterNotify(p->port, &key, &flag, name, &lengths[2], INFINITE);
    else
        error = GetClusterNotifyV2(p->port, &key, &what, buffer, &size, id, &lengths[0], parent,
                                   &lengths[1], name, &lengths[2], type, &lengths[3], INFINITE);
    *ret_is_end = error == 0 && key == p->end_key && wcscmp(name, THE_END) == 0;
    return error;
}

static void close_one(struct wire_port *p)
{
    if (p->handle_count == 0)
        return;
    struct handle *h = &p->handles[random_below(&p->random, (uint32_t)p->handle_count)];
    h->close(h->object);
    *h = p->handles[--p->handle_count];
}

/* false: the service is gone; true: the end was told. */
static bool read_on(struct wire_port *p)
{
    for (;;) {
        bool is_end = false;
        DWORD error = get(p, &is_end);
        if (is_end)
            return true;
        if (error != 0)
            return false;
        if (random_one_in(&p->random, 40))
            pause_a_while();
        if (random_one_in(&p->random, 60))
            close_one(p);
        if (p->handle_count < MOST_HANDLES && random_one_in(&p->random, 60) && !register_one(p))
            return false;
    }
}

static bool read_one_life(struct wire_port *p)
{
    unsigned life = present_life();

    p->cluster = OpenCluster(NULL);
    if (!p->cluster) {
        wait_for_life_after(life);
        return false;
    }
    bool ok = make_port(p);
    if (ok)
        set_there(p, true);
    ok = ok && read_on(p);
    if (ok)
        CHECK(CloseClusterNotifyPort(p->port));
    else
        CHECK(wire_broken(p->cluster, PROGRAM_WAIT_MS));
    set_there(p, false);
    CloseCluster(p->cluster);
    return ok;
}

static void *read_port(void *argument)
{
    while (!read_one_life(argument))
        ;
    return NULL;
}

/* ---- the program ---- */

static bool all_there_locked(void)
{
    for (int i = 0; i < PORTS; i++)
        if (!ports[i].there || wire_broken(ports[i].cluster, 0))
            return false;
    return true;
}

/* Says so when each port is one of the present service's. */
static void say_when_all_are_there(void)
{
    pthread_mutex_lock(&lock);
    while (!all_there_locked())
        pthread_cond_wait(&moved, &lock);
    pthread_mutex_unlock(&lock);
    CHECK(write(STDOUT_FILENO, "r", 1) == 1);
}

static void *listen_to_driver(void *argument)
{
    char told;

    (void)argument;
    while (read(STDIN_FILENO, &told, 1) == 1) {
        if (told == TELL_LIFE) {
            pthread_mutex_lock(&lock);
            lives++;
            pthread_cond_broadcast(&moved);
            pthread_mutex_unlock(&lock);
            continue;
        }
        end_pauses(told != TELL_GO_ON);
        if (told == TELL_SETTLE)
            say_when_all_are_there();
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    pthread_t threads[PORTS], listener;

    CHECK(argc == 3);
    uint64_t seed = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < PORTS; i++) {
        ports[i].random = random_of(seed * PORTS + i);
        CHECK(pthread_create(&threads[i], NULL, read_port, &ports[i]) == 0);
    }
    say_when_all_are_there();
    CHECK(pthread_create(&listener, NULL, listen_to_driver, NULL) == 0);
    for (int i = 0; i < PORTS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
