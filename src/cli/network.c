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

static int list(struct cli *cli, int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return cli_usage(cli, "list takes no arguments");
    json_t *networks = cluster_objects(cli, CLUSTER_ENUM_NETWORK, describe_network);
    json_t *interfaces =
        networks ? cluster_objects(cli, CLUSTER_ENUM_NETINTERFACE, describe_interface) : NULL;
    if (!interfaces) {
        json_decref(networks);
        return cli_last_error(cli, "cannot list", "networks");
    }
    json_array_extend(networks, interfaces);
    json_decref(interfaces);
    return print_list(
        cli, "networks", networks,
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
