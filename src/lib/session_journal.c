/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <unistd.h>

#include "base/error.h"
#include "base/macro.h"
#include "lib/session_internal.h"
#include "rpc/rpc_interface.h"

/* One thread for each session whose ports have fallen behind the feed: it alone waits for the
 * service's answer, so that a port's lock is never held for so long. */

/* Never reconnects, and so does not wait for a service that is away. */
static uint32_t read_journal(struct session *s, struct session_read *r)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_(session_client_unrefp) struct rpc_client *client = session_present_client(s);
    if (!client)
        return ERR_RPC_S_SERVER_UNAVAILABLE;
    struct private_ReadJournal a = {.from = (int64_t)r->from, .max_bytes = r->max_bytes};
    uint32_t error = rpc_client_call(client, &rpc_private, &private_op_ReadJournal, &a, &arena);
    if (error == 0)
        error = a.result;
    if (error == ERR_RPC_S_CALL_FAILED)
        error = ERR_RPC_S_SERVER_UNAVAILABLE;
    if (error == 0 && buffer_append(&r->records, a.changes.data, a.changes.size) < 0)
        error = ERR_NOT_ENOUGH_MEMORY;
    if (error == 0)
        r->first = (uint64_t)a.first_kept;
    return error;
}

static void add_locked(struct session *s, struct session_read *r)
{
    r->next = NULL;
    *s->reads_end = r;
    s->reads_end = &r->next;
}

/* The session's lock is held. NULL: the session ends, and all is done. */
static struct session_read *next_locked(struct session *s)
{
    while (!s->reads && !s->ending)
        pthread_cond_wait(&s->read_wanted, &s->lock);
    struct session_read *r = s->reads;
    if (r) {
        s->reads = r->next;
        if (!s->reads)
            s->reads_end = &s->reads;
    }
    return r;
}

static void *reader_thread(void *argument)
{
    struct session *s = argument;
    struct session_read *r;

    pthread_mutex_lock(&s->lock);
    while ((r = next_locked(s))) {
        bool ending = s->ending;
        pthread_mutex_unlock(&s->lock);
        uint32_t error = ending ? ERR_RPC_S_SERVER_UNAVAILABLE : read_journal(s, r);
        r->error = error;
        if (error != ERR_TIMEOUT)
            r->done(r); /* and r is its owner's again */
        pthread_mutex_lock(&s->lock);
        if (error == ERR_TIMEOUT)
            add_locked(s, r); /* the service is silent but there: nothing else would ask again */
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static bool start_locked(struct session *s)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the program's signals are not this thread's */
    s->reader_runs = pthread_create(&s->reader, NULL, reader_thread, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->reader_runs;
}

uint32_t session_read_journal(struct session *s, struct session_read *r)
{
    pthread_mutex_lock(&s->lock);
    session_forget_parents_locked(s);
    bool taken = s->reader_runs || start_locked(s);
    if (taken) {
        add_locked(s, r);
        pthread_cond_signal(&s->read_wanted);
    }
    pthread_mutex_unlock(&s->lock);
    return taken ? 0 : ERR_NOT_ENOUGH_MEMORY;
}
