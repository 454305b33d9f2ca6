/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "side.h"

/* A signal over a bus of its own. The watcher subscribes through sd-bus, then reads the socket
 * itself, so that not even unmarshalling is counted. */

static const char configuration[] =
    "<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>"
    "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
    "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>"
    "<limit name=\"max_connections_per_user\">5000</limit>"
    "<limit name=\"max_completed_connections\">5000</limit>"
    "<limit name=\"max_incomplete_connections\">5000</limit></busconfig>";

static char *folder;
static char address[256];
static pid_t server;
static sd_bus *publisher, *watcher;
static sd_bus_message *prepared;

static sd_bus *join(void)
{
    sd_bus *bus = NULL;
    if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 ||
        sd_bus_set_bus_client(bus, 1) < 0 || sd_bus_start(bus) < 0)
        fail("dbus: no connection");
    if (sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "GetId", NULL, NULL, NULL) < 0)
        fail("dbus: no answer");
    return bus;
}

static void prepare(void)
{
    if (sd_bus_message_new_signal(publisher, &prepared, "/bench", "org.clusport.Bench", "State") <
            0 ||
        sd_bus_message_append(prepared, "su", "Cluster Disk 12", 2u) < 0)
        fail("dbus: no message");
}

static void start(void)
{
    char path[256], log[256], socket[200], option[300];
    folder = make_folder("/tmp");
    snprintf(socket, sizeof(socket), "%s/socket", folder);
    snprintf(address, sizeof(address), "unix:path=%s", socket);
    snprintf(log, sizeof(log), "%s/log", folder);
    snprintf(path, sizeof(path), "%s/bus.conf", folder);
    FILE *f = fopen(path, "we");
    if (!f)
        fail("dbus: no configuration");
    fprintf(f, configuration, socket);
    fclose(f);
    snprintf(option, sizeof(option), "--config-file=%s", path);
    const char *argv[] = {"dbus-daemon", "--nofork", "--nopidfile", option, NULL};
    server = start_program(argv, log);
    close(connect_unix(socket));
    publisher = join();
    prepare();
}

static void stop(void)
{
    prepared = sd_bus_message_unref(prepared);
    publisher = sd_bus_unref(publisher);
    end_program(server);
    remove_folder(folder);
}

static void subscribe(void)
{
    watcher = join();
    if (sd_bus_match_signal(watcher, NULL, NULL, "/bench", "org.clusport.Bench", "State", NULL,
                            NULL) < 0)
        fail("dbus: no match");
    while (sd_bus_process(watcher, NULL) > 0) /* what came before: NameAcquired */
        ;
    int fd = sd_bus_get_fd(watcher), flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

static void wait_for_one(void)
{
    char data[1024];
    ssize_t n = read(sd_bus_get_fd(watcher), data, sizeof(data));
    if (n <= 0 || !memmem(data, (size_t)n, "Cluster Disk 12", 15))
        fail("dbus: not the signal");
}

static void publish(void)
{
    if (sd_bus_send(publisher, prepared, NULL) < 0 || sd_bus_flush(publisher) < 0)
        fail("dbus: cannot send");
}

static void published(void)
{
    prepared = sd_bus_message_unref(prepared);
    prepare();
}

const struct side side_dbus = {.name = "D-Bus signal",
                               .program = "dbus-daemon",
                               .start = start,
                               .stop = stop,
                               .subscribe = subscribe,
                               .wait = wait_for_one,
                               .publish = publish,
                               .published = published};
