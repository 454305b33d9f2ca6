/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/macro.h"
#include "lib/session_internal.h"

/* One thread for each session that has a port. It sleeps on the connection's descriptor and on
 * stop_fd, and makes a lost connection again, so that ports go on without anybody calling. */

/* A copy of the descriptor that hangs up with the connection of that generation, so that another
 * thread may close the client meanwhile; -1 when that is not the present one any more. */
static int copy_hang_up_fd(struct session *s, uint64_t generation)
{
    int fd = -1;
    pthread_mutex_lock(&s->lock);
    if (s->client && s->generation == generation)
        fd = dup(rpc_client_watch_fd(s->client));
    pthread_mutex_unlock(&s->lock);
    return fd;
}

/* true: the watch is to end. */
static bool wait_for_stop(struct session *s, int ms)
{
    struct pollfd stop = {.fd = s->stop_fd, .events = POLLIN};
    int n = poll(&stop, 1, ms);
    if (n < 0 && errno != EINTR) /* no memory: it cannot be waited for as it should */
        nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
    return n > 0;
}

/* Until the connection of that generation is gone. true: the watch is to end. */
static bool wait_for_hang_up(struct session *s, uint64_t generation)
{
    while (session_generation(s) == generation) {
        _cleanup_close_
        int fd = copy_hang_up_fd(s, generation);
        if (fd < 0) { /* out of descriptors, or just replaced */
            if (wait_for_stop(s, SESSION_RETRY_STEP_MS))
                return true;
            continue;
        }
        struct pollfd fds[] = {{.fd = s->stop_fd, .events = POLLIN},
                               {.fd = fd, .events = POLLRDHUP}};
        if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
            if (wait_for_stop(s, SESSION_RETRY_FIRST_MS))
                return true;
            continue;
        }
        if (fds[0].revents)
            return true;
        if (fds[1].revents)
            session_detach(s, generation);
    }
    return false;
}

/* Until there is a connection. true: the watch is to end. */
static bool reconnect(struct session *s, uint64_t *ret_generation)
{
    int64_t since = session_now_ms();
    bool given_up = false;
    for (int step = SESSION_RETRY_FIRST_MS;; step = MIN(step * 2, SESSION_RETRY_STEP_MS)) {
        _cleanup_(session_client_unrefp) struct rpc_client *client = NULL;
        if (session_attach(s, &client, ret_generation) == 0)
            return false;
        if (!given_up && session_now_ms() - since >= SESSION_RETRY_MS) {
            given_up = true;
            s->watch->given_up(s);
        }
        if (wait_for_stop(s, step))
            return true;
    }
}

/* Until somebody has taken the new connection on, or it is gone too. true: the watch is to end. */
static bool tell_back(struct session *s, uint64_t generation)
{
    for (int step = SESSION_RETRY_FIRST_MS; session_generation(s) == generation;
         step = MIN(step * 2, SESSION_RETRY_STEP_MS)) {
        if (s->watch->back(s))
            return false;
        if (wait_for_stop(s, step))
            return true;
    }
    return false;
}

static void *watch_thread(void *argument)
{
    struct session *s = argument;
    pthread_mutex_lock(&s->lock);
    uint64_t generation = s->watched_from;
    const struct session_watch *watch = s->watch;
    pthread_mutex_unlock(&s->lock);
    for (;;) {
        if (wait_for_hang_up(s, generation))
            return NULL;
        watch->lost(s);
        if (reconnect(s, &generation) || tell_back(s, generation))
            return NULL;
    }
}

/* The session's lock is held. */
static uint32_t start_locked(struct session *s, const struct session_watch *watch)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return error_from_errno(errno);
    s->stop_fd = fd;
    s->watch = watch;
    s->watched_from = s->generation; /* the thread may take its first look after a loss */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the program's signals are not this thread's */
    int r = pthread_create(&s->watcher, NULL, watch_thread, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        return 0;
    s->watch = NULL;
    s->stop_fd = -1;
    close(fd);
    return ERR_NOT_ENOUGH_MEMORY;
}

uint32_t session_watch_start(struct session *s, const struct session_watch *watch)
{
    pthread_mutex_lock(&s->lock);
    uint32_t error = s->watch ? 0 : start_locked(s, watch);
    pthread_mutex_unlock(&s->lock);
    return error;
}

void session_watch_stop(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    bool runs = s->watch && s->process == getpid();
    pthread_mutex_unlock(&s->lock);
    if (runs) {
        eventfd_write(s->stop_fd, 1);
        pthread_join(s->watcher, NULL);
    }
    if (s->stop_fd >= 0)
        close(s->stop_fd);
}
