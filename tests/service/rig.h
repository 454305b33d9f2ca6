/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SERVICE_RIG_H
#define TESTS_SERVICE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "change/change.h"
#include "change/property_list.h"
#include "rpc/rpc_interface.h"
#include "support/service.h"

/* A real service and a client of it that speaks its RPC. */
struct rig {
    struct test_service *service;
    struct rpc_client *client;
    struct rpc_arena arena;
};

void rig_start(struct rig *rig, const char *const extra_args[]);
void rig_connect(struct rig *rig); /* anew, after the service was started again */
void rig_stop(struct rig *rig);

/* One call that arrives; its own code is in a. */
#define CALL(rig, op, a) assert_int_equal(call_cmrp((rig), &cmrp_op_##op, (a)), 0)
#define CALL_PRIVATE(rig, op, a) assert_int_equal(call_private((rig), &private_op_##op, (a)), 0)
uint32_t call_cmrp(struct rig *rig, const struct rpc_op *op, void *args);
uint32_t call_private(struct rig *rig, const struct rpc_op *op, void *args);

struct rpc_context open_cluster(struct rig *rig);
struct rpc_context create_group(struct rig *rig, const char *name);
struct rpc_context create_resource(struct rig *rig, struct rpc_context group, const char *name,
                                   const char *type);
struct rpc_context root_key(struct rig *rig);
uint32_t group_code(struct rig *rig, const char *name); /* of OpenGroup; 0: it is there */
uint32_t create_group_code(struct rig *rig, const char *name);

/* A port of version 1 over RPC, and its next event. */
struct rpc_context create_port(struct rig *rig, uint32_t filter, uint32_t key);
struct cmrp_GetNotify next_event(struct rig *rig, struct rpc_context port);
/* Takes events until the resource is in that state. */
void wait_resource_state(struct rig *rig, struct rpc_context port, struct rpc_context resource,
                         uint32_t state);

/* The object is a context's: ResourceControl with this code. Output in the arena. */
uint32_t resource_control(struct rig *rig, struct rpc_context resource, uint32_t code,
                          const void *input, size_t input_size, struct rpc_bytes *ret);

#endif
