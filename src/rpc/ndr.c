/* SPDX-License-Identifier: MIT */
#include "rpc/ndr.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/text.h"
#include "rpc/ndr_internal.h"

#define FIRST_REFERENT 0x00020000

void ndr_fail(struct ndr *n, int error)
{
    if (n->error == 0)
        n->error = error;
}

void ndr_align(struct ndr *n, size_t alignment)
{
    if (ndr_writing(n))
        buffer_align(n->out, alignment);
    else
        reader_align(&n->in, alignment);
}

void ndr_u16(struct ndr *n, uint16_t *v)
{
    ndr_align(n, 2);
    if (ndr_writing(n))
        buffer_append_u16(n->out, *v);
    else
        *v = reader_u16(&n->in);
}

void ndr_u32(struct ndr *n, uint32_t *v)
{
    ndr_align(n, 4);
    if (ndr_writing(n))
        buffer_append_u32(n->out, *v);
    else
        *v = reader_u32(&n->in);
}

void ndr_u64(struct ndr *n, uint64_t *v, size_t alignment)
{
    ndr_align(n, alignment);
    if (ndr_writing(n))
        buffer_append_u64(n->out, *v);
    else
        *v = reader_u64(&n->in);
}

void ndr_expect(struct ndr *n, uint32_t v)
{
    uint32_t there = v;

    ndr_u32(n, &there);
    if (there != v)
        ndr_fail(n, -EBADMSG);
}

void *ndr_alloc(struct ndr *n, uint32_t count, size_t size, size_t wire)
{
    void *p;

    if (n->error != 0)
        return NULL;
    if (count > reader_left(&n->in) / wire) {
        ndr_fail(n, -EBADMSG);
        return NULL;
    }
    p = rpc_arena_alloc(n->arena, count * size);
    if (!p)
        ndr_fail(n, -ENOMEM);
    return p;
}

void ndr_raw(struct ndr *n, void **data, uint32_t size)
{
    const uint8_t *bytes;

    if (ndr_writing(n)) {
        buffer_append(n->out, *data, size);
        return;
    }
    *data = ndr_alloc(n, size, 1, 1);
    bytes = *data ? reader_bytes(&n->in, size) : NULL;
    if (bytes)
        memcpy(*data, bytes, size);
}

bool ndr_pointer(struct ndr *n, bool present)
{
    uint32_t referent = 0;

    if (ndr_writing(n) && present) {
        referent = n->referent;
        n->referent += 4;
    }
    ndr_u32(n, &referent);
    return referent != 0;
}

void ndr_pointer_field(struct ndr *n, void **p)
{
    static char mark[1];

    if (!ndr_pointer(n, *p))
        *p = NULL;
    else if (!ndr_writing(n))
        *p = mark;
}

static void write_string(struct ndr *n, const char *s)
{
    size_t units, start;

    if (!s) {
        ndr_fail(n, -EINVAL);
        return;
    }
    units = utf16_length(s) + 1;
    if (units > RPC_MOST_STRING_UNITS) {
        ndr_fail(n, -EINVAL);
        return;
    }
    ndr_expect(n, (uint32_t)units);
    ndr_expect(n, 0);
    ndr_expect(n, (uint32_t)units);
    start = n->out->size;
    if (utf16_append(n->out, s, true) == -EILSEQ || (n->out->size - start) / 2 != units)
        ndr_fail(n, -EINVAL);
}

/* Text of `units` code units, the last of them the only NUL. */
static char *read_text(struct ndr *n, const uint8_t *utf16, size_t units)
{
    _cleanup_free_
    char *utf8 = NULL;
    char *s;
    int r;

    if (units == 0 || utf16[2 * units - 2] != 0 || utf16[2 * units - 1] != 0) {
        ndr_fail(n, -EBADMSG);
        return NULL;
    }
    r = utf16_to_utf8(utf16, units, &utf8);
    if (r == 0 && utf16_length(utf8) != units - 1)
        r = -EBADMSG;
    if (r < 0) {
        ndr_fail(n, r == -ENOMEM ? r : -EBADMSG);
        return NULL;
    }
    s = rpc_arena_text(n->arena, utf8);
    if (!s)
        ndr_fail(n, -ENOMEM);
    return s;
}

void ndr_string(struct ndr *n, char **s)
{
    uint32_t most = 0, units = 0;
    const uint8_t *utf16;

    if (ndr_writing(n)) {
        write_string(n, *s);
        return;
    }
    *s = NULL;
    ndr_u32(n, &most);
    ndr_expect(n, 0);
    ndr_u32(n, &units);
    if (units > most || units > RPC_MOST_STRING_UNITS)
        ndr_fail(n, -EBADMSG);
    if (n->error != 0)
        return;
    utf16 = reader_bytes(&n->in, (size_t)units * 2);
    if (utf16)
        *s = read_text(n, utf16, units);
}

void ndr_bytes(struct ndr *n, struct rpc_bytes *b)
{
    ndr_expect(n, b->size);
    if (n->error == 0)
        ndr_raw(n, &b->data, b->size);
}

static void text(struct ndr *n, bool pointer, char **s)
{
    if (!pointer || ndr_pointer(n, *s))
        ndr_string(n, s);
    else
        *s = NULL;
}

/* An array with its size behind it. */
static void bytes_then_size(struct ndr *n, bool pointer, struct rpc_bytes *b)
{
    bool present = !pointer || ndr_pointer(n, b->data);

    if (ndr_writing(n) && !b->data && b->size > 0)
        ndr_fail(n, -EINVAL);
    if (!ndr_writing(n))
        *b = (struct rpc_bytes){0};
    if (present) {
        ndr_u32(n, &b->size);
        if (n->error == 0)
            ndr_raw(n, &b->data, b->size);
    }
    ndr_expect(n, b->size);
}

static void counted_bytes(struct ndr *n, bool pointer, struct rpc_bytes *b)
{
    if (ndr_writing(n) && !b->data && b->size > 0)
        ndr_fail(n, -EINVAL);
    ndr_u32(n, &b->size);
    if (!pointer || ndr_pointer(n, b->data)) {
        ndr_bytes(n, b);
    } else {
        b->data = NULL;
        if (b->size > 0)
            ndr_fail(n, -EBADMSG);
    }
}

/* What the caller has room for is its word; what it gets is held to that. */
static void check_returned(struct ndr *n, const struct rpc_bytes *b)
{
    if (b->size > b->capacity || (ndr_writing(n) && b->size > 0 && !b->data))
        ndr_fail(n, ndr_writing(n) ? -EINVAL : -EBADMSG);
}

static void buffer_out(struct ndr *n, struct rpc_bytes *b)
{
    uint32_t most = b->capacity;

    ndr_u32(n, &most);
    ndr_expect(n, 0);
    ndr_u32(n, &b->size);
    check_returned(n, b);
    if (n->error == 0)
        ndr_raw(n, &b->data, b->size);
    ndr_expect(n, b->size);
}

static void full_buffer_out(struct ndr *n, struct rpc_bytes *b)
{
    check_returned(n, b);
    ndr_expect(n, b->capacity);
    if (n->error != 0)
        return;
    if (ndr_writing(n)) {
        buffer_append(n->out, b->data, b->size);
        buffer_append_zero(n->out, b->capacity - b->size);
    } else {
        b->size = b->capacity;
        ndr_raw(n, &b->data, b->size);
    }
}

static void resized_buffer_out(struct ndr *n, struct rpc_bytes *b)
{
    ndr_u32(n, &b->size);
    check_returned(n, b);
    if (n->error == 0)
        ndr_raw(n, &b->data, b->size);
    ndr_expect(n, b->size);
}

static void buffer_in(struct ndr *n, struct rpc_bytes *b, bool travels_whole)
{
    if (!ndr_writing(n))
        *b = (struct rpc_bytes){0};
    ndr_u32(n, &b->capacity);
    if (travels_whole && b->capacity > RPC_MOST_BYTES)
        ndr_fail(n, ndr_writing(n) ? -EINVAL : -EBADMSG);
}

static void context(struct ndr *n, struct rpc_context *c)
{
    const uint8_t *wire;

    ndr_align(n, 4);
    if (ndr_writing(n)) {
        buffer_append(n->out, c->wire, sizeof(c->wire));
        return;
    }
    wire = reader_bytes(&n->in, sizeof(c->wire));
    if (wire)
        memcpy(c->wire, wire, sizeof(c->wire));
}

static void boolean(struct ndr *n, uint32_t *v)
{
    /* Some clients' IDL has a one-byte flag where Microsoft's has a BOOL; at the end of a request
     * the two can be told apart. */
    if (!ndr_writing(n) && reader_left(&n->in) > 0 && reader_left(&n->in) < 4) {
        *v = reader_u8(&n->in);
        return;
    }
    ndr_u32(n, v);
}

static void parameter(struct ndr *n, unsigned type, bool out, void *field)
{
    switch ((enum rpc_type)type) {
    case RPC_CONTEXT_CLUSTER:
    case RPC_CONTEXT_NODE:
    case RPC_CONTEXT_GROUP:
    case RPC_CONTEXT_RESOURCE:
    case RPC_CONTEXT_KEY:
    case RPC_CONTEXT_NETWORK:
    case RPC_CONTEXT_NETINTERFACE:
    case RPC_CONTEXT_NOTIFY:
    case RPC_CONTEXT_BATCH_PORT:
    case RPC_CONTEXT_ANY:
        return context(n, field);
    case RPC_U16:
        return ndr_u16(n, field);
    case RPC_U32:
    case RPC_STATUS:
        return ndr_u32(n, field);
    case RPC_BOOL:
        return boolean(n, field);
    case RPC_I64:
        return ndr_u64(n, field, 8);
    case RPC_FILETIME:
        return ndr_u64(n, field, 4);
    case RPC_STRING:
        return text(n, out, field);
    case RPC_UNIQUE_STRING:
        return text(n, true, field);
    case RPC_BYTES:
        return bytes_then_size(n, false, field);
    case RPC_UNIQUE_BYTES:
        return bytes_then_size(n, true, field);
    case RPC_COUNTED_BYTES:
        return counted_bytes(n, out, field);
    case RPC_BUFFER:
        return out ? buffer_out(n, field) : buffer_in(n, field, false);
    case RPC_FULL_BUFFER:
        return out ? full_buffer_out(n, field) : buffer_in(n, field, true);
    case RPC_RESIZED_BUFFER:
        return out ? resized_buffer_out(n, field) : buffer_in(n, field, false);
    case RPC_SECURITY_DESCRIPTOR:
        return ndr_security_descriptor(n, field);
    case RPC_SECURITY_ATTRIBUTES:
        return ndr_security_attributes(n, field);
    case RPC_GROUP_INFO:
        return ndr_group_info(n, field);
    case RPC_ENUM_LIST:
        return ndr_enum_list(n, field);
    case RPC_GROUP_ENUM_LIST:
        return ndr_group_enum_list(n, field);
    case RPC_RESOURCE_ENUM_LIST:
        return ndr_resource_enum_list(n, field);
    case RPC_MULTI_SZ:
        return ndr_multi_sz(n, field);
    case RPC_STRING_ARRAY:
        return ndr_string_array(n, field);
    case RPC_FILTER:
        return ndr_filter(n, field);
    case RPC_NOTIFICATIONS:
        return ndr_notifications(n, field);
    case RPC_NOTIFICATIONS_V2:
        return ndr_notifications_v2(n, field);
    case RPC_VERSION_INFO:
        return ndr_version_info(n, field);
    case RPC_TYPE_NONE:
        break;
    }
    ndr_fail(n, -EINVAL);
}

static void walk(struct ndr *n, const struct rpc_op *op, enum rpc_direction direction, void *args)
{
    for (unsigned i = 0; i < op->param_count && n->error == 0; i++) {
        const struct rpc_param *p = &op->params[i];

        if (p->direction & direction)
            parameter(n, p->type, direction == RPC_OUT, (uint8_t *)args + p->offset);
        if (!ndr_writing(n) && n->in.failed)
            ndr_fail(n, -EBADMSG);
    }
}

int ndr_encode(const struct rpc_op *op, enum rpc_direction direction, const void *args,
               struct buffer *out)
{
    struct ndr n = {.out = out, .referent = FIRST_REFERENT};

    PRE(out->size == 0);
    walk(&n, op, direction, (void *)args);         /* writing changes nothing in args */
    return buffer_failed(out) ? -ENOMEM : n.error; /* other errors may come of it */
}

int ndr_decode(const struct rpc_op *op, enum rpc_direction direction, const void *data, size_t size,
               struct rpc_arena *arena, void *args)
{
    struct ndr n = {.in = reader_over(data, size), .arena = arena};

    walk(&n, op, direction, args);
    return n.error;
}

static uint32_t *status_field(const struct rpc_op *op, const void *args)
{
    for (unsigned i = 0; i < op->param_count; i++)
        if (op->params[i].type == RPC_STATUS)
            return (uint32_t *)((uint8_t *)args + op->params[i].offset);
    return NULL;
}

uint32_t rpc_op_status(const struct rpc_op *op, const void *args)
{
    const uint32_t *status = status_field(op, args);

    return status ? *status : 0;
}

void rpc_op_set_status(const struct rpc_op *op, void *args, uint32_t status)
{
    uint32_t *field = status_field(op, args);

    if (field)
        *field = status;
}
