/* SPDX-License-Identifier: MIT */
#ifndef TESTS_DURABLE_AUDIT_H
#define TESTS_DURABLE_AUDIT_H

#include <stdint.h>

#include "load.h"

/* Holds what a dead service's journal says against what programs were told, time after time:
 * - SQLite's own check; revisions are dense; a revision is the same change as at any audit before;
 * - every operation that was acknowledged is there, once, and a writer's are in its order; none
 *   that was refused is;
 * - every change that a reader was told of is there, as it was told;
 * - the objects' rows are what the changes add up to. */

struct audit;

struct audit *audit_make(void);
void audit_free(struct audit *a); /* NULL is fine */
/* The journal in that folder; no service may run on it. NULL when all is well; else what is wrong:
 * the caller's. */
char *audit_run(struct audit *a, const char *state_folder, struct load *l);
/* `clusport status` shows that revision, and that it is of a service that does not answer. */
void assert_status_is_stale(const char *state_folder, uint64_t revision);
uint64_t audit_last_revision(const struct audit *a);
uint64_t audit_operations(const struct audit *a); /* found so far */

#endif
