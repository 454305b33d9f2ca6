/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_SERVICE_H
#define TESTS_SUPPORT_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

/* A real clusportd of the test's own, in a scratch folder. Any failure prints the service's log and
 * ends the test program with exit code 1: a test cannot go on without its service. The service dies
 * with the test program. */

struct test_service;

/* Cluster "testcluster", node "node1", no kernel links unless extra_args says --networks.
 * extra_args ends with NULL and may itself be NULL. Returns when the service is ready.
 * CLUSPORT_SOCKET points at it. */
struct test_service *service_start(const char *const extra_args[]);
void service_stop(struct test_service *s);  /* SIGTERM, exit code 0 wanted; the folder is removed */
void service_kill(struct test_service *s);  /* SIGKILL, and gone */
void service_halt(struct test_service *s);  /* SIGTERM, exit code 0 wanted; the folder stays */
void service_again(struct test_service *s); /* starts it on the same folder */
/* Starts it; false: it ended before it was ready, with *ret_status as waitpid() gives it. */
bool service_try(struct test_service *s, int *ret_status);
/* The signal, and what it ends with. */
int service_signal(struct test_service *s, int signal);
/* It has ended by itself. */
bool service_ended(struct test_service *s, int *ret_status);
void service_forget(struct test_service *s); /* removes its state folder, while it does not run */
/* "NAME=value" for each service that is started from now on; NULL at the end, the caller's. */
void service_environment(const char *const variables[]);
void service_restart(struct test_service *s); /* kill and again */

const char *service_socket(const struct test_service *s);
const char *
service_folder(const struct test_service *s);          /* scratch; state is below it in "state" */
const char *service_log(const struct test_service *s); /* the log file's path */
pid_t service_pid(const struct test_service *s);
int service_pidfd(const struct test_service *s); /* readable when it has ended */

/* A path in the build or source tree. Static memory, a few at a time. */
const char *built_path(const char *relative);
const char *source_path(const char *relative);

/* Runs a program, gives its output (malloc'ed, NUL-terminated) and exit code (128 + signal). */
int run_program(const char *const argv[], char **ret_stdout, char **ret_stderr);

#endif
