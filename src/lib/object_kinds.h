/* SPDX-License-Identifier: MIT */
#ifndef LIB_OBJECT_KINDS_H
#define LIB_OBJECT_KINDS_H

#include "lib/object.h"
#include "rpc/rpc_interface.h"

/* What differs between the kinds of objects when they are opened and closed. */
struct object_kind {
    enum object_type type;
    const struct session_context_methods *context;
    const struct rpc_op *open; /* by name; NULL: opened in a way of its own */
    const struct rpc_op *close;
    const struct rpc_op *get_id; /* NULL: its id is what it was opened by */
    const struct rpc_op *control, *node_control;
    uint32_t get_name; /* a control code; 0: it has no name */
};

const struct object_kind *
object_kind(unsigned kind); /* NULL: handles of that kind are no objects */

/* The operations of all kinds have one form. */
struct object_open_args {
    char *name;
    uint32_t status, rpc_status;
    struct rpc_context object;
};
struct object_close_args {
    struct rpc_context object;
    uint32_t result;
};
struct object_id_args {
    struct rpc_context object;
    char *id;
    uint32_t rpc_status, result;
};

#endif
