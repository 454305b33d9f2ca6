/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/macro.h"
#include "base/text.h"
#include "rpc/transport.h"

/* A message may bring up to the kernel's most descriptors (253). */
#define CONTROL_SIZE CMSG_SPACE(253 * sizeof(int))

struct unix_transport {
    struct rpc_transport base;
    int fd;
    int received; /* -1: none */
    void (*dispose)(int fd);
};

static struct unix_transport *self(const struct rpc_transport *t)
{
    return container_of((struct rpc_transport *)t, struct unix_transport, base);
}

static int unix_fd(const struct rpc_transport *t)
{
    return self(t)->fd;
}

/* false: there is more than one. */
static bool take_control(struct unix_transport *u, struct msghdr *message)
{
    bool one = true;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        size_t count;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (u->received < 0) {
                u->received = fd;
            } else {
                u->dispose(fd);
                one = false;
            }
        }
    }
    return one;
}

static ssize_t unix_receive(struct rpc_transport *t, void *data, size_t size)
{
    struct unix_transport *u = self(t);
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE];
    struct iovec io = {.iov_base = data, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t n;

    do
        n = recvmsg(u->fd, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (message.msg_controllen > 0 && !take_control(u, &message))
        return -EPROTO;
    return n;
}

static ssize_t unix_send(struct rpc_transport *t, const void *data, size_t size, int descriptor)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec io = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1};
    ssize_t n;

    if (descriptor >= 0) {
        struct cmsghdr *c;

        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &descriptor, sizeof(int));
    }
    do
        n = sendmsg(self(t)->fd, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static int unix_take_descriptor(struct rpc_transport *t)
{
    return TAKE_FD(self(t)->received);
}

static bool unix_drop_descriptor(struct rpc_transport *t)
{
    struct unix_transport *u = self(t);
    int fd = TAKE_FD(u->received);

    if (fd >= 0)
        u->dispose(fd);
    return fd >= 0;
}

static void read_program_name(struct rpc_peer *peer)
{
    _cleanup_close_
    int fd = -1;
    char path[32];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%u/comm", peer->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, peer->program, sizeof(peer->program) - 1) : 0;
    peer->program[MAX(n, 0)] = '\0';
    peer->program[strcspn(peer->program, "\n")] = '\0';
    text_make_utf8(peer->program);
}

static void unix_peer(const struct rpc_transport *t, struct rpc_peer *ret)
{
    struct ucred who = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    socklen_t size = sizeof(who);

    /* Of a socket that is not one of ours to ask, nobody came. */
    if (getsockopt(self(t)->fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
        who = (struct ucred){.uid = (uid_t)-1, .gid = (gid_t)-1};
    *ret =
        (struct rpc_peer){.uid = who.uid, .gid = who.gid, .pid = (uint32_t)who.pid, .local = true};
    read_program_name(ret);
}

static void unix_shut_down(struct rpc_transport *t)
{
    shutdown(self(t)->fd, SHUT_RDWR);
}

static void unix_destroy(struct rpc_transport *t)
{
    struct unix_transport *u = self(t);
    char byte;

    unix_drop_descriptor(t);
    /* What is still unread may hold descriptors. */
    if (recv(u->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
        u->dispose(u->fd);
    else
        close(u->fd);
    free(u);
}

static const struct rpc_transport_methods unix_methods = {
    .fd = unix_fd,
    .receive = unix_receive,
    .send = unix_send,
    .take_descriptor = unix_take_descriptor,
    .drop_descriptor = unix_drop_descriptor,
    .peer = unix_peer,
    .shut_down = unix_shut_down,
    .destroy = unix_destroy,
};

struct rpc_transport *rpc_transport_unix(int fd, void (*dispose)(int fd))
{
    struct unix_transport *u = malloc(sizeof(*u));

    if (!u) {
        dispose(fd);
        return NULL;
    }
    *u = (struct unix_transport){
        .base.methods = &unix_methods, .fd = fd, .received = -1, .dispose = dispose};
    return &u->base;
}

/* A program's own service is not out to hold it up. */
static void close_here(int fd)
{
    close(fd);
}

static int set_timeout(int fd, unsigned timeout_ms)
{
    struct timeval t = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0)
        return -errno;
    return 0;
}

/* The service that is to accept may be full, and the kernel does not tell when it no longer is. */
#define CONNECT_AGAIN_MS 10

static int connect_within(int fd, const struct sockaddr_un *address, unsigned timeout_ms,
                          int cancel_fd)
{
    struct pollfd cancel = {.fd = cancel_fd, .events = POLLIN};

    for (unsigned waited_ms = 0;; waited_ms += CONNECT_AGAIN_MS) {
        if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
            return 0;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        if (timeout_ms != 0 && waited_ms >= timeout_ms)
            return -EAGAIN;
        if (poll(&cancel, 1, CONNECT_AGAIN_MS) > 0)
            return -ECANCELED;
    }
}

int rpc_transport_unix_connect(const char *path, unsigned timeout_ms, int cancel_fd,
                               struct rpc_transport **ret)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_
    int fd = -1;
    struct rpc_transport *t;
    int r;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    r = connect_within(fd, &address, timeout_ms, cancel_fd);
    if (r == 0 && fcntl(fd, F_SETFL, 0) < 0)
        r = -errno;
    if (r == 0)
        r = set_timeout(fd, timeout_ms);
    if (r < 0)
        return r;
    t = rpc_transport_unix(TAKE_FD(fd), close_here);
    if (!t)
        return -ENOMEM;
    *ret = t;
    return 0;
}
