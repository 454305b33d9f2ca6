/* SPDX-License-Identifier: MIT */
#include "journal/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/text.h"

#define BUSY_TIMEOUT_MS 5000

/* Step n brings a file from schema n to n + 1; an empty file has schema 0. Steps are only ever
 * appended. */
static const char *const schema_steps[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE object(type INTEGER NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL,"
    " PRIMARY KEY(type, key)) WITHOUT ROWID;"
    "CREATE TABLE change(revision INTEGER PRIMARY KEY, size INTEGER NOT NULL,"
    " record BLOB NOT NULL);"
    "INSERT INTO meta(key, value) VALUES('schema', 0), ('change_bytes', 0);",
};
#define SCHEMA_VERSION ((int)ARRAY_SIZE(schema_steps))

static const char *const statement_sql[STATEMENT_COUNT] = {
#define STATEMENT(name, sql) [STATEMENT_##name] = sql,
    STATEMENTS
#undef STATEMENT
};

int journal_errno(sqlite3 *db, int result)
{
    switch (result & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_IOERR:
        return result == SQLITE_IOERR_NOMEM ? -ENOMEM : -EIO;
    case SQLITE_CANTOPEN:
        return sqlite3_system_errno(db) > 0 ? -sqlite3_system_errno(db) : -EIO;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_SCHEMA:
        return -EBADMSG;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_TOOBIG:
        return -EMSGSIZE;
    default:
        return -EIO;
    }
}

int journal_bind_number(struct journal *j, enum statement s, int at, uint64_t number)
{
    return journal_errno(j->db, sqlite3_bind_int64(j->statements[s], at, (sqlite3_int64)number));
}

int journal_bind_text(struct journal *j, enum statement s, int at, const char *text)
{
    return journal_errno(j->db, sqlite3_bind_text64(j->statements[s], at, text, strlen(text),
                                                    SQLITE_STATIC, SQLITE_UTF8));
}

int journal_bind_bytes(struct journal *j, enum statement s, int at, const void *data, size_t size)
{
    return journal_errno(j->db,
                         sqlite3_bind_blob64(j->statements[s], at, data, size, SQLITE_STATIC));
}

int journal_run(struct journal *j, enum statement s)
{
    int result = sqlite3_step(j->statements[s]);
    int r = journal_errno(j->db, result);
    sqlite3_reset(j->statements[s]);
    return r;
}

int journal_run_number(struct journal *j, enum statement s, uint64_t *ret)
{
    int result = sqlite3_step(j->statements[s]);
    int r = journal_errno(j->db, result);
    if (result == SQLITE_ROW)
        *ret = (uint64_t)sqlite3_column_int64(j->statements[s], 0);
    else if (r == 0)
        r = -EBADMSG;
    sqlite3_reset(j->statements[s]);
    return r;
}

int journal_refresh(struct journal *j)
{
    uint64_t first = 0, last = 0, bytes = 0;

    int r = journal_run_number(j, STATEMENT_FIRST_REVISION, &first);
    if (r == 0)
        r = journal_run_number(j, STATEMENT_LAST_REVISION, &last);
    if (r == 0)
        r = journal_run_number(j, STATEMENT_GET_BYTES, &bytes);
    if (r < 0)
        return r;
    j->first = first;
    j->last = last;
    j->bytes = bytes;
    return 0;
}

static int execute(struct journal *j, const char *sql)
{
    return journal_errno(j->db, sqlite3_exec(j->db, sql, NULL, NULL, NULL));
}

static int query_int(struct journal *j, const char *sql, int *ret)
{
    sqlite3_stmt *s = NULL;
    int result = sqlite3_prepare_v2(j->db, sql, -1, &s, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(s);
    if (result == SQLITE_ROW)
        *ret = sqlite3_column_int(s, 0);
    int r = result == SQLITE_DONE ? -ENODATA : journal_errno(j->db, result);
    sqlite3_finalize(s);
    return r;
}

/* -EMEDIUMTYPE: a database, but not one of ours. */
static int read_schema(struct journal *j, int *ret)
{
    int tables = 0, ours = 0;

    int r = query_int(j, "SELECT count(*) FROM sqlite_master", &tables);
    if (r < 0)
        return r;
    if (tables == 0) {
        *ret = 0;
        return 0;
    }
    r = query_int(j,
                  "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                  " AND name IN ('meta', 'object', 'change')",
                  &ours);
    if (r < 0)
        return r;
    if (ours < 3)
        return -EMEDIUMTYPE;
    r = query_int(j, "SELECT value FROM meta WHERE key = 'schema'", ret);
    return r == -ENODATA ? -EMEDIUMTYPE : r;
}

static int take_step(struct journal *j, int from)
{
    _cleanup_free_
    char *set = text_format("UPDATE meta SET value = %d WHERE key = 'schema'", from + 1);
    if (!set)
        return -ENOMEM;

    int r = execute(j, "BEGIN IMMEDIATE");
    if (r == 0)
        r = execute(j, schema_steps[from]);
    if (r == 0)
        r = execute(j, set);
    if (r == 0)
        r = execute(j, "COMMIT");
    if (!sqlite3_get_autocommit(j->db))
        execute(j, "ROLLBACK");
    return r;
}

/* -EPROTONOSUPPORT: the file's schema is not ours and cannot be made ours. */
static int bring_schema(struct journal *j, int *ret_schema)
{
    int r = read_schema(j, ret_schema);
    if (r < 0)
        return r;
    if (*ret_schema > SCHEMA_VERSION || *ret_schema < 0)
        return -EPROTONOSUPPORT;
    if (*ret_schema == 0 && j->marked)
        return -ENOMEDIUM;
    if (j->options.read_only)
        return *ret_schema == SCHEMA_VERSION ? 0 : *ret_schema == 0 ? -ENODATA : -EPROTONOSUPPORT;
    for (int from = *ret_schema; r == 0 && from < SCHEMA_VERSION; from++)
        r = take_step(j, from);
    return r;
}

static int prepare(struct journal *j)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        int result = sqlite3_prepare_v3(j->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                        &j->statements[i], NULL);
        if (result != SQLITE_OK)
            return journal_errno(j->db, result);
    }
    return 0;
}

/* ---- the lock file ---- */

static const char mark[] = "A journal was made beside this file. To start anew, remove both.\n";

/* A second writer would take the same revisions for other changes. The database's own locks come
 * and go with each transaction, so the writer holds one of its own. */
static int lock_writer(struct journal *j, const char *name)
{
    j->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (j->lock_fd < 0)
        return -errno;
    if (flock(j->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    return 0;
}

static bool is_empty(const char *path)
{
    struct stat st;
    return stat(path, &st) < 0 ? errno == ENOENT : st.st_size == 0;
}

/* Before SQLite sees the files: it would delete the log of an empty database. */
static int check_mark(struct journal *j, const char *path, const char *lock_name)
{
    j->marked = !is_empty(lock_name);
    return j->marked && is_empty(path) ? -ENOMEDIUM : 0;
}

static int sync_folder(const char *path)
{
    _cleanup_free_
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    _cleanup_close_
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Once there is a journal. A disk that has no room for it gets it at the next start. */
static int put_mark(struct journal *j, const char *path)
{
    if (j->marked || j->options.read_only)
        return 0;
    const ssize_t size = sizeof(mark) - 1;
    j->marked = pwrite(j->lock_fd, mark, (size_t)size, 0) == size && fsync(j->lock_fd) == 0;
    return sync_folder(path);
}

/* ---- opening ---- */

static int open_database(struct journal *j, const char *path)
{
    const bool read_only = j->options.read_only;
    _cleanup_free_
    char *lock_name = text_format("%s-lock", path);
    if (!lock_name)
        return -ENOMEM;
    int r = read_only ? 0 : lock_writer(j, lock_name);
    if (r == 0)
        r = check_mark(j, path, lock_name);
    if (r < 0)
        return r;

    const int access =
        read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int result =
        sqlite3_open_v2(path, &j->db, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_busy_timeout(j->db, BUSY_TIMEOUT_MS);
    if (result != SQLITE_OK || read_only)
        return journal_errno(j->db, result);

    /* The -wal and -shm files stay, so that a reader who may not make them finds them. */
    int persist = 1;
    sqlite3_file_control(j->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    return execute(j, "PRAGMA journal_mode = WAL;"
                      "PRAGMA synchronous = FULL;"
                      "PRAGMA journal_size_limit = 67108864;");
}

static char *explain(const char *path, int error, int schema)
{
    switch (-error) {
    case EACCES:
    case EPERM:
    case EROFS:
        return text_format("%s: permission denied; the user of the service must own the state "
                           "folder and be able to write to it",
                           path);
    case ENOENT:
        return text_format("%s: there is no such file or folder", path);
    case ENODATA:
        return text_format("%s: the journal is empty; start the service first", path);
    case EBUSY:
        return text_format("%s: another process uses the journal; is the service running already?",
                           path);
    case EBADMSG:
        return text_format("%s: not a database, or damaged; restore a backup, or empty the state "
                           "folder to start anew",
                           path);
    case ENOMEDIUM:
        return text_format(
            "%s: there was a journal here, and now it is missing or empty; restore a "
            "backup, or remove %s-lock too to start anew",
            path, path);
    case EMEDIUMTYPE:
        return text_format("%s: a database, but not a ClusPort journal; name another state folder",
                           path);
    case EPROTONOSUPPORT:
        return text_format("%s: the journal has schema %d, this version knows %d; run the version "
                           "that wrote it, or a later one",
                           path, schema, SCHEMA_VERSION);
    case ENOSPC:
        return text_format("%s: no room on the disk; free some and start again", path);
    default:
        return text_format("%s: %s", path, strerrordesc_np(-error));
    }
}

int journal_open(const char *path, const struct journal_options *options, struct journal **ret,
                 char **ret_error)
{
    int schema = 0;
    int r = -ENOMEM;
    struct journal *j = calloc(1, sizeof(*j));

    if (j) {
        j->options = *options;
        j->lock_fd = -1;
        r = open_database(j, path);
        if (r == 0)
            r = bring_schema(j, &schema);
        if (r == 0)
            r = prepare(j);
        if (r == 0)
            r = journal_refresh(j);
        if (r == 0 && !options->read_only)
            r = journal_log_sync(j);
        if (r == 0)
            r = put_mark(j, path);
    }
    if (r < 0) {
        journal_close(j);
        if (ret_error)
            *ret_error = explain(path, r, schema);
        return r;
    }
    *ret = j;
    return 0;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(j->statements[i]);
    sqlite3_close(j->db);
    if (j->lock_fd >= 0)
        close(j->lock_fd);
    free(j);
}
