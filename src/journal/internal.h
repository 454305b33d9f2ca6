/* SPDX-License-Identifier: MIT */
#ifndef JOURNAL_INTERNAL_H
#define JOURNAL_INTERNAL_H

#include <sqlite3.h>

#include "journal/journal.h"

/* STATEMENT(name, SQL): prepared once, when the journal is opened. */
#define STATEMENTS                                                                                 \
    STATEMENT(BEGIN_READ, "BEGIN")                                                                 \
    STATEMENT(BEGIN, "BEGIN IMMEDIATE")                                                            \
    STATEMENT(COMMIT, "COMMIT")                                                                    \
    STATEMENT(ROLLBACK, "ROLLBACK")                                                                \
    STATEMENT(ADD_CHANGE, "INSERT INTO change(revision, size, record) VALUES(?1, ?2, ?3)")         \
    STATEMENT(READ_CHANGES, "SELECT record, revision FROM change WHERE revision >= ?1 "            \
                            "ORDER BY revision")                                                   \
    STATEMENT(OLDEST_SIZES, "SELECT size FROM change ORDER BY revision LIMIT ?1")                  \
    STATEMENT(DROP_CHANGES, "DELETE FROM change WHERE revision < ?1")                              \
    STATEMENT(FIRST_REVISION, "SELECT min(revision) FROM change")                                  \
    STATEMENT(LAST_REVISION, "SELECT max(revision) FROM change")                                   \
    STATEMENT(PUT_OBJECT, "INSERT INTO object(type, key, json) VALUES(?1, ?2, ?3) "                \
                          "ON CONFLICT(type, key) DO UPDATE SET json = excluded.json")             \
    STATEMENT(DROP_OBJECT, "DELETE FROM object WHERE type = ?1 AND key = ?2")                      \
    STATEMENT(LOAD_OBJECTS, "SELECT type, key, json FROM object ORDER BY type, key")               \
    STATEMENT(GET_BYTES, "SELECT value FROM meta WHERE key = 'change_bytes'")                      \
    STATEMENT(SET_BYTES, "UPDATE meta SET value = ?1 WHERE key = 'change_bytes'")

enum statement {
#define STATEMENT(name, sql) STATEMENT_##name,
    STATEMENTS
#undef STATEMENT
        STATEMENT_COUNT
};

struct journal {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct journal_options options;
    int lock_fd; /* held by the one writer */
    bool marked; /* the lock file says that a journal was made here */
    /* What the file holds, kept here by the writer so that no commit has to look. */
    uint64_t first, last;
    uint64_t bytes; /* of all changes */
};

/* A result of SQLite as 0 or -errno. */
int journal_errno(sqlite3 *db, int result);
/* Parameters of a statement, from 1 on; texts and bytes are borrowed until it has run. */
int journal_bind_number(struct journal *j, enum statement s, int at, uint64_t number);
int journal_bind_text(struct journal *j, enum statement s, int at, const char *text);
int journal_bind_bytes(struct journal *j, enum statement s, int at, const void *data, size_t size);
/* Runs a statement that gives no rows, or one number (0 when it is NULL), and resets it. */
int journal_run(struct journal *j, enum statement s);
int journal_run_number(struct journal *j, enum statement s, uint64_t *ret);
/* Reads first, last and bytes from the file. */
int journal_refresh(struct journal *j);

/* log.c: SQLite's write-ahead log. All that is in it reaches the disk; 0, -EIO. */
int journal_log_sync(struct journal *j);
/* Cuts off what a commit that failed wrote to it, so that no recovery finds it. 0;
 * -ENOTRECOVERABLE: it may come back. */
int journal_log_forget(struct journal *j);

#endif
