/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void test_utf8_takes_every_code_point_and_nothing_else(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x111000; c++) {
        char bytes[4];
        uint32_t back = 0xFFFFFFFF;
        size_t used = utf8_encode(c, bytes);
        if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
            assert_int_equal(used, 0);
            continue;
        }
        assert_int_equal(utf8_decode(bytes, used, &back), used);
        assert_int_equal(back, c);
        assert_int_equal(utf8_decode(bytes, used - 1, &back), 0);
    }
}

static void test_malformed_utf8_is_refused(void **state)
{
    static const char *const malformed[] = {
        "\x80",
        "\xC0\xAF",
        "\xC1\x81",
        "\xC3",
        "\xE0\x80\xAF",
        "\xED\xA0\x80",
        "\xF0\x80\x80\xAF",
        "\xF4\x90\x80\x80",
        "\xF5",
        "\xFF",
        "\xC3\x28",
        "\xE2\x82\x28",
        "ok\xE2\x82",
        "\xF0\x9F\x98\x28",
        "\xFE\xFE",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
        _cleanup_(buffer_fini) struct buffer b = {0};
        assert_false(text_is_utf8(malformed[i], strlen(malformed[i])));
        assert_int_equal(buffer_append_u16(&b, 7), 0);
        assert_int_equal(utf16_append(&b, malformed[i], true), -EILSEQ);
        assert_int_equal(b.size, 2);
        /* comparison stays total: equal to itself, and so hashed */
        assert_true(text_equal(malformed[i], malformed[i]));
        assert_false(text_equal(malformed[i], "other"));
    }
    assert_true(text_is_utf8("a\0b", 3));
    assert_true(text_is_utf8("", 0));
}

static void test_malformed_utf8_is_made_good(void **state)
{
    (void)state;
    char broken[] = "a\xff\xfez\xc3\xa4\xed\xa0\x80\xe2\x82";
    text_make_utf8(broken);
    assert_string_equal(broken, "a??z\xc3\xa4?????");
    char good[] = "gr\xc3\xbc\xc3\x9f";
    text_make_utf8(good);
    assert_string_equal(good, "gr\xc3\xbc\xc3\x9f");
}

static void test_case_is_folded(void **state)
{
    static const char *const equal[][2] = {
        {"Disk Q:", "dISK q:"}, {"École", "éCOLE"}, {"ΟΔΟΣ", "οδοσ"},
        {"ГРУППА", "группа"},   {"𐐀", "𐐨"},         {"", ""},
    };
    static const char *const different[][2] = {
        {"a", "b"},       {"a", "aa"}, {"", "a"},  {"É", "E"}, {"straße", "STRASSE"},
        {"dısk", "DISK"}, {"ſ", "S"},  {"[", "{"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(equal); i++) {
        assert_true(text_equal(equal[i][0], equal[i][1]));
        assert_true(text_hash(equal[i][0]) == text_hash(equal[i][1]));
    }
    for (size_t i = 0; i < ARRAY_SIZE(different); i++) {
        int order = text_compare(different[i][0], different[i][1]);
        assert_int_not_equal(order, 0);
        assert_int_equal(text_compare(different[i][1], different[i][0]), -order);
    }
    assert_true(text_compare(NULL, "") < 0);
    assert_true(text_compare("", NULL) > 0);
    assert_true(text_equal(NULL, NULL));
}

static void test_paths(void **state)
{
    (void)state;
    assert_true(text_path_within("Resources\\x", "resources"));
    assert_true(text_path_within("Resources", "RESOURCES"));
    assert_true(text_path_within("anything", ""));
    assert_true(text_path_within("", ""));
    assert_true(text_path_within("Écoles\\a", "éCOLES"));
    assert_false(text_path_within("ResourcesX", "Resources"));
    assert_false(text_path_within("Res", "Resources"));
    assert_false(text_path_within("", "Resources"));
}

static void test_utf16_round_trip(void **state)
{
    static const char *const texts[] = {"",     "Physical Disk", "Größe",
                                        "磁盘", "a😀b",           "\xEF\xBF\xBF"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_(buffer_fini) struct buffer b = {0};
        _cleanup_free_
        char *back = NULL;
        assert_int_equal(utf16_append(&b, texts[i], true), 0);
        assert_int_equal(b.size, (utf16_length(texts[i]) + 1) * 2);
        assert_int_equal(b.data[b.size - 1] | b.data[b.size - 2], 0);
        assert_int_equal(utf16_to_utf8(b.data, b.size / 2, &back), 0);
        assert_string_equal(back, texts[i]);
    }
    _cleanup_(buffer_fini) struct buffer b = {0};
    assert_int_equal(utf16_append(&b, "a😀", false), 0);
    assert_int_equal(b.size, 6);
    assert_memory_equal(b.data, "a\0\x3D\xD8\x00\xDE", 6);
}

static void test_lone_surrogates_are_refused(void **state)
{
    static const uint8_t lone[][4] = {
        {0x00, 0xD8, 'a', 0}, {0x00, 0xDC, 'a', 0}, {'a', 0, 0x00, 0xD8}, {0x00, 0xD8, 0x00, 0xD8}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lone); i++) {
        char *text = (char *)"untouched";
        assert_int_equal(utf16_to_utf8(lone[i], 2, &text), -EILSEQ);
        assert_string_equal(text, "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_takes_every_code_point_and_nothing_else),
        cmocka_unit_test(test_malformed_utf8_is_refused),
        cmocka_unit_test(test_malformed_utf8_is_made_good),
        cmocka_unit_test(test_case_is_folded),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_utf16_round_trip),
        cmocka_unit_test(test_lone_surrogates_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
