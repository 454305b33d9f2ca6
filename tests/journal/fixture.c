/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

int scratch_setup(void **state)
{
    struct scratch *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    snprintf(s->folder, sizeof(s->folder), "/tmp/journal-test-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof(s->path), "%s/journal.db", s->folder);
    *state = s;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int scratch_teardown(void **state)
{
    struct scratch *s = *state;
    int r = nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(s);
    return r;
}

struct journal *open_journal(const char *path, const struct journal_options *options)
{
    static const struct journal_options defaults = {.keep_changes = JOURNAL_KEEP_CHANGES,
                                                    .keep_bytes = JOURNAL_KEEP_BYTES};
    struct journal *j = NULL;
    _cleanup_free_
    char *error = NULL;

    int r = journal_open(path, options ? options : &defaults, &j, &error);
    if (r < 0)
        fail_msg("%d: %s", r, error ? error : "");
    assert_null(error);
    return j;
}

static void append_change(struct buffer *out, uint64_t revision, uint64_t first, uint64_t last,
                          size_t bytes)
{
    _cleanup_free_
    char *value = malloc(bytes + 1);
    assert_non_null(value);
    memset(value, (int)('a' + revision % 26), bytes);
    const struct change c = {
        .revision = revision,
        .transaction = first,
        .last = revision == last,
        .time_ns = (int64_t)revision,
        .kind = CHANGE_CLUSTER_MEMBERSHIP,
        .new_value = {.kind = VALUE_BYTES, .data = value, .size = bytes},
        .actor.reason = REASON_ENGINE,
    };
    assert_int_equal(change_encode(&c, out), 0);
}

void make_batch(struct journal_batch *b, uint64_t first, uint64_t count, size_t bytes)
{
    b->first_revision = first;
    b->last_revision = first + count - 1;
    for (uint64_t r = first; r <= b->last_revision; r++)
        append_change(&b->changes, r, first, b->last_revision, bytes);
}

int commit_changes(struct journal *j, uint64_t count, size_t bytes)
{
    _cleanup_(journal_batch_fini) struct journal_batch b = {0};
    make_batch(&b, journal_last_revision(j) + 1, count, bytes);
    return journal_commit(j, &b);
}

void assert_changes(struct journal *j, uint64_t from, uint64_t last)
{
    uint64_t expected = from;

    while (expected <= last) {
        _cleanup_(buffer_fini) struct buffer out = {0};
        size_t count = 0, seen = 0;
        assert_int_equal(journal_read(j, expected, 65536, &out, &count), 0);
        assert_true(count > 0);
        for (size_t at = 0; at < out.size; at += change_size(out.data + at), seen++) {
            struct change c;
            assert_int_equal(change_decode(out.data + at, out.size - at, &c), 0);
            assert_true(c.revision == expected);
            for (size_t i = 0; i < c.new_value.size; i++)
                assert_int_equal(((const char *)c.new_value.data)[i], 'a' + expected % 26);
            expected++;
        }
        assert_int_equal(seen, count);
    }
    assert_true(expected == last + 1);
}
