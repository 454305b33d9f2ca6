/* SPDX-License-Identifier: MIT */
#ifndef RPC_PDU_H
#define RPC_PDU_H

#include "base/buffer.h"
#include "rpc/rpc.h"

/* The connection-oriented DCE/RPC protocol data units (C706 chapter 12, [MS-RPCE] 2.2.2), little-
 * endian. Decoders take a whole fragment and trust nothing in it. */

enum pdu_type {
    PDU_REQUEST = 0,
    PDU_RESPONSE = 2,
    PDU_FAULT = 3,
    PDU_BIND = 11,
    PDU_BIND_ACK = 12,
    PDU_BIND_NAK = 13,
    PDU_ALTER_CONTEXT = 14,
    PDU_ALTER_CONTEXT_RESPONSE = 15,
    PDU_AUTH3 = 16,
    PDU_SHUTDOWN = 17,
    PDU_CANCEL = 18,
    PDU_ORPHANED = 19,
};

#define PDU_FIRST 0x01
#define PDU_LAST 0x02
#define PDU_MULTIPLEX 0x10
#define PDU_OBJECT 0x80

#define PDU_HEADER_SIZE 16
#define PDU_RESPONSE_HEADER_SIZE 24 /* a request's and a fault's first part is as long */
#define PDU_LEAST_FRAGMENT 1432     /* that every implementation must take */
#define PDU_MOST_FRAGMENT 65528     /* that ours sends and takes */
#define PDU_MOST_CONTEXTS 16        /* presentation contexts of a bind */

#define PDU_NAK_REASON_NOT_SPECIFIED 0
#define PDU_NAK_AUTHENTICATION_NOT_KNOWN 8

#define NCA_REMOTE_NO_MEMORY 0x1c00001b
#define NCA_CONTEXT_MISMATCH 0x1c00001a
#define NCA_UNSPECIFIED 0x1c000012
#define NCA_OP_RANGE_ERROR 0x1c010002
#define NCA_UNKNOWN_INTERFACE 0x1c010003
#define NCA_BAD_STUB_DATA 0x000006f7

struct pdu_header {
    uint8_t type, flags;
    uint16_t fragment_size, auth_size;
    uint32_t call_id;
};

/* 0; -EBADMSG: not this protocol; -EPROTO: it is, but not little-endian, ASCII, IEEE (the header
 * is decoded all the same). */
int pdu_header_decode(const uint8_t data[PDU_HEADER_SIZE], struct pdu_header *ret);

enum pdu_transfer { PDU_TRANSFER_OTHER, PDU_TRANSFER_NDR32, PDU_TRANSFER_FEATURES };
enum pdu_result { PDU_ACCEPTED = 0, PDU_REJECTED = 2, PDU_NEGOTIATED = 3 };
#define PDU_REASON_INTERFACE 1
#define PDU_REASON_TRANSFER 2

struct pdu_context { /* one presentation context of a bind */
    uint16_t id;
    uint8_t uuid[16];
    uint16_t major, minor;
    enum pdu_transfer transfer; /* the best of those offered */
};

struct pdu_bind {
    uint16_t most_sent, most_received; /* max_xmit_frag, max_recv_frag of the sender */
    uint32_t group;
    unsigned count;
    struct pdu_context contexts[PDU_MOST_CONTEXTS];
};

struct pdu_bind_ack {
    uint16_t most_sent, most_received;
    uint32_t group;
    unsigned count;
    struct {
        uint16_t result, reason;
    } results[PDU_MOST_CONTEXTS];
};

int pdu_bind_decode(const void *fragment, const struct pdu_header *h, struct pdu_bind *ret);
int pdu_bind_ack_decode(const void *fragment, const struct pdu_header *h, struct pdu_bind_ack *ret);
/* type: PDU_BIND or PDU_ALTER_CONTEXT; the contexts are interfaces 0, 1, ... with NDR32. */
void pdu_bind_encode(struct buffer *out, uint32_t call_id, const struct pdu_bind *bind);
void pdu_bind_ack_encode(struct buffer *out, enum pdu_type type, uint32_t call_id,
                         const struct pdu_bind_ack *ack);
void pdu_bind_nak_encode(struct buffer *out, uint32_t call_id, uint16_t reason);

/* A request's or response's part of the stub in one fragment. */
struct pdu_stub {
    uint16_t context_id, opnum; /* opnum: requests */
    uint32_t status;            /* faults */
    uint32_t hint;              /* what the sender says of all that is to come; 0: nothing */
    const uint8_t *data;
    size_t size;
};

int pdu_stub_decode(const void *fragment, const struct pdu_header *h, struct pdu_stub *ret);
/* Appends as many fragments as the stub takes. 0 or -ENOMEM. */
int pdu_request_encode(struct buffer *out, uint16_t most, uint32_t call_id, uint16_t context_id,
                       uint16_t opnum, const void *stub, size_t size);
int pdu_response_encode(struct buffer *out, uint16_t most, uint32_t call_id, uint16_t context_id,
                        const void *stub, size_t size);
void pdu_fault_encode(struct buffer *out, uint32_t call_id, uint16_t context_id, uint32_t status);

#endif
