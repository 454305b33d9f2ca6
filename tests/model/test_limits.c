/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "rpc/ndr.h"

/* Whatever is accepted can be told: each change fits a record, the whole state a snapshot's reply,
 * and each text what the wire takes. What would not is refused, and the model goes on. */

#define LONGEST_NAME 256

/* By itself the harness looks at the whole model after each step, which is too slow for thousands.
 */
static uint32_t step(struct world *w, const struct model_input *in)
{
    struct model_output out = {0};
    struct model_input copy = *in;
    copy.actor = (struct change_actor){.node = "n1", .program = "test"};
    uint32_t code = model_step(w->m, &copy, &out);
    w->expected_revision += out.change_count;
    model_output_fini(&out);
    return code;
}

/* So many units, the first of them a number; three bytes each in UTF-8. */
static const char *long_name(unsigned number, size_t units)
{
    static char name[3 * LONGEST_NAME + 1];
    size_t at = (size_t)snprintf(name, sizeof(name), "%u", number);
    for (size_t i = at; i < units; i++, at += 3)
        memcpy(name + at, "\xe2\x82\xac", 3);
    name[at] = '\0';
    return name;
}

static uint32_t make_group(struct world *w, unsigned number)
{
    char id[16];
    snprintf(id, sizeof(id), "G-%u", number);
    struct model_input in = {
        .kind = INPUT_CREATE_GROUP, .new_id = id, .name = long_name(number, LONGEST_NAME)};
    return step(w, &in);
}

static uint32_t make_type(struct world *w, unsigned number)
{
    _cleanup_free_
    char *json =
        text_format("{\"name\":\"%s\",\"agent\":\"ocf:x:y\"}", long_name(number, LONGEST_NAME));
    struct model_input in = {.kind = INPUT_DEFINE_TYPE, .data = json, .size = strlen(json)};
    return step(w, &in);
}

static uint32_t make_resource(struct world *w, unsigned number)
{
    char id[16], group[16];
    _cleanup_free_
    char *type = strdup(long_name(number, LONGEST_NAME));
    snprintf(id, sizeof(id), "R-%u", number);
    snprintf(group, sizeof(group), "G-%u", number);
    struct model_input in = {.kind = INPUT_CREATE_RESOURCE,
                             .new_id = id,
                             .name = long_name(number, LONGEST_NAME),
                             .parent_id = group,
                             .type_name = type};
    return step(w, &in);
}

static uint32_t make_key(struct world *w, const char *path)
{
    struct model_input in = {.kind = INPUT_CREATE_KEY, .object_id = path};
    return step(w, &in);
}

static uint32_t set_value(struct world *w, const char *key, const char *name, const void *data,
                          size_t size)
{
    struct model_input in = {.kind = INPUT_SET_VALUE,
                             .object_id = key,
                             .name = name,
                             .number = 3,
                             .data = data,
                             .size = size};
    return step(w, &in);
}

/* The deepest and longest key that there may be, with as many small values as it takes. */
static void fill_registry(struct world *w)
{
    struct buffer path = {0};
    for (unsigned i = 0; i < 128; i++)
        buffer_printf(&path, "%s%s", i ? "\\" : "", long_name(i, 254));
    buffer_append_zero(&path, 1);
    assert_false(buffer_failed(&path));
    uint32_t code = make_key(w, (const char *)path.data);
    assert_int_equal(code, ERR_SUCCESS);
    unsigned made = 0;
    for (; code == ERR_SUCCESS; made++) {
        char name[16];
        snprintf(name, sizeof(name), "%u", made);
        code = set_value(w, (const char *)path.data, name, "x", 1);
    }
    assert_int_equal(code, ERR_NOT_ENOUGH_QUOTA);
    assert_true(made > 10);
    buffer_fini(&path);
    for (code = ERR_SUCCESS, made = 0; code == ERR_SUCCESS; made++) {
        char name[16];
        snprintf(name, sizeof(name), "%u", made);
        code = make_key(w, name);
    }
    assert_int_equal(code, ERR_NOT_ENOUGH_QUOTA);
}

static void the_largest_cluster_has_a_snapshot(void **state)
{
    (void)state;
    struct world w;
    world_started(&w);
    uint32_t code = ERR_SUCCESS;
    for (unsigned i = 0; code == ERR_SUCCESS; i++) {
        code = make_type(&w, i);
        if (code == ERR_SUCCESS)
            code = make_group(&w, i);
        if (code == ERR_SUCCESS)
            code = make_resource(&w, i);
        assert_true(i < 20000);
    }
    assert_int_equal(code, ERR_NOT_ENOUGH_QUOTA);
    assert_int_equal(make_group(&w, 99999), ERR_NOT_ENOUGH_QUOTA);
    fill_registry(&w);

    struct buffer snapshot = {0};
    size_t count = 0;
    assert_int_equal(model_snapshot(w.m, &snapshot, &count), 0);
    assert_true(count > 16384);
    assert_true(snapshot.size < RPC_MOST_BYTES);
    buffer_fini(&snapshot);

    /* Where something went something may come. */
    struct model_input in = {.kind = INPUT_DELETE_RESOURCE, .object_id = "R-1"};
    assert_int_equal(step(&w, &in), ERR_SUCCESS);
    assert_int_equal(make_group(&w, 99999), ERR_SUCCESS);
    assert_int_equal(make_group(&w, 99998), ERR_NOT_ENOUGH_QUOTA);
    world_fini(&w);
}

/* One call makes all that is missing above a key: it is counted as a whole. */
static void a_deep_key_is_counted_whole(void **state)
{
    (void)state;
    struct world w;
    world_started(&w);
    static const uint8_t large[1u << 20];
    assert_int_equal(make_key(&w, "K"), ERR_SUCCESS);
    for (unsigned i = 0; i < 31; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%u", i);
        assert_int_equal(set_value(&w, "K", name, large, sizeof(large)), ERR_SUCCESS);
    }
    struct buffer path = {0};
    for (unsigned i = 0; i < 512; i++)
        buffer_printf(&path, "%s%063u", i ? "\\" : "", i);
    buffer_append(&path, "x", 2);
    assert_int_equal(make_key(&w, (const char *)path.data), ERR_INVALID_NAME);
    path.data[32767] = '\0'; /* the longest there may be */
    assert_int_equal(make_key(&w, (const char *)path.data), ERR_NOT_ENOUGH_QUOTA);
    path.data[63] = '\0';
    assert_null(model_key(w.m, (const char *)path.data)); /* nor any of it */
    buffer_fini(&path);
    assert_int_equal(make_key(&w, "K\\small"), ERR_SUCCESS);
    world_fini(&w);
}

/* ---- properties ---- */

static uint32_t set_bytes(struct world *w, enum input_kind kind, const char *name,
                          enum property_format format, size_t size)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    _cleanup_(buffer_fini) struct buffer list = {0};
    _cleanup_free_
    char *data = calloc(1, size + 1);
    memset(data, 'x', size > 0 && format == PROPERTY_SZ ? size - 1 : size);
    struct property p = {.name = (char *)name, .format = format, .data = data, .size = size};
    assert_int_equal(property_set(&t, &p), 0);
    assert_int_equal(property_list_encode(&t, &list), 0);
    struct model_input in = {.kind = kind,
                             .object_type = OBJECT_RESOURCE,
                             .object_id = "A",
                             .data = list.data,
                             .size = list.size};
    return world_step(w, &in);
}

static uint32_t set_private(struct world *w, const char *name, size_t size)
{
    return set_bytes(w, INPUT_SET_PRIVATE_PROPERTIES, name, PROPERTY_BINARY, size);
}

static size_t list_size(const struct world *w)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    _cleanup_(buffer_fini) struct buffer list = {0};
    assert_int_equal(model_properties(w->m, &model_resource(w->m, "A")->o, PROPERTIES_PRIVATE, &t),
                     0);
    assert_int_equal(property_list_encode(&t, &list), 0);
    return list.size;
}

static void one_resource(struct world *w)
{
    world_started(w);
    assert_int_equal(create_group(w, "G"), 0);
    assert_int_equal(create_resource(w, "G", "A"), 0);
    w->quiet = true;
}

static void properties_have_an_end(void **state)
{
    (void)state;
    struct world w;
    one_resource(&w);
    assert_int_equal(set_private(&w, "a", 3u << 20), ERR_NOT_ENOUGH_QUOTA);
    assert_int_equal(set_private(&w, "a", 600u << 10), ERR_SUCCESS);
    assert_int_equal(set_private(&w, "b", 600u << 10), ERR_NOT_ENOUGH_QUOTA);
    assert_int_equal(set_private(&w, "a", 1000u << 10), ERR_SUCCESS); /* in the old one's place */
    assert_int_equal(set_private(&w, "a", 999u << 10), ERR_SUCCESS);
    assert_true(list_size(&w) <= 1u << 20);
    world_reload(&w);
    assert_int_equal(set_private(&w, "b", 600u << 10), ERR_NOT_ENOUGH_QUOTA);
    assert_int_equal(set_private(&w, "a", 0), ERR_SUCCESS); /* the default: it is gone */
    assert_int_equal(set_private(&w, "b", 600u << 10), ERR_SUCCESS);
    for (size_t size = (400u << 10) - 200; size < 425u << 10; size += 4001) {
        uint32_t code = set_private(&w, "c", size);
        assert_true(code == ERR_SUCCESS || code == ERR_NOT_ENOUGH_QUOTA);
        assert_true(list_size(&w) <= 1u << 20);
    }
    assert_int_equal(
        set_bytes(&w, INPUT_SET_COMMON_PROPERTIES, "Description", PROPERTY_SZ, 2u << 20),
        ERR_NOT_ENOUGH_QUOTA);
    assert_int_equal(
        set_bytes(&w, INPUT_SET_COMMON_PROPERTIES, "Description", PROPERTY_SZ, 400u << 10),
        ERR_SUCCESS);
    world_fini(&w);
}

static void properties_are_as_many_as_a_list_may_hold(void **state)
{
    (void)state;
    struct world w;
    one_resource(&w);
    for (unsigned round = 0; round < 2; round++) {
        _cleanup_(property_table_fini) struct property_table t = {0};
        _cleanup_(buffer_fini) struct buffer list = {0};
        for (unsigned i = 0; i < PROPERTY_LIST_MOST / 2 + 1; i++) {
            char name[16];
            snprintf(name, sizeof(name), "%u.%u", round, i);
            assert_int_equal(property_set_dword(&t, name, i), 0);
        }
        assert_int_equal(property_list_encode(&t, &list), 0);
        struct model_input in = {.kind = INPUT_SET_PRIVATE_PROPERTIES,
                                 .object_type = OBJECT_RESOURCE,
                                 .object_id = "A",
                                 .data = list.data,
                                 .size = list.size};
        const struct object *o = &model_resource(w.m, "A")->o;
        uint32_t wanted = round == 0 ? ERR_SUCCESS : ERR_NOT_ENOUGH_QUOTA;
        assert_int_equal(
            model_validate_properties(w.m, o, PROPERTIES_PRIVATE, list.data, list.size), wanted);
        assert_int_equal(world_step(&w, &in), wanted);
    }
    world_fini(&w);
}

static void dependencies_have_an_end(void **state)
{
    (void)state;
    struct world w;
    one_resource(&w);
    uint32_t code = ERR_SUCCESS;
    unsigned made = 0;
    for (; code == ERR_SUCCESS && made < 300; made++) {
        char id[16];
        snprintf(id, sizeof(id), "P-%u", made);
        struct model_input in = {.kind = INPUT_CREATE_RESOURCE,
                                 .new_id = id,
                                 .name = long_name(made, LONGEST_NAME),
                                 .parent_id = "G",
                                 .type_name = "Dummy"};
        assert_int_equal(step(&w, &in), ERR_SUCCESS);
        in = (struct model_input){.kind = INPUT_ADD_DEPENDENCY, .object_id = "A", .parent_id = id};
        code = step(&w, &in);
    }
    assert_int_equal(code, ERR_DEPENDENCY_TREE_TOO_COMPLEX);
    assert_int_equal(made, 201);
    size_t units = 0;
    const struct resource *a = model_resource(w.m, "A");
    for (size_t i = 0; i < a->providers.count; i++)
        units += utf16_length(((const struct resource *)a->providers.items[i])->o.name) +
                 strlen("[] and ");
    assert_true(units < RPC_MOST_STRING_UNITS);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_cluster_has_a_snapshot),
        cmocka_unit_test(a_deep_key_is_counted_whole),
        cmocka_unit_test(properties_have_an_end),
        cmocka_unit_test(properties_are_as_many_as_a_list_may_hold),
        cmocka_unit_test(dependencies_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
