/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "side.h"

/* Core NATS over the loopback, the only way it has; nothing is written to disk. */

static const char hello[] = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n";
static const char publish_command[] = "PUB state 15\r\nCluster Disk 12\r\n";
static const char subscribe_command[] = "SUB state 1\r\nPING\r\n";

static char *folder;
static unsigned short port;
static pid_t server;
static int publisher, watcher;
static char pending[8192];
static size_t have;

/* One line of the protocol, without its end; what follows it stays in `pending`. */
static void next_line(int fd, char *line, size_t room)
{
    char *end;
    while (!(end = memmem(pending, have, "\r\n", 2))) {
        ssize_t n = read(fd, pending + have, sizeof(pending) - have);
        if (n <= 0)
            fail("nats: connection lost");
        have += (size_t)n;
    }
    size_t length = (size_t)(end - pending);
    snprintf(line, room, "%.*s", (int)length, pending);
    have -= length + 2;
    memmove(pending, end + 2, have);
}

static void write_text(int fd, const char *text)
{
    size_t size = strlen(text);
    if (write(fd, text, size) != (ssize_t)size)
        fail("nats: cannot write");
}

static void expect(int fd, const char *wanted)
{
    char line[4096];
    do {
        next_line(fd, line, sizeof(line));
        if (strcmp(line, "PING") == 0)
            write_text(fd, "PONG\r\n");
    } while (strcmp(line, "PING") == 0 || strncmp(line, "INFO", 4) == 0);
    if (strcmp(line, wanted) != 0)
        fail("nats: %s", line);
}

static int join(void)
{
    int fd = connect_tcp(port);
    have = 0;
    write_text(fd, hello);
    expect(fd, "PONG");
    return fd;
}

static void start(void)
{
    char log[256], number[8];
    folder = make_folder("/tmp");
    port = free_port();
    snprintf(number, sizeof(number), "%u", port);
    snprintf(log, sizeof(log), "%s/log", folder);
    const char *argv[] = {"nats-server", "-a", "127.0.0.1", "-p", number, NULL};
    server = start_program(argv, log);
    publisher = join();
}

static void stop(void)
{
    close(publisher);
    end_program(server);
    remove_folder(folder);
}

static void subscribe(void)
{
    watcher = join();
    write_text(watcher, subscribe_command);
    expect(watcher, "PONG");
}

static void wait_for_one(void)
{
    expect(watcher, "MSG state 1 15");
    expect(watcher, "Cluster Disk 12");
}

static void publish(void)
{
    if (write(publisher, publish_command, sizeof(publish_command) - 1) < 0)
        fail("nats: cannot write");
}

const struct side side_nats = {.name = "NATS",
                               .program = "nats-server",
                               .start = start,
                               .stop = stop,
                               .subscribe = subscribe,
                               .wait = wait_for_one,
                               .publish = publish};
