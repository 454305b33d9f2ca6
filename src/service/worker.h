/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_WORKER_H
#define SERVICE_WORKER_H

#include <systemd/sd-event.h>

/* One thread for what blocks on the disk. Jobs run there in the order they were given; their end
 * is told on the loop. All functions are called on the loop's thread. */
struct worker;

/* Embedded in what the job works on; the caller's until done() was called. */
struct worker_job {
    void (*run)(struct worker_job *job);  /* on the worker's thread */
    void (*done)(struct worker_job *job); /* on the loop; the job may be given again */
    struct worker_job *next;
};

int worker_create(sd_event *loop, const char *name, struct worker **ret); /* 0 or -errno */
void worker_give(struct worker *w, struct worker_job *job);               /* cannot fail */
/* Waits for the job that runs; done() is called for every job that was given, run or not. NULL is
 * fine. */
void worker_destroy(struct worker *w);

#endif
