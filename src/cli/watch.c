/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli.h"

#define MOST_FILTERS 64

struct watch_options {
    const char *kinds[MOST_FILTERS];
    int kind_count;
    const char *objects[MOST_FILTERS]; /* TYPE or TYPE/NAME */
    int object_count;
    CLUSPORT_OPTIONS port;
    uint64_t count; /* 0: no end */
    DWORD timeout;
    bool list_kinds;
};

static int list_kinds(struct cli *cli)
{
    CLUSPORT_KIND kind;
    json_t *kinds = must(json_array());
    for (DWORD i = 0; ClusportEnumKinds(i, &kind) == ERROR_SUCCESS; i++) {
        const char *flag = flag_name(kind.dwFlag);
        if (cli->json)
            json_array_append_new(kinds, must(json_pack("{s:s, s:s, s:s?}", "kind", kind.pszName,
                                                        "object", kind.pszObject, "v1", flag)));
        else
            puts(kind.pszName);
    }
    if (cli->json)
        return print_list(cli, "kinds", kinds, NULL);
    json_decref(kinds);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_ERROR;
}

static bool is_object_type(const char *spec)
{
    CLUSPORT_KIND kind;
    size_t length = strcspn(spec, "/");
    for (DWORD i = 0; ClusportEnumKinds(i, &kind) == ERROR_SUCCESS; i++)
        if (strlen(kind.pszObject) == length && strncmp(kind.pszObject, spec, length) == 0)
            return true;
    return false;
}

static int parse(struct cli *cli, int argc, char **argv, struct watch_options *o)
{
    *o = (struct watch_options){.port = {.cbSize = sizeof(o->port)}, .timeout = INFINITE};
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        uint64_t number;
        if (strcmp(option, "--initial") == 0) {
            o->port.fSnapshot = TRUE;
            continue;
        }
        if (strcmp(option, "--kinds") == 0) {
            o->list_kinds = true;
            continue;
        }
        if (!value)
            return cli_usage(cli, "'%s' is not understood, or its value is missing", option);
        i++;
        if (strcmp(option, "--filter") == 0 && o->kind_count < MOST_FILTERS) {
            o->kinds[o->kind_count++] = value;
        } else if (strcmp(option, "--object") == 0 && o->object_count < MOST_FILTERS) {
            if (!is_object_type(value))
                return cli_usage(cli, "--object is TYPE or TYPE/NAME, like resource/disk, not '%s'",
                                 value);
            o->objects[o->object_count++] = value;
        } else if (strcmp(option, "--since") == 0) {
            if (!parse_number(value, &number))
                return cli_usage(cli, "--since is a revision, not '%s'", value);
            o->port.fSince = TRUE;
            o->port.ullSince = number;
        } else if (strcmp(option, "--count") == 0) {
            if (!parse_number(value, &o->count) || o->count == 0)
                return cli_usage(cli, "--count is a number of events, not '%s'", value);
        } else if (strcmp(option, "--timeout") == 0) {
            if (!parse_duration(value, &o->timeout))
                return cli_usage(cli, "--timeout is a duration like 500ms, 30s or 5m, not '%s'",
                                 value);
        } else {
            return cli_usage(cli, "'%s' is not understood", option);
        }
    }
    if (o->port.fSince && o->port.fSnapshot)
        return cli_usage(cli, "--since and --initial do not go together");
    return EXIT_DONE;
}

/* By name or id as they are in the event: an object that is gone could not be opened any more. */
static bool is_wanted(const struct watch_options *o, const CLUSPORT_NOTIFICATION *n)
{
    if (o->object_count == 0 || !n->ullRevision)
        return true;
    bool found = false;
    for (int i = 0; i < o->object_count && !found; i++) {
        size_t length = strcspn(o->objects[i], "/");
        if (strlen(n->pszObject) != length || strncmp(n->pszObject, o->objects[i], length) != 0)
            continue;
        if (!o->objects[i][length])
            return true;
        WCHAR *name = widen(o->objects[i] + length + 1);
        found = lstrcmpiW(name, n->pszName) == 0 ||
                (*n->pszObjectId && lstrcmpiW(name, n->pszObjectId) == 0);
        free(name);
    }
    return found;
}

/* A registry event is about a key, "\\" being the root, or a value of it. */
static char *name_of(const CLUSPORT_NOTIFICATION *n)
{
    char *name = narrow(n->pszName);
    if (strcmp(n->pszObject, "registry") != 0)
        return name;
    char *value = narrow(n->pszParentId);
    char *whole = *value || !*name ? join(name, "\\", value) : must(strdup(name));
    free(value);
    free(name);
    return whole;
}

static int print_event(struct cli *cli, const CLUSPORT_NOTIFICATION *n)
{
    if (cli->json)
        return print_line(cli, event_to_json(n));

    time_t seconds = (time_t)(n->llTime / 1000000000);
    struct tm tm;
    char clock[16] = "-";
    if (n->ullRevision && !n->fInitial)
        strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &tm));
    char *name = name_of(n), *values = event_values(n), *program = narrow(n->pszActorProgram);
    const char *color = n->dwNewState != (DWORD)-1
                            ? color_of_state(cli, state_name(n->pszObject, n->dwNewState))
                            : "";
    printf("%8s %6llu  %-26s %-20s %s%s%s", clock, (unsigned long long)n->ullRevision,
           n->fInitial ? n->pszObject : n->pszKind, name, color, values,
           *color ? COLOR_END(cli) : "");
    if (n->ullRevision && !n->fInitial && *program)
        printf("  (%s by %s)", n->pszReason, program);
    else if (n->ullRevision && !n->fInitial)
        printf("  (%s)", n->pszReason);
    putchar('\n');
    free(program);
    free(values);
    free(name);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_ERROR;
}

static int follow(struct cli *cli, const struct watch_options *o, HCHANGE port)
{
    struct deadline deadline = deadline_after(o->timeout);
    for (uint64_t seen = 0; o->count == 0 || seen < o->count;) {
        CLUSPORT_NOTIFICATION *n;
        DWORD r = ClusportGetNotification(port, deadline_left(&deadline), &n);
        if (r == WAIT_TIMEOUT)
            return EXIT_TIMED_OUT;
        if (r != ERROR_SUCCESS)
            return cli_fail(cli, r, "cannot go on watching");
        int exit_code = EXIT_DONE;
        if (is_wanted(o, n)) {
            exit_code = print_event(cli, n);
            seen++;
        }
        ClusportFreeNotification(n);
        if (exit_code != EXIT_DONE)
            return exit_code;
    }
    return EXIT_DONE;
}

static bool no_such_kind(const char *kinds)
{
    CLUSPORT_KIND kind;
    char *copy = must(strdup(kinds)), *rest = copy, *one;
    bool missing = false;
    while (!missing && (one = strsep(&rest, ","))) {
        size_t length = strlen(one);
        bool prefix = length > 0 && one[length - 1] == '*';
        missing = true;
        for (DWORD i = 0; missing && ClusportEnumKinds(i, &kind) == ERROR_SUCCESS; i++)
            missing = prefix ? strncmp(kind.pszName, one, length - 1) != 0
                             : strcmp(kind.pszName, one) != 0;
    }
    free(copy);
    return missing;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct watch_options o;
    int exit_code = parse(cli, argc, argv, &o);
    if (exit_code != EXIT_DONE)
        return exit_code;
    if (o.list_kinds)
        return list_kinds(cli);

    for (int i = 0; i < o.kind_count; i++)
        if (no_such_kind(o.kinds[i]))
            return cli_usage(cli, "there is no kind '%s'; --kinds lists them", o.kinds[i]);
    char *all = o.kind_count ? must(strdup(o.kinds[0])) : NULL;
    for (int i = 1; i < o.kind_count; i++) {
        char *longer = join(all, ",", o.kinds[i]);
        free(all);
        all = longer;
    }
    CLUSPORT_FILTER filter = {.cbSize = sizeof(filter), .pszKinds = all};

    exit_code = cli_open(cli);
    HCHANGE port = NULL;
    DWORD r =
        exit_code == EXIT_DONE ? ClusportCreatePort(cli->cluster, &filter, 1, &o.port, &port) : 0;
    free(all);
    if (exit_code != EXIT_DONE)
        return exit_code;
    if (r != ERROR_SUCCESS)
        return cli_fail(cli, r, "cannot watch");
    exit_code = follow(cli, &o, port);
    CloseClusterNotifyPort(port);
    return exit_code;
}

const struct command command_watch = {
    .name = "watch",
    .arguments = "[--filter KIND]... [--object TYPE[/NAME]]... [--since REVISION | --initial]\n"
                 "                      [--count N] [--timeout DURATION] | --kinds",
    .summary = "prints what happens, as it happens",
    .help =
        "--filter KIND    only these, like resource.state, 'group.*'; may be repeated\n"
        "--object TYPE    only objects of this type, or only this one: resource/disk\n"
        "--since REVISION begins with the change after it\n"
        "--initial        begins with what there is\n"
        "--count N        ends after so many events (exit code 0)\n"
        "--timeout T      ends then (exit code 124); 0 shows what is there already\n"
        "--kinds          lists the kinds of events\n"
        "With --format json one object a line. Goes on by itself when the service was restarted.",
    .run = run,
};
