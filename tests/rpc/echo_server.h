/* SPDX-License-Identifier: MIT */
#ifndef TESTS_RPC_ECHO_SERVER_H
#define TESTS_RPC_ECHO_SERVER_H

#include <sys/types.h>

/* A server in a child process whose operations show what the runtime does:
 * OpenCluster, OpenResource (its name is its id), their closes; GetResourceId gives the name;
 * ResourceControl gives the input back; CreateNotify, GetNotify (waits), UnblockGetNotifyCall (ends
 * one waiting call), CloseNotify; OpenFeed sends a descriptor, PublishPorts takes one and gives its
 * first byte as result; ReadJournal gives max_bytes bytes; ServiceInfo says as its last revision
 * how many turns the loop has made. */
struct echo_server {
    char directory[32], path[64];
    pid_t pid;
    int events; /* the server tells: 'w' a call waits, 'g' its caller is gone, 'c' a context closed
                 */
};

void echo_server_start(struct echo_server *s, unsigned most_connections, unsigned most_contexts);
void echo_server_stop(struct echo_server *s); /* fails unless the server ended in order */
void echo_server_kill(struct echo_server *s);
void echo_server_expect(struct echo_server *s, char event); /* waits for it, passing over others */

#endif
