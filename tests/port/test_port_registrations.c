/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "port/filter.h"
#include "port/history.h"

static void overlapping_registrations_each_get_the_change(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_CLUSTER, NULL, 11, h), 0);
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_RESOURCE, "id-b", 12, h), 0);
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_RESOURCE, "id-a", 13, h), 0);
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_RESOURCE, "id-a", 13, h), 0);
    happen(h, CHANGE_RESOURCE_STATE, "a");
    happen(h, CHANGE_RESOURCE_STATE, "b");
    expect(p, h, 11, RESOURCE_STATE, "a");
    expect(p, h, 13, RESOURCE_STATE, "a");
    expect(p, h, 13, RESOURCE_STATE, "a");
    expect(p, h, 11, RESOURCE_STATE, "b");
    expect(p, h, 12, RESOURCE_STATE, "b");
    expect_nothing(p, h);
    assert_int_equal(p->delivered, 5);
    port_destroy(p);
    history_destroy(h);
}

static void what_happened_before_a_registration_is_not_delivered(void **state)
{
    (void)state;
    struct history *h = history_create();
    happen(h, CHANGE_RESOURCE_STATE, "before");
    struct port *p = make(PORT_V1, h->last + 1);
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_CLUSTER, NULL, 1, h), 0);
    happen(h, CHANGE_RESOURCE_STATE, "between");
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_CLUSTER, NULL, 2, h), 0);
    happen(h, CHANGE_RESOURCE_STATE, "after");
    expect(p, h, 1, RESOURCE_STATE, "between");
    expect(p, h, 1, RESOURCE_STATE, "after");
    expect(p, h, 2, RESOURCE_STATE, "after");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

static void a_close_comes_after_what_happened_before_it(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(
        port_add_v1(p, RESOURCE_STATE | HANDLE_CLOSE, OBJECT_CLUSTER, NULL, 1, 55, "cluster", 1),
        0);
    assert_int_equal(port_add_v1(p, HANDLE_CLOSE, OBJECT_RESOURCE, "id-a", 2, 56, "a", 1), 0);
    assert_int_equal(port_add_v1(p, RESOURCE_STATE, OBJECT_RESOURCE, "id-a", 3, 56, "a", 1), 0);
    assert_int_equal(
        port_add_v1(p, RESOURCE_STATE | HANDLE_CLOSE, OBJECT_RESOURCE, "id-a", 4, 57, "a", 1), 0);
    happen(h, CHANGE_RESOURCE_STATE, "a");
    port_handle_closed(p, 999, h->last + 1);
    port_handle_closed(p, 56, h->last + 1);
    port_handle_closed(p, 56, h->last + 1); /* counts once */
    happen(h, CHANGE_RESOURCE_STATE, "a");
    port_handle_closed(p, 55, h->last + 1);
    happen(h, CHANGE_RESOURCE_STATE, "a");

    expect(p, h, 1, RESOURCE_STATE, "a");
    expect(p, h, 3, RESOURCE_STATE, "a");
    expect(p, h, 4, RESOURCE_STATE, "a");
    expect(p, h, 2, HANDLE_CLOSE, "a"); /* 3 did not ask for it */
    expect(p, h, 1, RESOURCE_STATE, "a");
    expect(p, h, 4, RESOURCE_STATE, "a");
    expect(p, h, 1, HANDLE_CLOSE, "cluster");
    expect(p, h, 4, RESOURCE_STATE, "a");
    expect_nothing(p, h);
    assert_int_equal(p->filter_count, 1); /* what ended is gone */
    port_handle_closed(p, 57, h->last + 1);
    expect(p, h, 4, HANDLE_CLOSE, "a");
    expect_nothing(p, h);
    assert_int_equal(p->filter_count, 0);
    assert_int_equal(p->wake_bits, 0);
    port_destroy(p);
    history_destroy(h);
}

/* Two handles are closed with no service there, and one more before the next life is met. */
static void a_close_without_a_service_is_settled_by_the_next_life(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    for (uint64_t owner = 1; owner <= 3; owner++)
        assert_int_equal(port_add_v1(p, RESOURCE_STATE | HANDLE_CLOSE, OBJECT_RESOURCE, "id-a",
                                     owner, owner, "a", 1),
                         0);
    port_handle_closed_away(p, 1, 100);
    expect_nothing(p, h);
    assert_false(port_has_owner(p, 1));
    port_handle_closed_away(p, 2, 300);
    happen(h, CHANGE_RESOURCE_STATE, "a"); /* by a life that this port does not meet */
    uint64_t life = h->last + 1;           /* it begins at 200 */
    happen(h, CHANGE_RESOURCE_STATE, "a");
    port_settle(p, 200, life, h->last + 1);
    happen(h, CHANGE_RESOURCE_STATE, "a");
    for (uint64_t key = 1; key <= 3; key++)
        expect(p, h, key, RESOURCE_STATE, "a");
    expect(p, h, 1, HANDLE_CLOSE, "a");
    for (uint64_t key = 2; key <= 3; key++)
        expect(p, h, key, RESOURCE_STATE, "a");
    expect(p, h, 2, HANDLE_CLOSE, "a");
    expect(p, h, 3, RESOURCE_STATE, "a");
    expect_nothing(p, h);
    assert_int_equal(p->filter_count, 1);
    assert_int_equal(p->unsettled_count, 0);
    port_destroy(p);
    history_destroy(h);
}

static void closes_come_in_their_order(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    for (uint64_t owner = 1; owner <= 3; owner++)
        assert_int_equal(
            port_add_v1(p, HANDLE_CLOSE | RECONNECT, OBJECT_CLUSTER, NULL, owner, owner, "o", 1),
            0);
    port_handle_closed(p, 3, 1);
    port_reconnected(p, 1);
    port_handle_closed(p, 1, 1);
    port_handle_closed(p, 2, 1);
    expect(p, h, 3, HANDLE_CLOSE, "o");
    expect(p, h, 1, RECONNECT, "cluster");
    expect(p, h, 2, RECONNECT, "cluster");
    expect(p, h, 1, HANDLE_CLOSE, "o");
    expect(p, h, 2, HANDLE_CLOSE, "o");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

static void a_parent_takes_its_registrations_silently(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(
        port_add_v1(p, GROUP_STATE | HANDLE_CLOSE, OBJECT_GROUP, "id-g", 1, 10, "g", 1), 0);
    port_set_parent(p, 0, 20);
    assert_int_equal(port_add_v1(p, GROUP_STATE, OBJECT_CLUSTER, NULL, 2, 30, "c", 1), 0);
    happen(h, CHANGE_GROUP_STATE, "g");
    port_handle_closed(p, 20, h->last + 1);
    happen(h, CHANGE_GROUP_STATE, "g");
    expect(p, h, 1, GROUP_STATE, "g");
    expect(p, h, 2, GROUP_STATE, "g");
    expect(p, h, 2, GROUP_STATE, "g");
    expect_nothing(p, h);
    assert_int_equal(p->filter_count, 1);
    port_take_back(p, 0);
    assert_int_equal(p->wake_bits, 0);
    port_destroy(p);
    history_destroy(h);
}

static void a_shorter_history_is_read_from_its_end(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_CLUSTER, NULL, 1, h), 0);
    for (int i = 0; i < 10; i++)
        happen(h, CHANGE_RESOURCE_STATE, "r");
    for (int i = 0; i < 10; i++)
        expect(p, h, 1, RESOURCE_STATE, "r");
    h->last = 3;
    port_rewind(p, h->last + 1);
    expect_nothing(p, h);
    happen(h, CHANGE_RESOURCE_STATE, "again");
    expect(p, h, 1, RESOURCE_STATE, "again");
    port_destroy(p);
    history_destroy(h);
}

static void a_close_in_version_2_names_the_type(void **state)
{
    (void)state;
    static const struct {
        enum object_type type, handle;
        int64_t flag;
    } cases[] = {{OBJECT_CLUSTER, OBJECT_CLUSTER, 8},
                 {OBJECT_GROUP, OBJECT_GROUP, 0x200},
                 {OBJECT_RESOURCE, OBJECT_RESOURCE, 0x200},
                 {OBJECT_NETWORK, OBJECT_NETWORK, 0x10},
                 {OBJECT_NETWORK_INTERFACE, OBJECT_NETWORK_INTERFACE, 0x10},
                 {OBJECT_NODE, OBJECT_NODE, 0x80},
                 {OBJECT_REGISTRY, OBJECT_REGISTRY, 0x10}};
    struct history *h = history_create();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct port *p = make(PORT_V2, 1);
        assert_int_equal(
            port_add_v2(p, cases[i].type, cases[i].flag, cases[i].handle, "o", 3, 77, "name", 1),
            0);
        assert_int_equal(
            port_add_v2(p, OBJECT_RESOURCE_TYPE, 0x3f, OBJECT_CLUSTER, NULL, 4, 77, "name", 1), 0);
        port_handle_closed(p, 77, 1);
        expect_v2(p, h, 3, cases[i].type, cases[i].flag, "name");
        expect_nothing(p, h);
        port_destroy(p);
    }
    history_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlapping_registrations_each_get_the_change),
        cmocka_unit_test(what_happened_before_a_registration_is_not_delivered),
        cmocka_unit_test(a_close_comes_after_what_happened_before_it),
        cmocka_unit_test(a_close_without_a_service_is_settled_by_the_next_life),
        cmocka_unit_test(closes_come_in_their_order),
        cmocka_unit_test(a_parent_takes_its_registrations_silently),
        cmocka_unit_test(a_shorter_history_is_read_from_its_end),
        cmocka_unit_test(a_close_in_version_2_names_the_type),
    };
    return cmocka_run_group_tests_name("port-registrations", tests, NULL, NULL);
}
