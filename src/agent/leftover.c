/* SPDX-License-Identifier: MIT */
#include "agent/leftover.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"

/* An empty file for each: its process id and start time, because a number may be another process's
 * by the time we come back. */
#define NOTE_NAME "operation-%" PRId32 "-%" PRIu64
#define NOTE_FORMAT "operation-%" SCNd32 "-%" SCNu64
#define STAT_SIZE 1024
#define START_TIME_FIELD 22
#define END_WAIT_MS 2000

static void cleanup_dir(DIR **d)
{
    if (*d)
        closedir(*d);
}

static bool read_start_time(pid_t pid, uint64_t *ret)
{
    char path[32], stat[STAT_SIZE];
    ssize_t n;
    const char *at;

    snprintf(path, sizeof(path), "/proc/%" PRId32 "/stat", (int32_t)pid);
    _cleanup_close_
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
    if (n <= 0)
        return false;
    stat[n] = '\0';
    /* The name, field 2, may hold anything; it ends with the last bracket. */
    at = strrchr(stat, ')');
    for (int field = 2; at && field < START_TIME_FIELD; field++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, "%" SCNu64, ret) == 1;
}

static char *path_of(const char *scratch, pid_t pid, uint64_t started)
{
    return text_format("%s/" NOTE_NAME, scratch, (int32_t)pid, started);
}

void leftover_note(const char *scratch, pid_t pid)
{
    uint64_t started;
    _cleanup_free_
    char *path = read_start_time(pid, &started) ? path_of(scratch, pid, started) : NULL;
    _cleanup_close_
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    (void)fd;
}

void leftover_forget(const char *scratch, pid_t pid)
{
    uint64_t started;
    _cleanup_free_
    char *path = read_start_time(pid, &started) ? path_of(scratch, pid, started) : NULL;

    if (path)
        unlink(path);
}

static void end(pid_t pid, uint64_t started)
{
    _cleanup_close_
    int fd = pidfd_open(pid, 0);
    uint64_t now;

    if (fd < 0 || !read_start_time(pid, &now) || now != started)
        return;
    log_warning("agent_left_over pid=%" PRId32 " consequence=%s", (int32_t)pid,
                log_quote("it is ended by force"));
    kill(-pid, SIGKILL);
    poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, END_WAIT_MS);
}

void leftovers_end(const char *scratch)
{
    _cleanup_(cleanup_dir) DIR *d = opendir(scratch);
    const struct dirent *e;

    while (d && (e = readdir(d))) {
        int32_t pid;
        uint64_t started;

        if (sscanf(e->d_name, NOTE_FORMAT, &pid, &started) != 2 || pid <= 1)
            continue;
        end(pid, started);
        unlinkat(dirfd(d), e->d_name, 0);
    }
}
