/* SPDX-License-Identifier: MIT */
#include "world.h"

static void check_records(const struct buffer *records, size_t expected)
{
    size_t count = 0;

    for (size_t at = 0; at < records->size; count++) {
        struct change c;
        CHECK(change_decode(records->data + at, records->size - at, &c) == 0);
        at += change_size(records->data + at);
    }
    CHECK(count == expected);
}

uint32_t world_step(struct model *m, const struct model_input *in)
{
    _cleanup_(model_output_fini) struct model_output out = {0};
    const uint64_t before = model_revision(m);
    const uint32_t code = model_step(m, in, &out);

    check_records(&out.changes, out.change_count);
    CHECK(model_revision(m) == before + out.change_count);
    return code;
}

struct model *world_create(void)
{
    static const char type[] =
        "{\"name\": \"Dummy\", \"agent\": \"ocf:test:dummy\", \"properties\":"
        "[{\"name\": \"State\", \"format\": \"sz\", \"default\": \"x\"}]}";
    const struct model_input inputs[] = {
        {.kind = INPUT_FORM_CLUSTER, .new_id = "c", .name = "lab"},
        {.kind = INPUT_DEFINE_TYPE, .data = type, .size = sizeof(type) - 1},
        {.kind = INPUT_NODE_STARTED, .object_id = "1", .name = "n1"},
        {.kind = INPUT_NETWORK_SEEN, .new_id = "w", .name = "lan", .number = 3},
        {.kind = INPUT_CREATE_GROUP, .new_id = "g", .name = "g"},
        {.kind = INPUT_CREATE_RESOURCE,
         .new_id = "r",
         .parent_id = "g",
         .name = "r",
         .type_name = "Dummy"},
    };
    struct model *m = model_create();

    CHECK(m);
    for (size_t i = 0; i < ARRAY_SIZE(inputs); i++)
        CHECK(world_step(m, &inputs[i]) == 0);
    return m;
}

/* Appends to all, and loads into copy if there is one. */
static void keep(const struct object *o, struct buffer *all, struct model *copy)
{
    const size_t start = all->size;

    CHECK(model_object_encode(o, all) == 0);
    if (copy)
        CHECK(model_load_object(copy, o->type, o->id, (char *)all->data + start,
                                all->size - start) == 0);
}

static void keep_key(const struct registry_key *k, struct buffer *all, struct model *copy)
{
    keep(&k->o, all, copy);
    for (struct map_entry *e = map_first(k->subkeys); e; e = map_next(k->subkeys, e))
        keep_key(e->value, all, copy);
}

static void keep_all(const struct model *m, struct buffer *all, struct model *copy)
{
    if (model_cluster(m))
        keep(&model_cluster(m)->o, all, copy);
    for (enum object_type type = OBJECT_GROUP; type <= OBJECT_NODE; type++) {
        const struct map *objects = model_objects(m, type);
        for (struct map_entry *e = map_first(objects); e; e = map_next(objects, e))
            keep(e->value, all, copy);
    }
    const struct registry_key *root = model_key(m, "");
    if (root)
        keep_key(root, all, copy);
}

void world_check(const struct model *m)
{
    _cleanup_(model_destroyp) struct model *copy = model_create();
    _cleanup_(buffer_fini) struct buffer stored = {0}, again = {0}, snapshot = {0};
    size_t count = 0;

    CHECK(copy);
    keep_all(m, &stored, copy);
    CHECK(model_load_done(copy, model_revision(m)) == 0);
    keep_all(copy, &again, NULL);
    CHECK(buffer_equal(&stored, &again));
    CHECK(model_snapshot(copy, &snapshot, &count) == 0);
    check_records(&snapshot, count);
}
