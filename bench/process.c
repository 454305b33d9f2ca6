/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/futex.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"
#include "bench.h"

#define CONNECT_WAIT_NS 20000000000
#define CONNECT_STEP_NS 5000000

static pid_t main_process;

void fail(const char *format, ...)
{
    va_list args;
    int error = errno;
    va_start(args, format);
    fprintf(stderr, "bench: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, " (%s)\n", strerror(error));
    va_end(args);
    if (main_process != 0 && main_process != getpid())
        kill(main_process, SIGTERM); /* it waits for this child, and dies with its children */
    exit(1);
}

/* ---- CPUs ---- */

static cpu_set_t usable(void)
{
    static cpu_set_t all;
    if (CPU_COUNT(&all) == 0 && sched_getaffinity(0, sizeof(all), &all) < 0)
        fail("no CPUs");
    return all;
}

static void add_nth(const cpu_set_t *all, int n, cpu_set_t *out)
{
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, all) && n-- == 0) {
            CPU_SET(i, out);
            return;
        }
    }
}

void place(enum cpus cpus, enum place where)
{
    cpu_set_t all = usable(), set;
    CPU_ZERO(&set);
    if (cpus == CPUS_ONE || where != PLACE_SECOND)
        add_nth(&all, 0, &set);
    if (cpus == CPUS_TWO && where != PLACE_FIRST)
        add_nth(&all, 1, &set);
    if (CPU_COUNT(&set) == 0) /* the machine has but one */
        set = all;
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        fail("cannot be pinned");
}

/* ---- time ---- */

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void pause_ns(int64_t ns)
{
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    nanosleep(&t, NULL);
}

/* ---- processes ---- */

pid_t start_child(void)
{
    pid_t parent = getpid();
    if (main_process == 0)
        main_process = parent;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        fail("no process");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
    }
    return pid;
}

pid_t start_program(const char *const argv[], const char *log_path)
{
    pid_t pid = start_child();
    if (pid > 0)
        return pid;
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log >= 0) {
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
    }
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

void end_program(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

bool is_installed(const char *program)
{
    static const char *const folders[] = {"/usr/bin", "/usr/sbin"};
    char path[PATH_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s", folders[i], program);
        if (access(path, X_OK) == 0)
            return true;
    }
    note("%s is not installed, and not compared with", program);
    return false;
}

/* ---- scratch ---- */

char *make_folder(const char *parent)
{
    char *path = NULL;
    if (asprintf(&path, "%s/clusport-bench-XXXXXX", parent) < 0 || !mkdtemp(path))
        fail("no folder in %s", parent);
    return path;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void remove_folder(char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    free(path);
}

void *shared_memory(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        fail("no memory");
    return p;
}

/* ---- sockets ---- */

unsigned short free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    _cleanup_close_
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        fail("no port");
    return ntohs(address.sin_port);
}

static int try_connect(int family, const struct sockaddr *address, socklen_t size)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("no socket");
    if (connect(fd, address, size) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_when_there(int family, const struct sockaddr *address, socklen_t size)
{
    int64_t until = now_ns() + CONNECT_WAIT_NS;
    int fd;
    while ((fd = try_connect(family, address, size)) < 0) {
        if (now_ns() > until)
            fail("nobody listens");
        pause_ns(CONNECT_STEP_NS);
    }
    return fd;
}

int connect_tcp(unsigned short port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = connect_when_there(AF_INET, (struct sockaddr *)&address, sizeof(address));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return connect_when_there(AF_UNIX, (struct sockaddr *)&address, sizeof(address));
}

/* ---- futexes shared between processes ---- */

void futex_wake(const void *word, uint32_t bits)
{
    syscall(SYS_futex, word, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, bits);
}

void futex_wait(const void *word, uint32_t value, uint32_t bits)
{
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, NULL, NULL, bits);
}
