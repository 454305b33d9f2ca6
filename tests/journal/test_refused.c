/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "fixture.h"

/* A commit that was refused, and a death right after it. SQLite calls these two instead of libc's.
 */

static bool sync_fails, truncate_fails;
static unsigned syncs;

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    syncs++;
    if (!sync_fails)
        return (int)syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}

__attribute__((visibility("default"))) int ftruncate64(int fd, off64_t size)
{
    if (!truncate_fails)
        return (int)syscall(SYS_ftruncate, fd, size);
    errno = EIO;
    return -1;
}

static int no_faults(void **state)
{
    sync_fails = truncate_fails = false;
    return scratch_setup(state);
}

/* What the next process finds: a child commits, is refused, and dies on the spot. */
static void refuse_and_die(const char *path, uint64_t before, uint64_t refused)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct journal *j = open_journal(path, NULL);
        for (uint64_t i = 0; i < before; i++)
            if (commit_changes(j, 1, 500) < 0)
                _exit(1);
        uint64_t last = journal_last_revision(j);
        sync_fails = true;
        if (commit_changes(j, refused, 500) != -EIO || journal_last_revision(j) != last)
            _exit(2);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void refused_batch_does_not_come_back(void **state)
{
    const struct scratch *s = *state;
    uint64_t last = 0;
    for (uint64_t round = 0; round < 6; round++) {
        refuse_and_die(s->path, round * 3, 1 + 40 * (round % 2));
        last += round * 3;
        struct journal *j = open_journal(s->path, NULL);
        assert_true(journal_last_revision(j) == last);
        assert_int_equal(journal_check(j), 0);
        journal_close(j);
    }
}

/* With the log begun anew by the commit that is refused. */
static void refused_batch_does_not_come_back_after_a_checkpoint(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    uint64_t last = 0;
    for (unsigned round = 0; round < 120; round++) {
        assert_int_equal(commit_changes(j, 4, 20000), 0); /* some checkpoints on the way */
        last += 4;
        sync_fails = true;
        assert_int_equal(commit_changes(j, 1, 9000), -EIO);
        sync_fails = false;
        if (round % 20 != 0)
            continue;
        _cleanup_free_
        char *copy = text_format("cp -r %s %s.copy", s->folder, s->folder);
        _cleanup_free_
        char *path = text_format("%s.copy/journal.db", s->folder);
        _cleanup_free_
        char *removal = text_format("rm -r %s.copy", s->folder);
        assert_int_equal(system(copy), 0);
        struct journal *found = open_journal(path, NULL);
        assert_true(journal_last_revision(found) == last);
        assert_int_equal(journal_check(found), 0);
        journal_close(found);
        assert_int_equal(system(removal), 0);
    }
    assert_true(journal_last_revision(j) == last);
    assert_int_equal(journal_check(j), 0);
    journal_close(j);
}

/* Neither kept nor gone: nobody may be told either. */
static void refused_batch_that_stays_is_told_apart(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    assert_int_equal(commit_changes(j, 3, 100), 0);
    sync_fails = true;
    truncate_fails = true;
    assert_int_equal(commit_changes(j, 1, 100), -ENOTRECOVERABLE);
    journal_close(j);
}

/* Found after a kill, it may be shown: so it is on disk before that. */
static void what_a_killed_writer_left_is_synced(void **state)
{
    const struct scratch *s = *state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct journal *j = open_journal(s->path, NULL);
        _exit(commit_changes(j, 5, 100) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    syncs = 0;
    struct journal *j = open_journal(s->path, NULL);
    assert_true(syncs > 0);
    assert_changes(j, 1, 5);
    journal_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused_batch_does_not_come_back, no_faults,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(refused_batch_does_not_come_back_after_a_checkpoint,
                                        no_faults, scratch_teardown),
        cmocka_unit_test_setup_teardown(refused_batch_that_stays_is_told_apart, no_faults,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(what_a_killed_writer_left_is_synced, no_faults,
                                        scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
