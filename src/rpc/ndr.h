/* SPDX-License-Identifier: MIT */
#ifndef RPC_NDR_H
#define RPC_NDR_H

#include "base/buffer.h"
#include "rpc/rpc.h"

/* What an operation's parameters may be: T(type, its field in the argument struct). The wire form
 * (NDR32, little-endian) stands beside each. Where the IDL has a buffer and its sizes as separate
 * parameters that belong together, they are one parameter here. */
#define RPC_TYPES(T)                                                                               \
    /* Context handles, 20 bytes. In: not null, of this kind (ANY: of any) and this association's. \
     * Out: may be null. In and out: a close; the walker zeroes nothing, rpc_context_close() does. \
     */                                                                                            \
    T(CONTEXT_CLUSTER, struct rpc_context)                                                         \
    T(CONTEXT_NODE, struct rpc_context)                                                            \
    T(CONTEXT_GROUP, struct rpc_context)                                                           \
    T(CONTEXT_RESOURCE, struct rpc_context)                                                        \
    T(CONTEXT_KEY, struct rpc_context)                                                             \
    T(CONTEXT_NETWORK, struct rpc_context)                                                         \
    T(CONTEXT_NETINTERFACE, struct rpc_context)                                                    \
    T(CONTEXT_NOTIFY, struct rpc_context)                                                          \
    T(CONTEXT_BATCH_PORT, struct rpc_context)                                                      \
    T(CONTEXT_ANY, struct rpc_context)                                                             \
    T(U16, uint16_t)                                                                               \
    T(U32, uint32_t)                                                                               \
    T(STATUS, uint32_t) /* the operation's own Win32 code: `result`, or `status` of an Open */     \
    T(BOOL, uint32_t)                                                                              \
    T(I64, int64_t)       /* aligned 8 */                                                          \
    T(FILETIME, uint64_t) /* two 32-bit halves, aligned 4 */                                       \
    /* In: by reference, never NULL. Out: by pointer, NULL allowed. */                             \
    T(STRING, char *)                                                                              \
    T(UNIQUE_STRING, char *)           /* in, by pointer, NULL allowed */                          \
    T(BYTES, struct rpc_bytes)         /* in: [size_is] array, then its size */                    \
    T(UNIQUE_BYTES, struct rpc_bytes)  /* in: by pointer, then its size */                         \
    T(COUNTED_BYTES, struct rpc_bytes) /* size first; in by reference, out by pointer */           \
    /* In and out, data goes out only; the caller states `capacity`, the server returns `size`     \
     * <= capacity bytes. */                                                                       \
    T(BUFFER, struct rpc_bytes)         /* control codes: max = capacity, actual = size */         \
    T(FULL_BUFFER, struct rpc_bytes)    /* all of capacity travels; size is capacity at the end */ \
    T(RESIZED_BUFFER, struct rpc_bytes) /* the size itself is in and out */                        \
    /* capacity: cbIn, size: cbOut; data may be NULL with a size, to tell the size needed. */      \
    T(SECURITY_DESCRIPTOR, struct rpc_bytes)                                                       \
    T(SECURITY_ATTRIBUTES, struct rpc_security_attributes *) /* in, by pointer, NULL allowed */    \
    T(GROUP_INFO, struct rpc_group_info *)                   /* in, by pointer, NULL allowed */    \
    T(ENUM_LIST, struct rpc_enum_list)                                                             \
    T(GROUP_ENUM_LIST, struct rpc_group_enum_list)                                                 \
    T(RESOURCE_ENUM_LIST, struct rpc_resource_enum_list)                                           \
    T(MULTI_SZ, struct rpc_texts)     /* in, by pointer, then its size in units */                 \
    T(STRING_ARRAY, struct rpc_texts) /* in: count, then an array of pointers to strings */        \
    T(FILTER, struct rpc_filter)                                                                   \
    T(NOTIFICATIONS, struct rpc_notifications)       /* out: array by pointer, then its count */   \
    T(NOTIFICATIONS_V2, struct rpc_notifications_v2) /* likewise */                                \
    T(VERSION_INFO, struct rpc_version_info)         /* out, by pointer */

struct rpc_security_attributes {
    uint32_t length;
    struct rpc_bytes descriptor;
    uint32_t inherit;
};

struct rpc_group_info {
    uint32_t version;
    uint32_t group_type;
};

struct rpc_group_enum_entry {
    char *name, *id;
    uint32_t state;
    char *owner;
    uint32_t flags;
    struct rpc_bytes properties, ro_properties;
};
struct rpc_group_enum_list {
    struct rpc_group_enum_entry *entries;
    uint32_t count;
};

struct rpc_resource_enum_entry {
    char *name, *id, *owner_name, *owner_id;
    struct rpc_bytes properties, ro_properties;
};
struct rpc_resource_enum_list {
    struct rpc_resource_enum_entry *entries;
    uint32_t count;
};

struct rpc_filter { /* of a version 2 registration */
    uint32_t object_type;
    int64_t flags;
};

struct rpc_notification {
    uint32_t key, filter;
    char *name;
};
struct rpc_notifications {
    struct rpc_notification *entries;
    uint32_t count;
};

struct rpc_notification_v2 {
    uint32_t key;
    struct rpc_filter filter;
    struct rpc_bytes buffer;
    char *object_id, *parent_id, *name, *type;
};
struct rpc_notifications_v2 {
    struct rpc_notification_v2 *entries;
    uint32_t count;
};

struct rpc_version_info { /* CLUSTER_OPERATIONAL_VERSION_INFO */
    uint32_t size, highest_version, lowest_version, flags, reserved;
};

/* RPC_CONTEXT_CLUSTER, ...: a context's type is also its kind. 0 is none. */
enum rpc_type {
    RPC_TYPE_NONE,
#define T(type, field) RPC_##type,
    RPC_TYPES(T)
#undef T
};

static inline bool rpc_type_is_context(unsigned type)
{
    return type >= RPC_CONTEXT_CLUSTER && type <= RPC_CONTEXT_ANY;
}

#define T(type, field) typedef field rpc_field_##type;
RPC_TYPES(T)
#undef T

enum rpc_direction { RPC_IN = 1, RPC_OUT = 2, RPC_INOUT = 3 };

struct rpc_param {
    uint8_t direction, type;
    uint16_t offset;
};

/* Limits that hold whatever the transport is. */
#define RPC_MOST_STRING_UNITS (64u * 1024)
#define RPC_MOST_ENTRIES (1u << 20)  /* of any list */
#define RPC_MOST_REQUEST (16u << 20) /* stub bytes */
#define RPC_MOST_BYTES (64u << 20)   /* of a reply's buffers */
#define RPC_MOST_REPLY (RPC_MOST_BYTES + (1u << 20))

/* Appends the parameters of one direction (RPC_IN: a request's, RPC_OUT: a response's) to `out`,
 * which begins with them. 0; -ENOMEM; -EINVAL (a NULL where none may be, text that is not UTF-8, a
 * string or list over the limit). */
int ndr_encode(const struct rpc_op *op, enum rpc_direction direction, const void *args,
               struct buffer *out);
/* Fills args' fields of that direction; the others stay. What they point to is in `arena`. Bytes
 * after the last parameter are ignored. 0; -ENOMEM (also: over the arena's limit); -EBADMSG. */
int ndr_decode(const struct rpc_op *op, enum rpc_direction direction, const void *data, size_t size,
               struct rpc_arena *arena, void *args);

/* The operation's own code, wherever its struct has it. */
uint32_t rpc_op_status(const struct rpc_op *op, const void *args);
void rpc_op_set_status(const struct rpc_op *op, void *args, uint32_t status);
/* NULL: not described. */
const struct rpc_op *rpc_interface_op(const struct rpc_interface *i, unsigned opnum);

#endif
