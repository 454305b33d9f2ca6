/* SPDX-License-Identifier: MIT */
#ifndef LIB_SESSION_H
#define LIB_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "feed/feed.h"
#include "rpc/rpc.h"

/* What a cluster handle stands on: the way to one service. Counted: the cluster handle, every
 * handle opened through it and every port hold a reference, so a port outlives CloseCluster().
 *
 * A connection that is lost is made again under the caller's feet, to the same cluster only. Each
 * connection has a number, its generation (from 1); what belongs to a connection (context handles,
 * the feed) remembers its generation and is opened again when it is an older one.
 *
 * Locks: a session has one mutex. It is never held during a call, a connection attempt, or a
 * callback, and it is the innermost lock: nothing else is locked while it is held. So every
 * function here may be called under the caller's own locks, if the caller may block; the exception
 * is session_unref(). */

/* How long a call looks for a service that was there and is gone; a restart takes less. */
#define SESSION_RETRY_MS 5000
#define SESSION_RETRY_FIRST_MS 5
#define SESSION_RETRY_STEP_MS 200

/* How long a call waits for the answer of a service that is there, unless CLUSPORT_CALL_TIMEOUT
 * says it, in seconds. */
#define SESSION_CALL_TIMEOUT_S 60

struct session;

/* NULL, "", ".", "localhost", this node's name and the cluster's name: the local service, once.
 * A Win32 code; any other name is ERROR_RPC_S_SERVER_UNAVAILABLE. */
uint32_t session_open(const char *name, struct session **ret);
struct session *session_ref(struct session *s);
/* NULL is fine. The last one waits for the session's threads, which do not wait for the service any
 * more: not to be called from a callback, nor with a lock held that one takes. */
void session_unref(struct session *s);
const char *session_cluster_name(const struct session *s); /* as it was at session_open() */
/* Two cluster handles stand on two sessions, perhaps with two clusters one after the other. */
bool session_same_cluster(const struct session *a, const struct session *b);

/* A context handle: opened when first needed and again on each new connection. */
struct session_context {
    const struct session_context_methods *methods;
    struct rpc_context wire; /* these two: the session's lock */
    uint64_t generation;     /* of the connection that it is open on; 0: none */
};

struct session_context_methods {
    /* On this connection. A Win32 code. Nothing is locked; may be called by several threads at a
     * time, the first to succeed wins and the others' are closed. */
    uint32_t (*open)(const struct session_context *c, struct rpc_client *client,
                     struct rpc_context *ret);
    void (*close)(const struct session_context *c, struct rpc_client *client,
                  struct rpc_context *wire); /* failures do not matter */
};

/* Opens c if it is not open. A Win32 code. */
uint32_t session_context_open(struct session *s, struct session_context *c);
/* Closes it if the connection is still the one that it was opened on, and the service answers: who
 * closes many handles waits for at most one call's time-out. Nobody uses c any more. */
void session_context_close(struct session *s, struct session_context *c);

#define SESSION_CALL_CONTEXTS 3

/* One call. The slots are filled from the contexts for each attempt. */
struct session_call {
    const struct rpc_interface *interface;
    const struct rpc_op *op;
    void *args;
    struct rpc_arena *arena;
    bool read; /* a control code that changes nothing; other operations are known by a table */
    struct {
        struct session_context *context;
        struct rpc_context *slot;
    } contexts[SESSION_CALL_CONTEXTS]; /* up to the first NULL */
};

/* Reconnects as needed, for at most SESSION_RETRY_MS after the connection was lost. When it breaks
 * between request and answer, the call is repeated if it changes nothing. The op's own code, or
 * why there is none: ERROR_RPC_S_SERVER_UNAVAILABLE (nothing was done), ERROR_RPC_S_CALL_FAILED and
 * ERROR_TIMEOUT (it may have been done), what opening a context gave, ... */
uint32_t session_call(struct session *s, const struct session_call *c);

/* ---- for notification ports ---- */

/* The feed of the present connection, mapped once for each; reconnects as a call does. *ret is the
 * caller's to feed_unref(). ret_generation may be NULL. A Win32 code. */
uint32_t session_feed(struct session *s, struct feed **ret, uint64_t *ret_generation);
/* The same by one attempt: it does not wait for a service that is away, nor once more for one that
 * did not answer last time. */
uint32_t session_feed_now(struct session *s, struct feed **ret, uint64_t *ret_generation);
/* The newest that session_feed() has given, without a call; NULL: none yet. The caller's to
 * feed_unref(). */
struct feed *session_mapped_feed(struct session *s, uint64_t *ret_generation);
/* The present connection's generation; 0 while there is none. */
uint64_t session_generation(struct session *s);

/* Changes from the journal, encoded, from revision `from` on, at most about max_bytes but at least
 * one. */
struct session_read {
    uint64_t from;
    uint32_t max_bytes;
    /* Once, on a thread of the session's own, with nothing locked. */
    void (*done)(struct session_read *r);
    /* What came of it. ERROR_RPC_S_SERVER_UNAVAILABLE: the connection is lost. */
    uint32_t error;
    struct buffer records; /* nothing: there is none yet */
    uint64_t first; /* the oldest that the journal holds; after `from`: reading began there */
    struct session_read *next; /* the session's */
};

/* Waits for nothing. `r` is the session's until done(), which comes at the latest when the session
 * ends. 0; ERROR_NOT_ENOUGH_MEMORY, and it was not taken. */
uint32_t session_read_journal(struct session *s, struct session_read *r);

/* Called on the session's watch thread, one at a time, with nothing locked. They may call
 * everything here but session_unref(). */
struct session_watch {
    /* The connection is gone: the feed is silent from here on. */
    void (*lost)(struct session *s);
    /* There was none for SESSION_RETRY_MS. Once for each loss; the watch goes on looking. */
    void (*given_up)(struct session *s);
    /* There is a connection again, of a new generation. After each lost(), if it comes. false: it
     * could not be taken on, tell again. */
    bool (*back)(struct session *s);
};

/* From the first call on, a thread of the session's own waits for the connection to hang up and
 * makes it again. Further calls do nothing. `watch` is static. 0; ERROR_NOT_ENOUGH_MEMORY. */
uint32_t session_watch_start(struct session *s, const struct session_watch *watch);

#endif
