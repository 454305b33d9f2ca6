/* SPDX-License-Identifier: MIT */
#include "support/campaign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    char *end = NULL;
    if (!text || !*text)
        return otherwise;
    errno = 0;
    uint64_t value = strtoull(text, &end, 0);
    if (errno != 0 || *end != '\0') {
        fprintf(stderr, "%s=%s is not a number\n", name, text);
        exit(2);
    }
    return value;
}

bool campaign_runs(void)
{
    return getenv("CLUSPORT_CAMPAIGN") != NULL;
}

uint64_t campaign_rounds(uint64_t usual, uint64_t in_campaign)
{
    return from_environment("CLUSPORT_ROUNDS", campaign_runs() ? in_campaign : usual);
}

uint64_t campaign_seed(uint64_t usual)
{
    return from_environment("CLUSPORT_SEED", usual);
}

/* splitmix64: neighbouring seeds give unrelated sequences. */
struct test_random random_of(uint64_t seed)
{
    return (struct test_random){seed};
}

uint64_t random_next(struct test_random *r)
{
    uint64_t z = r->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

uint32_t random_below(struct test_random *r, uint32_t limit)
{
    return (uint32_t)(((random_next(r) >> 32) * limit) >> 32);
}

bool random_one_in(struct test_random *r, uint32_t n)
{
    return random_below(r, n) == 0;
}
