/* SPDX-License-Identifier: MIT */
#ifndef ORDER_LOCAL_LOCAL_H
#define ORDER_LOCAL_LOCAL_H

#include <systemd/sd-event.h>

#include "order/order.h"

/* The order of one node: a counter and a queue. No input is older than last_time_ns, the time of
 * the last one of an earlier life: the clock may have been set back since. 0: there was none. */
int order_local_create(sd_event *loop, int64_t last_time_ns, struct order **ret);

#endif
