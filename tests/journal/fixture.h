/* SPDX-License-Identifier: MIT */
#ifndef TESTS_JOURNAL_FIXTURE_H
#define TESTS_JOURNAL_FIXTURE_H

#include "journal/journal.h"

/* A scratch folder of the test's own, with a path in it for a journal. */
struct scratch {
    char folder[64];
    char path[96];
};

int scratch_setup(void **state);    /* cmocka's; *state becomes a struct scratch */
int scratch_teardown(void **state); /* removes it with all that is in it */

/* Opens or fails the test. */
struct journal *open_journal(const char *path, const struct journal_options *options);
/* Fills b with `count` changes from revision `first` on, each with a value of `bytes` bytes that
 * depend on its revision. */
void make_batch(struct journal_batch *b, uint64_t first, uint64_t count, size_t bytes);
/* Makes and commits such a batch, next in order. */
int commit_changes(struct journal *j, uint64_t count, size_t bytes);
/* Everything from `from` on is as make_batch() made it, up to `last`. */
void assert_changes(struct journal *j, uint64_t from, uint64_t last);

#endif
