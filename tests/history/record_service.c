/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history/recorder.h"

/* The service's commits: which records each held, when it began and when the disk had it. The bytes
 * go to a file of their own, as they are, one after the other. */

#define EXPORTED __attribute__((visibility("default")))
#define NEXT(function)                                                                             \
    static __typeof__(&function) next;                                                             \
    if (!next)                                                                                     \
    next = (__typeof__(&function))find_next(#function)

static int records_fd = -1;
static uint64_t written, batch_start; /* the committer's thread only */
static uint64_t drop;
static uint64_t journal_inode;

void record_service_start(void)
{
    char arguments[4096];
    struct line l;
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, arguments, sizeof(arguments) - 1);
    if (fd >= 0)
        close(fd);
    arguments[size > 0 ? size : 0] = '\0';
    records_fd = open_history("records");
    line_begin(&l, "service");
    for (char *at = arguments; at < arguments + size; at += strlen(at) + 1)
        if (strcmp(at, "--socket") == 0 || strcmp(at, "--state") == 0)
            put_plain(&l, at + 2, at + strlen(at) + 1);
    line_write(&l);
}

static bool is_statement(sqlite3_stmt *s, const char *start)
{
    const char *sql = records_fd < 0 ? NULL : sqlite3_sql(s);
    return sql && strncmp(sql, start, strlen(start)) == 0;
}

static void take_record(sqlite3_stmt *s, const void *data, uint64_t size)
{
    if (size == 0 || !is_statement(s, "INSERT INTO change("))
        return;
    write_whole(records_fd, data, size);
    written += size;
}

EXPORTED int sqlite3_bind_blob(sqlite3_stmt *s, int at, const void *data, int size,
                               void (*destroy)(void *))
{
    NEXT(sqlite3_bind_blob);
    take_record(s, data, size > 0 ? (uint64_t)size : 0);
    return next(s, at, data, size, destroy);
}

EXPORTED int sqlite3_bind_blob64(sqlite3_stmt *s, int at, const void *data, sqlite3_uint64 size,
                                 void (*destroy)(void *))
{
    NEXT(sqlite3_bind_blob64);
    take_record(s, data, size);
    return next(s, at, data, size, destroy);
}

EXPORTED int sqlite3_bind_int64(sqlite3_stmt *s, int at, sqlite3_int64 value)
{
    NEXT(sqlite3_bind_int64);
    if (is_statement(s, "DELETE FROM change WHERE revision <"))
        drop = (uint64_t)value;
    return next(s, at, value);
}

/* A journal that was put in the place of another is another file, though it may have its number. */
static void note_journal(sqlite3_stmt *s)
{
    struct statx st;
    struct line l;
    const char *path = sqlite3_db_filename(sqlite3_db_handle(s), "main");
    if (!path || statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &st) < 0 ||
        st.stx_ino == journal_inode)
        return;
    journal_inode = st.stx_ino;
    line_begin(&l, "journal");
    put_plain(&l, "path", path);
    put_number(&l, "inode", st.stx_ino);
    put_number(&l, "born_s", (uint64_t)st.stx_btime.tv_sec);
    put_number(&l, "born_ns", st.stx_btime.tv_nsec);
    line_write(&l);
}

static int commit(sqlite3_stmt *s, int (*next)(sqlite3_stmt *))
{
    struct line l;
    line_begin(&l, "commit");
    put_number(&l, "from", batch_start);
    put_number(&l, "to", written);
    put_number(&l, "drop", drop);
    line_write(&l);
    int result = next(s);
    line_end(&l, (uint64_t)result);
    line_write(&l);
    return result;
}

EXPORTED int sqlite3_step(sqlite3_stmt *s)
{
    NEXT(sqlite3_step);
    if (is_statement(s, "BEGIN IMMEDIATE")) {
        note_journal(s);
        batch_start = written;
        drop = 0;
    } else if (is_statement(s, "COMMIT")) {
        return commit(s, next);
    }
    return next(s);
}
