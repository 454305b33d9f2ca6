/* SPDX-License-Identifier: MIT */
#include "injector.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static struct fault_page own_page;
static struct fault_page *page = &own_page;
static __thread int spared __attribute__((tls_model("initial-exec"))); /* > 0: does not count */

EXPORT struct fault_page *faults_page(void);
EXPORT struct fault_page *faults_page(void)
{
    return page;
}

EXPORT void faults_spare(bool spare);
EXPORT void faults_spare(bool spare)
{
    spared += spare ? 1 : -1;
}

/* ---- the decision ---- */

static void note_place(const void *address)
{
    Dl_info info;
    struct fault_place *place = &page->places[page->depth];
    if (!dladdr(address, &info) || !info.dli_fname)
        return;
    snprintf(place->module, sizeof(place->module), "%s", info.dli_fname);
    place->offset = (uint64_t)((const char *)address - (const char *)info.dli_fbase) - 1;
    page->depth++;
}

static void note(const char *function, int error, unsigned ways)
{
    void *trace[FAULT_DEPTH + 3];
    int depth = backtrace(trace, FAULT_DEPTH + 3);
    page->error = error;
    page->ways = ways;
    snprintf(page->function, sizeof(page->function), "%s", function);
    page->depth = 0;
    for (int i = 3; i < depth; i++)
        note_place(trace[i]);
}

/* 0: the call is to be made; else what it fails with. */
static __attribute__((noinline)) int decide(enum fault_class class, const char *function,
                                            const int *errors)
{
    if (!atomic_load(&page->armed) || page->class != class || spared > 0 ||
        atomic_load(&page->pid) != getpid())
        return 0;
    uint64_t n = atomic_fetch_add(&page->counted, 1) + 1;
    if (n < page->nth || (n > page->nth && !page->persistent))
        return 0;
    unsigned ways = 1;
    while (ways < FAULT_WAYS && errors[ways])
        ways++;
    int error = errors[page->way % ways];
    if (error == EINTR && n != page->nth)
        return 0; /* a signal comes once */
    if (atomic_fetch_add(&page->failed, 1) == 0) {
        spared++;
        note(function, error, ways);
        spared--;
    }
    return error;
}

static __attribute__((noinline)) bool fails(enum fault_class class, const char *function,
                                            const int *errors)
{
    int error = decide(class, function, errors);
    if (error)
        errno = error;
    return error != 0;
}

#define WAYS(...) ((const int[FAULT_WAYS + 1]){__VA_ARGS__})

/* ---- the real ones ---- */

#define REAL(name)                                                                                 \
    static __typeof__(name) *real;                                                                 \
    if (!real)                                                                                     \
    real = (__typeof__(name) *)find(#name)

static void *find(const char *name)
{
    spared++;
    void *found = dlsym(RTLD_NEXT, name);
    spared--;
    return found;
}

#define FAILING(class, type, name, failure, ways, parameters, arguments)                           \
    EXPORT type name parameters;                                                                   \
    EXPORT type name parameters                                                                    \
    {                                                                                              \
        REAL(name);                                                                                \
        if (fails(class, #name, ways))                                                             \
            return failure;                                                                        \
        return real arguments;                                                                     \
    }

/* ---- memory ---- */

#ifndef FAULTS_WITHOUT_MEMORY
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static void *held(void *block)
{
    if (block)
        atomic_fetch_add_explicit(&page->blocks, 1, memory_order_relaxed);
    return block;
}

#define NO_MEMORY WAYS(ENOMEM)

EXPORT void *malloc(size_t size)
{
    return fails(FAULT_MEMORY, "malloc", NO_MEMORY) ? NULL : held(__libc_malloc(size));
}

EXPORT void *calloc(size_t count, size_t size)
{
    return fails(FAULT_MEMORY, "calloc", NO_MEMORY) ? NULL : held(__libc_calloc(count, size));
}

EXPORT void *realloc(void *old, size_t size)
{
    if (fails(FAULT_MEMORY, "realloc", NO_MEMORY))
        return NULL;
    void *block = __libc_realloc(old, size);
    return old ? block : held(block);
}

EXPORT void *memalign(size_t alignment, size_t size);
EXPORT void *memalign(size_t alignment, size_t size)
{
    return fails(FAULT_MEMORY, "memalign", NO_MEMORY) ? NULL
                                                      : held(__libc_memalign(alignment, size));
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORT int posix_memalign(void **ret, size_t alignment, size_t size)
{
    void *block = memalign(alignment, size);
    if (!block)
        return ENOMEM;
    *ret = block;
    return 0;
}

EXPORT void free(void *block)
{
    if (block)
        atomic_fetch_sub_explicit(&page->blocks, 1, memory_order_relaxed);
    __libc_free(block);
}
#endif

/* ---- descriptors and mappings ---- */

#define NO_DESCRIPTOR WAYS(EMFILE, ENFILE, ENOMEM)

#define OPENING(name, first_parameters, first_arguments)                                           \
    EXPORT int name(first_parameters const char *path, int flags, ...);                            \
    EXPORT int name(first_parameters const char *path, int flags, ...)                             \
    {                                                                                              \
        REAL(name);                                                                                \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                  \
        va_end(rest);                                                                              \
        if (fails(FAULT_DESCRIPTOR, #name,                                                         \
                  flags & O_CREAT ? WAYS(EMFILE, ENOSPC, EIO) : WAYS(EMFILE, EIO, ENOMEM)))        \
            return -1;                                                                             \
        return real(first_arguments path, flags, mode);                                            \
    }
#define NOTHING
#define FOLDER_PARAMETER int folder,
#define FOLDER_ARGUMENT folder,
OPENING(open, NOTHING, NOTHING)
OPENING(open64, NOTHING, NOTHING)
OPENING(openat, FOLDER_PARAMETER, FOLDER_ARGUMENT)
OPENING(openat64, FOLDER_PARAMETER, FOLDER_ARGUMENT)

#define MAKING(name, parameters, arguments)                                                        \
    FAILING(FAULT_DESCRIPTOR, int, name, -1, NO_DESCRIPTOR, parameters, arguments)
MAKING(socket, (int domain, int type, int protocol), (domain, type, protocol))
MAKING(socketpair, (int domain, int type, int protocol, int fds[2]), (domain, type, protocol, fds))
MAKING(accept4, (int fd, struct sockaddr *a, socklen_t *size, int flags), (fd, a, size, flags))
MAKING(eventfd, (unsigned value, int flags), (value, flags))
MAKING(timerfd_create, (int clock, int flags), (clock, flags))
MAKING(epoll_create1, (int flags), (flags))
MAKING(memfd_create, (const char *name, unsigned flags), (name, flags))
MAKING(dup, (int fd), (fd))
MAKING(dup3, (int fd, int to, int flags), (fd, to, flags))
MAKING(pipe2, (int fds[2], int flags), (fds, flags))
MAKING(signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))
MAKING(inotify_init1, (int flags), (flags))
FAILING(FAULT_DESCRIPTOR, DIR *, opendir, NULL, WAYS(EMFILE, ENOMEM), (const char *path), (path))
FAILING(FAULT_DESCRIPTOR, FILE *, fopen, NULL, WAYS(EMFILE, ENOMEM),
        (const char *path, const char *mode), (path, mode))
FAILING(FAULT_DESCRIPTOR, void *, mmap, MAP_FAILED, WAYS(ENOMEM, ENFILE),
        (void *at, size_t size, int protection, int flags, int fd, off_t offset),
        (at, size, protection, flags, fd, offset))
FAILING(FAULT_DESCRIPTOR, void *, mmap64, MAP_FAILED, WAYS(ENOMEM, ENFILE),
        (void *at, size_t size, int protection, int flags, int fd, off64_t offset),
        (at, size, protection, flags, fd, offset))

EXPORT int fcntl(int fd, int command, ...)
{
    REAL(fcntl);
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if ((command == F_DUPFD_CLOEXEC || command == F_DUPFD) &&
        fails(FAULT_DESCRIPTOR, "fcntl", WAYS(EMFILE)))
        return -1;
    if ((command == F_SETLK || command == F_SETLKW) &&
        fails(FAULT_IO, "fcntl", WAYS(ENOLCK, EIO, EAGAIN)))
        return -1;
    return real(fd, command, argument);
}

EXPORT int fcntl64(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return fcntl(fd, command, argument);
}

/* ---- what is done with them ---- */

/* What may happen to a file cannot happen to a counter in the kernel. */
enum nature { NATURE_FILE, NATURE_SOCKET, NATURE_PIPE, NATURE_COUNTER };

static enum nature nature_of(int fd)
{
    struct stat st;
    if (syscall(SYS_fstat, fd, &st) < 0)
        return NATURE_FILE;
    return S_ISSOCK(st.st_mode)                          ? NATURE_SOCKET
           : S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode) ? NATURE_PIPE
           : S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)  ? NATURE_FILE
                                                         : NATURE_COUNTER;
}

static bool reading_fails(const char *name, int fd)
{
    static const int ways[][FAULT_WAYS + 1] = {[NATURE_FILE] = {EIO, EINTR},
                                               [NATURE_SOCKET] = {ECONNRESET, EINTR, ENOMEM},
                                               [NATURE_PIPE] = {EIO, EINTR},
                                               [NATURE_COUNTER] = {EINTR}};
    return atomic_load(&page->armed) && fails(FAULT_IO, name, ways[nature_of(fd)]);
}

static bool writing_fails(const char *name, int fd)
{
    static const int ways[][FAULT_WAYS + 1] = {[NATURE_FILE] = {ENOSPC, EIO, EINTR},
                                               [NATURE_SOCKET] = {EPIPE, ENOBUFS, EINTR},
                                               [NATURE_PIPE] = {EPIPE, EINTR},
                                               [NATURE_COUNTER] = {EINTR}};
    return atomic_load(&page->armed) && fails(FAULT_IO, name, ways[nature_of(fd)]);
}

#define MOVING(type, name, direction, parameters, arguments)                                       \
    EXPORT type name parameters;                                                                   \
    EXPORT type name parameters                                                                    \
    {                                                                                              \
        REAL(name);                                                                                \
        if (direction##_fails(#name, fd))                                                          \
            return -1;                                                                             \
        return real arguments;                                                                     \
    }
MOVING(ssize_t, read, reading, (int fd, void *to, size_t size), (fd, to, size))
MOVING(ssize_t, pread, reading, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
MOVING(ssize_t, pread64, reading, (int fd, void *to, size_t size, off64_t at), (fd, to, size, at))
MOVING(ssize_t, recv, reading, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))
MOVING(ssize_t, recvmsg, reading, (int fd, struct msghdr *m, int flags), (fd, m, flags))
MOVING(ssize_t, write, writing, (int fd, const void *from, size_t size), (fd, from, size))
MOVING(ssize_t, pwrite, writing, (int fd, const void *from, size_t size, off_t at),
       (fd, from, size, at))
MOVING(ssize_t, pwrite64, writing, (int fd, const void *from, size_t size, off64_t at),
       (fd, from, size, at))
MOVING(ssize_t, send, writing, (int fd, const void *from, size_t size, int flags),
       (fd, from, size, flags))
MOVING(ssize_t, sendmsg, writing, (int fd, const struct msghdr *m, int flags), (fd, m, flags))

#define ACTING(name, ways, parameters, arguments)                                                  \
    FAILING(FAULT_IO, int, name, -1, ways, parameters, arguments)
ACTING(fsync, WAYS(EIO, ENOSPC), (int fd), (fd))
ACTING(fdatasync, WAYS(EIO, ENOSPC), (int fd), (fd))
ACTING(ftruncate, WAYS(ENOSPC, EIO), (int fd, off_t size), (fd, size))
ACTING(ftruncate64, WAYS(ENOSPC, EIO), (int fd, off64_t size), (fd, size))
ACTING(flock, WAYS(ENOLCK, EINTR), (int fd, int operation), (fd, operation))
ACTING(connect, WAYS(ECONNREFUSED, EAGAIN, EINTR), (int fd, const struct sockaddr *a, socklen_t n),
       (fd, a, n))
ACTING(bind, WAYS(EADDRINUSE, EACCES, ENOMEM), (int fd, const struct sockaddr *a, socklen_t n),
       (fd, a, n))
ACTING(listen, WAYS(EADDRINUSE), (int fd, int backlog), (fd, backlog))
ACTING(setsockopt, WAYS(ENOMEM), (int fd, int level, int name, const void *v, socklen_t n),
       (fd, level, name, v, n))
ACTING(poll, WAYS(EINTR, ENOMEM), (struct pollfd * fds, nfds_t count, int timeout),
       (fds, count, timeout))
ACTING(epoll_ctl, WAYS(ENOMEM, ENOSPC), (int epoll, int operation, int fd, struct epoll_event *e),
       (epoll, operation, fd, e))
ACTING(epoll_wait, WAYS(EINTR), (int epoll, struct epoll_event *e, int most, int timeout),
       (epoll, e, most, timeout))
ACTING(mkdir, WAYS(ENOSPC, EIO, EACCES), (const char *path, mode_t mode), (path, mode))
ACTING(unlink, WAYS(EIO, EACCES), (const char *path), (path))
ACTING(rename, WAYS(EIO, ENOSPC), (const char *from, const char *to), (from, to))
ACTING(chown, WAYS(EPERM, EIO), (const char *path, uid_t user, gid_t group), (path, user, group))
ACTING(chmod, WAYS(EPERM, EIO), (const char *path, mode_t mode), (path, mode))
ACTING(access, WAYS(EIO, ENOMEM), (const char *path, int mode), (path, mode))
FAILING(FAULT_IO, ssize_t, getrandom, -1, WAYS(EINTR, ENOSYS),
        (void *to, size_t size, unsigned flags), (to, size, flags))

/* ---- threads and processes ---- */

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    REAL(pthread_create);
    int error = decide(FAULT_PROCESS, "pthread_create", WAYS(EAGAIN, ENOMEM));
    return error ? error : real(thread, attributes, start, argument);
}

#define SPAWNING(name)                                                                             \
    EXPORT int name(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,       \
                    const posix_spawnattr_t *attributes, char *const argv[], char *const env[])    \
    {                                                                                              \
        REAL(name);                                                                                \
        int error = decide(FAULT_PROCESS, #name, WAYS(EAGAIN, ENOMEM));                            \
        return error ? error : real(pid, path, actions, attributes, argv, env);                    \
    }
SPAWNING(posix_spawn)
SPAWNING(posix_spawnp)
FAILING(FAULT_PROCESS, pid_t, fork, -1, WAYS(EAGAIN, ENOMEM), (void), ())

/* ---- SQLite ---- */

/* What SQLite calls of itself fails by its own state, never by an answer alone. */
static __thread int inside_sqlite __attribute__((tls_model("initial-exec")));

#define DATABASE WAYS(SQLITE_IOERR_WRITE, SQLITE_NOMEM, SQLITE_FULL)
#define SQLITE(name, ways, parameters, arguments)                                                  \
    EXPORT int name parameters                                                                     \
    {                                                                                              \
        REAL(name);                                                                                \
        int result = inside_sqlite > 0 ? 0 : decide(FAULT_SQLITE, #name, ways);                    \
        inside_sqlite++;                                                                           \
        if (result == 0)                                                                           \
            result = real arguments;                                                               \
        inside_sqlite--;                                                                           \
        return result;                                                                             \
    }
#define BINDING WAYS(SQLITE_NOMEM)

SQLITE(sqlite3_step, DATABASE, (sqlite3_stmt * s), (s))
SQLITE(sqlite3_prepare_v2, DATABASE,
       (sqlite3 * db, const char *sql, int size, sqlite3_stmt **ret, const char **tail),
       (db, sql, size, ret, tail))
SQLITE(sqlite3_prepare_v3, DATABASE,
       (sqlite3 * db, const char *sql, int size, unsigned flags, sqlite3_stmt **ret,
        const char **tail),
       (db, sql, size, flags, ret, tail))
SQLITE(sqlite3_exec, DATABASE,
       (sqlite3 * db, const char *sql, int (*each)(void *, int, char **, char **), void *context,
        char **error_text),
       (db, sql, each, context, error_text))
SQLITE(sqlite3_bind_int, BINDING, (sqlite3_stmt * s, int at, int v), (s, at, v))
SQLITE(sqlite3_bind_int64, BINDING, (sqlite3_stmt * s, int at, sqlite3_int64 v), (s, at, v))
SQLITE(sqlite3_bind_text, BINDING,
       (sqlite3_stmt * s, int at, const char *v, int size, void (*done)(void *)),
       (s, at, v, size, done))
SQLITE(sqlite3_bind_blob, BINDING,
       (sqlite3_stmt * s, int at, const void *v, int size, void (*done)(void *)),
       (s, at, v, size, done))
SQLITE(sqlite3_file_control, WAYS(SQLITE_IOERR),
       (sqlite3 * db, const char *name, int operation, void *argument),
       (db, name, operation, argument))
SQLITE(sqlite3_busy_timeout, WAYS(SQLITE_NOMEM), (sqlite3 * db, int ms), (db, ms))

EXPORT int sqlite3_open_v2(const char *path, sqlite3 **ret, int flags, const char *vfs)
{
    REAL(sqlite3_open_v2);
    int error = decide(FAULT_SQLITE, "sqlite3_open_v2", WAYS(SQLITE_CANTOPEN, SQLITE_NOMEM));
    if (!error)
        return real(path, ret, flags, vfs);
    *ret = NULL; /* as when there is no memory for the handle */
    return error;
}

/* ---- beginning and end ---- */

/* glibc's own first backtrace() loads a library. */
static __attribute__((constructor)) void begin(void)
{
    void *trace[4];
    spared++;
    backtrace(trace, 4);
    const char *path = getenv(FAULTS_PAGE_VARIABLE);
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *map = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map != MAP_FAILED) {
            struct fault_page *shared = map;
            atomic_store(&shared->blocks, atomic_load(&page->blocks));
            page = shared;
        }
        close(fd);
    }
    atomic_store(&page->pid, getpid());
    unsetenv(FAULTS_PAGE_VARIABLE);
    unsetenv("LD_PRELOAD");
    spared--;
}

static __attribute__((destructor)) void end(void)
{
    if (atomic_load(&page->pid) == getpid())
        atomic_store(&page->blocks_at_exit, atomic_load(&page->blocks));
}
