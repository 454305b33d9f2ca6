/* SPDX-License-Identifier: MIT */
#include "bench.h"
#include "cluster.h"

/* How fast one port gets through what is waiting for it. The service is halted, the events are put
 * into its journal, it is started again, and the port goes on where it was: all in the ring, or,
 * with the smallest ring, nearly all from the journal. The clock starts when the first event was
 * got, so that the way back to the service is not counted. */

struct backlog {
    const char *measure, *side;
    const char *feed_size;
    unsigned events;
    double wanted; /* a second */
    const char *target;
};

static void get_one(HCHANGE port)
{
    WCHAR name[64];
    DWORD what, size = 64;
    DWORD_PTR key;
    DWORD error = GetClusterNotify(port, &key, &what, name, &size, INFINITE);
    if (error != ERROR_SUCCESS || what != CLUSTER_CHANGE_RESOURCE_STATE)
        fail("GetClusterNotify: %u", error);
}

static double drain(HCHANGE port, unsigned events)
{
    WCHAR name[64];
    DWORD what, size = 64;
    DWORD_PTR key;

    get_one(port);
    int64_t start = now_ns();
    for (unsigned i = 1; i < events; i++)
        get_one(port);
    double seconds = (double)(now_ns() - start) / 1e9;
    if (GetClusterNotify(port, &key, &what, name, &size, 0) != WAIT_TIMEOUT)
        fail("more than there can be");
    return (events - 1) / seconds / 1e6;
}

static void run_backlog(const struct backlog *b, enum cpus cpus)
{
    const char *const extra[] = {
        "--feed-size", b->feed_size, "--keep-changes", "100000000", "--keep-bytes", "64G", NULL};
    char *folder = make_folder(bench_options.folder);
    struct samples rate = {0};

    place(cpus, PLACE_FIRST);
    struct test_service *service = cluster_start(folder, extra);
    HCLUSTER cluster = open_cluster();
    HCHANGE port =
        CreateClusterNotifyPort(INVALID_HANDLE_VALUE, cluster, CLUSTER_CHANGE_RESOURCE_STATE, 1);
    for (unsigned round = 0; round < usual_or(5, 1); round++) {
        place(cpus, PLACE_FIRST);
        service_halt(service);
        cluster_add_changes(folder, b->events);
        service_again(service);
        place(cpus, PLACE_SECOND);
        samples_add(&rate, drain(port, b->events));
    }
    struct line l = line_of(b->measure, cpus, b->side, "million/s", &rate, NULL, NULL);
    l = line_with_target(l, l.median >= b->wanted, b->target);
    report(&l);
    samples_fini(&rate);
    CloseClusterNotifyPort(port);
    CloseCluster(cluster);
    service_stop(service);
    remove_folder(folder);
}

void measure_drain(void)
{
    struct backlog b = {"drain", "GetClusterNotify", "64M", usual_or(200000, 500), 5, "at least 5"};
    for (enum cpus cpus = CPUS_ONE; cpus <= CPUS_TWO; cpus++)
        run_backlog(&b, cpus);
}

void measure_catch_up(void)
{
    struct backlog b = {"catch-up", "GetClusterNotify", "64K", usual_or(300000, 500),
                        1,          "at least 1"};
    for (enum cpus cpus = CPUS_ONE; cpus <= CPUS_TWO; cpus++)
        run_backlog(&b, cpus);
}
