/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cluster.h"
#include "etcd.h"

/* Changes a second from 64 writers, each of which waits until its change is on disk before it makes
 * the next. Every side has its turn of a second, again and again, on the same disk. */

#define WRITERS 64
#define TURN_NS 1000000000
#define BLOCK 4096

struct gate {
    _Alignas(64) _Atomic uint32_t open;
    _Alignas(64) _Atomic uint64_t done;
};

struct contender {
    const char *name;
    struct gate *gate;
    pid_t writers;
    struct samples rate;
};

/* ---- ours ---- */

struct own_writers {
    struct gate *gate;
    HCLUSTER cluster;
};

static void write_on(void *context, unsigned index)
{
    struct own_writers *w = context;
    HKEY key = open_key(w->cluster, index);
    for (uint64_t value = 1;; value++) {
        while (atomic_load(&w->gate->open) == 0)
            futex_wait(&w->gate->open, 0, 1);
        write_value(key, value);
        atomic_fetch_add(&w->gate->done, 1);
    }
}

/* ---- the disk ---- */

static double syncs_a_second(int fd)
{
    static const char block[BLOCK];
    int64_t start = now_ns(), now;
    unsigned count = 0;
    do {
        if (write(fd, block, sizeof(block)) != sizeof(block) || fdatasync(fd) < 0)
            fail("the disk cannot be written to");
        count++;
        now = now_ns();
    } while (now - start < usual_or(TURN_NS, TURN_NS / 100));
    return count * 1e9 / (double)(now - start);
}

/* ---- turns ---- */

static double turn(struct gate *g)
{
    uint64_t before = atomic_load(&g->done);
    int64_t start = now_ns();
    atomic_store(&g->open, 1);
    futex_wake(&g->open, 1);
    uint64_t done;
    do {
        pause_ns(usual_or(TURN_NS, TURN_NS / 100));
        done = atomic_load(&g->done) - before;
    } while (done == 0);
    double seconds = (double)(now_ns() - start) / 1e9;
    atomic_store(&g->open, 0);
    pause_ns(TURN_NS / 10); /* those under way end */
    return (double)done / seconds;
}

static void report_rates(enum cpus cpus, struct contender *ours, struct contender *etcd,
                         struct samples *syncs)
{
    struct line l =
        line_of("durable", cpus, "fdatasync of one block", "a second", syncs, NULL, NULL);
    report(&l);
    l = line_of("durable", cpus, ours->name, "a second", &ours->rate, syncs, "fdatasync");
    report(&l);
    if (!etcd->name)
        return;
    l = line_of("durable", cpus, etcd->name, "a second", &etcd->rate, NULL, NULL);
    report(&l);
    l = line_of("durable", cpus, "ClusPort to etcd", "a second", &ours->rate, &etcd->rate, "etcd");
    l = line_with_target(l, l.ratio >= 3, "at least 3 x");
    report(&l);
}

static void durable_with(enum cpus cpus)
{
    struct contender ours = {"ClusPort, 64 threads"}, peer = {0};
    struct samples syncs = {0};
    struct etcd etcd = {0};
    char *folder = make_folder(bench_options.folder), path[256];
    unsigned writers = usual_or(WRITERS, 4);

    place(cpus, PLACE_BOTH);
    snprintf(path, sizeof(path), "%s/blocks", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ours.gate = shared_memory(sizeof(*ours.gate));
    struct test_service *service = cluster_start(folder, NULL);
    pid_t child = start_child();
    if (child == 0) {
        struct own_writers own = {.gate = ours.gate, .cluster = open_cluster()};
        start_threads(writers, write_on, &own);
        for (;;)
            pause();
    }
    ours.writers = child;
    if (!bench_options.smoke && is_installed("etcd")) {
        peer = (struct contender){"etcd, 64 connections", shared_memory(sizeof(*peer.gate))};
        etcd_start(&etcd, bench_options.folder);
        peer.writers = start_child();
        if (peer.writers == 0)
            etcd_write(&etcd, writers, &peer.gate->open, &peer.gate->done);
    }
    for (unsigned round = 0; round < usual_or(7, 1); round++) {
        samples_add(&syncs, syncs_a_second(fd));
        samples_add(&ours.rate, turn(ours.gate));
        if (peer.name)
            samples_add(&peer.rate, turn(peer.gate));
    }
    report_rates(cpus, &ours, &peer, &syncs);
    end_program(ours.writers);
    if (peer.name) {
        end_program(peer.writers);
        etcd_stop(&etcd);
    }
    close(fd);
    service_stop(service);
    remove_folder(folder);
    samples_fini(&ours.rate);
    samples_fini(&peer.rate);
    samples_fini(&syncs);
}

void measure_durable(void)
{
    for (enum cpus cpus = CPUS_ONE; cpus <= CPUS_TWO; cpus++)
        durable_with(cpus);
}
