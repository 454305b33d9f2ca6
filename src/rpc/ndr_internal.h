/* SPDX-License-Identifier: MIT */
#ifndef RPC_NDR_INTERNAL_H
#define RPC_NDR_INTERNAL_H

#include "rpc/ndr.h"

/* One pass over a stub in either direction: each ndr_X() writes *v when out is set and reads into
 * *v otherwise, so that a type's wire form is written down once. The first error stays; what
 * follows it does nothing. */
struct ndr {
    struct buffer *out; /* NULL: reading */
    struct reader in;
    struct rpc_arena *arena;
    uint32_t referent; /* of the last pointer written */
    int error;
};

static inline bool ndr_writing(const struct ndr *n)
{
    return n->out;
}

void ndr_fail(struct ndr *n, int error);
void ndr_align(struct ndr *n, size_t alignment);
void ndr_u16(struct ndr *n, uint16_t *v);
void ndr_u32(struct ndr *n, uint32_t *v);
void ndr_u64(struct ndr *n, uint64_t *v, size_t alignment);
/* A size or count that the other side repeats: written, or read and compared. */
void ndr_expect(struct ndr *n, uint32_t v);
/* Raw bytes; *data is in the arena when read. */
void ndr_raw(struct ndr *n, void **data, uint32_t size);
/* A unique pointer. Returns whether there is something behind it. */
bool ndr_pointer(struct ndr *n, bool present);
/* The same as a struct's field, what it points to comes later: a mark tells then that it does. */
void ndr_pointer_field(struct ndr *n, void **p);
/* Memory for `count` things of `size`, when `wire` bytes of each must still be to come. */
void *ndr_alloc(struct ndr *n, uint32_t count, size_t size, size_t wire);

void ndr_string(struct ndr *n, char **s);           /* conformant varying, with its NUL */
void ndr_bytes(struct ndr *n, struct rpc_bytes *b); /* conformant array of b->size bytes */

/* The types that are more than a number or a text. */
void ndr_security_descriptor(struct ndr *n, struct rpc_bytes *b);
void ndr_security_attributes(struct ndr *n, struct rpc_security_attributes **a);
void ndr_group_info(struct ndr *n, struct rpc_group_info **info);
void ndr_enum_list(struct ndr *n, struct rpc_enum_list *l);
void ndr_group_enum_list(struct ndr *n, struct rpc_group_enum_list *l);
void ndr_resource_enum_list(struct ndr *n, struct rpc_resource_enum_list *l);
void ndr_multi_sz(struct ndr *n, struct rpc_texts *t);
void ndr_string_array(struct ndr *n, struct rpc_texts *t);
void ndr_filter(struct ndr *n, struct rpc_filter *f);
void ndr_notifications(struct ndr *n, struct rpc_notifications *l);
void ndr_notifications_v2(struct ndr *n, struct rpc_notifications_v2 *l);
void ndr_version_info(struct ndr *n, struct rpc_version_info *v);

#endif
