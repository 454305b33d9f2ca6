/* SPDX-License-Identifier: MIT */
#ifndef PORT_PORT_TABLE_H
#define PORT_PORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "port/port.h"

/* What a process tells about its ports: one memfd, which it writes with plain atomic stores and the
 * service reads with pread() when somebody asks. So a port's counters cost no call. A process can
 * only lie about its own ports. */

#define PORT_TABLE_MOST 16383 /* ports beyond are not listed */

struct port_table;      /* the process's side; thread-safe */
struct port_table_slot; /* one port's; NULL is fine wherever one is taken */

/* 0 or -errno. */
int port_table_create(struct port_table **ret);
void port_table_destroy(struct port_table *t); /* NULL is fine */
int port_table_fd(const struct port_table *t); /* the table's; to be handed to the service */

/* NULL: the table is full. version, kinds and registrations may be set again later. */
struct port_table_slot *port_table_add(struct port_table *t, uint64_t id, enum port_version version,
                                       int64_t created_ns);
void port_table_remove(struct port_table *t, struct port_table_slot *s);
/* The present counters and filters. The port's owner locks it. */
void port_table_update(struct port_table_slot *s, const struct port *p, uint32_t waiting);

/* One port, as it is listed. */
struct port_info {
    uint64_t id;
    enum port_version version;
    uint32_t waiting; /* threads asleep in a call on it */
    uint32_t registrations;
    int64_t created_ns; /* wall clock */
    uint64_t revision;  /* of the next change to be looked at */
    uint64_t delivered, lost;
    uint64_t kinds[PORT_KIND_WORDS]; /* of all registrations together */
};

/* Whether a descriptor from somebody else is a table's memory, so that neither reading nor closing
 * it waits for anybody. 0 or -EBADMSG. */
int port_table_check(int fd);
/* Reads a table from its descriptor, which may hold anything; calls back for each port and stops at
 * and returns its first non-zero. 0; -EBADMSG; -errno. */
int port_table_read(int fd, int (*each)(void *context, const struct port_info *info),
                    void *context);

/* One line of the service's list of all ports, and its form on the private interface. Texts are
 * borrowed from the bytes. */
struct port_listing {
    uint32_t pid, uid;
    const char *program;
    struct port_info port;
};

int port_listing_append(const struct port_listing *l, struct buffer *out); /* 0, -ENOMEM */
/* 1: *ret is the next; 0: no more; -EBADMSG. */
int port_listing_next(struct reader *r, struct port_listing *ret);

#endif
