/* SPDX-License-Identifier: MIT */
#ifndef TESTS_DURABLE_LOAD_H
#define TESTS_DURABLE_LOAD_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Programs that change a cluster, and others that are told of it, while its service dies and comes
 * back. What they know stands in memory of their own that the test shares with them.
 *
 * Each writer does its operations in order, numbered from 0; the number stands in what is changed,
 * so that each change can be known again: by turns a value of the key w<writer>, a group
 * w<writer>-<n> made, a private property of it, its new name r<writer>-<n>, its end. */

#define LOAD_PROCESSES 2
#define LOAD_THREADS 3 /* in each */
#define LOAD_WRITERS (LOAD_PROCESSES * LOAD_THREADS)
#define LOAD_READERS 2
#define LOAD_MOST_OPERATIONS (1u << 18)
#define LOAD_MOST_REVISIONS (1u << 22)

enum load_turn { TURN_VALUE, TURN_GROUP, TURN_PROPERTY, TURN_NAME, TURN_END, TURNS };

enum load_outcome {
    OUTCOME_NONE,    /* not yet, or nobody knows: the service died under it */
    OUTCOME_DONE,    /* it was acknowledged */
    OUTCOME_REFUSED, /* plus the error */
};

struct load {
    atomic_bool ending;
    sem_t one_done; /* posted for each operation that was acknowledged */
    sem_t one_refused, one_answered;
    sem_t one_told;  /* ... for each change that a reader was told of */
    sem_t one_ready; /* ... for each writer */
    sem_t end;       /* ... for the readers */
    sem_t granted;   /* operations that may be begun */
    atomic_uint outcomes[LOAD_WRITERS][LOAD_MOST_OPERATIONS];
    atomic_uint begun[LOAD_WRITERS]; /* operations */
    atomic_uint refusals;
    /* What readers were told, by revision: load_fingerprint(); 0: nothing yet. */
    atomic_ullong told[LOAD_MOST_REVISIONS];
    atomic_ullong told_last;
    int processes[LOAD_PROCESSES + 1];
};

/* First in main(): the programs are this one, started again. */
void load_main(int argc, char *argv[]);
struct load *load_start(void); /* CLUSPORT_SOCKET says where; returns when all are at work */
/* Goes on until `count` more are acknowledged; at most LOAD_GRANT are begun from then on. */
#define LOAD_GRANT 600
void load_await_done(struct load *l, uint32_t count); /* count < LOAD_GRANT / 2 */
void load_await_refusal(struct load *l);
void load_await_accepted(struct load *l); /* after refusals: one is acknowledged again */
void load_await_told(struct load *l, uint64_t revision); /* all readers are as far */
void load_stop(struct load *l);                          /* asserts that all ended well */
void load_kill(struct load *l);                          /* wherever they are */

/* Of a change; never 0. */
uint64_t load_fingerprint(uint64_t revision, int64_t time_ns, const char *kind, const char *name);

#endif
