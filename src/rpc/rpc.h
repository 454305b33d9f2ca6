/* SPDX-License-Identifier: MIT */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/quota.h"

/* DCE/RPC with NDR32, for two interfaces: MS-CMRP (cmrp.def) and our own (private.def). Each .def
 * describes an operation once; rpc_interface.h turns that into an argument struct, a parameter
 * table and an opnum, and one walker (ndr.c) marshals both directions of both sides. Nothing here
 * knows a cluster object, and nothing but transport_unix.c knows a local socket. */

/* Memory of one call: everything decoded into arguments, and what a handler allocates for its
 * reply. */
struct rpc_arena {
    struct rpc_arena_block *blocks;
    size_t used, limit;  /* limit 0: none */
    struct quota *quota; /* what the blocks are taken from; NULL: nothing */
};

void rpc_arena_fini(struct rpc_arena *a);
void *rpc_arena_alloc(struct rpc_arena *a,
                      size_t size); /* zeroed; NULL when out of memory or over the limit */
char *rpc_arena_text(struct rpc_arena *a, const char *text); /* a copy; NULL stays NULL */

/* What parameters are made of; the wire form is in ndr.c. Text is UTF-8 here, UTF-16LE on the wire.
 */
#define RPC_CONTEXT_SIZE 20

struct rpc_context {                /* a context handle */
    uint8_t wire[RPC_CONTEXT_SIZE]; /* all zeroes: none */
    void *object;                   /* server: what rpc_context_open() was given; client: unused */
    unsigned kind;                  /* server: likewise, an RPC_CONTEXT_* of ndr.h */
};

struct rpc_bytes {
    void *data;
    uint32_t size;     /* out: bytes returned */
    uint32_t capacity; /* out parameters whose room the client states: its nOutBufferSize */
};

struct rpc_enum_entry {
    uint32_t type;
    char *name;
};
struct rpc_enum_list {
    struct rpc_enum_entry *entries;
    uint32_t count;
};

struct rpc_texts { /* a MULTI_SZ, or an array of strings, by the parameter's type */
    char **items;
    uint32_t count;
};

/* One operation, as the walker sees it. */
struct rpc_param; /* direction, type, offset into the argument struct: ndr.h */
struct rpc_op {
    uint16_t opnum;
    const char *name;
    const struct rpc_param *params;
    uint16_t param_count;
    uint32_t args_size;
};

struct rpc_interface {
    uint8_t uuid[16]; /* as on the wire */
    uint16_t major, minor;
    const char *name;
    const struct rpc_op *const *ops; /* by opnum; NULL: not described */
    uint16_t op_count;
};

extern const struct rpc_interface rpc_cmrp, rpc_private;

/* ---- server: on the service's event loop ---- */

struct sd_event;
struct rpc_server;
struct rpc_call;
struct rpc_association;

/* Who called: from the transport, not from the caller. */
struct rpc_peer {
    uint32_t uid, gid, pid;
    bool local;
    char program[64]; /* /proc/PID/comm at connect */
};

/* Fills the out parameters and calls rpc_reply(), now or later. args is the op's struct, decoded,
 * its context handles resolved to objects of the right kind. The call and args live until
 * rpc_reply(). */
typedef void (*rpc_handler_fn)(struct rpc_call *call, void *args);

struct rpc_service {
    const struct rpc_interface *interface;
    const rpc_handler_fn *handlers; /* by opnum; NULL: described but not built → result 120 */
};

/* What clients take of the service. All who are not trusted have seven eighths of it together, one
 * of these users half, and one process a quarter, so that nobody shuts out root or each other. Who
 * wants more is refused: a connection is closed, a call gets ERROR_NOT_ENOUGH_MEMORY or the fault
 * nca_s_fault_remote_no_memory. */
enum rpc_limit {
    RPC_CONNECTIONS,
    RPC_CONTEXTS,      /* context handles */
    RPC_MEMORY,        /* bytes of requests and replies, and what the handlers keep for a client */
    RPC_REGISTRATIONS, /* the handlers' own: of notification ports, and the ports */
    RPC_LIMIT_COUNT,
};

struct rpc_server_options {
    struct sd_event *loop;
    const struct rpc_service *services;
    size_t service_count;
    void *context; /* rpc_call_context() */
    /* Whose programs may take all that there is; NULL: root's and our own user's. */
    bool (*trusted)(void *context, const struct rpc_peer *peer);
    uint64_t most[RPC_LIMIT_COUNT]; /* of all together; 0: the default */
};

int rpc_server_create(const struct rpc_server_options *options, struct rpc_server **ret);
void rpc_server_destroy(struct rpc_server *s); /* ends all connections; NULL is fine */
/* Serves a listening unix socket; takes the descriptor. */
int rpc_server_listen(struct rpc_server *s, int fd);

void *rpc_call_context(struct rpc_call *c);
const struct rpc_peer *rpc_call_peer(const struct rpc_call *c);
struct rpc_arena *rpc_call_arena(struct rpc_call *c);
struct rpc_association *rpc_call_association(struct rpc_call *c);
void rpc_reply(struct rpc_call *c);                      /* the call is gone afterwards */
void rpc_fault(struct rpc_call *c, uint32_t nca_status); /* likewise */
/* As rpc_reply(), if the reply can be made and is on its way: 0. Else nobody gets it, the call is
 * as it was, and this is the fault that rpc_reply() would send. */
uint32_t rpc_try_reply(struct rpc_call *c);
void rpc_reply_fd(struct rpc_call *c, int fd); /* to go with the reply; not closed; unix only */
/* That came with the request; -1: none. Only before the handler returns. It is closed by
 * rpc_dispose(): who made it decides how long that takes. */
int rpc_call_take_fd(struct rpc_call *c);
void rpc_dispose(int fd); /* on a thread of its own */
/* It has changed something: should its reply be impossible, the caller is not told that memory was
 * short, which would mean that nothing was done. */
void rpc_call_changed(struct rpc_call *c);
/* on_gone(data) is called once if the connection breaks before the reply; the call must then still
 * be given to rpc_reply(), there or later, which only frees it. For calls that wait long. */
void rpc_call_on_gone(struct rpc_call *c, void (*on_gone)(struct rpc_call *c, void *data),
                      void *data);

/* Context handles belong to the association (all connections of one client). kind: an RPC_CONTEXT_*
 * of ndr.h. close() is called when it is closed or the association ends (its last connection and
 * its last call), but not before each call that was given the object is answered. So a call that
 * waits on an object is answered by the handler that closes it, or on its on_gone(). 0, -ENOMEM,
 * -ENOSPC. */
int rpc_context_open(struct rpc_association *a, unsigned kind, void *object,
                     void (*close)(void *object), struct rpc_context *ret);
void rpc_context_close(struct rpc_association *a, struct rpc_context *c); /* zeroes it */
/* Takes from what the association's process may have; false: there is no more. All of it is to be
 * given back before the association's data is closed. */
bool rpc_association_take(struct rpc_association *a, enum rpc_limit limit, uint64_t amount);
void rpc_association_give(struct rpc_association *a, enum rpc_limit limit, uint64_t amount);
/* Its last connection is gone: nobody uses its handles any more. */
bool rpc_association_is_over(const struct rpc_association *a);
/* A slot for the service's own per-client data, closed with the association. */
void rpc_association_set_data(struct rpc_association *a, void *data, void (*close)(void *data));
void *rpc_association_data(struct rpc_association *a);
/* Calls each(association, context) for every association. */
void rpc_server_each_association(struct rpc_server *s,
                                 void (*each)(struct rpc_association *a,
                                              const struct rpc_peer *peer, void *context),
                                 void *context);

/* ---- client: blocking, any thread ---- */

struct rpc_client;

struct rpc_client_options {
    const char *path;
    unsigned timeout_ms; /* the longest that connecting, and then each call, waits; 0: none */
    int cancel_fd;       /* connecting is given up when it is readable or hangs up; -1: none */
};

/* Connects and binds both interfaces. 0 or a Win32 code (ERROR_RPC_S_SERVER_UNAVAILABLE,
 * ERROR_ACCESS_DENIED, ERROR_TIMEOUT, ...). */
uint32_t rpc_client_connect(const struct rpc_client_options *o, struct rpc_client **ret);
uint32_t rpc_client_connect_unix(const char *path, struct rpc_client **ret); /* no time-out */
/* No more calls; those under way fail. NULL is fine. The reference stays the caller's. */
void rpc_client_close(struct rpc_client *c);
void rpc_client_ref(struct rpc_client *c);
void rpc_client_unref(struct rpc_client *c); /* NULL is fine */

/* One call; several threads may call at a time (each takes a connection of the association's pool,
 * or waits for one). Out parameters are in `arena`. 0, or a Win32 code when the call itself failed:
 * ERROR_RPC_S_CALL_FAILED (sent, and the answer is not known, if only for want of memory: it may
 * have been done); ERROR_TIMEOUT (no answer in time: likewise; only this call's connection is given
 * up); ERROR_RPC_S_SERVER_UNAVAILABLE, ERROR_NOT_ENOUGH_MEMORY, ERROR_TOO_MANY_OPEN_FILES,
 * ERROR_INVALID_HANDLE (context mismatch), ... (it was not done). The op's own result is in args.
 */
uint32_t rpc_client_call(struct rpc_client *c, const struct rpc_interface *i,
                         const struct rpc_op *op, void *args, struct rpc_arena *arena);
/* Likewise, with a descriptor to go with the request (-1: none) and room for one that comes with
 * the reply. */
uint32_t rpc_client_call_fd(struct rpc_client *c, const struct rpc_interface *i,
                            const struct rpc_op *op, void *args, struct rpc_arena *arena,
                            int send_fd, int *ret_fd);
/* A descriptor that hangs up (POLLHUP) when the service is gone, or a call's connection broke, or
 * the client was closed; the client's. From then on it is broken: it makes no further calls. */
int rpc_client_watch_fd(const struct rpc_client *c);
bool rpc_client_broken(const struct rpc_client *c);
/* The last that was heard of it is that a call was not answered in time. */
bool rpc_client_silent(const struct rpc_client *c);

#endif
