/* SPDX-License-Identifier: MIT */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

/* What an agent prints, line by line into the log; the last word is kept for people. Bounded in
 * every direction: an agent may print without end, and what it left running may hold the pipe. */

#define OUTPUT_LINE_SIZE 512
#define OUTPUT_MAX_LINES 200 /* logged for one operation; the rest is only counted */

struct output {
    const char *resource, *operation; /* borrowed, for the log */
    int fd;
    sd_event_source *source;
    char line[OUTPUT_LINE_SIZE];
    size_t length;
    size_t lines;
    char last[OUTPUT_LINE_SIZE];   /* the last line that said anything */
    char reason[OUTPUT_LINE_SIZE]; /* the last "ocf-exit-reason:" */
};

/* Makes the pipe; the agent's end in *ret_write. 0 or -errno. */
int output_open(struct output *o, sd_event *loop, int *ret_write);
void output_drain(struct output *o); /* reads what is there now, and closes */
const char *output_detail(const struct output *o);
void output_fini(struct output *o);

#endif
