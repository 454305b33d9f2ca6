/* SPDX-License-Identifier: MIT */
#include "change/change.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "clusapi_notify.h"

#define CLUSTER_CHANGE_NONE 0

#define KIND(symbol, json_name, object_, v1_, v2_type_, v2_flag_, target_, buffer_, id_, parent_,  \
             name_, type_)                                                                         \
    [CHANGE_##symbol] = {                                                                          \
        .json = json_name,                                                                         \
        .object = OBJECT_##object_,                                                                \
        .v1 = (uint32_t)CLUSTER_CHANGE_##v1_,                                                      \
        .v2_type = CLUSTER_OBJECT_TYPE_##v2_type_,                                                 \
        .v2_flag = CLUSTER_CHANGE_##v2_flag_##_V2,                                                 \
        .target = FIELD_##target_,                                                                 \
        .buffer = BUFFER_##buffer_,                                                                \
        .id = FIELD_##id_,                                                                         \
        .parent = FIELD_##parent_,                                                                 \
        .name = FIELD_##name_,                                                                     \
        .type = FIELD_##type_,                                                                     \
    },

static const struct change_kind_info kinds[CHANGE_KIND_COUNT] = {
#include "change/kinds.def"
};
#undef KIND

const struct change_kind_info *change_kind_info(enum change_kind kind)
{
    PRE(kind > CHANGE_NONE && kind < CHANGE_KIND_COUNT);
    return &kinds[kind];
}

enum change_kind change_kind_from_json(const char *json)
{
    for (unsigned i = CHANGE_NONE + 1; i < CHANGE_KIND_COUNT; i++) {
        if (strcmp(kinds[i].json, json) == 0)
            return i;
    }
    return CHANGE_NONE;
}

const char *change_field_text(const struct change *c, enum change_field field)
{
    const char *text = NULL;
    switch (field) {
    case FIELD_EMPTY:
        break;
    case FIELD_OBJECT:
        text = c->object_id;
        break;
    case FIELD_PARENT:
        text = c->parent_id;
        break;
    case FIELD_NODE:
        text = c->node_id;
        break;
    case FIELD_NAME:
        text = c->name;
        break;
    case FIELD_TYPE:
        text = c->type_name;
        break;
    }
    return text ? text : "";
}

static int append_text_list(struct buffer *out, const char *texts, size_t size)
{
    const size_t start = out->size;
    int r = 0;

    for (size_t at = 0; r == 0 && at < size; at += strlen(texts + at) + 1)
        r = utf16_append(out, texts + at, true);
    if (r == 0)
        r = buffer_append_u16(out, 0);
    if (r < 0)
        out->size = start;
    return r;
}

static int append_value(struct buffer *out, const struct change_value *v)
{
    switch (v->kind) {
    case VALUE_NUMBER:
        return buffer_append_u32(out, v->number);
    case VALUE_TEXT:
        return utf16_append_bytes(out, v->data, v->size, true);
    case VALUE_TEXT_LIST:
        return append_text_list(out, v->data, v->size);
    case VALUE_PROPERTIES:
    case VALUE_REGISTRY:
    case VALUE_BYTES:
        return buffer_append(out, v->data, v->size);
    case VALUE_NONE:
    case VALUE_KIND_COUNT:
        break;
    }
    return 0;
}

int change_v2_buffer(const struct change *c, struct buffer *out)
{
    switch (change_kind_info(c->kind)->buffer) {
    case BUFFER_NOTHING:
        return 0;
    case BUFFER_NEW:
        return append_value(out, &c->new_value);
    case BUFFER_OLD:
        return append_value(out, &c->old_value);
    case BUFFER_PARENT:
        return utf16_append(out, change_field_text(c, FIELD_PARENT), true);
    case BUFFER_NODE:
        return utf16_append(out, change_field_text(c, FIELD_NODE), true);
    }
    return 0;
}
