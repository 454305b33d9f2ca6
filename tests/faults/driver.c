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
#include <unistd.h>

#include "base/macro.h"
#include "support/campaign.h"
#include "support/service.h"

#define RUN_LIMIT_S 120 /* only a hang takes so long */
#define WARM_UPS 3
#define REPEATS 3 /* what grows each time is a leak */
#define MOST_CASES 100000

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
    DIR *folder = opendir("/proc/self/fd");
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

/* Threads and first uses take and keep a little; what grows with each run of a case is lost. */
static void check_held(struct held *before)
{
    struct held first = held_now(), now = first;
    bool blocks = now.blocks > before->blocks, descriptors = now.descriptors > before->descriptors;
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

/* ---- all runs of a task ---- */

static uint64_t run_class(enum fault_class class, unsigned way, bool rotate, bool persistent,
                          uint64_t first, uint64_t step, uint64_t most)
{
    struct held held = held_now();
    uint64_t cases = 0;
    page->class = class;
    page->persistent = persistent;
    for (uint64_t n = first; cases < most; n += step, cases++) {
        page->way = rotate ? (uint32_t)(n % FAULT_WAYS) : way;
        run_once(n);
        if (task->leaves_nothing)
            check_held(&held);
        if (faults_hit() == 0)
            return cases;
        EXPECT(cases < MOST_CASES, "there is no end");
    }
    return cases;
}

/* How many calls of the class a run makes when nothing fails. */
static uint64_t count_calls(enum fault_class class)
{
    page->class = class;
    page->persistent = false;
    run_once(UINT64_MAX);
    return atomic_load(&page->counted);
}

static uint64_t run_usual(enum fault_class class, uint64_t calls, uint64_t seed)
{
    struct test_random random = random_of(seed);
    uint64_t most = task->most_usual ? task->most_usual : calls + 1;
    uint64_t step = MAX(calls / most, (uint64_t)1);
    uint64_t first = 1 + random_below(&random, (uint32_t)step);
    uint64_t cases = run_class(class, 0, true, false, first, step, UINT64_MAX);
    /* What never works again: a few, for the library's patience is long with a silent service. */
    uint64_t few = class == FAULT_IO ? 1 : 3;
    if (task->most_usual)
        few = MIN(few, most / 16);
    if (few == 0 || task->only_once & 1u << class)
        return cases;
    step = MAX(calls / few, (uint64_t)1);
    first = 1 + random_below(&random, (uint32_t)step);
    return cases + run_class(class, 0, true, true, first, step, few);
}

static uint64_t run_every(enum fault_class class)
{
    uint64_t cases = 0;
    unsigned ways = class == FAULT_MEMORY ? 1 : FAULT_WAYS;
    int lasting = !(task->only_once & 1u << class);
    for (unsigned way = 0; way < ways; way++)
        for (int persistent = 0; persistent <= lasting; persistent++)
            cases += run_class(class, way, false, persistent, 1, 1, UINT64_MAX);
    return cases;
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
    uint64_t seed = campaign_seed(1);
    if (only && strcmp(only, t->name) != 0)
        return;
    page = p;
    task = t;
    for (unsigned i = 0; i < WARM_UPS; i++)
        run_once(0);
    for (unsigned class = 0; class < FAULT_CLASS_COUNT; class ++) {
        if (!(t->classes & 1u << class) || cannot_work(class))
            continue;
        uint64_t calls = count_calls(class);
        uint64_t cases = campaign_runs() ? run_every(class) : run_usual(class, calls, seed);
        printf("%s: %s: %lu calls, %lu cases\n", t->name, class_names[class], (unsigned long)calls,
               (unsigned long)cases);
    }
    task = NULL;
}
