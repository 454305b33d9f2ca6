/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "port/filter.h"
#include "port/history.h"

/* ---- connections and losses ---- */

/* A reader whose buffer was too small comes back for what it was shown, whatever fell due
 * meanwhile.
 */
static void what_was_shown_comes_first(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    struct port_notification n;
    assert_int_equal(port_add_v1(p, RESOURCE_STATE | RECONNECT | HANDLE_CLOSE, OBJECT_RESOURCE,
                                 NULL, 1, 77, "closed", 1),
                     0);
    assert_int_equal(add_v1(p, RECONNECT | RESOURCE_STATE, OBJECT_CLUSTER, NULL, 2, h), 0);
    happen(h, CHANGE_RESOURCE_STATE, "r");
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.v1_flag, RESOURCE_STATE);
    port_reconnected(p, 1);
    expect(p, h, 1, RESOURCE_STATE, "r");
    port_handle_closed(p, 77, 1);
    expect(p, h, 2, RESOURCE_STATE, "r");
    expect(p, h, 1, RECONNECT, "cluster");
    expect(p, h, 2, RECONNECT, "cluster");
    expect(p, h, 1, HANDLE_CLOSE, "closed");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

/* ... also when the same falls due again. */
static void what_was_shown_is_not_overtaken(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    struct port_notification n;
    assert_int_equal(add_v1(p, RECONNECT, OBJECT_CLUSTER, NULL, 1, h), 0);
    assert_int_equal(add_v1(p, RECONNECT, OBJECT_CLUSTER, NULL, 2, h), 0);
    port_reconnected(p, 1);
    expect(p, h, 1, RECONNECT, "cluster");
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.key, 2);
    port_reconnected(p, 1);
    expect(p, h, 2, RECONNECT, "cluster");
    expect(p, h, 1, RECONNECT, "cluster");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

/* ... and what a loss ends. */
static void what_was_shown_is_not_after_a_loss(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    struct port_notification n;
    assert_int_equal(add_v1(p, RESOURCE_STATE | RECONNECT, OBJECT_CLUSTER, NULL, 1, h), 0);
    for (int i = 0; i < 5; i++)
        happen(h, CHANGE_GROUP_STATE, "unwanted");
    port_reconnected(p, 6);
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.v1_flag, RECONNECT);
    assert_int_equal(n.lost_first, 0);
    for (int i = 0; i < 5; i++)
        happen(h, CHANGE_RESOURCE_STATE, "r");
    h->kept = 10;
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.lost_first, 0);
    expect(p, h, 1, RECONNECT, "cluster");
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.lost_first, 6);
    assert_int_equal(n.lost_last, 9);
    port_destroy(p);
    history_destroy(h);
}

static void reconnects_are_told_to_those_who_asked(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(add_v1(p, RECONNECT | RESOURCE_STATE, OBJECT_CLUSTER, NULL, 1, h), 0);
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_CLUSTER, NULL, 2, h), 0);
    assert_int_equal(add_v1(p, RECONNECT | CLUSTER_STATE, OBJECT_CLUSTER, "c", 3, h), 0);
    happen(h, CHANGE_RESOURCE_STATE, "old");
    port_cluster_lost(p, h->last + 1);
    port_reconnected(p, h->last + 1);
    port_reconnected(p, h->last + 1); /* not yet told: not doubled */
    happen(h, CHANGE_RESOURCE_STATE, "new");
    expect(p, h, 1, RESOURCE_STATE, "old");
    expect(p, h, 2, RESOURCE_STATE, "old");
    expect(p, h, 3, CLUSTER_STATE, "cluster");
    expect(p, h, 1, RECONNECT, "cluster");
    expect(p, h, 3, RECONNECT, "cluster");
    expect(p, h, 1, RESOURCE_STATE, "new");
    expect(p, h, 2, RESOURCE_STATE, "new");
    expect_nothing(p, h);
    port_reconnected(p, h->last + 1);
    expect(p, h, 1, RECONNECT, "cluster");
    expect(p, h, 3, RECONNECT, "cluster");
    expect_nothing(p, h);
    port_destroy(p);

    p = make(PORT_V2, h->last + 1);
    assert_int_equal(add_v2(p, OBJECT_CLUSTER, 3, OBJECT_CLUSTER, NULL, 1, h), 0);
    assert_int_equal(add_v2(p, OBJECT_GROUP, 3, OBJECT_CLUSTER, NULL, 2, h), 0);
    port_cluster_lost(p, h->last + 1);
    port_reconnected(p, h->last + 1);
    expect_v2(p, h, 1, OBJECT_CLUSTER, 2, "cluster");
    expect_v2(p, h, 1, OBJECT_CLUSTER, 1, "cluster");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

static void losses_are_counted_and_told(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *asks = make(PORT_V1, 1), *asks_not = make(PORT_V1, 1);
    struct port *v2 = make(PORT_V2, 1), *own = make(PORT_OWN, 1);
    uint64_t kinds[PORT_KIND_WORDS] = {0};
    filter_add_kind(kinds, CHANGE_RESOURCE_STATE);
    assert_int_equal(add_v1(asks, RESOURCE_STATE | RECONNECT, OBJECT_CLUSTER, NULL, 1, h), 0);
    assert_int_equal(add_v1(asks, RESOURCE_STATE | RECONNECT, OBJECT_CLUSTER, NULL, 2, h), 0);
    assert_int_equal(add_v1(asks_not, RESOURCE_STATE, OBJECT_CLUSTER, NULL, 3, h), 0);
    assert_int_equal(add_v2(v2, OBJECT_CLUSTER, 0x1fff, OBJECT_CLUSTER, NULL, 4, h), 0);
    assert_int_equal(add_v2(v2, OBJECT_RESOURCE, 0x4, OBJECT_CLUSTER, NULL, 5, h), 0);
    assert_int_equal(port_add_kinds(own, kinds, NULL, 6, 0, NULL, 1), 0);
    for (int i = 0; i < 10; i++)
        happen(h, CHANGE_RESOURCE_STATE, "r");
    h->kept = 8;

    struct port_notification n;
    for (int i = 0; i < 3; i++) { /* peeking again and again consumes nothing */
        assert_int_equal(port_peek(asks, &h->source, &n), PORT_NOTIFICATION);
        assert_int_equal(n.lost_first, 1);
        assert_int_equal(n.lost_last, 7);
    }
    expect(asks, h, 1, RECONNECT, "cluster");
    expect(asks, h, 2, RECONNECT, "cluster");
    expect(asks, h, 1, RESOURCE_STATE, "r");
    assert_int_equal(asks->lost, 7);
    expect(asks_not, h, 3, RESOURCE_STATE, "r");
    assert_int_equal(asks_not->lost, 7);
    expect_v2(v2, h, 4, OBJECT_CLUSTER, 0x200, "");
    expect_v2(v2, h, 5, OBJECT_RESOURCE, 0x4, "r");
    assert_int_equal(port_peek(own, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.lost_first, 1);
    assert_int_equal(n.lost_last, 7);
    assert_int_equal(n.change.kind, CHANGE_NONE);
    port_consume(own);
    for (uint64_t r = 8; r <= 10; r++) {
        assert_int_equal(port_peek(own, &h->source, &n), PORT_NOTIFICATION);
        assert_int_equal(n.change.revision, r);
        port_consume(own);
    }
    expect_nothing(own, h);
    port_destroy(asks);
    port_destroy(asks_not);
    port_destroy(v2);
    port_destroy(own);
    history_destroy(h);
}

static void a_port_waits_for_a_service_that_is_away(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    struct port_notification n;
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_CLUSTER, NULL, 1, h), 0);
    happen(h, CHANGE_RESOURCE_STATE, "r");
    h->away = true;
    assert_int_equal(port_peek(p, &h->source, &n), PORT_AWAY);
    port_consume(p); /* nothing was shown */
    assert_int_equal(p->delivered, 0);
    h->away = false;
    expect(p, h, 1, RESOURCE_STATE, "r");
    port_destroy(p);
    history_destroy(h);
}

static void looking_does_not_consume(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(add_v1(p, RESOURCE_STATE | HANDLE_CLOSE, OBJECT_CLUSTER, NULL, 1, h), 0);
    assert_int_equal(add_v1(p, RESOURCE_STATE, OBJECT_CLUSTER, NULL, 2, h), 0);
    happen(h, CHANGE_RESOURCE_STATE, "r");
    port_handle_closed(p, 1001, h->last + 1);
    struct port_notification n;
    for (uint64_t key = 1; key <= 2; key++) {
        for (int i = 0; i < 3; i++) {
            assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
            assert_int_equal(n.key, key);
        }
        expect(p, h, key, RESOURCE_STATE, "r");
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
        assert_int_equal(n.v1_flag, HANDLE_CLOSE);
    }
    expect(p, h, 1, HANDLE_CLOSE, "owner");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

/* ---- our own ports ---- */

static void a_snapshot_comes_first(void **state)
{
    (void)state;
    struct history *h = history_create();
    happen(h, CHANGE_GROUP_ADDED, "g");
    struct buffer snapshot = {0};
    static const enum change_kind kinds_in_it[] = {CHANGE_NODE_ADDED, CHANGE_GROUP_ADDED,
                                                   CHANGE_RESOURCE_ADDED, CHANGE_REGISTRY_NAME};
    for (size_t i = 0; i < ARRAY_SIZE(kinds_in_it); i++) {
        struct change c = {.kind = kinds_in_it[i],
                           .revision = h->last,
                           .initial = true,
                           .object_id = "o",
                           .name = "o"};
        assert_int_equal(change_encode(&c, &snapshot), 0);
    }
    struct port *p = make(PORT_OWN, h->last + 1);
    uint64_t states[PORT_KIND_WORDS] = {0}, all[PORT_KIND_WORDS];
    memset(all, 0xff, sizeof(all));
    filter_add_kind(states, CHANGE_RESOURCE_STATE);
    assert_int_equal(port_add_kinds(p, states, NULL, 1, 0, NULL, h->last + 1), 0);
    assert_int_equal(port_add_kinds(p, all, NULL, 2, 0, NULL, h->last + 1), 0);
    port_set_snapshot(p, &snapshot);
    happen(h, CHANGE_RESOURCE_STATE, "r");

    static const struct {
        uint64_t key;
        enum change_kind kind;
        bool initial;
    } expected[] = {{2, CHANGE_NODE_ADDED, true},     {2, CHANGE_GROUP_ADDED, true},
                    {1, CHANGE_RESOURCE_ADDED, true}, {2, CHANGE_RESOURCE_ADDED, true},
                    {2, CHANGE_REGISTRY_NAME, true},  {1, CHANGE_RESOURCE_STATE, false},
                    {2, CHANGE_RESOURCE_STATE, false}};
    struct port_notification n;
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
        assert_int_equal(n.key, expected[i].key);
        assert_int_equal(n.change.kind, expected[i].kind);
        assert_int_equal(n.change.initial, expected[i].initial);
        port_consume(p);
    }
    expect_nothing(p, h);
    assert_null(p->snapshot.data);
    port_destroy(p);
    history_destroy(h);
}

static void an_own_port_tells_all_and_looks_at_ids(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_OWN, 1);
    uint64_t all[PORT_KIND_WORDS];
    memset(all, 0xff, sizeof(all));
    assert_int_equal(port_add_kinds(p, all, "id-r", 1, 5, "r", 1), 0);
    happen(h, CHANGE_RESOURCE_STATE, "q");
    happen(h, CHANGE_CLUSTER_COMMON_PROPERTY, "c");
    happen(h, CHANGE_RESOURCE_DEPENDENTS, "r");
    struct port_notification n;
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.change.kind, CHANGE_RESOURCE_DEPENDENTS);
    assert_int_equal(n.v1_flag, 0);
    assert_string_equal(n.name, "r");
    assert_string_equal(n.type_name, "T");
    port_consume(p);
    expect_nothing(p, h);
    port_handle_closed(p, 5, h->last + 1);
    happen(h, CHANGE_RESOURCE_STATE, "r");
    expect_nothing(p, h);
    assert_int_equal(p->filter_count, 0);
    port_destroy(p);
    history_destroy(h);
}

static void a_record_that_cannot_be_read_counts_as_lost(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_OWN, 1);
    uint64_t all[PORT_KIND_WORDS];
    memset(all, 0xff, sizeof(all));
    assert_int_equal(port_add_kinds(p, all, NULL, 1, 0, NULL, 1), 0);
    happen(h, CHANGE_RESOURCE_STATE, "r");
    happen(h, CHANGE_RESOURCE_STATE, "s");
    memset(h->records.data + CHANGE_ALIGNMENT, 0xff, CHANGE_ALIGNMENT); /* of the first */
    struct port_notification n;
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.lost_first, 1);
    assert_int_equal(n.lost_last, 1);
    port_consume(p);
    expect(p, h, 1, RESOURCE_STATE, "s");
    expect_nothing(p, h);
    port_destroy(p);
    history_destroy(h);
}

/* ---- cost ---- */

static void a_quiet_port_is_small_and_looks_once(void **state)
{
    (void)state;
    struct history *h = history_create();
    struct port *p = make(PORT_V1, 1);
    assert_int_equal(
        add_v1(p, RESOURCE_STATE, OBJECT_RESOURCE, "6b0a8b0c-0000-4000-8000-000000000001", 1, h),
        0);
    size_t bytes = malloc_usable_size(p) + malloc_usable_size(p->filters) +
                   malloc_usable_size(p->filters[0]) + malloc_usable_size(p->cluster_name) +
                   malloc_usable_size(p->filters[0]->object_id) +
                   malloc_usable_size(p->filters[0]->owner_name);
    assert_true(bytes < 640);
    for (int i = 0; i < 1000; i++)
        happen(h, CHANGE_GROUP_STATE, "g");
    expect_nothing(p, h);
    assert_int_equal(h->calls, 1);
    assert_int_equal(p->revision, 1001); /* what nobody wants is passed for good */
    port_destroy(p);
    port_destroy(NULL);
    history_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reconnects_are_told_to_those_who_asked),
        cmocka_unit_test(what_was_shown_comes_first),
        cmocka_unit_test(what_was_shown_is_not_overtaken),
        cmocka_unit_test(what_was_shown_is_not_after_a_loss),
        cmocka_unit_test(losses_are_counted_and_told),
        cmocka_unit_test(a_port_waits_for_a_service_that_is_away),
        cmocka_unit_test(looking_does_not_consume),
        cmocka_unit_test(a_snapshot_comes_first),
        cmocka_unit_test(an_own_port_tells_all_and_looks_at_ids),
        cmocka_unit_test(a_record_that_cannot_be_read_counts_as_lost),
        cmocka_unit_test(a_quiet_port_is_small_and_looks_once),
    };
    return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
