/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "base/error.h"
#include "base/guid.h"
#include "rpc/rpc_interface.h"
#include "service/options.h"
#include "service/pipeline.h"
#include "service/worker.h"

/* clusportd: one loop thread owns all of this. */
struct service {
    const struct options *options;
    sd_event *loop;
    struct pipeline *pipeline;
    struct rpc_server *rpc;
    struct journal_reader *reader;
    struct notify_port *ports; /* those of clients that cannot map the feed */
    uint64_t last_owner;       /* counts context handles */
    char boot_id[GUID_TEXT_SIZE];
    int listen_fd; /* until the node is up */
    bool socket_made, stopping;
};

/* Changes are on the feed: ops_notify.c wakes those who wait for them. */
void notify_published(struct service *s);
/* A context handle was closed: the registrations made with it end. */
void notify_handle_closed(struct service *s, uint64_t owner);

extern const rpc_handler_fn cmrp_handlers[CMRP_OPNUM_COUNT];
extern const rpc_handler_fn private_handlers[PRIVATE_OPNUM_COUNT];

#endif
