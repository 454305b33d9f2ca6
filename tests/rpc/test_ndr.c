/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "rpc/ndr.h"
#include "rpc/rpc_interface.h"

/* Every operation, both directions: what is written is read back the same, no prefix of it is taken
 * for the whole, and no damage does worse than fail. */

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static char *rnd_text(struct rpc_arena *a)
{
    static const char *const samples[] = {"", "Disk 1", "Gr\xc3\xbc\xc3\x9f", "\xf0\x9f\x92\xbe",
                                          "\\Resources\\{id}\\Parameters"};
    return rpc_arena_text(a, samples[rnd(ARRAY_SIZE(samples))]);
}

static char *rnd_item(struct rpc_arena *a)
{
    return rpc_arena_text(a, rnd(2) ? "node1" : "Kn\xc3\xb6tchen");
}

static struct rpc_bytes rnd_bytes(struct rpc_arena *a)
{
    struct rpc_bytes b = {.size = rnd(40)};

    b.data = rpc_arena_alloc(a, b.size);
    assert_non_null(b.data);
    for (uint32_t i = 0; i < b.size; i++)
        ((uint8_t *)b.data)[i] = (uint8_t)rnd(256);
    b.capacity = b.size + rnd(20);
    return b;
}

static struct rpc_texts rnd_texts(struct rpc_arena *a)
{
    struct rpc_texts t = {.count = rnd(4)};

    t.items = rpc_arena_alloc(a, t.count * sizeof(*t.items));
    for (uint32_t i = 0; i < t.count; i++)
        t.items[i] = rnd_item(a);
    return t;
}

#define FILL_LIST(list, a)                                                                         \
    do {                                                                                           \
        (list)->count = rnd(4);                                                                    \
        (list)->entries = rpc_arena_alloc((a), (list)->count * sizeof(*(list)->entries));          \
        assert_non_null((list)->entries);                                                          \
    } while (0)

static void fill_lists(unsigned type, struct rpc_arena *a, void *field)
{
    struct rpc_enum_list *e = field;
    struct rpc_group_enum_list *g = field;
    struct rpc_resource_enum_list *r = field;
    struct rpc_notifications *n = field;
    struct rpc_notifications_v2 *v2 = field;

    switch (type) {
    case RPC_ENUM_LIST:
        FILL_LIST(e, a);
        for (uint32_t i = 0; i < e->count; i++)
            e->entries[i] = (struct rpc_enum_entry){rnd(UINT32_MAX), rnd(3) ? rnd_text(a) : NULL};
        break;
    case RPC_GROUP_ENUM_LIST:
        FILL_LIST(g, a);
        for (uint32_t i = 0; i < g->count; i++)
            g->entries[i] = (struct rpc_group_enum_entry){
                rnd_text(a), rnd_text(a), rnd(9), NULL, rnd(9), rnd_bytes(a), rnd_bytes(a)};
        break;
    case RPC_RESOURCE_ENUM_LIST:
        FILL_LIST(r, a);
        for (uint32_t i = 0; i < r->count; i++)
            r->entries[i] = (struct rpc_resource_enum_entry){
                rnd_text(a), rnd_text(a), rnd_text(a), NULL, rnd_bytes(a), rnd_bytes(a)};
        break;
    case RPC_NOTIFICATIONS:
        FILL_LIST(n, a);
        for (uint32_t i = 0; i < n->count; i++)
            n->entries[i] =
                (struct rpc_notification){rnd(UINT32_MAX), rnd(UINT32_MAX), rnd_text(a)};
        break;
    case RPC_NOTIFICATIONS_V2:
        FILL_LIST(v2, a);
        for (uint32_t i = 0; i < v2->count; i++)
            v2->entries[i] = (struct rpc_notification_v2){rnd(UINT32_MAX),
                                                          {rnd(9), -(int64_t)rnd(99)},
                                                          rnd_bytes(a),
                                                          rnd_text(a),
                                                          NULL,
                                                          rnd_text(a),
                                                          rnd_text(a)};
        break;
    default:
        fail_msg("type %u is not filled", type);
    }
}

static void fill(unsigned type, struct rpc_arena *a, void *field)
{
    struct rpc_security_attributes **security = field;
    struct rpc_group_info **info = field;

    switch ((enum rpc_type)type) {
    case RPC_U16:
        *(uint16_t *)field = (uint16_t)rnd(65536);
        break;
    case RPC_U32:
    case RPC_STATUS:
    case RPC_BOOL:
        *(uint32_t *)field = rnd(UINT32_MAX);
        break;
    case RPC_I64:
    case RPC_FILETIME:
        *(uint64_t *)field = (uint64_t)rnd(UINT32_MAX) << 32 | rnd(UINT32_MAX);
        break;
    case RPC_STRING:
        *(char **)field = rnd_text(a);
        break;
    case RPC_UNIQUE_STRING:
        *(char **)field = rnd(2) ? rnd_text(a) : NULL;
        break;
    case RPC_BYTES:
    case RPC_UNIQUE_BYTES:
    case RPC_COUNTED_BYTES:
    case RPC_BUFFER:
    case RPC_FULL_BUFFER:
    case RPC_RESIZED_BUFFER:
    case RPC_SECURITY_DESCRIPTOR:
        *(struct rpc_bytes *)field = rnd_bytes(a);
        break;
    case RPC_SECURITY_ATTRIBUTES:
        *security = rnd(2) ? rpc_arena_alloc(a, sizeof(**security)) : NULL;
        if (*security)
            **security = (struct rpc_security_attributes){12, rnd_bytes(a), 1};
        break;
    case RPC_GROUP_INFO:
        *info = rnd(2) ? rpc_arena_alloc(a, sizeof(**info)) : NULL;
        if (*info)
            **info = (struct rpc_group_info){1, rnd(200)};
        break;
    case RPC_MULTI_SZ:
    case RPC_STRING_ARRAY:
        *(struct rpc_texts *)field = rnd_texts(a);
        break;
    case RPC_FILTER:
        *(struct rpc_filter *)field = (struct rpc_filter){rnd(9), -(int64_t)rnd(UINT32_MAX)};
        break;
    case RPC_VERSION_INFO:
        *(struct rpc_version_info *)field = (struct rpc_version_info){20, rnd(9), rnd(9), 1, 2};
        break;
    default:
        if (rpc_type_is_context(type))
            for (unsigned i = 0; i < RPC_CONTEXT_SIZE; i++)
                ((struct rpc_context *)field)->wire[i] = (uint8_t)rnd(256);
        else
            fill_lists(type, a, field);
    }
}

static void fill_args(const struct rpc_op *op, struct rpc_arena *a, uint8_t *args)
{
    for (unsigned i = 0; i < op->param_count; i++)
        fill(op->params[i].type, a, args + op->params[i].offset);
}

/* What the decoding side knows of its own: how much room it has. */
static void copy_capacities(const struct rpc_op *op, const uint8_t *from, uint8_t *to)
{
    for (unsigned i = 0; i < op->param_count; i++)
        if (op->params[i].type == RPC_BUFFER || op->params[i].type == RPC_FULL_BUFFER ||
            op->params[i].type == RPC_RESIZED_BUFFER)
            ((struct rpc_bytes *)(to + op->params[i].offset))->capacity =
                ((const struct rpc_bytes *)(from + op->params[i].offset))->capacity;
}

static int decode_copy(const struct rpc_op *op, enum rpc_direction direction, const uint8_t *args,
                       const uint8_t *data, size_t size)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {.limit = 1 << 20};
    _cleanup_free_
    uint8_t *exact = malloc(size + 1); /* of its own size, for the sanitizer */
    _cleanup_free_
    uint8_t *there = calloc(1, op->args_size);
    uint8_t *end = exact + 1; /* not aligned: nothing may rely on it */

    memcpy(end, data, size);
    copy_capacities(op, args, there);
    return ndr_decode(op, direction, end, size, &arena, there);
}

static bool ends_in_bool(const struct rpc_op *op)
{
    unsigned last = RPC_TYPE_NONE;

    for (unsigned i = 0; i < op->param_count; i++)
        if (op->params[i].direction & RPC_IN)
            last = op->params[i].type;
    return last == RPC_BOOL;
}

static void round_trip(const struct rpc_op *op, enum rpc_direction direction)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_(buffer_fini) struct buffer first = {0}, second = {0};
    _cleanup_free_
    uint8_t *here = calloc(1, op->args_size), *there = calloc(1, op->args_size);

    fill_args(op, &arena, here);
    assert_int_equal(ndr_encode(op, direction, here, &first), 0);
    copy_capacities(op, here, there);
    assert_int_equal(ndr_decode(op, direction, first.data, first.size, &arena, there), 0);
    assert_int_equal(ndr_encode(op, direction, there, &second), 0);
    if (first.size != second.size ||
        (first.size > 0 && memcmp(first.data, second.data, first.size) != 0))
        fail_msg("%s is not what it was", op->name);

    for (size_t size = 0; size < first.size; size++) {
        int r = decode_copy(op, direction, here, first.data, size);

        if (r != -EBADMSG && !(r == 0 && direction == RPC_IN && ends_in_bool(op)))
            fail_msg("%s: %zu bytes of %zu give %d", op->name, size, first.size, r);
    }
    for (unsigned i = 0; i < 100 && first.size > 0; i++) {
        _cleanup_free_
        uint8_t *damaged = malloc(first.size);

        memcpy(damaged, first.data, first.size);
        for (unsigned n = rnd(4) + 1; n > 0; n--)
            damaged[rnd((uint32_t)first.size)] = rnd(3) ? (uint8_t)rnd(256) : 0xff;
        int r = decode_copy(op, direction, here, damaged, first.size);
        assert_true(r == 0 || r == -EBADMSG || r == -ENOMEM);
    }
}

static void test_every_operation(void **state)
{
    const struct rpc_interface *const all[] = {&rpc_cmrp, &rpc_private};
    unsigned count = 0;

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
        for (unsigned opnum = 0; opnum < all[i]->op_count; opnum++) {
            const struct rpc_op *op = rpc_interface_op(all[i], opnum);

            if (!op)
                continue;
            assert_int_equal(op->opnum, opnum);
            count++;
            for (unsigned n = 0; n < 4; n++) {
                seed = opnum * 16 + n;
                round_trip(op, RPC_IN);
                round_trip(op, RPC_OUT);
            }
        }
    assert_int_equal(count, 151);
    assert_null(rpc_interface_op(&rpc_cmrp, 80));
    assert_null(rpc_interface_op(&rpc_cmrp, 60000));
}

static void expect_bytes(const struct rpc_op *op, enum rpc_direction direction, const void *args,
                         const uint8_t *bytes, size_t size)
{
    _cleanup_(buffer_fini) struct buffer b = {0};

    assert_int_equal(ndr_encode(op, direction, args, &b), 0);
    assert_int_equal(b.size, size);
    assert_memory_equal(b.data, bytes, size);
}

/* What the other implementations of the protocol would see. */
static void test_wire_forms(void **state)
{
    static const uint8_t name_in[] = {3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 'd', 0, '1', 0, 0, 0};
    static const uint8_t enum_out[] = {
        0, 0, 2, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4,   0, 0, 0, 4, 0, 2, 0, /* list, entry */
        2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 'x', 0, 0, 0, 0, 0, 0, 0, /* its name */
        0, 0, 0, 0};                                                  /* rpc_status, result */
    static const uint8_t control_in[] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* context */
        5, 0, 0, 1, 0, 0, 2, 0, 3, 0, 0, 0, 7, 8, 9, 0, 3, 0, 0, 0, 100, 0, 0, 0};
    static const uint8_t control_out[] = {100, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 2, 0, 0,
                                          2,   0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t v2_out[] = {
        0, 0, 2, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, /* one, its key */
        2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, /* type, flags */
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* buffer, ids */
        0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    struct rpc_enum_entry entry = {4, (char *)"x"};
    struct rpc_notification_v2 notification = {.key = 9, .filter = {2, 4}};
    struct cmrp_OpenResource open = {.name = (char *)"d1"};
    struct cmrp_CreateEnum list = {.list = {&entry, 1}};
    struct cmrp_ResourceControl control = {.code = 0x01000005,
                                           .input = {(char[]){7, 8, 9}, 3, 0},
                                           .output = {(char[]){1, 2}, 2, 100},
                                           .required = 2};
    struct cmrp_GetNotifyV2 v2 = {.notifications = {&notification, 1}};

    (void)state;
    expect_bytes(&cmrp_op_OpenResource, RPC_IN, &open, name_in, sizeof(name_in));
    expect_bytes(&cmrp_op_CreateEnum, RPC_OUT, &list, enum_out, sizeof(enum_out));
    expect_bytes(&cmrp_op_ResourceControl, RPC_IN, &control, control_in, sizeof(control_in));
    expect_bytes(&cmrp_op_ResourceControl, RPC_OUT, &control, control_out, sizeof(control_out));
    expect_bytes(&cmrp_op_GetNotifyV2, RPC_OUT, &v2, v2_out, sizeof(v2_out));
}

static void test_refused(void **state)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    _cleanup_(buffer_fini) struct buffer out = {0};
    static const uint8_t no_nul[] = {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'd', 0};
    static const uint8_t two_nuls[] = {2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t half_pair[] = {2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0x3d, 0xd8, 0, 0};
    _cleanup_free_
    char *long_name = malloc(RPC_MOST_STRING_UNITS + 1);
    struct cmrp_OpenResource a = {0};
    struct cmrp_ResourceControl c = {.output = {(char[]){1, 2}, 2, 1}};

    (void)state;
    assert_int_equal(ndr_encode(&cmrp_op_OpenResource, RPC_IN, &a, &out), -EINVAL);
    memset(long_name, 'x', RPC_MOST_STRING_UNITS);
    long_name[RPC_MOST_STRING_UNITS] = '\0';
    a.name = long_name;
    buffer_clear(&out);
    assert_int_equal(ndr_encode(&cmrp_op_OpenResource, RPC_IN, &a, &out), -EINVAL);
    buffer_clear(&out);
    assert_int_equal(ndr_encode(&cmrp_op_ResourceControl, RPC_OUT, &c, &out), -EINVAL);
    assert_int_equal(ndr_decode(&cmrp_op_OpenResource, RPC_IN, no_nul, sizeof(no_nul), &arena, &a),
                     -EBADMSG);
    assert_int_equal(
        ndr_decode(&cmrp_op_OpenResource, RPC_IN, two_nuls, sizeof(two_nuls), &arena, &a),
        -EBADMSG);
    assert_int_equal(
        ndr_decode(&cmrp_op_OpenResource, RPC_IN, half_pair, sizeof(half_pair), &arena, &a),
        -EBADMSG);
}

static void test_arena(void **state)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {.limit = 10000};

    (void)state;
    assert_non_null(rpc_arena_alloc(&arena, 9000));
    assert_null(rpc_arena_alloc(&arena, 2000));
    assert_non_null(rpc_arena_alloc(&arena, 0));
    assert_null(rpc_arena_alloc(&arena, SIZE_MAX));
    assert_string_equal(rpc_arena_text(&arena, "text"), "text");
    assert_null(rpc_arena_text(&arena, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operation),
        cmocka_unit_test(test_wire_forms),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
