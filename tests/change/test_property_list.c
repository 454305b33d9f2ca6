/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "change/property_list.h"

static void put(struct property_table *t, char *name, enum property_format format, uint64_t number,
                void *data, size_t size)
{
    const struct property p = {name, format, number, data, size, 0};
    assert_int_equal(property_set(t, &p), 0);
}

static void fill(struct property_table *t)
{
    assert_int_equal(property_set_text(t, "Description", "Größe 😀"), 0);
    assert_int_equal(property_set_text(t, "Empty", ""), 0);
    assert_int_equal(property_set_dword(t, "RestartThreshold", 0xFFFFFFFF), 0);
    assert_int_equal(property_set_multi(t, "Owners", "one\0two\0", 8), 0);
    assert_int_equal(property_set_multi(t, "NoOwners", NULL, 0), 0);
    put(t, "Long", PROPERTY_LONG, (uint64_t)-5, NULL, 0);
    put(t, "Word", PROPERTY_WORD, 0xABCD, NULL, 0);
    put(t, "Large", PROPERTY_LARGE_INTEGER, (uint64_t)-1, NULL, 0);
    put(t, "ULarge", PROPERTY_ULARGE_INTEGER, 1ull << 63, NULL, 0);
    put(t, "Time", PROPERTY_FILETIME, 133000000000000000, NULL, 0);
    put(t, "Path", PROPERTY_EXPAND_SZ, 0, "%TEMP%\\x", 9);
    put(t, "Bytes", PROPERTY_BINARY, 0, "\0\1\2", 3);
    put(t, "NoBytes", PROPERTY_BINARY, 0, NULL, 0);
    put(t, "Default", PROPERTY_SZ, 0, "", 0);
    put(t, "Security", PROPERTY_SECURITY_DESCRIPTOR, 0, "\x01\x00\x04\x80", 4);
}

static void assert_same_table(const struct property_table *a, const struct property_table *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal(a->items[i].name, b->items[i].name);
        assert_true(property_equal(&a->items[i], &b->items[i]));
        assert_int_equal(a->items[i].data == NULL, b->items[i].data == NULL);
    }
}

/* A copy of exactly so many bytes, so that a sanitizer sees every read beyond them. */
static int decode_exactly(const uint8_t *data, size_t size, struct property_table *ret)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    int r = property_list_decode(copy, size, ret);
    free(copy);
    return r;
}

static void test_table(void **state)
{
    _cleanup_(property_table_fini) struct property_table t = {0}, copy = {0};
    (void)state;
    fill(&t);
    const size_t count = t.count;

    assert_int_equal(property_table_copy(&t, &copy), 0);
    assert_same_table(&t, &copy);
    assert_non_null(property_find(&t, "rESTARTtHRESHOLD"));
    assert_null(property_find(&t, "Restart"));

    /* replaced in place, the name as it was first written */
    assert_int_equal(property_set_dword(&t, "DESCRIPTION", 7), 0);
    assert_int_equal(t.count, count);
    assert_string_equal(t.items[0].name, "Description");
    assert_int_equal(t.items[0].format, PROPERTY_DWORD);
    assert_null(t.items[0].data);
    assert_false(property_equal(&t.items[0], &copy.items[0]));
    assert_int_equal(property_set(&t, property_find(&t, "Owners")), 0); /* itself */
    assert_memory_equal(property_find(&t, "Owners")->data, "one\0two\0", 8);

    assert_true(property_remove(&t, "EMPTY"));
    assert_false(property_remove(&t, "Empty"));
    assert_int_equal(t.count, count - 1);
    assert_string_equal(t.items[1].name, "RestartThreshold");
}

static void test_round_trip(void **state)
{
    _cleanup_(property_table_fini) struct property_table t = {0}, back = {0};
    _cleanup_(buffer_fini) struct buffer out = {0}, again = {0};
    (void)state;
    fill(&t);
    assert_int_equal(property_list_encode(&t, &out), 0);
    assert_int_equal(out.size % 4, 0);
    assert_int_equal(decode_exactly(out.data, out.size, &back), 0);
    assert_same_table(&t, &back);
    assert_int_equal(property_list_encode(&back, &again), 0);
    assert_int_equal(again.size, out.size);
    assert_memory_equal(again.data, out.data, out.size);

    /* a longer buffer holds the list too */
    property_table_fini(&back);
    buffer_append(&out, "\xFF\xFF\xFF", 3);
    assert_int_equal(decode_exactly(out.data, out.size, &back), 0);
    assert_same_table(&t, &back);
}

static void test_bytes_on_the_wire(void **state)
{
    static const uint8_t wanted[] = {
        2, 0, 0, 0,                                         /* count */
        3, 0, 4, 0, 4, 0, 0, 0, 'D', 0, 0,   0,             /* name */
        2, 0, 1, 0, 4, 0, 0, 0, 1,   2, 3,   4,             /* DWORD */
        0, 0, 0, 0,                                         /* end mark */
        3, 0, 4, 0, 6, 0, 0, 0, 'E', 0, 'x', 0, 0, 0, 0, 0, /* name, padded */
        4, 0, 1, 0, 6, 0, 0, 0, 'a', 0, 'b', 0, 0, 0, 0, 0, /* EXPAND_SZ */
        8, 0, 1, 0, 6, 0, 0, 0, 'a', 0, 'b', 0, 0, 0, 0, 0, /* EXPANDED_SZ */
        0, 0, 0, 0,                                         /* end mark */
    };
    _cleanup_(property_table_fini) struct property_table t = {0};
    _cleanup_(buffer_fini) struct buffer out = {0};
    (void)state;
    assert_int_equal(property_set_dword(&t, "D", 0x04030201), 0);
    put(&t, "Ex", PROPERTY_EXPAND_SZ, 0, "ab", 3);
    buffer_append(&out, "x", 1); /* padding counts from the list's own start */
    assert_int_equal(property_list_encode(&t, &out), 0);
    assert_int_equal(out.size - 1, sizeof(wanted));
    assert_memory_equal(out.data + 1, wanted, sizeof(wanted));
}

static void test_formats_and_names(void **state)
{
    _cleanup_(property_table_fini) struct property_table t = {0}, formats = {0}, none = {0};
    _cleanup_(buffer_fini) struct buffer out = {0}, names = {0};
    (void)state;
    fill(&t);
    assert_int_equal(property_formats_encode(&t, &out), 0);
    assert_int_equal(decode_exactly(out.data, out.size, &formats), 0);
    assert_int_equal(formats.count, t.count);
    for (size_t i = 0; i < t.count; i++) {
        assert_string_equal(formats.items[i].name, t.items[i].name);
        assert_int_equal(formats.items[i].format, PROPERTY_WORD);
        assert_int_equal(formats.items[i].number, t.items[i].format);
    }
    assert_int_equal(property_names_encode(&none, &names), 0);
    assert_int_equal(names.size, 2);
    buffer_clear(&names);
    assert_int_equal(property_set_dword(&none, "A", 1), 0);
    assert_int_equal(property_set_dword(&none, "Bc", 1), 0);
    assert_int_equal(property_names_encode(&none, &names), 0);
    assert_int_equal(names.size, 12);
    assert_memory_equal(names.data, "A\0\0\0B\0c\0\0\0\0\0", 12);
}

static void test_cut_short_at_every_length(void **state)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    _cleanup_(buffer_fini) struct buffer out = {0};
    struct property_table untouched = {.count = 77};
    (void)state;
    fill(&t);
    assert_int_equal(property_list_encode(&t, &out), 0);
    for (size_t size = 0; size < out.size; size++)
        assert_int_equal(decode_exactly(out.data, size, &untouched), -ENOBUFS);
    assert_int_equal(untouched.count, 77);
}

static void test_every_byte_damaged(void **state)
{
    static const uint8_t values[] = {0, 1, 2, 3, 4, 7, 0x7F, 0x80, 0xD8, 0xDC, 0xFE, 0xFF};
    _cleanup_(property_table_fini) struct property_table t = {0};
    _cleanup_(buffer_fini) struct buffer out = {0};
    int refused = 0;
    (void)state;
    fill(&t);
    assert_int_equal(property_list_encode(&t, &out), 0);
    for (size_t at = 0; at < out.size; at++) {
        const uint8_t was = out.data[at];
        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
            _cleanup_(property_table_fini) struct property_table back = {0};
            out.data[at] = values[i];
            int r = decode_exactly(out.data, out.size, &back);
            assert_true(r == 0 || r == -EBADMSG || r == -ENOBUFS);
            refused += r != 0;
        }
        out.data[at] = was;
    }
    assert_true(refused > 100);
}

/* One property with the given value entry. */
static int decode_value(uint32_t syntax, const void *data, uint32_t length,
                        struct property_table *ret)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    buffer_append_u32(&b, 1);
    buffer_append_u32(&b, 0x00040003);
    buffer_append_u32(&b, 4);
    buffer_append(&b, "N\0\0\0", 4);
    buffer_append_u32(&b, syntax);
    if (syntax != 0) {
        buffer_append_u32(&b, length);
        buffer_append(&b, data, length);
        buffer_align(&b, 4);
        buffer_append_u32(&b, 0);
    }
    assert_false(buffer_failed(&b));
    return decode_exactly(b.data, b.size, ret);
}

static void test_values_that_cannot_be(void **state)
{
    static const struct {
        uint32_t syntax;
        const char *data;
        uint32_t length;
    } bad[] = {
        {0, "", 0},                        /* no value at all */
        {0x00010002, "\1\2\3", 3},         /* DWORD of 3 bytes */
        {0x00010002, "", 0},               /* DWORD of none */
        {0x00010006, "\1\2\3\4", 4},       /* 64 bits of 4 bytes */
        {0x0001000B, "\1\2\3\4", 4},       /* WORD of 4 bytes */
        {0x00010003, "a\0b", 3},           /* half a code unit */
        {0x00010003, "\0\xD8", 2},         /* half a pair */
        {0x00010005, "\0\xD8\0\0\0\0", 6}, /* the same in a list */
        {0x00010005, "a", 1},              /* half a code unit */
        {0x00010008, "a\0\0\0", 4},        /* EXPANDED_SZ comes only second */
        {0x0001000D, "", 0},               /* no such format */
        {0x00010000, "", 0},               /* no such format */
        {0x00020002, "\1\0\0\0", 4},       /* a resource class is no value */
        {0x00040003, "M\0\0\0", 4},        /* a name for a value */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct property_table untouched = {.count = 77};
        if (decode_value(bad[i].syntax, bad[i].data, bad[i].length, &untouched) != -EBADMSG)
            fail_msg("value %zu was taken", i);
        assert_int_equal(untouched.count, 77);
    }
}

static void test_values_at_the_edge(void **state)
{
    static const struct {
        uint32_t syntax;
        const char *data;
        uint32_t length;
        const char *wanted;
        size_t size;
    } good[] = {
        {0x00010003, "", 0, "", 0},               /* asks for the default */
        {0x00010001, "", 0, "", 0},               /* the same */
        {0x00010003, "\0\0", 2, "", 1},           /* an empty text */
        {0x00010003, "a\0\0\0b\0", 6, "a", 2},    /* nothing after the NUL counts */
        {0x00010003, "a\0b\0", 4, "ab", 3},       /* without a NUL */
        {0x00010005, "", 0, "", 0},               /* an empty list */
        {0x00010005, "\0\0\0\0", 4, "", 0},       /* the same, with two NULs */
        {0x00010005, "a\0\0\0b\0", 6, "a\0b", 4}, /* the last without its NULs */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        _cleanup_(property_table_fini) struct property_table t = {0};
        assert_int_equal(decode_value(good[i].syntax, good[i].data, good[i].length, &t), 0);
        assert_int_equal(t.count, 1);
        assert_non_null(t.items[0].data);
        assert_int_equal(t.items[0].size, good[i].size);
        assert_memory_equal(t.items[0].data, good[i].wanted, good[i].size);
    }
}

static void test_lists_that_cannot_be(void **state)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    struct property_table untouched = {.count = 77};
    (void)state;
    buffer_append_u32(&b, PROPERTY_LIST_MOST + 1);
    assert_int_equal(decode_exactly(b.data, b.size, &untouched), -EBADMSG);
    buffer_clear(&b);
    buffer_append_u32(&b, 1);
    buffer_append_u32(&b, 0x00040003);
    buffer_append_u32(&b, 0); /* no name */
    buffer_append_u32(&b, 0);
    assert_int_equal(decode_exactly(b.data, b.size, &untouched), -EBADMSG);
    buffer_clear(&b);
    buffer_append_u32(&b, 1);
    buffer_append_u32(&b, 0x00010003); /* a value where the name should be */
    buffer_append_u32(&b, 4);
    buffer_append_u32(&b, 'N');
    assert_int_equal(decode_exactly(b.data, b.size, &untouched), -EBADMSG);
    buffer_clear(&b);
    buffer_append_u32(&b, 1);
    buffer_append_u32(&b, 0x00040003);
    buffer_append_u32(&b, UINT32_MAX); /* longer than anything */
    buffer_append_u32(&b, 'N');
    assert_int_equal(decode_exactly(b.data, b.size, &untouched), -ENOBUFS);
    assert_int_equal(untouched.count, 77);

    /* the last of two values of one name wins */
    _cleanup_(property_table_fini) struct property_table t = {0}, twice = {0};
    assert_int_equal(property_set_dword(&t, "a", 1), 0);
    assert_int_equal(property_set_dword(&t, "b", 2), 0);
    t.items[1].name[0] = 'A';
    buffer_clear(&b);
    assert_int_equal(property_list_encode(&t, &b), 0);
    assert_int_equal(decode_exactly(b.data, b.size, &twice), 0);
    assert_int_equal(twice.count, 1);
    assert_int_equal(twice.items[0].number, 2);
}

static void test_texts_that_are_not_utf8(void **state)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    _cleanup_(buffer_fini) struct buffer out = {0};
    (void)state;
    assert_int_equal(property_set_text(&t, "Bad", "\xFF"), 0);
    buffer_append(&out, "x", 1);
    assert_int_equal(property_list_encode(&t, &out), -EILSEQ);
    assert_int_equal(out.size, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes_on_the_wire),
        cmocka_unit_test(test_formats_and_names),
        cmocka_unit_test(test_cut_short_at_every_length),
        cmocka_unit_test(test_every_byte_damaged),
        cmocka_unit_test(test_values_that_cannot_be),
        cmocka_unit_test(test_values_at_the_edge),
        cmocka_unit_test(test_lists_that_cannot_be),
        cmocka_unit_test(test_texts_that_are_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
