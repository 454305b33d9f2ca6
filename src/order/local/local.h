/* SPDX-License-Identifier: MIT */
#ifndef ORDER_LOCAL_LOCAL_H
#define ORDER_LOCAL_LOCAL_H

#include <systemd/sd-event.h>

#include "order/order.h"

/* The order of one node: a counter and a queue. */
int order_local_create(sd_event *loop, struct order **ret);

#endif
