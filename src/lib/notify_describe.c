/* SPDX-License-Identifier: MIT */
#include "lib/notify_describe.h"

#include <errno.h>

#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "lib/control_translate.h"
#include "lib/wide.h"
#include "port/filter.h"

/* The struct and behind it its texts and values. They are gathered in a buffer first; until it has
 * its last address, pointers are kept as offsets. */

struct gather {
    struct buffer bytes;
    CLUSPORT_NOTIFICATION out;
    int error;
};

static size_t here(struct gather *g)
{
    buffer_align(&g->bytes, 8);
    return g->bytes.size;
}

static const void *as_offset(size_t offset)
{
    return (const void *)(uintptr_t)offset;
}

static const WCHAR *add_text(struct gather *g, const char *utf8)
{
    size_t offset = here(g);
    int r = wide_append(&g->bytes, utf8 ? utf8 : "", true);
    if (r < 0)
        g->error = r;
    return as_offset(offset);
}

/* UTF-8 texts, each with its NUL, to a MULTI_SZ. */
static int append_list(struct buffer *out, const char *texts, size_t size)
{
    for (size_t at = 0; at < size; at += strlen(texts + at) + 1) {
        int r = wide_append(out, texts + at, true);
        if (r < 0)
            return r;
    }
    return wide_append(out, "", true);
}

static int append_plain(struct buffer *out, const char *text, size_t size)
{
    _cleanup_free_
    char *copy = strndup(text, size);
    return copy ? wide_append(out, copy, true) : -ENOMEM;
}

static int append_value(struct buffer *out, const struct change_value *v)
{
    const void *data = v->size ? v->data : "";
    switch (v->kind) {
    case VALUE_TEXT:
        return append_plain(out, data, v->size);
    case VALUE_TEXT_LIST:
        return append_list(out, data, v->size);
    case VALUE_PROPERTIES:
        return v->size ? translate_from_wire(SHAPE_PROPERTIES, data, v->size, out) : 0;
    case VALUE_REGISTRY:
        return v->size ? translate_from_wire(registry_shape(v->number), data, v->size, out) : 0;
    default:
        return buffer_append(out, data, v->size);
    }
}

static CLUSPORT_VALUE add_value(struct gather *g, const struct change_value *v)
{
    size_t offset = here(g);
    int r = append_value(&g->bytes, v);
    if (r < 0)
        g->error = r;
    CLUSPORT_VALUE value = {.dwKind = v->kind, .dwNumber = v->number};
    value.cbData = (DWORD)(g->bytes.size - offset);
    value.pData = as_offset(offset);
    return value;
}

static bool is_state(const struct change *c)
{
    const char *name = change_kind_info(c->kind)->json;
    const char *dot = strchr(name, '.');
    return c->initial || (dot && strcmp(dot, ".state") == 0);
}

static DWORD state_of(const struct change *c, const struct change_value *v)
{
    return c->kind != CHANGE_NONE && is_state(c) && v->kind == VALUE_NUMBER ? v->number : (DWORD)-1;
}

static const char *kind_name(const struct port_notification *n)
{
    if (n->change.kind != CHANGE_NONE)
        return change_kind_info(n->change.kind)->json;
    if (n->lost_first)
        return "port.lost";
    switch (n->v1_flag) {
    case V1_CLUSTER_RECONNECT:
        return "port.reconnect";
    case V1_CLUSTER_STATE:
        return "port.cluster-lost";
    default:
        return "port.handle-close";
    }
}

static void describe_numbers(const struct port_notification *n, CLUSPORT_NOTIFICATION *out)
{
    const struct change *c = &n->change;
    out->cbSize = sizeof(*out);
    out->dwFlag = n->v1_flag;
    out->dwObjectType = n->v2_type;
    out->llFlag = n->v2_flag;
    out->dwKey = (DWORD_PTR)n->key;
    out->pszKind = kind_name(n);
    out->pszObject =
        c->kind == CHANGE_NONE ? "" : object_type_name(change_kind_info(c->kind)->object);
    out->ullRevision = c->revision;
    out->ullTransaction = c->transaction;
    out->fLast = c->last;
    out->fInitial = c->initial;
    out->llTime = c->time_ns;
    out->dwOldState = state_of(c, &c->old_value);
    out->dwNewState = state_of(c, &c->new_value);
    out->dwActorUid = c->actor.uid;
    out->dwActorPid = c->actor.pid;
    out->pszReason = c->kind == CHANGE_NONE ? "" : change_reason_name(c->actor.reason);
    if (n->lost_first) {
        out->ullLostFirst = n->lost_first;
        out->ullLostLast = n->lost_last;
        out->ullLostCount = n->lost_last - n->lost_first + 1;
    }
}

static void describe_texts(struct gather *g, const struct change *c)
{
    CLUSPORT_NOTIFICATION *out = &g->out;
    out->pszObjectId = add_text(g, c->object_id);
    out->pszParentId = add_text(g, c->parent_id);
    out->pszNodeId = add_text(g, c->node_id);
    out->pszName = add_text(g, c->name);
    out->pszTypeName = add_text(g, c->type_name);
    out->pszActorNode = add_text(g, c->actor.node);
    out->pszActorProgram = add_text(g, c->actor.program);
    out->OldValue = add_value(g, &c->old_value);
    out->NewValue = add_value(g, &c->new_value);
}

static void settle_text(const WCHAR **text, const char *base)
{
    *text = (const WCHAR *)(const void *)(base + (uintptr_t)*text);
}

static void settle_value(CLUSPORT_VALUE *v, const char *base)
{
    v->pData = v->cbData ? base + (uintptr_t)v->pData : NULL;
}

static void settle(CLUSPORT_NOTIFICATION *n)
{
    const char *base = (const char *)(n + 1);
    settle_text(&n->pszObjectId, base);
    settle_text(&n->pszParentId, base);
    settle_text(&n->pszNodeId, base);
    settle_text(&n->pszName, base);
    settle_text(&n->pszTypeName, base);
    settle_text(&n->pszActorNode, base);
    settle_text(&n->pszActorProgram, base);
    settle_value(&n->OldValue, base);
    settle_value(&n->NewValue, base);
}

int notify_describe(const struct port_notification *n, CLUSPORT_NOTIFICATION **ret)
{
    struct gather g = {0};

    describe_numbers(n, &g.out);
    describe_texts(&g, &n->change);
    CLUSPORT_NOTIFICATION *out = NULL;
    if (g.error == 0 && !buffer_failed(&g.bytes))
        out = malloc(sizeof(*out) + g.bytes.size);
    if (out) {
        *out = g.out;
        memcpy(out + 1, g.bytes.data, g.bytes.size);
        settle(out);
        *ret = out;
    }
    buffer_fini(&g.bytes);
    return out ? 0 : g.error < 0 ? g.error : -ENOMEM;
}
