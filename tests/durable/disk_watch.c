/* SPDX-License-Identifier: MIT */
#undef _FILE_OFFSET_BITS /* open() and open64() are two names here */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "disk_log.h"

/* Preloaded into a service: writes down what it does to its files, in the order in which it does
 * it, so that a test can tell what a power cut would leave. Shared memory (-shm) is no disk. */

#define PUBLIC __attribute__((visibility("default")))
#define MOST_FDS 4096
#define PATH_ROOM 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *fault;
static size_t root_size;
static bool lies;
static int log_fd = -1;
static char paths[MOST_FDS][PATH_ROOM]; /* relative to the root; "": not watched */

__attribute__((constructor)) static void begin(void)
{
    const char *log = getenv(DISK_LOG);
    root = getenv(DISK_ROOT);
    fault = getenv(DISK_FAULT);
    lies = getenv(DISK_LIES) != NULL;
    if (!root || !log)
        return;
    root_size = strlen(root);
    log_fd =
        (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log_fd < 0)
        abort();
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* Relative to the root, "." for itself; NULL: not watched. */
static const char *watched_path(const char *path, char room[PATH_ROOM])
{
    if (log_fd < 0 || strncmp(path, root, root_size) != 0 || ends_with(path, "-shm") ||
        (path[root_size] != '/' && path[root_size] != '\0'))
        return NULL;
    const char *relative = path[root_size] ? path + root_size + 1 : ".";
    if (strlen(relative) >= PATH_ROOM)
        abort();
    strcpy(room, relative);
    if (ends_with(room, "/..")) {
        room[strlen(room) - 3] = '\0';
        char *slash = strrchr(room, '/');
        strcpy(slash ? slash : room, slash ? "" : ".");
    }
    return room;
}

static const char *watched_fd(int fd)
{
    return fd >= 0 && fd < MOST_FDS && paths[fd][0] ? paths[fd] : NULL;
}

static void note(enum disk_op op, const char *path, uint64_t at, const void *data, size_t size)
{
    struct disk_record r = {.op = op, .path_size = (uint32_t)strlen(path), .at = at, .size = size};
    struct iovec parts[] = {
        {&r, sizeof(r)}, {(void *)path, r.path_size}, {(void *)data, data ? size : 0}};
    if (writev(log_fd, parts, 3) != (ssize_t)(sizeof(r) + r.path_size + parts[2].iov_len))
        abort();
}

static int watch_open(const char *path, int flags, mode_t mode)
{
    char room[PATH_ROOM];
    const char *relative = watched_path(path, room);
    if (!relative)
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    pthread_mutex_lock(&lock);
    bool was_there = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= MOST_FDS)
        abort();
    if (fd >= 0) {
        strcpy(paths[fd], relative);
        if (!was_there)
            note(DISK_CREATE, relative, 0, NULL, 0);
        else if (flags & O_TRUNC)
            note(DISK_TRUNCATE, relative, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name)                                                                                 \
    PUBLIC int name(const char *path, int flags, ...);                                             \
    PUBLIC int name(const char *path, int flags, ...)                                              \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;                    \
        va_end(args);                                                                              \
        return watch_open(path, flags, mode);                                                      \
    }
OPEN(open)
OPEN(open64)

PUBLIC int close(int fd)
{
    if (log_fd < 0)
        return (int)syscall(SYS_close, fd);
    pthread_mutex_lock(&lock);
    if (watched_fd(fd))
        paths[fd][0] = '\0';
    int r = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return r;
}

static ssize_t watch_write(int fd, const void *data, size_t size, off64_t at)
{
    pthread_mutex_lock(&lock);
    const char *path = watched_fd(fd);
    if (path)
        note(DISK_WRITE, path, (uint64_t)at, data, size);
    ssize_t n = syscall(SYS_pwrite64, fd, data, size, at);
    if (path && n != (ssize_t)size)
        abort(); /* what was written down is not what was done */
    pthread_mutex_unlock(&lock);
    return n;
}

PUBLIC ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    return log_fd < 0 ? syscall(SYS_pwrite64, fd, data, size, at) : watch_write(fd, data, size, at);
}

PUBLIC ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return pwrite64(fd, data, size, at);
}

PUBLIC int ftruncate64(int fd, off64_t size)
{
    pthread_mutex_lock(&lock);
    const char *path = watched_fd(fd);
    if (path)
        note(DISK_TRUNCATE, path, (uint64_t)size, NULL, 0);
    int r = (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_unlock(&lock);
    return r;
}

PUBLIC int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

static int watch_sync(int fd, long call)
{
    pthread_mutex_lock(&lock);
    const char *path = watched_fd(fd);
    bool fails = path && fault && syscall(SYS_faccessat, AT_FDCWD, fault, F_OK) == 0;
    if (path && !fails && !lies)
        note(DISK_SYNC, path, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    if (fails) {
        errno = EIO;
        return -1;
    }
    return path ? 0 : (int)syscall(call, fd); /* the test's disk is the log */
}

PUBLIC int fsync(int fd)
{
    return watch_sync(fd, SYS_fsync);
}

PUBLIC int fdatasync(int fd)
{
    return watch_sync(fd, SYS_fdatasync);
}

PUBLIC int unlink(const char *path)
{
    char room[PATH_ROOM];
    const char *relative = watched_path(path, room);
    pthread_mutex_lock(&lock);
    int r = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (relative && r == 0)
        note(DISK_REMOVE, relative, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return r;
}

PUBLIC int mkdir(const char *path, mode_t mode)
{
    char room[PATH_ROOM];
    const char *relative = watched_path(path, room);
    pthread_mutex_lock(&lock);
    int r = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (relative && r == 0)
        note(DISK_MAKE_FOLDER, relative, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return r;
}
