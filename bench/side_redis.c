/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "side.h"

/* Redis pub/sub over its unix socket, the fastest it has; nothing is written to disk. */

static const char publish_command[] =
    "*3\r\n$7\r\nPUBLISH\r\n$5\r\nstate\r\n$15\r\nCluster Disk 12\r\n";
static const char subscribe_command[] = "*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\nstate\r\n";
static const char subscribed[] = "*3\r\n$9\r\nsubscribe\r\n$5\r\nstate\r\n:1\r\n";
static const char message[] = "*3\r\n$7\r\nmessage\r\n$5\r\nstate\r\n$15\r\nCluster Disk 12\r\n";

static char *folder;
static char socket_path[256];
static pid_t server;
static int publisher, watcher;

static void read_exactly(int fd, const char *wanted)
{
    char data[256];
    size_t size = strlen(wanted), have = 0;
    while (have < size) {
        ssize_t n = read(fd, data + have, size - have);
        if (n <= 0)
            fail("redis: connection lost");
        have += (size_t)n;
    }
    if (memcmp(data, wanted, size) != 0)
        fail("redis: %.*s", (int)size, data);
}

static void write_all(int fd, const char *data, size_t size)
{
    if (write(fd, data, size) != (ssize_t)size)
        fail("redis: cannot write");
}

static void start(void)
{
    char log[256];
    folder = make_folder("/tmp");
    snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
    snprintf(log, sizeof(log), "%s/log", folder);
    const char *argv[] = {
        "redis-server", "--port", "0",     "--unixsocket", socket_path,    "--save", "",
        "--appendonly", "no",     "--dir", folder,         "--maxclients", "20000",  NULL};
    server = start_program(argv, log);
    publisher = connect_unix(socket_path);
}

static void stop(void)
{
    close(publisher);
    end_program(server);
    remove_folder(folder);
}

static void subscribe(void)
{
    watcher = connect_unix(socket_path);
    write_all(watcher, subscribe_command, strlen(subscribe_command));
    read_exactly(watcher, subscribed);
}

static void wait_for_one(void)
{
    read_exactly(watcher, message);
}

static void publish(void)
{
    write_all(publisher, publish_command, sizeof(publish_command) - 1);
}

/* How many were told: ":N\r\n". */
static void published(void)
{
    char reply[32];
    ssize_t n = read(publisher, reply, sizeof(reply));
    if (n < 4 || reply[0] != ':')
        fail("redis: no answer");
}

const struct side side_redis = {.name = "Redis pub/sub",
                                .program = "redis-server",
                                .start = start,
                                .stop = stop,
                                .subscribe = subscribe,
                                .wait = wait_for_one,
                                .publish = publish,
                                .published = published};
