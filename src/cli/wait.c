/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct deadline deadline_after(DWORD ms)
{
    return (struct deadline){.none = ms == INFINITE, .at_ms = now_ms() + ms};
}

DWORD deadline_left(const struct deadline *d)
{
    uint64_t now = now_ms();
    return d->none ? INFINITE : now >= d->at_ms ? 0 : (DWORD)(d->at_ms - now);
}

/* ---- what is waited for ---- */

enum goal { GOAL_STATE, GOAL_EXISTS, GOAL_DELETED };

struct target {
    const char *type; /* "resource", "group", "node" */
    const char *name;
    enum goal goal;
    const char *state;
    bool failed_is_false; /* after a request, Failed is its result */
};

static const struct object_type {
    const char *type;
    DWORD not_found;
    const char *kinds; /* of changes that matter */
} types[] = {
    {"resource", ERROR_RESOURCE_NOT_FOUND, "resource.*"},
    {"group", ERROR_GROUP_NOT_FOUND, "group.*"},
    {"node", ERROR_CLUSTER_NODE_NOT_FOUND, "node.*"},
};

static const struct object_type *find_type(const char *type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].type, type) == 0)
            return &types[i];
    return NULL;
}

/* The state's number; or the error. */
static DWORD read_state(struct cli *cli, const struct target *t, DWORD *ret_state)
{
    WCHAR *name = widen(t->name);
    DWORD state = (DWORD)-1, error = ERROR_SUCCESS;
    if (strcmp(t->type, "resource") == 0) {
        HRESOURCE r = OpenClusterResource(cli->cluster, name);
        if (r && (state = (DWORD)GetClusterResourceState(r, NULL, NULL, NULL, NULL)) == (DWORD)-1)
            error = GetLastError();
        if (r)
            CloseClusterResource(r);
        else
            error = GetLastError();
    } else if (strcmp(t->type, "group") == 0) {
        HGROUP g = OpenClusterGroup(cli->cluster, name);
        if (g && (state = (DWORD)GetClusterGroupState(g, NULL, NULL)) == (DWORD)-1)
            error = GetLastError();
        if (g)
            CloseClusterGroup(g);
        else
            error = GetLastError();
    } else {
        HNODE n = OpenClusterNode(cli->cluster, name);
        if (n && (state = (DWORD)GetClusterNodeState(n)) == (DWORD)-1)
            error = GetLastError();
        if (n)
            CloseClusterNode(n);
        else
            error = GetLastError();
    }
    free(name);
    *ret_state = state;
    return error;
}

/* EXIT_DONE, EXIT_FALSE, EXIT_ERROR, or -1: not yet. */
static int judge(struct cli *cli, const struct target *t)
{
    DWORD state, error = read_state(cli, t, &state);
    bool gone = error == find_type(t->type)->not_found || error == ERROR_RESOURCE_NOT_AVAILABLE ||
                error == ERROR_GROUP_NOT_AVAILABLE;
    if (error != ERROR_SUCCESS && !gone)
        return cli_fail(cli, error, "cannot look at %s '%s'", t->type, t->name);
    if (t->goal == GOAL_DELETED)
        return gone ? EXIT_DONE : -1;
    if (gone)
        return t->goal == GOAL_EXISTS ? -1 : EXIT_FALSE;
    if (t->goal == GOAL_EXISTS)
        return EXIT_DONE;
    const char *name = state_name(t->type, state);
    if (strcasecmp(name, t->state) == 0)
        return EXIT_DONE;
    return t->failed_is_false && strcmp(name, "Failed") == 0 ? EXIT_FALSE : -1;
}

/* What an event itself says, so that a state that is over already counts too. */
static int judge_event(const struct target *t, const CLUSPORT_NOTIFICATION *n)
{
    if (t->goal != GOAL_STATE || n->dwNewState == (DWORD)-1 || strcmp(n->pszObject, t->type) != 0)
        return -1;
    WCHAR *name = widen(t->name);
    bool same = lstrcmpiW(name, n->pszName) == 0 || lstrcmpiW(name, n->pszObjectId) == 0;
    free(name);
    const char *state = state_name(t->type, n->dwNewState);
    if (!same)
        return -1;
    if (strcasecmp(state, t->state) == 0)
        return EXIT_DONE;
    return t->failed_is_false && strcmp(state, "Failed") == 0 ? EXIT_FALSE : -1;
}

/* The port is made before the first look: what happens between the two is seen. */
static int wait_for(struct cli *cli, const struct target *t, DWORD timeout_ms)
{
    struct deadline deadline = deadline_after(timeout_ms);
    CLUSPORT_FILTER filter = {.cbSize = sizeof(filter), .pszKinds = find_type(t->type)->kinds};
    HCHANGE port = NULL;
    DWORD r = ClusportCreatePort(cli->cluster, &filter, 1, NULL, &port);
    if (r != ERROR_SUCCESS)
        return cli_fail(cli, r, "cannot wait");

    int verdict = judge(cli, t);
    while (verdict == -1) {
        CLUSPORT_NOTIFICATION *n;
        r = ClusportGetNotification(port, deadline_left(&deadline), &n);
        if (r == WAIT_TIMEOUT) {
            verdict = EXIT_TIMED_OUT;
            break;
        }
        if (r != ERROR_SUCCESS) {
            verdict = cli_fail(cli, r, "cannot go on waiting");
            break;
        }
        verdict = judge_event(t, n);
        ClusportFreeNotification(n);
        if (verdict == -1)
            verdict = judge(cli, t);
    }
    CloseClusterNotifyPort(port);
    return verdict;
}

static int report(struct cli *cli, const struct target *t, int verdict)
{
    const char *reached = t->goal == GOAL_STATE    ? t->state
                          : t->goal == GOAL_EXISTS ? "exists"
                                                   : "deleted";
    DWORD state;
    if (verdict == EXIT_DONE && cli->json && t->goal == GOAL_STATE)
        return print_line(
            cli,
            must(json_pack("{s:s, s:s, s:s}", "type", t->type, "name", t->name, "state",
                           read_state(cli, t, &state) == ERROR_SUCCESS ? state_name(t->type, state)
                                                                       : reached)));
    if (verdict == EXIT_DONE)
        return print_done(cli, reached, t->name);
    if (verdict == EXIT_TIMED_OUT)
        fprintf(stderr, "clusport: %s '%s': not %s in time\n", t->type, t->name, reached);
    if (verdict == EXIT_FALSE)
        fprintf(stderr, "clusport: %s '%s' %s\n", t->type, t->name,
                read_state(cli, t, &state) == ERROR_SUCCESS ? "failed" : "does not exist");
    return verdict;
}

int wait_for_state(struct cli *cli, const char *type, const char *name, const char *state,
                   DWORD timeout_ms)
{
    struct target t = {
        .type = type, .name = name, .goal = GOAL_STATE, .state = state, .failed_is_false = true};
    return report(cli, &t, wait_for(cli, &t, timeout_ms));
}

/* ---- the service itself ---- */

#define LOOK_AGAIN_MS 50 /* a socket may be there before it answers */

static int wait_for_service(struct cli *cli, DWORD timeout_ms)
{
    struct deadline deadline = deadline_after(timeout_ms);
    const char *socket = getenv("CLUSPORT_SOCKET");
    char *folder = must(strdup(socket ? socket : "/run/clusport/clusport.sock"));
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (events >= 0)
        inotify_add_watch(events,
                          slash == folder ? "/"
                          : slash         ? folder
                                          : ".",
                          IN_CREATE | IN_MOVED_TO | IN_ATTRIB);
    free(folder);

    int exit_code = EXIT_DONE;
    while (!(cli->cluster = OpenCluster(NULL))) {
        DWORD left = deadline_left(&deadline), error = GetLastError();
        if (error != RPC_S_SERVER_UNAVAILABLE) {
            exit_code = cli_fail(cli, error, "cannot reach the service");
            break;
        }
        if (left == 0) {
            fputs("clusport: the service does not answer\n", stderr);
            exit_code = EXIT_TIMED_OUT;
            break;
        }
        struct pollfd p = {.fd = events, .events = POLLIN};
        char dropped[4096];
        if (poll(&p, 1, left < LOOK_AGAIN_MS ? (int)left : LOOK_AGAIN_MS) > 0)
            while (read(events, dropped, sizeof(dropped)) > 0)
                ;
    }
    if (events >= 0)
        close(events);
    return exit_code == EXIT_DONE ? print_done(cli, "answers", "service") : exit_code;
}

static int run(struct cli *cli, int argc, char **argv)
{
    const char *goal = NULL;
    struct target t = {0};
    DWORD timeout = INFINITE;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--for") == 0 && i + 1 < argc)
            goal = argv[++i];
        else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc &&
                 parse_duration(argv[i + 1], &timeout))
            i++;
        else if (argv[i][0] != '-' && !t.type)
            t.type = argv[i];
        else if (argv[i][0] != '-' && !t.name)
            t.name = argv[i];
        else
            return cli_usage(cli, "'%s' is not understood", argv[i]);
    }
    if (!goal)
        return cli_usage(cli, "for what? --for state=STATE, exists, deleted or service");
    if (strcmp(goal, "service") == 0)
        return t.type ? cli_usage(cli, "--for service takes no object")
                      : wait_for_service(cli, timeout);
    if (!t.type || !find_type(t.type))
        return cli_usage(cli, "whose? resource, group or node");
    if (!t.name)
        return cli_usage(cli, "which %s?", t.type);

    if (strncmp(goal, "state=", 6) == 0) {
        t.goal = GOAL_STATE;
        t.state = goal + 6;
    } else if (strcmp(goal, "exists") == 0 || strcmp(goal, "deleted") == 0) {
        t.goal = goal[0] == 'e' ? GOAL_EXISTS : GOAL_DELETED;
    } else {
        return cli_usage(cli, "--for is state=STATE, exists, deleted or service, not '%s'", goal);
    }
    bool known = t.goal != GOAL_STATE;
    for (DWORD state = 0; !known && state <= 130; state++)
        known = strcasecmp(state_name(t.type, state), t.state) == 0;
    if (!known || (t.state && strcasecmp(t.state, "Unknown") == 0))
        return cli_usage(cli, "a %s has no state '%s'", t.type, t.state);

    int exit_code = cli_open(cli);
    return exit_code == EXIT_DONE ? report(cli, &t, wait_for(cli, &t, timeout)) : exit_code;
}

const struct command command_wait = {
    .name = "wait",
    .arguments = "--for state=STATE|exists|deleted resource|group|node NAME [--timeout DURATION]\n"
                 "       clusport wait --for service [--timeout DURATION]",
    .summary = "waits until something is so",
    .help = "Sees every change, so that a state that is soon over counts too. Exit codes: 0 it is "
            "so, 3 it cannot\n"
            "become so (the object does not exist), 124 the time was over first.",
    .run = run,
};
