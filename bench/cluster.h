/* SPDX-License-Identifier: MIT */
#ifndef BENCH_CLUSTER_H
#define BENCH_CLUSTER_H

#include <clusapi.h>

#include "support/service.h"

/* Real services, and programs that use them by the public API. */

/* Its state lies in `folder`; extra as service_start's. CLUSPORT_SOCKET points at it. */
struct test_service *cluster_start(const char *folder, const char *const extra[]);
/* Adds n resource changes to the journal of a service that is halted. */
void cluster_add_changes(const char *folder, unsigned n);

HCLUSTER open_cluster(void);
HKEY open_key(HCLUSTER cluster, unsigned number); /* makes it: one for each writer */
void write_value(HKEY key, uint64_t value);       /* one durable change */

/* Children with `count` ports that nobody reads but the threads that sleep in GetClusterNotify(),
 * one for each; the first event that matches ends its thread. */
pid_t start_sleepers(unsigned count, DWORD filter);

/* A child that runs `body` in `count` threads and is ready when all are about to. */
pid_t start_threads(unsigned count, void (*body)(void *context, unsigned index), void *context);

#endif
