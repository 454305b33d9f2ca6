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
 * close's own event, and closing needs no memory.
 *
 * Order: notifications come in the order of revisions; those of one change in the order in which
 * the registrations were made. What the port itself has to say (a handle was closed, the connection
 * is back) was given a revision, and comes before the change with that revision. */

/* Where a port's changes come from. */
struct port_source {
    const struct port_source_methods *methods;
};

enum port_source_result {
    SOURCE_RECORD,
    SOURCE_EMPTY,   /* nothing now; *ret_next is the first revision that was not looked at */
    SOURCE_SKIPPED, /* there is nothing wanted before *ret_next; ask again from there */
    SOURCE_LOST,    /* changes from `from` up to and without *ret_next are gone for good */
    SOURCE_PENDING, /* on its way: look again when it is there */
    SOURCE_ERROR,   /* not to be had at the moment (service away): look again when it is back */
};

struct port_source_methods {
    /* The first change with a revision >= from and a kind of `kinds` (bit array, CHANGE_KIND_COUNT
     * bits). SOURCE_RECORD: *ret is valid until the next call on this port's source, and what was
     * given is given again for as long as its revision is asked for, even when it is gone from
     * where it came from: what a reader was shown, or some registrations were told, is not lost. */
    enum port_source_result (*next)(struct port_source *s, uint64_t from, const uint64_t *kinds,
                                    const void **ret, size_t *ret_size, uint64_t *ret_next);
};

#define PORT_KIND_WORDS ((CHANGE_KIND_COUNT + 63) / 64)

/* PORT_OWN is our addition's: filters by kinds, and every notification tells all. */
enum port_version { PORT_V1 = 1, PORT_V2 = 2, PORT_OWN = 3 };

/* One registration. */
struct port_filter {
    uint64_t kinds[PORT_KIND_WORDS]; /* made from the flags */
    int64_t v2_flags;
    uint32_t v2_type;
    uint32_t v1_flags;    /* as registered, client-made ones included */
    uint64_t key;         /* the caller's */
    uint64_t owner;       /* the handle whose close ends it; 0: none */
    uint64_t parent;      /* the handle that owner was opened through: ends it silently; 0: none */
    uint64_t from, until; /* revisions: from <= r < until; or one of the two below */
    int64_t closed_ns;    /* PORT_UNSETTLED: when */
    /* Only this object: an id, a key's path, a type's name; NULL: all of the type. */
    char *object_id;
    char *owner_name; /* what HANDLE_CLOSE will name; NULL: "" */
    uint32_t close_serial;
    bool subtree; /* registry: what is below counts too */
    uint8_t due;  /* PORT_DUE_* that are still to be delivered */
};

#define PORT_OPEN UINT64_MAX
#define PORT_UNSETTLED (UINT64_MAX - 1) /* closed, and it is not known yet at which revision */

#define PORT_DUE_STATE 1     /* CLUSTER_STATE, at port.state_at */
#define PORT_DUE_RECONNECT 2 /* RECONNECT, at port.reconnect_at */
#define PORT_DUE_CLOSE 4     /* HANDLE_CLOSE, at `until` */
#define PORT_DUE_ALL 7

/* What port_peek() showed last, for port_consume(). */
enum port_pending { PENDING_NONE, PENDING_CHANGE, PENDING_DUE, PENDING_LOST, PENDING_INITIAL };

struct port {
    enum port_version version;
    bool show_lost; /* a lost range is a notification even if no registration asks for it */
    uint8_t pending_due;
    enum port_pending pending;
    size_t pending_filter;
    const struct port_filter *shown_filter; /* whose due was shown and not consumed; NULL: none */
    uint8_t shown_due;
    uint64_t shown_before; /* what was shown last comes before this revision; 0: nothing was */

    struct port_filter **filters;
    size_t filter_count, filter_capacity;
    size_t due_count; /* PORT_DUE_* bits over all filters */
    size_t closed_count, unsettled_count;
    uint64_t kinds[PORT_KIND_WORDS]; /* of all filters together */
    uint32_t wake_bits;              /* feed_bits_of_kind of them */

    uint64_t revision; /* of the next change to look at */
    size_t filter_at;  /* the next filter to try on it */
    uint64_t state_at, reconnect_at;
    uint32_t serial; /* counts what fell due, for the order of what has the same revision */
    uint32_t state_serial, reconnect_serial;
    uint64_t lost_first, lost_last; /* gone changes that are still to be reported */
    struct buffer snapshot;         /* encoded; still to be delivered first */
    size_t snapshot_at;
    char *cluster_name;       /* what RECONNECT and CLUSTER_STATE name */
    uint64_t delivered, lost; /* notifications, and changes */
};

struct port *port_create(enum port_version version, const char *cluster_name,
                         uint64_t next_revision); /* NULL: out of memory */
void port_destroy(struct port *p);                /* NULL is fine */

/* One registration. handle_type is the kind of handle it was made with, object_id that handle's
 * object (NULL: cluster-wide, all objects), owner the handle whose close ends it, owner_name what
 * HANDLE_CLOSE will name, next_revision the first change to be delivered. Texts are copied.
 *
 * 0; -EINVAL: bits that are undefined or do not go together; -EBADF: bits that do not go with that
 * type of handle; -ENOMEM. On failure nothing is registered. HANDLE_CLOSE goes with any handle.
 * Cluster-wide registry bits watch the root key, with SUBTREE everything below it. A registration
 * with a cluster handle, but not cluster-wide, gives the cluster's id as object_id. */
int port_add_v1(struct port *p, uint32_t flags, enum object_type handle_type, const char *object_id,
                uint64_t key, uint64_t owner, const char *owner_name, uint64_t next_revision);
/* Resource types are named, not opened: their handle_type is CLUSTER, object_id the type's name. */
int port_add_v2(struct port *p, uint32_t type, int64_t flags, enum object_type handle_type,
                const char *object_id, uint64_t key, uint64_t owner, const char *owner_name,
                uint64_t next_revision);
/* PORT_OWN: any kinds. object_id is compared with the id of what a change is about, a key's path
 * with all that is below it. */
int port_add_kinds(struct port *p, const uint64_t kinds[PORT_KIND_WORDS], const char *object_id,
                   uint64_t key, uint64_t owner, const char *owner_name, uint64_t next_revision);
/* The registrations from index `first` on also end, without HANDLE_CLOSE, when parent is closed. */
void port_set_parent(struct port *p, size_t first, uint64_t parent);
/* Takes back the registrations from index `first` on, made since the last port_peek(). */
void port_take_back(struct port *p, size_t first);
/* The history itself was replaced from next_revision on: what is there now is still to come. */
void port_rewind(struct port *p, uint64_t next_revision);
/* Takes the records of a snapshot, to be delivered first, each to every registration that has a
 * kind of its type of object. */
void port_set_snapshot(struct port *p, struct buffer *records);

bool port_has_owner(const struct port *p, uint64_t owner); /* its close would end something */
/* The handle was closed: its registrations end before next_revision, and HANDLE_CLOSE comes then.
 */
void port_handle_closed(struct port *p, uint64_t owner, uint64_t next_revision);
/* The same while nobody can say how far the history is: they end, and HANDLE_CLOSE comes, where
 * port_settle() says. Until then its owner gives no change that may be from after the close. */
void port_handle_closed_away(struct port *p, uint64_t owner, int64_t closed_ns);
/* There is a service again: a life of it that began at that time with that revision, and whose next
 * change is next_revision. What was closed before it began ends there; what was closed later ends
 * before next_revision, so that nothing is left out. */
void port_settle(struct port *p, int64_t life_since_ns, uint64_t life_revision,
                 uint64_t next_revision);
/* The connection was lost and is back (or given up): RECONNECT (or CLUSTER_STATE) at this point,
 * for each registration that asked for it. One that is still to be delivered is not doubled. */
void port_reconnected(struct port *p, uint64_t next_revision);
void port_cluster_lost(struct port *p, uint64_t next_revision);

/* What one call returns. Borrowed from the port and its source until the next call on it.
 *
 * A lost range: version 1 gets CLUSTER_RECONNECT for each registration that has that bit, version 2
 * LOST_NOTIFICATIONS likewise, PORT_OWN always one. A version 1 reader that did not ask for
 * RECONNECT cannot be told by version 1's means; the range is counted in `lost` all the same. */
struct port_notification {
    uint64_t key;
    uint32_t v1_flag; /* exactly one bit; 0 where version 1 has none (PORT_OWN only) */
    uint32_t v2_type;
    int64_t v2_flag;
    const char *name, *object_id, *parent_id, *type_name;
    struct change change; /* kind CHANGE_NONE for client-made ones (HANDLE_CLOSE, RECONNECT, ...) */
    uint64_t lost_first, lost_last; /* not 0: changes with these revisions could not be kept */
};

enum port_result { PORT_NOTIFICATION, PORT_EMPTY, PORT_AWAY };

/* Shows the next notification without consuming it; port_consume() passes it. A record that cannot
 * be decoded is passed over and counted as lost. */
enum port_result port_peek(struct port *p, struct port_source *s, struct port_notification *ret);
void port_consume(struct port *p);

static inline void port_destroyp(struct port **p)
{
    port_destroy(*p);
}

#endif
