/* SPDX-License-Identifier: MIT */
#ifndef PORT_FILTER_H
#define PORT_FILTER_H

#include "port/port.h"

/* The flags that the client side makes; no change carries them. */
#define V1_REGISTRY_SUBTREE 0x00000080u
#define V1_CLUSTER_RECONNECT 0x00080000u
#define V1_CLUSTER_STATE 0x20000000u
#define V1_HANDLE_CLOSE 0x80000000u

#define V2_CLUSTER_RECONNECT 0x1
#define V2_CLUSTER_STATE 0x2
#define V2_CLUSTER_LOST_NOTIFICATIONS 0x200
#define V2_REGISTRY_SUBTREE 0x4

int64_t filter_v2_handle_close(uint32_t v2_type); /* the flag, 0: the type has none */

/* 0, -EINVAL, -EBADF: port_add_v1() and port_add_v2(). They set kinds, flags and subtree. */
int filter_set_v1(struct port_filter *f, uint32_t flags, enum object_type handle_type,
                  bool targeted);
int filter_set_v2(struct port_filter *f, uint32_t type, int64_t flags, enum object_type handle_type,
                  bool targeted);

bool filter_matches(const struct port_filter *f, enum port_version version, const struct change *c);
bool filter_matches_initial(const struct port_filter *f, const struct change *c);
bool filter_asks_for(const struct port_filter *f, enum port_version version, unsigned due);
bool filter_asks_for_lost(const struct port_filter *f, enum port_version version);

static inline bool filter_has_kind(const uint64_t *kinds, unsigned kind)
{
    return kinds[kind / 64] >> kind % 64 & 1;
}

static inline void filter_add_kind(uint64_t *kinds, unsigned kind)
{
    kinds[kind / 64] |= 1ull << kind % 64;
}

#endif
