/* SPDX-License-Identifier: MIT */
#include "event.h"

#include "bench.h"
#include "change/change.h"

void event_encode(uint64_t revision, struct buffer *out)
{
    struct change c = {
        .revision = revision,
        .transaction = revision,
        .time_ns = 1700000000000000000,
        .kind = CHANGE_RESOURCE_STATE,
        .last = true,
        .object_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        .parent_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        .node_id = "1",
        .name = "Cluster Disk 12",
        .type_name = "Physical Disk",
        .old_value = {.kind = VALUE_NUMBER, .number = 129},
        .new_value = {.kind = VALUE_NUMBER, .number = 2},
        .actor = {.node = "node1", .program = "clusportd", .reason = REASON_REQUEST},
    };
    if (change_encode(&c, out) < 0)
        fail("no memory");
}
