/* SPDX-License-Identifier: MIT */
#include "cluster.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "event.h"
#include "journal/journal.h"
#include "service/restore.h"

#define MOST_EXTRA 16
#define CHANGES_A_COMMIT 10000
#define STACK_SIZE (64u << 10)

struct test_service *cluster_start(const char *folder, const char *const extra[])
{
    const char *args[MOST_EXTRA + 5] = {"--log-level", "warning", "--state", folder};
    for (size_t i = 0; extra && extra[i] && i < MOST_EXTRA; i++)
        args[i + 4] = extra[i];
    return service_start(args);
}

static void commit_some(struct journal *j, uint64_t first, unsigned count)
{
    _cleanup_(journal_batch_fini) struct journal_batch b = {.first_revision = first,
                                                            .last_revision = first + count - 1};
    for (unsigned i = 0; i < count; i++)
        event_encode(first + i, &b.changes);
    if (journal_commit(j, &b) < 0)
        fail("the journal cannot be filled");
}

void cluster_add_changes(const char *folder, unsigned n)
{
    char path[256], *error = NULL;
    struct journal *j = NULL;
    struct journal_options options = {0};
    snprintf(path, sizeof(path), "%s/" RESTORE_JOURNAL_NAME, folder);
    if (journal_open(path, &options, &j, &error) < 0)
        fail("%s", error);
    for (unsigned done = 0; done < n; done += CHANGES_A_COMMIT)
        commit_some(j, journal_last_revision(j) + 1, MIN(n - done, (unsigned)CHANGES_A_COMMIT));
    journal_close(j);
}

/* ---- programs ---- */

HCLUSTER open_cluster(void)
{
    HCLUSTER cluster = OpenCluster(NULL);
    if (!cluster)
        fail("no cluster: %u", GetLastError());
    return cluster;
}

HKEY open_key(HCLUSTER cluster, unsigned number)
{
    WCHAR name[32];
    HKEY root = GetClusterKey(cluster, KEY_ALL_ACCESS), key = NULL;
    swprintf(name, 32, L"Writer%u", number);
    LONG error = ClusterRegCreateKey(root, name, 0, KEY_ALL_ACCESS, NULL, &key, NULL);
    if (error != ERROR_SUCCESS)
        fail("no key: %d", error);
    ClusterRegCloseKey(root);
    return key;
}

void write_value(HKEY key, uint64_t value)
{
    uint64_t data[8] = {value};
    DWORD error = ClusterRegSetValue(key, L"Value", REG_BINARY, (const BYTE *)data, sizeof(data));
    if (error != ERROR_SUCCESS)
        fail("not written: %u", error);
}

/* ---- threads of a child ---- */

struct start {
    void (*body)(void *context, unsigned index);
    void *context;
    _Atomic unsigned *ready;
    unsigned index;
};

static void *run_thread(void *argument)
{
    struct start *s = argument;
    atomic_fetch_add(s->ready, 1);
    s->body(s->context, s->index);
    return NULL;
}

static _Noreturn void run_threads(const struct start *common, unsigned count)
{
    struct start *starts = calloc(count, sizeof(*starts));
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    for (unsigned i = 0; starts && i < count; i++) {
        starts[i] = *common;
        starts[i].index = i;
        if (pthread_create(&thread, &attributes, run_thread, &starts[i]) != 0)
            fail("no thread");
    }
    for (;;)
        pause();
}

pid_t start_threads(unsigned count, void (*body)(void *context, unsigned index), void *context)
{
    struct start common = {
        .body = body, .context = context, .ready = shared_memory(sizeof(*common.ready))};
    pid_t pid = start_child();
    if (pid == 0)
        run_threads(&common, count);
    while (atomic_load(common.ready) < count)
        pause_ns(1000000);
    return pid;
}

/* ---- ports ---- */

struct sleepers {
    DWORD filter;
    HCLUSTER cluster;
    pthread_mutex_t lock;
    _Atomic unsigned *asleep;
};

static void sleep_on_port(void *context, unsigned index)
{
    struct sleepers *s = context;
    WCHAR name[64];
    DWORD what, size = 64;
    DWORD_PTR key;

    pthread_mutex_lock(&s->lock);
    if (!s->cluster)
        s->cluster = open_cluster();
    HCHANGE port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, s->cluster, s->filter, index);
    pthread_mutex_unlock(&s->lock);
    if (!port)
        fail("no port: %u", GetLastError());
    atomic_fetch_add(s->asleep, 1);
    GetClusterNotify(port, &key, &what, name, &size, INFINITE);
}

pid_t start_sleepers(unsigned count, DWORD filter)
{
    struct sleepers s = {.filter = filter,
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .asleep = shared_memory(sizeof(*s.asleep))};
    pid_t pid = start_threads(count, sleep_on_port, &s);
    while (atomic_load(s.asleep) < count)
        pause_ns(1000000);
    pause_ns(100000000); /* from the count to the sleep is a little way still */
    return pid;
}
