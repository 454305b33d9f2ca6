/* SPDX-License-Identifier: MIT */
#include "cli.h"

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return cli_usage(cli, "it takes no arguments");
    json_t *versions =
        must(json_pack("{s:s, s:s}", "clusport", VERSION, "library", ClusportVersion()));
    CLUSPORT_SERVICE_INFO info = {.cbSize = sizeof(info)};
    cli->cluster = OpenCluster(NULL);
    if (cli->cluster && ClusportGetServiceInfo(cli->cluster, &info) == ERROR_SUCCESS)
        json_object_set_new(versions, "service", json_string(info.szVersion));
    return print_object(cli, versions);
}

const struct command command_version = {
    .name = "version",
    .arguments = "",
    .summary = "of this program, the library and the running service",
    .run = run,
};
