/* SPDX-License-Identifier: MIT */
#include "model/model.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/text.h"

#define CODEC_VERSION 1

static void put_text(struct buffer *out, const char *s)
{
    size_t size = s ? strlen(s) : 0;
    buffer_append_u32(out, (uint32_t)size);
    buffer_append(out, s ? s : "", size + 1);
}

/* With its NUL behind it, so that decoding can borrow. NULL when it is malformed. */
static const char *get_text(struct reader *r)
{
    uint32_t size = reader_u32(r);
    if (size >= reader_left(r)) {
        r->failed = true;
        return "";
    }
    const char *s = (const char *)reader_bytes(r, (size_t)size + 1);
    if (!s || memchr(s, 0, (size_t)size + 1) != s + size || !text_is_utf8(s, size)) {
        r->failed = true;
        return "";
    }
    return s;
}

/* What could not be read back must not be taken: nobody would ever be answered. */
static bool texts_are_valid(const struct model_input *in)
{
    const char *const texts[] = {in->actor.node, in->actor.program, in->object_id, in->parent_id,
                                 in->new_id,     in->name,          in->type_name};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (texts[i] && !text_is_utf8(texts[i], strlen(texts[i])))
            return false;
    return true;
}

int model_input_encode(const struct model_input *in, struct buffer *out)
{
    if (!texts_are_valid(in))
        return -EILSEQ;
    size_t start = out->size;
    buffer_append_u32(out, CODEC_VERSION);
    buffer_append_u32(out, (uint32_t)in->kind);
    buffer_append_u64(out, (uint64_t)in->time_ns);
    buffer_append_u64(out, in->token);
    buffer_append_u64(out, in->operation);
    buffer_append_u32(out, (uint32_t)in->object_type);
    buffer_append_u32(out, in->number);
    buffer_append_u32(out, in->actor.uid);
    buffer_append_u32(out, in->actor.pid);
    buffer_append_u32(out, (uint32_t)in->actor.reason);
    put_text(out, in->actor.node);
    put_text(out, in->actor.program);
    put_text(out, in->object_id);
    put_text(out, in->parent_id);
    put_text(out, in->new_id);
    put_text(out, in->name);
    put_text(out, in->type_name);
    buffer_append_u64(out, in->size);
    if (in->size > 0)
        buffer_append(out, in->data, in->size);
    if (!buffer_failed(out))
        return 0;
    out->size = start;
    return -ENOMEM;
}

int model_input_decode(const void *data, size_t size, struct model_input *ret)
{
    struct reader r = reader_over(data, size);
    struct model_input in = {0};
    if (reader_u32(&r) != CODEC_VERSION)
        return -EBADMSG;
    uint32_t kind = reader_u32(&r);
    in.time_ns = (int64_t)reader_u64(&r);
    in.token = reader_u64(&r);
    in.operation = reader_u64(&r);
    uint32_t type = reader_u32(&r);
    in.number = reader_u32(&r);
    in.actor.uid = reader_u32(&r);
    in.actor.pid = reader_u32(&r);
    uint32_t reason = reader_u32(&r);
    in.actor.node = get_text(&r);
    in.actor.program = get_text(&r);
    in.object_id = get_text(&r);
    in.parent_id = get_text(&r);
    in.new_id = get_text(&r);
    in.name = get_text(&r);
    in.type_name = get_text(&r);
    uint64_t data_size = reader_u64(&r);
    if (r.failed || data_size != reader_left(&r))
        return -EBADMSG;
    if (kind == INPUT_NONE || kind >= INPUT_KIND_COUNT || type > OBJECT_QUORUM ||
        reason >= REASON_COUNT || in.time_ns < 0)
        return -EBADMSG;
    in.kind = (enum input_kind)kind;
    in.object_type = (enum object_type)type;
    in.actor.reason = (enum change_reason)reason;
    in.size = (size_t)data_size;
    in.data = data_size > 0 ? reader_bytes(&r, in.size) : NULL;
    *ret = in;
    return 0;
}
