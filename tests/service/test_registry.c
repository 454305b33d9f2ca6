/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <string.h>

#include "base/macro.h"

#define REG_SZ 1u
#define REG_BINARY 3u

static int setup(void **state)
{
    static struct rig rig;
    rig_start(&rig, NULL);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_stop(*state);
    return 0;
}

static struct rpc_context create_key(struct rig *rig, struct rpc_context parent, char *subkey,
                                     uint32_t disposition)
{
    struct cmrp_CreateKey a = {.parent = parent, .subkey = subkey};
    CALL(rig, CreateKey, &a);
    assert_int_equal(a.status, 0);
    assert_int_equal(a.disposition, disposition);
    return a.key;
}

static void root_has_the_instance_id(void **state)
{
    struct cmrp_QueryValue a = {
        .key = root_key(*state), .value_name = "ClusterInstanceID", .data = {.capacity = 256}};
    CALL(*state, QueryValue, &a);
    assert_int_equal(a.result, 0);
    assert_int_equal(a.type, REG_SZ);
    assert_int_equal(a.required, 2 * 37);
}

static void keys_are_made_opened_listed_and_deleted(void **state)
{
    struct rpc_context root = root_key(*state);
    struct rpc_context app = create_key(*state, root, "App", 1);
    create_key(*state, root, "APP", 2);
    create_key(*state, app, "One\\Two", 1);
    struct cmrp_OpenKey open = {.parent = root, .subkey = "app\\one\\two"};
    CALL(*state, OpenKey, &open);
    assert_int_equal(open.status, 0);
    open.subkey = "app\\three";
    CALL(*state, OpenKey, &open);
    assert_int_equal(open.status, ERR_FILE_NOT_FOUND);
    struct cmrp_EnumKey list = {.key = app, .index = 0};
    CALL(*state, EnumKey, &list);
    assert_string_equal(list.name, "One");
    assert_true(list.last_write > 0);
    list.index = 1;
    CALL(*state, EnumKey, &list);
    assert_int_equal(list.result, ERR_NO_MORE_ITEMS);
    struct cmrp_DeleteKey delete = {.key = app, .subkey = "One"};
    CALL(*state, DeleteKey, &delete);
    assert_int_not_equal(delete.result, 0);
    delete.subkey = "One\\Two";
    CALL(*state, DeleteKey, &delete);
    assert_int_equal(delete.result, 0);
    delete.subkey = "One";
    CALL(*state, DeleteKey, &delete);
    assert_int_equal(delete.result, 0);
    struct cmrp_DeleteKey top = {.key = root, .subkey = "App"};
    CALL(*state, DeleteKey, &top);
    assert_int_equal(top.result, 0);
    CALL(*state, EnumKey, &list);
    assert_int_equal(list.result, ERR_KEY_DELETED);
}

static void values_keep_their_bytes(void **state)
{
    struct rpc_context key = create_key(*state, root_key(*state), "Values", 1);
    static const uint8_t bytes[] = {0, 255, 1, 254, 7};
    struct cmrp_SetValue set = {.key = key,
                                .value_name = "Blob",
                                .type = REG_BINARY,
                                .data = {.data = (void *)bytes, .size = sizeof(bytes)}};
    CALL(*state, SetValue, &set);
    assert_int_equal(set.result, 0);
    struct cmrp_QueryValue get = {.key = key, .value_name = "blob", .data = {.capacity = 4}};
    CALL(*state, QueryValue, &get);
    assert_int_equal(get.result, ERR_MORE_DATA);
    assert_int_equal(get.required, sizeof(bytes));
    get.data.capacity = sizeof(bytes);
    CALL(*state, QueryValue, &get);
    assert_int_equal(get.result, 0);
    assert_int_equal(get.type, REG_BINARY);
    assert_memory_equal(get.data.data, bytes, sizeof(bytes));
    struct cmrp_EnumValue list = {.key = key, .data = {.capacity = 2048}};
    CALL(*state, EnumValue, &list);
    assert_int_equal(list.result, 0);
    assert_string_equal(list.value_name, "Blob");
    assert_int_equal(list.total_size, sizeof(bytes));
    struct cmrp_QueryInfoKey info = {.key = key};
    CALL(*state, QueryInfoKey, &info);
    assert_int_equal(info.values, 1);
    assert_int_equal(info.max_value_name_length, 4);
    assert_int_equal(info.max_value_length, sizeof(bytes));
    struct cmrp_DeleteValue delete = {.key = key, .value_name = "Blob"};
    CALL(*state, DeleteValue, &delete);
    assert_int_equal(delete.result, 0);
    CALL(*state, DeleteValue, &delete);
    assert_int_equal(delete.result, ERR_FILE_NOT_FOUND);
    CALL(*state, QueryValue, &get);
    assert_int_equal(get.result, ERR_FILE_NOT_FOUND);
}

static void security_is_kept_by_its_parts(void **state)
{
    struct rpc_context key = create_key(*state, root_key(*state), "Safe", 1);
    struct cmrp_GetKeySecurity get = {.key = key, .security_information = 7};
    CALL(*state, GetKeySecurity, &get);
    assert_int_equal(get.result, ERR_INSUFFICIENT_BUFFER);
    uint32_t whole = get.descriptor.size;
    get.descriptor = (struct rpc_bytes){.capacity = whole};
    CALL(*state, GetKeySecurity, &get);
    assert_int_equal(get.result, 0);
    assert_int_equal(get.descriptor.size, whole);
    /* Everyone (S-1-1-0) becomes the owner; group and DACL stay. */
    static const uint8_t owner[] = {1, 0, 0, 0x80, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                    0, 0, 0, 0,    1,  1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    struct cmrp_SetKeySecurity set = {
        .key = key,
        .security_information = 1,
        .descriptor = {.data = (void *)owner, .size = sizeof(owner), .capacity = sizeof(owner)}};
    CALL(*state, SetKeySecurity, &set);
    assert_int_equal(set.result, 0);
    get = (struct cmrp_GetKeySecurity){
        .key = key, .security_information = 1, .descriptor = {.capacity = 512}};
    CALL(*state, GetKeySecurity, &get);
    assert_int_equal(get.descriptor.size, sizeof(owner));
    assert_memory_equal((uint8_t *)get.descriptor.data + 20, owner + 20, 12);
    get.security_information = 7;
    get.descriptor = (struct rpc_bytes){.capacity = 512};
    CALL(*state, GetKeySecurity, &get);
    assert_int_equal(get.descriptor.size, whole - 4);
    static const uint8_t broken[20] = {1, 0, 0, 0x80, 200};
    set.descriptor =
        (struct rpc_bytes){.data = (void *)broken, .size = sizeof(broken), .capacity = 20};
    CALL(*state, SetKeySecurity, &set);
    assert_int_equal(set.result, ERR_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_has_the_instance_id),
        cmocka_unit_test(keys_are_made_opened_listed_and_deleted),
        cmocka_unit_test(values_keep_their_bytes),
        cmocka_unit_test(security_is_kept_by_its_parts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
