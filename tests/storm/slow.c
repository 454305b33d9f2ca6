/* SPDX-License-Identifier: MIT */
#include <clusport.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storm/program.h"
#include "support/service.h"

/* A thousand ports that nobody reads, for which every change matches, and half of whose programs
 * are stopped: the service holds nothing for them, and who changes does not wait for them. */

#define PROGRAMS 4
#define PORTS 250
#define CHANGES 1000
#define VALUE_SIZE 1024
/* A queue of even 4 bytes an event would be more than that. */
#define MOST_GROWTH_KIB (PROGRAMS * PORTS * CHANGES / 1024 * 4)
#define MOST_FOR_A_PORT 1024

/* What this process holds for itself alone, in KiB. */
static long private_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            break;
    fclose(f);
    CHECK(kib > 0);
    return kib;
}

static void change(HKEY key, DWORD times)
{
    static BYTE data[VALUE_SIZE];

    for (DWORD i = 0; i < times; i++) {
        data[0]++;
        data[1] = (BYTE)(i >> 8);
        CHECK(ClusterRegSetValue(key, L"v", REG_BINARY, data, sizeof data) == ERROR_SUCCESS);
    }
}

/* Reads one port to the change that was made last, at which all is told or reported lost. */
static void read_all(HCHANGE port, ULONGLONG from, ULONGLONG last)
{
    CLUSPORT_NOTIFICATION *n = NULL;

    for (ULONGLONG revision = from; revision < last;) {
        CHECK(ClusportGetNotification(port, PROGRAM_WAIT_MS, &n) == ERROR_SUCCESS);
        if (n->ullLostFirst != 0) {
            CHECK(n->ullLostFirst == revision + 1);
            revision = n->ullLostLast;
        } else {
            CHECK(n->ullRevision == revision + 1);
            revision++;
        }
        ClusportFreeNotification(n);
    }
}

/* Makes its ports, says so, and when it is told to, reads the first of them to the end. */
static int run_stalled(void)
{
    static HCHANGE ports[PORTS];
    HCLUSTER cluster = OpenCluster(NULL);
    ULONGLONG from = 0, last = 0;
    char told;

    CHECK(cluster != NULL);
    CHECK(ClusportGetRevision(cluster, &from) == ERROR_SUCCESS);
    long before = private_kib(getpid());
    for (int i = 0; i < PORTS; i++)
        CHECK(ClusportCreatePort(cluster, NULL, 0, NULL, &ports[i]) == ERROR_SUCCESS);
    fprintf(stderr, "%ld bytes a port in its program\n",
            (private_kib(getpid()) - before) * 1024 / PORTS);
    CHECK(write(STDOUT_FILENO, "r", 1) == 1);
    CHECK(read(STDIN_FILENO, &told, 1) == 1);
    CHECK(ClusportGetRevision(cluster, &last) == ERROR_SUCCESS);
    CHECK(last >= from + CHANGES);
    read_all(ports[0], from, last);
    for (int i = 0; i < PORTS; i++)
        CHECK(CloseClusterNotifyPort(ports[i]));
    CloseCluster(cluster);
    return 0;
}

/* The changes have a program too: the driver must be able to fork. */
static int run_changer(void)
{
    HCLUSTER cluster = OpenCluster(NULL);
    HKEY root, key = NULL;
    char told;

    CHECK(cluster != NULL);
    root = GetClusterKey(cluster, KEY_ALL_ACCESS);
    CHECK(ClusterRegCreateKey(root, L"Key", 0, KEY_ALL_ACCESS, NULL, &key, NULL) == ERROR_SUCCESS);
    while (read(STDIN_FILENO, &told, 1) == 1) {
        change(key, CHANGES);
        CHECK(write(STDOUT_FILENO, &told, 1) == 1);
    }
    ClusterRegCloseKey(key);
    ClusterRegCloseKey(root);
    CloseCluster(cluster);
    return 0;
}

static void change_and_wait(const struct program *changer)
{
    program_tell(changer, 'c');
    CHECK(program_answers(changer));
}

static void stall(struct test_service *service)
{
    struct program changer = program_start("changer", 0), stalled[PROGRAMS];

    change_and_wait(&changer); /* what it needs anyway, its database's cache above all */
    long idle = private_kib(service_pid(service));
    for (int i = 0; i < PROGRAMS; i++)
        stalled[i] = program_start("stalled", 0);
    for (int i = 0; i < PROGRAMS; i++)
        CHECK(program_answers(&stalled[i]));
    for (int i = 0; i < PROGRAMS / 2; i++)
        program_hold(&stalled[i], true);
    long with_ports = private_kib(service_pid(service));
    change_and_wait(&changer);
    long after = private_kib(service_pid(service));
    printf("service: %ld KiB, with %d ports %ld KiB (%ld bytes each), after %d changes %ld KiB\n",
           idle, PROGRAMS * PORTS, with_ports, (with_ports - idle) * 1024 / (PROGRAMS * PORTS),
           CHANGES, after);
    CHECK((with_ports - idle) * 1024 / (PROGRAMS * PORTS) < MOST_FOR_A_PORT);
    CHECK(after - with_ports < MOST_GROWTH_KIB);
    for (int i = 0; i < PROGRAMS; i++) {
        program_hold(&stalled[i], false);
        program_tell(&stalled[i], 'r');
        program_wait_for_end(&stalled[i]);
    }
    close(changer.to);
    changer.to = -1;
    program_wait_for_end(&changer);
}

int main(int argc, char *argv[])
{
    static const char *const args[] = {"--feed-size", "64K", "--keep-changes", "500", "--log-level",
                                       "info",        NULL};

    if (argc == 3)
        return strcmp(argv[1], "changer") == 0 ? run_changer() : run_stalled();
    struct test_service *service = service_start(args);
    stall(service);
    service_stop(service);
    return 0;
}
