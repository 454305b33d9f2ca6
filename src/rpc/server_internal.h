/* SPDX-License-Identifier: MIT */
#ifndef RPC_SERVER_INTERNAL_H
#define RPC_SERVER_INTERNAL_H

#include <systemd/sd-event.h>

#include "base/handle.h"
#include "rpc/ndr.h"
#include "rpc/pdu.h"
#include "rpc/server_account.h"
#include "rpc/transport.h"

/* server.c: listeners; server_connection.c: bytes, fragments and binds of one connection;
 * server_poll.c: which of them are ready; server_call.c: one request; server_association.c: what a
 * client's connections share; server_account.c: who takes how much; server_dispose.c: descriptors
 * that clients sent.
 *
 * A connection owns its calls until it breaks; then they stand alone until they are answered. An
 * association lives as long as a connection or a call of it does, so a handler's objects outlast
 * its call. Connections are destroyed from the loop only, never below rpc_reply(). */

#define MOST_CONNECTIONS 4096
#define MOST_CONTEXTS (256u << 10)
#define MOST_MEMORY (1u << 30)
#define MOST_REGISTRATIONS (16u << 10) /* each publish may look at all of them */
#define MOST_CALLS 64             /* in flight on one connection; beyond, requests are not read */
#define PENDING_OUTPUT (1u << 20) /* beyond, requests are not read */
#define MOST_CALL_MEMORY (128u << 20) /* of a request, decoded */
#define MOST_CONTEXTS_OF_OP 4

struct poll_set {
    int fd;
    sd_event_source *source;
    int most, limit; /* to be served in a turn; at most */
};

struct poller {
    struct poll_set prompt, late;
};

struct rpc_server {
    struct rpc_server_options options;
    struct listener *listeners;
    struct connection *connections;
    struct poller poller;
    struct account *account;              /* the whole */
    struct rpc_association *associations; /* those with connections */
    uint32_t last_group;
    int spare_fd; /* given up for a moment to refuse a connection when descriptors run out */
};

struct output {
    struct output *next;
    struct buffer bytes;
    size_t sent;
    int fd; /* to go with the first byte; -1: none */
};

struct connection {
    struct rpc_server *server;
    struct connection *previous, *next;
    struct rpc_transport *transport;
    struct rpc_peer peer;
    struct account *account; /* its process's */
    uint32_t events;
    bool late;                           /* in the set of those who come after the others */
    struct rpc_association *association; /* NULL: not bound yet */

    struct {
        uint16_t id;
        const struct rpc_service *service;
    } contexts[PDU_MOST_CONTEXTS];
    unsigned context_count;

    struct buffer input;      /* the fragment being read or handled, and what was read ahead */
    struct pdu_header header; /* of the first fragment there */
    bool has_header;
    struct rpc_call *assembling; /* its last fragment is still to come */
    struct rpc_call *calls;      /* including that one */
    unsigned call_count;

    struct output *output, *output_last;
    size_t output_size;
    uint16_t most_sent; /* the longest fragment that the other side takes */
    bool broken;        /* to be destroyed */
    bool closing;       /* likewise, when the output is gone */
};

struct rpc_call {
    struct connection *connection; /* NULL: it broke */
    struct rpc_call *previous, *next;
    struct rpc_association *association;
    void *context; /* of the server */
    const struct rpc_service *service;
    const struct rpc_op *op;
    uint32_t id;
    uint16_t context_id, opnum;
    struct buffer stub;
    bool too_long;      /* the request */
    bool reply_fd_lost; /* no descriptor was left for the copy */
    bool changed;       /* something: rpc_call_changed() */
    void *args;
    struct rpc_arena arena;
    struct handle_object *held[MOST_CONTEXTS_OF_OP]; /* the context handles in args */
    unsigned held_count;
    void (*on_gone)(struct rpc_call *c, void *data);
    void *on_gone_data;
    int reply_fd;
};

struct rpc_association {
    struct rpc_server *server; /* valid while there are connections */
    struct rpc_association *previous, *next;
    uint32_t group;
    uint64_t nonce; /* in each handle's bytes: another association's handle is not found here */
    unsigned connections, references;
    struct rpc_peer peer;
    struct account *account;
    struct handle_table *contexts;
    void *data;
    void (*close_data)(void *data);
};

void dispose_start(void); /* its thread */

int poller_create(struct poller *p, sd_event *loop); /* 0 or -errno */
void poller_destroy(struct poller *p);
/* 0 or -errno. */
int poller_add(struct poller *p, struct connection *c);
int poller_update(struct poller *p, struct connection *c, uint32_t events);
int poller_move(struct poller *p, struct connection *c, bool late);
void poller_remove(struct poller *p, struct connection *c);
uint64_t rpc_now_ns(void);

/* Takes t and one connection of the account, also on failure. */
int connection_create(struct rpc_server *s, struct rpc_transport *t, const struct rpc_peer *peer,
                      struct account *account);
void connection_destroy(struct connection *c);
void connection_serve(struct connection *c, uint32_t events); /* may destroy it */
/* Queues and begins to send; takes the bytes and fd (-1: none). false: its process may keep no more
 * waiting, and nothing was taken. */
bool connection_send(struct connection *c, struct buffer *bytes, int fd);
/* What is short, and must be said: else the connection ends. */
void connection_tell(struct connection *c, struct buffer *bytes);
void connection_send_fault(struct connection *c, uint32_t call_id, uint16_t context_id,
                           uint32_t status);
void connection_update_events(struct connection *c);

/* A new call of this connection, in its list. NULL: out of memory. */
struct rpc_call *call_create(struct connection *c, const struct pdu_header *h,
                             const struct pdu_stub *stub);
void call_free_stub(struct rpc_call *call);
void call_dispatch(struct rpc_call *call);
void call_abandon(struct rpc_call *call); /* its connection broke, or its caller gave it up */

/* Joins an association, or makes one (group 0). 0, -ENOMEM, -ENOENT. */
int association_join(struct connection *c, uint32_t group);
void association_leave(struct rpc_association *a); /* a connection of it ended */
struct rpc_association *association_ref(struct rpc_association *a);
void association_unref(struct rpc_association *a);
/* The context's object, held; fills c->object and c->kind. NULL: no such handle. */
struct handle_object *association_resolve(struct rpc_association *a, unsigned kind,
                                          struct rpc_context *c);

#endif
