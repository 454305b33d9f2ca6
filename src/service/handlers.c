/* SPDX-License-Identifier: MIT */
#include "service/request.h"

const rpc_handler_fn cmrp_handlers[CMRP_OPNUM_COUNT] = {
#define OP(number, name) [CMRP_OPNUM_##name] = op_##name,
    CMRP_OPS(OP)
#undef OP
};

const rpc_handler_fn private_handlers[PRIVATE_OPNUM_COUNT] = {
#define OP(number, name) [PRIVATE_OPNUM_##name] = op_##name,
    PRIVATE_OPS(OP)
#undef OP
};
