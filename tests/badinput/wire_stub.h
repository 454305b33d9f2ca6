/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BADINPUT_WIRE_STUB_H
#define TESTS_BADINPUT_WIRE_STUB_H

#include "badinput/wire_peer.h"

/* Any operation's request, from its description alone. */

/* A handle of each kind. */
struct handles {
    struct rpc_context of[RPC_CONTEXT_ANY + 1];
    struct rpc_context port_v2;
};

/* The group and the resource "victim" are made if they are not there, or no more. */
void open_handles(struct peer *p, struct handles *ret);
void make_stub(struct peer *p, const struct rpc_op *op, const struct handles *h,
               struct buffer *out);
bool op_waits(const struct rpc_op *op);       /* for the next event */
bool op_is_about_v2(const struct rpc_op *op); /* its port is one of version 2 */

#endif
