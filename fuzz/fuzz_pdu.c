/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "rpc/pdu.h"

static void check_bind(const uint8_t *data, const struct pdu_header *h)
{
    struct pdu_bind bind;

    if (pdu_bind_decode(data, h, &bind) == 0)
        CHECK(bind.count <= PDU_MOST_CONTEXTS);
}

static void check_bind_ack(const uint8_t *data, const struct pdu_header *h)
{
    struct pdu_bind_ack ack, again;
    _cleanup_(buffer_fini) struct buffer out = {0};

    if (pdu_bind_ack_decode(data, h, &ack) < 0)
        return;
    CHECK(ack.count <= PDU_MOST_CONTEXTS);
    pdu_bind_ack_encode(&out, PDU_BIND_ACK, h->call_id, &ack);
    struct pdu_header header;
    CHECK(pdu_header_decode(out.data, &header) == 0 && header.fragment_size == out.size);
    CHECK(pdu_bind_ack_decode(out.data, &header, &again) == 0 && again.count == ack.count);
}

static void check_stub(const uint8_t *data, const struct pdu_header *h)
{
    struct pdu_stub stub;

    if (pdu_stub_decode(data, h, &stub) == 0 && stub.size > 0)
        CHECK(stub.data >= data && stub.data + stub.size <= data + h->fragment_size);
}

/* One whole fragment, as each type of it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pdu_header h;

    if (size < PDU_HEADER_SIZE || pdu_header_decode(data, &h) < 0 || h.fragment_size > size)
        return 0;
    check_bind(data, &h);
    check_bind_ack(data, &h);
    check_stub(data, &h);
    return 0;
}
