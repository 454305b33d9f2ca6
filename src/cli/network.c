/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "cli.h"

static json_t *describe_network(struct cli *cli, const char *name)
{
    WCHAR *wide = widen(name);
    HNETWORK network = OpenClusterNetwork(cli->cluster, wide);
    free(wide);
    if (!network)
        return NULL;
    WCHAR id[64] = L"";
    DWORD size = 64;
    GetClusterNetworkId(network, id, &size);
    json_t *j =
        must(json_pack("{s:s, s:s, s:o, s:s}", "kind", "network", "name", name, "id", json_wide(id),
                       "state", network_state_name((DWORD)GetClusterNetworkState(network))));
    CloseClusterNetwork(network);
    return j;
}

static json_t *describe_interface(struct cli *cli, const char *name)
{
    WCHAR *wide = widen(name);
    HNETINTERFACE interface = OpenClusterNetInterface(cli->cluster, wide);
    free(wide);
    if (!interface)
        return NULL;
    json_t *j =
        must(json_pack("{s:s, s:s, s:s}", "kind", "interface", "name", name, "state",
                       netinterface_state_name((DWORD)GetClusterNetInterfaceState(interface))));
    CloseClusterNetInterface(interface);
    return j;
}

static int list_all(struct cli *cli, DWORD type, json_t *(*describe)(struct cli *, const char *),
                    json_t *out)
{
    json_t *names = cluster_names(cli, type);
    if (!names)
        return cli_last_error(cli, "cannot list", "networks");
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        json_t *one = describe(cli, json_string_value(name));
        if (one) /* else it is gone meanwhile */
            json_array_append_new(out, one);
    }
    json_decref(names);
    return EXIT_DONE;
}

static int list(struct cli *cli, int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return cli_usage(cli, "list takes no arguments");
    json_t *all = must(json_array());
    int exit_code = list_all(cli, CLUSTER_ENUM_NETWORK, describe_network, all);
    if (exit_code == EXIT_DONE)
        exit_code = list_all(cli, CLUSTER_ENUM_NETINTERFACE, describe_interface, all);
    if (exit_code != EXIT_DONE) {
        json_decref(all);
        return exit_code;
    }
    return print_list(
        cli, "networks", all,
        (struct column[]){{"KIND", "kind"}, {"NAME", "name"}, {"STATE", "state"}, {NULL, NULL}});
}

static int show(struct cli *cli, int argc, char **argv)
{
    if (argc != 2)
        return cli_usage(cli, "show NETWORK-OR-INTERFACE");
    json_t *j = describe_network(cli, argv[1]);
    if (!j)
        j = describe_interface(cli, argv[1]);
    return j ? print_object(cli, j) : cli_last_error(cli, "cannot open", argv[1]);
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct verb verbs[] = {{"list", list}, {"show", show}, {NULL, NULL}};
    return cli_run_verb(cli, verbs, argc, argv);
}

const struct command command_network = {
    .name = "network",
    .arguments = "list | show NAME",
    .summary = "networks and the nodes' interfaces in them",
    .run = run,
};
