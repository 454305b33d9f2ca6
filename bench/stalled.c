/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "cluster.h"

/* Whether writers feel readers that stand still: two services, one with stopped processes whose
 * ports match every change, one with none, written to in turn. */

#define STALLED 1000

struct subject {
    struct test_service *service;
    char *folder;
    pid_t stalled;
    HCLUSTER cluster;
    HKEY key;
    uint64_t written;
    struct samples us;
};

static void subject_start(struct subject *s, unsigned ports)
{
    s->folder = make_folder(bench_options.folder);
    s->service = cluster_start(s->folder, NULL);
    if (ports > 0) {
        s->stalled =
            start_sleepers(ports, CLUSTER_CHANGE_REGISTRY_VALUE | CLUSTER_CHANGE_REGISTRY_SUBTREE);
        kill(s->stalled, SIGSTOP);
    }
    s->cluster = open_cluster();
    s->key = open_key(s->cluster, 0);
}

static void subject_stop(struct subject *s)
{
    if (s->stalled > 0)
        kill(s->stalled, SIGCONT);
    end_program(s->stalled);
    ClusterRegCloseKey(s->key);
    CloseCluster(s->cluster);
    service_stop(s->service);
    remove_folder(s->folder);
    samples_fini(&s->us);
}

static void write_once(struct subject *s)
{
    int64_t start = now_ns();
    write_value(s->key, ++s->written);
    samples_add(&s->us, (double)(now_ns() - start) / 1000);
}

static double anonymous_pages(pid_t pid)
{
    char path[64], text[256];
    double kilobytes = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(text, sizeof(text), f))
        if (strncmp(text, "RssAnon:", 8) == 0)
            kilobytes = strtod(text + 8, NULL);
    if (f)
        fclose(f);
    return kilobytes * 1024;
}

static void report_quantile(enum cpus cpus, struct subject *none, struct subject *stalled, double q,
                            const char *name)
{
    char side[64];
    struct samples a = {0}, b = {0};
    samples_add(&a, samples_quantile(&none->us, q));
    samples_add(&b, samples_quantile(&stalled->us, q));
    snprintf(side, sizeof(side), "no stalled port, %s", name);
    struct line l = line_of("stalled", cpus, side, "us", &a, NULL, NULL);
    report(&l);
    snprintf(side, sizeof(side), "%u stalled ports, %s", usual_or(STALLED, 10), name);
    l = line_of("stalled", cpus, side, "us", &b, &a, "none");
    if (q == 0.5)
        l = line_with_target(l, l.ratio <= 1.05, "within 5 %");
    report(&l);
    samples_fini(&a);
    samples_fini(&b);
}

static void stalled_with(enum cpus cpus)
{
    struct subject none = {0}, stalled = {0};
    unsigned ports = usual_or(STALLED, 10);

    place(cpus, PLACE_FIRST);
    subject_start(&none, 0);
    subject_start(&stalled, ports);
    place(cpus, PLACE_SECOND);
    double before = anonymous_pages(stalled.stalled);
    for (unsigned i = 0; i < usual_or(3000, 5); i++) {
        write_once(i % 2 ? &none : &stalled);
        write_once(i % 2 ? &stalled : &none);
    }
    double growth = (anonymous_pages(stalled.stalled) - before) / ports;
    report_quantile(cpus, &none, &stalled, 0.5, "p50");
    report_quantile(cpus, &none, &stalled, 0.99, "p99");
    struct samples s = {0};
    samples_add(&s, growth);
    struct line l = line_of("stalled", cpus, "memory each has gained", "bytes", &s, NULL, NULL);
    report(&l);
    samples_fini(&s);
    subject_stop(&none);
    subject_stop(&stalled);
}

void measure_stalled(void)
{
    for (enum cpus cpus = CPUS_ONE; cpus <= CPUS_TWO; cpus++)
        stalled_with(cpus);
}
