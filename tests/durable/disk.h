/* SPDX-License-Identifier: MIT */
#ifndef TESTS_DURABLE_DISK_H
#define TESTS_DURABLE_DISK_H

#include <stdbool.h>

#include "support/campaign.h"

/* A disk that can lose its power. A service started after disk_attach() has its folder on it:
 * everything that it writes there is known, and what of it was synced. After a cut, what was synced
 * is there; of the rest any part may be: writes in any order, sectors torn, names of files that
 * were made or removed without a sync of their folder. */

struct disk;

enum disk_honesty { DISK_HONEST, DISK_LYING }; /* lying: answers a sync and does not do it */

struct disk *disk_make(void);
void disk_remove(struct disk *d);              /* NULL is fine */
const char *disk_folder(const struct disk *d); /* it is there, and empty at first */
/* For services that are started from now on, until disk_detach(). */
void disk_attach(struct disk *d, enum disk_honesty honesty);
void disk_detach(const struct disk *d);
void disk_fail_syncs(struct disk *d, bool fail);
/* When no service runs any more. How much of what was not synced is there: nothing, all, or what
 * chance leaves. */
enum disk_luck { DISK_NOTHING, DISK_EVERYTHING, DISK_CHANCE };
void disk_cut(struct disk *d, enum disk_luck luck, struct test_random *random);
/* Everything that was written is known: the files are as the log says. */
void assert_disk_is_known(struct disk *d);
/* Copies what is on it. */
void disk_copy(const struct disk *d, const char *to);

#endif
