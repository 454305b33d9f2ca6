/* SPDX-License-Identifier: MIT */
#include "journal/internal.h"

#include <errno.h>
#include <string.h>

uint64_t journal_first_revision(struct journal *j)
{
    if (j->options.read_only)
        journal_run_number(j, STATEMENT_FIRST_REVISION, &j->first);
    return j->first;
}

uint64_t journal_last_revision(struct journal *j)
{
    if (j->options.read_only)
        journal_run_number(j, STATEMENT_LAST_REVISION, &j->last);
    return j->last;
}

/* The record in the present row, which must be whole and carry the row's revision; expected is 0
 * for the first. */
static int row_record(sqlite3_stmt *s, uint64_t expected, const void **ret, size_t *ret_size)
{
    const void *record = sqlite3_column_blob(s, 0);
    const size_t size = (size_t)sqlite3_column_bytes(s, 0);
    const uint64_t revision = (uint64_t)sqlite3_column_int64(s, 1);

    if (!record && size > 0)
        return -ENOMEM;
    if (size < CHANGE_HEAD_SIZE || change_size(record) != size)
        return -EBADMSG;
    if (change_peek_revision(record) != revision || (expected > 0 && revision != expected))
        return -EBADMSG;
    *ret = record;
    *ret_size = size;
    return 0;
}

int journal_read(struct journal *j, uint64_t from, size_t max_bytes, struct buffer *out,
                 size_t *ret_count)
{
    sqlite3_stmt *s = j->statements[STATEMENT_READ_CHANGES];
    const size_t start = out->size;
    const void *record;
    size_t size, count = 0;
    uint64_t expected = 0;
    int result;

    int r = journal_bind_number(j, STATEMENT_READ_CHANGES, 1, MIN(from, (uint64_t)INT64_MAX));
    if (r < 0)
        return r;
    while (r == 0 && (result = sqlite3_step(s)) == SQLITE_ROW) {
        r = row_record(s, expected, &record, &size);
        if (r < 0)
            break;
        const size_t used = out->size - start;
        if (count > 0 && (used >= max_bytes || size > max_bytes - used))
            break;
        expected = change_peek_revision(record) + 1;
        r = buffer_append(out, record, size);
        count++;
    }
    if (r == 0)
        r = journal_errno(j->db, result);
    sqlite3_reset(s);
    if (r < 0) {
        out->size = start;
        return r;
    }
    *ret_count = count;
    return 0;
}

int journal_load(struct journal *j,
                 int (*each)(void *context, enum object_type type, const char *key,
                             const char *json, size_t size),
                 void *context)
{
    sqlite3_stmt *s = j->statements[STATEMENT_LOAD_OBJECTS];
    int result;
    int r = 0;

    while (r == 0 && (result = sqlite3_step(s)) != SQLITE_DONE) {
        if (result != SQLITE_ROW) {
            r = journal_errno(j->db, result);
            break;
        }
        const char *key = (const char *)sqlite3_column_text(s, 1);
        const char *json = (const char *)sqlite3_column_text(s, 2);
        if (!key || !json)
            r = -ENOMEM;
        else
            r = each(context, (enum object_type)sqlite3_column_int(s, 0), key, json,
                     (size_t)sqlite3_column_bytes(s, 2));
    }
    sqlite3_reset(s);
    return r;
}

static int check_integrity(struct journal *j)
{
    sqlite3_stmt *s = NULL;
    int result = sqlite3_prepare_v2(j->db, "PRAGMA integrity_check(1)", -1, &s, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(s);
    int r = journal_errno(j->db, result);
    if (result == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(s, 0);
        r = !text ? -ENOMEM : strcmp(text, "ok") == 0 ? 0 : -EBADMSG;
    }
    sqlite3_finalize(s);
    return r;
}

/* Every record can be decoded, none is missing, and their sizes add up. */
static int check_changes(struct journal *j)
{
    sqlite3_stmt *s = j->statements[STATEMENT_READ_CHANGES];
    uint64_t expected = 0, bytes = 0, recorded = 0;
    const void *record;
    size_t size;
    int result;
    int r = journal_bind_number(j, STATEMENT_READ_CHANGES, 1, 0);

    if (r < 0)
        return r;
    while (r == 0 && (result = sqlite3_step(s)) == SQLITE_ROW) {
        r = row_record(s, expected, &record, &size);
        if (r < 0)
            break;
        struct change c;
        r = change_decode(record, size, &c);
        expected = change_peek_revision(record) + 1;
        bytes += size;
    }
    if (r == 0)
        r = journal_errno(j->db, result);
    sqlite3_reset(s);
    if (r == 0)
        r = journal_run_number(j, STATEMENT_GET_BYTES, &recorded);
    if (r == 0 && recorded != bytes)
        r = -EBADMSG;
    return r;
}

int journal_check(struct journal *j)
{
    int r = journal_run(j, STATEMENT_BEGIN_READ); /* one state of the file for all that follows */
    if (r < 0)
        return r;
    r = check_integrity(j);
    if (r == 0)
        r = check_changes(j);
    journal_run(j, STATEMENT_ROLLBACK);
    return r;
}
