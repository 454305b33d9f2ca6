/* SPDX-License-Identifier: MIT */
#include "storm/storm.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/service.h"

/* The driver of a storm. */

#define READERS 4
#define WIRE (READERS - 1) /* the one that reads over RPC */
#define FIRST_CHANGES 40

static uint64_t present_seed;

struct storm {
    struct test_service *service;
    struct test_random random;
    struct program changer, readers[READERS];
};

/* Some changes, and somewhere between them what else may happen. */
static void one_step(struct storm *s)
{
    uint32_t changes = 1 + random_below(&s->random, 20), before;
    struct program *reader = &s->readers[random_below(&s->random, READERS)];

    before = random_below(&s->random, changes);
    for (uint32_t i = 0; i < changes; i++)
        program_tell(&s->changer, TELL_CHANGE);
    for (uint32_t i = 0; i < before; i++)
        CHECK(program_answers(&s->changer));
    switch (random_below(&s->random, 6)) {
    case 0:
        service_restart(s->service);
        program_tell(&s->readers[WIRE], TELL_LIFE);
        break;
    case 1:
        program_hold(reader, true);
        break;
    case 2:
        program_hold(reader, false);
        break;
    case 3:
        program_tell(reader, TELL_GO_ON);
        break;
    }
    for (uint32_t i = before; i < changes; i++)
        CHECK(program_answers(&s->changer));
}

static void start_all(struct storm *s, uint64_t seed)
{
    static const char *const keep[] = {"50", "500", "1000000"};
    const char *const args[] = {
        "--feed-size", "64K", "--keep-changes", keep[random_below(&s->random, 3)], "--log-level",
        "info",        NULL};

    s->service = service_start(args);
    s->changer = program_start("changer", seed);
    for (int i = 0; i < FIRST_CHANGES; i++) {
        program_tell(&s->changer, TELL_CHANGE);
        CHECK(program_answers(&s->changer));
    }
    for (uint64_t i = 0; i < WIRE; i++)
        s->readers[i] = program_start("reader", seed * WIRE + i);
    s->readers[WIRE] = program_start_other(built_path("tests/storm/storm-wire"), "wire", seed);
    for (int i = 0; i < READERS; i++)
        CHECK(program_answers(&s->readers[i]));
}

static void storm(uint64_t seed, uint64_t steps)
{
    struct storm s = {.random = random_of(seed)};

    start_all(&s, seed);
    for (uint64_t i = 0; i < steps; i++)
        one_step(&s);
    for (int i = 0; i < READERS; i++)
        program_hold(&s.readers[i], false);
    program_tell(&s.readers[WIRE], TELL_SETTLE);
    CHECK(program_answers(&s.readers[WIRE]));
    program_tell(&s.changer, TELL_END);
    CHECK(program_answers(&s.changer));
    for (int i = 0; i < READERS; i++)
        program_tell(&s.readers[i], TELL_END);
    for (int i = 0; i < READERS; i++)
        program_wait_for_end(&s.readers[i]);
    close(s.changer.to);
    s.changer.to = -1;
    program_wait_for_end(&s.changer);
    service_stop(s.service);
}

static void say_seed(void)
{
    if (present_seed)
        fprintf(stderr, "repeat with CLUSPORT_SEED=%" PRIu64 " CLUSPORT_ROUNDS=1\n", present_seed);
}

int main(int argc, char *argv[])
{
    if (argc == 3)
        return (strcmp(argv[1], "changer") == 0 ? run_changer
                                                : run_reader)(strtoull(argv[2], NULL, 10));

    uint64_t first = campaign_seed(1), rounds = campaign_rounds(argc > 1 ? 1 : 3, 300);
    uint64_t steps = argc > 1 ? 12 : 40;
    signal(SIGPIPE, SIG_IGN);
    atexit(say_seed);
    for (present_seed = first; present_seed < first + rounds; present_seed++) {
        printf("seed %" PRIu64 "\n", present_seed);
        fflush(stdout);
        storm(present_seed, steps);
    }
    present_seed = 0;
    return 0;
}
