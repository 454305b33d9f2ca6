/* SPDX-License-Identifier: MIT */
#include "audit.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/map.h"
#include "base/text.h"
#include "change/property_list.h"
#include "journal/journal.h"
#include "support/service.h"

#define READ_SIZE (1u << 20)
#define KEY_ROOM 128

struct audit {
    uint64_t *prints; /* by revision: what it was at the audits before */
    uint64_t last;
    uint64_t operations;
    struct {
        int64_t last; /* operation found; -1: none */
        bool *found;
    } writers[LOAD_WRITERS];
    struct map *objects; /* what the changes add up to: struct fact by what it is about */
    struct load *load;
    char *wrong;
};

struct fact {
    char name[KEY_ROOM];
    uint32_t number;
};

struct audit *audit_make(void)
{
    struct audit *a = calloc(1, sizeof(*a));
    assert_non_null(a);
    a->prints = calloc(LOAD_MOST_REVISIONS, sizeof(*a->prints));
    a->objects = map_create();
    assert_non_null(a->prints);
    assert_non_null(a->objects);
    for (unsigned i = 0; i < LOAD_WRITERS; i++) {
        a->writers[i].last = -1;
        a->writers[i].found = calloc(LOAD_MOST_OPERATIONS, sizeof(bool));
        assert_non_null(a->writers[i].found);
    }
    return a;
}

void audit_free(struct audit *a)
{
    if (!a)
        return;
    for (struct map_entry *e = map_first(a->objects); e; e = map_next(a->objects, e))
        free(e->value);
    map_destroy(a->objects);
    for (unsigned i = 0; i < LOAD_WRITERS; i++)
        free(a->writers[i].found);
    free(a->prints);
    free(a);
}

uint64_t audit_last_revision(const struct audit *a)
{
    return a->last;
}

uint64_t audit_operations(const struct audit *a)
{
    return a->operations;
}

__attribute__((format(printf, 2, 3))) static int objection(struct audit *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!a->wrong && vasprintf(&a->wrong, format, args) < 0)
        a->wrong = NULL;
    va_end(args);
    return -EBADMSG;
}

/* ---- changes ---- */

static int found(struct audit *a, const struct change *c, unsigned writer, int64_t n)
{
    if (writer >= LOAD_WRITERS || n < 0 || n >= LOAD_MOST_OPERATIONS)
        return objection(a, "revision %" PRIu64 ": %s by nobody", c->revision, c->name);
    if (n <= a->writers[writer].last)
        return objection(
            a, "revision %" PRIu64 ": writer %u's operation %" PRId64 " after its %" PRId64,
            c->revision, writer, n, a->writers[writer].last);
    unsigned outcome = atomic_load(&a->load->outcomes[writer][n]);
    if (outcome >= OUTCOME_REFUSED)
        return objection(a,
                         "revision %" PRIu64 ": writer %u's operation %" PRId64 " had been refused "
                         "with error %u",
                         c->revision, writer, n, outcome - OUTCOME_REFUSED);
    a->writers[writer].last = n;
    a->writers[writer].found[n] = true;
    a->operations++;
    return 0;
}

static struct fact *fact_of(struct audit *a, char kind, const char *id)
{
    char key[KEY_ROOM];
    snprintf(key, sizeof(key), "%c %s", kind, id);
    struct fact *f = map_get(a->objects, key);
    if (f)
        return f;
    f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(map_put(a->objects, key, f), 0);
    return f;
}

static void drop_fact(struct audit *a, char kind, const char *id)
{
    char key[KEY_ROOM];
    snprintf(key, sizeof(key), "%c %s", kind, id);
    free(map_remove(a->objects, key));
}

static uint32_t sequence_of(const struct change *c)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    const struct property *p = NULL;
    if (property_list_decode(c->new_value.data, c->new_value.size, &t) == 0)
        p = property_find(&t, "seq");
    return p ? (uint32_t)p->number : 0;
}

static int take_group(struct audit *a, const struct change *c)
{
    unsigned writer = 0, n = 0;
    char letter = 0;
    bool ours = sscanf(c->name, "%c%u-%u", &letter, &writer, &n) == 3;
    if (c->kind == CHANGE_GROUP_DELETED)
        drop_fact(a, 'g', c->object_id);
    else
        snprintf(fact_of(a, 'g', c->object_id)->name, KEY_ROOM, "%s", c->name);
    if (c->kind == CHANGE_GROUP_PRIVATE_PROPERTY)
        fact_of(a, 'g', c->object_id)->number = sequence_of(c);
    if (!ours)
        return 0;
    switch (c->kind) {
    case CHANGE_GROUP_ADDED:
        return found(a, c, writer, n);
    case CHANGE_GROUP_PRIVATE_PROPERTY:
        return found(a, c, writer, sequence_of(c));
    case CHANGE_GROUP_COMMON_PROPERTY:
        return found(a, c, writer, n);
    case CHANGE_GROUP_DELETED:
        return found(a, c, writer, n - n % TURNS + TURN_END);
    default:
        return 0;
    }
}

static int take_value(struct audit *a, const struct change *c)
{
    unsigned writer = 0;
    uint64_t n = 0;
    if (strcmp(c->parent_id, "n") != 0 || sscanf(c->name, "w%u", &writer) != 1)
        return 0;
    if (c->new_value.size != sizeof(n))
        return objection(a, "revision %" PRIu64 ": a value of %zu bytes", c->revision,
                         c->new_value.size);
    memcpy(&n, c->new_value.data, sizeof(n));
    fact_of(a, 'v', c->name)->number = (uint32_t)n;
    return found(a, c, writer, (int64_t)n);
}

static int take_change(struct audit *a, const struct change *c)
{
    if (c->revision >= LOAD_MOST_REVISIONS)
        return objection(a, "more changes than there is room for");
    const struct change_kind_info *kind = change_kind_info(c->kind);
    uint64_t print = load_fingerprint(c->revision, c->time_ns, kind->json, c->name);
    if (c->revision <= a->last)
        return a->prints[c->revision] == print
                   ? 0
                   : objection(a, "revision %" PRIu64 " was another change before", c->revision);
    a->prints[c->revision] = print;
    a->last = c->revision;
    if (kind->object == OBJECT_GROUP)
        return take_group(a, c);
    return c->kind == CHANGE_REGISTRY_VALUE ? take_value(a, c) : 0;
}

static int take_changes(struct audit *a, struct journal *j)
{
    uint64_t next = journal_first_revision(j);
    int r = 0;
    if (journal_last_revision(j) < a->last || next > a->last + 1)
        return objection(a, "revisions %" PRIu64 " to %" PRIu64 ", and there was %" PRIu64, next,
                         journal_last_revision(j), a->last);
    while (r == 0 && next <= journal_last_revision(j)) {
        _cleanup_(buffer_fini) struct buffer records = {0};
        size_t count = 0;
        r = journal_read(j, next, READ_SIZE, &records, &count);
        for (size_t at = 0; r == 0 && at < records.size; next++) {
            struct change c;
            size_t size = change_size(records.data + at);
            r = change_decode(records.data + at, size, &c);
            if (r == 0 && c.revision != next)
                r = objection(a, "revision %" PRIu64 " is missing", next);
            if (r == 0)
                r = take_change(a, &c);
            at += size;
        }
    }
    return r;
}

/* ---- what programs know ---- */

static int check_done(struct audit *a, struct load *l)
{
    for (unsigned w = 0; w < LOAD_WRITERS; w++)
        for (unsigned n = 0; n < atomic_load(&l->begun[w]); n++)
            if (atomic_load(&l->outcomes[w][n]) == OUTCOME_DONE && !a->writers[w].found[n])
                return objection(a, "writer %u's operation %u was acknowledged and is lost", w, n);
    return 0;
}

static int check_told(struct audit *a, struct load *l)
{
    uint64_t last = atomic_load(&l->told_last);
    for (uint64_t revision = 1; revision <= last; revision++) {
        uint64_t told = atomic_load(&l->told[revision]);
        if (told && revision > a->last)
            return objection(a, "revision %" PRIu64 " was told and is lost", revision);
        if (told && told != a->prints[revision])
            return objection(a, "revision %" PRIu64 " was told as another change", revision);
    }
    return 0;
}

/* ---- rows ---- */

struct rows {
    struct audit *audit;
    size_t matched;
};

static int match(struct rows *rows, char kind, const char *id, const char *name, uint32_t number)
{
    char key[KEY_ROOM];
    snprintf(key, sizeof(key), "%c %s", kind, id);
    const struct fact *f = map_get(rows->audit->objects, key);
    if (!f || strcmp(f->name, name) != 0 || f->number != number)
        return objection(rows->audit, "the row of %s (%s, %u) is not what changes say (%s, %u)", id,
                         name, number, f ? f->name : "no such object", f ? f->number : 0);
    rows->matched++;
    return 0;
}

static json_t *named(json_t *list, const char *name)
{
    size_t i;
    json_t *each;
    json_array_foreach(list, i, each)
    {
        const char *own = json_string_value(json_object_get(each, "name"));
        if (own && strcmp(own, name) == 0)
            return each;
    }
    return NULL;
}

static int match_group(struct rows *rows, const char *id, json_t *row)
{
    json_t *property = named(json_object_get(row, "private"), "seq");
    return match(rows, 'g', id, json_string_value(json_object_get(row, "name")),
                 (uint32_t)json_integer_value(json_object_get(property, "number")));
}

static int match_key(struct rows *rows, const char *path, json_t *row)
{
    json_t *value = named(json_object_get(row, "values"), "n");
    unsigned writer;
    if (!value || sscanf(path, "w%u", &writer) != 1)
        return 0;
    _cleanup_free_
    uint8_t *data = NULL;
    size_t size = 0;
    uint32_t number = 0;
    if (base64_decode(json_string_value(json_object_get(value, "base64")), &data, &size) == 0 &&
        size >= sizeof(number))
        memcpy(&number, data, sizeof(number));
    return match(rows, 'v', path, "", number);
}

static int take_row(void *context, enum object_type type, const char *key, const char *text,
                    size_t size)
{
    struct rows *rows = context;
    if (type != OBJECT_GROUP && type != OBJECT_REGISTRY)
        return 0;
    json_t *row = json_loadb(text, size, 0, NULL);
    int r = !row                   ? objection(rows->audit, "the row of %s is no JSON", key)
            : type == OBJECT_GROUP ? match_group(rows, key, row)
                                   : match_key(rows, key, row);
    json_decref(row);
    return r;
}

static int check_rows(struct audit *a, struct journal *j)
{
    struct rows rows = {.audit = a};
    int r = journal_load(j, take_row, &rows);
    if (r == 0 && rows.matched != map_count(a->objects))
        r = objection(a, "%zu rows of %zu objects", rows.matched, map_count(a->objects));
    return r;
}

char *audit_run(struct audit *a, const char *state_folder, struct load *l)
{
    _cleanup_free_
    char *path = text_format("%s/clusport.db", state_folder);
    const struct journal_options options = {.read_only = true};
    struct journal *j = NULL;
    char *error = NULL;
    a->load = l;
    a->wrong = NULL;
    int r = journal_open(path, &options, &j, &error);
    if (r < 0)
        return error;
    r = journal_check(j);
    if (r < 0)
        objection(a, "the journal's own check says %s", strerror(-r));
    if (r == 0)
        r = take_changes(a, j);
    if (r == 0)
        r = check_done(a, l);
    if (r == 0)
        r = check_told(a, l);
    if (r == 0)
        r = check_rows(a, j);
    journal_close(j);
    if (r < 0)
        objection(a, "the journal cannot be read: %s", strerror(-r));
    return a->wrong;
}

void assert_status_is_stale(const char *state_folder, uint64_t revision)
{
    const char *argv[] = {built_path("src/cli/clusport"),
                          "status",
                          "--state",
                          state_folder,
                          "--format",
                          "json",
                          NULL};
    char *out = NULL, *error = NULL;
    int code = run_program(argv, &out, &error);
    _cleanup_free_
    char *wanted = text_format("\"revision\": %" PRIu64, revision);
    if (code != 1 || !strstr(out, "\"stale\": true") || !strstr(out, wanted))
        fail_msg("not stale, or not %s (exit code %d): %s%s", wanted, code, out, error);
    free(out);
    free(error);
}
