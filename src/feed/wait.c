/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "feed/feed.h"
#include "feed/layout.h"
#include "feed/reader.h"

/* Not FUTEX_PRIVATE: waker and sleeper are different processes. */
void feed_futex_wake(const _Atomic uint32_t *sequence, uint32_t bits)
{
    syscall(SYS_futex, sequence, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, bits);
}

#define V1_FLAG_HANDLE_CLOSE 0x80000000u

uint32_t feed_bits_of_kind(unsigned kind)
{
    /* Flags that no change is published under: RECONNECT, CLUSTER_STATE, REGISTRY_SUBTREE. */
    static const uint32_t spare[] = {0x00080000u, 0x20000000u, 0x00000080u};
    static_assert(FEED_BIT_LOCAL == V1_FLAG_HANDLE_CLOSE, "never published either");

    if (kind == CHANGE_NONE || kind >= CHANGE_KIND_COUNT)
        return ~FEED_BIT_LOCAL;
    uint32_t flag = change_kind_info(kind)->v1;
    return flag ? flag : spare[kind % ARRAY_SIZE(spare)];
}

uint32_t feed_ticket(const struct feed *f)
{
    return atomic_load_explicit(&f->page->sequence, memory_order_acquire);
}

int feed_wait(const struct feed *f, uint32_t ticket, uint32_t bits, const struct timespec *deadline)
{
    long r = syscall(SYS_futex, &f->page->sequence, FUTEX_WAIT_BITSET, ticket, deadline, NULL,
                     bits | FEED_BIT_LOCAL);
    return r < 0 && errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

void feed_wake_local(const struct feed *f)
{
    feed_futex_wake(&f->page->sequence, FEED_BIT_LOCAL);
}

/* One thread in feed_sleep(), on its stack. */
struct feed_sleeper {
    const struct feed *feed;
    uint32_t round; /* the last call that it has seen the reason of */
    struct feed_sleeper *next;
};

int feed_sleepers_init(struct feed_sleepers *s)
{
    pthread_condattr_t attributes;
    int r = pthread_condattr_init(&attributes);
    if (r != 0)
        return -r;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    r = pthread_cond_init(&s->moved, &attributes);
    pthread_condattr_destroy(&attributes);
    if (r != 0)
        return -r;
    s->list = NULL;
    s->round = 0;
    s->rousers = 0;
    return 0;
}

void feed_sleepers_fini(struct feed_sleepers *s)
{
    PRE(!s->list && !s->rousers);
    pthread_cond_destroy(&s->moved);
}

static int wait_moved(struct feed_sleepers *s, pthread_mutex_t *lock,
                      const struct timespec *deadline)
{
    return deadline ? -pthread_cond_timedwait(&s->moved, lock, deadline)
                    : -pthread_cond_wait(&s->moved, lock);
}

int feed_sleep(struct feed_sleepers *s, pthread_mutex_t *lock, struct feed *f, uint32_t ticket,
               uint32_t bits, const struct timespec *deadline)
{
    struct feed_sleeper me = {.feed = f, .round = s->round, .next = s->list};
    int r;

    s->list = &me;
    if (f) {
        feed_ref(f); /* the caller's feed may be replaced meanwhile */
        pthread_mutex_unlock(lock);
        r = feed_wait(f, ticket, bits, deadline);
        pthread_mutex_lock(lock);
        feed_unref(f);
    } else {
        r = wait_moved(s, lock, deadline);
    }

    struct feed_sleeper **link = &s->list;
    while (*link != &me)
        link = &(*link)->next;
    *link = me.next;
    if (s->rousers)
        pthread_cond_broadcast(&s->moved);
    return r;
}

/* Wakes those who announced themselves before the round. False: there are none. */
static bool call_sleepers(struct feed_sleepers *s, uint32_t round)
{
    const struct feed *woken = NULL;
    bool any = false, without_feed = false;

    for (struct feed_sleeper *i = s->list; i; i = i->next) {
        if ((int32_t)(round - i->round) <= 0)
            continue;
        any = true;
        if (!i->feed)
            without_feed = true;
        else if (i->feed != woken)
            feed_wake_local(woken = i->feed);
    }
    if (without_feed)
        pthread_cond_broadcast(&s->moved);
    return any;
}

#define ROUSE_FIRST_NS 50000
#define ROUSE_MOST_NS 10000000

void feed_rouse(struct feed_sleepers *s, pthread_mutex_t *lock)
{
    uint32_t round = ++s->round;

    s->rousers++;
    for (long pause_ns = ROUSE_FIRST_NS; call_sleepers(s, round);
         pause_ns = MIN(pause_ns * 2, ROUSE_MOST_NS)) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += pause_ns;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        wait_moved(s, lock, &until);
    }
    s->rousers--;
}
