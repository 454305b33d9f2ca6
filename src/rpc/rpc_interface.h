/* SPDX-License-Identifier: MIT */
#ifndef RPC_RPC_INTERFACE_H
#define RPC_RPC_INTERFACE_H

#include "rpc/cmrp.def"
#include "rpc/ndr.h"
#include "rpc/private.def"
#include "rpc/rpc.h"

/* Argument structs and operations of both interfaces, from the .def files. For each operation X:
 * struct cmrp_X (its parameters as fields, in order; `result`, or `status` where the operation
 * returns a context handle), const struct rpc_op cmrp_op_X, and the number CMRP_OPNUM_X;
 * private_X and PRIVATE_OPNUM_X likewise. */

#define RPC_FIELD(direction, type, field) rpc_field_##type field;

#define OP(number, name)                                                                           \
    struct cmrp_##name {                                                                           \
        CMRP_##name(RPC_FIELD)                                                                     \
    };                                                                                             \
    extern const struct rpc_op cmrp_op_##name;
CMRP_OPS(OP)
#undef OP

#define OP(number, name)                                                                           \
    struct private_##name {                                                                        \
        PRIVATE_##name(RPC_FIELD)                                                                  \
    };                                                                                             \
    extern const struct rpc_op private_op_##name;
PRIVATE_OPS(OP)
#undef OP

#undef RPC_FIELD

enum cmrp_opnum {
#define OP(number, name) CMRP_OPNUM_##name = (number),
    CMRP_OPS(OP)
#undef OP
        CMRP_OPNUM_COUNT = 186
};

enum private_opnum {
#define OP(number, name) PRIVATE_OPNUM_##name = (number),
    PRIVATE_OPS(OP)
#undef OP
        PRIVATE_OPNUM_COUNT
};

#endif
