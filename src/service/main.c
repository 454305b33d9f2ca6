/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/descriptors.h"
#include "base/log.h"
#include "base/text.h"
#include "service/access.h"
#include "service/journal_reader.h"
#include "service/listen.h"
#include "service/restore.h"
#include "service/service.h"
#include "service/status.h"

/* The number of a cluster's first node. */
#define NODE_ID "1"

static const int handled_signals[] = {SIGTERM, SIGINT, SIGHUP};

static int say(const char *what, int error)
{
    log_error("start_failed error=%s", log_quote(what ? what : strerror(-error)));
    return error;
}

static const char *with_reason(const char *what, int error)
{
    static char text[128];
    snprintf(text, sizeof(text), "%s: %s", what, strerror(-error));
    return text;
}

/* ---- what happens ---- */

/* Whoever started the service would wait for a word that never comes. */
static int tell_ready(void)
{
    int r = sd_notify(0, "READY=1\nSTATUS=The node is up.");
    return r < 0 ? say(with_reason("that the service is ready cannot be told", r), r) : 0;
}

static void on_ready(void *context)
{
    struct service *s = context;
    int r = rpc_server_listen(s->rpc, TAKE_FD(s->listen_fd));
    if (r < 0)
        say(with_reason("the socket cannot be served", r), r);
    else
        r = tell_ready();
    if (r < 0) {
        sd_event_exit(s->loop, EXIT_FAILURE);
        return;
    }
    log_info("ready socket=%s state_dir=%s",
             log_quote(s->socket_made ? s->options->socket_path : "handed over"),
             log_quote(s->options->state_dir));
}

static void on_published(void *context)
{
    notify_published(context);
}

static void on_stopped(void *context, int error)
{
    struct service *s = context;
    if (error < 0)
        log_error("ended error=%s", log_quote(strerror(-error)));
    sd_event_exit(s->loop, error < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
    (void)source;
    struct service *s = context;
    if (info->ssi_signo == SIGHUP) {
        log_info("reload");
        pipeline_reload(s->pipeline);
        return 0;
    }
    if (s->stopping)
        return sd_event_exit(s->loop, EXIT_FAILURE);
    s->stopping = true;
    log_info("stopping signal=%" PRIu32, info->ssi_signo);
    sd_notify(0, "STOPPING=1\nSTATUS=The node leaves; applications stay as they are.");
    pipeline_stop(s->pipeline);
    return 0;
}

/* ---- beginning and end ---- */

static int open_loop(struct service *s)
{
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < ARRAY_SIZE(handled_signals); i++)
        sigaddset(&mask, handled_signals[i]);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    signal(SIGPIPE, SIG_IGN);
    descriptors_raise();
    int r = sd_event_new(&s->loop);
    for (size_t i = 0; i < ARRAY_SIZE(handled_signals) && r >= 0; i++)
        r = sd_event_add_signal(s->loop, NULL, handled_signals[i], on_signal, s);
    if (r >= 0)
        r = sd_event_set_watchdog(s->loop, true);
    return r < 0 ? say(NULL, r) : 0;
}

static int check_groups(const struct service *s)
{
    const char *missing;
    if (access_check_groups(s->options, &missing) == 0)
        return 0;
    _cleanup_free_
    char *text = text_format("there is no group %s; make it, or name another with "
                             "--admin-group or --read-group",
                             missing);
    return say(text, -ENOENT);
}

static int open_state_dir(const struct service *s)
{
    const char *dir = s->options->state_dir;
    int r = listen_make_folder(dir, 0755);
    if (r == 0)
        r = access_restrict_folder(s->options, dir);
    if (r == 0 && access(dir, W_OK | X_OK) < 0)
        r = -errno;
    if (r == 0)
        return 0;
    _cleanup_free_
    char *text = text_format("%s cannot be used: %s; run as root, or give another "
                             "--state",
                             dir, strerror(-r));
    return say(text, r);
}

static int open_socket(struct service *s)
{
    _cleanup_free_
    char *error = NULL;
    int r = listen_open(s->options->socket_path, &s->socket_made, &error);
    if (r < 0)
        return say(error, r);
    s->listen_fd = r;
    return 0;
}

static bool is_trusted(void *context, const struct rpc_peer *peer)
{
    const struct service *s = context;
    return access_of(s->options, peer) == ACCESS_ALL;
}

static int open_rpc(struct service *s)
{
    static const struct rpc_service services[] = {
        {.interface = &rpc_cmrp, .handlers = cmrp_handlers},
        {.interface = &rpc_private, .handlers = private_handlers},
    };
    const struct rpc_server_options options = {.loop = s->loop,
                                               .services = services,
                                               .service_count = ARRAY_SIZE(services),
                                               .context = s,
                                               .trusted = is_trusted};
    int r = guid_make(s->boot_id);
    if (r == 0)
        r = rpc_server_create(&options, &s->rpc);
    return r < 0 ? say(NULL, r) : 0;
}

static int open_pipeline(struct service *s)
{
    const struct options *o = s->options;
    _cleanup_free_
    char *path = text_format("%s/" RESTORE_JOURNAL_NAME, o->state_dir);
    _cleanup_free_
    char *error = NULL;
    if (!path)
        return say(NULL, -ENOMEM);
    const struct pipeline_options options = {
        .loop = s->loop,
        .journal_path = path,
        .keep_changes = o->keep_changes,
        .keep_bytes = o->keep_bytes,
        .feed_size = o->feed_size,
        .engine = {.cluster_name = o->cluster_name,
                   .node_name = o->node_name,
                   .node_id = NODE_ID,
                   .state_dir = o->state_dir,
                   .types_path = o->types_path,
                   .ocf_path = o->ocf_path,
                   .networks = o->networks},
        .context = s,
        .ready = on_ready,
        .published = on_published,
        .stopped = on_stopped,
    };
    int r = pipeline_create(&options, &s->pipeline, &error);
    if (r == 0)
        r = journal_reader_create(s->loop, path, &s->reader);
    return r < 0 ? say(error, r) : 0;
}

static int service_open(struct service *s)
{
    int r = open_loop(s);
    if (r == 0)
        r = check_groups(s);
    if (r == 0)
        r = open_state_dir(s);
    if (r == 0)
        r = open_socket(s);
    if (r == 0)
        r = open_rpc(s);
    return r < 0 ? r : open_pipeline(s);
}

/* Connections first: what still waits answers into nothing. The feed last: it ends then. */
static void service_close(struct service *s)
{
    rpc_server_destroy(s->rpc);
    s->rpc = NULL;
    journal_reader_destroy(s->reader);
    pipeline_destroy(s->pipeline);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->socket_made)
        unlink(s->options->socket_path);
    sd_event_unref(s->loop);
}

/* Batches and pieces of the journal are large and come by the thousand. To give their pages back to
 * the system after each costs several times what filling them does. */
static void keep_free_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

int main(int argc, char *argv[])
{
    struct options options;
    keep_free_memory();
    int r = options_parse(&options, argc, argv);
    if (r != 0)
        return r < 0 ? 2 : EXIT_SUCCESS;
    if (options.print_status)
        return status_print(options.state_dir) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    struct service s = {.options = &options, .listen_fd = -1};
    r = service_open(&s);
    int status = r < 0 ? EXIT_FAILURE : sd_event_loop(s.loop);
    if (status < 0)
        log_error("loop_failed error=%s", log_quote(strerror(-status)));
    service_close(&s);
    return status < 0 ? EXIT_FAILURE : status;
}
