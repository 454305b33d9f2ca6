/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>

#include "agent/operation.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"

/* Units through systemd's manager on the system bus, never waiting for an answer. A start or stop
 * is a job: its end comes as a signal. A monitor is a question for ActiveState. */

#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE MANAGER ".Manager"
#define UNIT_INTERFACE MANAGER ".Unit"
#define NO_SUCH_UNIT MANAGER ".NoSuchUnit"
#define SPAWN_ERRORS "org.freedesktop.DBus.Error.Spawn."

struct unit_operation {
    struct operation o;
    char *unit;
    char *job; /* the path of the job that is to end, once it is known */
    sd_bus_slot *call;
    struct unit_operation *next, **at; /* on the link's list */
};

struct systemd_link {
    sd_bus *bus;
    sd_bus_slot *jobs, *lost;
    struct unit_operation *operations;
};

static struct unit_operation *unit_operation_of(struct operation *o)
{
    return container_of(o, struct unit_operation, o);
}

void systemd_link_free(struct systemd_link *l)
{
    if (!l)
        return;
    PRE(!l->operations);
    sd_bus_slot_unref(l->jobs);
    sd_bus_slot_unref(l->lost);
    if (l->bus)
        sd_bus_detach_event(l->bus);
    sd_bus_close_unref(l->bus);
    free(l);
}

static void systemd_link_freep(struct systemd_link **l)
{
    systemd_link_free(*l);
}

static bool means_absent(const sd_bus_error *e)
{
    static const char *const names[] = {
        "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
        "org.freedesktop.DBus.Error.NoReply",        "org.freedesktop.DBus.Error.Disconnected",
        "org.freedesktop.DBus.Error.NoServer",       "org.freedesktop.DBus.Error.FileNotFound",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (sd_bus_error_has_name(e, names[i]))
            return true;
    /* The bus tried to start it on demand. */
    return e->name && strncmp(e->name, SPAWN_ERRORS, strlen(SPAWN_ERRORS)) == 0;
}

static void fail(struct unit_operation *u, const sd_bus_error *e)
{
    char detail[512];
    int code = AGENT_GENERIC;

    if (means_absent(e)) {
        code = AGENT_NOT_INSTALLED;
        snprintf(detail, sizeof(detail), "systemd is not running here: %s",
                 e->message ? e->message : e->name);
    } else if (sd_bus_error_has_name(e, NO_SUCH_UNIT)) {
        /* What does not exist does not run: a stop has nothing left to do. */
        code = u->o.kind == OPERATION_STOP    ? AGENT_OK
               : u->o.kind == OPERATION_START ? AGENT_NOT_INSTALLED
                                              : AGENT_NOT_RUNNING;
        snprintf(detail, sizeof(detail), "there is no unit %s", u->unit);
    } else {
        if (sd_bus_error_has_name(e, SD_BUS_ERROR_ACCESS_DENIED) ||
            sd_bus_error_has_name(e, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
            code = AGENT_PERMISSION;
        snprintf(detail, sizeof(detail), "%s: %s", u->unit, e->message ? e->message : e->name);
    }
    operation_done(&u->o, code, detail);
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct systemd_link *l = userdata;
    const char *job, *unit, *result;
    char detail[256];

    (void)error;
    if (sd_bus_message_read(m, "uoss", NULL, &job, &unit, &result) < 0)
        return 0;
    for (struct unit_operation *u = l->operations; u; u = u->next) {
        if (!u->job || strcmp(u->job, job) != 0)
            continue;
        snprintf(detail, sizeof(detail), "the %s job of %s ended: %s", operation_name(u->o.kind),
                 unit, result);
        operation_done(&u->o, strcmp(result, "done") == 0 ? AGENT_OK : AGENT_GENERIC, detail);
        return 0;
    }
    return 0;
}

/* Calls under way end with an error of their own; who waits for a job would wait for ever. */
static int on_lost(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct systemd_link *l = userdata;
    struct unit_operation *next;

    (void)m;
    (void)error;
    for (struct unit_operation *u = l->operations; u; u = next) {
        next = u->next;
        if (u->job)
            operation_done(&u->o, AGENT_GENERIC, "the connection to systemd broke");
    }
    return 0;
}

static int link_open(sd_event *loop, struct systemd_link **ret)
{
    _cleanup_(systemd_link_freep) struct systemd_link *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        return -ENOMEM;
    r = sd_bus_open_system(&l->bus);
    if (r < 0)
        return r;
    r = sd_bus_match_signal_async(l->bus, &l->jobs, MANAGER, MANAGER_PATH, MANAGER_INTERFACE,
                                  "JobRemoved", on_job_removed, NULL, l);
    if (r >= 0)
        r = sd_bus_match_signal_async(l->bus, &l->lost, "org.freedesktop.DBus.Local",
                                      "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                      "Disconnected", on_lost, NULL, l);
    /* Without it the manager sends no signals. */
    if (r >= 0)
        r = sd_bus_call_method_async(l->bus, NULL, MANAGER, MANAGER_PATH, MANAGER_INTERFACE,
                                     "Subscribe", NULL, NULL, NULL);
    if (r >= 0)
        r = sd_bus_attach_event(l->bus, loop, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(l);
    return 0;
}

/* The open link, made anew when the bus went away. */
static int link_get(struct agent_runner *runner, struct systemd_link **ret)
{
    struct systemd_link **l = runner_systemd(runner);
    int r;

    if (*l && sd_bus_is_open((*l)->bus) <= 0 && !(*l)->operations) {
        systemd_link_free(*l);
        *l = NULL;
    }
    if (!*l) {
        r = link_open(runner_loop(runner), l);
        if (r < 0)
            return r;
    }
    *ret = *l;
    return 0;
}

static int on_job(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct unit_operation *u = userdata;
    const char *job;

    (void)error;
    u->call = sd_bus_slot_unref(u->call);
    if (sd_bus_message_is_method_error(m, NULL)) {
        fail(u, sd_bus_message_get_error(m));
        return 0;
    }
    if (sd_bus_message_read(m, "o", &job) >= 0)
        u->job = strdup(job);
    if (!u->job)
        operation_done(&u->o, AGENT_GENERIC, "systemd's answer was not understood");
    return 0;
}

static void judge(struct unit_operation *u, const char *state)
{
    bool runs = strcmp(state, "active") == 0 || strcmp(state, "reloading") == 0 ||
                strcmp(state, "refreshing") == 0;
    bool failed = strcmp(state, "failed") == 0;
    char detail[256];

    snprintf(detail, sizeof(detail), "%s is %s", u->unit, state);
    operation_done(&u->o,
                   runs                                     ? AGENT_OK
                   : failed && u->o.kind != OPERATION_PROBE ? AGENT_GENERIC
                                                            : AGENT_NOT_RUNNING,
                   detail);
}

static int on_active_state(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct unit_operation *u = userdata;
    const char *state;

    (void)error;
    u->call = sd_bus_slot_unref(u->call);
    if (sd_bus_message_is_method_error(m, NULL))
        fail(u, sd_bus_message_get_error(m));
    else if (sd_bus_message_read(m, "v", "s", &state) >= 0)
        judge(u, state);
    else
        operation_done(&u->o, AGENT_GENERIC, "systemd's answer was not understood");
    return 0;
}

static int on_unit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct unit_operation *u = userdata;
    const char *path;
    int r;

    (void)error;
    u->call = sd_bus_slot_unref(u->call);
    if (sd_bus_message_is_method_error(m, NULL)) {
        fail(u, sd_bus_message_get_error(m));
        return 0;
    }
    r = sd_bus_message_read(m, "o", &path);
    if (r >= 0)
        r = sd_bus_call_method_async(sd_bus_message_get_bus(m), &u->call, MANAGER, path,
                                     "org.freedesktop.DBus.Properties", "Get", on_active_state, u,
                                     "ss", UNIT_INTERFACE, "ActiveState");
    if (r < 0)
        operation_done(&u->o, AGENT_GENERIC, "systemd's answer was not understood");
    return 0;
}

static int call_manager(struct systemd_link *l, struct unit_operation *u)
{
    if (u->o.kind == OPERATION_START || u->o.kind == OPERATION_STOP)
        return sd_bus_call_method_async(l->bus, &u->call, MANAGER, MANAGER_PATH, MANAGER_INTERFACE,
                                        u->o.kind == OPERATION_START ? "StartUnit" : "StopUnit",
                                        on_job, u, "ss", u->unit, "replace");
    return sd_bus_call_method_async(l->bus, &u->call, MANAGER, MANAGER_PATH, MANAGER_INTERFACE,
                                    "LoadUnit", on_unit, u, "s", u->unit);
}

/* "nginx" is "nginx.service"; other kinds of units are named in full. */
static char *unit_name(const char *name)
{
    return text_format("%s%s", name, strchr(name, '.') ? "" : ".service");
}

static void join(struct systemd_link *l, struct unit_operation *u)
{
    u->next = l->operations;
    u->at = &l->operations;
    if (u->next)
        u->next->at = &u->next;
    l->operations = u;
}

static void leave(struct unit_operation *u)
{
    if (!u->at)
        return;
    *u->at = u->next;
    if (u->next)
        u->next->at = u->at;
    u->at = NULL;
}

static int systemd_start(struct operation *o)
{
    struct unit_operation *u = unit_operation_of(o);
    struct systemd_link *l;
    const char *name = o->spec[0] ? o->spec : parameters_find(&o->parameters, "unit");
    char detail[256];
    int r;

    if (!name)
        return operation_done_early(o, AGENT_NOT_CONFIGURED, "no unit is named");
    u->unit = unit_name(name);
    if (!u->unit)
        return -ENOMEM;
    r = link_get(o->runner, &l);
    if (r >= 0) {
        join(l, u);
        r = call_manager(l, u);
    }
    if (r >= 0 || r == -ENOMEM)
        return MIN(r, 0);
    snprintf(detail, sizeof(detail), "systemd is not running here: %s", strerror(-r));
    return operation_done_early(o, AGENT_NOT_INSTALLED, detail);
}

static void systemd_expire(struct operation *o)
{
    operation_done(o, AGENT_TIMED_OUT, "");
}

static void systemd_init(struct operation *o)
{
    (void)o; /* zeroes are fine */
}

static void systemd_abandon(struct operation *o)
{
    (void)o; /* the job goes on; fini() stops listening */
}

static void systemd_fini(struct operation *o)
{
    struct unit_operation *u = unit_operation_of(o);

    leave(u);
    sd_bus_slot_unref(u->call);
    free(u->unit);
    free(u->job);
}

static bool unit_exists(const char *name)
{
    static const char *const folders[] = {
        "/etc/systemd/system",           "/run/systemd/system",     "/run/systemd/generator",
        "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
    };
    struct stat st;

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        _cleanup_free_
        char *path = text_format("%s/%s", folders[i], name);

        if (path && stat(path, &st) == 0)
            return true;
    }
    return false;
}

/* An instance is found by its template: a@b.service by a@.service. */
static int systemd_find(const char *ocf_path, const char *spec)
{
    _cleanup_free_
    char *unit = unit_name(spec), *template = NULL;
    const char *at, *suffix;

    (void)ocf_path;
    if (!spec[0] || strlen(spec) > 255)
        return -EINVAL;
    for (const char *c = spec; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr(":-_.\\@", *c))
            return -EINVAL;
    if (!unit)
        return -ENOMEM;
    if (unit_exists(unit))
        return 0;
    at = strchr(unit, '@');
    suffix = strrchr(unit, '.');
    if (!at || suffix < at)
        return -ENOENT;
    template = text_format("%.*s@%s", (int)(at - unit), unit, suffix);
    return !template ? -ENOMEM : unit_exists(template) ? 0 : -ENOENT;
}

const struct carrier carrier_systemd = {
    .prefix = "systemd:",
    .object_size = sizeof(struct unit_operation),
    .init = systemd_init,
    .start = systemd_start,
    .expire = systemd_expire,
    .abandon = systemd_abandon,
    .fini = systemd_fini,
    .find = systemd_find,
};
