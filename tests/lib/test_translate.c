/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "change/property_list.h"
#include "clusapi.h"
#include "lib/control_translate.h"

/* U+1F600 is two units on the wire and one or two WCHARs. */
static const uint8_t wire_text[] = {'a', 0, 0xe4, 0, 0x3d, 0xd8, 0x00, 0xde, 0, 0};
static const WCHAR wide_text[] = L"a\u00e4\U0001f600";

static void check(int (*translate)(enum shape, const void *, size_t, struct buffer *),
                  enum shape shape, const void *in, size_t in_size, const void *out,
                  size_t out_size)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    assert_int_equal(translate(shape, in, in_size, &b), 0);
    assert_int_equal(b.size, out_size);
    if (out_size > 0)
        assert_memory_equal(b.data, out, out_size);
}

#if __SIZEOF_WCHAR_T__ == 4
static int result(int (*translate)(enum shape, const void *, size_t, struct buffer *),
                  enum shape shape, const void *in, size_t in_size)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    return translate(shape, in, in_size, &b);
}
#endif

static void texts(void **state)
{
    (void)state;
    check(translate_from_wire, SHAPE_TEXT, wire_text, sizeof(wire_text), wide_text,
          sizeof(wide_text));
    check(translate_to_wire, SHAPE_TEXT, wide_text, sizeof(wide_text), wire_text,
          sizeof(wire_text));
    check(translate_from_wire, SHAPE_TEXT, NULL, 0, NULL, 0);
    static const uint8_t wire_multi[] = {'x', 0, 0, 0, 'y', 0, 0, 0, 0, 0};
    static const WCHAR wide_multi[] = L"x\0y\0";
    check(translate_from_wire, SHAPE_TEXT, wire_multi, sizeof(wire_multi), wide_multi,
          sizeof(wide_multi));
    check(translate_to_wire, SHAPE_TEXT, wide_multi, sizeof(wide_multi), wire_multi,
          sizeof(wire_multi));
}

static void bytes_stay(void **state)
{
    (void)state;
    check(translate_from_wire, SHAPE_BYTES, wire_text, 3, wire_text, 3);
    check(translate_to_wire, SHAPE_BYTES, wire_text, 3, wire_text, 3);
}

#if __SIZEOF_WCHAR_T__ == 4
static void bad_texts(void **state)
{
    (void)state;
    static const WCHAR beyond[] = {0x110000, 0}, surrogate[] = {0xd800, 0};
    assert_int_equal(result(translate_to_wire, SHAPE_TEXT, beyond, sizeof(beyond)), -EBADMSG);
    assert_int_equal(result(translate_to_wire, SHAPE_TEXT, surrogate, sizeof(surrogate)), -EBADMSG);
    assert_int_equal(result(translate_to_wire, SHAPE_TEXT, wide_text, 5), -EBADMSG);
    static const uint8_t odd[] = {'a', 0, 0xff};
    static const uint32_t odd_wide[] = {'a', 0xff};
    check(translate_from_wire, SHAPE_TEXT, odd, sizeof(odd), odd_wide, sizeof(odd_wide));
    static const uint8_t half[] = {0x3d, 0xd8, 'a', 0};
    static const WCHAR replaced[] = {0xfffd, 'a'};
    check(translate_from_wire, SHAPE_TEXT, half, sizeof(half), replaced, sizeof(replaced));
}
#endif

static void make_list(struct buffer *out)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    assert_int_equal(property_set_text(&t, "Description", "a\xc3\xa4\xf0\x9f\x98\x80"), 0);
    assert_int_equal(property_set_dword(&t, "RestartDelay", 500), 0);
    assert_int_equal(property_set_multi(&t, "Owners", "one\0two\0", 8), 0);
    struct property p = {
        .name = (char *)"Odd", .format = PROPERTY_BINARY, .data = (void *)"\1\2\3", .size = 3};
    assert_int_equal(property_set(&t, &p), 0);
    p = (struct property){
        .name = (char *)"Path", .format = PROPERTY_EXPAND_SZ, .data = (void *)"%TEMP%", .size = 7};
    assert_int_equal(property_set(&t, &p), 0);
    assert_int_equal(property_list_encode(&t, out), 0);
}

/* An entry of the caller's form, as a program walks it. */
static const uint8_t *entry(const uint8_t **at, uint32_t syntax, uint32_t *ret_size)
{
    const CLUSPROP_VALUE *v = (const void *)*at;
    assert_int_equal(v->Syntax.dw, syntax);
    *ret_size = v->cbLength;
    const uint8_t *data = *at + sizeof(*v);
    *at = data + ALIGN_UP(v->cbLength, 4u);
    return data;
}

static void property_lists(void **state)
{
    (void)state;
    _cleanup_(buffer_fini) struct buffer wire = {0}, api = {0};
    make_list(&wire);
    assert_int_equal(translate_from_wire(SHAPE_PROPERTIES, wire.data, wire.size, &api), 0);

    const uint8_t *at = api.data;
    uint32_t size;
    assert_int_equal(*(const uint32_t *)(const void *)at, 5);
    at += 4;
    assert_memory_equal(entry(&at, CLUSPROP_SYNTAX_NAME, &size), L"Description",
                        sizeof(L"Description"));
    assert_int_equal(size, sizeof(L"Description"));
    assert_memory_equal(entry(&at, CLUSPROP_SYNTAX_LIST_VALUE_SZ, &size), wide_text,
                        sizeof(wide_text));
    assert_int_equal(size, sizeof(wide_text));
    at += 4;
    entry(&at, CLUSPROP_SYNTAX_NAME, &size);
    assert_int_equal(
        *(const uint32_t *)(const void *)entry(&at, CLUSPROP_SYNTAX_LIST_VALUE_DWORD, &size), 500);
    at += 4;
    entry(&at, CLUSPROP_SYNTAX_NAME, &size);
    assert_memory_equal(entry(&at, CLUSPROP_SYNTAX_LIST_VALUE_MULTI_SZ, &size), L"one\0two\0",
                        sizeof(L"one\0two\0"));
    at += 4;
    entry(&at, CLUSPROP_SYNTAX_NAME, &size);
    assert_memory_equal(entry(&at, CLUSPROP_SYNTAX_LIST_VALUE_BINARY, &size), "\1\2\3", 3);
    assert_int_equal(size, 3);
    at += 4;
    entry(&at, CLUSPROP_SYNTAX_NAME, &size);
    entry(&at, CLUSPROP_SYNTAX_LIST_VALUE_EXPAND_SZ, &size);
    assert_memory_equal(entry(&at, CLUSPROP_SYNTAX_LIST_VALUE_EXPANDED_SZ, &size), L"%TEMP%",
                        sizeof(L"%TEMP%"));
    assert_ptr_equal(at + 4, api.data + api.size);

    check(translate_to_wire, SHAPE_PROPERTIES, api.data, api.size, wire.data, wire.size);
}

static void formats_and_values(void **state)
{
    (void)state;
    _cleanup_(property_table_fini) struct property_table t = {0};
    _cleanup_(buffer_fini) struct buffer wire = {0}, api = {0};
    assert_int_equal(property_set_dword(&t, "RestartDelay", 500), 0);
    assert_int_equal(property_formats_encode(&t, &wire), 0);
    assert_int_equal(translate_from_wire(SHAPE_PROPERTIES, wire.data, wire.size, &api), 0);
    const uint8_t *at = api.data + 4;
    uint32_t size;
    entry(&at, CLUSPROP_SYNTAX_NAME, &size);
    assert_int_equal(size, sizeof(L"RestartDelay"));
    assert_int_equal(*(const uint16_t *)(const void *)entry(&at, 0x0001000b, &size),
                     CLUSPROP_FORMAT_DWORD);
    assert_int_equal(size, 2);

    /* A value list has neither count nor names. What follows its end mark is not of it. */
    static const uint8_t wire_values[] = {3, 0, 4, 0, 4, 0, 0, 0, 'n', 0, 0, 0, 0, 0, 0, 0, 9};
    buffer_clear(&api);
    assert_int_equal(translate_from_wire(SHAPE_VALUES, wire_values, sizeof(wire_values), &api), 0);
    at = api.data;
    assert_memory_equal(entry(&at, CLUSPROP_SYNTAX_NAME, &size), L"n", sizeof(L"n"));
#if __SIZEOF_WCHAR_T__ == 4
    assert_int_equal(api.size, 8 + sizeof(L"n") + 4);
#endif
}

#if __SIZEOF_WCHAR_T__ == 4
/* Cut anywhere, a list is refused and nothing beyond it is read. */
static void cut_lists(void **state)
{
    (void)state;
    _cleanup_(buffer_fini) struct buffer wire = {0}, api = {0};
    make_list(&wire);
    assert_int_equal(translate_from_wire(SHAPE_PROPERTIES, wire.data, wire.size, &api), 0);
    for (size_t size = 1; size < api.size; size++) {
        _cleanup_free_
        uint8_t *copy = malloc(size);
        memcpy(copy, api.data, size);
        assert_int_equal(result(translate_to_wire, SHAPE_PROPERTIES, copy, size), -ENOBUFS);
    }
    static const uint32_t endless[] = {0xffffffff, CLUSPROP_SYNTAX_NAME, 0xfffffff0, 0};
    assert_int_equal(result(translate_to_wire, SHAPE_PROPERTIES, endless, sizeof(endless)),
                     -ENOBUFS);
}
#endif

static void shapes_of_codes(void **state)
{
    (void)state;
    assert_int_equal(control_out_shape(CLUSCTL_RESOURCE_GET_RESOURCE_TYPE), SHAPE_TEXT);
    assert_int_equal(control_out_shape(CLUSCTL_NODE_GET_ID), SHAPE_TEXT);
    assert_int_equal(control_out_shape(CLUSCTL_GROUP_GET_RO_COMMON_PROPERTIES), SHAPE_PROPERTIES);
    assert_int_equal(control_in_shape(CLUSCTL_RESOURCE_SET_PRIVATE_PROPERTIES), SHAPE_PROPERTIES);
    assert_int_equal(control_out_shape(CLUSCTL_RESOURCE_SET_PRIVATE_PROPERTIES), SHAPE_BYTES);
    assert_int_equal(control_out_shape(CLUSCTL_RESOURCE_GET_CHARACTERISTICS), SHAPE_BYTES);
    assert_int_equal(control_out_shape(CLUSCTL_RESOURCE_GET_REQUIRED_DEPENDENCIES), SHAPE_VALUES);
    assert_int_equal(control_in_shape(0x01234567), SHAPE_BYTES);
    assert_int_equal(registry_shape(REG_MULTI_SZ), SHAPE_TEXT);
    assert_int_equal(registry_shape(REG_QWORD), SHAPE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(bytes_stay),
        cmocka_unit_test(property_lists),
        cmocka_unit_test(formats_and_values),
        cmocka_unit_test(shapes_of_codes),
#if __SIZEOF_WCHAR_T__ == 4
        cmocka_unit_test(bad_texts),
        cmocka_unit_test(cut_lists),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
