/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STORM_PROGRAM_H
#define TESTS_STORM_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A program that a storm's driver starts, this one again in another role, and talks with by single
 * bytes. The driver itself uses no function of the library. */

#define PROGRAM_WAIT_MS 60000 /* only a failure waits so long */

struct program {
    pid_t pid;
    int to, from; /* its standard input and output */
    bool held;
};

struct program program_start(const char *role, uint64_t number);
struct program program_start_other(const char *path, const char *role, uint64_t number);
void program_tell(const struct program *p, char what);
bool program_answers(const struct program *p);   /* one byte; false: it ended */
void program_hold(struct program *p, bool held); /* SIGSTOP, SIGCONT */
void program_wait_for_end(struct program *p);    /* exit code 0 is wanted */

/* Failures end the program with 1. */
#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            check_failed(__FILE__, __LINE__, #x);                                                  \
    } while (0)
_Noreturn void check_failed(const char *file, int line, const char *what);

#endif
