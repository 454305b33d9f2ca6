/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static HNODE find_node(struct cli *cli, const char *name)
{
    WCHAR *wide = widen(name);
    HNODE node = OpenClusterNode(cli->cluster, wide);
    free(wide);
    return node;
}

static HNODE open_node(struct cli *cli, const char *name)
{
    HNODE node = find_node(cli, name);
    if (!node)
        cli_last_error(cli, "cannot open node", name);
    return node;
}

static json_t *describe(HNODE node, const char *name)
{
    WCHAR id[64] = L"";
    DWORD size = 64;
    GetClusterNodeId(node, id, &size);
    return must(json_pack("{s:s, s:o, s:s}", "name", name, "id", json_wide(id), "state",
                          node_state_name((DWORD)GetClusterNodeState(node))));
}

static json_t *describe_by_name(struct cli *cli, const char *name)
{
    HNODE node = find_node(cli, name);
    json_t *j = node ? describe(node, name) : NULL;
    if (node)
        CloseClusterNode(node);
    return j;
}

static int list(struct cli *cli, int argc, char **argv)
{
    (void)argv;
    return list_objects(
        cli, argc, CLUSTER_ENUM_NODE, "nodes", describe_by_name,
        (struct column[]){{"NODE", "name"}, {"ID", "id"}, {"STATE", "state"}, {NULL, NULL}});
}

static int with_node(struct cli *cli, int argc, char **argv, DWORD (*act)(HNODE), const char *done)
{
    if (argc != 2)
        return cli_usage(cli, "%s NODE", argv[0]);
    HNODE node = open_node(cli, argv[1]);
    if (!node)
        return EXIT_ERROR;
    int exit_code;
    DWORD r = act ? act(node) : ERROR_SUCCESS;
    if (r != ERROR_SUCCESS)
        exit_code = cli_fail(cli, r, "cannot %s '%s'", argv[0], argv[1]);
    else if (act)
        exit_code = print_done(cli, done, argv[1]);
    else
        exit_code = print_object(cli, describe(node, argv[1]));
    CloseClusterNode(node);
    return exit_code;
}

static int show(struct cli *cli, int argc, char **argv)
{
    return with_node(cli, argc, argv, NULL, NULL);
}

static int pause_node(struct cli *cli, int argc, char **argv)
{
    return with_node(cli, argc, argv, PauseClusterNode, "paused");
}

static int resume_node(struct cli *cli, int argc, char **argv)
{
    return with_node(cli, argc, argv, ResumeClusterNode, "resumed");
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct verb verbs[] = {{"list", list},
                                        {"show", show},
                                        {"pause", pause_node},
                                        {"resume", resume_node},
                                        {NULL, NULL}};
    return cli_run_verb(cli, verbs, argc, argv);
}

const struct command command_node = {
    .name = "node",
    .arguments = "list | show NODE | pause NODE | resume NODE",
    .summary = "the cluster's nodes",
    .help = "A paused node keeps what it runs and takes nothing new online.",
    .run = run,
};
