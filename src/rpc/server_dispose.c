/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/macro.h"
#include "rpc/server_internal.h"

/* Closing a descriptor can take as long as whoever made it likes: a socket may linger, a file may
 * be a program's. A client can send any, and one that it sent and nobody read is closed with the
 * connection. So this is not for the loop: numbers go through a pipe to a thread that may wait. If
 * it cannot be had, or is too far behind, a descriptor is lost rather than the loop's time. */

static int way_in = -1;

static void *close_all(void *way_out)
{
    int from = (int)(intptr_t)way_out, fd;
    ssize_t n;

    do {
        n = read(from, &fd, sizeof(fd));
        if (n == (ssize_t)sizeof(fd))
            close(fd);
    } while (n > 0 || (n < 0 && errno == EINTR));
    return NULL;
}

static void start(void)
{
    pthread_t thread;
    sigset_t all, before;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, close_all, (void *)(intptr_t)ends[0]) == 0) {
        pthread_detach(thread);
        way_in = ends[1];
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void dispose_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, start);
}

void rpc_dispose(int fd)
{
    if (fd < 0)
        return;
    while (way_in >= 0 && write(way_in, &fd, sizeof(fd)) < 0 && errno == EINTR)
        ;
}
