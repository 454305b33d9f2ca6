/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const struct command *const commands[] = {
    &command_status, &command_watch,   &command_wait,     &command_group, &command_resource,
    &command_node,   &command_network, &command_registry, &command_ports, &command_version,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
    puts("Usage: clusport [--socket PATH] [--format text|json] COMMAND ...\n"
         "\n"
         "Shows, changes and watches a cluster.\n"
         "\n"
         "Commands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n"
         "Options:\n"
         "  --socket PATH        the service's socket (default: $CLUSPORT_SOCKET, then\n"
         "                       /run/clusport/clusport.sock)\n"
         "  --format text|json   for people, or for programs; also after the command\n"
         "  --help, --version\n"
         "\n"
         "Exit codes: 0 done or true, 1 error, 2 usage, 3 false, 124 timed out.\n"
         "`clusport COMMAND --help` says more.");
}

static void print_command_help(const struct command *command)
{
    printf("Usage: clusport %s %s\n\n%s\n", command->name, command->arguments, command->summary);
    if (command->help)
        printf("\n%s\n", command->help);
}

static void complain(const struct cli *cli, const char *format, va_list args)
{
    fputs("clusport: ", stderr);
    if (cli->command)
        fprintf(stderr, "%s: ", cli->command->name);
    vfprintf(stderr, format, args);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(cli, format, args);
    va_end(args);
    fprintf(stderr, "\nTry 'clusport %s%s--help'.\n", cli->command ? cli->command->name : "",
            cli->command ? " " : "");
    return EXIT_USAGE;
}

int cli_fail(const struct cli *cli, DWORD error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(cli, format, args);
    va_end(args);

    WCHAR *message = NULL;
    if (error != ERROR_SUCCESS &&
        FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER |
                           FORMAT_MESSAGE_IGNORE_INSERTS,
                       NULL, error, 0, (LPWSTR)&message, 0, NULL) > 0) {
        char *text = narrow(message);
        text[strcspn(text, "\r\n")] = '\0';
        fprintf(stderr, ": %s (error %u)\n", text, (unsigned)error);
        free(text);
        LocalFree(message);
    } else if (error != ERROR_SUCCESS) {
        fprintf(stderr, ": error %u\n", (unsigned)error);
    } else {
        fputc('\n', stderr);
    }
    return EXIT_ERROR;
}

int cli_last_error(const struct cli *cli, const char *what, const char *name)
{
    return cli_fail(cli, GetLastError(), "%s '%s'", what, name);
}

int cli_open(struct cli *cli)
{
    if (cli->cluster)
        return 0;
    cli->cluster = OpenCluster(NULL);
    if (cli->cluster)
        return 0;
    const char *socket = getenv("CLUSPORT_SOCKET");
    return cli_fail(cli, GetLastError(), "no cluster at %s",
                    socket ? socket : "/run/clusport/clusport.sock");
}

/* A mistyped option must not become the name of something. 0, or an exit code. */
static int refuse_options(const struct cli *cli, int *argc, char **argv)
{
    for (int i = 1; i < *argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            continue;
        if (argv[i][2] != '\0')
            return cli_usage(cli, "'%s' is not understood", argv[i]);
        memmove(argv + i, argv + i + 1, (size_t)(*argc - i) * sizeof(*argv));
        (*argc)--;
        return 0;
    }
    return 0;
}

int cli_run_verb(struct cli *cli, const struct verb *verbs, int argc, char **argv)
{
    if (argc < 2)
        return cli_usage(cli, "what is to be done?");
    for (; verbs->name; verbs++)
        if (strcmp(verbs->name, argv[1]) == 0) {
            argc--;
            argv++;
            int exit_code = verbs->has_options ? 0 : refuse_options(cli, &argc, argv);
            if (exit_code == 0)
                exit_code = cli_open(cli);
            return exit_code ? exit_code : verbs->run(cli, argc, argv);
        }
    return cli_usage(cli, "there is no '%s'", argv[1]);
}

/* Options that may stand anywhere are taken out of argv, up to "--". 0, or an exit code (-1: help).
 */
static int take_global_options(struct cli *cli, int *argc, char **argv)
{
    int kept = 1, i;
    for (i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
        char *value = NULL;
        bool format = strncmp(argv[i], "--format", 8) == 0,
             socket = strncmp(argv[i], "--socket", 8) == 0,
             state = strncmp(argv[i], "--state", 7) == 0;
        size_t length = state ? 7 : 8;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return -1;
        if ((format || socket || state) && argv[i][length] == '=')
            value = argv[i] + length + 1;
        else if ((format || socket || state) && argv[i][length] == '\0' && i + 1 < *argc)
            value = argv[++i];
        else if ((format || socket || state) && argv[i][length] == '\0')
            return cli_usage(cli, "%s needs a value", argv[i]);
        if (!value) {
            argv[kept++] = argv[i];
            continue;
        }
        if (format && strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
            return cli_usage(cli, "--format is text or json, not '%s'", value);
        if (format)
            cli->json = strcmp(value, "json") == 0;
        else if (socket)
            setenv("CLUSPORT_SOCKET", value, 1);
        else
            cli->state = value;
    }
    for (; i < *argc; i++)
        argv[kept++] = argv[i];
    argv[kept] = NULL;
    *argc = kept;
    return 0;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    if (!setlocale(LC_ALL, "C.UTF-8"))
        setlocale(LC_ALL, "");
    struct cli cli = {.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};

    for (int i = 1; i < argc && !cli.command; i++) {
        if (strcmp(argv[i], "--socket") == 0 || strcmp(argv[i], "--format") == 0 ||
            strcmp(argv[i], "--state") == 0)
            i++;
        else if (argv[i][0] != '-')
            cli.command = find_command(argv[i]);
    }
    int r = take_global_options(&cli, &argc, argv);
    if (r == -1) {
        if (cli.command)
            print_command_help(cli.command);
        else
            print_help();
        return EXIT_DONE;
    }
    if (r)
        return r;
    if (argc < 2) {
        print_help();
        return EXIT_USAGE;
    }
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    cli.command = find_command(name);
    if (!cli.command)
        return cli_usage(&cli, "there is no command '%s'", argv[1]);

    int exit_code = cli.command->run(&cli, argc - 1, argv + 1);
    if (cli.cluster)
        CloseCluster(cli.cluster);
    return exit_code;
}
