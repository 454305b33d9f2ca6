/* SPDX-License-Identifier: MIT */
#ifndef TESTS_MODEL_REFEREE_H
#define TESTS_MODEL_REFEREE_H

#include "harness.h"
#include "support/campaign.h"

/* What a failover manager owes those who watch it, stated a second time and without its code: from
 * the requests, the changes and the operations it asks for. The referee also plays the machine that
 * the resources run on, so that agents answer with what is true there.
 *
 * After each step:
 *  (1) a resource changes only from the state that it was told to be in to one that may follow;
 *      the first change of an object is ADDED, its last DELETED.
 *  (2) one operation at a time for each resource.
 *  (3) nothing is started unless all that it depends on is Online, and unless it is known not to
 *      run: it never runs twice.
 *  (4) nothing is stopped while what depends on it may run, but for what could not be stopped.
 *  (5) Offline does not run, Online was seen to run.
 *  (6) PersistentState is what was last asked for, of it or of what it cannot be without.
 *  (7) a failure is answered as RestartAction, RestartThreshold, RestartPeriod, RestartDelay and
 *      RetryPeriodOnFailure say.
 * When everything has come to rest:
 *  (8) what is wanted is Online, what is not is Offline; but what could not be stopped, what (7)
 * gives up, and what failed when nobody wanted it, is Failed, and who depends on it is Offline. */

void referee_begin(struct world *w, uint64_t seed); /* w is started; watches it from here on */
void referee_end(struct world *w);

/* Something in the machine breaks by itself. */
void referee_crash(struct world *w, const char *resource);
/* The nth of `owed` is answered: by what is true, and now and then by an agent's failure. */
void referee_answer(struct world *w, size_t nth, bool may_fail);
/* The service is killed or stopped in order, and started again on what it stored. */
void referee_restart(struct world *w, bool in_order);
/* Everything comes to rest, with agents that do not fail: (8). */
void referee_settle(struct world *w);

#endif
