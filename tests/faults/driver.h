/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FAULTS_DRIVER_H
#define TESTS_FAULTS_DRIVER_H

#include "faults/injector.h"

/* Runs a task again and again, with the 1st call of a class made to fail, the 2nd, the 3rd, until a
 * run meets no fault; alone, and with every later one. `make campaign` takes every case, in several
 * processes; else there is a limit of cases for each task, spread over all of them from a place
 * that the seed gives. */

struct fault_task {
    const char *name;
    void (*before)(void); /* without faults; NULL: nothing */
    void (*body)(void);
    void (*after)(void); /* without faults again: what must be true; lets go of everything */
    unsigned classes;    /* bits of enum fault_class */
    unsigned most_usual; /* cases of each class in a run that is not the campaign's; 0: every n */
    unsigned only_once; /* classes whose failures do not last: what a client meets then is a hang */
    /* Of all that it makes in the page's process no descriptor is held after it; and no memory,
     * when that is this process. */
    bool leaves_nothing;
};

#define FAULTS_ALL ((1u << FAULT_CLASS_COUNT) - 1)
#define FAULTS_CLIENT (FAULTS_ALL & ~(1u << FAULT_SQLITE))

/* Starts the program anew with the injector in front, if it is not yet. First in main(). */
void faults_begin(char *argv[]);
/* In a campaign, returns in several processes, each of which runs its share of every task's cases:
 * before the first task and the service. This process ends with what came of all of them. */
void faults_share(void);
/* The page of this program itself. */
struct fault_page *faults_own_page(void);
void faults_spare_this_thread(bool spare);
/* A page for another process: environment variables for it, "NAME=value", NULL at the end. */
struct fault_page *faults_shared_page(const char *ret_environment[3]);

/* Leaves nothing armed. Which tasks run: all, or the one that CLUSPORT_TASK names; a campaign
 * begins each class with call CLUSPORT_NTH. */
void faults_run(struct fault_page *page, const struct fault_task *task);
uint32_t faults_hit(void); /* calls that failed, in the run under way */

/* Ends the program, with all that is known of the case. */
#define EXPECT(condition, ...)                                                                     \
    ((condition) ? (void)0 : faults_fail(__FILE__, __LINE__, #condition, __VA_ARGS__))
_Noreturn void faults_fail(const char *file, int line, const char *condition, const char *format,
                           ...) __attribute__((format(printf, 4, 5)));
#define EXPECT_CODE(code, expected)                                                                \
    do {                                                                                           \
        unsigned code_ = (code), expected_ = (expected);                                           \
        EXPECT(code_ == expected_, "%s is %u, not %u", #code, code_, expected_);                   \
    } while (0)

#endif
