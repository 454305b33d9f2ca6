/* SPDX-License-Identifier: MIT */
#include "badinput/stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Registry contents of every odd kind: refused with the documented code, or kept, given back and
 * told to everybody as they are. The witness, whose WCHARs have 32 bits, gets past each of them. */

#define LARGEST (1u << 20)

static HCHANGE listen(const struct stage *s)
{
    const CLUSPORT_FILTER filter = {
        .cbSize = sizeof(filter), .pszKinds = "registry.value", .hObject = s->key};
    HCHANGE port = NULL;
    assert_int_equal(ClusportCreatePort(s->cluster, &filter, 1, NULL, &port), ERROR_SUCCESS);
    return port;
}

/* The port's next event has these data as the new value. */
static void told(HCHANGE port, LPCWSTR name, DWORD type, const void *data, DWORD size)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    assert_int_equal(ClusportGetNotification(port, 0, &n), ERROR_SUCCESS);
    assert_int_equal(lstrcmpW(n->pszParentId, name), 0);
    assert_int_equal(n->NewValue.dwKind, ClusportValueRegistry);
    assert_int_equal(n->NewValue.dwNumber, type);
    assert_int_equal(n->NewValue.cbData, size);
    if (size > 0)
        assert_memory_equal(n->NewValue.pData, data, size);
    ClusportFreeNotification(n);
}

static void told_nothing(HCHANGE port)
{
    CLUSPORT_NOTIFICATION *n = NULL;
    assert_int_equal(ClusportGetNotification(port, 0, &n), WAIT_TIMEOUT);
    assert_null(n);
}

/* Set, and then found by each way of looking. */
static void kept(const struct stage *s, HCHANGE port, LPCWSTR name, DWORD type, const void *data,
                 DWORD size)
{
    static BYTE got[LARGEST * 2 + 1];
    DWORD got_type = 0, got_size = sizeof(got);
    assert_int_equal(ClusterRegSetValue(s->key, name, type, data, size), ERROR_SUCCESS);
    told(port, name, type, data, size);
    assert_int_equal(ClusterRegQueryValue(s->key, name, &got_type, got, &got_size), ERROR_SUCCESS);
    assert_int_equal(got_type, type);
    assert_int_equal(got_size, size);
    if (size > 0)
        assert_memory_equal(got, data, size);
    if (size > 0) {
        got_size = size - 1;
        memset(got, 0x5a, size);
        assert_int_equal(ClusterRegQueryValue(s->key, name, NULL, got, &got_size), ERROR_MORE_DATA);
        assert_int_equal(got_size, size);
        for (DWORD i = 0; i < size; i++)
            assert_int_equal(got[i], 0x5a);
    }
}

static const WCHAR letters[] = L"abcdefgh";

static void test_odd_sizes(void **state)
{
    const struct stage *s = *state;
    static const DWORD types[] = {REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ};
    HCHANGE port = listen(s);
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        for (DWORD size = 1; size < sizeof(letters); size++) {
            if (sizeof(WCHAR) == 2 || size % sizeof(WCHAR) == 0)
                kept(s, port, L"odd", types[t], letters, size);
            else
                assert_int_equal(
                    ClusterRegSetValue(s->key, L"odd", types[t], (const BYTE *)letters, size),
                    ERROR_INVALID_PARAMETER);
        }
        kept(s, port, L"odd", types[t], NULL, 0);
    }
    told_nothing(port);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_no_texts(void **state)
{
    const struct stage *s = *state;
    const WCHAR texts[][3] = {{(WCHAR)0xd800, L'a', 0}, {L'a', (WCHAR)0xdfff, 0}, {(WCHAR)0xd83d}};
    HCHANGE port = listen(s);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (sizeof(WCHAR) == 2)
            kept(s, port, L"no text", REG_SZ, texts[i], sizeof(texts[i]));
        else
            assert_int_equal(ClusterRegSetValue(s->key, L"no text", REG_SZ, (const BYTE *)texts[i],
                                                sizeof(texts[i])),
                             ERROR_INVALID_PARAMETER);
    }
    told_nothing(port);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_types_and_sizes(void **state)
{
    const struct stage *s = *state;
    static const DWORD types[] = {REG_NONE,   REG_BINARY, REG_DWORD,        REG_DWORD_BIG_ENDIAN,
                                  REG_LINK,   8,          REG_QWORD,        12,
                                  0x7fffffff, 0x80000000, (DWORD)0xffffffff};
    HCHANGE port = listen(s);
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
        for (DWORD size = 1; size < 10; size++)
            kept(s, port, L"typed", types[t], letters, size);
    assert_true(CloseClusterNotifyPort(port));
}

static void test_large_values(void **state)
{
    const struct stage *s = *state;
    HCHANGE port = listen(s);
    BYTE *data = calloc(1, LARGEST * 2 + 4);
    assert_non_null(data);
    for (size_t i = 0; i < LARGEST * 2; i++)
        data[i] = (BYTE)(i * 7);
    kept(s, port, L"large", REG_BINARY, data, LARGEST);
    assert_int_equal(ClusterRegSetValue(s->key, L"large", REG_BINARY, data, LARGEST + 1),
                     ERROR_INVALID_PARAMETER);
    memset(data, 0, LARGEST * 2 + 4);
    const DWORD most = LARGEST / 2 * sizeof(WCHAR);
    kept(s, port, L"large", REG_SZ, data, most);
    assert_int_equal(ClusterRegSetValue(s->key, L"large", REG_SZ, data, most + sizeof(WCHAR)),
                     ERROR_INVALID_PARAMETER);
    free(data);

    /* Sizes near the end of a DWORD, with memory for them. */
    const size_t huge = 0xffffffff;
    data = mmap(NULL, huge, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(data, MAP_FAILED);
    for (DWORD back = 0; back < 5; back++) {
        assert_int_equal(ClusterRegSetValue(s->key, L"huge", REG_BINARY, data, 0xffffffff - back),
                         ERROR_INVALID_PARAMETER);
        assert_int_equal(ClusterRegSetValue(s->key, L"huge", REG_SZ, data, 0xfffffffc - 4 * back),
                         ERROR_INVALID_PARAMETER);
        assert_int_equal(ClusterGroupControl(s->group, NULL, CLUSCTL_GROUP_SET_PRIVATE_PROPERTIES,
                                             data, 0xffffffff - back, NULL, 0, NULL),
                         ERROR_INVALID_PARAMETER);
    }
    /* Just over what a request takes: refused here, and the connection is kept. An empty list for
     * 32-bit WCHARs stays one, whatever comes behind it. */
    assert_int_equal(ClusterGroupControl(s->group, NULL, CLUSCTL_GROUP_SET_PRIVATE_PROPERTIES, data,
                                         (16u << 20) + 4, NULL, 0, NULL),
                     sizeof(WCHAR) == 2 ? ERROR_INVALID_PARAMETER : ERROR_SUCCESS);
    munmap(data, huge);
    told_nothing(port);
    assert_int_equal(ClusterRegDeleteValue(s->key, L"large"), ERROR_SUCCESS);
    assert_true(CloseClusterNotifyPort(port));
}

/* ---- names ---- */

static WCHAR *of_length(size_t length)
{
    static WCHAR text[40000];
    for (size_t i = 0; i < length; i++)
        text[i] = L'n';
    text[length] = 0;
    return text;
}

static LONG create(HKEY parent, LPCWSTR name)
{
    HKEY key = NULL;
    LONG error = ClusterRegCreateKey(parent, name, 0, KEY_READ, NULL, &key, NULL);
    assert_int_equal(error == ERROR_SUCCESS, key != NULL);
    if (key)
        ClusterRegCloseKey(key);
    return error;
}

static void test_names(void **state)
{
    const struct stage *s = *state;
    static const LPCWSTR malformed[] = {L"\\",   L"\\a",    L"a\\",   L"a\\\\b",
                                        L"\\\\", L"a\\b\\", L"\\a\\b"};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        assert_int_equal(create(s->key, malformed[i]), ERROR_INVALID_NAME);
        HKEY key = NULL;
        assert_int_equal(ClusterRegOpenKey(s->key, malformed[i], KEY_READ, &key),
                         ERROR_FILE_NOT_FOUND);
        assert_int_equal(ClusterRegDeleteKey(s->key, malformed[i]), ERROR_FILE_NOT_FOUND);
    }
    assert_int_equal(create(s->key, of_length(255)), ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteKey(s->key, of_length(255)), ERROR_SUCCESS);
    assert_int_equal(create(s->key, of_length(256)), ERROR_INVALID_NAME);
    assert_int_equal(create(s->key, of_length(33000)), ERROR_INVALID_NAME);

    BYTE byte = 1;
    assert_int_equal(ClusterRegSetValue(s->key, of_length(16383), REG_BINARY, &byte, 1),
                     ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteValue(s->key, of_length(16383)), ERROR_SUCCESS);
    assert_int_equal(ClusterRegSetValue(s->key, of_length(16384), REG_BINARY, &byte, 1),
                     ERROR_INVALID_NAME);
}

static void test_names_in_another_case(void **state)
{
    const struct stage *s = *state;
    DWORD first = 1, second = 2, got = 0, size = sizeof(got);
    HKEY key = NULL;
    assert_int_equal(create(s->key, L"CaSe\\\u00c4"), ERROR_SUCCESS);
    assert_int_equal(ClusterRegOpenKey(s->key, L"cAsE\\\u00e4", KEY_READ, &key), ERROR_SUCCESS);
    assert_int_equal(ClusterRegSetValue(key, L"W\u00d6RT", REG_DWORD, (BYTE *)&first, 4), 0);
    assert_int_equal(ClusterRegSetValue(key, L"w\u00f6rt", REG_DWORD, (BYTE *)&second, 4), 0);
    assert_int_equal(ClusterRegQueryValue(key, L"W\u00f6Rt", NULL, (BYTE *)&got, &size), 0);
    assert_int_equal(got, 2);
    DWORD values = 0;
    assert_int_equal(ClusterRegQueryInfoKey(key, NULL, NULL, &values, NULL, NULL, NULL, NULL), 0);
    assert_int_equal(values, 1);
    ClusterRegCloseKey(key);
    assert_int_equal(ClusterRegDeleteKey(s->key, L"case\\\u00e4"), ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteKey(s->key, L"CASE"), ERROR_SUCCESS);

    assert_null(CreateClusterGroup(s->cluster, L"STAGE"));
    assert_int_equal(GetLastError(), ERROR_OBJECT_ALREADY_EXISTS);
    assert_null(CreateClusterResource(s->group, L"sTaGe", L"OCF:heartbeat:Dummy", 0));
    assert_int_equal(GetLastError(), ERROR_OBJECT_ALREADY_EXISTS);
    assert_int_equal(
        CreateClusterResourceType(s->cluster, L"PHYSICAL DISK", NULL, L"ocf:heartbeat:Dummy", 0, 0),
        ERROR_ALREADY_EXISTS);
    HGROUP same = OpenClusterGroup(s->cluster, L"sTAGe");
    assert_non_null(same);
    assert_true(CloseClusterGroup(same));
}

/* A key that is too deep through a handle on the way is refused as one by its whole path is. */
static void test_depth_through_handles(void **state)
{
    const struct stage *s = *state;
    HKEY keys[200] = {s->key};
    size_t depth = 0;
    LONG error = ERROR_SUCCESS;
    while (error == ERROR_SUCCESS && depth < 199) {
        error = ClusterRegCreateKey(keys[depth], of_length(255), 0, KEY_READ, NULL,
                                    &keys[depth + 1], NULL);
        if (error == ERROR_SUCCESS)
            depth++;
    }
    assert_int_equal(error, ERROR_INVALID_NAME);
    assert_int_equal(depth, (32767 - 5) / 256);
    for (; depth > 0; depth--) {
        assert_int_equal(ClusterRegDeleteKey(keys[depth - 1], of_length(255)), ERROR_SUCCESS);
        assert_int_equal(ClusterRegCloseKey(keys[depth]), ERROR_SUCCESS);
    }
}

/* ---- enumerations and descriptors ---- */

static void test_indices(void **state)
{
    const struct stage *s = *state;
    static const DWORD indices[] = {1000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    WCHAR name[64];
    CLUSPORT_KIND kind;
    for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
        DWORD at = indices[i], cch = 64;
        assert_int_equal(ClusterRegEnumKey(s->key, at, name, &cch, NULL), ERROR_NO_MORE_ITEMS);
        assert_int_equal(ClusterRegEnumValue(s->key, at, name, &cch, NULL, NULL, NULL),
                         ERROR_NO_MORE_ITEMS);
        assert_int_equal(ClusterEnum(good_handle(s, KIND_CLUSTER_ENUM), at, NULL, name, &cch),
                         ERROR_NO_MORE_ITEMS);
        assert_int_equal(ClusterNodeEnum(good_handle(s, KIND_NODE_ENUM), at, NULL, name, &cch),
                         ERROR_NO_MORE_ITEMS);
        assert_int_equal(ClusterGroupEnum(good_handle(s, KIND_GROUP_ENUM), at, NULL, name, &cch),
                         ERROR_NO_MORE_ITEMS);
        assert_int_equal(
            ClusterResourceEnum(good_handle(s, KIND_RESOURCE_ENUM), at, NULL, name, &cch),
            ERROR_NO_MORE_ITEMS);
        assert_int_equal(
            ClusterResourceTypeEnum(good_handle(s, KIND_TYPE_ENUM), at, NULL, name, &cch),
            ERROR_NO_MORE_ITEMS);
        assert_int_equal(
            ClusterNetworkEnum(good_handle(s, KIND_NETWORK_ENUM), at, NULL, name, &cch),
            ERROR_NO_MORE_ITEMS);
        assert_int_equal(ClusportEnumKinds(at, &kind), ERROR_NO_MORE_ITEMS);
        assert_int_equal(cch, 64);
    }
}

static void test_descriptors(void **state)
{
    const struct stage *s = *state;
    const SECURITY_INFORMATION all = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    struct {
        SECURITY_DESCRIPTOR_RELATIVE head;
        BYTE rest[64];
    } wrong[] = {
        {{.Revision = 2, .Control = 0x8000}, {0}},
        {{.Revision = 1, .Control = 0}, {0}},                           /* not self-relative */
        {{.Revision = 1, .Control = 0x8000, .Owner = 4}, {0}},          /* in the head itself */
        {{.Revision = 1, .Control = 0x8000, .Owner = 0xffffffff}, {0}}, /* far away */
        {{.Revision = 1, .Control = 0x8000, .Owner = 20}, {9}},         /* no SID */
        {{.Revision = 1, .Control = 0x8000, .Owner = 20}, {1, 255}},    /* too many parts */
        {{.Revision = 1, .Control = 0x8004, .Dacl = 20}, {2, 0, 4}},    /* smaller than its head */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        SECURITY_ATTRIBUTES attributes = {sizeof(attributes), &wrong[i], FALSE};
        HKEY key = NULL;
        LONG created = ClusterRegCreateKey(s->key, L"secure", 0, KEY_READ, &attributes, &key, NULL);
        assert_true(created == ERROR_INVALID_PARAMETER || created == ERROR_NOT_SUPPORTED);
        assert_null(key);
        assert_int_equal(ClusterRegSetKeySecurity(s->key, all, &wrong[i]), ERROR_INVALID_PARAMETER);
    }
    SECURITY_DESCRIPTOR_RELATIVE right = {.Revision = 1, .Control = 0x8000};
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), &right, FALSE};
    HKEY key = NULL;
    assert_int_equal(ClusterRegCreateKey(s->key, L"secure", 0, KEY_READ, &attributes, &key, NULL),
                     ERROR_NOT_SUPPORTED);
    assert_int_equal(create(s->key, L"secure"), ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteKey(s->key, L"secure"), ERROR_SUCCESS);
    assert_int_equal(ClusterRegCreateKey(s->key, L"v", 0xfffffff1, KEY_READ, NULL, &key, NULL),
                     ERROR_INVALID_PARAMETER);

    BYTE room[256];
    DWORD needed = 0, size = 0;
    assert_int_equal(ClusterRegGetKeySecurity(s->key, all, NULL, &needed),
                     ERROR_INSUFFICIENT_BUFFER);
    for (DWORD i = 0; i < needed; i++) {
        BYTE *exact = malloc(i + 1);
        memset(exact, 0x5a, i + 1);
        size = i;
        assert_int_equal(ClusterRegGetKeySecurity(s->key, all, exact, &size),
                         ERROR_INSUFFICIENT_BUFFER);
        assert_int_equal(size, needed);
        assert_int_equal(exact[i], 0x5a);
        free(exact);
    }
    size = sizeof(room);
    assert_int_equal(ClusterRegGetKeySecurity(s->key, all, room, &size), ERROR_SUCCESS);
    assert_int_equal(size, needed);
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
        cmocka_unit_test(test_odd_sizes),
        cmocka_unit_test(test_no_texts),
        cmocka_unit_test(test_types_and_sizes),
        cmocka_unit_test(test_large_values),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_in_another_case),
        cmocka_unit_test(test_depth_through_handles),
        cmocka_unit_test(test_indices),
        cmocka_unit_test(test_descriptors),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
