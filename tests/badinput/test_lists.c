/* SPDX-License-Identifier: MIT */
#include "badinput/stage.h"

#include <stdlib.h>
#include <string.h>

#include "support/campaign.h"

/* Property lists and control buffers that are wrong in every way: made from good ones, each field
 * of each entry changed, each length cut; sent to every kind of object by the codes that take a
 * list. What is refused changes nothing; what is taken can be read again. */

struct list {
    _Alignas(8) BYTE data[1024];
    DWORD size;
    DWORD fields[64]; /* where DWORDs stand: the count, syntaxes, lengths */
    size_t field_count;
};

static void add_dword(struct list *l, DWORD value, bool field)
{
    if (field)
        l->fields[l->field_count++] = l->size;
    memcpy(l->data + l->size, &value, 4);
    l->size += 4;
}

static void add_value(struct list *l, DWORD syntax, const void *data, DWORD size)
{
    add_dword(l, syntax, true);
    add_dword(l, size, true);
    memset(l->data + l->size, 0, ALIGN_CLUSPROP(size));
    memcpy(l->data + l->size, data, size);
    l->size += ALIGN_CLUSPROP(size);
}

static void add_property(struct list *l, LPCWSTR name, DWORD syntax, const void *data, DWORD size)
{
    add_value(l, CLUSPROP_SYNTAX_NAME, name, ((DWORD)lstrlenW(name) + 1) * sizeof(WCHAR));
    add_value(l, syntax, data, size);
    add_dword(l, CLUSPROP_SYNTAX_ENDMARK, true);
}

/* Private: any name and format is taken. */
static struct list good_private(void)
{
    static const WCHAR text[] = L"text", texts[] = L"one\0two\0";
    const DWORD number = 5;
    const ULONGLONG large = 1;
    const WORD word = 3;
    struct list l = {0};
    add_dword(&l, 7, true);
    add_property(&l, L"Number", CLUSPROP_SYNTAX_LIST_VALUE_DWORD, &number, 4);
    add_property(&l, L"Text", CLUSPROP_SYNTAX_LIST_VALUE_SZ, text, sizeof(text));
    add_property(&l, L"Expand", CLUSPROP_SYNTAX_LIST_VALUE_EXPAND_SZ, text, sizeof(text));
    add_property(&l, L"Texts", CLUSPROP_SYNTAX_LIST_VALUE_MULTI_SZ, texts, sizeof(texts));
    add_property(&l, L"Bytes", CLUSPROP_SYNTAX_LIST_VALUE_BINARY, "abc", 3);
    add_property(&l, L"Large", CLUSPROP_SYNTAX_LIST_VALUE_ULARGE_INTEGER, &large, 8);
    add_property(&l, L"Word", CLUSPROP_SYNTAX_VALUE(CLUSPROP_TYPE_LIST_VALUE, CLUSPROP_FORMAT_WORD),
                 &word, 2);
    return l;
}

static struct list good_common(void)
{
    static const WCHAR text[] = L"described";
    struct list l = {0};
    add_dword(&l, 1, true);
    add_property(&l, L"Description", CLUSPROP_SYNTAX_LIST_VALUE_SZ, text, sizeof(text));
    return l;
}

/* ---- where to ---- */

typedef DWORD (*control_fn)(const struct stage *s, DWORD code, void *in, DWORD in_size, void *out,
                            DWORD out_size, DWORD *returned);

#define CONTROL(name, call)                                                                        \
    static DWORD name(const struct stage *s, DWORD code, void *in, DWORD in_size, void *out,       \
                      DWORD out_size, DWORD *returned)                                             \
    {                                                                                              \
        return call;                                                                               \
    }
#define BUFFERS in, in_size, out, out_size, returned
CONTROL(cluster, ClusterControl(s->cluster, NULL, code, BUFFERS))
CONTROL(node, ClusterNodeControl(good_handle(s, KIND_NODE), NULL, code, BUFFERS))
CONTROL(group, ClusterGroupControl(s->group, NULL, code, BUFFERS))
CONTROL(resource, ClusterResourceControl(s->resource, NULL, code, BUFFERS))
CONTROL(type, ClusterResourceTypeControl(s->cluster, L"Physical Disk", NULL, code, BUFFERS))
CONTROL(network, ClusterNetworkControl(good_handle(s, KIND_NETWORK), NULL, code, BUFFERS))
CONTROL(netinterface,
        ClusterNetInterfaceControl(good_handle(s, KIND_NETINTERFACE), NULL, code, BUFFERS))

static const struct {
    control_fn control;
    DWORD object;
} objects[] = {{cluster, CLUS_OBJECT_CLUSTER},
               {node, CLUS_OBJECT_NODE},
               {group, CLUS_OBJECT_GROUP},
               {resource, CLUS_OBJECT_RESOURCE},
               {type, CLUS_OBJECT_RESOURCE_TYPE},
               {network, CLUS_OBJECT_NETWORK},
               {netinterface, CLUS_OBJECT_NETINTERFACE}};
#define OBJECTS (sizeof(objects) / sizeof(objects[0]))

static DWORD code_for(size_t object, DWORD function)
{
    return objects[object].object << CLUSCTL_OBJECT_SHIFT | function;
}

struct properties {
    BYTE data[16384];
    DWORD size;
};

static void read_properties(const struct stage *s, size_t object, bool is_private,
                            struct properties *p)
{
    DWORD function = is_private ? CLCTL_GET_PRIVATE_PROPERTIES : CLCTL_GET_COMMON_PROPERTIES;
    DWORD code = code_for(object, function);
    assert_int_equal(objects[object].control(s, code, NULL, 0, p->data, sizeof(p->data), &p->size),
                     ERROR_SUCCESS);
}

static bool is_documented(DWORD error)
{
    switch (error) {
    case ERROR_SUCCESS:
    case ERROR_RESOURCE_PROPERTIES_STORED:
    case ERROR_INVALID_DATA:
    case ERROR_INVALID_PARAMETER:
    case ERROR_INSUFFICIENT_BUFFER:
    case ERROR_RESOURCE_PROPERTY_UNCHANGEABLE:
    case ERROR_NOT_ENOUGH_QUOTA:
    case RPC_X_BAD_STUB_DATA:
        return true;
    default:
        return false;
    }
}

struct tally {
    unsigned refused, taken;
};

/* The list, at the end of memory of its size, so that a byte read behind it is seen. What VALIDATE
 * says SET does; refused, all is as it was; taken, it can be given back as it is told. */
static void send(const struct stage *s, size_t object, bool is_private, const BYTE *data,
                 DWORD size, struct tally *t)
{
    static struct properties before, after;
    const DWORD set = is_private ? CLCTL_SET_PRIVATE_PROPERTIES : CLCTL_SET_COMMON_PROPERTIES;
    const DWORD validate =
        is_private ? CLCTL_VALIDATE_PRIVATE_PROPERTIES : CLCTL_VALIDATE_COMMON_PROPERTIES;
    BYTE *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    read_properties(s, object, is_private, &before);
    DWORD valid = objects[object].control(s, code_for(object, validate), copy, size, NULL, 0, NULL);
    DWORD error = objects[object].control(s, code_for(object, set), copy, size, NULL, 0, NULL);
    free(copy);
    read_properties(s, object, is_private, &after);
    if (!is_documented(error))
        fail_msg("object %zu: %u", object, error);
    bool taken = error == ERROR_SUCCESS || error == ERROR_RESOURCE_PROPERTIES_STORED;
    assert_int_equal(valid, taken ? ERROR_SUCCESS : error);
    if (taken) {
        t->taken++;
        assert_int_equal(objects[object].control(s, code_for(object, set), after.data, after.size,
                                                 NULL, 0, NULL),
                         error);
        return;
    }
    t->refused++;
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
}

/* ---- wrong lists ---- */

static void wrong_fields(const struct stage *s, size_t object, bool is_private,
                         const struct list *good, struct tally *t)
{
    const DWORD deltas[] = {1, 2, 3, 4, 5, 8, 64, 0x10000, 0x7fffffff, 0x80000000};
    for (size_t f = 0; f < good->field_count; f++) {
        DWORD value;
        memcpy(&value, good->data + good->fields[f], 4);
        const DWORD fixed[] = {0,          1,          0xffff,     0x10000,
                               0xffff0000, 0x7ffffffc, 0xfffffffc, 0xffffffff};
        for (size_t i = 0; i < 2 * sizeof(deltas) / 4 + sizeof(fixed) / 4; i++) {
            struct list l = *good;
            DWORD wrong = i < sizeof(fixed) / 4 ? fixed[i]
                          : i % 2               ? value + deltas[(i - sizeof(fixed) / 4) / 2]
                                                : value - deltas[(i - sizeof(fixed) / 4) / 2];
            memcpy(l.data + l.fields[f], &wrong, 4);
            send(s, object, is_private, l.data, l.size, t);
        }
    }
}

static void wrong_sizes(const struct stage *s, size_t object, bool is_private,
                        const struct list *good, struct tally *t)
{
    for (DWORD size = 1; size < good->size; size++)
        send(s, object, is_private, good->data, size, t);
    struct list l = *good;
    memset(l.data + l.size, 0xff, 16);
    for (DWORD more = 1; more < 16; more++) /* what comes after the list is not looked at */
        send(s, object, is_private, l.data, l.size + more, t);
}

static void wrong_bytes(const struct stage *s, size_t object, bool is_private,
                        const struct list *good, struct test_random *random, unsigned rounds,
                        struct tally *t)
{
    for (unsigned i = 0; i < rounds; i++) {
        struct list l = *good;
        for (unsigned k = random_below(random, 4) + 1; k > 0; k--)
            l.data[random_below(random, l.size)] = (BYTE)random_next(random);
        send(s, object, is_private, l.data, l.size, t);
    }
}

static void test_private_lists(void **state)
{
    const struct stage *s = *state;
    const struct list good = good_private();
    struct tally t = {0};
    uint64_t seed = campaign_seed(1);
    struct test_random random = random_of(seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    wrong_fields(s, 3, true, &good, &t);
    wrong_sizes(s, 3, true, &good, &t);
    for (size_t object = 0; object < OBJECTS; object++) {
        wrong_bytes(s, object, true, &good, &random, (unsigned)campaign_rounds(100, 20000), &t);
        send(s, object, true, good.data, good.size, &t);
    }
    print_message("%u refused, %u taken\n", t.refused, t.taken);
    assert_true(t.refused > 500 && t.taken > OBJECTS);
}

static void test_common_lists(void **state)
{
    const struct stage *s = *state;
    const struct list good = good_common();
    struct tally t = {0};
    for (size_t object = 0; object < OBJECTS; object++) {
        wrong_fields(s, object, false, &good, &t);
        wrong_sizes(s, object, false, &good, &t);
        send(s, object, false, good.data, good.size, &t);
    }
    print_message("%u refused, %u taken\n", t.refused, t.taken);
    assert_true(t.refused > 500 && t.taken > 0);
}

/* Texts that are no texts, or have no NUL, and numbers that have another size. */
static void test_values(void **state)
{
    const struct stage *s = *state;
    static const WCHAR bare[] = {L'a', L'b', L'c', L'd'}, half[] = {L'a', (WCHAR)0xd800, 0},
                       nothing[] = {0};
    static const DWORD texts[] = {CLUSPROP_SYNTAX_LIST_VALUE_SZ,
                                  CLUSPROP_SYNTAX_LIST_VALUE_EXPAND_SZ,
                                  CLUSPROP_SYNTAX_LIST_VALUE_MULTI_SZ};
    struct tally t = {0};
    for (size_t i = 0; i < sizeof(texts) / 4; i++) {
        for (DWORD size = 0; size <= sizeof(bare); size++) {
            struct list l = {0};
            add_dword(&l, 1, true);
            add_property(&l, L"Value", texts[i], bare, size);
            send(s, 3, true, l.data, l.size, &t);
        }
        struct list l = {0};
        add_dword(&l, 1, true);
        add_property(&l, L"Value", texts[i], half, sizeof(half));
        unsigned refused = t.refused;
        send(s, 3, true, l.data, l.size, &t);
        assert_int_equal(t.refused, refused + 1);
    }
    for (DWORD format = 0; format < 32; format++) {
        for (DWORD size = 0; size < 12; size++) {
            struct list l = {0};
            add_dword(&l, 1, true);
            add_property(&l, L"Value", CLUSPROP_SYNTAX_VALUE(CLUSPROP_TYPE_LIST_VALUE, format),
                         "\1\0\0\0\2\0\0\0\3\0\0", size);
            send(s, 2, true, l.data, l.size, &t);
        }
    }
    const LPCWSTR names[] = {nothing, half};
    for (size_t i = 0; i < 2; i++) {
        struct list l = {0};
        add_dword(&l, 1, true);
        add_value(&l, CLUSPROP_SYNTAX_NAME, names[i], i ? sizeof(half) : sizeof(nothing));
        add_value(&l, CLUSPROP_SYNTAX_LIST_VALUE_DWORD, "\1\0\0", 4);
        add_dword(&l, CLUSPROP_SYNTAX_ENDMARK, true);
        unsigned refused = t.refused;
        send(s, 2, true, l.data, l.size, &t);
        assert_int_equal(t.refused, refused + 1);
    }
    stage_mark(*state);
}

/* A list of the most properties, one more, and one larger than an object may have. */
static void test_large_lists(void **state)
{
    const struct stage *s = *state;
    const size_t room = 8u << 20;
    BYTE *data = calloc(1, room);
    HGROUP empty = CreateClusterGroup(s->cluster, L"large");
    assert_non_null(empty);
    for (DWORD count = 4096; count <= 4097; count++) {
        DWORD at = 4;
        memcpy(data, &count, 4);
        for (DWORD i = 0; i < count; i++) {
            struct list one = {0};
            WCHAR name[8] = {L'p'};
            for (int k = 1, n = (int)i; k < 6; k++, n /= 10)
                name[k] = (WCHAR)(L'0' + n % 10);
            add_property(&one, name, CLUSPROP_SYNTAX_LIST_VALUE_DWORD, &i, 4);
            memcpy(data + at, one.data, one.size);
            at += one.size;
        }
        assert_int_equal(ClusterGroupControl(empty, NULL, CLUSCTL_GROUP_SET_PRIVATE_PROPERTIES,
                                             data, at, NULL, 0, NULL),
                         count == 4096 ? ERROR_SUCCESS : ERROR_INVALID_DATA);
    }
    assert_int_equal(DeleteClusterGroup(empty), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(empty));
    struct list l = {0};
    add_dword(&l, 1, true);
    add_property(&l, L"large", CLUSPROP_SYNTAX_LIST_VALUE_BINARY, "", 0);
    const DWORD size = 3u << 20, length_at = l.size - 8;
    memset(data, 0, room);
    memcpy(data, l.data, l.size);
    memcpy(data + length_at, &size, 4);
    ULONGLONG before = 0, after = 0;
    assert_int_equal(ClusportGetRevision(s->cluster, &before), ERROR_SUCCESS);
    assert_int_equal(
        node(s, CLUSCTL_NODE_SET_PRIVATE_PROPERTIES, data, l.size + size, NULL, 0, NULL),
        ERROR_NOT_ENOUGH_QUOTA);
    assert_int_equal(ClusportGetRevision(s->cluster, &after), ERROR_SUCCESS);
    assert_true(before == after);
    free(data);
    stage_mark(*state);
}

/* ---- codes ---- */

/* Every function number there could be, with each way to write the rest of a code. */
static void test_unknown_codes(void **state)
{
    const struct stage *s = *state;
    unsigned unknown = 0;
    BYTE in[8] = {0}, out[4096];
    for (size_t object = 0; object < OBJECTS; object++) {
        for (DWORD bit = 0; bit < 32; bit++) {
            for (DWORD function = 0; function < 160; function += 7) {
                DWORD returned = 7;
                DWORD code = code_for(object, function << 2 | 1) ^ 1u << bit;
                DWORD error =
                    objects[object].control(s, code, in, sizeof(in), out, sizeof(out), &returned);
                bool own = code >> CLUSCTL_OBJECT_SHIFT == objects[object].object;
                unknown += error == ERROR_INVALID_FUNCTION;
                if (!own)
                    assert_int_equal(error, ERROR_INVALID_FUNCTION);
                else if (error != ERROR_INVALID_FUNCTION)
                    assert_true(is_documented(error));
                if (error == ERROR_INVALID_FUNCTION)
                    assert_int_equal(returned, 0);
            }
        }
    }
    assert_true(unknown > 2000);
    stage_mark(*state);
}

/* What a code gives, with every room. */
static void test_rooms_of_codes(void **state)
{
    const struct stage *s = *state;
    static const DWORD functions[] = {CLCTL_GET_NAME,
                                      CLCTL_GET_ID,
                                      CLCTL_GET_CHARACTERISTICS,
                                      CLCTL_GET_FLAGS,
                                      CLCTL_GET_CLASS_INFO,
                                      CLCTL_GET_RESOURCE_TYPE,
                                      CLCTL_GET_REQUIRED_DEPENDENCIES,
                                      CLCTL_GET_NODE,
                                      CLCTL_GET_NETWORK,
                                      CLCTL_GET_FQDN,
                                      CLCTL_ENUM_COMMON_PROPERTIES,
                                      CLCTL_GET_RO_COMMON_PROPERTIES,
                                      CLCTL_GET_COMMON_PROPERTY_FMTS,
                                      CLCTL_ENUM_PRIVATE_PROPERTIES,
                                      CLCTL_GET_RO_PRIVATE_PROPERTIES};
    unsigned known = 0;
    for (size_t i = 0; i < sizeof(functions) / 4; i++) {
        static BYTE whole[1u << 20];
        DWORD needed = 0, code = code_for(3, functions[i]), size = 0;
        DWORD error = resource(s, code, NULL, 0, whole, sizeof(whole), &needed);
        if (error == ERROR_INVALID_FUNCTION)
            continue;
        known++;
        assert_int_equal(error, ERROR_SUCCESS);
        assert_true(needed < 4096);
        assert_int_equal(resource(s, code, NULL, 0, whole, 0xffffffff, &size), ERROR_SUCCESS);
        assert_int_equal(size, needed);
        for (DWORD room = 0; room <= needed + 1; room++) {
            BYTE *exact = malloc(room + 1);
            memset(exact, 0x5a, room + 1);
            error = resource(s, code, NULL, 0, room ? exact : NULL, room, &size);
            assert_int_equal(error, room < needed ? ERROR_MORE_DATA : ERROR_SUCCESS);
            assert_int_equal(size, needed);
            assert_int_equal(exact[room], 0x5a);
            if (error == ERROR_SUCCESS)
                assert_memory_equal(exact, whole, needed);
            else
                assert_int_equal(exact[0], 0x5a);
            free(exact);
        }
    }
    assert_true(known >= 11);
}

static int start(void **state)
{
    *state = stage_start();
    return 0;
}

static int stop(void **state)
{
    stage_stop(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_private_lists), cmocka_unit_test(test_common_lists),
        cmocka_unit_test(test_values),        cmocka_unit_test(test_large_lists),
        cmocka_unit_test(test_unknown_codes), cmocka_unit_test(test_rooms_of_codes),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
