/* SPDX-License-Identifier: MIT */
#ifndef LIB_NOTIFY_SESSION_H
#define LIB_NOTIFY_SESSION_H

#include <stdint.h>

#include "lib/notify_port.h"
#include "lib/session.h"

/* All ports of the process, and what those of one session share. */

struct notify_pump; /* notify_event.c */

struct notify_session {
    struct session *session; /* a reference */
    struct notify_session *next;
    uint32_t ports;           /* that entered */
    struct port_table *table; /* of its ports; NULL: could not be made, and they are not listed */
    uint64_t published;       /* the generation that was given the table */
    struct notify_pump *pump; /* NULL: no port of it has an event */
};

/* The first to enter starts the session's watch and hands the table of ports to the service. Each
 * enter needs a leave. Nothing is locked. A Win32 code. */
uint32_t notify_session_enter(struct session *s, struct notify_session **ret);
void notify_session_leave(struct notify_session *ns); /* NULL is fine */

void notify_list_add(struct notify_port *p);
void notify_list_remove(struct notify_port *p); /* waits for those who are looking at it */
/* Walks over all ports: `for (p = NULL; (p = notify_list_next(p));)`. The present one stays in the
 * list, and so alive, until the next call; the walk must go to its end. Nothing is locked. */
struct notify_port *notify_list_next(struct notify_port *previous);

/* A pointer to a port that another thread may clear: the port pinned as in a walk, or NULL. Whoever
 * clears it has the port locked. */
struct notify_port *notify_list_pin(struct notify_port *const *link);
void notify_list_unpin(struct notify_port *p); /* nothing is locked */
void notify_list_disown(struct notify_port **link);

struct port_table_slot *notify_table_add(const struct notify_port *p); /* NULL: not listed */

/* notify_event.c: the thread that keeps the descriptors of a session's ports. */
uint32_t notify_pump_enter(struct notify_session *ns);
void notify_pump_leave(struct notify_session *ns); /* nothing is locked */
void notify_pump_poke(struct notify_session *ns);  /* look again; nothing is locked */

#endif
