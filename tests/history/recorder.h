/* SPDX-License-Identifier: MIT */
#ifndef TESTS_HISTORY_RECORDER_H
#define TESTS_HISTORY_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes what a program does to a history: one JSON object a line, at the begin and at the end of
 * each call. It stands in front of the library (record_calls.c) and, in the service, in front of
 * SQLite (record_service.c): LD_PRELOAD, and CLUSPORT_HISTORY names the folder.
 *
 * t: CLOCK_MONOTONIC in ns; p: process; n: the call's number in it, on both lines; i: thread and
 * f: function, on the first; r: result, on the second. README.md has the rest. */

#define BYTES_MOST 512

struct line {
    uint64_t call;
    size_t used;
    char text[12288];
};

bool is_recording(void);
void line_begin(struct line *l, const char *function);
void line_end(struct line *l, uint64_t result);
void line_write(struct line *l);

void put_number(struct line *l, const char *name, uint64_t value);
void put_handle(struct line *l, const char *name, const void *handle);
void put_bytes(struct line *l, const char *name, const void *data, size_t size); /* and "size" */
void put_wide(struct line *l, const char *name, const void *text); /* of the program's width */
void put_plain(struct line *l, const char *name, const char *text);
size_t recorded_wide_size(void);

void *find_next(const char *function); /* the one that the recorder stands in front of */
int open_history(const char *ending);  /* another file of this process's */
void write_whole(int fd, const void *data, size_t size);
void record_service_start(void);

#endif
