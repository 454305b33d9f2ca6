/* SPDX-License-Identifier: MIT */
#include "port/history.h"

#include <stdio.h>
#include <stdlib.h>

#include "port/filter.h"

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

struct history *history_create(void)
{
    struct history *h = calloc(1, sizeof(*h));
    h->source.methods = &history_methods;
    return h;
}

void history_destroy(struct history *h)
{
    buffer_fini(&h->records);
    free(h);
}

uint64_t happen_as(struct history *h, struct change c)
{
    c.revision = ++h->last;
    c.transaction = c.revision;
    h->offsets[c.revision] = h->records.size;
    assert_int_equal(change_encode(&c, &h->records), 0);
    return c.revision;
}

uint64_t happen(struct history *h, enum change_kind kind, const char *name)
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

struct port *make(enum port_version version, uint64_t next)
{
    struct port *p = port_create(version, "cluster", next);
    assert_non_null(p);
    return p;
}

void expect(struct port *p, struct history *h, uint64_t key, uint32_t flag, const char *name)
{
    struct port_notification n;
    assert_int_equal(port_peek(p, &h->source, &n), PORT_NOTIFICATION);
    assert_int_equal(n.v1_flag, flag);
    assert_string_equal(n.name, name);
    assert_int_equal(n.key, key);
    port_consume(p);
}

void expect_v2(struct port *p, struct history *h, uint64_t key, uint32_t type, int64_t flag,
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

void expect_nothing(struct port *p, struct history *h)
{
    struct port_notification n;
    assert_int_equal(port_peek(p, &h->source, &n), PORT_EMPTY);
}

int add_v1(struct port *p, uint32_t flags, enum object_type type, const char *id, uint64_t key,
           const struct history *h)
{
    return port_add_v1(p, flags, type, id, key, key + 1000, "owner", h->last + 1);
}

int add_v2(struct port *p, uint32_t type, int64_t flags, enum object_type handle, const char *id,
           uint64_t key, const struct history *h)
{
    return port_add_v2(p, type, flags, handle, id, key, key + 1000, "owner", h->last + 1);
}
