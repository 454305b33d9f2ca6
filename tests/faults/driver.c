/* SPDX-License-Identifier: MIT */
#include "faults/driver.h"

#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "support/campaign.h"
#include "support/service.h"

#define RUN_LIMIT_S (campaign_runs() ? 600 : 120) /* only a hang takes so long */
#define WARM_UPS 3
#define REPEATS 8 /* what grows each time is a leak */
#define MOST_CASES 100000
#define SHARES 8      /* processes in a campaign: they wait more than they compute */
#define MOST_FAILED 8 /* cases of a share */
#define MOST_TASKS 16
#define MISSES 3 /* runs without a fault that are the end: no two make quite the same calls */

static const char *const class_names[FAULT_CLASS_COUNT] = {"memory", "descriptor", "io", "process",
                                                           "sqlite"};

static struct fault_page *page;
static const struct fault_task *task;
static char injector[512];

/* ---- telling ---- */

static void print_place(const struct fault_place *place)
{
    char command[512], line[512] = "";
    snprintf(command, sizeof(command), "addr2line -Cpfse '%s' %#lx 2>/dev/null", place->module,
             (unsigned long)place->offset);
    FILE *f = popen(command, "r");
    if (f && !fgets(line, sizeof(line), f))
        line[0] = '\0';
    if (f)
        pclose(f);
    fprintf(stderr, "    %s+%#lx %s%s", place->module, (unsigned long)place->offset, line,
            *line ? "" : "\n");
}

static void print_case(void)
{
    if (!page || !task)
        return;
    atomic_store(&page->armed, false);
    fprintf(stderr, "task %s: class %s, n %lu, way %u, %s; %u of %lu calls failed\n", task->name,
            class_names[page->class], (unsigned long)page->nth, page->way,
            page->persistent ? "persistent" : "transient", atomic_load(&page->failed),
            (unsigned long)atomic_load(&page->counted));
    if (!atomic_load(&page->failed))
        return;
    fprintf(stderr, "  the first was %s, with error %d, in\n", page->function, page->error);
    for (unsigned i = 0; i < page->depth; i++)
        print_place(&page->places[i]);
}

_Noreturn void faults_fail(const char *file, int line, const char *condition, const char *format,
                           ...)
{
    va_list rest;
    alarm(0);
    print_case();
    fprintf(stderr, "%s:%d: not true: %s: ", file, line, condition);
    va_start(rest, format);
    vfprintf(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    task = NULL;
    exit(1);
}

/* A hang or a crash: as much as can be said. */
static void on_end(int signal)
{
    void *trace[64];
    print_case();
    fprintf(stderr, "ended by signal %d (%s) in\n", signal, strsignal(signal));
    fflush(stderr);
    backtrace_symbols_fd(trace, backtrace(trace, 64), STDERR_FILENO);
    if (signal == SIGALRM)
        _exit(1);
    raise(signal); /* the handler is gone */
}

/* A helper of the tests gave up. */
static void at_exit(void)
{
    print_case();
}

/* ---- the injector ---- */

void faults_begin(char *argv[])
{
    snprintf(injector, sizeof(injector), "%s", built_path("tests/faults/libfaults-injector.so"));
    if (!dlsym(RTLD_DEFAULT, "faults_page")) {
        setenv("LD_PRELOAD", injector, 1);
        execv("/proc/self/exe", argv);
        perror("exec");
        exit(1);
    }
    static const int ends[] = {SIGALRM, SIGABRT, SIGSEGV, SIGBUS};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        sigaction(ends[i], &(struct sigaction){.sa_handler = on_end, .sa_flags = (int)SA_RESETHAND},
                  NULL);
    atexit(at_exit);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

struct fault_page *faults_own_page(void)
{
    faults_page_fn get;
    *(void **)&get = dlsym(RTLD_DEFAULT, "faults_page");
    return get();
}

void faults_spare_this_thread(bool spare)
{
    static faults_spare_fn set;
    if (!set)
        *(void **)&set = dlsym(RTLD_DEFAULT, "faults_spare");
    set(spare);
}

struct fault_page *faults_shared_page(const char *ret_environment[3])
{
    static char preload[640], variable[640];
    int fd = memfd_create("faults", MFD_CLOEXEC); /* stays: each start opens it */
    EXPECT(fd >= 0 && ftruncate(fd, sizeof(struct fault_page)) == 0, "%m");
    void *map = mmap(NULL, sizeof(struct fault_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    EXPECT(map != MAP_FAILED, "%m");
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", injector);
    snprintf(variable, sizeof(variable), FAULTS_PAGE_VARIABLE "=/proc/%d/fd/%d", getpid(), fd);
    ret_environment[0] = preload;
    ret_environment[1] = variable;
    ret_environment[2] = NULL;
    return map;
}

/* ---- one run ---- */

struct held {
    int64_t blocks;
    int descriptors;
};

static int count_descriptors(void)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/fd", atomic_load(&page->pid));
    DIR *folder = opendir(path);
    int count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static struct held held_now(void)
{
    return (struct held){.blocks = atomic_load(&page->blocks), .descriptors = count_descriptors()};
}

static void run_once(uint64_t nth)
{
    alarm(RUN_LIMIT_S);
    atomic_store(&page->counted, 0);
    atomic_store(&page->failed, 0);
    page->depth = 0;
    page->nth = nth;
    if (task->before)
        task->before();
    atomic_store(&page->armed, nth > 0);
    task->body();
    atomic_store(&page->armed, false);
    if (task->after)
        task->after();
    alarm(0);
}

uint32_t faults_hit(void)
{
    return atomic_load(&page->failed);
}

/* Threads and first uses take and keep a little; what grows with each run of a case is lost. Not so
 * a service's memory: its database's cache grows with every change. */
static void check_held(struct held *before)
{
    struct held first = held_now(), now = first;
    bool own = atomic_load(&page->pid) == getpid();
    bool blocks = own && now.blocks > before->blocks,
         descriptors = now.descriptors > before->descriptors;
    for (unsigned i = 0; i < REPEATS && (blocks || descriptors); i++) {
        struct held last = now;
        run_once(page->nth);
        now = held_now();
        blocks = blocks && now.blocks > last.blocks;
        descriptors = descriptors && now.descriptors > last.descriptors;
    }
    EXPECT(!blocks, "%ld blocks of memory are lost", (long)(first.blocks - before->blocks));
    EXPECT(!descriptors, "%d descriptors are lost", first.descriptors - before->descriptors);
    *before = now;
}

/* ---- a campaign's shares ---- */

/* Where a share is, for the one that goes on after a case that failed. */
struct place {
    unsigned task, class;
    uint64_t n;
};

struct campaign {
    struct place at[SHARES];
    struct tally {
        char task[32];
        _Atomic uint64_t cases, last_hit[SHARES];
    } tallies[MOST_TASKS][FAULT_CLASS_COUNT];
};

static struct campaign *campaign;
static struct place resume; /* what is before it was done by another process */
static unsigned own_share, task_number;

static pid_t start_share(unsigned share)
{
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    EXPECT(pid >= 0, "%m");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    setvbuf(stderr, NULL, _IOFBF, 1 << 16); /* what one says comes in one piece */
    own_share = share;
    resume = campaign->at[share];
    return 0;
}

static void print_tallies(void)
{
    for (unsigned t = 0; t < MOST_TASKS; t++)
        for (unsigned class = 0; class < FAULT_CLASS_COUNT; class ++) {
            struct tally *tally = &campaign->tallies[t][class];
            uint64_t last = 0;
            for (unsigned i = 0; i < SHARES; i++)
                last = MAX(last, atomic_load(&tally->last_hit[i]));
            if (*tally->task)
                printf("%s: %s: every call up to the last, %lu; %lu cases\n", tally->task,
                       class_names[class], (unsigned long)last,
                       (unsigned long)atomic_load(&tally->cases));
        }
}

/* Whoever failed has said why, and has a service in an unknown state: another goes on. */
void faults_share(void)
{
    pid_t pids[SHARES];
    unsigned failed[SHARES] = {0}, all_failed = 0;
    if (!campaign_runs())
        return;
    campaign =
        mmap(NULL, sizeof(*campaign), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT(campaign != MAP_FAILED, "%m");
    for (unsigned i = 0; i < SHARES; i++)
        if ((pids[i] = start_share(i)) == 0)
            return;
    for (unsigned left = SHARES; left > 0;) {
        int status;
        pid_t pid = wait(&status);
        unsigned i = 0;
        while (i < SHARES && pids[i] != pid)
            i++;
        EXPECT(i < SHARES, "%m");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            left--;
            continue;
        }
        all_failed++;
        if (++failed[i] == MOST_FAILED)
            left--;
        else if ((pids[i] = start_share(i)) == 0)
            return;
    }
    print_tallies();
    if (all_failed)
        printf("%u cases failed\n", all_failed);
    exit(all_failed ? 1 : 0);
}

/* ---- all runs of a task ---- */

static void run_case(struct held *held, uint64_t n, unsigned way, bool persistent)
{
    page->way = way;
    page->persistent = persistent;
    run_once(n);
    if (task->leaves_nothing)
        check_held(held);
}

static uint64_t run_some(bool persistent, uint64_t first, uint64_t step, uint64_t most)
{
    struct held held = held_now();
    uint64_t cases = 0;
    for (uint64_t n = first; cases < most; n += step, cases++) {
        run_case(&held, n, (unsigned)(n % FAULT_WAYS), persistent);
        if (faults_hit() == 0)
            return cases;
        EXPECT(cases < MOST_CASES, "there is no end");
    }
    return cases;
}

/* How many calls of the class a run makes when nothing fails. */
static uint64_t count_calls(void)
{
    page->persistent = false;
    run_once(UINT64_MAX);
    return atomic_load(&page->counted);
}

static void run_usual(enum fault_class class, uint64_t calls)
{
    struct test_random random = random_of(campaign_seed(1));
    uint64_t most = task->most_usual ? task->most_usual : calls + 1;
    uint64_t step = MAX(calls / most, (uint64_t)1);
    uint64_t first = 1 + random_below(&random, (uint32_t)step);
    uint64_t cases = run_some(false, first, step, UINT64_MAX);
    /* What never works again: a few, for the library's patience is long with a silent service. */
    uint64_t few = class == FAULT_IO ? 1 : 3;
    if (task->most_usual)
        few = MIN(few, most / 16);
    if (few > 0 && !(task->only_once & 1u << class)) {
        step = MAX(calls / few, (uint64_t)1);
        first = 1 + random_below(&random, (uint32_t)step);
        cases += run_some(true, first, step, few);
    }
    printf("%s: %s: %lu calls, %lu cases\n", task->name, class_names[class], (unsigned long)calls,
           (unsigned long)cases);
}

/* One call, in each of its ways, once and for ever. false: there is no such call. */
static bool run_call(struct held *held, struct tally *tally, uint64_t n, bool lasting)
{
    unsigned ways = 1;
    bool hit = false;
    for (unsigned way = 0; way < ways; way++)
        for (int persistent = 0; persistent <= lasting; persistent++) {
            run_case(held, n, way, persistent);
            hit = hit || faults_hit() > 0;
            if (faults_hit() > 0)
                ways = MAX(ways, page->ways);
            atomic_fetch_add(&tally->cases, 1);
        }
    return hit;
}

static void run_every(enum fault_class class)
{
    struct held held = held_now();
    struct tally *tally = &campaign->tallies[task_number][class];
    struct place *at = &campaign->at[own_share];
    bool resumed = resume.task == task_number && resume.class == class;
    const char *first = getenv("CLUSPORT_NTH");
    uint64_t n = resumed ? resume.n + SHARES : own_share + (first ? strtoull(first, NULL, 10) : 1);
    snprintf(tally->task, sizeof(tally->task), "%s", task->name);
    for (unsigned misses = 0; misses < MISSES; n += SHARES) {
        *at = (struct place){.task = task_number, .class = class, .n = n};
        bool hit = run_call(&held, tally, n, !(task->only_once & 1u << class));
        misses = hit ? 0 : misses + 1;
        if (hit)
            atomic_store(&tally->last_hit[own_share], n);
        EXPECT(n < MOST_CASES, "there is no end");
    }
    printf("%s: %s: share %u of %u is done, with call %lu\n", task->name, class_names[class],
           own_share + 1, SHARES, (unsigned long)n);
}

static bool was_done(unsigned class)
{
    return task_number < resume.task || (task_number == resume.task && class < resume.class);
}

static bool cannot_work(enum fault_class class)
{
#ifdef FAULTS_WITHOUT_MEMORY
    if (class == FAULT_MEMORY) {
        printf("%s: no faults of memory: the sanitizer's allocator cannot be replaced\n",
               task->name);
        return true;
    }
#endif
    (void)class;
    return false;
}

void faults_run(struct fault_page *p, const struct fault_task *t)
{
    const char *only = getenv("CLUSPORT_TASK");
    task_number++;
    if (only && strcmp(only, t->name) != 0)
        return;
    page = p;
    task = t;
    for (unsigned i = 0; i < WARM_UPS; i++)
        run_once(0);
    for (unsigned class = 0; class < FAULT_CLASS_COUNT; class ++) {
        if (!(t->classes & 1u << class) || cannot_work(class))
            continue;
        page->class = class;
        uint64_t calls = count_calls();
        if (!campaign_runs())
            run_usual(class, calls);
        else if (!was_done(class))
            run_every(class);
    }
    task = NULL;
}
