/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STORM_WIRE_LIBRARY_H
#define TESTS_STORM_WIRE_LIBRARY_H

#include <clusapi.h>
#include <stdbool.h>

/* Some functions of clusapi.h by plain MS-CMRP calls, as a client does that has nothing but these:
 * no feed, no journal, nothing that outlives its connection. A library, so that the recorder stands
 * in front of it as it does of the real one, and the judge takes its ports like any.
 *
 * Names are ASCII. Each OpenCluster() is a connection of its own; with the service, everything that
 * was opened through it is gone, and says so by an RPC error. A get waits for ever. */

/* Its connection is, at the latest after that time. */
__attribute__((visibility("default"))) bool wire_broken(HCLUSTER cluster, int milliseconds);

#endif
