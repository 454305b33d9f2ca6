/* SPDX-License-Identifier: MIT */
#include "rpc/echo_server.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include <cmocka.h>

#include "base/macro.h"
#include "rpc/rpc_interface.h"

static int events = -1;
static sd_event *loop;

static void tell(char event)
{
    if (write(events, &event, 1) != 1)
        _exit(3);
}

struct thing {
    char *name;
    struct rpc_call *waiting;
};

static void close_thing(void *object)
{
    struct thing *thing = object;

    if (thing->waiting)
        _exit(4); /* a context ended below a call that was given it */
    free(thing->name);
    free(thing);
    tell('c');
}

static uint32_t open_thing(struct rpc_call *call, unsigned kind, const char *name,
                           struct rpc_context *ret)
{
    struct thing *thing = calloc(1, sizeof(*thing));
    int r;

    thing->name = strdup(name);
    r = rpc_context_open(rpc_call_association(call), kind, thing, close_thing, ret);
    if (r == 0)
        return 0;
    free(thing->name);
    free(thing);
    return 8;
}

#define HANDLER(prefix, name)                                                                      \
    static void prefix##_on_##name(struct rpc_call *call, void *args_)                             \
    {                                                                                              \
        struct prefix##_##name *args = args_;                                                      \
        prefix##_do_##name(call, args);                                                            \
    }

static void cmrp_do_GetClusterName(struct rpc_call *call, struct cmrp_GetClusterName *args)
{
    args->cluster_name = rpc_arena_text(rpc_call_arena(call), "Gr\xc3\xbc\xc3\x9f");
    args->node_name = rpc_arena_text(rpc_call_arena(call), rpc_call_peer(call)->program);
    args->result = rpc_call_peer(call)->uid == getuid() ? 0 : 5;
    rpc_reply(call);
}
HANDLER(cmrp, GetClusterName)

static void cmrp_do_OpenCluster(struct rpc_call *call, struct cmrp_OpenCluster *args)
{
    args->status = open_thing(call, RPC_CONTEXT_CLUSTER, "", &args->cluster);
    rpc_reply(call);
}
HANDLER(cmrp, OpenCluster)

static void cmrp_do_OpenResource(struct rpc_call *call, struct cmrp_OpenResource *args)
{
    args->status = open_thing(call, RPC_CONTEXT_RESOURCE, args->name, &args->resource);
    rpc_reply(call);
}
HANDLER(cmrp, OpenResource)

static void cmrp_do_CloseResource(struct rpc_call *call, struct cmrp_CloseResource *args)
{
    rpc_context_close(rpc_call_association(call), &args->resource);
    rpc_reply(call);
}
HANDLER(cmrp, CloseResource)

static void cmrp_do_GetResourceId(struct rpc_call *call, struct cmrp_GetResourceId *args)
{
    struct thing *thing = args->resource.object;

    args->id = rpc_arena_text(rpc_call_arena(call), thing->name);
    rpc_reply(call);
}
HANDLER(cmrp, GetResourceId)

static void cmrp_do_ResourceControl(struct rpc_call *call, struct cmrp_ResourceControl *args)
{
    args->required = args->input.size;
    args->output.data = args->input.data;
    args->output.size = MIN(args->input.size, args->output.capacity);
    args->result = args->output.size < args->input.size ? 234 : 0;
    rpc_reply(call);
}
HANDLER(cmrp, ResourceControl)

static void cmrp_do_AddNotifyV2(struct rpc_call *call, struct cmrp_AddNotifyV2 *args)
{
    args->result = args->object.kind;
    rpc_reply(call);
}
HANDLER(cmrp, AddNotifyV2)

static void cmrp_do_CreateNotify(struct rpc_call *call, struct cmrp_CreateNotify *args)
{
    args->status = open_thing(call, RPC_CONTEXT_NOTIFY, "", &args->notify);
    rpc_reply(call);
}
HANDLER(cmrp, CreateNotify)

static void on_gone(struct rpc_call *call, void *data)
{
    struct thing *thing = data;

    tell('g');
    thing->waiting = NULL;
    rpc_reply(call);
}

static void cmrp_do_GetNotify(struct rpc_call *call, struct cmrp_GetNotify *args)
{
    struct thing *thing = args->notify.object;

    thing->waiting = call;
    rpc_call_on_gone(call, on_gone, thing);
    tell('w');
}
HANDLER(cmrp, GetNotify)

static void cmrp_do_UnblockGetNotifyCall(struct rpc_call *call,
                                         struct cmrp_UnblockGetNotifyCall *args)
{
    struct thing *thing = args->notify.object;

    if (thing->waiting)
        rpc_reply(TAKE_PTR(thing->waiting));
    rpc_reply(call);
}
HANDLER(cmrp, UnblockGetNotifyCall)

static void private_do_OpenFeed(struct rpc_call *call, struct private_OpenFeed *args)
{
    _cleanup_close_
    int fd = memfd_create("feed", MFD_CLOEXEC);

    if (write(fd, "feed", 4) != 4)
        _exit(3);
    args->head_revision = 1ll << 40;
    args->boot_id = rpc_arena_text(rpc_call_arena(call), "boot");
    rpc_reply_fd(call, fd);
    rpc_reply(call);
}
HANDLER(private, OpenFeed)

static void private_do_PublishPorts(struct rpc_call *call, struct private_PublishPorts *args)
{
    _cleanup_close_
    int fd = rpc_call_take_fd(call);
    unsigned char byte;

    args->result = fd >= 0 && pread(fd, &byte, 1, 0) == 1 ? byte : 6;
    rpc_reply(call);
}
HANDLER(private, PublishPorts)

static void private_do_ReadJournal(struct rpc_call *call, struct private_ReadJournal *args)
{
    args->changes.size = args->max_bytes;
    args->changes.data = rpc_arena_alloc(rpc_call_arena(call), args->max_bytes);
    if (args->changes.data)
        memset(args->changes.data, 'j', args->max_bytes);
    rpc_reply(call);
}
HANDLER(private, ReadJournal)

static void private_do_ServiceInfo(struct rpc_call *call, struct private_ServiceInfo *args)
{
    uint64_t turns = 0;

    if (sd_event_get_iteration(loop, &turns) < 0)
        _exit(3);
    args->last_revision = (int64_t)turns;
    rpc_reply(call);
}
HANDLER(private, ServiceInfo)

#define CMRP(name) [CMRP_OPNUM_##name] = cmrp_on_##name
#define PRIVATE(name) [PRIVATE_OPNUM_##name] = private_on_##name

static const rpc_handler_fn cmrp_handlers[CMRP_OPNUM_COUNT] = {
    CMRP(GetClusterName),  CMRP(OpenCluster),         CMRP(OpenResource), CMRP(CloseResource),
    CMRP(GetResourceId),   CMRP(AddNotifyV2),         CMRP(CreateNotify), CMRP(GetNotify),
    CMRP(ResourceControl), CMRP(UnblockGetNotifyCall)};
static const rpc_handler_fn private_handlers[PRIVATE_OPNUM_COUNT] = {
    PRIVATE(OpenFeed), PRIVATE(PublishPorts), PRIVATE(ReadJournal), PRIVATE(ServiceInfo)};
static const struct rpc_service services[] = {{&rpc_cmrp, cmrp_handlers},
                                              {&rpc_private, private_handlers}};

static int on_term(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)info;
    (void)userdata;
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void serve(int listener, unsigned most_connections, unsigned most_contexts)
{
    struct rpc_server_options options = {
        .services = services,
        .service_count = ARRAY_SIZE(services),
        .most = {[RPC_CONNECTIONS] = most_connections, [RPC_CONTEXTS] = most_contexts}};
    struct rpc_server *server;
    int r;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (sd_event_new(&options.loop) < 0 ||
        sd_event_add_signal(options.loop, NULL, SIGTERM, on_term, NULL) < 0 ||
        rpc_server_create(&options, &server) < 0 || rpc_server_listen(server, listener) < 0)
        _exit(2);
    loop = options.loop;
    r = sd_event_loop(options.loop);
    rpc_server_destroy(server);
    sd_event_unref(options.loop);
    exit(r < 0 ? 1 : 0); /* with the leak check of a sanitizer */
}

void echo_server_start(struct echo_server *s, unsigned most_connections, unsigned most_contexts)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener, ends[2];
    sigset_t term;

    snprintf(s->directory, sizeof(s->directory), "/tmp/rpc-test-XXXXXX");
    assert_non_null(mkdtemp(s->directory));
    snprintf(s->path, sizeof(s->path), "%s/socket", s->directory);
    strcpy(address.sun_path, s->path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_return_code(listen(listener, 128), 0);
    assert_return_code(pipe2(ends, O_CLOEXEC), 0);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    s->pid = fork();
    if (s->pid == 0) {
        close(ends[0]);
        events = ends[1];
        serve(listener, most_connections, most_contexts);
    }
    sigprocmask(SIG_UNBLOCK, &term, NULL);
    close(listener);
    close(ends[1]);
    s->events = ends[0];
}

static int end_server(struct echo_server *s, int how)
{
    int status = -1;

    kill(s->pid, how);
    waitpid(s->pid, &status, 0);
    close(s->events);
    unlink(s->path);
    rmdir(s->directory);
    return status;
}

void echo_server_stop(struct echo_server *s)
{
    assert_int_equal(end_server(s, SIGTERM), 0);
}

void echo_server_kill(struct echo_server *s)
{
    assert_int_equal(end_server(s, SIGKILL), SIGKILL);
}

void echo_server_expect(struct echo_server *s, char event)
{
    char there = 0;

    while (there != event) {
        struct pollfd p = {.fd = s->events, .events = POLLIN};

        assert_int_equal(poll(&p, 1, 10000), 1);
        assert_int_equal(read(s->events, &there, 1), 1);
    }
}
