/* SPDX-License-Identifier: MIT */
#ifndef RPC_RPC_INTERFACE_H
#define RPC_RPC_INTERFACE_H

/* Argument structs and operations of both interfaces, from the .def files. For each operation X:
 * struct cmrp_X (its parameters as fields, in order, and `result`) and const struct rpc_op
 * cmrp_op_X; private_X likewise. */

#include "rpc/ndr.h"
#include "rpc/rpc.h"

#endif
