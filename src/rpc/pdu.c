/* SPDX-License-Identifier: MIT */
#include "rpc/pdu.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"

/* 8a885d04-1ceb-11c9-9fe8-08002b104860, version 2 */
static const uint8_t ndr32_uuid[16] = {0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11,
                                       0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60};
/* 6cb71c2c-9812-4540-: bind time feature negotiation; the feature bits follow. */
static const uint8_t features_prefix[8] = {0x2c, 0x1c, 0xb7, 0x6c, 0x12, 0x98, 0x40, 0x45};

static const uint8_t little_endian[4] = {0x10, 0, 0, 0};

int pdu_header_decode(const uint8_t data[PDU_HEADER_SIZE], struct pdu_header *ret)
{
    struct reader r = reader_over(data, PDU_HEADER_SIZE);
    struct pdu_header h = {0};
    bool ours = memcmp(data + 4, little_endian, sizeof(little_endian)) == 0;

    if (reader_u8(&r) != 5 || reader_u8(&r) > 1)
        return -EBADMSG;
    h.type = reader_u8(&r);
    h.flags = reader_u8(&r);
    reader_bytes(&r, 4);
    h.fragment_size = reader_u16(&r);
    h.auth_size = reader_u16(&r);
    h.call_id = reader_u32(&r);
    if (!ours && (data[4] & 0xf0) == 0) { /* big-endian: only so far as to refuse it */
        h.fragment_size = __builtin_bswap16(h.fragment_size);
        h.auth_size = __builtin_bswap16(h.auth_size);
        h.call_id = __builtin_bswap32(h.call_id);
    }
    if (h.fragment_size < PDU_HEADER_SIZE || h.auth_size > h.fragment_size - PDU_HEADER_SIZE)
        return -EBADMSG;
    *ret = h;
    return ours ? 0 : -EPROTO;
}

/* The header, with a size to be filled in by finish(). */
static size_t begin(struct buffer *out, uint8_t type, uint8_t flags, uint32_t call_id)
{
    const uint8_t head[8] = {5, 0, type, flags, little_endian[0]};
    size_t start = out->size;

    buffer_append(out, head, sizeof(head));
    buffer_append_u32(out, 0);
    buffer_append_u32(out, call_id);
    return start;
}

static void finish(struct buffer *out, size_t start)
{
    if (!buffer_failed(out))
        buffer_put_u32(out, start + 8, (uint32_t)(out->size - start)); /* the auth size is 0 */
}

static struct reader body(const void *fragment, const struct pdu_header *h)
{
    struct reader r = reader_over(fragment, h->fragment_size);

    reader_bytes(&r, PDU_HEADER_SIZE);
    return r;
}

static enum pdu_transfer transfer_decode(struct reader *r)
{
    const uint8_t *uuid = reader_bytes(r, 16);
    uint32_t version = reader_u32(r);

    if (!uuid)
        return PDU_TRANSFER_OTHER;
    if (memcmp(uuid, ndr32_uuid, 16) == 0 && version == 2)
        return PDU_TRANSFER_NDR32;
    if (memcmp(uuid, features_prefix, sizeof(features_prefix)) == 0 && version == 1)
        return PDU_TRANSFER_FEATURES;
    return PDU_TRANSFER_OTHER;
}

static void context_decode(struct reader *r, struct pdu_context *c)
{
    const uint8_t *uuid;
    unsigned transfers;

    c->id = reader_u16(r);
    transfers = reader_u8(r);
    reader_u8(r);
    uuid = reader_bytes(r, 16);
    if (uuid)
        memcpy(c->uuid, uuid, 16);
    c->major = reader_u16(r);
    c->minor = reader_u16(r);
    c->transfer = PDU_TRANSFER_OTHER;
    for (unsigned i = 0; i < transfers; i++) {
        enum pdu_transfer t = transfer_decode(r);

        if (t == PDU_TRANSFER_NDR32 || c->transfer == PDU_TRANSFER_OTHER)
            c->transfer = t;
    }
}

int pdu_bind_decode(const void *fragment, const struct pdu_header *h, struct pdu_bind *ret)
{
    struct reader r = body(fragment, h);
    struct pdu_bind bind = {0};

    bind.most_sent = reader_u16(&r);
    bind.most_received = reader_u16(&r);
    bind.group = reader_u32(&r);
    bind.count = reader_u8(&r);
    reader_bytes(&r, 3);
    if (r.failed || bind.count == 0 || bind.count > PDU_MOST_CONTEXTS)
        return -EBADMSG;
    for (unsigned i = 0; i < bind.count; i++)
        context_decode(&r, &bind.contexts[i]);
    if (r.failed)
        return -EBADMSG;
    *ret = bind;
    return 0;
}

void pdu_bind_encode(struct buffer *out, uint32_t call_id, const struct pdu_bind *bind)
{
    size_t start = begin(out, PDU_BIND, PDU_FIRST | PDU_LAST, call_id);

    buffer_append_u16(out, bind->most_sent);
    buffer_append_u16(out, bind->most_received);
    buffer_append_u32(out, bind->group);
    buffer_append_u32(out, bind->count);
    for (unsigned i = 0; i < bind->count; i++) {
        const struct pdu_context *c = &bind->contexts[i];

        buffer_append_u16(out, c->id);
        buffer_append_u16(out, 1);
        buffer_append(out, c->uuid, 16);
        buffer_append_u16(out, c->major);
        buffer_append_u16(out, c->minor);
        buffer_append(out, ndr32_uuid, 16);
        buffer_append_u32(out, 2);
    }
    finish(out, start);
}

int pdu_bind_ack_decode(const void *fragment, const struct pdu_header *h, struct pdu_bind_ack *ret)
{
    struct reader r = body(fragment, h);
    struct pdu_bind_ack ack = {0};

    ack.most_sent = reader_u16(&r);
    ack.most_received = reader_u16(&r);
    ack.group = reader_u32(&r);
    reader_bytes(&r, reader_u16(&r)); /* the secondary address */
    reader_align(&r, 4);
    ack.count = reader_u8(&r);
    reader_bytes(&r, 3);
    if (r.failed || ack.count > PDU_MOST_CONTEXTS)
        return -EBADMSG;
    for (unsigned i = 0; i < ack.count; i++) {
        ack.results[i].result = reader_u16(&r);
        ack.results[i].reason = reader_u16(&r);
        reader_bytes(&r, 20);
    }
    if (r.failed)
        return -EBADMSG;
    *ret = ack;
    return 0;
}

void pdu_bind_ack_encode(struct buffer *out, enum pdu_type type, uint32_t call_id,
                         const struct pdu_bind_ack *ack)
{
    size_t start = begin(out, type, PDU_FIRST | PDU_LAST | PDU_MULTIPLEX, call_id);

    buffer_append_u16(out, ack->most_sent);
    buffer_append_u16(out, ack->most_received);
    buffer_append_u32(out, ack->group);
    buffer_append_u32(out, 0); /* no secondary address, and padding */
    buffer_append_u32(out, ack->count);
    for (unsigned i = 0; i < ack->count; i++) {
        bool accepted = ack->results[i].result == PDU_ACCEPTED;

        buffer_append_u16(out, ack->results[i].result);
        buffer_append_u16(out, ack->results[i].reason);
        if (accepted)
            buffer_append(out, ndr32_uuid, 16);
        else
            buffer_append_zero(out, 16);
        buffer_append_u32(out, accepted ? 2 : 0);
    }
    finish(out, start);
}

void pdu_bind_nak_encode(struct buffer *out, uint32_t call_id, uint16_t reason)
{
    static const uint8_t versions[] = {1, 5, 0}; /* one: 5.0 */
    size_t start = begin(out, PDU_BIND_NAK, PDU_FIRST | PDU_LAST, call_id);

    buffer_append_u16(out, reason);
    buffer_append(out, versions, sizeof(versions));
    finish(out, start);
}

int pdu_stub_decode(const void *fragment, const struct pdu_header *h, struct pdu_stub *ret)
{
    struct reader r = body(fragment, h);
    struct pdu_stub s = {0};

    s.hint = reader_u32(&r);
    s.context_id = reader_u16(&r);
    s.opnum = reader_u16(&r); /* of a response: the cancel count */
    if (h->type == PDU_FAULT)
        s.status = reader_u32(&r);
    if (h->type == PDU_REQUEST && (h->flags & PDU_OBJECT))
        reader_bytes(&r, 16);
    if (r.failed || h->auth_size > 0)
        return -EBADMSG;
    s.size = reader_left(&r);
    s.data = reader_bytes(&r, s.size);
    *ret = s;
    return 0;
}

static int stub_encode(struct buffer *out, enum pdu_type type, uint16_t most, uint32_t call_id,
                       uint16_t context_id, uint16_t opnum, const void *stub, size_t size)
{
    size_t chunk_most = (most - PDU_RESPONSE_HEADER_SIZE) & ~(size_t)7;
    size_t fragments = size / chunk_most + 1, sent = 0;
    const uint8_t *data = size > 0 ? stub : (const uint8_t *)"";

    buffer_reserve(out, size + fragments * PDU_RESPONSE_HEADER_SIZE);
    do {
        size_t chunk = MIN(chunk_most, size - sent), start;
        uint8_t flags = (sent == 0 ? PDU_FIRST : 0) | (sent + chunk == size ? PDU_LAST : 0);

        start = begin(out, type, flags, call_id);
        buffer_append_u32(out, (uint32_t)(size - sent));
        buffer_append_u16(out, context_id);
        buffer_append_u16(out, opnum);
        buffer_append(out, data + sent, chunk);
        finish(out, start);
        sent += chunk;
    } while (sent < size);
    return buffer_failed(out) ? -ENOMEM : 0;
}

int pdu_request_encode(struct buffer *out, uint16_t most, uint32_t call_id, uint16_t context_id,
                       uint16_t opnum, const void *stub, size_t size)
{
    return stub_encode(out, PDU_REQUEST, most, call_id, context_id, opnum, stub, size);
}

int pdu_response_encode(struct buffer *out, uint16_t most, uint32_t call_id, uint16_t context_id,
                        const void *stub, size_t size)
{
    return stub_encode(out, PDU_RESPONSE, most, call_id, context_id, 0, stub, size);
}

void pdu_fault_encode(struct buffer *out, uint32_t call_id, uint16_t context_id, uint32_t status)
{
    size_t start = begin(out, PDU_FAULT, PDU_FIRST | PDU_LAST, call_id);

    buffer_append_u32(out, 0);
    buffer_append_u16(out, context_id);
    buffer_append_u16(out, 0);
    buffer_append_u32(out, status);
    buffer_append_u32(out, 0);
    finish(out, start);
}
