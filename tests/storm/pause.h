/* SPDX-License-Identifier: MIT */
#ifndef TESTS_STORM_PAUSE_H
#define TESTS_STORM_PAUSE_H

#include <stdbool.h>

/* Not reading for a while: until the driver says that those who pause go on. */
void pause_a_while(void);
void end_pauses(bool for_good);

#endif
