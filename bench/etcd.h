/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ETCD_H
#define BENCH_ETCD_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/* An etcd of our own, and writers that put a value each, over and over, through its gRPC interface.
 * They are all in one thread that does little but send and receive prepared bytes, so that as much
 * of the machine as can be is etcd's. */

struct etcd {
    pid_t pid;
    char *folder;
    unsigned short port;
};

void etcd_start(struct etcd *e, const char *folder);
void etcd_stop(struct etcd *e);
/* Puts from `writers` connections at a time while *open is not 0; counts those acknowledged. */
_Noreturn void etcd_write(const struct etcd *e, unsigned writers, const _Atomic uint32_t *open,
                          _Atomic uint64_t *done);

#endif
