/* SPDX-License-Identifier: MIT */
#include "service/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "base/macro.h"
#include "base/text.h"

#define WAITING_CONNECTIONS 1024
/* Whoever may not do something is told so by the service, which knows the groups. */
#define SOCKET_MODE 0666

/* Made, its name is on disk too: it must not vanish with all that is acknowledged later. */
static int make_one(const char *path, unsigned mode)
{
    if (mkdir(path, mode) < 0)
        return errno == EEXIST ? 0 : -errno;
    char parent[PATH_MAX + 4];
    snprintf(parent, sizeof(parent), "%s/..", path);
    _cleanup_close_
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int listen_make_folder(const char *path, unsigned mode)
{
    char folder[PATH_MAX];
    if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >= sizeof(folder))
        return -ENAMETOOLONG;
    for (char *slash = folder + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        int r = make_one(folder, 0755);
        if (r < 0)
            return r;
    }
    return make_one(folder, mode);
}

static int make_parent(const char *path)
{
    _cleanup_free_
    char *folder = strdup(path);
    if (!folder)
        return -ENOMEM;
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return 0;
    *slash = '\0';
    return listen_make_folder(folder, 0755);
}

/* 0: nobody does, and what is there may go. -EADDRINUSE: somebody does. */
static int nobody_answers(const struct sockaddr_un *address)
{
    _cleanup_close_
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
        return -EADDRINUSE;
    if (errno == ENOENT)
        return 0;
    if (errno != ECONNREFUSED)
        return -errno;
    struct stat st;
    if (lstat(address->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return -EEXIST;
    return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int bind_socket(const struct sockaddr_un *address)
{
    int r = make_parent(address->sun_path);
    if (r == 0)
        r = nobody_answers(address);
    if (r < 0)
        return r;
    _cleanup_close_
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
        chmod(address->sun_path, SOCKET_MODE) < 0 || listen(fd, WAITING_CONNECTIONS) < 0)
        return -errno;
    return TAKE_FD(fd);
}

static char *explain(const char *path, int error)
{
    switch (error) {
    case -EADDRINUSE:
        return text_format("a clusportd answers on %s already; stop it, or give this one another "
                           "--socket and --state",
                           path);
    case -ENAMETOOLONG:
        return text_format("the socket's path %s is longer than %zu bytes; give a shorter --socket",
                           path, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    case -EEXIST:
        return text_format("%s is there and is no socket; remove it, or give another --socket",
                           path);
    case -EACCES:
    case -EPERM:
        return text_format("%s cannot be made: %s; run as root, or give another --socket", path,
                           strerror(-error));
    default:
        return text_format("%s cannot be made: %s", path, strerror(-error));
    }
}

int listen_open(const char *path, bool *ret_made, char **ret_error)
{
    int given = sd_listen_fds(1);
    if (given > 1) {
        *ret_error = text_format("%d sockets were handed over; one is wanted", given);
        return -EINVAL;
    }
    if (given == 1) {
        if (sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) > 0) {
            *ret_made = false;
            return SD_LISTEN_FDS_START;
        }
        *ret_error = text_format("what was handed over is not a listening unix stream socket");
        return -EINVAL;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = length >= (int)sizeof(address.sun_path) ? -ENAMETOOLONG : bind_socket(&address);
    if (fd < 0)
        *ret_error = explain(path, fd);
    else
        *ret_made = true;
    return fd;
}
