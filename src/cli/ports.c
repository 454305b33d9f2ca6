/* SPDX-License-Identifier: MIT */
#include "cli.h"

static json_t *port_to_json(const CLUSPORT_PORT *p)
{
    return must(json_pack("{s:i, s:s, s:i, s:i, s:s, s:i, s:i, s:I, s:I, s:I, s:I}", "pid",
                          (int)p->dwPid, "program", p->pszProgram, "uid", (int)p->dwUid, "version",
                          (int)p->dwVersion, "kinds", p->pszKinds, "registrations",
                          (int)p->dwRegistrations, "waiting", (int)p->dwWaiting, "position",
                          (json_int_t)p->ullPosition, "lag", (json_int_t)p->ullLag, "delivered",
                          (json_int_t)p->ullDelivered, "lost", (json_int_t)p->ullLost));
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return cli_usage(cli, "it takes no arguments");
    int exit_code = cli_open(cli);
    if (exit_code != EXIT_DONE)
        return exit_code;
    CLUSPORT_PORT *ports;
    DWORD count, r = ClusportListPorts(cli->cluster, &ports, &count);
    if (r != ERROR_SUCCESS)
        return cli_fail(cli, r, "cannot list the ports");
    json_t *rows = must(json_array());
    for (DWORD i = 0; i < count; i++)
        json_array_append_new(rows, port_to_json(&ports[i]));
    ClusportFreePorts(ports);
    return print_list(cli, "ports", rows,
                      (struct column[]){{"PID", "pid"},
                                        {"PROGRAM", "program"},
                                        {"VERSION", "version"},
                                        {"WAITING", "waiting"},
                                        {"POSITION", "position"},
                                        {"LAG", "lag"},
                                        {"DELIVERED", "delivered"},
                                        {"LOST", "lost"},
                                        {"KINDS", "kinds"},
                                        {NULL, NULL}});
}

const struct command command_ports = {
    .name = "ports",
    .arguments = "",
    .summary = "the notification ports of all programs",
    .help = "WAITING: threads that wait on it. POSITION: the last change that it is done with, "
            "LAG: how many have\n"
            "come since. VERSION 3 is a port of clusport.h. Each process keeps its own counters.",
    .run = run,
};
