/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/macro.h"
#include "engine/embedded/internal.h"

#define KEY_SIZE 24
#define ACCURACY_US 1000

struct timer {
    struct timers *timers;
    uint64_t id;
    sd_event_source *source;
};

static const char *key_of(uint64_t id, char out[KEY_SIZE])
{
    snprintf(out, KEY_SIZE, "%" PRIu64, id);
    return out;
}

static void timer_free(struct timer *t)
{
    if (!t)
        return;
    sd_event_source_disable_unref(t->source);
    free(t);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct timer *t = userdata;
    struct reports *reports = t->timers->reports;
    struct model_input in = {.kind = INPUT_TIMER, .operation = t->id};

    (void)source;
    (void)usec;
    timers_cancel(t->timers, t->id);
    reports_submit(reports, &in, REASON_ENGINE);
    return 0;
}

int timers_start(struct timers *t, uint64_t id, uint32_t delay_ms)
{
    struct timer *timer = calloc(1, sizeof(*timer));
    char key[KEY_SIZE];
    int r;

    if (!timer)
        return -ENOMEM;
    timer->timers = t;
    timer->id = id;
    if (!t->running)
        t->running = map_create();
    /* A node that slept was away: time passes meanwhile. */
    r = t->running
            ? sd_event_add_time_relative(t->reports->options->loop, &timer->source, CLOCK_BOOTTIME,
                                         (uint64_t)delay_ms * 1000, ACCURACY_US, on_timer, timer)
            : -ENOMEM;
    if (r >= 0)
        r = map_put(t->running, key_of(id, key), timer);
    if (r < 0)
        timer_free(timer);
    return MIN(r, 0);
}

void timers_cancel(struct timers *t, uint64_t id)
{
    char key[KEY_SIZE];

    if (t->running)
        timer_free(map_remove(t->running, key_of(id, key)));
}

void timers_stop(struct timers *t)
{
    for (struct map_entry *e = t->running ? map_first(t->running) : NULL; e;
         e = map_next(t->running, e))
        timer_free(e->value);
    map_destroy(t->running);
    t->running = NULL;
}
