/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/text.h"
#include "fixture.h"

static const struct journal_options reading = {.read_only = true};
static const struct journal_options writing = {.keep_changes = JOURNAL_KEEP_CHANGES};

static void execute(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void assert_refused(const char *path, const struct journal_options *options, int error,
                           const char *words)
{
    struct journal *j = NULL;
    _cleanup_free_
    char *text = NULL;
    assert_int_equal(journal_open(path, options, &j, &text), error);
    assert_null(j);
    assert_non_null(text);
    if (!strstr(text, words) || !strstr(text, path))
        fail_msg("\"%s\" does not say \"%s\" of %s", text, words, path);
    assert_int_equal(journal_open(path, options, &j, NULL), error); /* nobody has to listen */
}

/* In a child, that commits and tells the last revision down the pipe, until it is killed. */
static void commit_until_killed(const char *path, int to)
{
    struct journal *j = NULL;
    if (journal_open(path, &writing, &j, NULL) < 0)
        _exit(1);
    for (;;) {
        if (commit_changes(j, 5, 300) < 0)
            _exit(1);
        uint64_t last = journal_last_revision(j);
        if (write(to, &last, sizeof(last)) != sizeof(last))
            _exit(1);
    }
}

static void test_killed_writer(void **state)
{
    const struct scratch *s = *state;
    uint64_t told = 0;

    for (int round = 1; round <= 5; round++) {
        int p[2];
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            commit_until_killed(s->path, p[1]);
        close(p[1]);
        for (int i = 0; i < 10 * round; i++)
            assert_int_equal(read(p[0], &told, sizeof(told)), sizeof(told));
        assert_int_equal(kill(child, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        uint64_t more;
        while (read(p[0], &more, sizeof(more)) == sizeof(more))
            told = more;
        close(p[0]);

        struct journal *j = open_journal(s->path, NULL);
        assert_true(journal_last_revision(j) >= told);
        assert_true(journal_last_revision(j) % 5 == 0); /* batches are whole */
        assert_changes(j, 1, journal_last_revision(j));
        assert_int_equal(journal_check(j), 0);
        journal_close(j);
    }
}

static void test_reader_beside_the_writer(void **state)
{
    const struct scratch *s = *state;
    struct journal *writer = open_journal(s->path, NULL);
    assert_int_equal(commit_changes(writer, 10, 100), 0);

    struct journal *reader = open_journal(s->path, &reading);
    assert_changes(reader, 1, 10);
    for (uint64_t n = 11; n <= 3000; n++) {
        assert_int_equal(commit_changes(writer, 1, 1000), 0); /* past several checkpoints */
        if (n % 500 == 0) {
            assert_true(journal_last_revision(reader) == n);
            assert_changes(reader, 1, n);
        }
    }
    assert_int_equal(journal_check(reader), 0);
    journal_close(writer);
    assert_true(journal_last_revision(reader) == 3000);
    journal_close(reader);

    reader = open_journal(s->path, &reading); /* and when none runs */
    assert_changes(reader, 1, 3000);
    journal_close(reader);
}

/* Somebody who may read the files and write nothing at all. */
static int read_as_nobody(const char *path, uint64_t wanted)
{
    pid_t child = fork();
    if (child == 0) {
        struct journal *j = NULL;
        _cleanup_free_
        char *text = NULL;
        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(2);
        int r = journal_open(path, &reading, &j, &text);
        if (r < 0) {
            dprintf(STDERR_FILENO, "%s\n", text);
            _exit(3);
        }
        uint64_t last = journal_last_revision(j);
        assert_changes(j, 1, last);
        journal_close(j);
        _exit(last == wanted ? 0 : 4);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_reader_without_write_access(void **state)
{
    const struct scratch *s = *state;
    if (geteuid() != 0) {
        print_message("skipped: becoming another user takes root\n");
        skip();
    }
    assert_int_equal(chmod(s->folder, 0755), 0);
    struct journal *writer = open_journal(s->path, NULL);
    assert_int_equal(commit_changes(writer, 10, 100), 0);
    assert_int_equal(read_as_nobody(s->path, 10), 0);
    journal_close(writer);
    assert_int_equal(read_as_nobody(s->path, 10), 0);

    int p[2]; /* a writer that was killed */
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0)
        commit_until_killed(s->path, p[1]);
    close(p[1]);
    uint64_t told;
    assert_int_equal(read(p[0], &told, sizeof(told)), sizeof(told));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(p[0], &told, sizeof(told)) == sizeof(told))
        ;
    close(p[0]);
    struct journal *root = open_journal(s->path, &reading);
    const uint64_t last = journal_last_revision(root);
    journal_close(root);
    assert_true(last >= told);
    assert_int_equal(read_as_nobody(s->path, last), 0);
}

static void test_one_writer(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    assert_refused(s->path, &writing, -EBUSY, "running already");
    assert_int_equal(commit_changes(j, 1, 1), 0);
    journal_close(j);
    journal_close(open_journal(s->path, NULL));
}

static void test_files_that_are_no_journal(void **state)
{
    const struct scratch *s = *state;
    _cleanup_free_
    char *missing = text_format("%s/no/such/journal.db", s->folder);
    _cleanup_free_
    char *text = text_format("%s/text", s->folder);
    _cleanup_free_
    char *other = text_format("%s/other.db", s->folder);
    _cleanup_free_
    char *empty = text_format("%s/empty.db", s->folder);

    assert_refused(missing, &writing, -ENOENT, "no such file or folder");
    assert_refused(s->path, &reading, -ENOENT, "no such file or folder");

    FILE *f = fopen(text, "we");
    for (int i = 0; i < 1000; i++)
        fputs("not a database\n", f);
    fclose(f);
    assert_refused(text, &writing, -EBADMSG, "not a database");
    assert_refused(text, &reading, -EBADMSG, "not a database");

    execute(other, "CREATE TABLE meta(a); CREATE TABLE b(c)");
    assert_refused(other, &writing, -EMEDIUMTYPE, "not a ClusPort journal");
    assert_refused(other, &reading, -EMEDIUMTYPE, "not a ClusPort journal");

    fclose(fopen(empty, "we"));
    assert_refused(empty, &reading, -ENODATA, "start the service");
    journal_close(open_journal(empty, NULL)); /* a writer makes one of it */
}

/* The lock file remembers that there was one. */
static void test_lost_journal_is_not_made_anew(void **state)
{
    const struct scratch *s = *state;
    _cleanup_free_
    char *lock = text_format("%s-lock", s->path);
    struct stat st;
    struct journal *j = open_journal(s->path, NULL);
    assert_int_equal(commit_changes(j, 300, 300), 0);
    journal_close(j);
    assert_int_equal(stat(s->path, &st), 0);

    for (off_t size = st.st_size - 4096; size >= 4096; size = size * 3 / 4) { /* cut */
        assert_int_equal(truncate(s->path, size), 0);
        assert_refused(s->path, &writing, -EBADMSG, "start anew");
        assert_refused(s->path, &reading, -EBADMSG, "start anew");
        assert_int_equal(stat(s->path, &st), 0);
        assert_int_equal(st.st_size, size);
    }
    for (off_t size = 4095; size > 0; size /= 3) { /* what SQLite makes of these differs */
        assert_int_equal(truncate(s->path, size), 0);
        struct journal *none = NULL;
        int r = journal_open(s->path, &writing, &none, NULL);
        assert_true(r == -EBADMSG || r == -ENOMEDIUM);
    }
    assert_int_equal(truncate(s->path, 0), 0);
    assert_refused(s->path, &writing, -ENOMEDIUM, "start anew");
    assert_refused(s->path, &reading, -ENOMEDIUM, "start anew");
    assert_int_equal(unlink(s->path), 0);
    assert_refused(s->path, &writing, -ENOMEDIUM, "start anew");
    assert_refused(s->path, &reading, -ENOMEDIUM, "start anew");
    execute(s->path, "PRAGMA journal_mode = WAL; VACUUM"); /* a database with nothing in it */
    assert_refused(s->path, &writing, -ENOMEDIUM, "start anew");
    assert_int_equal(unlink(s->path), 0);
    assert_int_equal(unlink(lock), 0); /* as it says */
    j = open_journal(s->path, NULL);
    assert_true(journal_last_revision(j) == 0);
    journal_close(j);
}

/* What SQLite would do to the log of a database without a byte: delete it. */
static void test_log_of_an_emptied_journal_is_left_alone(void **state)
{
    const struct scratch *s = *state;
    _cleanup_free_
    char *log = text_format("%s-wal", s->path);
    struct stat before, after;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct journal *j = open_journal(s->path, NULL);
        _exit(commit_changes(j, 3, 100) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(stat(log, &before), 0);
    assert_true(before.st_size > 0);
    assert_int_equal(truncate(s->path, 0), 0);
    assert_refused(s->path, &writing, -ENOMEDIUM, "start anew");
    assert_int_equal(stat(log, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
}

static void test_file_removed_under_the_writer(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    assert_int_equal(commit_changes(j, 3, 1), 0);
    assert_int_equal(unlink(s->path), 0);
    assert_int_equal(commit_changes(j, 1, 1), -ENOENT);
    assert_changes(j, 1, 3);
    journal_close(j);
}

static void test_newer_schema(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    assert_int_equal(commit_changes(j, 3, 1), 0);
    journal_close(j);
    execute(s->path, "UPDATE meta SET value = 99 WHERE key = 'schema'");
    assert_refused(s->path, &writing, -EPROTONOSUPPORT, "schema 99");
    assert_refused(s->path, &reading, -EPROTONOSUPPORT, "schema 99");
    execute(s->path, "UPDATE meta SET value = 1 WHERE key = 'schema'");
    j = open_journal(s->path, NULL);
    assert_changes(j, 1, 3);
    journal_close(j);
}

static void test_no_permission(void **state)
{
    const struct scratch *s = *state;
    if (geteuid() != 0) {
        print_message("skipped: becoming another user takes root\n");
        skip();
    }
    journal_close(open_journal(s->path, NULL));
    assert_int_equal(chmod(s->folder, 0700), 0);
    pid_t child = fork();
    if (child == 0) {
        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(2);
        struct journal *j = NULL;
        _cleanup_free_
        char *a = NULL, *b = NULL;
        int r = journal_open(s->path, &writing, &j, &a);
        int q = journal_open(s->path, &reading, &j, &b);
        _exit(r == -EACCES && q == -EACCES && a && strstr(a, "permission denied") && b &&
                      strstr(b, "permission denied")
                  ? 0
                  : 3);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_damage_is_found(void **state)
{
    static const char *const damages[] = {
        "DELETE FROM change WHERE revision = 5",
        "UPDATE change SET revision = 1000 WHERE revision = 10",
        "UPDATE change SET record = x'00' WHERE revision = 5",
        "UPDATE change SET record = zeroblob(192) WHERE revision = 10",
        "UPDATE meta SET value = 5 WHERE key = 'change_bytes'",
    };
    const struct scratch *s = *state;

    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        _cleanup_free_
        char *path = text_format("%s/%zu.db", s->folder, i);
        struct journal *j = open_journal(path, NULL);
        assert_int_equal(commit_changes(j, 10, 1), 0);
        journal_close(j);
        execute(path, damages[i]);

        j = open_journal(path, &reading);
        _cleanup_(buffer_fini) struct buffer out = {0};
        size_t count = 99;
        assert_int_equal(journal_check(j), -EBADMSG);
        if (i < 4) { /* and no reader is ever given it */
            buffer_append(&out, "x", 1);
            assert_int_equal(journal_read(j, 1, SIZE_MAX, &out, &count), -EBADMSG);
            assert_int_equal(out.size, 1);
            assert_int_equal(count, 99);
        }
        journal_close(j);
    }
}

/* Fills the disk, sees that nothing of the failed batch is kept, makes room and goes on. */
static void fill_and_go_on(const char *path, int (*make_room)(void), int error)
{
    struct journal *j = open_journal(path, NULL);
    uint64_t kept = 0;
    int r = 0;

    for (int i = 0; i < 1000 && r == 0; i++) {
        kept = journal_last_revision(j);
        r = commit_changes(j, 20, 2000);
    }
    assert_int_equal(r, error);
    assert_true(kept > 0);
    assert_true(journal_last_revision(j) == kept);
    assert_changes(j, 1, kept);
    assert_int_equal(commit_changes(j, 20, 2000), error);

    assert_int_equal(make_room(), 0);
    assert_int_equal(commit_changes(j, 20, 2000), 0);
    assert_true(journal_last_revision(j) == kept + 20);
    assert_changes(j, 1, kept + 20);
    assert_int_equal(journal_check(j), 0);
    journal_close(j);
    j = open_journal(path, NULL);
    assert_changes(j, 1, kept + 20);
    journal_close(j);
}

static const char *mount_point;

static int grow_mount(void)
{
    return mount("none", mount_point, NULL, MS_REMOUNT, "size=64m");
}

static void test_full_disk(void **state)
{
    const struct scratch *s = *state;
    _cleanup_free_
    char *folder = text_format("%s/small", s->folder);
    _cleanup_free_
    char *path = text_format("%s/journal.db", folder);

    assert_int_equal(mkdir(folder, 0700), 0);
    if (mount("none", folder, "tmpfs", 0, "size=2m") < 0) {
        print_message("skipped: a small file system cannot be mounted here\n");
        skip();
    }
    mount_point = folder;
    fill_and_go_on(path, grow_mount, -ENOSPC);
    assert_int_equal(umount(folder), 0);
}

static int full_disk_teardown(void **state)
{
    const struct scratch *s = *state;
    _cleanup_free_
    char *folder = text_format("%s/small", s->folder);
    umount2(folder, MNT_DETACH); /* still there when the test failed */
    return scratch_teardown(state);
}

static int lift_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_file_size_limit(void **state)
{
    const struct scratch *s = *state;
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 2 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fill_and_go_on(s->path, lift_limit, -EIO);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_killed_writer),
        SCRATCH_TEST(test_reader_beside_the_writer),
        SCRATCH_TEST(test_reader_without_write_access),
        SCRATCH_TEST(test_one_writer),
        SCRATCH_TEST(test_files_that_are_no_journal),
        SCRATCH_TEST(test_lost_journal_is_not_made_anew),
        SCRATCH_TEST(test_log_of_an_emptied_journal_is_left_alone),
        SCRATCH_TEST(test_file_removed_under_the_writer),
        SCRATCH_TEST(test_newer_schema),
        SCRATCH_TEST(test_no_permission),
        SCRATCH_TEST(test_damage_is_found),
        cmocka_unit_test_setup_teardown(test_full_disk, scratch_setup, full_disk_teardown),
        SCRATCH_TEST(test_file_size_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
