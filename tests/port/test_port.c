/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/macro.h"
#include "change/change.h"
#include "port/filter.h"
#include "port/port.h"

#define HANDLE_CLOSE 0x80000000u
#define CLUSTER_STATE 0x20000000u
#define RECONNECT 0x00080000u
#define SUBTREE 0x80u
#define RESOURCE_STATE 0x100u
#define GROUP_STATE 0x1000u
#define ALL 0xffffffffu

/* A history in memory: revision r is the r-th record; revisions below `kept` are gone. */
struct history {
    struct port_source source;
    struct buffer records;
    size_t offsets[4096];
    uint64_t last, kept;
    bool away;
    unsigned calls;
};

static enum port_source_result history_next(struct port_source *s, uint64_t from,
                                            const uint64_t *kinds, const void **ret,
                                            size_t *ret_size, uint64_t *ret_next)
{
    struct history *h = container_of(s, struct history, source);
    h->calls++;
    if (h->away)
        return SOURCE_ERROR;
    if (from < h->kept) {
        *ret_next = h->kept;
        return SOURCE_LOST;
    }
    for (uint64_t r = from; r <= h->last; r++) {
        const void *record = h->records.data + h->offsets[r];
        if (!filter_has_kind(kinds, change_peek_kind(record)))
            continue;
        *ret = record;
        *ret_size = change_size(record);
        return SOURCE_RECORD;
    }
    *ret_next = h->last + 1;
    return SOURCE_EMPTY;
}

static const struct port_source_methods history_methods = {history_next};

static struct history *history_create(void)
{
    struct history *h = calloc(1, sizeof(*h));
    h->source.methods = &history_methods;
    return h;
}

static void history_destroy(struct history *h)
{
    buffer_fini(&h->records);
    free(h);
}

static uint64_t happen_as(struct history *h, struct change c)
{
    c.revision = ++h->last;
    c.transaction = c.revision;
    h->offsets[c.revision] = h->records.size;
    assert_int_equal(change_encode(&c, &h->records), 0);
    return c.revision;
}

/* A change of an object "id-NAME" in parent "P" on node "N". */
static uint64_t happen(struct history *h, enum change_kind kind, const char *name)
{
    char id[64];
    snprintf(id, sizeof(id), "id-%s", name);
    return happen_as(h, (struct change){.kind = kind,
                                        .object_id = id,
                                        .parent_id = "P",
                                        .node_id = "N",
                                        .name = name,
                                        .type_name = "T",
                                        .new_value = {VALUE_NUMBER, 2, NULL, 0}});
}

static struct port *make(enum port_version version, uint64_t next)
{
    struct port *p = port_create(version, "cluster", next);
    assert_non_null(p);
    return p;
}

/* The next one must be this. */
static void expect(struct port *p, struct history *h, uint64_t key, uint32_t flag, const char *name)
{
    struct port_notification n;
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.v1_flag, flag);
    assert_string_equal(n.name, name);
    assert_int_equal(n.key, key);
    port_consume(p);
}

static void expect_v2(struct port *p, struct history *h, uint64_t key, uint32_t type, int64_t flag,
                      const char *name)
{
    struct port_notification n;
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.v2_type, type);
    assert_int_equal(n.v2_flag, flag);
    assert_string_equal(n.name, name);
    assert_int_equal(n.key, key);
    port_consume(p);
}

static void expect_nothing(struct port *p, struct history *h)
{
    struct port_notification n;
    assert_int_equal(port_peek(p, &h->source, &n), PORT_EMPTY);
}

static int add_v1(struct port *p, uint32_t flags, enum object_type type, const char *id,
                  uint64_t key, const struct history *h)
{
    return port_add_v1(p, flags, type, id, key, key + 1000, "owner", h->last + 1);
}

static int add_v2(struct port *p, uint32_t type, int64_t flags, enum object_type handle,
                  const char *id, uint64_t key, const struct history *h)
{
    return port_add_v2(p, type, flags, handle, id, key, key + 1000, "owner", h->last + 1);
}

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

/* ---- registrations ---- */

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
        cmocka_unit_test(each_v1_flag_brings_its_kinds_and_no_others),
        cmocka_unit_test(all_flags_bring_each_change_once),
        cmocka_unit_test(each_v2_flag_brings_its_kind_with_its_strings),
        cmocka_unit_test(flags_must_go_together_and_with_the_handle),
        cmocka_unit_test(a_registration_on_one_object_follows_its_id),
        cmocka_unit_test(version_2_compares_the_field_of_the_table),
        cmocka_unit_test(keys_are_watched_alone_or_with_what_is_below),
        cmocka_unit_test(overlapping_registrations_each_get_the_change),
        cmocka_unit_test(what_happened_before_a_registration_is_not_delivered),
        cmocka_unit_test(a_close_comes_after_what_happened_before_it),
        cmocka_unit_test(a_close_without_a_service_is_settled_by_the_next_life),
        cmocka_unit_test(closes_come_in_their_order),
        cmocka_unit_test(a_parent_takes_its_registrations_silently),
        cmocka_unit_test(a_shorter_history_is_read_from_its_end),
        cmocka_unit_test(a_close_in_version_2_names_the_type),
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
