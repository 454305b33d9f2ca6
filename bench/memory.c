/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cluster.h"

/* What a port that waits for nothing yet takes: in the program, heap and pages; in the service. */

#define PORTS 10000
#define WARM_UP 200

/* The sum of these lines of /proc/PID/smaps_rollup, in bytes. */
static double pages_of(pid_t pid, const char *line)
{
    char path[64], text[256];
    double kilobytes = 0;
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        fail("%s", path);
    while (fgets(text, sizeof(text), f))
        if (strncmp(text, line, strlen(line)) == 0)
            kilobytes += strtod(text + strlen(line), NULL);
    fclose(f);
    return kilobytes * 1024;
}

static double heap(void)
{
    struct mallinfo2 m = mallinfo2();
    return (double)(m.uordblks + m.hblkhd);
}

static void make_ports(HCLUSTER cluster, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, CLUSTER_CHANGE_GROUP_STATE, i))
            fail("no port: %u", GetLastError());
}

static void report_bytes(const char *side, double bytes, double most)
{
    struct samples s = {0};
    samples_add(&s, bytes);
    struct line l = line_of("memory", 0, side, "bytes", &s, NULL, NULL);
    if (most >= 0)
        l = line_with_target(l, bytes <= most, most > 0 ? "at most 1024" : "nothing");
    report(&l);
    samples_fini(&s);
}

void measure_memory(void)
{
    char *folder = make_folder("/dev/shm");
    struct test_service *service = cluster_start(folder, NULL);
    HCLUSTER cluster = open_cluster();
    unsigned count = usual_or(PORTS, 100);

    make_ports(cluster, usual_or(WARM_UP, 10));
    double heap_before = heap();
    double pages_before = pages_of(getpid(), "Pss:");
    double service_before = pages_of(service_pid(service), "Private_Dirty:");
    make_ports(cluster, count);
    report_bytes("idle port, heap", (heap() - heap_before) / count, 1024);
    report_bytes("idle port, all pages", (pages_of(getpid(), "Pss:") - pages_before) / count, 1024);
    report_bytes("idle port, in the service",
                 (pages_of(service_pid(service), "Private_Dirty:") - service_before) / count, 0);
    CloseCluster(cluster);
    service_stop(service);
    remove_folder(folder);
}
