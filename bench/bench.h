/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the measures share. A measure compares sides in one run: it does a little with each in turn,
 * many times over, so that whatever else the machine does hits all of them. Anything unexpected
 * ends the program. */

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- how much, and where ---- */

struct bench_options {
    bool smoke;         /* only whether it runs: the fewest rounds, no peers */
    const char *folder; /* on the disk to be measured */
};
extern struct bench_options bench_options;

unsigned usual_or(unsigned usual, unsigned smoke);

/* Both sides on one CPU, or one on each of two. */
enum cpus { CPUS_ONE = 1, CPUS_TWO = 2 };
enum place { PLACE_FIRST, PLACE_SECOND, PLACE_BOTH };
void place(enum cpus cpus,
           enum place where); /* the calling thread and what it makes from here on */

/* ---- time ---- */

int64_t now_ns(void);
void pause_ns(int64_t ns);

/* ---- numbers ---- */

struct samples {
    double *values;
    size_t count, capacity;
};

void samples_add(struct samples *s, double value);
void samples_fini(struct samples *s);
double samples_quantile(struct samples *s, double q); /* sorts them */

/* One line of the result. `ratio` is this side's to the reference's, 0: there is none. */
struct line {
    const char *measure, *side, *unit;
    enum cpus cpus; /* 0: it does not matter */
    double median, least, most;
    double ratio;
    const char *of;     /* what the ratio is of */
    const char *wanted; /* the target in words; NULL: none */
    bool reached;
};

void report(const struct line *l);
/* Median, least and most of the samples, and those of the reference (NULL: none). */
struct line line_of(const char *measure, enum cpus cpus, const char *side, const char *unit,
                    struct samples *s, struct samples *reference, const char *of);
struct line line_with_target(struct line l, bool reached, const char *wanted);
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
int report_json(const char *path); /* all lines so far */

/* ---- processes, ended by their id ---- */

pid_t start_program(const char *const argv[], const char *log_path);
void end_program(pid_t pid); /* SIGTERM, and waits */
/* fork(), and the child dies with us. */
pid_t start_child(void);
char *make_folder(const char *parent); /* malloc'ed */
void remove_folder(char *path);        /* frees it */
unsigned short free_port(void);        /* a TCP port on the loopback that nobody uses */
int connect_tcp(unsigned short port);  /* waits for the server to be there */
int connect_unix(const char *path);
bool is_installed(const char *program); /* says so when it is not */
void *shared_memory(size_t size);       /* for us and our children; zeroes */

void futex_wake(const void *word, uint32_t bits);
void futex_wait(const void *word, uint32_t value, uint32_t bits);

/* ---- the measures ---- */

void measure_told(void);    /* one watcher: told.c */
void measure_all(void);     /* N watchers: told.c */
void measure_publish(void); /* idle ports: publish.c */
void measure_drain(void);   /* backlog.c */
void measure_catch_up(void);
void measure_durable(void);
void measure_memory(void);
void measure_stalled(void);

#endif
