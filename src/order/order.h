/* SPDX-License-Identifier: MIT */
#ifndef ORDER_ORDER_H
#define ORDER_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* Puts inputs in one order and hands them back, here and on every other node in the same one. What
 * an input means is not its business: it carries bytes.
 *
 * All methods and callbacks run on the service's loop thread; none blocks. */

struct order;

/* The input is next. Bytes are valid during the call. position counts from 1, the same on all
 * nodes; time_ns never goes back. Called from the loop, never from within submit(). */
typedef void (*order_deliver_fn)(void *context, uint64_t position, int64_t time_ns,
                                 const void *data, size_t size);

struct order_methods {
    unsigned version; /* 1; methods are only ever appended */
    size_t object_size;
    const char *name; /* "local", "corosync" */

    /* Delivery may begin after start() returned. 0 or -errno; on failure nothing is left behind. */
    int (*start)(struct order *o);
    /* Copies data. 0; -ENOMEM; -EAGAIN: too many under way, try later; -ENETUNREACH: no quorum;
     * -ESHUTDOWN: not started, or stopped. May be called from within deliver(), as may stop(). */
    int (*submit)(struct order *o, const void *data, size_t size);
    /* No delivery after it. Idempotent; cannot fail. */
    void (*stop)(struct order *o);
    void (*free)(struct order *o);
};

struct order {
    const struct order_methods *methods;
    order_deliver_fn deliver;
    void *context;
};

#endif
