/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "side.h"

/* The least that telling another process can cost: a store, a wake-up, and a thread that runs. */

static struct {
    _Atomic uint32_t word;
} * shared;
static uint32_t seen;

static void start(void)
{
    shared = shared_memory(sizeof(*shared));
}

static void stop(void)
{
}

static void subscribe(void)
{
    seen = atomic_load(&shared->word);
}

static void wait_for_one(void)
{
    while (atomic_load(&shared->word) == seen)
        futex_wait(&shared->word, seen, 1);
    seen = atomic_load(&shared->word);
}

static void publish(void)
{
    atomic_fetch_add(&shared->word, 1);
    futex_wake(&shared->word, 1);
}

const struct side side_futex = {.name = "bare futex",
                                .start = start,
                                .stop = stop,
                                .subscribe = subscribe,
                                .wait = wait_for_one,
                                .publish = publish};
