/* SPDX-License-Identifier: MIT */
#include "feed_host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "bench.h"
#include "change/change.h"
#include "event.h"
#include "feed/feed.h"
#include "rpc/rpc_interface.h"

static struct {
    char *folder;
    struct feed_writer *writer;
    struct rpc_server *server;
    sd_event *loop;
    pthread_t thread;
    int stop_fd, listen_fd;
    struct buffer record;
    uint64_t revision;
} host;

/* ---- what a program asks for before it has the feed ---- */

static void get_cluster_name(struct rpc_call *call, void *args)
{
    struct cmrp_GetClusterName *a = args;
    a->cluster_name = rpc_arena_text(rpc_call_arena(call), "bench");
    a->node_name = rpc_arena_text(rpc_call_arena(call), "node1");
    rpc_reply(call);
}

static void nothing_to_close(void *object)
{
    (void)object;
}

static void open_cluster(struct rpc_call *call, void *args)
{
    struct cmrp_OpenCluster *a = args;
    if (rpc_context_open(rpc_call_association(call), RPC_CONTEXT_CLUSTER, &host, nothing_to_close,
                         &a->cluster) < 0)
        fail("no memory");
    rpc_reply(call);
}

static void open_feed(struct rpc_call *call, void *args)
{
    struct private_OpenFeed *a = args;
    a->boot_id = rpc_arena_text(rpc_call_arena(call), "bench");
    rpc_reply_fd(call, feed_writer_fd(host.writer));
    rpc_reply(call);
}

static void identify(struct rpc_call *call, void *args)
{
    struct private_Identify *a = args;
    a->cluster_id = rpc_arena_text(rpc_call_arena(call), "bench");
    rpc_reply(call);
}

static const rpc_handler_fn cmrp_handlers[CMRP_OPNUM_COUNT] = {
    [CMRP_OPNUM_GetClusterName] = get_cluster_name,
    [CMRP_OPNUM_OpenCluster] = open_cluster,
};
static const rpc_handler_fn private_handlers[PRIVATE_OPNUM_COUNT] = {
    [PRIVATE_OPNUM_OpenFeed] = open_feed,
    [PRIVATE_OPNUM_Identify] = identify,
};

/* ---- the thread that answers ---- */

static int on_stop(sd_event_source *source, int fd, uint32_t events, void *context)
{
    (void)fd;
    (void)events;
    (void)context;
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void *serve(void *context)
{
    static const struct rpc_service services[] = {{&rpc_cmrp, cmrp_handlers},
                                                  {&rpc_private, private_handlers}};
    (void)context;
    struct rpc_server_options options = {.services = services, .service_count = 2};
    if (sd_event_new(&host.loop) < 0)
        fail("no loop");
    options.loop = host.loop;
    if (sd_event_add_io(host.loop, NULL, host.stop_fd, EPOLLIN, on_stop, NULL) < 0 ||
        rpc_server_create(&options, &host.server) < 0 ||
        rpc_server_listen(host.server, host.listen_fd) < 0)
        fail("no server");
    sd_event_loop(host.loop);
    rpc_server_destroy(host.server);
    host.loop = sd_event_unref(host.loop);
    return NULL;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        fail("cannot listen at %s", path);
    return fd;
}

void feed_host_start(void)
{
    char path[108];
    host.folder = make_folder("/tmp");
    snprintf(path, sizeof(path), "%s/socket", host.folder);
    setenv("CLUSPORT_SOCKET", path, 1);
    if (feed_writer_create(FEED_DEFAULT_SIZE, &host.writer) < 0)
        fail("no feed");
    host.revision = 0;
    event_encode(0, &host.record);
    host.listen_fd = listen_at(path);
    host.stop_fd = eventfd(0, EFD_CLOEXEC);
    if (pthread_create(&host.thread, NULL, serve, NULL) != 0)
        fail("no thread");
}

void feed_host_stop(void)
{
    eventfd_write(host.stop_fd, 1);
    pthread_join(host.thread, NULL);
    close(host.stop_fd);
    feed_writer_destroy(host.writer);
    buffer_fini(&host.record);
    remove_folder(host.folder);
}

void feed_host_publish(void)
{
    host.revision++;
    change_put_revision(host.record.data, host.revision, host.revision, true);
    feed_publish(host.writer, host.record.data, host.record.size);
}
