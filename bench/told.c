/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "side.h"

/* From the publisher's last moment before it publishes to the return of the last watcher. All
 * watchers of all sides are there at once; events go to one side after the other. */

#define MOST_SIDES 5

struct watcher_slot {
    _Alignas(64) int64_t told_at;
};

struct watchers {
    _Alignas(64) _Atomic uint32_t ready, told;
    uint32_t count;
    struct watcher_slot slots[];
};

struct contender {
    const struct side *side;
    struct watchers *watchers;
    pid_t *pids;
    struct samples us;
};

static _Noreturn void watch(const struct side *side, struct watchers *w, unsigned index)
{
    side->subscribe();
    atomic_fetch_add(&w->ready, 1);
    for (;;) {
        side->wait();
        w->slots[index].told_at = now_ns();
        if (atomic_fetch_add(&w->told, 1) + 1 == w->count)
            futex_wake(&w->told, 1);
    }
}

static enum place place_of_watchers(unsigned count)
{
    return count == 1 ? PLACE_SECOND : PLACE_BOTH;
}

static void start_contender(struct contender *c, enum cpus cpus, unsigned count)
{
    place(cpus, count == 1 ? PLACE_FIRST : PLACE_BOTH);
    c->side->start();
    c->watchers = shared_memory(sizeof(*c->watchers) + count * sizeof(struct watcher_slot));
    c->watchers->count = count;
    c->pids = calloc(count, sizeof(*c->pids));
    if (!c->pids)
        fail("no memory");
    for (unsigned i = 0; i < count; i++) {
        c->pids[i] = start_child();
        if (c->pids[i] == 0) {
            place(cpus, place_of_watchers(count));
            watch(c->side, c->watchers, i);
        }
        /* A listening queue is finite. */
        while (i >= 64 && atomic_load(&c->watchers->ready) < i - 63)
            pause_ns(1000000);
    }
    while (atomic_load(&c->watchers->ready) < count)
        pause_ns(1000000);
}

static void stop_contender(struct contender *c)
{
    for (unsigned i = 0; i < c->watchers->count; i++)
        kill(c->pids[i], SIGKILL);
    for (unsigned i = 0; i < c->watchers->count; i++)
        waitpid(c->pids[i], NULL, 0);
    c->side->stop();
    free(c->pids);
    samples_fini(&c->us);
}

static void tell_once(struct contender *c)
{
    struct watchers *w = c->watchers;
    int64_t last = 0;
    uint32_t told;

    pause_ns(200000 + 20000 * (int64_t)w->count); /* all of them sleep */
    atomic_store(&w->told, 0);
    int64_t start = now_ns();
    c->side->publish();
    while ((told = atomic_load(&w->told)) < w->count)
        futex_wait(&w->told, told, 1);
    for (unsigned i = 0; i < w->count; i++)
        last = MAX(last, w->slots[i].told_at);
    samples_add(&c->us, (double)(last - start) / 1000);
    if (c->side->published)
        c->side->published();
}

static void report_all(const char *measure, enum cpus cpus, struct contender *c, unsigned count)
{
    struct contender *ours = &c[1];
    double own = samples_quantile(&ours->us, 0.5);
    bool one = ours->watchers->count == 1;
    for (unsigned i = 0; i < count; i++) {
        bool is_peer = i > 1;
        struct line l = line_of(measure, cpus, c[i].side->name, "us", &c[i].us,
                                is_peer  ? &ours->us
                                : i == 1 ? &c[0].us
                                         : NULL,
                                is_peer  ? "ClusPort"
                                : i == 1 ? "bare futex"
                                         : NULL);
        if (i == 1 && one)
            l = line_with_target(l, l.ratio <= 1.3, "at most 1.3 x");
        if (is_peer)
            l = line_with_target(l, l.median > own, "ClusPort ahead");
        report(&l);
    }
}

static void compete(const char *measure, enum cpus cpus, unsigned watchers, unsigned rounds)
{
    const struct side *sides[] = {&side_futex, &side_clusport, &side_redis, &side_nats, &side_dbus};
    struct contender c[MOST_SIDES] = {0};
    unsigned count = 0, most = watchers == 1 ? MOST_SIDES : MOST_SIDES - 1;

    for (unsigned i = 0; i < (bench_options.smoke ? 2 : most); i++)
        if (!sides[i]->program || is_installed(sides[i]->program))
            c[count++].side = sides[i];
    for (unsigned i = 0; i < count; i++)
        start_contender(&c[i], cpus, watchers);
    place(cpus, watchers == 1 ? PLACE_FIRST : PLACE_BOTH);
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned i = 0; i < count; i++)
            tell_once(&c[i]);
    report_all(measure, cpus, c, count);
    for (unsigned i = 0; i < count; i++)
        stop_contender(&c[i]);
}

void measure_told(void)
{
    for (enum cpus cpus = CPUS_ONE; cpus <= CPUS_TWO; cpus++)
        compete("told", cpus, 1, usual_or(2000, 5));
}

void measure_all(void)
{
    static const struct {
        unsigned watchers, rounds;
    } sizes[] = {{10, 500}, {100, 150}, {1000, 21}};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        char name[32];
        snprintf(name, sizeof(name), "all of %u", sizes[i].watchers);
        for (enum cpus cpus = CPUS_ONE; cpus <= CPUS_TWO; cpus++)
            compete(name, cpus, usual_or(sizes[i].watchers, 2), usual_or(sizes[i].rounds, 3));
        if (bench_options.smoke)
            return;
    }
}
