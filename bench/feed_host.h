/* SPDX-License-Identifier: MIT */
#ifndef BENCH_FEED_HOST_H
#define BENCH_FEED_HOST_H

/* The service's end of a feed, in this process: programs open it as they open any cluster, and are
 * told by the service's own feed_publish(). So the moment of publishing is known here, which it is
 * not when the service is another process. */
void feed_host_start(void);
void feed_host_stop(void);
void feed_host_publish(void); /* one change of a resource's state */

#endif
