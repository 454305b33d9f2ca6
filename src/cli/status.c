/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

#define DEFAULT_STATE "/var/lib/clusport"

/* One object, in the form in which `clusportd --print-status` gives it too. */
static json_t *object_of(const CLUSPORT_NOTIFICATION *n)
{
    json_t *o =
        must(json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "type", n->pszObject, "name",
                       json_wide(n->pszName), "id", json_wide(n->pszObjectId), "parent",
                       json_wide(n->pszParentId), "node", json_wide(n->pszNodeId), "resource_type",
                       json_wide(n->pszTypeName), "revision", (json_int_t)n->ullRevision));
    if (n->dwNewState != (DWORD)-1)
        json_object_set_new(o, "state", json_string(state_name(n->pszObject, n->dwNewState)));
    return o;
}

/* All objects at one revision; NULL: it was said why. */
static json_t *read_live(struct cli *cli)
{
    CLUSPORT_OPTIONS options = {.cbSize = sizeof(options), .fSnapshot = TRUE};
    CLUSPORT_FILTER filter = {.cbSize = sizeof(filter),
                              .pszKinds =
                                  "cluster.*,node.*,group.*,resource.*,network.*,netinterface.*"};
    HCHANGE port;
    DWORD r = ClusportCreatePort(cli->cluster, &filter, 1, &options, &port);
    if (r != ERROR_SUCCESS) {
        cli_fail(cli, r, "cannot read the status");
        return NULL;
    }
    json_t *objects = must(json_array());
    CLUSPORT_NOTIFICATION *n;
    bool initial = true;
    while (initial && ClusportGetNotification(port, 0, &n) == ERROR_SUCCESS) {
        initial = n->fInitial;
        if (initial)
            json_array_append_new(objects, object_of(n));
        ClusportFreeNotification(n);
    }
    CloseClusterNotifyPort(port);
    return objects;
}

/* The service that belongs to this program, from where this program is; else from PATH. */
static void exec_service(const char *state)
{
    static const char *const places[] = {"../sbin/clusportd",
                                         "../service/clusportd" /* as built */};
    char own[4096];
    ssize_t size = readlink("/proc/self/exe", own, sizeof(own) - 1);
    own[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(own, '/');
    for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
        *slash = '\0';
        char *path = join(own, "/", places[i]);
        execl(path, "clusportd", "--print-status", "--state", state, (char *)NULL);
        free(path);
    }
    execlp("clusportd", "clusportd", "--print-status", "--state", state, (char *)NULL);
    fprintf(stderr, "clusport: clusportd: %s\n", strerror(errno));
    _exit(EXIT_ERROR);
}

/* What the database held last; NULL: it was said why. */
static json_t *read_stale(const char *state)
{
    int ends[2];
    if (pipe(ends) < 0)
        return NULL;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        exec_service(state);
    }
    close(ends[1]);
    FILE *in = pid > 0 ? fdopen(ends[0], "r") : NULL;
    json_t *objects = must(json_array());
    char *line = NULL;
    size_t capacity = 0;
    while (in && getline(&line, &capacity, in) > 0)
        json_array_append_new(objects, must(json_loads(line, 0, NULL)));
    free(line);
    if (in)
        fclose(in);
    int status = -1;
    if (pid > 0)
        waitpid(pid, &status, 0);
    if (status == 0)
        return objects;
    json_decref(objects);
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *name_of(const json_t *objects, const char *type, const char *id)
{
    size_t i;
    json_t *o;
    json_array_foreach(objects, i, o) if (strcmp(text_of(o, "type"), type) == 0 &&
                                          strcmp(text_of(o, "id"), id) == 0) return text_of(o,
                                                                                            "name");
    return "";
}

static json_t *row_of(const json_t *objects, const json_t *o, const char *type)
{
    json_t *row = must(json_pack("{s:s, s:s, s:s}", "name", text_of(o, "name"), "id",
                                 text_of(o, "id"), "state", text_of(o, "state")));
    if (strcmp(type, "group") == 0 || strcmp(type, "resource") == 0)
        json_object_set_new(row, "owner",
                            json_string(name_of(objects, "node", text_of(o, "node"))));
    if (strcmp(type, "resource") == 0) {
        json_object_set_new(row, "group",
                            json_string(name_of(objects, "group", text_of(o, "parent"))));
        json_object_set_new(row, "type", json_string(text_of(o, "resource_type")));
    }
    if (strcmp(type, "netinterface") == 0)
        json_object_set_new(row, "network",
                            json_string(name_of(objects, "network", text_of(o, "parent"))));
    return row;
}

static json_t *rows_of(const json_t *objects, const char *type)
{
    json_t *rows = must(json_array());
    size_t i;
    json_t *o;
    json_array_foreach(objects, i, o) if (strcmp(text_of(o, "type"), type) == 0)
        json_array_append_new(rows, row_of(objects, o, type));
    return rows;
}

static json_t *summary_of(const json_t *objects, bool stale)
{
    const json_t *first = json_array_get(objects, 0);
    json_t *revision = json_object_get(first, "revision");
    const char *cluster = "";
    size_t i;
    json_t *o;
    json_array_foreach(objects, i, o) if (strcmp(text_of(o, "type"), "cluster") == 0) cluster =
        text_of(o, "name");
    return must(json_pack("{s:i, s:s, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "version", 1, "cluster",
                          cluster, "revision", (json_int_t)json_integer_value(revision), "stale",
                          stale, "nodes", rows_of(objects, "node"), "networks",
                          rows_of(objects, "network"), "interfaces",
                          rows_of(objects, "netinterface"), "groups", rows_of(objects, "group"),
                          "resources", rows_of(objects, "resource")));
}

static void print_part(struct cli *cli, json_t *summary, const char *key,
                       const struct column *columns)
{
    json_t *rows = json_object_get(summary, key);
    if (json_array_size(rows) == 0)
        return;
    putchar('\n');
    print_list(cli, key, json_incref(rows), columns);
}

static int print_summary(struct cli *cli, json_t *summary)
{
    if (cli->json)
        return print_object(cli, summary);
    printf("cluster %s at revision %lld%s\n", text_of(summary, "cluster"),
           (long long)json_integer_value(json_object_get(summary, "revision")),
           json_is_true(json_object_get(summary, "stale"))
               ? ", as it was when the service last ran (stale)"
               : "");
    print_part(cli, summary, "nodes",
               (struct column[]){{"NODE", "name"}, {"STATE", "state"}, {NULL, NULL}});
    print_part(
        cli, summary, "groups",
        (struct column[]){{"GROUP", "name"}, {"STATE", "state"}, {"OWNER", "owner"}, {NULL, NULL}});
    print_part(cli, summary, "resources",
               (struct column[]){{"RESOURCE", "name"},
                                 {"STATE", "state"},
                                 {"TYPE", "type"},
                                 {"GROUP", "group"},
                                 {NULL, NULL}});
    print_part(
        cli, summary, "interfaces",
        (struct column[]){
            {"INTERFACE", "name"}, {"STATE", "state"}, {"NETWORK", "network"}, {NULL, NULL}});
    json_decref(summary);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_ERROR;
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return cli_usage(cli, "it takes no arguments");
    int live = cli_open(cli);
    json_t *objects =
        live == EXIT_DONE ? read_live(cli) : read_stale(cli->state ? cli->state : DEFAULT_STATE);
    if (!objects)
        return EXIT_ERROR;
    int exit_code = print_summary(cli, summary_of(objects, live != EXIT_DONE));
    json_decref(objects);
    return live == EXIT_DONE ? exit_code : EXIT_ERROR;
}

const struct command command_status = {
    .name = "status",
    .arguments = "[--state DIR]",
    .summary = "the cluster at a glance",
    .help =
        "All of one revision. Without an answer from the service it is what the database in DIR\n"
        "(" DEFAULT_STATE ") held last, marked stale, and the exit code is 1.",
    .run = run,
};
