/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "change/change.h"

static const struct change sample = {
    .revision = 0x1122334455667788,
    .transaction = 0x1122334455667700,
    .time_ns = 1700000000123456789,
    .kind = CHANGE_RESOURCE_STATE,
    .last = true,
    .object_id = "3a1c6a52-9f0e-4f3a-8a7e-0d1e2f3a4b5c",
    .parent_id = "group-id",
    .node_id = "1",
    .name = "Disk Größe",
    .type_name = "Physical Disk",
    .old_value = {.kind = VALUE_NUMBER, .number = 129},
    .new_value = {.kind = VALUE_NUMBER, .number = 2},
    .actor =
        {.node = "node1", .program = "sample", .uid = 1000, .pid = 4242, .reason = REASON_REQUEST},
};

static void assert_same_value(const struct change_value *a, const struct change_value *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->size, b->size);
    if (a->size > 0)
        assert_memory_equal(a->data, b->data, a->size);
}

static void assert_same(const struct change *a, const struct change *b)
{
    assert_true(a->revision == b->revision && a->transaction == b->transaction);
    assert_true(a->time_ns == b->time_ns);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->last, b->last);
    assert_int_equal(a->initial, b->initial);
    assert_string_equal(a->object_id ? a->object_id : "", b->object_id);
    assert_string_equal(a->parent_id ? a->parent_id : "", b->parent_id);
    assert_string_equal(a->node_id ? a->node_id : "", b->node_id);
    assert_string_equal(a->name ? a->name : "", b->name);
    assert_string_equal(a->type_name ? a->type_name : "", b->type_name);
    assert_string_equal(a->actor.node ? a->actor.node : "", b->actor.node);
    assert_string_equal(a->actor.program ? a->actor.program : "", b->actor.program);
    assert_int_equal(a->actor.uid, b->actor.uid);
    assert_int_equal(a->actor.pid, b->actor.pid);
    assert_int_equal(a->actor.reason, b->actor.reason);
    assert_same_value(&a->old_value, &b->old_value);
    assert_same_value(&a->new_value, &b->new_value);
}

/* A copy of exactly so many bytes, so that a sanitizer sees every read beyond them. */
static int decode_exactly(const uint8_t *data, size_t size, struct change *ret)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    struct change c;
    int r = change_decode(copy, size, &c);
    if (r == 0) { /* every text and value is read once, within the copy */
        size_t n = strlen(c.object_id) + strlen(c.parent_id) + strlen(c.node_id) + strlen(c.name) +
                   strlen(c.type_name) + strlen(c.actor.node) + strlen(c.actor.program);
        const struct change_value *values[] = {&c.old_value, &c.new_value};
        for (size_t v = 0; v < 2; v++) {
            for (size_t i = 0; i < values[v]->size; i++)
                n += ((const uint8_t *)values[v]->data)[i];
        }
        assert_true(n < SIZE_MAX);
        if (ret)
            *ret = c;
    }
    free(copy);
    return r;
}

static void test_every_kind_of_value_comes_back(void **state)
{
    static const struct change_value values[] = {
        {.kind = VALUE_NONE},
        {.kind = VALUE_NUMBER, .number = UINT32_MAX},
        {.kind = VALUE_TEXT, .data = "text", .size = 4},
        {.kind = VALUE_TEXT, .data = "", .size = 0},
        {.kind = VALUE_TEXT_LIST, .data = "1\0002\0", .size = 4},
        {.kind = VALUE_TEXT_LIST, .size = 0},
        {.kind = VALUE_PROPERTIES, .data = "\0\0\0\0", .size = 4},
        {.kind = VALUE_REGISTRY, .number = 4, .data = "\x01\0\0\0", .size = 4},
        {.kind = VALUE_BYTES, .data = "\0\1\2\3\4", .size = 5},
    };
    (void)state;
    for (size_t a = 0; a < ARRAY_SIZE(values); a++) {
        for (size_t b = 0; b < ARRAY_SIZE(values); b++) {
            _cleanup_(buffer_fini) struct buffer out = {0};
            struct change c = sample, back;
            c.old_value = values[a];
            c.new_value = values[b];
            c.initial = a == b;
            buffer_append(&out, "odd", 3); /* a record may begin anywhere in a buffer */
            assert_int_equal(change_encode(&c, &out), 0);
            assert_int_equal((out.size - 3) % CHANGE_ALIGNMENT, 0);
            assert_int_equal(change_size(out.data + 3), out.size - 3);
            assert_int_equal(change_decode(out.data + 3, out.size - 3, &back), 0);
            assert_same(&c, &back);
        }
    }
}

static void test_an_empty_change(void **state)
{
    _cleanup_(buffer_fini) struct buffer out = {0};
    const struct change c = {.kind = CHANGE_QUORUM_STATE};
    struct change back;
    (void)state;
    assert_int_equal(change_encode(&c, &out), 0);
    assert_int_equal(out.size, CHANGE_HEAD_SIZE + CHANGE_ALIGNMENT);
    assert_int_equal(change_decode(out.data, out.size, &back), 0);
    assert_same(&c, &back);
}

static void test_peek_and_put(void **state)
{
    _cleanup_(buffer_fini) struct buffer out = {0};
    struct change back, wanted = sample;
    (void)state;
    assert_int_equal(change_encode(&sample, &out), 0);
    assert_true(change_peek_revision(out.data) == sample.revision);
    assert_int_equal(change_peek_kind(out.data), CHANGE_RESOURCE_STATE);
    change_put_revision(out.data, 7, 5, false);
    assert_true(change_peek_revision(out.data) == 7);
    assert_int_equal(change_decode(out.data, out.size, &back), 0);
    wanted.revision = 7;
    wanted.transaction = 5;
    wanted.last = false;
    assert_same(&wanted, &back);
    change_put_revision(out.data, 8, 5, true);
    assert_int_equal(change_decode(out.data, out.size, &back), 0);
    assert_true(back.last);
}

static void test_too_large(void **state)
{
    _cleanup_(buffer_fini) struct buffer out = {0};
    _cleanup_free_
    char *bytes = calloc(1, CHANGE_MAX_SIZE + 1);
    struct change c = sample, back;
    (void)state;
    assert_non_null(bytes);
    c.new_value = (struct change_value){VALUE_BYTES, 0, bytes, CHANGE_MAX_SIZE};
    assert_int_equal(change_encode(&c, &out), -EMSGSIZE);
    c.new_value.size = SIZE_MAX - 100;
    assert_int_equal(change_encode(&c, &out), -EMSGSIZE);
    assert_int_equal(out.size, 0);
    c.new_value.size = CHANGE_MAX_SIZE - 1024;
    assert_int_equal(change_encode(&c, &out), 0);
    assert_int_equal(change_decode(out.data, out.size, &back), 0);
    assert_same(&c, &back);

    memset(bytes, 'n', CHANGE_MAX_SIZE);
    c = sample;
    c.name = bytes;
    assert_int_equal(change_encode(&c, &out), -EMSGSIZE);
}

static void make_rich(struct buffer *out)
{
    struct change c = sample;
    c.old_value = (struct change_value){VALUE_TEXT, 0, "old text", 8};
    c.new_value = (struct change_value){VALUE_TEXT_LIST, 0, "a\0bc\0", 5};
    assert_int_equal(change_encode(&c, out), 0);
}

static void test_cut_short_at_every_length(void **state)
{
    _cleanup_(buffer_fini) struct buffer out = {0};
    struct change untouched = {.revision = 77};
    (void)state;
    make_rich(&out);
    for (size_t size = 0; size < out.size; size++)
        assert_int_equal(decode_exactly(out.data, size, &untouched), -EBADMSG);
    assert_true(untouched.revision == 77);

    /* shorter, with a size that agrees */
    for (size_t size = 0; size < out.size; size += CHANGE_ALIGNMENT) {
        buffer_put_u32(&out, 0, (uint32_t)size);
        assert_int_equal(decode_exactly(out.data, size, NULL), -EBADMSG);
    }
}

/* No byte, whatever it becomes, makes the decoder read outside; some it must refuse. */
static void test_every_byte_damaged(void **state)
{
    _cleanup_(buffer_fini) struct buffer out = {0};
    int refused = 0;
    (void)state;
    make_rich(&out);
    for (size_t at = 0; at < out.size; at++) {
        const uint8_t was = out.data[at];
        for (int v = 0; v < 256; v++) {
            out.data[at] = (uint8_t)v;
            int r = decode_exactly(out.data, out.size, NULL);
            assert_true(r == 0 || r == -EBADMSG);
            refused += r != 0;
        }
        out.data[at] = was;
    }
    assert_true(refused > 0);
    assert_int_equal(decode_exactly(out.data, out.size, NULL), 0);
}

static void test_wrong_numbers_are_refused(void **state)
{
    /* offset in the head, and a byte that must not stand there */
    static const uint8_t wrong[][2] = {
        {4, 2},                 /* format version */
        {6, 4},                 /* an unknown flag */
        {7, CHANGE_NONE},       /* kind */
        {7, CHANGE_KIND_COUNT}, /* kind */
        {40, REASON_COUNT},     /* reason */
        {41, VALUE_KIND_COUNT}, /* old value */
        {42, VALUE_NUMBER},     /* a number with bytes */
        {52, 200},              /* old size */
        {63, 0xFF},             /* a text's length near 4 GiB */
        {60, 1},                /* no NUL where the text ends */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        _cleanup_(buffer_fini) struct buffer out = {0};
        make_rich(&out);
        out.data[wrong[i][0]] = wrong[i][1];
        if (decode_exactly(out.data, out.size, NULL) != -EBADMSG)
            fail_msg("%u at %u was taken", wrong[i][1], wrong[i][0]);
    }
    /* sizes that cannot be */
    static const uint32_t sizes[] = {0, 64, 127, 129, CHANGE_MAX_SIZE + 64, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        _cleanup_(buffer_fini) struct buffer out = {0};
        make_rich(&out);
        buffer_put_u32(&out, 0, sizes[i]);
        assert_int_equal(change_size(out.data), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_value_comes_back),
        cmocka_unit_test(test_an_empty_change),
        cmocka_unit_test(test_peek_and_put),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_cut_short_at_every_length),
        cmocka_unit_test(test_every_byte_damaged),
        cmocka_unit_test(test_wrong_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
