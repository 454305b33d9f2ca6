/* SPDX-License-Identifier: MIT */
#include "journal/internal.h"

#include <errno.h>
#include <string.h>

/* How many old changes one commit drops at most, besides twice what it adds: enough to shrink to a
 * lowered limit, few enough not to be noticed. */
#define DROP_MOST 1024

void journal_batch_fini(struct journal_batch *b)
{
    buffer_fini(&b->changes);
    for (size_t i = 0; i < b->row_count; i++) {
        free(b->rows[i].key);
        free(b->rows[i].json);
    }
    free(b->rows);
    *b = (struct journal_batch){0};
}

static int reserve_row(struct journal_batch *b)
{
    if (b->row_count < b->row_capacity)
        return 0;
    const size_t capacity = MAX(b->row_capacity * 2, (size_t)16);
    struct journal_row *rows = reallocarray(b->rows, capacity, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    b->rows = rows;
    b->row_capacity = capacity;
    return 0;
}

int journal_batch_put(struct journal_batch *b, enum object_type type, const char *key,
                      const char *json, size_t size)
{
    _cleanup_free_
    char *key_copy = strdup(key);
    _cleanup_free_
    char *json_copy = json ? strndup(json, size) : NULL;

    if (!key_copy || (json && !json_copy) || reserve_row(b) < 0)
        return -ENOMEM;
    b->rows[b->row_count++] =
        (struct journal_row){.type = type, .key = TAKE_PTR(key_copy), .json = TAKE_PTR(json_copy)};
    return 0;
}

static int add_changes(struct journal *j, const struct journal_batch *b)
{
    uint64_t revision = b->first_revision;

    for (size_t at = 0; at < b->changes.size; revision++) {
        const uint8_t *record = b->changes.data + at;
        const size_t size = change_size(record);
        PRE(size > 0 && change_peek_revision(record) == revision);

        int r = journal_bind_number(j, STATEMENT_ADD_CHANGE, 1, revision);
        if (r == 0)
            r = journal_bind_number(j, STATEMENT_ADD_CHANGE, 2, size);
        if (r == 0)
            r = journal_bind_bytes(j, STATEMENT_ADD_CHANGE, 3, record, size);
        if (r == 0)
            r = journal_run(j, STATEMENT_ADD_CHANGE);
        if (r < 0)
            return r;
        at += size;
    }
    PRE(revision == b->last_revision + 1);
    return 0;
}

static int write_objects(struct journal *j, const struct journal_batch *b)
{
    for (size_t i = 0; i < b->row_count; i++) {
        const struct journal_row *row = &b->rows[i];
        const enum statement s = row->json ? STATEMENT_PUT_OBJECT : STATEMENT_DROP_OBJECT;

        int r = journal_bind_number(j, s, 1, (uint64_t)row->type);
        if (r == 0)
            r = journal_bind_text(j, s, 2, row->key);
        if (r == 0 && row->json)
            r = journal_bind_text(j, s, 3, row->json);
        if (r == 0)
            r = journal_run(j, s);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool holds_too_much(const struct journal *j, uint64_t first, uint64_t last, uint64_t bytes)
{
    const struct journal_options *o = &j->options;
    return (o->keep_changes > 0 && last - first >= o->keep_changes) ||
           (o->keep_bytes > 0 && bytes > o->keep_bytes);
}

/* Drops from the oldest on what exceeds the limits; the newest change always stays. */
static int drop_old(struct journal *j, uint64_t added, uint64_t *first, uint64_t last,
                    uint64_t *bytes)
{
    if (!holds_too_much(j, *first, last, *bytes))
        return 0;

    sqlite3_stmt *sizes = j->statements[STATEMENT_OLDEST_SIZES];
    int r = journal_bind_number(j, STATEMENT_OLDEST_SIZES, 1, 2 * added + DROP_MOST);
    if (r < 0)
        return r;
    int result = SQLITE_ROW;
    while (*first < last && holds_too_much(j, *first, last, *bytes) &&
           (result = sqlite3_step(sizes)) == SQLITE_ROW) {
        *bytes -= (uint64_t)sqlite3_column_int64(sizes, 0);
        (*first)++;
    }
    r = journal_errno(j->db, result);
    sqlite3_reset(sizes);
    if (r == 0)
        r = journal_bind_number(j, STATEMENT_DROP_CHANGES, 1, *first);
    return r < 0 ? r : journal_run(j, STATEMENT_DROP_CHANGES);
}

/* A file that was removed takes what is written to it, and nobody will ever read it. */
static bool is_still_there(const struct journal *j)
{
    int has_moved = 0;
    int result = sqlite3_file_control(j->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    return result != SQLITE_OK || !has_moved;
}

static int write_batch(struct journal *j, const struct journal_batch *b)
{
    uint64_t first = j->first, last = j->last, bytes = j->bytes;

    int r = journal_run(j, STATEMENT_BEGIN);
    if (r < 0)
        return r;
    if (b->changes.size > 0) {
        first = first == 0 ? b->first_revision : first;
        last = b->last_revision;
        bytes += b->changes.size;
        r = add_changes(j, b);
        if (r == 0)
            r = drop_old(j, b->last_revision - b->first_revision + 1, &first, last, &bytes);
        if (r == 0)
            r = journal_bind_number(j, STATEMENT_SET_BYTES, 1, bytes);
        if (r == 0)
            r = journal_run(j, STATEMENT_SET_BYTES);
    }
    if (r == 0)
        r = write_objects(j, b);
    if (r == 0)
        r = journal_run(j, STATEMENT_COMMIT);
    if (r < 0)
        return r;
    j->first = first;
    j->last = last;
    j->bytes = bytes;
    return 0;
}

static int undo(struct journal *j, int error)
{
    if (!sqlite3_get_autocommit(j->db))
        journal_run(j, STATEMENT_ROLLBACK);
    if (journal_log_forget(j) < 0)
        return -ENOTRECOVERABLE;
    /* The file decides what was kept. It may be unreadable too: what we knew then stands. */
    journal_refresh(j);
    return error;
}

int journal_commit(struct journal *j, const struct journal_batch *b)
{
    PRE(!j->options.read_only);
    PRE(b->changes.size == 0 || (b->first_revision > 0 && b->last_revision >= b->first_revision));
    PRE(b->changes.size == 0 || j->last == 0 || b->first_revision == j->last + 1);
    if (buffer_failed(&b->changes))
        return -ENOMEM;
    if (b->changes.size == 0 && b->row_count == 0)
        return 0;

    int r = is_still_there(j) ? write_batch(j, b) : -ENOENT;
    return r < 0 ? undo(j, r) : 0;
}
