/* SPDX-License-Identifier: MIT */
#include "lib/descriptor_size.h"

#include <stddef.h>

#include "base/macro.h"
#include "windows.h"

#define SE_SELF_RELATIVE 0x8000
#define MOST_BYTES (64u << 10)
#define MOST_SUB_AUTHORITIES 15

static uint32_t sid_size(const uint8_t *sid)
{
    return sid[0] == 1 && sid[1] <= MOST_SUB_AUTHORITIES ? 8u + 4u * sid[1] : 0;
}

static uint32_t acl_size(const uint8_t *acl)
{
    uint32_t size = (uint32_t)acl[2] | (uint32_t)acl[3] << 8;
    return size >= 8 ? size : 0;
}

/* Makes *end reach the end of the part at `offset`, if there is one. */
static bool include(const uint8_t *base, uint32_t offset, uint32_t (*part_size)(const uint8_t *),
                    uint32_t *end)
{
    if (offset == 0)
        return true;
    if (offset < sizeof(SECURITY_DESCRIPTOR_RELATIVE) || offset > MOST_BYTES)
        return false;
    uint32_t size = part_size(base + offset);
    *end = MAX(*end, offset + size);
    return size > 0 && *end <= MOST_BYTES;
}

bool descriptor_size(const void *descriptor, uint32_t *ret)
{
    SECURITY_DESCRIPTOR_RELATIVE head;
    uint32_t end = sizeof(head);
    memcpy(&head, descriptor, sizeof(head));
    if (head.Revision != 1 || !(head.Control & SE_SELF_RELATIVE))
        return false;
    if (!include(descriptor, head.Owner, sid_size, &end) ||
        !include(descriptor, head.Group, sid_size, &end) ||
        !include(descriptor, head.Sacl, acl_size, &end) ||
        !include(descriptor, head.Dacl, acl_size, &end))
        return false;
    *ret = end;
    return true;
}
