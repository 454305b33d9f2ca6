/* SPDX-License-Identifier: MIT */
#ifndef LIB_SESSION_INTERNAL_H
#define LIB_SESSION_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "lib/session.h"

/* What the files session*.c share. */

struct session {
    pthread_mutex_t lock;
    pthread_cond_t settled; /* `connecting` became false; on CLOCK_MONOTONIC */
    unsigned references;
    char *path;                /* of the service's socket */
    char *cluster_name;        /* set once, by session_open() */
    char *cluster_id;          /* set once, by the first connection */
    pid_t process;             /* that the connection and the threads belong to */
    unsigned timeout_ms;       /* of a call */
    bool ending;               /* nobody but its own threads is left: they are not to wait */
    struct rpc_client *client; /* NULL: lost */
    uint64_t generation;       /* of client, or of the last one; 0: never connected */
    bool connecting;           /* one thread is at it, without the lock */
    uint32_t connect_error;    /* what the last attempt gave */
    int64_t lost_at_ms;        /* while there is no client */
    struct feed *feed;
    uint64_t feed_generation;
    const struct session_watch *watch; /* not NULL: its thread runs */
    uint64_t watched_from;             /* the generation at the watch's start */
    pthread_t watcher;
    int stop_fd; /* an eventfd: the watch is to end */
    pthread_t reader;
    bool reader_runs;
    struct session_read *reads, **reads_end;
    pthread_cond_t read_wanted;
};

/* Lock held. A child process cannot use its parent's connection, threads and reads, nor end them.
 */
void session_forget_parents_locked(struct session *s);
/* The present connection, or one attempt at a new one; when another thread is at it, its outcome.
 * *ret is the caller's to rpc_client_unref(). A Win32 code. */
uint32_t session_attach(struct session *s, struct rpc_client **ret, uint64_t *ret_generation);
/* The present connection if it works, without an attempt at another; NULL: there is none. */
struct rpc_client *session_present_client(struct session *s);
/* The service is there, or its successor, and the last call or attempt was not answered in time. */
bool session_silent(struct session *s);
/* That connection is of no more use, if it is still the present one. */
void session_detach(struct session *s, uint64_t generation);
/* Runs attempt() on a connection until it gives anything but a lost one, within the patience of a
 * call. *ret_sent is false at first: the attempt sets it when its request may have been carried
 * out; such a one is run again only if it is repeatable. */
typedef uint32_t (*session_attempt_fn)(struct session *s, struct rpc_client *client,
                                       uint64_t generation, void *context, bool *ret_sent);
uint32_t session_try(struct session *s, session_attempt_fn attempt, void *context, bool repeatable);
int64_t session_now_ms(void); /* CLOCK_MONOTONIC */

static inline void session_client_unrefp(struct rpc_client **c)
{
    rpc_client_unref(*c);
}

void session_watch_stop(struct session *s); /* waits for the thread's end, if there is one */

#endif
