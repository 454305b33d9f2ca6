/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "notify/loop.h"
#include "support/campaign.h"

/* Ports of all versions closed as fast as they can be made, under threads that wait on them,
 * register on them, ask for their descriptors, change what they tell, and close what they watch. */

#define SLOTS 3 /* a port of each version */
#define WAITERS 6
#define STALE 64

struct slot {
    _Atomic(HCHANGE) port;
    _Atomic(HCHANGE) closed; /* the last whose close has returned */
};

struct race {
    HCLUSTER cluster;
    HGROUP group; /* the changer's */
    struct slot slots[SLOTS];
    _Atomic bool over;
    _Atomic unsigned wrong, told, ended;
};

static struct race race;

/* ---- those who use the ports ---- */

static DWORD wait_v1(HCHANGE port, DWORD wait)
{
    DWORD_PTR key;
    DWORD flag;
    return GetClusterNotify(port, &key, &flag, NULL, NULL, wait);
}

static DWORD wait_v2(HCHANGE port, DWORD wait)
{
    DWORD_PTR key;
    NOTIFY_FILTER_AND_TYPE what;
    return GetClusterNotifyV2(port, &key, &what, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                              NULL, NULL, wait);
}

static DWORD wait_own(HCHANGE port, DWORD wait)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    DWORD error = ClusportGetNotification(port, wait, &n);
    if (error == ERROR_SUCCESS)
        ClusportFreeNotification(n);
    return error;
}

static void judge(DWORD error, bool was_closed, bool may_time_out)
{
    if (error == ERROR_SUCCESS && !was_closed)
        race.told++;
    else if (error == ERROR_INVALID_HANDLE)
        race.ended++;
    else if (error != WAIT_TIMEOUT || was_closed || !may_time_out)
        race.wrong++;
    if (error != ERROR_SUCCESS)
        sched_yield(); /* the closer makes another port meanwhile */
}

static void *waiter(void *argument)
{
    static DWORD (*const ways[])(HCHANGE, DWORD) = {wait_v1, wait_v2, wait_own};
    unsigned me = (unsigned)(size_t)argument;
    struct slot *slot = &race.slots[me % SLOTS];

    for (unsigned i = 0; !race.over; i++) {
        HCHANGE port = slot->port;
        bool was_closed = slot->closed == port; /* then it is so for ever */
        DWORD wait = i % 4 == 0 ? 0 : i % 4 == 1 ? 1 : INFINITE;
        judge((me < SLOTS ? ways[me % SLOTS] : wait_own)(port, wait), was_closed, wait != INFINITE);
    }
    return NULL;
}

/* With handles of its own, which it closes under the ports. */
static void *registrar(void *unused)
{
    (void)unused;
    while (!race.over) {
        HCLUSTER cluster = OpenCluster(NULL);
        HGROUP group = OpenClusterGroup(race.cluster, L"Always");
        NOTIFY_FILTER_AND_TYPE filter = {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_ALL_V2};
        for (int i = 0; i < 20; i++) {
            judge(
                RegisterClusterNotify(race.slots[0].port, CLUSTER_CHANGE_HANDLE_CLOSE, cluster, 2),
                false, false);
            judge(RegisterClusterNotify(race.slots[0].port, CLUSTER_CHANGE_GROUP_STATE, group, 3),
                  false, false);
            judge(RegisterClusterNotifyV2(race.slots[1].port, filter, group, 4), false, false);
        }
        if (!CloseClusterGroup(group) || !CloseCluster(cluster))
            race.wrong++;
    }
    return NULL;
}

static void *descriptor_taker(void *unused)
{
    (void)unused;
    for (unsigned i = 0; !race.over; i++) {
        HANDLE event;
        int fd;
        judge(GetNotifyEventHandle(race.slots[i % SLOTS].port, &event), false, false);
        judge(ClusportGetFd(race.slots[(i + 1) % SLOTS].port, &fd), false, false);
        sched_yield();
    }
    return NULL;
}

static void *changer(void *unused)
{
    (void)unused;
    for (unsigned i = 0; !race.over; i++)
        if (SetClusterGroupName(race.group, i % 2 ? L"One" : L"Other") != ERROR_SUCCESS)
            race.wrong++;
    return NULL;
}

/* ---- the one who closes ---- */

static HCHANGE make_port(unsigned version)
{
    NOTIFY_FILTER_AND_TYPE filter = {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_ALL_V2};
    HCHANGE port = NULL;

    if (version == 0)
        port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, race.cluster,
                                       CLUSTER_CHANGE_GROUP_PROPERTY, 1);
    else if (version == 1)
        port = CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, race.cluster, &filter, 1, 1);
    else
        assert_int_equal(ClusportCreatePort(race.cluster, NULL, 0, NULL, &port), ERROR_SUCCESS);
    assert_non_null(port);
    return port;
}

static void expect_gone(HCHANGE port)
{
    HANDLE event;

    assert_int_equal(wait_own(port, INFINITE), ERROR_INVALID_HANDLE);
    assert_int_equal(GetNotifyEventHandle(port, &event), ERROR_INVALID_HANDLE);
}

static void close_ports(uint64_t rounds, struct test_random *random)
{
    HCHANGE stale[STALE] = {NULL};

    for (uint64_t i = 0; i < rounds; i++) {
        unsigned version = random_below(random, SLOTS);
        struct slot *slot = &race.slots[version];
        HCHANGE old = slot->port, *kept = &stale[random_below(random, STALE)];

        for (uint32_t spin = random_below(random, 3000); spin > 0; spin--)
            atomic_signal_fence(memory_order_seq_cst);
        assert_true(CloseClusterNotifyPort(old));
        slot->closed = old;
        expect_gone(old);
        if (*kept)
            expect_gone(*kept);
        *kept = old;
        slot->port = make_port(version);
    }
}

/* ---- the whole ---- */

struct use {
    size_t fds, bytes;
};

static struct use measure(void)
{
    struct use use = {.bytes = mallinfo2().uordblks};
    DIR *d = opendir("/proc/self/fd");

    assert_non_null(d);
    while (readdir(d))
        use.fds++;
    closedir(d);
    return use;
}

/* Starts and ends with no port. */
static struct use run(uint64_t rounds, struct test_random *random)
{
    void *(*const bodies[])(void *) = {registrar, descriptor_taker, changer};
    pthread_t threads[WAITERS + 3];

    race.over = false;
    for (unsigned i = 0; i < SLOTS; i++)
        race.slots[i].port = make_port(i);
    for (size_t i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, waiter, (void *)i), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[WAITERS + i], NULL, bodies[i], NULL), 0);
    close_ports(rounds, random);
    race.over = true;
    for (unsigned i = 0; i < SLOTS; i++)
        assert_true(CloseClusterNotifyPort(race.slots[i].port));
    for (size_t i = 0; i < WAITERS + 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(race.wrong, 0);
    return measure();
}

#define GROWTH_MOST (256u << 10) /* whatever the rounds are: what connections and threads hold */

static void test_race(void **state)
{
    struct world *w = *state;
    uint64_t rounds = campaign_rounds(10000, 1000000), seed = campaign_seed(1);
    struct test_random random = random_of(seed);

    race.cluster = w->cluster;
    race.group = make_group(w, L"One");
    HGROUP always = make_group(w, L"Always");
    struct use before = run(rounds / 10 + 100, &random);
    struct use after = run(rounds, &random);
    print_message("seed %ju: %u told, %u ended; %zu and %zu descriptors, %zu and %zu bytes\n",
                  (uintmax_t)seed, race.told, race.ended, before.fds, after.fds, before.bytes,
                  after.bytes);
    assert_true(race.ended > 0);
    assert_true(after.fds <= before.fds + WAITERS + 3); /* a connection for each who called */
    assert_true(after.bytes <= before.bytes + GROWTH_MOST);
    remove_group(always);
    remove_group(race.group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_race)};
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
