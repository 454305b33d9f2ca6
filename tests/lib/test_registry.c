/* SPDX-License-Identifier: MIT */
#include "lib/support.h"

#include <stdlib.h>
#include <string.h>

static HKEY root;

static int open_root(void **state)
{
    if (start_service(state) < 0)
        return -1;
    root = GetClusterKey(cluster, KEY_ALL_ACCESS);
    return root ? 0 : -1;
}

static int close_root(void **state)
{
    ClusterRegCloseKey(root);
    return stop_service(state);
}

static HKEY make_key(LPCWSTR path)
{
    HKEY key = NULL;
    DWORD disposition = 0;
    assert_int_equal(ClusterRegCreateKey(root, path, REG_OPTION_NON_VOLATILE, KEY_ALL_ACCESS, NULL,
                                         &key, &disposition),
                     ERROR_SUCCESS);
    assert_int_equal(disposition, REG_CREATED_NEW_KEY);
    return key;
}

static void keys(void **state)
{
    (void)state;
    HKEY key = make_key(L"Keys\\Deep"), same = NULL, parent = NULL;
    DWORD disposition = 0;
    assert_int_equal(
        ClusterRegCreateKey(root, L"keys\\deep", 0, KEY_READ, NULL, &same, &disposition),
        ERROR_SUCCESS);
    assert_int_equal(disposition, REG_OPENED_EXISTING_KEY);
    assert_int_equal(ClusterRegCloseKey(same), ERROR_SUCCESS);
    assert_int_equal(ClusterRegCloseKey(same), ERROR_INVALID_HANDLE);

    assert_int_equal(ClusterRegOpenKey(root, L"Keys", KEY_READ, &parent), ERROR_SUCCESS);
    assert_int_equal(ClusterRegOpenKey(parent, L"Deep", KEY_READ, &same), ERROR_SUCCESS);
    ClusterRegCloseKey(same);
    assert_int_equal(ClusterRegOpenKey(parent, L"", KEY_READ, &same), ERROR_SUCCESS);
    ClusterRegCloseKey(same);
    assert_int_equal(ClusterRegOpenKey(parent, L"None", KEY_READ, &same), ERROR_FILE_NOT_FOUND);
    assert_int_equal(ClusterRegOpenKey(parent, NULL, KEY_READ, &same), ERROR_INVALID_PARAMETER);
    assert_int_equal(ClusterRegOpenKey(parent, L"Deep", KEY_READ, NULL), ERROR_INVALID_PARAMETER);
    assert_int_equal(
        ClusterRegCreateKey(root, L"v", REG_OPTION_VOLATILE, KEY_READ, NULL, &same, NULL),
        ERROR_INVALID_PARAMETER);

    assert_int_equal(ClusterRegDeleteKey(root, L"Keys"), ERROR_DIR_NOT_EMPTY);
    assert_int_equal(ClusterRegDeleteKey(parent, L"Deep"), ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteKey(parent, L"Deep"), ERROR_FILE_NOT_FOUND);
    assert_int_equal(ClusterRegSetValue(key, L"v", REG_DWORD, (const BYTE *)"1234", 4),
                     ERROR_KEY_DELETED);
    assert_int_equal(ClusterRegOpenKey(key, L"x", KEY_READ, &same), ERROR_KEY_DELETED);
    ClusterRegCloseKey(key);
    ClusterRegCloseKey(parent);
    assert_int_equal(ClusterRegDeleteKey(root, L"Keys"), ERROR_SUCCESS);
    assert_fails(GetClusterKey(NULL, KEY_READ), ERROR_INVALID_HANDLE);
}

static DWORD first_key(void *context, LPWSTR buffer, LPDWORD cch)
{
    FILETIME written = {0};
    DWORD error = (DWORD)ClusterRegEnumKey(context, 0, buffer, cch, &written);
    if (error == ERROR_SUCCESS)
        assert_int_not_equal(written.dwHighDateTime, 0);
    return error;
}

static void enumerating_keys(void **state)
{
    (void)state;
    HKEY key = make_key(L"Enum"), child = make_key(L"Enum\\W\u00f6rter\U0001f600");
    check_text(first_key, key, L"W\u00f6rter\U0001f600");
    WCHAR name[64];
    DWORD cch = 64;
    assert_int_equal(ClusterRegEnumKey(key, 1, name, &cch, NULL), ERROR_NO_MORE_ITEMS);
    ClusterRegCloseKey(child);
    ClusterRegCloseKey(key);
}

/* Sizes are those of the program's own form, whatever the width of its texts. */
static void check_value(HKEY key, LPCWSTR name, DWORD type, const void *data, DWORD size)
{
    BYTE buffer[8192];
    DWORD got_type = 99, got = sizeof(buffer);
    assert_int_equal(ClusterRegSetValue(key, name, type, data, size), ERROR_SUCCESS);
    assert_int_equal(ClusterRegQueryValue(key, name, &got_type, buffer, &got), ERROR_SUCCESS);
    assert_int_equal(got_type, type);
    assert_int_equal(got, size);
    if (size > 0)
        assert_memory_equal(buffer, data, size);

    got = 0;
    assert_int_equal(ClusterRegQueryValue(key, name, NULL, NULL, &got), ERROR_SUCCESS);
    assert_int_equal(got, size);
    if (size > 0) {
        got = size - 1;
        assert_int_equal(ClusterRegQueryValue(key, name, NULL, buffer, &got), ERROR_MORE_DATA);
        assert_int_equal(got, size);
        assert_int_equal(ClusterRegQueryValue(key, name, NULL, buffer, &got), ERROR_SUCCESS);
    }
    assert_int_equal(ClusterRegQueryValue(key, name, &got_type, NULL, NULL), ERROR_SUCCESS);
    assert_int_equal(ClusterRegQueryValue(key, name, NULL, buffer, NULL), ERROR_INVALID_PARAMETER);
}

static void values(void **state)
{
    (void)state;
    HKEY key = make_key(L"Values");
    static const WCHAR text[] = L"a\u00e4\U0001f600", multi[] = L"one\0two\0";
    const DWORD number = 0x12345678;
    check_value(key, L"text", REG_SZ, text, sizeof(text));
    check_value(key, L"expand", REG_EXPAND_SZ, text, sizeof(text));
    check_value(key, L"multi", REG_MULTI_SZ, multi, sizeof(multi));
    check_value(key, L"number", REG_DWORD, &number, sizeof(number));
    check_value(key, L"odd", REG_BINARY, "abc", 3);
    check_value(key, L"empty", REG_BINARY, NULL, 0);
    check_value(key, L"", REG_SZ, text, sizeof(text));

    BYTE data[64];
    DWORD size = sizeof(data);
    assert_int_equal(ClusterRegQueryValue(key, L"none", NULL, data, &size), ERROR_FILE_NOT_FOUND);
    assert_int_equal(ClusterRegDeleteValue(key, L"odd"), ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteValue(key, L"odd"), ERROR_FILE_NOT_FOUND);
    assert_int_equal(ClusterRegDeleteValue(key, NULL), ERROR_INVALID_PARAMETER);
    assert_int_equal(ClusterRegSetValue(key, NULL, REG_SZ, NULL, 0), ERROR_INVALID_PARAMETER);
    assert_int_equal(ClusterRegSetValue(key, L"x", REG_BINARY, NULL, 4), ERROR_INVALID_PARAMETER);
    if (sizeof(WCHAR) == 4)
        assert_int_equal(ClusterRegSetValue(key, L"x", REG_SZ, data, 3), ERROR_INVALID_PARAMETER);
    assert_int_equal(ClusterRegQueryValue(NULL, L"x", NULL, data, &size), ERROR_INVALID_HANDLE);
    ClusterRegCloseKey(key);
}

static void a_large_value(void **state)
{
    (void)state;
    HKEY key = make_key(L"Large");
    const DWORD count = 50000, bytes = count * sizeof(WCHAR);
    WCHAR *text = calloc(count, sizeof(WCHAR)), *got = calloc(count, sizeof(WCHAR));
    for (DWORD i = 0; i < count - 1; i++)
        text[i] = (WCHAR)(L'a' + i % 26);
    assert_int_equal(ClusterRegSetValue(key, L"v", REG_SZ, (const BYTE *)text, bytes),
                     ERROR_SUCCESS);
    DWORD size = bytes - 1, cch = 8, type = 0;
    WCHAR name[8];
    assert_int_equal(ClusterRegQueryValue(key, L"v", NULL, (BYTE *)got, &size), ERROR_MORE_DATA);
    assert_int_equal(size, bytes);
    assert_int_equal(ClusterRegQueryValue(key, L"v", NULL, (BYTE *)got, &size), ERROR_SUCCESS);
    assert_memory_equal(got, text, bytes);
    size = bytes;
    memset(got, 0, bytes);
    assert_int_equal(ClusterRegEnumValue(key, 0, name, &cch, &type, (BYTE *)got, &size),
                     ERROR_SUCCESS);
    assert_memory_equal(got, text, bytes);
    free(text);
    free(got);
    ClusterRegCloseKey(key);
}

static DWORD first_value(void *context, LPWSTR buffer, LPDWORD cch)
{
    DWORD type = 0;
    return ClusterRegEnumValue(context, 0, buffer, cch, &type, NULL, NULL);
}

static void enumerating_values(void **state)
{
    (void)state;
    HKEY key = make_key(L"EnumValues");
    static const WCHAR text[] = L"text";
    ClusterRegSetValue(key, L"first", REG_SZ, (const BYTE *)text, sizeof(text));
    ClusterRegSetValue(key, L"second", REG_BINARY, (const BYTE *)"xyz", 3);
    check_text(first_value, key, L"first");

    WCHAR name[16], data[16];
    DWORD cch = 16, type = 0, size = sizeof(data);
    assert_int_equal(ClusterRegEnumValue(key, 0, name, &cch, &type, (BYTE *)data, &size),
                     ERROR_SUCCESS);
    assert_int_equal(type, REG_SZ);
    assert_int_equal(size, sizeof(text));
    assert_wide_equal(data, text);
    cch = 16;
    size = 1;
    assert_int_equal(ClusterRegEnumValue(key, 0, name, &cch, &type, (BYTE *)data, &size),
                     ERROR_MORE_DATA);
    assert_int_equal(size, sizeof(text));
    cch = 16;
    assert_int_equal(ClusterRegEnumValue(key, 2, name, &cch, &type, NULL, NULL),
                     ERROR_NO_MORE_ITEMS);
    assert_int_equal(ClusterRegEnumValue(key, 0, name, &cch, &type, (BYTE *)data, NULL),
                     ERROR_INVALID_PARAMETER);
    ClusterRegCloseKey(key);
}

static void information(void **state)
{
    (void)state;
    HKEY key = make_key(L"Info"), child = make_key(L"Info\\Longer");
    static const WCHAR text[] = L"four";
    ClusterRegSetValue(key, L"name", REG_SZ, (const BYTE *)text, sizeof(text));
    ClusterRegSetValue(key, L"n", REG_BINARY, (const BYTE *)"abc", 3);
    DWORD subkeys = 0, subkey_length = 0, values = 0, name_length = 0, largest = 0, security = 0;
    FILETIME written = {0};
    assert_int_equal(ClusterRegQueryInfoKey(key, &subkeys, &subkey_length, &values, &name_length,
                                            &largest, &security, &written),
                     ERROR_SUCCESS);
    assert_int_equal(subkeys, 1);
    assert_int_equal(subkey_length, 6);
    assert_int_equal(values, 2);
    assert_int_equal(name_length, 4);
    assert_int_equal(largest, sizeof(text));
    assert_true(security > 20);
    assert_int_not_equal(written.dwHighDateTime, 0);
    assert_int_equal(ClusterRegQueryInfoKey(key, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
                     ERROR_SUCCESS);
    ClusterRegCloseKey(child);
    ClusterRegCloseKey(key);
}

static void security(void **state)
{
    (void)state;
    HKEY key = make_key(L"Secure");
    const SECURITY_INFORMATION parts =
        OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    DWORD size = 0;
    assert_int_equal(ClusterRegGetKeySecurity(key, parts, NULL, &size), ERROR_INSUFFICIENT_BUFFER);
    assert_true(size > 20);
    BYTE *descriptor = calloc(1, size), *again = calloc(1, size);
    DWORD room = size - 1;
    assert_int_equal(ClusterRegGetKeySecurity(key, parts, descriptor, &room),
                     ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(room, size);
    assert_int_equal(ClusterRegGetKeySecurity(key, parts, descriptor, &room), ERROR_SUCCESS);
    assert_int_equal(ClusterRegSetKeySecurity(key, parts, descriptor), ERROR_SUCCESS);
    assert_int_equal(ClusterRegGetKeySecurity(key, parts, again, &room), ERROR_SUCCESS);
    assert_memory_equal(again, descriptor, size);
    descriptor[0] = 9;
    assert_int_equal(ClusterRegSetKeySecurity(key, parts, descriptor), ERROR_INVALID_PARAMETER);
    assert_int_equal(ClusterRegSetKeySecurity(key, parts, NULL), ERROR_INVALID_PARAMETER);
    assert_int_equal(ClusterRegGetKeySecurity(key, parts, descriptor, NULL),
                     ERROR_INVALID_PARAMETER);
    free(descriptor);
    free(again);
    ClusterRegCloseKey(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(enumerating_keys),
        cmocka_unit_test(values),
        cmocka_unit_test(a_large_value),
        cmocka_unit_test(enumerating_values),
        cmocka_unit_test(information),
        cmocka_unit_test(security),
    };
    return cmocka_run_group_tests(tests, open_root, close_root);
}
