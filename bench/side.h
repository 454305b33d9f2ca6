/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SIDE_H
#define BENCH_SIDE_H

#include "bench.h"

/* One way of telling watchers of an event: ours or a peer's. The publisher is this process, each
 * watcher a process of its own. Peers are given their best case: a plain blocking read() of their
 * protocol in the watcher, one prepared write() in the publisher. */
struct side {
    const char *name;
    const char *program; /* that must be installed; NULL: none */
    void (*start)(void); /* its server, and the publisher's way to it */
    void (*stop)(void);
    void (*subscribe)(void); /* in the watcher; returns when it will be told of what follows */
    void (*wait)(void);      /* in the watcher: for one event */
    void (*publish)(void);
    void (*published)(void); /* after all were told: what is left to be read; may be NULL */
};

extern const struct side side_futex, side_clusport, side_redis, side_nats, side_dbus;

#endif
