/* SPDX-License-Identifier: MIT */
#include "port/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "feed/feed.h"
#include "port/filter.h"

/* A port's invariants:
 * (1) every change before `revision` is done with: delivered to all registrations, or reported.
 * (2) of the change at `revision`, the registrations before `filter_at` are done with.
 * (3) registrations leave the list only when `filter_at` is 0, so (2) keeps its meaning.
 * (4) due_count, closed_count and unsettled_count count what their names say over `filters`. */

static void filter_free(struct port_filter *f)
{
    if (!f)
        return;
    free(f->object_id);
    free(f->owner_name);
    free(f);
}

static void filter_freep(struct port_filter **f)
{
    filter_free(*f);
}

struct port *port_create(enum port_version version, const char *cluster_name,
                         uint64_t next_revision)
{
    struct port *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->version = version;
    p->show_lost = version == PORT_OWN;
    p->revision = next_revision;
    p->cluster_name = strdup(cluster_name ? cluster_name : "");
    if (!p->cluster_name) {
        free(p);
        return NULL;
    }
    return p;
}

void port_destroy(struct port *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->filter_count; i++)
        filter_free(p->filters[i]);
    free(p->filters);
    free(p->cluster_name);
    buffer_fini(&p->snapshot);
    free(p);
}

static void add_kinds(struct port *p, const uint64_t *kinds)
{
    for (size_t word = 0; word < PORT_KIND_WORDS; word++)
        p->kinds[word] |= kinds[word];
    for (unsigned kind = CHANGE_NONE + 1; kind < CHANGE_KIND_COUNT; kind++)
        if (filter_has_kind(kinds, kind))
            p->wake_bits |= feed_bits_of_kind(kind);
}

/* Everything but flags and kinds. */
static int filter_create(const char *object_id, uint64_t key, uint64_t owner,
                         const char *owner_name, uint64_t next_revision, struct port_filter **ret)
{
    _cleanup_(filter_freep) struct port_filter *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->key = key;
    f->owner = owner;
    f->from = next_revision;
    f->until = PORT_OPEN;
    if (owner_name && *owner_name) {
        f->owner_name = strdup(owner_name);
        if (!f->owner_name)
            return -ENOMEM;
    }
    if (object_id) {
        f->object_id = strdup(object_id);
        if (!f->object_id)
            return -ENOMEM;
    }
    *ret = TAKE_PTR(f);
    return 0;
}

static int add(struct port *p, struct port_filter **f)
{
    if (p->filter_count == p->filter_capacity) {
        size_t capacity = p->filter_capacity ? p->filter_capacity * 2 : 1;
        struct port_filter **filters =
            reallocarray(p->filters, capacity, sizeof(struct port_filter *));
        if (!filters)
            return -ENOMEM;
        p->filters = filters;
        p->filter_capacity = capacity;
    }
    if (p->filter_count == 0 && p->lost_first == 0)
        p->revision = (*f)->from; /* nobody asked for what was before */
    add_kinds(p, (*f)->kinds);
    p->filters[p->filter_count++] = TAKE_PTR(*f);
    return 0;
}

int port_add_v1(struct port *p, uint32_t flags, enum object_type handle_type, const char *object_id,
                uint64_t key, uint64_t owner, const char *owner_name, uint64_t next_revision)
{
    PRE(p->version == PORT_V1);
    _cleanup_(filter_freep) struct port_filter *f = NULL;
    int r = filter_create(object_id, key, owner, owner_name, next_revision, &f);
    if (r == 0)
        r = filter_set_v1(f, flags, handle_type, object_id != NULL);
    return r == 0 ? add(p, &f) : r;
}

int port_add_v2(struct port *p, uint32_t type, int64_t flags, enum object_type handle_type,
                const char *object_id, uint64_t key, uint64_t owner, const char *owner_name,
                uint64_t next_revision)
{
    PRE(p->version == PORT_V2);
    _cleanup_(filter_freep) struct port_filter *f = NULL;
    int r = filter_create(object_id, key, owner, owner_name, next_revision, &f);
    if (r == 0)
        r = filter_set_v2(f, type, flags, handle_type, object_id != NULL);
    return r == 0 ? add(p, &f) : r;
}

int port_add_kinds(struct port *p, const uint64_t kinds[PORT_KIND_WORDS], const char *object_id,
                   uint64_t key, uint64_t owner, const char *owner_name, uint64_t next_revision)
{
    PRE(p->version == PORT_OWN);
    _cleanup_(filter_freep) struct port_filter *f = NULL;
    int r = filter_create(object_id, key, owner, owner_name, next_revision, &f);
    if (r < 0)
        return r;
    memcpy(f->kinds, kinds, sizeof(f->kinds));
    f->subtree = true;
    return add(p, &f);
}

void port_set_parent(struct port *p, size_t first, uint64_t parent)
{
    for (size_t i = first; i < p->filter_count; i++)
        p->filters[i]->parent = parent;
}

static void gather_kinds(struct port *p)
{
    memset(p->kinds, 0, sizeof(p->kinds));
    p->wake_bits = 0;
    for (size_t i = 0; i < p->filter_count; i++)
        add_kinds(p, p->filters[i]->kinds);
}

void port_take_back(struct port *p, size_t first)
{
    if (first >= p->filter_count)
        return;
    p->shown_filter = NULL;
    while (p->filter_count > first)
        filter_free(p->filters[--p->filter_count]);
    gather_kinds(p);
}

void port_rewind(struct port *p, uint64_t next_revision)
{
    for (size_t i = 0; i < p->filter_count; i++) {
        struct port_filter *f = p->filters[i];
        f->from = MIN(f->from, next_revision);
        if (f->until < PORT_UNSETTLED)
            f->until = MIN(f->until, next_revision);
    }
    p->shown_before = 0;
    p->state_at = MIN(p->state_at, next_revision);
    p->reconnect_at = MIN(p->reconnect_at, next_revision);
    if (p->revision < next_revision)
        return;
    p->revision = next_revision;
    if (p->lost_first == 0 && p->snapshot.size == 0)
        p->filter_at = 0;
}

void port_set_snapshot(struct port *p, struct buffer *records)
{
    buffer_fini(&p->snapshot);
    p->snapshot = *records;
    p->snapshot_at = 0;
    *records = (struct buffer){0};
}

/* What falls due at next_revision comes after what was shown, and after a change that some
 * registrations were told. */
static uint64_t due_from(const struct port *p, uint64_t next_revision)
{
    bool half_told = p->filter_at > 0 && p->lost_first == 0 && p->snapshot.size == 0;
    return MAX(next_revision, MAX(p->shown_before, p->revision + half_told));
}

/* Ended registrations that have nothing left to say; (3). */
static void sweep(struct port *p)
{
    size_t kept = 0;

    if (p->closed_count == 0 || p->filter_at != 0)
        return;
    for (size_t i = 0; i < p->filter_count; i++) {
        struct port_filter *f = p->filters[i];
        if (f->until <= p->revision && f->due == 0) {
            filter_free(f);
            p->closed_count--;
        } else {
            p->filters[kept++] = f;
        }
    }
    if (kept == p->filter_count)
        return;
    p->filter_count = kept;
    gather_kinds(p);
}

static bool is_owned(const struct port_filter *f, uint64_t owner)
{
    return (f->owner == owner || f->parent == owner) && f->until == PORT_OPEN;
}

bool port_has_owner(const struct port *p, uint64_t owner)
{
    for (size_t i = 0; i < p->filter_count; i++)
        if (is_owned(p->filters[i], owner))
            return true;
    return false;
}

/* `until` is a revision or PORT_UNSETTLED. */
static void end_registrations(struct port *p, uint64_t owner, uint64_t until, int64_t closed_ns)
{
    p->serial++;
    for (size_t i = 0; i < p->filter_count; i++) {
        struct port_filter *f = p->filters[i];
        if (!is_owned(f, owner))
            continue;
        f->until = until;
        f->closed_ns = closed_ns;
        f->close_serial = p->serial;
        p->closed_count++;
        p->unsettled_count += until == PORT_UNSETTLED;
        if (f->owner == owner && filter_asks_for(f, p->version, PORT_DUE_CLOSE)) {
            f->due |= PORT_DUE_CLOSE;
            p->due_count++;
        }
    }
    sweep(p);
}

void port_handle_closed(struct port *p, uint64_t owner, uint64_t next_revision)
{
    if (owner != 0)
        end_registrations(p, owner, due_from(p, next_revision), 0);
}

void port_handle_closed_away(struct port *p, uint64_t owner, int64_t closed_ns)
{
    if (owner != 0)
        end_registrations(p, owner, PORT_UNSETTLED, closed_ns);
}

void port_settle(struct port *p, int64_t life_since_ns, uint64_t life_revision,
                 uint64_t next_revision)
{
    for (size_t i = 0; i < p->filter_count && p->unsettled_count > 0; i++) {
        struct port_filter *f = p->filters[i];
        if (f->until != PORT_UNSETTLED)
            continue;
        f->until = due_from(p, f->closed_ns < life_since_ns ? life_revision : next_revision);
        p->unsettled_count--;
    }
    sweep(p);
}

static void fall_due(struct port *p, uint8_t due, uint64_t *at, uint32_t *serial,
                     uint64_t next_revision)
{
    bool any = false;

    for (size_t i = 0; i < p->filter_count; i++) {
        struct port_filter *f = p->filters[i];
        if (f->until != PORT_OPEN || !filter_asks_for(f, p->version, due))
            continue;
        any |= f->due & due;
        p->due_count += !(f->due & due);
        f->due |= due;
    }
    if (any)
        return;
    *at = due_from(p, next_revision);
    *serial = ++p->serial;
}

void port_reconnected(struct port *p, uint64_t next_revision)
{
    fall_due(p, PORT_DUE_RECONNECT, &p->reconnect_at, &p->reconnect_serial, next_revision);
}

void port_cluster_lost(struct port *p, uint64_t next_revision)
{
    fall_due(p, PORT_DUE_STATE, &p->state_at, &p->state_serial, next_revision);
}

/* All but the change, which is there. */
static void describe_change(const struct port *p, const struct port_filter *f,
                            struct port_notification *ret)
{
    const struct change *c = &ret->change;
    const struct change_kind_info *info = change_kind_info(c->kind);
    bool all = p->version == PORT_OWN;

    ret->key = f->key;
    ret->v1_flag = info->v1;
    ret->v2_type = info->v2_type;
    ret->v2_flag = info->v2_flag;
    ret->name = all || p->version == PORT_V1 ? c->name : change_field_text(c, info->name);
    ret->object_id = all ? c->object_id : change_field_text(c, info->id);
    ret->parent_id = all ? c->parent_id : change_field_text(c, info->parent);
    ret->type_name = all ? c->type_name : change_field_text(c, info->type);
    ret->lost_first = ret->lost_last = 0;
}

/* What the port says itself: no change stands behind it. */
static void describe_own(const struct port_filter *f, uint32_t v1_flag, uint32_t v2_type,
                         int64_t v2_flag, const char *name, struct port_notification *ret)
{
    *ret = (struct port_notification){
        .key = f ? f->key : 0,
        .v1_flag = v1_flag,
        .v2_type = v2_type,
        .v2_flag = v2_flag,
        .name = name,
        .object_id = "",
        .parent_id = "",
        .type_name = "",
        .change = {.object_id = "",
                   .parent_id = "",
                   .node_id = "",
                   .name = name,
                   .type_name = "",
                   .actor = {.node = "", .program = ""}},
    };
}

static void describe_due(const struct port *p, const struct port_filter *f, uint8_t due,
                         struct port_notification *ret)
{
    if (due == PORT_DUE_STATE)
        describe_own(f, V1_CLUSTER_STATE, OBJECT_CLUSTER, V2_CLUSTER_STATE, p->cluster_name, ret);
    else if (due == PORT_DUE_RECONNECT)
        describe_own(f, V1_CLUSTER_RECONNECT, OBJECT_CLUSTER, V2_CLUSTER_RECONNECT, p->cluster_name,
                     ret);
    else
        describe_own(f, V1_HANDLE_CLOSE, f->v2_type, filter_v2_handle_close(f->v2_type),
                     f->owner_name ? f->owner_name : "", ret);
}

/* When something fell due: after which changes, and after what else. */
struct due_time {
    uint64_t revision;
    uint32_t serial;
};

static struct due_time due_time(const struct port *p, const struct port_filter *f, uint8_t due)
{
    switch (due) {
    case PORT_DUE_STATE:
        return (struct due_time){p->state_at, p->state_serial};
    case PORT_DUE_RECONNECT:
        return (struct due_time){p->reconnect_at, p->reconnect_serial};
    default:
        return (struct due_time){f->until, f->close_serial};
    }
}

static bool is_earlier(struct due_time a, struct due_time b)
{
    return a.revision != b.revision ? a.revision < b.revision : a.serial < b.serial;
}

/* The first that is due at or before `limit`, of those that fell due together the one that was
 * registered first. */
static bool show_due(struct port *p, uint64_t limit, unsigned which, struct port_notification *ret)
{
    struct due_time best = {UINT64_MAX, UINT32_MAX};

    if (p->due_count == 0)
        return false;
    for (size_t i = 0; i < p->filter_count; i++) {
        const struct port_filter *f = p->filters[i];
        for (uint8_t due = PORT_DUE_STATE; due <= PORT_DUE_CLOSE; due <<= 1) {
            struct due_time at = due_time(p, f, due);
            bool shown = f == p->shown_filter && due == p->shown_due;
            if (!(f->due & due & which) || at.revision > limit || at.revision == PORT_UNSETTLED ||
                !(shown || is_earlier(at, best)))
                continue;
            best = shown ? (struct due_time){0} : at; /* then nothing is earlier */
            p->shown_before = at.revision;
            p->pending = PENDING_DUE;
            p->pending_due = due;
            p->pending_filter = i;
        }
    }
    if (p->pending != PENDING_DUE)
        return false;
    p->shown_filter = p->filters[p->pending_filter];
    p->shown_due = p->pending_due;
    describe_due(p, p->shown_filter, p->shown_due, ret);
    return true;
}

static void set_lost(struct port *p, uint64_t next)
{
    INVARIANT(p->filter_at == 0); /* no part of it was told */
    p->lost_first = p->revision;
    p->lost_last = next - 1;
    p->lost += next - p->revision;
    p->revision = next;
}

/* filter_at counts the registrations that were told; with nobody left the loss is done with. */
static bool show_lost(struct port *p, struct port_notification *ret)
{
    const struct port_filter *teller = NULL;
    bool anyone = false;
    size_t i;

    for (i = 0; i < p->filter_count && !teller; i++) {
        const struct port_filter *f = p->filters[i];
        if (!filter_asks_for_lost(f, p->version) || f->from > p->lost_last ||
            f->until <= p->lost_first)
            continue;
        anyone = true;
        if (i >= p->filter_at)
            teller = f;
    }
    bool untold = !anyone && p->show_lost && p->filter_at == 0;
    if (!teller && !untold) {
        p->lost_first = p->lost_last = 0;
        p->filter_at = 0;
        return false;
    }
    p->pending = PENDING_LOST;
    p->pending_filter = teller ? i - 1 : p->filter_count;
    describe_own(teller, V1_CLUSTER_RECONNECT, OBJECT_CLUSTER, V2_CLUSTER_LOST_NOTIFICATIONS,
                 p->version == PORT_V2 ? "" : p->cluster_name, ret);
    ret->lost_first = p->lost_first;
    ret->lost_last = p->lost_last;
    return true;
}

/* A snapshot's record, or one that cannot be read, is passed over without a trace: what it held is
 * the model's to answer for. */
static bool show_initial(struct port *p, struct port_notification *ret)
{
    while (p->snapshot_at < p->snapshot.size) {
        const uint8_t *record = p->snapshot.data + p->snapshot_at;
        size_t left = p->snapshot.size - p->snapshot_at, size = 0;

        if (left >= CHANGE_ALIGNMENT)
            size = change_size(record);
        if (size == 0 || size > left)
            break;
        if (change_decode(record, size, &ret->change) == 0) {
            ret->change.initial = true;
            for (size_t i = p->filter_at; i < p->filter_count; i++) {
                if (!filter_matches_initial(p->filters[i], &ret->change))
                    continue;
                p->pending = PENDING_INITIAL;
                p->pending_filter = i;
                describe_change(p, p->filters[i], ret);
                return true;
            }
        }
        p->snapshot_at += size;
        p->filter_at = 0;
    }
    buffer_fini(&p->snapshot);
    p->filter_at = 0;
    return false;
}

static void pass(struct port *p, uint64_t next)
{
    p->revision = next;
    p->filter_at = 0;
    sweep(p);
}

/* The registrations that are left to try on ret->change. */
static bool show_change(struct port *p, struct port_notification *ret)
{
    for (size_t i = p->filter_at; i < p->filter_count; i++) {
        if (!filter_matches(p->filters[i], p->version, &ret->change))
            continue;
        p->pending = PENDING_CHANGE;
        p->pending_filter = i;
        p->shown_before = p->revision + 1;
        describe_change(p, p->filters[i], ret);
        return true;
    }
    return false;
}

/* False: look again. */
static bool show_record(struct port *p, const void *record, size_t size,
                        struct port_notification *ret)
{
    uint64_t revision = change_peek_revision(record);

    if (revision > p->revision && show_due(p, revision, PORT_DUE_ALL, ret))
        return true;
    if (revision > p->revision)
        pass(p, revision);
    if (change_decode(record, size, &ret->change) < 0)
        set_lost(p, revision + 1);
    else if (show_change(p, ret))
        return true;
    else
        pass(p, revision + 1);
    return false;
}

enum port_result port_peek(struct port *p, struct port_source *s, struct port_notification *ret)
{
    p->pending = PENDING_NONE;
    p->shown_before = 0;
    if (p->snapshot.size > 0 && show_initial(p, ret))
        return PORT_NOTIFICATION;

    for (;;) {
        const void *record = NULL;
        size_t size = 0;
        uint64_t next = p->revision;

        if (p->lost_first && show_lost(p, ret))
            return PORT_NOTIFICATION;
        if (p->filter_at == 0 && show_due(p, p->revision, PORT_DUE_ALL, ret))
            return PORT_NOTIFICATION;
        switch (s->methods->next(s, p->revision, p->kinds, &record, &size, &next)) {
        case SOURCE_RECORD:
            if (show_record(p, record, size, ret))
                return PORT_NOTIFICATION;
            break;
        case SOURCE_SKIPPED:
            if (next > p->revision)
                pass(p, next);
            break;
        case SOURCE_LOST:
            if (next > p->revision)
                set_lost(p, next);
            break;
        case SOURCE_EMPTY:
            if (next > p->revision)
                pass(p, next);
            /* Whatever is due was so when all changes before it were published. */
            return show_due(p, UINT64_MAX, PORT_DUE_ALL, ret) ? PORT_NOTIFICATION : PORT_EMPTY;
        case SOURCE_PENDING:
            return PORT_AWAY;
        case SOURCE_ERROR:
            /* That the cluster is away must not wait for the cluster. */
            return show_due(p, UINT64_MAX, PORT_DUE_STATE, ret) ? PORT_NOTIFICATION : PORT_AWAY;
        }
    }
}

void port_consume(struct port *p)
{
    switch (p->pending) {
    case PENDING_NONE:
        return;
    case PENDING_DUE:
        INVARIANT(p->pending_filter < p->filter_count);
        p->filters[p->pending_filter]->due &= (uint8_t)~p->pending_due;
        p->due_count--;
        p->shown_filter = NULL;
        sweep(p);
        break;
    case PENDING_LOST:
        p->filter_at = p->pending_filter + 1;
        break;
    case PENDING_INITIAL:
    case PENDING_CHANGE:
        p->filter_at = p->pending_filter + 1;
        if (p->pending == PENDING_CHANGE && p->filter_at == p->filter_count)
            pass(p, p->revision + 1);
        break;
    }
    p->delivered++;
    p->pending = PENDING_NONE;
    p->shown_before = 0;
}
