/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include <cmocka.h>

#include <clusport.h>

#define LONGEST_WAIT_S 60 /* only a failure waits so long */
#define NAME_ROOM 64
#define PROGRAM "--load"

/* ---- writers ---- */

struct writer {
    struct load *load;
    unsigned number;
    HCLUSTER cluster;
    HKEY key;
    HGROUP group;
};

static _Noreturn void give_up(const char *what, DWORD error)
{
    fprintf(stderr, "load: %s: error %u\n", what, error);
    _exit(1);
}

/* Lost under way: it may have happened, or not. */
static bool nobody_knows(DWORD error)
{
    return error == RPC_S_CALL_FAILED || error == RPC_S_SERVER_UNAVAILABLE;
}

static DWORD set_property(HGROUP group, DWORD number)
{
    const struct {
        DWORD count;
        DWORD name_syntax, name_size;
        WCHAR name[4];
        DWORD value_syntax, value_size, value;
        DWORD end_mark;
    } list = {1,
              CLUSPROP_SYNTAX_NAME,
              sizeof(list.name),
              L"seq",
              CLUSPROP_SYNTAX_LIST_VALUE_DWORD,
              sizeof(DWORD),
              number,
              CLUSPROP_SYNTAX_ENDMARK};
    return ClusterGroupControl(group, NULL, CLUSCTL_GROUP_SET_PRIVATE_PROPERTIES, (LPVOID)&list,
                               sizeof(list), NULL, 0, NULL);
}

static DWORD make_group(struct writer *w, LPCWSTR name)
{
    w->group = CreateClusterGroup(w->cluster, name);
    return w->group ? ERROR_SUCCESS : GetLastError();
}

static DWORD end_group(struct writer *w)
{
    DWORD error = DeleteClusterGroup(w->group);
    CloseClusterGroup(w->group);
    w->group = NULL;
    return error;
}

static DWORD operate(struct writer *w, unsigned n)
{
    WCHAR name[NAME_ROOM];
    uint64_t value = n;
    swprintf(name, NAME_ROOM, L"%lc%u-%u", n % TURNS == TURN_NAME ? L'r' : L'w', w->number, n);
    switch ((enum load_turn)(n % TURNS)) {
    case TURN_VALUE:
        return ClusterRegSetValue(w->key, L"n", REG_QWORD, (const BYTE *)&value, sizeof(value));
    case TURN_GROUP:
        return make_group(w, name);
    case TURN_PROPERTY:
        return set_property(w->group, n);
    case TURN_NAME:
        return SetClusterGroupName(w->group, name);
    default:
        return end_group(w);
    }
}

static void note(struct writer *w, unsigned n, DWORD error)
{
    struct load *l = w->load;
    if (nobody_knows(error))
        return;
    atomic_store(&l->outcomes[w->number][n], error ? OUTCOME_REFUSED + error : OUTCOME_DONE);
    if (error)
        atomic_fetch_add(&l->refusals, 1);
    sem_post(error ? &l->one_refused : &l->one_done);
    sem_post(&l->one_answered);
}

static void *write_all(void *context)
{
    struct writer *w = context;
    for (unsigned n = 0; n < LOAD_MOST_OPERATIONS && !atomic_load(&w->load->ending); n++) {
        if (n % TURNS > TURN_GROUP && !w->group)
            continue;
        while (sem_wait(&w->load->granted) < 0)
            ;
        atomic_store(&w->load->begun[w->number], n + 1);
        note(w, n, operate(w, n));
    }
    return NULL;
}

static void open_all(struct writer *w)
{
    WCHAR name[NAME_ROOM];
    DWORD disposition;
    w->cluster = OpenCluster(NULL);
    if (!w->cluster)
        give_up("OpenCluster", GetLastError());
    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS);
    swprintf(name, NAME_ROOM, L"w%u", w->number);
    DWORD error = ClusterRegCreateKey(root, name, 0, KEY_ALL_ACCESS, NULL, &w->key, &disposition);
    if (error)
        give_up("ClusterRegCreateKey", error);
    ClusterRegCloseKey(root);
    sem_post(&w->load->one_ready);
}

static void close_all(struct writer *w)
{
    if (w->group)
        CloseClusterGroup(w->group);
    ClusterRegCloseKey(w->key);
    CloseCluster(w->cluster);
}

static void run_writers(struct load *l, unsigned process)
{
    struct writer writers[LOAD_THREADS];
    pthread_t threads[LOAD_THREADS];
    for (unsigned i = 0; i < LOAD_THREADS; i++) {
        writers[i] = (struct writer){.load = l, .number = process * LOAD_THREADS + i};
        open_all(&writers[i]);
    }
    for (unsigned i = 0; i < LOAD_THREADS; i++)
        if (pthread_create(&threads[i], NULL, write_all, &writers[i]) != 0)
            give_up("no thread", 0);
    for (unsigned i = 0; i < LOAD_THREADS; i++) {
        pthread_join(threads[i], NULL);
        close_all(&writers[i]);
    }
}

/* ---- readers ---- */

uint64_t load_fingerprint(uint64_t revision, int64_t time_ns, const char *kind, const char *name)
{
    uint64_t hash = 14695981039346656037u ^ revision;
    hash = hash * 1099511628211u ^ (uint64_t)time_ns;
    for (; *kind; kind++)
        hash = (hash ^ (uint8_t)*kind) * 1099511628211u;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 1099511628211u;
    return hash ? hash : 1;
}

struct reader {
    struct load *load;
    HCLUSTER cluster;
    HCHANGE port;
    ULONGLONG last;
};

/* What it fell behind of is told too, with its extent. */
static void note_lost(struct reader *r, const CLUSPORT_NOTIFICATION *n)
{
    if (n->ullLostFirst != r->last + 1 || n->ullLostCount != n->ullLostLast - n->ullLostFirst + 1) {
        fprintf(stderr, "load: %llu lost from %llu to %llu, after %llu\n",
                (unsigned long long)n->ullLostCount, (unsigned long long)n->ullLostFirst,
                (unsigned long long)n->ullLostLast, (unsigned long long)r->last);
        _exit(1);
    }
    r->last = n->ullLostLast;
}

/* Every change, once, in order, whatever happens to the service. */
static void note_told(struct reader *r, const CLUSPORT_NOTIFICATION *n)
{
    char name[NAME_ROOM * 4] = "";
    unsigned long long nothing = 0;
    if (n->ullRevision != r->last + 1 || n->ullRevision >= LOAD_MOST_REVISIONS) {
        fprintf(stderr, "load: told of %s, revision %llu after %llu\n", n->pszKind,
                (unsigned long long)n->ullRevision, (unsigned long long)r->last);
        _exit(1);
    }
    wcstombs(name, n->pszName, sizeof(name) - 1);
    uint64_t told = load_fingerprint(n->ullRevision, n->llTime, n->pszKind, name);
    if (!atomic_compare_exchange_strong(&r->load->told[n->ullRevision], &nothing, told) &&
        nothing != told) {
        fprintf(stderr, "load: revision %llu is told as two changes\n",
                (unsigned long long)n->ullRevision);
        _exit(1);
    }
    r->last = n->ullRevision;
    unsigned long long before = atomic_load(&r->load->told_last);
    while (before < r->last && !atomic_compare_exchange_weak(&r->load->told_last, &before, r->last))
        ;
}

static void *read_all(void *context)
{
    struct reader *r = context;
    CLUSPORT_NOTIFICATION *n;
    DWORD error;
    while ((error = ClusportGetNotification(r->port, INFINITE, &n)) == ERROR_SUCCESS) {
        if (strcmp(n->pszKind, "port.lost") == 0)
            note_lost(r, n);
        else if (n->ullRevision > 0)
            note_told(r, n);
        ClusportFreeNotification(n);
        sem_post(&r->load->one_told);
    }
    if (!atomic_load(&r->load->ending))
        give_up("ClusportGetNotification", error);
    return NULL;
}

static void run_readers(struct load *l)
{
    struct reader readers[LOAD_READERS];
    pthread_t threads[LOAD_READERS];
    for (unsigned i = 0; i < LOAD_READERS; i++) {
        CLUSPORT_OPTIONS options = {.cbSize = sizeof(options), .fSince = TRUE};
        readers[i] = (struct reader){.load = l, .cluster = OpenCluster(NULL)};
        if (!readers[i].cluster)
            give_up("OpenCluster", GetLastError());
        DWORD error = ClusportCreatePort(readers[i].cluster, NULL, 0, &options, &readers[i].port);
        if (error)
            give_up("ClusportCreatePort", error);
        if (pthread_create(&threads[i], NULL, read_all, &readers[i]) != 0)
            give_up("no thread", 0);
    }
    while (sem_wait(&l->end) < 0)
        ;
    for (unsigned i = 0; i < LOAD_READERS; i++) {
        CloseClusterNotifyPort(readers[i].port);
        pthread_join(threads[i], NULL);
        CloseCluster(readers[i].cluster);
    }
}

/* ---- all of them ---- */

static struct load *map(int fd)
{
    struct load *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (l == MAP_FAILED)
        give_up("no shared memory", (DWORD)errno);
    return l;
}

void load_main(int argc, char *argv[])
{
    if (argc != 4 || strcmp(argv[1], PROGRAM) != 0)
        return;
    struct load *l = map(atoi(argv[2]));
    unsigned process = (unsigned)atoi(argv[3]);
    if (process < LOAD_PROCESSES)
        run_writers(l, process);
    else
        run_readers(l);
    exit(0);
}

static pid_t start_process(int fd, unsigned process)
{
    pid_t parent = getpid();
    char fd_text[16], process_text[16];
    snprintf(fd_text, sizeof(fd_text), "%d", fd);
    snprintf(process_text, sizeof(process_text), "%u", process);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        execl("/proc/self/exe", program_invocation_short_name, PROGRAM, fd_text, process_text,
              (char *)NULL);
    _exit(1);
}

static void await(sem_t *sem)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LONGEST_WAIT_S;
    int r;
    do
        r = sem_timedwait(sem, &until);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        fail_msg("nothing was done for %d s", LONGEST_WAIT_S);
}

static void empty(sem_t *sem)
{
    while (sem_trywait(sem) == 0)
        ;
}

static void grant(struct load *l, unsigned count)
{
    while (count-- > 0)
        sem_post(&l->granted);
}

struct load *load_start(void)
{
    int fd = memfd_create("load", 0); /* the programs inherit it */
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, sizeof(struct load)), 0);
    struct load *l = map(fd);
    assert_int_equal(sem_init(&l->one_done, 1, 0), 0);
    assert_int_equal(sem_init(&l->one_told, 1, 0), 0);
    assert_int_equal(sem_init(&l->one_refused, 1, 0), 0);
    assert_int_equal(sem_init(&l->one_answered, 1, 0), 0);
    assert_int_equal(sem_init(&l->one_ready, 1, 0), 0);
    assert_int_equal(sem_init(&l->end, 1, 0), 0);
    assert_int_equal(sem_init(&l->granted, 1, 0), 0);
    for (unsigned i = 0; i <= LOAD_PROCESSES; i++)
        l->processes[i] = start_process(fd, i);
    close(fd);
    for (unsigned i = 0; i < LOAD_WRITERS; i++)
        await(&l->one_ready);
    grant(l, LOAD_WRITERS * TURNS);
    for (unsigned i = 0; i < LOAD_WRITERS * TURNS; i++)
        await(&l->one_done);
    load_await_told(l, 1);
    return l;
}

void load_await_done(struct load *l, uint32_t count)
{
    empty(&l->one_done);
    empty(&l->granted);
    grant(l, LOAD_GRANT);
    while (count-- > 0)
        await(&l->one_done);
}

void load_await_refusal(struct load *l)
{
    empty(&l->one_refused);
    empty(&l->granted);
    grant(l, LOAD_GRANT);
    await(&l->one_refused);
}

void load_await_accepted(struct load *l)
{
    empty(&l->granted);
    empty(&l->one_done);
    empty(&l->one_answered);
    while (sem_trywait(&l->one_done) < 0) {
        grant(l, 1);
        await(&l->one_answered);
    }
}

void load_await_told(struct load *l, uint64_t revision)
{
    while (atomic_load(&l->told_last) < revision)
        await(&l->one_told);
}

void load_stop(struct load *l)
{
    atomic_store(&l->ending, true);
    grant(l, LOAD_WRITERS);
    sem_post(&l->end);
    for (unsigned i = 0; i <= LOAD_PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(l->processes[i], &status, 0), l->processes[i]);
        assert_int_equal(status, 0);
    }
    munmap(l, sizeof(*l));
}

void load_kill(struct load *l)
{
    for (unsigned i = 0; i <= LOAD_PROCESSES; i++) {
        kill(l->processes[i], SIGKILL);
        waitpid(l->processes[i], NULL, 0);
    }
    munmap(l, sizeof(*l));
}
