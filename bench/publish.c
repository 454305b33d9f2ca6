/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "change/change.h"
#include "cluster.h"
#include "event.h"
#include "feed/feed.h"

/* What an idle port costs the service. Once in the service as a whole: its CPU time for a change,
 * from the request to the answer. Once in feed_publish() alone, where a port could be felt, beside
 * a bare futex wake-up that passes over as many sleepers. */

#define IDLE 1000
#define BIT_WATCHED 1u
#define BIT_PUBLISHED 2u

/* ---- a bare word ---- */

static void sleep_on_word(void *context, unsigned index)
{
    (void)index;
    for (;;)
        futex_wait(context, 0, BIT_WATCHED);
}

static double wake_ns(const void *word, unsigned count)
{
    int64_t start = now_ns();
    for (unsigned i = 0; i < count; i++)
        futex_wake(word, BIT_PUBLISHED);
    return (double)(now_ns() - start) / count;
}

/* As a service meets its sleepers: other work has had the caches in between. */
static double cold_wake_ns(const void *word, unsigned count)
{
    static char work[2 << 20];
    int64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        memset(work, (int)i, sizeof(work));
        int64_t start = now_ns();
        futex_wake(word, BIT_PUBLISHED);
        sum += now_ns() - start;
    }
    return (double)sum / count;
}

/* ---- the feed ---- */

struct ring {
    struct feed_writer *writer;
    struct feed *feed;
    struct buffer record;
    uint64_t revision;
};

static void ring_create(struct ring *r)
{
    event_encode(0, &r->record);
    if (feed_writer_create(FEED_DEFAULT_SIZE, &r->writer) < 0 ||
        feed_open(feed_writer_fd(r->writer), &r->feed) < 0)
        fail("no feed");
}

static void ring_destroy(struct ring *r)
{
    feed_unref(r->feed);
    feed_writer_destroy(r->writer);
    buffer_fini(&r->record);
}

static void sleep_on_feed(void *context, unsigned index)
{
    struct ring *r = context;
    (void)index;
    for (;;)
        feed_wait(r->feed, feed_ticket(r->feed), feed_bits_of_kind(CHANGE_NODE_STATE), NULL);
}

static double publish_ns(struct ring *r, unsigned count)
{
    int64_t start = now_ns();
    for (unsigned i = 0; i < count; i++) {
        r->revision++;
        change_put_revision(r->record.data, r->revision, r->revision, true);
        feed_publish(r->writer, r->record.data, r->record.size);
    }
    return (double)(now_ns() - start) / count;
}

/* ---- the service ---- */

struct idle_service {
    struct test_service *service;
    char *folder;
    pid_t sleepers;
    HCLUSTER cluster;
    HKEY key;
    clockid_t cpu;
    uint64_t written;
};

static void service_with(struct idle_service *s, unsigned ports)
{
    s->folder = make_folder("/dev/shm");
    s->service = cluster_start(s->folder, NULL);
    s->sleepers = start_sleepers(ports, CLUSTER_CHANGE_NODE_STATE);
    s->cluster = open_cluster();
    s->key = open_key(s->cluster, 0);
    if (clock_getcpuclockid(service_pid(s->service), &s->cpu) != 0)
        fail("no clock");
}

static void service_end(struct idle_service *s)
{
    ClusterRegCloseKey(s->key);
    CloseCluster(s->cluster);
    end_program(s->sleepers);
    service_stop(s->service);
    remove_folder(s->folder);
}

static int64_t cpu_ns(const struct idle_service *s)
{
    struct timespec t;
    clock_gettime(s->cpu, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double change_ns(struct idle_service *s, unsigned count)
{
    int64_t start = cpu_ns(s);
    for (unsigned i = 0; i < count; i++)
        write_value(s->key, ++s->written);
    return (double)(cpu_ns(s) - start) / count;
}

/* ---- all of them, with one sleeper and with many ---- */

enum { BARE, COLD, FEED, SERVICE, SUBJECTS };

struct subjects {
    uint32_t *word;
    struct ring ring;
    struct idle_service service;
    pid_t on_word, on_feed;
    struct samples ns[SUBJECTS];
};

static void subjects_start(struct subjects *s, unsigned sleepers)
{
    s->word = shared_memory(sizeof(*s->word));
    ring_create(&s->ring);
    s->on_word = start_threads(sleepers, sleep_on_word, s->word);
    s->on_feed = start_threads(sleepers, sleep_on_feed, &s->ring);
    service_with(&s->service, sleepers);
}

static void subjects_stop(struct subjects *s)
{
    end_program(s->on_word);
    end_program(s->on_feed);
    ring_destroy(&s->ring);
    service_end(&s->service);
    for (int i = 0; i < SUBJECTS; i++)
        samples_fini(&s->ns[i]);
}

static void subjects_measure(struct subjects *s)
{
    unsigned count = usual_or(500, 5);
    samples_add(&s->ns[BARE], wake_ns(s->word, count));
    samples_add(&s->ns[COLD], cold_wake_ns(s->word, usual_or(200, 5)));
    samples_add(&s->ns[FEED], publish_ns(&s->ring, count));
    samples_add(&s->ns[SERVICE], change_ns(&s->service, usual_or(200, 5)));
}

static double walk_ns(struct subjects *one, struct subjects *many, int which)
{
    return samples_quantile(&many->ns[which], 0.5) - samples_quantile(&one->ns[which], 0.5);
}

static void report_subject(enum cpus cpus, struct subjects *one, struct subjects *many, int which,
                           const char *name)
{
    char side[64];
    snprintf(side, sizeof(side), "%s, 1 port", name);
    struct line l = line_of("publish", cpus, side, "ns", &one->ns[which], NULL, NULL);
    report(&l);
    snprintf(side, sizeof(side), "%s, %u ports", name, usual_or(IDLE, 10));
    l = line_of("publish", cpus, side, "ns", &many->ns[which], &one->ns[which], "1 port");
    double growth = walk_ns(one, many, which) - walk_ns(one, many, which == FEED ? BARE : COLD);
    if (which == FEED || which == SERVICE)
        l = line_with_target(l, growth < 0.1 * samples_quantile(&one->ns[SERVICE], 0.5),
                             "grows by the walk and less than 10 %");
    report(&l);
}

static void publish_with(enum cpus cpus)
{
    static const char *const names[] = {"bare wake-up", "bare wake-up, cold", "feed_publish",
                                        "service CPU a change"};
    struct subjects one = {0}, many = {0};

    place(cpus, PLACE_FIRST);
    subjects_start(&one, 1);
    subjects_start(&many, usual_or(IDLE, 10));
    place(cpus, PLACE_SECOND);
    for (unsigned round = 0; round < usual_or(25, 2); round++) {
        subjects_measure(&one);
        subjects_measure(&many);
    }
    for (int i = 0; i < SUBJECTS; i++)
        report_subject(cpus, &one, &many, i, names[i]);
    subjects_stop(&one);
    subjects_stop(&many);
}

void measure_publish(void)
{
    for (enum cpus cpus = CPUS_ONE; cpus <= CPUS_TWO; cpus++)
        publish_with(cpus);
}
