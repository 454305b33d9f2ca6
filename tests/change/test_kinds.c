/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "change/change.h"

static void test_the_table_is_whole(void **state)
{
    (void)state;
    for (unsigned k = CHANGE_NONE + 1; k < CHANGE_KIND_COUNT; k++) {
        const struct change_kind_info *i = change_kind_info(k);
        assert_non_null(i->json);
        assert_int_equal(change_kind_from_json(i->json), k);
        assert_int_not_equal(i->v2_type, 0);
        assert_true(i->v2_flag != 0 && (i->v2_flag & (i->v2_flag - 1)) == 0);
        assert_true((i->v1 & (i->v1 - 1)) == 0);

        /* the JSON name begins with its object's */
        const char *object = object_type_name(i->object);
        assert_memory_equal(i->json, object, strlen(object));
        assert_int_equal(i->json[strlen(object)], '.');
        assert_int_equal(object_type_from_name(object), i->object);

        for (unsigned other = CHANGE_NONE + 1; other < k; other++) {
            const struct change_kind_info *o = change_kind_info(other);
            assert_false(o->v2_type == i->v2_type && o->v2_flag == i->v2_flag);
        }
    }
    assert_int_equal(change_kind_from_json("resource.exploded"), CHANGE_NONE);
    assert_int_equal(change_kind_from_json(""), CHANGE_NONE);
}

/* Spot checks against numbers written out, so that a shifted table is seen. */
static void test_known_numbers(void **state)
{
    static const struct {
        enum change_kind kind;
        uint32_t v1, v2_type;
        int64_t v2_flag;
    } known[] = {
        {CHANGE_RESOURCE_STATE, 0x100, 3, 4},
        {CHANGE_RESOURCE_DELETED, 0x200, 3, 0x80},
        {CHANGE_RESOURCE_ADDED, 0x400, 2, 0x40},
        {CHANGE_GROUP_STATE, 0x1000, 2, 8},
        {CHANGE_GROUP_ADDED, 0x4000, 1, 4},
        {CHANGE_NODE_STATE, 1, 7, 0x10},
        {CHANGE_NETINTERFACE_STATE, 0x01000000, 5, 8},
        {CHANGE_NETWORK_STATE, 0x00100000, 6, 8},
        {CHANGE_REGISTRY_VALUE, 0x40, 8, 8},
        {CHANGE_QUORUM_STATE, 0x10000000, 9, 1},
        {CHANGE_RESOURCE_TERMINAL_STATE, 0, 3, 0x400},
        {CHANGE_CLUSTER_RENAME, 0x40000000, 1, 0x400},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        const struct change_kind_info *info = change_kind_info(known[i].kind);
        assert_int_equal(info->v1, known[i].v1);
        assert_int_equal(info->v2_type, known[i].v2_type);
        assert_true(info->v2_flag == known[i].v2_flag);
    }
}

static const struct change sample = {
    .kind = CHANGE_RESOURCE_STATE,
    .object_id = "obj",
    .parent_id = "grp",
    .node_id = "1",
    .name = "the name",
    .type_name = NULL,
};

static void test_fields(void **state)
{
    (void)state;
    assert_string_equal(change_field_text(&sample, FIELD_EMPTY), "");
    assert_string_equal(change_field_text(&sample, FIELD_OBJECT), "obj");
    assert_string_equal(change_field_text(&sample, FIELD_PARENT), "grp");
    assert_string_equal(change_field_text(&sample, FIELD_NODE), "1");
    assert_string_equal(change_field_text(&sample, FIELD_NAME), "the name");
    assert_string_equal(change_field_text(&sample, FIELD_TYPE), "");
}

static void assert_v2(enum change_kind kind, struct change_value old_value,
                      struct change_value new_value, const void *bytes, size_t size)
{
    _cleanup_(buffer_fini) struct buffer out = {0};
    struct change c = sample;
    c.kind = kind;
    c.old_value = old_value;
    c.new_value = new_value;
    assert_int_equal(change_v2_buffer(&c, &out), 0);
    assert_int_equal(out.size, size);
    if (size > 0)
        assert_memory_equal(out.data, bytes, size);
}

static void test_version_2_buffers(void **state)
{
    const struct change_value none = {0}, online = {VALUE_NUMBER, 2, NULL, 0},
                              text = {VALUE_TEXT, 0, "aé", 3},
                              list = {VALUE_TEXT_LIST, 0, "1\00012\0", 5},
                              empty_list = {VALUE_TEXT_LIST, 0, NULL, 0},
                              bytes = {VALUE_BYTES, 0, "\1\0\2", 3};
    (void)state;
    assert_v2(CHANGE_RESOURCE_STATE, none, online, "\2\0\0\0", 4);
    assert_v2(CHANGE_NODE_DELETED, online, none, "\2\0\0\0", 4);
    assert_v2(CHANGE_RESOURCE_OWNER_GROUP, none, text, "a\0\xE9\0\0\0", 6);
    assert_v2(CHANGE_RESOURCE_POSSIBLE_OWNERS, none, list, "1\0\0\0001\0002\0\0\0\0\0", 12);
    assert_v2(CHANGE_RESOURCE_POSSIBLE_OWNERS, none, empty_list, "\0\0", 2);
    assert_v2(CHANGE_CLUSTER_MEMBERSHIP, none, bytes, "\1\0\2", 3);
    assert_v2(CHANGE_RESOURCE_ADDED, none, online, "g\0r\0p\0\0\0", 8);
    assert_v2(CHANGE_NETINTERFACE_ADDED, none, online, "1\0\0\0", 4);
    assert_v2(CHANGE_RESOURCE_PRIVATE_PROPERTY, none, bytes, NULL, 0);
    assert_v2(CHANGE_RESOURCE_STATE, none, none, NULL, 0);

    _cleanup_(buffer_fini) struct buffer out = {0};
    struct change bad = sample;
    bad.kind = CHANGE_RESOURCE_OWNER_GROUP;
    bad.new_value = (struct change_value){VALUE_TEXT_LIST, 0, "ok\0\xFF\0", 5};
    buffer_append(&out, "x", 1);
    assert_int_equal(change_v2_buffer(&bad, &out), -EILSEQ);
    assert_int_equal(out.size, 1);
}

static void test_states_and_reasons(void **state)
{
    (void)state;
    assert_string_equal(object_state_name(OBJECT_RESOURCE, 2), "Online");
    assert_string_equal(object_state_name(OBJECT_RESOURCE, 130), "OfflinePending");
    assert_string_equal(object_state_name(OBJECT_GROUP, 2), "Failed");
    assert_string_equal(object_state_name(OBJECT_NODE, 3), "Joining");
    assert_string_equal(object_state_name(OBJECT_NETWORK, 2), "Partitioned");
    assert_string_equal(object_state_name(OBJECT_NETWORK_INTERFACE, 2), "Unreachable");
    assert_string_equal(object_state_name(OBJECT_RESOURCE, UINT32_MAX), "Unknown");
    assert_string_equal(object_state_name(OBJECT_RESOURCE, 77), "");
    assert_string_equal(object_state_name(OBJECT_REGISTRY, 0), "");

    for (unsigned t = OBJECT_CLUSTER; t <= OBJECT_QUORUM; t++) {
        for (uint32_t s = 0; s < 200; s++) {
            const char *name = object_state_name(t, s);
            if (*name)
                assert_int_equal(object_state_from_name(t, name), s);
        }
    }
    assert_true(object_state_from_name(OBJECT_GROUP, "partialONLINE") == 3);
    assert_true(object_state_from_name(OBJECT_GROUP, "Unknown") == 0xFFFFFFFF);
    assert_true(object_state_from_name(OBJECT_GROUP, "Paused") == -1);
    assert_true(object_state_from_name(OBJECT_GROUP, "") == -1);

    assert_string_equal(change_reason_name(REASON_FAILOVER), "failover");
    for (unsigned r = 0; r < REASON_COUNT; r++)
        assert_true(strlen(change_reason_name(r)) > 0);
    assert_string_equal(object_type_name(OBJECT_RESOURCE_TYPE), "resource-type");
    assert_int_equal(object_type_from_name("thing"), OBJECT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_is_whole),
        cmocka_unit_test(test_known_numbers),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_version_2_buffers),
        cmocka_unit_test(test_states_and_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
