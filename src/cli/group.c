/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static HGROUP find_group(struct cli *cli, const char *name)
{
    WCHAR *wide = widen(name);
    HGROUP group = OpenClusterGroup(cli->cluster, wide);
    free(wide);
    return group;
}

static HGROUP open_group(struct cli *cli, const char *name)
{
    HGROUP group = find_group(cli, name);
    if (!group)
        cli_last_error(cli, "cannot open group", name);
    return group;
}

static json_t *resources_of(HGROUP group)
{
    json_t *names = must(json_array());
    HGROUPENUM list = ClusterGroupOpenEnum(group, CLUSTER_GROUP_ENUM_CONTAINS);
    for (DWORD i = 0; list; i++) {
        WCHAR name[1024];
        DWORD size = 1024, type;
        if (ClusterGroupEnum(list, i, &type, name, &size) != ERROR_SUCCESS)
            break;
        json_array_append_new(names, json_wide(name));
    }
    if (list)
        ClusterGroupCloseEnum(list);
    return names;
}

static json_t *describe(HGROUP group, const char *name)
{
    WCHAR node[256] = L"";
    DWORD size = 256;
    CLUSTER_GROUP_STATE state = GetClusterGroupState(group, node, &size);
    return must(json_pack("{s:s, s:s, s:o, s:o}", "name", name, "state",
                          group_state_name((DWORD)state), "owner", json_wide(node), "resources",
                          resources_of(group)));
}

static json_t *describe_by_name(struct cli *cli, const char *name)
{
    HGROUP group = find_group(cli, name);
    json_t *j = group ? describe(group, name) : NULL;
    if (group)
        CloseClusterGroup(group);
    return j;
}

static int list(struct cli *cli, int argc, char **argv)
{
    (void)argv;
    return list_objects(cli, argc, CLUSTER_ENUM_GROUP, "groups", describe_by_name,
                        (struct column[]){{"GROUP", "name"},
                                          {"STATE", "state"},
                                          {"OWNER", "owner"},
                                          {"RESOURCES", "resources"},
                                          {NULL, NULL}});
}

static int show(struct cli *cli, int argc, char **argv)
{
    if (argc != 2)
        return cli_usage(cli, "show GROUP");
    HGROUP group = open_group(cli, argv[1]);
    if (!group)
        return EXIT_ERROR;
    int exit_code = print_object(cli, describe(group, argv[1]));
    CloseClusterGroup(group);
    return exit_code;
}

static int create(struct cli *cli, int argc, char **argv)
{
    if (argc != 2)
        return cli_usage(cli, "create GROUP");
    WCHAR *wide = widen(argv[1]);
    HGROUP group = CreateClusterGroup(cli->cluster, wide);
    free(wide);
    if (!group)
        return cli_last_error(cli, "cannot create group", argv[1]);
    CloseClusterGroup(group);
    return print_done(cli, "created", argv[1]);
}

static int delete (struct cli *cli, int argc, char **argv)
{
    if (argc != 2)
        return cli_usage(cli, "delete GROUP");
    HGROUP group = open_group(cli, argv[1]);
    if (!group)
        return EXIT_ERROR;
    DWORD r = DeleteClusterGroup(group);
    CloseClusterGroup(group);
    return r == ERROR_SUCCESS ? print_done(cli, "deleted", argv[1])
                              : cli_fail(cli, r, "cannot delete group '%s'", argv[1]);
}

static int rename_group(struct cli *cli, int argc, char **argv)
{
    if (argc != 3)
        return cli_usage(cli, "rename GROUP NEW-NAME");
    HGROUP group = open_group(cli, argv[1]);
    if (!group)
        return EXIT_ERROR;
    WCHAR *wide = widen(argv[2]);
    DWORD r = SetClusterGroupName(group, wide);
    free(wide);
    CloseClusterGroup(group);
    return r == ERROR_SUCCESS ? print_done(cli, "renamed", argv[2])
                              : cli_fail(cli, r, "cannot rename group '%s'", argv[1]);
}

static DWORD online_group(HGROUP group, HNODE node)
{
    return OnlineClusterGroup(group, node);
}

static DWORD offline_group(HGROUP group, HNODE node)
{
    (void)node;
    return OfflineClusterGroup(group);
}

static DWORD move_group(HGROUP group, HNODE node)
{
    return MoveClusterGroup(group, node);
}

/* online|offline|move GROUP [--node NODE] [--wait] [--timeout T] */
static int change_state(struct cli *cli, int argc, char **argv, DWORD (*act)(HGROUP, HNODE),
                        const char *state)
{
    const char *name = NULL, *node_name = NULL;
    bool wait = false;
    DWORD timeout = INFINITE;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--wait") == 0)
            wait = true;
        else if (strcmp(argv[i], "--node") == 0 && i + 1 < argc)
            node_name = argv[++i];
        else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc &&
                 parse_duration(argv[i + 1], &timeout))
            i++;
        else if (argv[i][0] != '-' && !name)
            name = argv[i];
        else
            return cli_usage(cli, "%s GROUP [--node NODE] [--wait] [--timeout DURATION]", argv[0]);
    }
    if (!name)
        return cli_usage(cli, "%s which group?", argv[0]);

    HNODE node = NULL;
    if (node_name) {
        WCHAR *wide = widen(node_name);
        node = OpenClusterNode(cli->cluster, wide);
        free(wide);
        if (!node)
            return cli_last_error(cli, "cannot open node", node_name);
    }
    HGROUP group = open_group(cli, name);
    DWORD r = group ? act(group, node) : ERROR_SUCCESS;
    if (node)
        CloseClusterNode(node);
    if (!group)
        return EXIT_ERROR;
    CloseClusterGroup(group);
    if (r != ERROR_SUCCESS && r != ERROR_IO_PENDING)
        return cli_fail(cli, r, "cannot %s group '%s'", argv[0], name);
    if (wait && state)
        return wait_for_state(cli, "group", name, state, timeout);
    return print_done(cli, r == ERROR_IO_PENDING ? "pending" : "done", name);
}

static int online(struct cli *cli, int argc, char **argv)
{
    return change_state(cli, argc, argv, online_group, "Online");
}

static int offline(struct cli *cli, int argc, char **argv)
{
    return change_state(cli, argc, argv, offline_group, "Offline");
}

static int move(struct cli *cli, int argc, char **argv)
{
    return change_state(cli, argc, argv, move_group, NULL);
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct verb verbs[] = {{"list", list},
                                        {"show", show},
                                        {"create", create},
                                        {"delete", delete},
                                        {"rename", rename_group},
                                        {"online", online, true},
                                        {"offline", offline, true},
                                        {"move", move, true},
                                        {NULL}};
    return cli_run_verb(cli, verbs, argc, argv);
}

const struct command command_group = {
    .name = "group",
    .arguments = "list | show GROUP | create GROUP | delete GROUP | rename GROUP NEW-NAME |\n"
                 "                      online|offline|move GROUP [--node NODE] [--wait] "
                 "[--timeout DURATION]",
    .summary = "groups: what goes online, offline and to another node together",
    .help = "--wait returns when the group is there (124 when the time is over first, 3 when it "
            "failed).",
    .run = run,
};
