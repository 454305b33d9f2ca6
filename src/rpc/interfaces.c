/* SPDX-License-Identifier: MIT */
#include "base/macro.h"
#include "rpc/rpc_interface.h"

/* A .def hands its parameters to the macro it is given. What is given here is the head of an
 * initializer, which knows the struct, and FIELD, which takes the parameter and completes it. */
#define FIELD(direction_, type_, field_)                                                           \
    field_, .direction = RPC_##direction_, .type = RPC_##type_                                     \
    }                                                                                              \
    ,
#define PARAM_OF(args)                                                                             \
    {                                                                                              \
        .offset = (uint16_t)(uintptr_t) & ((struct args *)0)->FIELD

#define DESCRIBE(PREFIX, prefix, number, op_name)                                                  \
    static const struct rpc_param prefix##_params_##op_name[] = {                                  \
        PREFIX##_##op_name(PARAM_OF(prefix##_##op_name))};                                         \
    const struct rpc_op prefix##_op_##op_name = {                                                  \
        .opnum = (number),                                                                         \
        .name = #op_name,                                                                          \
        .params = prefix##_params_##op_name,                                                       \
        .param_count = ARRAY_SIZE(prefix##_params_##op_name),                                      \
        .args_size = sizeof(struct prefix##_##op_name),                                            \
    };

#define OP(number, name) DESCRIBE(CMRP, cmrp, number, name)
CMRP_OPS(OP)
#undef OP

#define OP(number, name) DESCRIBE(PRIVATE, private, number, name)
PRIVATE_OPS(OP)
#undef OP

static const struct rpc_op *const cmrp_ops[CMRP_OPNUM_COUNT] = {
#define OP(number, name) [number] = &cmrp_op_##name,
    CMRP_OPS(OP)
#undef OP
};

static const struct rpc_op *const private_ops[PRIVATE_OPNUM_COUNT] = {
#define OP(number, name) [number] = &private_op_##name,
    PRIVATE_OPS(OP)
#undef OP
};

/* b97db8b2-4c63-11cf-bff6-08002be23f2f: the first three fields are little-endian. */
const struct rpc_interface rpc_cmrp = {
    .uuid = {0xb2, 0xb8, 0x7d, 0xb9, 0x63, 0x4c, 0xcf, 0x11, 0xbf, 0xf6, 0x08, 0x00, 0x2b, 0xe2,
             0x3f, 0x2f},
    .major = 3,
    .minor = 0,
    .name = "clusapi",
    .ops = cmrp_ops,
    .op_count = CMRP_OPNUM_COUNT,
};

/* ece4feea-f0d0-48be-b7f8-7b270b373e0f */
const struct rpc_interface rpc_private = {
    .uuid = {0xea, 0xfe, 0xe4, 0xec, 0xd0, 0xf0, 0xbe, 0x48, 0xb7, 0xf8, 0x7b, 0x27, 0x0b, 0x37,
             0x3e, 0x0f},
    .major = 1,
    .minor = 0,
    .name = "clusport",
    .ops = private_ops,
    .op_count = PRIVATE_OPNUM_COUNT,
};

const struct rpc_op *rpc_interface_op(const struct rpc_interface *i, unsigned opnum)
{
    return opnum < i->op_count ? i->ops[opnum] : NULL;
}
