/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_NOTIFY_PORT_H
#define SERVICE_NOTIFY_PORT_H

#include "port/port.h"
#include "service/feed_source.h"
#include "service/request.h"

/* A port for a client that cannot map the feed: the same port code, on the same feed, and the calls
 * that wait for its next notification. */

enum notify_form { NOTIFY_ONE, NOTIFY_MANY, NOTIFY_MANY_V2 };

/* A call that waits; in its call's arena. */
struct notify_call {
    struct request *request;
    enum notify_form form;
    struct notify_port *port;
    struct notify_call *next;
};

/* Made by a registration that found the object's state changed since the client last heard. */
struct notify_state_event {
    uint32_t key, flag, sequence;
    char *name;
    struct notify_state_event *next;
};

/* What a call took and its reply did not bring; the next call gets it first. A port has entries of
 * its version only. */
struct notify_kept {
    struct rpc_arena arena; /* that call's */
    struct rpc_notifications list;
    struct rpc_notifications_v2 list_v2;
    struct rpc_notification one; /* of a call that takes one */
    uint32_t sequence;           /* its */
};

struct notify_port {
    struct service *service;
    struct rpc_peer peer; /* whose it is, for the list of ports */
    struct rpc_association *association;
    uint64_t charged; /* to that one: the port and its registrations */
    uint64_t id;
    int64_t created_ns;
    struct port *port;
    struct feed_source *source;
    struct notify_call *calls, **calls_end;
    struct notify_state_event *state_events, **state_events_end;
    struct notify_kept kept;
    struct notify_port *next, **link; /* on the service's list */
};

int notify_port_create(struct service *s, enum port_version version, struct rpc_association *a,
                       const struct rpc_peer *peer, struct notify_port **ret);
/* Before a registration is added. false: the client has too many. */
bool notify_port_has_room(struct notify_port *p);
void notify_port_close(struct notify_port *p); /* calls that wait get ERROR_NO_MORE_ITEMS */
/* 0 or -ENOMEM */
int notify_port_put_state(struct notify_port *p, uint32_t key, uint32_t flag, uint32_t sequence,
                          const char *name);
void notify_port_wait(struct notify_port *p, struct request *r, enum notify_form form);
void notify_port_end_calls(struct notify_port *p, uint32_t result);
int notify_port_list(const struct service *s, struct buffer *out); /* as port_listing_append() */
uint64_t notify_port_next_revision(const struct notify_port *p);

#endif
