/* SPDX-License-Identifier: MIT */
#include "service/descriptor.h"

#include <errno.h>

#include "base/macro.h"

#define HEAD_SIZE 20
#define SID_HEAD_SIZE 8
#define SID_MOST_PARTS 15
#define ACL_HEAD_SIZE 8
#define CONTROL_DACL_PRESENT 0x0004
#define CONTROL_SACL_PRESENT 0x0010
#define CONTROL_SELF_RELATIVE 0x8000
#define CONTROL_OF_DACL 0x150cu /* present, defaulted, auto-inherit (required), protected */
#define CONTROL_OF_SACL 0x2a30u

/* Owner, group, SACL, DACL: the order of their offsets in the head. */
enum { OWNER, GROUP, SACL, DACL, PART_COUNT };
static const uint32_t part_bits[PART_COUNT] = {DESCRIPTOR_OWNER, DESCRIPTOR_GROUP, DESCRIPTOR_SACL,
                                               DESCRIPTOR_DACL};

struct parts {
    uint16_t control;
    struct {
        const uint8_t *data; /* NULL: not there */
        size_t size;
    } part[PART_COUNT];
};

#define SID_ADMINISTRATORS                                                                         \
    1, 2, 0, 0, 0, 0, 0, 5,                             /* S-1-5 */                                \
        0x20, 0, 0, 0,                                  /* 32 */                                   \
        0x20, 2, 0, 0                                   /* 544 */
#define SID_EVERYONE 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 /* S-1-1-0 */

const uint8_t descriptor_default[] = {
    1,
    0,
    0x04,
    0x80, /* self-relative, with a DACL */
    20,
    0,
    0,
    0,
    36,
    0,
    0,
    0, /* owner, group */
    0,
    0,
    0,
    0,
    52,
    0,
    0,
    0,                  /* no SACL, DACL */
    SID_ADMINISTRATORS, /* at 20 */
    SID_ADMINISTRATORS, /* at 36 */
    2,
    0,
    52,
    0,
    2,
    0,
    0,
    0, /* at 52: two entries */
    0,
    0,
    24,
    0,
    0x3f,
    0,
    0xf,
    0,
    SID_ADMINISTRATORS, /* KEY_ALL_ACCESS */
    0,
    0,
    20,
    0,
    0x19,
    0,
    2,
    0,
    SID_EVERYONE, /* KEY_READ */
};
const size_t descriptor_default_size = sizeof(descriptor_default);

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* 0: it does not fit into what is there. */
static size_t part_size(int which, const uint8_t *data, size_t left)
{
    size_t size;
    if (which == OWNER || which == GROUP) {
        if (left < SID_HEAD_SIZE || data[0] != 1 || data[1] > SID_MOST_PARTS)
            return 0;
        size = SID_HEAD_SIZE + 4u * data[1];
    } else {
        if (left < ACL_HEAD_SIZE)
            return 0;
        size = (size_t)data[2] | (size_t)data[3] << 8;
        if (size < ACL_HEAD_SIZE)
            return 0;
    }
    return size <= left ? size : 0;
}

static int split(const uint8_t *data, size_t size, struct parts *ret)
{
    if (!data || size < HEAD_SIZE || data[0] != 1)
        return -EBADMSG;
    struct parts p = {.control = (uint16_t)(data[2] | data[3] << 8)};
    if (!(p.control & CONTROL_SELF_RELATIVE))
        return -EBADMSG;
    for (int i = 0; i < PART_COUNT; i++) {
        uint32_t at = u32_at(data + 4 + 4 * i);
        if (at == 0)
            continue;
        if (at < HEAD_SIZE || at >= size)
            return -EBADMSG;
        p.part[i].data = data + at;
        p.part[i].size = part_size(i, data + at, size - at);
        if (p.part[i].size == 0)
            return -EBADMSG;
    }
    *ret = p;
    return 0;
}

bool descriptor_is_valid(const void *data, size_t size)
{
    struct parts ignored;
    return split(data, size, &ignored) == 0;
}

static int join(const struct parts *p, struct buffer *out)
{
    size_t start = out->size;
    uint16_t control = p->control | CONTROL_SELF_RELATIVE;
    buffer_append(out, (const uint8_t[]){1, 0}, 2);
    buffer_append_u16(out, control);
    buffer_append_zero(out, 4 * PART_COUNT);
    for (int i = 0; i < PART_COUNT; i++) {
        if (!p->part[i].data)
            continue;
        size_t at = out->size - start;
        buffer_append(out, p->part[i].data, p->part[i].size);
        buffer_append_zero(out, ALIGN_UP(p->part[i].size, (size_t)4) - p->part[i].size);
        if (!buffer_failed(out))
            buffer_put_u32(out, start + 4 + 4 * (size_t)i, (uint32_t)at);
    }
    return buffer_failed(out) ? -ENOMEM : 0;
}

static uint16_t control_of(uint32_t parts)
{
    return (uint16_t)((parts & DESCRIPTOR_DACL ? CONTROL_OF_DACL : 0) |
                      (parts & DESCRIPTOR_SACL ? CONTROL_OF_SACL : 0));
}

int descriptor_choose(const void *data, size_t size, uint32_t parts, struct buffer *out)
{
    struct parts p = {0};
    if (split(data, size, &p) < 0)
        return -EBADMSG;
    for (int i = 0; i < PART_COUNT; i++)
        if (!(parts & part_bits[i]))
            p.part[i].data = NULL;
    p.control &= control_of(parts);
    return join(&p, out);
}

int descriptor_merge(const void *old_data, size_t old_size, const void *new_data, size_t new_size,
                     uint32_t parts, struct buffer *out)
{
    struct parts p = {0}, other = {0};
    if (split(old_data, old_size, &p) < 0 || split(new_data, new_size, &other) < 0)
        return -EBADMSG;
    for (int i = 0; i < PART_COUNT; i++)
        if (parts & part_bits[i])
            p.part[i] = other.part[i];
    p.control = (uint16_t)((p.control & ~control_of(parts)) | (other.control & control_of(parts)));
    return join(&p, out);
}
