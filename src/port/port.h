/* SPDX-License-Identifier: MIT */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "change/change.h"

/* A notification port: filters and a position, no queue. It turns changes into notifications, and
 * is used by the library and, for clients that cannot map the feed, by the service. How changes
 * arrive it does not know: its owner gives it a source. Not thread-safe: its owner locks.
 *
 * A registration holds for a range of revisions: from its making until its handle is closed. So
 * nothing that happened before is delivered, what happened before a close is delivered before the
 * close's own event, and closing needs no memory. */

/* Where a port's changes come from. */
struct port_source {
    const struct port_source_methods *methods;
};

enum port_source_result {
    SOURCE_RECORD,
    SOURCE_EMPTY, /* nothing more now */
    SOURCE_LOST,  /* changes from `from` up to and without *ret_next are gone for good */
    SOURCE_ERROR, /* not to be had at the moment (service away): look again when it is back */
};

struct port_source_methods {
    /* The first change with a revision >= from and a kind of `kinds` (bit array, CHANGE_KIND_COUNT
     * bits). SOURCE_RECORD: *ret is valid until the next call on this port's source. */
    enum port_source_result (*next)(struct port_source *s, uint64_t from, const uint64_t *kinds,
                                    const void **ret, size_t *ret_size, uint64_t *ret_next);
};

#define PORT_KIND_WORDS ((CHANGE_KIND_COUNT + 63) / 64)

enum port_version { PORT_V1 = 1, PORT_V2 = 2 };

/* One registration. */
struct port_filter {
    uint64_t kinds[PORT_KIND_WORDS]; /* made from the flags */
    uint32_t v1_flags;               /* as registered, client-made ones included */
    uint32_t v2_type;
    int64_t v2_flags;
    uint64_t key; /* the caller's */
    char *
        object_id; /* only this object: an id, a key's path, a type's name; NULL: all of the type */
    bool subtree;  /* registry: what is below counts too */
    uint64_t from, until;   /* revisions: from <= r < until; UINT64_MAX: open */
    uint64_t owner;         /* the handle whose close ends it */
    char *owner_name;       /* what HANDLE_CLOSE will name */
    bool close_due;         /* HANDLE_CLOSE to be delivered at `until` */
    uint64_t reconnect_at;  /* RECONNECT to be delivered before this revision; 0: none */
    uint64_t lost_state_at; /* CLUSTER_STATE, likewise */
};

struct port {
    enum port_version version;
    struct port_filter **filters;
    size_t filter_count, filter_capacity;
    uint64_t kinds[PORT_KIND_WORDS]; /* of all open filters together */
    uint32_t wake_bits;              /* feed_bits_of_kind of them */
    uint64_t revision;               /* of the next change to look at */
    size_t filter_at;                /* the next filter to try on it */
    char *cluster_name;              /* what RECONNECT and CLUSTER_STATE name */
    uint64_t lost_first, lost_last;  /* gone changes that are still to be reported */
    size_t lost_filter_at;
    uint64_t delivered, lost; /* counters, in changes */
};

struct port *port_create(enum port_version version, const char *cluster_name,
                         uint64_t next_revision);
void port_destroy(struct port *p);

/* next_revision: of the first change to be delivered. 0, -EINVAL (bits that do not go together or
 * with the handle's type), -ENOMEM. The flags decide the object type; object NULL: cluster-wide.
 * HANDLE_CLOSE goes with any handle. */
int port_add_v1(struct port *p, uint32_t flags, enum object_type handle_type, const char *object_id,
                uint64_t key, uint64_t owner, const char *owner_name, uint64_t next_revision);
int port_add_v2(struct port *p, uint32_t type, int64_t flags, enum object_type handle_type,
                const char *object_id, uint64_t key, uint64_t owner, const char *owner_name,
                uint64_t next_revision);
/* The handle was closed: its registrations end before next_revision, and HANDLE_CLOSE comes then.
 */
void port_handle_closed(struct port *p, uint64_t owner, uint64_t next_revision);
/* The connection was lost and is back (or given up): RECONNECT (or CLUSTER_STATE) at this point,
 * for each registration that asked for it. */
void port_reconnected(struct port *p, uint64_t next_revision);
void port_cluster_lost(struct port *p, uint64_t next_revision);

/* What one call returns. Borrowed from the port and its source until the next call on it. */
struct port_notification {
    uint64_t key;
    uint32_t v1_flag; /* exactly one bit */
    uint32_t v2_type;
    int64_t v2_flag;
    const char *name, *object_id, *parent_id, *type_name;
    struct change change; /* kind CHANGE_NONE for client-made ones (HANDLE_CLOSE, RECONNECT, ...) */
    uint64_t lost_first, lost_last; /* not 0: changes with these revisions could not be kept */
};

enum port_result { PORT_NOTIFICATION, PORT_EMPTY, PORT_AWAY };

/* Shows the next notification without consuming it; port_consume() passes it. */
enum port_result port_peek(struct port *p, struct port_source *s, struct port_notification *ret);
void port_consume(struct port *p);

#endif
