/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BADINPUT_WIRE_PEER_H
#define TESTS_BADINPUT_WIRE_PEER_H

#include "rpc/pdu.h"
#include "rpc/transport.h"
#include "service/rig.h"

/* A client of a real service that says what it likes. Context 0 is MS-CMRP, 1 our own interface. */
struct peer {
    struct rpc_transport *t;
    uint32_t last_call;
    struct rpc_arena arena;
};

struct answer {
    int type;       /* PDU_RESPONSE, PDU_FAULT, ...; -1: the connection ended */
    uint32_t call;  /* whose */
    uint32_t fault; /* its status */
    struct buffer stub;
};

void peer_connect(struct peer *p, const char *socket); /* and binds */
void peer_connect_only(struct peer *p, const char *socket);
void peer_close(struct peer *p);
struct pdu_bind peer_bind(uint32_t group);

void peer_say(struct peer *p, const void *data, size_t size);
/* The number of the call. */
uint32_t peer_request(struct peer *p, const struct rpc_interface *i, uint16_t opnum,
                      const void *stub, size_t size);
struct answer peer_hear(struct peer *p); /* all fragments of it */
/* A call as it should be; its own code is in args. */
void peer_call(struct peer *p, const struct rpc_interface *i, const struct rpc_op *op, void *args);
#define PEER_CALL(p, op, args) peer_call((p), &rpc_cmrp, &cmrp_op_##op, (args))

/* How many descriptors the service has open, those included that it opens when it needs them. */
unsigned descriptors_of(struct rig *rig);
/* Until the service has no more than that open; its client goes on meanwhile. */
void wait_for_descriptors(struct rig *rig, unsigned wanted);

#endif
