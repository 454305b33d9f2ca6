/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/environment.h"
#include "agent/leftover.h"
#include "agent/operation.h"
#include "agent/output.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"

/* An OCF agent is a program called with the operation's name; parameters come in its environment.
 * It runs as leader of a session of its own, so that its time limit can reach all it started, but
 * for what it made a daemon. The end is its exit, never the end of its output: what it left running
 * may hold the pipe for years. */

#define GRACE_MS 2000 /* between SIGTERM and SIGKILL when the time is over */
#define END_WAIT_MS 1000

struct process {
    struct operation o;
    pid_t pid;
    int pidfd;
    sd_event_source *exited, *grace;
    struct output output;
};

static struct process *process_of(struct operation *o)
{
    return container_of(o, struct process, o);
}

static bool name_is_plain(const char *s, size_t length)
{
    if (length == 0 || s[0] == '.')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr("_-.+", s[i]))
            return false;
    return true;
}

/* spec is "PROVIDER:AGENT". 0 and the program's path; -EINVAL, -ENOENT, -ENOMEM. */
static int find_program(const char *ocf_path, const char *spec, char **ret)
{
    const char *colon = strchr(spec, ':');
    struct stat st;

    if (!colon || !name_is_plain(spec, (size_t)(colon - spec)) ||
        !name_is_plain(colon + 1, strlen(colon + 1)))
        return -EINVAL;
    for (const char *at = ocf_path; *at;) {
        size_t length = strcspn(at, ":");
        _cleanup_free_
        char *path =
            text_format("%.*s/%.*s/%s", (int)length, at, (int)(colon - spec), spec, colon + 1);

        if (!path)
            return -ENOMEM;
        if (length > 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0) {
            *ret = TAKE_PTR(path);
            return 0;
        }
        at += length + (at[length] == ':');
    }
    return -ENOENT;
}

static int ocf_find(const char *ocf_path, const char *spec)
{
    _cleanup_free_
    char *path = NULL;

    return find_program(ocf_path, spec, &path);
}

static void build_environment(const struct operation *o, struct environment *env)
{
    const struct agent_options *options = runner_options(o->runner);

    environment_add(env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment_add(env, "LC_ALL", "C");
    environment_add(env, "HOME", "/");
    environment_add(env, "SHELL", "/bin/sh");
    environment_add(env, "OCF_ROOT", "/usr/lib/ocf");
    environment_add(env, "OCF_RA_VERSION_MAJOR", "1");
    environment_add(env, "OCF_RA_VERSION_MINOR", "1");
    /* The id and not the name: it is plain, and stays when the resource is renamed. */
    environment_add(env, "OCF_RESOURCE_INSTANCE", "%s", o->resource_id);
    environment_add(env, "OCF_RESOURCE_PROVIDER", "%.*s", (int)strcspn(o->spec, ":"), o->spec);
    environment_add(env, "OCF_RESOURCE_TYPE", "%s", strchr(o->spec, ':') + 1);
    environment_add(env, "OCF_CHECK_LEVEL", "%d", o->kind == OPERATION_IS_ALIVE ? 10 : 0);
    environment_add(env, "OCF_RESKEY_CRM_meta_timeout", "%" PRIu32, o->timeout_ms);
    environment_add(env, "OCF_RESKEY_CRM_meta_interval", "%" PRIu32, o->interval_ms);
    environment_add(env, "OCF_RESKEY_CRM_meta_name", "%s", operation_name(o->kind));
    environment_add(env, "OCF_RESKEY_CRM_meta_on_node", "%s", options->node_name);
    environment_add(env, "HA_RSCTMP", "%s", runner_scratch(o->runner));
    environment_add(env, "HA_LOGFACILITY", "none");
    environment_add(env, "HA_debug", "0");
    environment_add(env, "CLUSPORT_RESOURCE_NAME", "%s", o->resource_name);
    environment_add(env, "CLUSPORT_CLUSTER_NAME", "%s", options->cluster_name);
    for (size_t i = 0; i < o->parameters.count; i++) {
        const struct parameter *p = &o->parameters.items[i];
        char name[128];

        if ((size_t)snprintf(name, sizeof(name), "OCF_RESKEY_%s", p->name) < sizeof(name))
            environment_add(env, name, "%s", p->value);
    }
}

/* Everything but the three standard descriptors is closed in the child, every signal as a fresh
 * program expects it. 0 or -errno. */
static int spawn(const char *path, char *const argv[], char *const envp[], int output, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int r;

    sigemptyset(&none);
    sigfillset(&all);
    r = posix_spawn_file_actions_init(&actions);
    if (r != 0)
        return -r;
    r = posix_spawnattr_init(&attributes);
    if (r != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -r;
    }
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    if (r == 0)
        r = posix_spawn_file_actions_addchdir_np(&actions, "/");
    if (r == 0)
        r = posix_spawn(ret, path, &actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

static int exit_code_of(const siginfo_t *info)
{
    return info->si_code == CLD_EXITED ? info->si_status : AGENT_GENERIC;
}

static void describe(const struct process *p, const siginfo_t *info, char *out, size_t size)
{
    const char *said = output_detail(&p->output);

    if (info->si_code != CLD_EXITED)
        snprintf(out, size, "%s was ended by signal %d", operation_name(p->o.kind),
                 info->si_status);
    else if (said[0])
        snprintf(out, size, "%s", said);
    else
        snprintf(out, size, "%s gave exit code %d and no reason", operation_name(p->o.kind),
                 info->si_status);
}

static int on_exit_of_process(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct process *p = userdata;
    char detail[OUTPUT_LINE_SIZE + 64];
    siginfo_t info = {0};

    (void)source;
    (void)events;
    /* Not reaped yet: its number still names its process group and nobody else's. */
    if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0)
        return 0;
    if (p->o.timed_out)
        kill(-p->pid, SIGKILL);
    leftover_forget(runner_scratch(p->o.runner), p->pid);
    waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
    p->pid = 0;
    output_drain(&p->output);
    describe(p, &info, detail, sizeof(detail));
    operation_done(&p->o, exit_code_of(&info), detail);
    return 0;
}

static int watch(struct process *p)
{
    p->pidfd = pidfd_open(p->pid, 0);
    if (p->pidfd < 0)
        return -errno;
    return sd_event_add_io(runner_loop(p->o.runner), &p->exited, p->pidfd, EPOLLIN,
                           on_exit_of_process, p);
}

static void ocf_init(struct operation *o)
{
    struct process *p = process_of(o);

    p->pidfd = p->output.fd = -1;
}

static void ocf_abandon(struct operation *o);

static int ocf_start(struct operation *o)
{
    _cleanup_(environment_fini) struct environment env = {0};
    _cleanup_free_
    char *path = NULL;
    _cleanup_close_
    int write_end = -1;
    struct process *p = process_of(o);
    char *name = (char *)operation_name(o->kind), detail[256];
    int r;

    p->output.resource = o->resource_name;
    p->output.operation = name;
    r = find_program(runner_options(o->runner)->ocf_path, o->spec, &path);
    if (r == -ENOENT || r == -EINVAL) {
        snprintf(detail, sizeof(detail), "the agent ocf:%s is not installed", o->spec);
        return operation_done_early(o, AGENT_NOT_INSTALLED, detail);
    }
    if (r < 0)
        return r;
    build_environment(o, &env);
    if (env.failed)
        return -ENOMEM;
    r = output_open(&p->output, runner_loop(o->runner), &write_end);
    if (r < 0)
        return r;
    r = spawn(path, (char *[]){path, name, NULL}, env.items, write_end, &p->pid);
    if (r < 0) {
        p->pid = 0;
        snprintf(detail, sizeof(detail), "%s: %s", path, strerror(-r));
        return r == -ENOMEM || r == -EAGAIN ? r : operation_done_early(o, AGENT_PERMISSION, detail);
    }
    descriptors_restore(p->pid);
    leftover_note(runner_scratch(o->runner), p->pid);
    r = watch(p);
    if (r < 0)
        ocf_abandon(o);
    return r;
}

static int on_grace(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct process *p = userdata;

    (void)source;
    (void)usec;
    if (p->pid > 0)
        kill(-p->pid, SIGKILL);
    return 0;
}

static void ocf_expire(struct operation *o)
{
    struct process *p = process_of(o);

    if (p->pid <= 0)
        return;
    kill(-p->pid, SIGTERM);
    if (sd_event_add_time_relative(runner_loop(o->runner), &p->grace, CLOCK_MONOTONIC,
                                   GRACE_MS * 1000ull, 0, on_grace, p) < 0)
        kill(-p->pid, SIGKILL);
}

static void ocf_abandon(struct operation *o)
{
    struct process *p = process_of(o);
    siginfo_t info;

    if (p->pid <= 0)
        return;
    kill(-p->pid, SIGKILL);
    /* Killed, it is gone at once, unless it hangs in the kernel; then init has it one day. */
    if (p->pidfd >= 0)
        poll(&(struct pollfd){.fd = p->pidfd, .events = POLLIN}, 1, END_WAIT_MS);
    leftover_forget(runner_scratch(p->o.runner), p->pid);
    waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG);
    p->pid = 0;
}

static void ocf_fini(struct operation *o)
{
    struct process *p = process_of(o);

    sd_event_source_disable_unref(p->exited);
    sd_event_source_disable_unref(p->grace);
    output_fini(&p->output);
    if (p->pidfd >= 0)
        close(p->pidfd);
}

const struct carrier carrier_ocf = {
    .prefix = "ocf:",
    .object_size = sizeof(struct process),
    .init = ocf_init,
    .start = ocf_start,
    .expire = ocf_expire,
    .abandon = ocf_abandon,
    .fini = ocf_fini,
    .find = ocf_find,
};
