/* SPDX-License-Identifier: MIT */
#include "port/filter.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/text.h"

/* Which bits of version 1 go with which handle. */
static const struct {
    enum object_type type;
    uint32_t flags;
} v1_classes[] = {
    {OBJECT_NODE, 0x0000000fu},
    {OBJECT_REGISTRY, 0x000000f0u},
    {OBJECT_RESOURCE, 0x00000f00u},
    {OBJECT_GROUP, 0x0000f000u},
    {OBJECT_NETWORK, 0x00f00000u},
    {OBJECT_NETWORK_INTERFACE, 0x0f000000u},
    /* Resource types and the quorum have no handle of their own. */
    {OBJECT_CLUSTER, 0x700f0000u},
};

/* What version 2 defines for each type of object; the last ones never occur here. */
static const struct v2_class {
    uint32_t type;
    enum object_type handle;
    int64_t all;
    int64_t handle_close;
} v2_classes[] = {
    {OBJECT_CLUSTER, OBJECT_CLUSTER, 0x1fff, 0x8},
    {OBJECT_GROUP, OBJECT_GROUP, 0x3ff, 0x200},
    {OBJECT_RESOURCE, OBJECT_RESOURCE, 0x7ff, 0x200},
    {OBJECT_RESOURCE_TYPE, OBJECT_CLUSTER, 0x3f, 0},
    {OBJECT_NETWORK_INTERFACE, OBJECT_NETWORK_INTERFACE, 0x1f, 0x10},
    {OBJECT_NETWORK, OBJECT_NETWORK, 0x1f, 0x10},
    {OBJECT_NODE, OBJECT_NODE, 0xff, 0x80},
    {OBJECT_REGISTRY, OBJECT_REGISTRY, 0x1f, 0x10},
    {OBJECT_QUORUM, OBJECT_CLUSTER, 0x1, 0},
    {0xa /* SHARED_VOLUME */, OBJECT_CLUSTER, 0x7, 0},
    {0xb /* SPACEPORT */, OBJECT_CLUSTER, 0x1, 0},
    {0xc /* UPGRADE */, OBJECT_CLUSTER, 0x7, 0},
    {0xd /* GROUPSET */, OBJECT_NONE, 0x1ff, 0x100},
};

static const struct v2_class *find_v2_class(uint32_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(v2_classes); i++)
        if (v2_classes[i].type == type)
            return &v2_classes[i];
    return NULL;
}

int64_t filter_v2_handle_close(uint32_t v2_type)
{
    const struct v2_class *class = find_v2_class(v2_type);
    return class ? class->handle_close : 0;
}

int filter_set_v1(struct port_filter *f, uint32_t flags, enum object_type handle_type,
                  bool targeted)
{
    if (targeted && (flags & ~V1_HANDLE_CLOSE)) {
        enum object_type type = OBJECT_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(v1_classes); i++) {
            if (!(flags & v1_classes[i].flags))
                continue;
            if (type != OBJECT_NONE)
                return -EINVAL;
            type = v1_classes[i].type;
        }
        if (type != handle_type)
            return -EBADF;
    }
    f->v1_flags = flags;
    f->subtree = flags & V1_REGISTRY_SUBTREE;
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++)
        if (change_kind_info(kind)->v1 & flags)
            filter_add_kind(f->kinds, kind);
    return 0;
}

int filter_set_v2(struct port_filter *f, uint32_t type, int64_t flags, enum object_type handle_type,
                  bool targeted)
{
    const struct v2_class *class = find_v2_class(type);
    if (!class || (flags & ~class->all))
        return -EINVAL;
    if (targeted && class->handle != handle_type)
        return -EBADF;
    f->v2_type = type;
    f->v2_flags = flags;
    f->subtree = type == OBJECT_REGISTRY && (flags & V2_REGISTRY_SUBTREE);
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++) {
        const struct change_kind_info *info = change_kind_info(kind);
        if (info->v2_type == type && (info->v2_flag & flags))
            filter_add_kind(f->kinds, kind);
    }
    return 0;
}

/* Ids are nearly always spelled alike, and nearly always differ early. */
static bool same_id(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || text_equal(a, b);
}

static bool matches_key(const struct port_filter *f, const struct change *c)
{
    const char *path = f->object_id ? f->object_id : "";
    return f->subtree ? text_path_within(c->name, path) : same_id(c->name, path);
}

bool filter_matches(const struct port_filter *f, enum port_version version, const struct change *c)
{
    if (c->revision < f->from || c->revision >= f->until || !filter_has_kind(f->kinds, c->kind))
        return false;
    const struct change_kind_info *info = change_kind_info(c->kind);
    if (info->object == OBJECT_REGISTRY)
        return matches_key(f, c);
    if (!f->object_id)
        return true;
    switch (version) {
    case PORT_V1:
        if (info->object == OBJECT_CLUSTER || info->object == OBJECT_QUORUM ||
            info->object == OBJECT_RESOURCE_TYPE)
            return true;
        return same_id(c->object_id, f->object_id);
    case PORT_V2:
        return info->target == FIELD_EMPTY ||
               same_id(change_field_text(c, info->target), f->object_id);
    default:
        return same_id(c->object_id, f->object_id);
    }
}

bool filter_matches_initial(const struct port_filter *f, const struct change *c)
{
    enum object_type type = change_kind_info(c->kind)->object;
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++) {
        if (!filter_has_kind(f->kinds, kind) || change_kind_info(kind)->object != type)
            continue;
        if (type == OBJECT_REGISTRY)
            return matches_key(f, c);
        return !f->object_id || same_id(c->object_id, f->object_id);
    }
    return false;
}

bool filter_asks_for(const struct port_filter *f, enum port_version version, unsigned due)
{
    bool of_cluster = version == PORT_V2 && f->v2_type == OBJECT_CLUSTER;

    switch (due) {
    case PORT_DUE_STATE:
        return f->v1_flags & V1_CLUSTER_STATE || (of_cluster && f->v2_flags & V2_CLUSTER_STATE);
    case PORT_DUE_RECONNECT:
        return f->v1_flags & V1_CLUSTER_RECONNECT ||
               (of_cluster && f->v2_flags & V2_CLUSTER_RECONNECT);
    default:
        return f->v1_flags & V1_HANDLE_CLOSE ||
               (version == PORT_V2 && f->v2_flags & filter_v2_handle_close(f->v2_type));
    }
}

bool filter_asks_for_lost(const struct port_filter *f, enum port_version version)
{
    if (version == PORT_V1)
        return f->v1_flags & V1_CLUSTER_RECONNECT;
    return version == PORT_V2 && f->v2_type == OBJECT_CLUSTER &&
           f->v2_flags & V2_CLUSTER_LOST_NOTIFICATIONS;
}
