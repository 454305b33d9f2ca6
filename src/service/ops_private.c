/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "port/port_table.h"
#include "service/journal_reader.h"
#include "service/notify_port.h"
#include "service/request.h"

#define MOST_READ (4u << 20)
#define MOST_FEEDS 8            /* of one client: it needs one */
#define MOST_LISTED (16u << 20) /* bytes of ports */

#define PRIVATE_READ(op) OPERATION_READ(private, op)

PRIVATE_READ(OpenFeed)
{
    struct pipeline *p = r->service->pipeline;
    /* Those that are not read are in the kernel's hands, which hold only so many. */
    if (r->client->feeds >= MOST_FEEDS)
        return ERR_NOT_ENOUGH_MEMORY;
    r->client->feeds++;
    a->head_revision = (int64_t)feed_head_revision(pipeline_feed(p));
    rpc_reply_fd(r->call, pipeline_feed_fd(p));
    return request_give_text(r, r->service->boot_id, &a->boot_id);
}

PRIVATE_READ(Identify)
{
    return request_give_text(r, model_cluster(request_model(r))->o.id, &a->cluster_id);
}

PRIVATE_READ(Snapshot)
{
    const struct model *m = request_model(r);
    _cleanup_(buffer_fini) struct buffer objects = {0};
    size_t count;
    if (model_snapshot(m, &objects, &count) < 0)
        return ERR_NOT_ENOUGH_MEMORY;
    a->revision = (int64_t)model_revision(m);
    return request_give_bytes(r, objects.data, objects.size, &a->objects);
}

/* ---- the journal ---- */

struct journal_call {
    struct journal_reader_job job;
    struct request *request;
    void *room; /* for the records: what is read ahead of its reply is the client's too */
};

static uint32_t read_result(const struct journal_reader_job *job, const struct request *r)
{
    struct private_ReadJournal *a = r->args;
    if (job->result < 0)
        return job->result == -ENOMEM ? ERR_NOT_ENOUGH_MEMORY : ERR_IO_DEVICE;
    a->first_kept = (int64_t)job->first_kept;
    const struct journal_call *c = container_of(job, struct journal_call, job);
    if (job->records.size > job->max_bytes) /* one large change */
        return request_give_bytes(r, job->records.data, job->records.size, &a->changes);
    if (job->records.size > 0)
        memcpy(c->room, job->records.data, job->records.size);
    a->changes.data = c->room;
    a->changes.size = (uint32_t)job->records.size;
    return ERR_SUCCESS;
}

static void journal_was_read(struct journal_reader_job *job)
{
    struct journal_call *c = container_of(job, struct journal_call, job);
    struct request *r = c->request;
    uint32_t result = read_result(job, r);
    buffer_fini(&job->records);
    free(c);
    request_reply(r, result);
}

static void read_journal(struct request *r, uint64_t from, uint32_t max_bytes,
                         void (*done)(struct journal_reader_job *job))
{
    uint32_t code = request_access(r, ACCESS_READ);
    void *room = code ? NULL : request_alloc(r, max_bytes);
    struct journal_call *c = room ? calloc(1, sizeof(*c)) : NULL;
    if (!c) {
        request_reply(r, code ? code : ERR_NOT_ENOUGH_MEMORY);
        return;
    }
    c->request = r;
    c->room = room;
    c->job.from = from;
    c->job.max_bytes = max_bytes;
    c->job.done = done;
    journal_reader_read(r->service->reader, &c->job);
}

void op_ReadJournal(struct rpc_call *call, void *args)
{
    struct private_ReadJournal *a = args;
    struct request *r = request_begin(call, &private_op_ReadJournal, args);
    if (r)
        read_journal(r, (uint64_t)MAX(a->from, (int64_t)1), MIN(a->max_bytes, MOST_READ),
                     journal_was_read);
}

/* ---- the ports of all programs ---- */

PRIVATE_READ(PublishPorts)
{
    int fd = rpc_call_take_fd(r->call);
    if (fd < 0 || port_table_check(fd) < 0) {
        rpc_dispose(fd);
        return ERR_INVALID_PARAMETER;
    }
    if (r->client->ports_fd >= 0)
        close(r->client->ports_fd);
    r->client->ports_fd = fd;
    return ERR_SUCCESS;
}

struct listing {
    const struct rpc_peer *peer;
    struct buffer out;
};

static int list_port(void *context, const struct port_info *info)
{
    struct listing *l = context;
    if (l->out.size >= MOST_LISTED)
        return -ENOSPC;
    struct port_listing line = {
        .pid = l->peer->pid, .uid = l->peer->uid, .program = l->peer->program, .port = *info};
    return port_listing_append(&line, &l->out);
}

/* A client whose table makes no sense is left out. */
static void list_client(struct rpc_association *a, const struct rpc_peer *peer, void *context)
{
    struct listing *l = context;
    const struct client *c = rpc_association_data(a);
    l->peer = peer;
    if (c && c->ports_fd >= 0 && l->out.size < MOST_LISTED)
        port_table_read(c->ports_fd, list_port, l);
}

PRIVATE_READ(ListPorts)
{
    struct listing l = {0};
    rpc_server_each_association(r->service->rpc, list_client, &l);
    notify_port_list(r->service, &l.out);
    uint32_t code = buffer_failed(&l.out)
                        ? ERR_NOT_ENOUGH_MEMORY
                        : request_give_bytes(r, l.out.data, l.out.size, &a->ports);
    buffer_fini(&l.out);
    return code;
}

/* ---- the service itself ---- */

static uint32_t info_result(const struct journal_reader_job *job, const struct request *r)
{
    struct private_ServiceInfo *a = r->args;
    if (job->result < 0)
        return ERR_IO_DEVICE;
    a->pid = (uint32_t)getpid();
    a->first_revision = (int64_t)job->first_kept;
    a->last_revision = (int64_t)feed_head_revision(pipeline_feed(r->service->pipeline));
    uint32_t code = request_give_text(r, VERSION, &a->version);
    if (!code)
        code = request_give_text(r, model_cluster(request_model(r))->o.name, &a->cluster_name);
    return code ? code : request_give_text(r, r->service->options->node_name, &a->node_name);
}

static void info_was_read(struct journal_reader_job *job)
{
    struct journal_call *c = container_of(job, struct journal_call, job);
    struct request *r = c->request;
    uint32_t result = info_result(job, r);
    buffer_fini(&job->records);
    free(c);
    request_answer(r, result);
}

/* Asks the journal for nothing but how far back it goes. */
void op_ServiceInfo(struct rpc_call *call, void *args)
{
    struct request *r = request_begin(call, &private_op_ServiceInfo, args);
    if (r)
        read_journal(r, INT64_MAX, 0, info_was_read);
}
