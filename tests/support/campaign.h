/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_CAMPAIGN_H
#define TESTS_SUPPORT_CAMPAIGN_H

#include <stdbool.h>
#include <stdint.h>

/* A test with two sizes: the usual one of `make check`, and that of `make campaign`, which runs the
 * tests of the suite "campaign" for as long as they take. */

bool campaign_runs(void); /* CLUSPORT_CAMPAIGN is set */
/* CLUSPORT_ROUNDS, when it is set, is instead of either. */
uint64_t campaign_rounds(uint64_t usual, uint64_t in_campaign);
/* CLUSPORT_SEED repeats one case; else `usual`. A test prints its seed when it fails. */
uint64_t campaign_seed(uint64_t usual);

/* Repeatable random numbers: the same seed gives the same ones everywhere. */
struct test_random {
    uint64_t state;
};

struct test_random random_of(uint64_t seed);
uint64_t random_next(struct test_random *r);
uint32_t random_below(struct test_random *r, uint32_t limit); /* 0 <= result < limit */
bool random_one_in(struct test_random *r, uint32_t n);

#endif
