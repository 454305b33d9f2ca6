/* SPDX-License-Identifier: MIT */
#ifndef RPC_CLIENT_INTERNAL_H
#define RPC_CLIENT_INTERNAL_H

#include "rpc/pdu.h"
#include "rpc/transport.h"

/* One connection of a client, used by one thread at a time. */
struct client_connection {
    struct client_connection *next;           /* idle ones */
    struct client_connection *next_of_client; /* all */
    struct rpc_transport *transport;
    struct buffer input; /* the fragment being read, and what was read ahead */
    uint16_t most_sent;
    uint32_t group;
    uint32_t last_call;
    unsigned accepted;   /* bit i: the i-th interface of client_interfaces */
    unsigned timeout_ms; /* of one exchange; 0: none */
    int64_t deadline_ms; /* of the present one */
};

#define CLIENT_INTERFACES 2
extern const struct rpc_interface *const client_interfaces[CLIENT_INTERFACES];

/* Binds the interfaces; group 0: a new association. cancel_fd as rpc_client_options. 0 or a Win32
 * code. */
uint32_t client_bind(struct client_connection *c, uint32_t group, int cancel_fd);

struct client_answer {
    struct buffer stub;
    uint32_t fault; /* 0: the stub is the answer */
    int fd;         /* that came with it; -1 */
};

/* Sends and waits, until the time-out: ERROR_TIMEOUT. 0, or a Win32 code after which the connection
 * is of no more use; *ret_sent tells whether the service may have seen the request. */
uint32_t client_exchange(struct client_connection *c, uint16_t context_id, uint16_t opnum,
                         const struct buffer *stub, int send_fd, struct client_answer *answer,
                         bool *ret_sent);

#endif
