/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "port/filter.h"
#include "port/history.h"

/* ---- flags ---- */

static void each_v1_flag_brings_its_kinds_and_no_others(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        struct history *h = history_create();
        struct port *p = make(PORT_V1, 1);
        assert_int_equal(add_v1(p, (1u << bit) | SUBTREE, OBJECT_CLUSTER, NULL, 7, h), 0);
        for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++)
            happen(h, kind, "x");
        for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++)
            if (change_kind_info(kind)->v1 == 1u << bit)
                expect(p, h, 7, 1u << bit, "x");
        expect_nothing(p, h);
        port_destroy(p);
        history_destroy(h);
    }
}

static void all_flags_bring_each_change_once(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(add_v1(p, ALL, OBJECT_CLUSTER, NULL, 7, h), 0);
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++)
        happen(h, kind, "x");
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++)
        if (change_kind_info(kind)->v1)
            expect(p, h, 7, change_kind_info(kind)->v1, "x");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

static void each_v2_flag_brings_its_kind_with_its_strings(void **state)
{
    (void)state;
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++) {
        const struct change_kind_info *info = change_kind_info(kind);
        struct history *h = history_create();
        struct port *p = make(PORT_V2, 1);
        int64_t flags = info->v2_flag;
        if (info->v2_type == OBJECT_REGISTRY)
            flags |= V2_REGISTRY_SUBTREE;
        assert_int_equal(add_v2(p, info->v2_type, flags, OBJECT_CLUSTER, NULL, 9, h), 0);
        for (unsigned other = CHANGE_NONE + 1; other < CHANGE_KIND_COUNT; other++)
            happen(h, other, "x");

        struct port_notification n;
        assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
        assert_int_equal(n.change.kind, kind);
        assert_int_equal(n.v2_type, info->v2_type);
        assert_int_equal(n.v2_flag, info->v2_flag);
        assert_string_equal(n.name, info->name == FIELD_EMPTY ? "" : "x");
        const char *fields[] = {"", "id-x", "P", "N", "x", "T"};
        assert_string_equal(n.object_id, fields[info->id]);
        assert_string_equal(n.parent_id, fields[info->parent]);
        assert_string_equal(n.type_name, fields[info->type]);
        port_consume(p);
        expect_nothing(p, h);
        port_destroy(p);
        history_destroy(h);
    }
}

static void flags_must_go_together_and_with_the_handle(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(add_v1(p, RESOURCE_STATE | GROUP_STATE, OBJECT_GROUP, "g", 1, h), -EINVAL);
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_GROUP, "g", 1, h), -EBADF);
    assert_int_equal(add_v1(p, GROUP_STATE, OBJECT_CLUSTER, "c", 1, h), -EBADF);
    assert_int_equal(p->filter_count, 0);
    assert_int_equal(add_v1(p, 0x400, OBJECT_RESOURCE, "r", 1, h), 0);
    assert_int_equal(add_v1(p, HANDLE_CLOSE, OBJECT_NETWORK, "n", 1, h), 0);
    assert_int_equal(
        add_v1(p, CLUSTER_STATE | 0x40000000u | HANDLE_CLOSE, OBJECT_CLUSTER, "c", 1, h), 0);
    assert_int_equal(add_v1(p, 0, OBJECT_CLUSTER, NULL, 1, h), 0);
    port_destroy(p);

    p = make(PORT_V2, 1);
    assert_int_equal(add_v2(p, 99, 1, OBJECT_CLUSTER, NULL, 1, h), -EINVAL);
    assert_int_equal(add_v2(p, OBJECT_NONE, 0, OBJECT_CLUSTER, NULL, 1, h), -EINVAL);
    assert_int_equal(add_v2(p, OBJECT_GROUP, 0x400, OBJECT_GROUP, "g", 1, h), -EINVAL);
    assert_int_equal(add_v2(p, OBJECT_GROUP, 8, OBJECT_RESOURCE, "g", 1, h), -EBADF);
    assert_int_equal(add_v2(p, OBJECT_GROUP, 8, OBJECT_GROUP, "g", 1, h), 0);
    assert_int_equal(p->filter_count, 1);
    port_destroy(p);
    history_destroy(h);
}

/* ---- objects ---- */

static void a_registration_on_one_object_follows_its_id(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(add_v1(p, 0xf00, OBJECT_RESOURCE, "ID-R1", 1, h), 0);
    happen(h, CHANGE_RESOURCE_ADDED, "r0");
    happen(h, CHANGE_RESOURCE_STATE, "r2");
    happen(h, CHANGE_RESOURCE_STATE, "r1");
    happen(h, CHANGE_GROUP_STATE, "r1");
    happen_as(h, (struct change){
                     .kind = CHANGE_RESOURCE_COMMON_PROPERTY, .object_id = "id-r1", .name = "new"});
    happen(h, CHANGE_RESOURCE_DELETED, "r1");
    expect(p, h, 1, RESOURCE_STATE, "r1");
    expect(p, h, 1, 0x800, "new");
    expect(p, h, 1, 0x200, "r1");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

static void version_2_compares_the_field_of_the_table(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V2, 1);
    /* A resource made in group P is the group's event, an interface on node N the node's. */
    assert_int_equal(add_v2(p, OBJECT_GROUP, 0x40, OBJECT_GROUP, "p", 1, h), 0);
    assert_int_equal(add_v2(p, OBJECT_GROUP, 0x40, OBJECT_GROUP, "other", 2, h), 0);
    assert_int_equal(add_v2(p, OBJECT_NODE, 0x1, OBJECT_NODE, "n", 3, h), 0);
    assert_int_equal(add_v2(p, OBJECT_NODE, 0x1, OBJECT_NODE, "m", 4, h), 0);
    assert_int_equal(add_v2(p, OBJECT_RESOURCE_TYPE, 0x1, OBJECT_CLUSTER, "type", 5, h), 0);
    happen(h, CHANGE_RESOURCE_ADDED, "r");
    happen(h, CHANGE_NETINTERFACE_ADDED, "i");
    happen(h, CHANGE_RESOURCE_TYPE_DELETED, "Type");
    happen(h, CHANGE_RESOURCE_TYPE_DELETED, "other");
    expect_v2(p, h, 1, OBJECT_GROUP, 0x40, "r");
    expect_v2(p, h, 3, OBJECT_NODE, 0x1, "i");
    expect_v2(p, h, 5, OBJECT_RESOURCE_TYPE, 0x1, "Type");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

static void keys_are_watched_alone_or_with_what_is_below(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(add_v1(p, 0x40, OBJECT_CLUSTER, NULL, 1, h), 0);
    assert_int_equal(add_v1(p, 0x40 | SUBTREE, OBJECT_CLUSTER, NULL, 2, h), 0);
    assert_int_equal(add_v1(p, 0x40, OBJECT_REGISTRY, "App", 3, h), 0);
    assert_int_equal(add_v1(p, 0x40 | SUBTREE, OBJECT_REGISTRY, "App", 4, h), 0);
    happen(h, CHANGE_REGISTRY_VALUE, "");
    happen(h, CHANGE_REGISTRY_VALUE, "app");
    happen(h, CHANGE_REGISTRY_VALUE, "App\\Sub");
    happen(h, CHANGE_REGISTRY_VALUE, "Apple");
    happen(h, CHANGE_REGISTRY_NAME, "App");
    expect(p, h, 1, 0x40, "");
    expect(p, h, 2, 0x40, "");
    expect(p, h, 2, 0x40, "app");
    expect(p, h, 3, 0x40, "app");
    expect(p, h, 4, 0x40, "app");
    expect(p, h, 2, 0x40, "App\\Sub");
    expect(p, h, 4, 0x40, "App\\Sub");
    expect(p, h, 2, 0x40, "Apple");
    expect_nothing(p, h);
    port_destroy(p);

    p = make(PORT_V2, h->last + 1);
    assert_int_equal(add_v2(p, OBJECT_REGISTRY, 0x8, OBJECT_REGISTRY, "App", 5, h), 0);
    assert_int_equal(add_v2(p, OBJECT_REGISTRY, 0xc, OBJECT_REGISTRY, "App", 6, h), 0);
    happen(h, CHANGE_REGISTRY_VALUE, "App\\Sub");
    happen(h, CHANGE_REGISTRY_VALUE, "App");
    expect_v2(p, h, 6, OBJECT_REGISTRY, 8, "App\\Sub");
    expect_v2(p, h, 5, OBJECT_REGISTRY, 8, "App");
    expect_v2(p, h, 6, OBJECT_REGISTRY, 8, "App");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_v1_flag_brings_its_kinds_and_no_others),
        cmocka_unit_test(all_flags_bring_each_change_once),
        cmocka_unit_test(each_v2_flag_brings_its_kind_with_its_strings),
        cmocka_unit_test(flags_must_go_together_and_with_the_handle),
        cmocka_unit_test(a_registration_on_one_object_follows_its_id),
        cmocka_unit_test(version_2_compares_the_field_of_the_table),
        cmocka_unit_test(keys_are_watched_alone_or_with_what_is_below),
    };
    return cmocka_run_group_tests_name("port-flags", tests, NULL, NULL);
}
