/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "fixture.h"

static int append_object(void *context, enum object_type type, const char *key, const char *json,
                         size_t size)
{
    struct buffer *out = context;
    assert_int_equal(strlen(json), size);
    return buffer_printf(out, "%d/%s=%s;", (int)type, key, json);
}

static void assert_objects(struct journal *j, const char *wanted)
{
    _cleanup_(buffer_fini) struct buffer out = {0};
    assert_int_equal(journal_load(j, append_object, &out), 0);
    buffer_append(&out, "", 1);
    assert_string_equal(out.data, wanted);
}

static void put(struct journal_batch *b, enum object_type type, const char *key, const char *json)
{
    assert_int_equal(journal_batch_put(b, type, key, json, json ? strlen(json) : 0), 0);
}

static void test_empty(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    struct buffer out = {0};
    size_t count = 99;
    const struct journal_batch nothing = {0};

    assert_true(journal_first_revision(j) == 0 && journal_last_revision(j) == 0);
    assert_int_equal(journal_read(j, 0, 1000, &out, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(journal_commit(j, &nothing), 0);
    assert_objects(j, "");
    assert_int_equal(journal_check(j), 0);
    journal_close(j);
    journal_close(NULL);
}

static void test_objects_and_changes_stay(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    _cleanup_(journal_batch_fini) struct journal_batch one = {0}, two = {0};

    make_batch(&one, 1, 3, 100);
    put(&one, OBJECT_GROUP, "g1", "{\"name\":\"Größe\"}");
    put(&one, OBJECT_RESOURCE, "r1", "{}");
    put(&one, OBJECT_RESOURCE, "r2", "{}");
    put(&one, OBJECT_RESOURCE, "r2", "{\"later\":1}");
    assert_int_equal(journal_commit(j, &one), 0);

    put(&two, OBJECT_RESOURCE, "r1", NULL);
    put(&two, OBJECT_RESOURCE, "absent", NULL);
    put(&two, OBJECT_GROUP, "g1", "{\"name\":\"new\"}");
    assert_int_equal(journal_commit(j, &two), 0); /* objects alone */
    assert_true(journal_last_revision(j) == 3);
    journal_close(j);

    j = open_journal(s->path, NULL);
    assert_objects(j, "2/g1={\"name\":\"new\"};3/r2={\"later\":1};");
    assert_true(journal_first_revision(j) == 1 && journal_last_revision(j) == 3);
    assert_changes(j, 1, 3);
    assert_int_equal(commit_changes(j, 2, 0), 0);
    assert_changes(j, 1, 5);
    assert_int_equal(journal_check(j), 0);
    journal_close(j);
}

static int refuse_second(void *context, enum object_type type, const char *key, const char *json,
                         size_t size)
{
    int *calls = context;
    (void)type;
    (void)key;
    (void)json;
    (void)size;
    return ++*calls == 2 ? -ECANCELED : 0;
}

static void test_load_stops_when_told(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    _cleanup_(journal_batch_fini) struct journal_batch b = {0};
    int calls = 0;

    put(&b, OBJECT_GROUP, "a", "{}");
    put(&b, OBJECT_GROUP, "b", "{}");
    put(&b, OBJECT_GROUP, "c", "{}");
    assert_int_equal(journal_commit(j, &b), 0);
    assert_int_equal(journal_load(j, refuse_second, &calls), -ECANCELED);
    assert_int_equal(calls, 2);
    assert_objects(j, "2/a={};2/b={};2/c={};"); /* and can be begun anew */
    journal_close(j);
}

static void test_reading_in_pieces(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    _cleanup_(buffer_fini) struct buffer out = {0};
    size_t count = 99;

    assert_int_equal(commit_changes(j, 10, 1000), 0);
    assert_int_equal(journal_read(j, 4, 1, &out, &count), 0); /* at least one */
    assert_int_equal(count, 1);
    const size_t record = out.size;
    assert_true(change_peek_revision(out.data) == 4);
    assert_int_equal(journal_read(j, 5, 3 * record, &out, &count), 0); /* appends */
    assert_int_equal(count, 3);
    assert_int_equal(out.size, 4 * record);
    buffer_clear(&out);
    assert_int_equal(journal_read(j, 5, 3 * record - 1, &out, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(journal_read(j, 11, 1000, &out, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(journal_read(j, UINT64_MAX, 1000, &out, &count), 0);
    assert_int_equal(count, 0);
    journal_close(j);
}

static void test_retention_by_count(void **state)
{
    const struct scratch *s = *state;
    const struct journal_options keep = {.keep_changes = 100};
    struct journal *j = open_journal(s->path, &keep);

    for (int i = 1; i <= 60; i++) {
        assert_int_equal(commit_changes(j, 7, 50), 0);
        const uint64_t last = journal_last_revision(j);
        assert_true(last == (uint64_t)i * 7);
        assert_true(journal_first_revision(j) == (last > 100 ? last - 99 : 1));
    }
    assert_changes(j, journal_first_revision(j), journal_last_revision(j));

    /* what is gone: reading begins at the first that is kept */
    _cleanup_(buffer_fini) struct buffer out = {0};
    size_t count;
    assert_int_equal(journal_read(j, 1, 1, &out, &count), 0);
    assert_true(change_peek_revision(out.data) == journal_first_revision(j));

    assert_int_equal(commit_changes(j, 500, 50), 0); /* more than the limit at once */
    assert_true(journal_last_revision(j) - journal_first_revision(j) == 99);
    assert_int_equal(journal_check(j), 0);
    journal_close(j);
    j = open_journal(s->path, &keep);
    assert_true(journal_last_revision(j) == 920 && journal_first_revision(j) == 821);
    journal_close(j);
}

static void test_retention_by_bytes(void **state)
{
    const struct scratch *s = *state;
    const struct journal_options keep = {.keep_bytes = 100 * 1024};
    struct journal *j = open_journal(s->path, &keep);
    _cleanup_(buffer_fini) struct buffer out = {0};
    size_t count;

    for (int i = 0; i < 50; i++)
        assert_int_equal(commit_changes(j, 10, 900), 0);
    assert_int_equal(journal_read(j, 1, SIZE_MAX, &out, &count), 0);
    assert_true(out.size <= 100 * 1024 && out.size > 98 * 1024);
    assert_true(count == journal_last_revision(j) - journal_first_revision(j) + 1);

    /* one larger than the limit: it alone is kept, and the revision goes on */
    assert_int_equal(commit_changes(j, 1, 200 * 1024), 0);
    assert_true(journal_first_revision(j) == 501 && journal_last_revision(j) == 501);
    assert_int_equal(commit_changes(j, 1, 10), 0);
    assert_true(journal_first_revision(j) == 502 && journal_last_revision(j) == 502);
    assert_int_equal(journal_check(j), 0);
    journal_close(j);
}

/* A lowered limit is reached over several commits, each of which does a bounded piece. */
static void test_retention_is_bounded(void **state)
{
    const struct scratch *s = *state;
    struct journal *j = open_journal(s->path, NULL);
    assert_int_equal(commit_changes(j, 5000, 0), 0);
    journal_close(j);

    const struct journal_options keep = {.keep_changes = 10};
    j = open_journal(s->path, &keep);
    uint64_t first = journal_first_revision(j);
    int commits = 0;
    assert_true(first == 1);
    while (journal_last_revision(j) - journal_first_revision(j) >= 10) {
        assert_int_equal(commit_changes(j, 1, 0), 0);
        assert_true(journal_first_revision(j) > first);
        assert_true(journal_first_revision(j) - first <= 1026);
        first = journal_first_revision(j);
        commits++;
    }
    assert_int_equal(commits, 5);
    assert_int_equal(journal_check(j), 0);
    journal_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_objects_and_changes_stay, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_load_stops_when_told, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_reading_in_pieces, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_retention_by_count, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_retention_by_bytes, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_retention_is_bounded, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
