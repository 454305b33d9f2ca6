/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STORM_STORM_H
#define TESTS_STORM_STORM_H

#include <stdint.h>

#include "storm/program.h"
#include "support/campaign.h"

/* A storm: random changes, and ports with random registrations that read them in every way there
 * is, while the service is killed and the readers are held up. The driver (main.c) runs one program
 * that changes and some that read, one of them over plain RPC (wire.c), tells them by their
 * standard input what to do next, and hears of it by their standard output. Everything random comes
 * from the seed. */

/* The last change of all: a group of that name. Every port has a registration for it. */
#define THE_END L"the end"
#define END_KEY 999

/* To a program that changes: that many changes, or the end. It answers each with one byte. */
#define TELL_CHANGE 'c'
#define TELL_END 'e'
/* To a program that reads: those who pause go on; nobody pauses any more. It writes one byte when
 * its ports are there, and exits with 0 when each has been told of the end. */
#define TELL_GO_ON 'g'
/* To the one that reads over RPC (wire.c): the service was started again; and, before the end is
 * made: nobody pauses any more. It answers by one byte when each port is one of that service's. */
#define TELL_LIFE 'l'
#define TELL_SETTLE 's'

int run_changer(uint64_t seed);
int run_reader(uint64_t seed);

#endif
