/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <string.h>

#include "base/macro.h"
#include "base/text.h"

#define DUMMY "ocf:heartbeat:Dummy"
#define RESOURCE_STATE_FLAG 0x100u
#define ONLINE 2u
#define OFFLINE 3u

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

static void cluster_tells_its_names(void **state)
{
    struct cmrp_GetClusterName a = {0};
    CALL(*state, GetClusterName, &a);
    assert_int_equal(a.result, 0);
    assert_string_equal(a.cluster_name, "testcluster");
    assert_string_equal(a.node_name, "node1");
    struct cmrp_GetClusterVersion2 v = {0};
    CALL(*state, GetClusterVersion2, &v);
    assert_int_equal(v.version_info.size, 20);
    assert_string_equal(v.vendor_id, "ClusPort");
    struct cmrp_GetClusterVersion old = {0};
    CALL(*state, GetClusterVersion, &old);
    assert_int_equal(old.result, ERR_CALL_NOT_IMPLEMENTED);
}

static void node_is_up_and_resume_says_it_was_not_paused(void **state)
{
    struct cmrp_OpenNode open = {.name = "NODE1"};
    CALL(*state, OpenNode, &open);
    assert_int_equal(open.status, 0);
    struct cmrp_GetNodeState get = {.node = open.node};
    CALL(*state, GetNodeState, &get);
    assert_int_equal(get.state, 0);
    struct cmrp_ResumeNode resume = {.node = open.node};
    CALL(*state, ResumeNode, &resume);
    assert_int_equal(resume.result, ERR_CLUSTER_NODE_NOT_PAUSED);
    struct cmrp_PauseNode pause = {.node = open.node};
    CALL(*state, PauseNode, &pause);
    assert_int_equal(pause.result, 0);
    CALL(*state, GetNodeState, &get);
    assert_int_equal(get.state, 2);
    CALL(*state, ResumeNode, &resume);
    assert_int_equal(resume.result, 0);
    struct cmrp_GetNodeId id = {.node = open.node};
    CALL(*state, GetNodeId, &id);
    assert_string_equal(id.id, "1");
}

static void what_is_not_there_has_its_own_error(void **state)
{
    char *names[] = {"", "no such thing"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct cmrp_OpenResource resource = {.name = names[i]};
        CALL(*state, OpenResource, &resource);
        assert_int_equal(resource.status, ERR_RESOURCE_NOT_FOUND);
        assert_int_equal(resource.rpc_status, 0);
        struct cmrp_OpenGroup group = {.name = names[i]};
        CALL(*state, OpenGroup, &group);
        assert_int_equal(group.status, ERR_GROUP_NOT_FOUND);
        struct cmrp_OpenNode node = {.name = names[i]};
        CALL(*state, OpenNode, &node);
        assert_int_equal(node.status, ERR_CLUSTER_NODE_NOT_FOUND);
        struct cmrp_OpenNetwork network = {.name = names[i]};
        CALL(*state, OpenNetwork, &network);
        assert_int_equal(network.status, ERR_CLUSTER_NETWORK_NOT_FOUND);
        struct cmrp_OpenNetInterface interface = {.name = names[i]};
        CALL(*state, OpenNetInterface, &interface);
        assert_int_equal(interface.status, ERR_CLUSTER_NETINTERFACE_NOT_FOUND);
    }
}

static void group_lives_under_its_name_and_id(void **state)
{
    struct rpc_context group = create_group(*state, "Store");
    assert_int_equal(create_group_code(*state, "STORE"), ERR_OBJECT_ALREADY_EXISTS);
    struct cmrp_GetGroupId id = {.group = group};
    CALL(*state, GetGroupId, &id);
    assert_int_equal(strlen(id.id), 36);
    assert_int_equal(group_code(*state, id.id), 0);
    struct cmrp_SetGroupName rename = {.group = group, .name = "Shop"};
    CALL(*state, SetGroupName, &rename);
    assert_int_equal(rename.result, 0);
    assert_int_equal(group_code(*state, "Store"), ERR_GROUP_NOT_FOUND);
    struct cmrp_GetGroupState get = {.group = group};
    CALL(*state, GetGroupState, &get);
    assert_int_equal(get.state, 1);
    assert_string_equal(get.node_name, "node1");
    struct cmrp_DeleteGroup delete = {.group = group};
    CALL(*state, DeleteGroup, &delete);
    assert_int_equal(delete.result, 0);
    CALL(*state, GetGroupState, &get);
    assert_int_equal(get.result, ERR_GROUP_NOT_AVAILABLE);
    struct cmrp_CloseGroup close = {.group = group};
    CALL(*state, CloseGroup, &close);
    assert_int_equal(close.result, 0);
}

static void resource_runs_on_its_agent(void **state)
{
    struct rpc_context port = create_port(*state, RESOURCE_STATE_FLAG, 7);
    struct rpc_context group = create_group(*state, "Work");
    struct rpc_context dummy = create_resource(*state, group, "Dummy", DUMMY);
    struct cmrp_OnlineResource online = {.resource = dummy};
    CALL(*state, OnlineResource, &online);
    assert_int_equal(online.result, ERR_IO_PENDING);
    wait_resource_state(*state, port, dummy, ONLINE);
    struct cmrp_DeleteResource delete = {.resource = dummy};
    CALL(*state, DeleteResource, &delete);
    assert_int_not_equal(delete.result, 0);
    struct cmrp_DeleteGroup delete_group = {.group = group};
    CALL(*state, DeleteGroup, &delete_group);
    assert_int_equal(delete_group.result, ERR_DIR_NOT_EMPTY);
    struct cmrp_GetResourceState where = {.resource = dummy};
    CALL(*state, GetResourceState, &where);
    assert_string_equal(where.node_name, "node1");
    assert_string_equal(where.group_name, "Work");
    struct cmrp_OfflineResource offline = {.resource = dummy};
    CALL(*state, OfflineResource, &offline);
    wait_resource_state(*state, port, dummy, OFFLINE);
    CALL(*state, DeleteResource, &delete);
    assert_int_equal(delete.result, 0);
    CALL(*state, DeleteResource, &delete);
    assert_int_equal(delete.result, ERR_RESOURCE_NOT_AVAILABLE);
    CALL(*state, DeleteGroup, &delete_group);
    assert_int_equal(delete_group.result, 0);
}

static void type_must_be_known_or_installed(void **state)
{
    struct rpc_context group = create_group(*state, "Types");
    struct cmrp_CreateResource a = {
        .group = group, .name = "X", .type_name = "ocf:heartbeat:NoSuchAgent"};
    CALL(*state, CreateResource, &a);
    assert_int_equal(a.status, ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    struct cmrp_CreateResTypeEnum e = {.type_name = "Physical Disk", .type = 0xff};
    CALL(*state, CreateResTypeEnum, &e);
    assert_int_equal(e.result, 0);
    e.type_name = "INVALID";
    CALL(*state, CreateResTypeEnum, &e);
    assert_int_equal(e.result, ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    struct cmrp_CreateResourceType create = {.type_name = "My Type",
                                             .display_name = "Mine",
                                             .dll_name = "ocf:heartbeat:Dummy",
                                             .looks_alive = 5000,
                                             .is_alive = 60000};
    CALL(*state, CreateResourceType, &create);
    assert_int_equal(create.result, 0);
    create_resource(*state, group, "Of my type", "My Type");
    struct cmrp_DeleteResourceType delete = {.type_name = "My Type"};
    CALL(*state, DeleteResourceType, &delete);
    assert_int_not_equal(delete.result, 0);
}

static bool lists(const struct rpc_enum_list *list, uint32_t type, const char *name)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->entries[i].type == type && text_equal(list->entries[i].name, name))
            return true;
    return false;
}

static void enumeration_knows_its_bits(void **state)
{
    struct rpc_context group = create_group(*state, "Listed");
    create_resource(*state, group, "Listed too", DUMMY);
    struct cmrp_CreateEnum a = {.type = 0x3f};
    CALL(*state, CreateEnum, &a);
    assert_int_equal(a.result, 0);
    assert_true(lists(&a.list, 1, "node1"));
    assert_true(lists(&a.list, 2, "Physical Disk"));
    assert_true(lists(&a.list, 4, "Listed too"));
    assert_true(lists(&a.list, 8, "Listed"));
    uint32_t unknown[] = {0x40, 0x80, 0x100};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        struct cmrp_CreateEnum bad = {.type = unknown[i]};
        CALL(*state, CreateEnum, &bad);
        assert_int_equal(bad.result, ERR_INVALID_PARAMETER);
    }
    struct cmrp_CreateEnumEx ex = {.cluster = open_cluster(*state), .type = 8};
    CALL(*state, CreateEnumEx, &ex);
    assert_int_equal(ex.ids.count, ex.names.count);
    struct cmrp_CreateGroupResourceEnum in_group = {.group = group, .type = 0xc3};
    CALL(*state, CreateGroupResourceEnum, &in_group);
    assert_true(lists(&in_group.list, 1, "Listed too"));
    assert_true(lists(&in_group.list, 2, "node1"));
    struct cmrp_OpenNode node = {.name = "node1"};
    CALL(*state, OpenNode, &node);
    struct cmrp_CreateNodeEnum on_node = {.node = node.node, .type = 0xc2};
    CALL(*state, CreateNodeEnum, &on_node);
    assert_int_equal(on_node.result, 0);
    assert_true(lists(&on_node.list, 2, "Listed"));
    struct cmrp_CreateNodeEnumEx strict = {.node = node.node, .type = 0xc2};
    CALL(*state, CreateNodeEnumEx, &strict);
    assert_int_equal(strict.result, ERR_INVALID_PARAMETER);
    struct cmrp_CreateResourceEnum all = {.cluster = ex.cluster};
    CALL(*state, CreateResourceEnum, &all);
    assert_int_equal(all.result, 0);
    assert_true(all.list.count > 0);
}

static void dependencies_are_kept_and_shown(void **state)
{
    struct rpc_context group = create_group(*state, "Stack");
    struct rpc_context disk = create_resource(*state, group, "disk", DUMMY);
    struct rpc_context base = create_resource(*state, group, "data base", DUMMY);
    struct cmrp_AddResourceDependency add = {.resource = base, .depends_on = disk};
    CALL(*state, AddResourceDependency, &add);
    assert_int_equal(add.result, 0);
    CALL(*state, AddResourceDependency, &add);
    assert_int_equal(add.result, ERR_DEPENDENCY_ALREADY_EXISTS);
    struct cmrp_GetResourceDependencyExpression get = {.resource = base};
    CALL(*state, GetResourceDependencyExpression, &get);
    assert_string_equal(get.expression, "([disk])");
    struct cmrp_CanResourceBeDependent can = {.resource = disk, .dependent = base};
    CALL(*state, CanResourceBeDependent, &can);
    assert_int_equal(can.result, ERR_DEPENDENCY_NOT_ALLOWED);
    struct cmrp_CreateResEnum list = {.resource = disk, .type = 7};
    CALL(*state, CreateResEnum, &list);
    assert_true(lists(&list.list, 2, "data base"));
    struct cmrp_DeleteResource delete = {.resource = disk};
    CALL(*state, DeleteResource, &delete);
    assert_int_equal(delete.result, ERR_DEPENDENT_RESOURCE_EXISTS);
    struct cmrp_RemoveResourceDependency remove = {.resource = base, .depends_on = disk};
    CALL(*state, RemoveResourceDependency, &remove);
    assert_int_equal(remove.result, 0);
    CALL(*state, RemoveResourceDependency, &remove);
    assert_int_equal(remove.result, ERR_DEPENDENCY_NOT_FOUND);
}

/* ---- control codes ---- */

static void control_codes_answer_as_documented(void **state)
{
    struct rpc_context group = create_group(*state, "Controlled");
    struct rpc_context r = create_resource(*state, group, "Thing", DUMMY);
    struct rpc_bytes out;
    assert_int_equal(resource_control(*state, r, 0, NULL, 0, &out), ERR_INVALID_FUNCTION);
    assert_int_equal(resource_control(*state, r, 0x03000029, NULL, 0, &out), ERR_INVALID_FUNCTION);
    assert_int_equal(resource_control(*state, r, 0x0100002d, NULL, 0, &out), 0);
    _cleanup_free_
    char *type = NULL;
    assert_int_equal(utf16_to_utf8(out.data, out.size / 2, &type), 0);
    assert_string_equal(type, DUMMY);
    assert_int_equal(out.size, 2 * (strlen(DUMMY) + 1));
    uint32_t sizes[][2] = {{0x01000005, 4}, {0x01000009, 4}, {0x0100000d, 8}, {0x01000039, 74}};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        assert_int_equal(resource_control(*state, r, sizes[i][0], NULL, 0, &out), 0);
        assert_int_equal(out.size, sizes[i][1]);
    }
    struct cmrp_ResourceControl small = {
        .resource = r, .code = 0x01000029, .output = {.capacity = 4}};
    CALL(*state, ResourceControl, &small);
    assert_int_equal(small.result, ERR_MORE_DATA);
    assert_int_equal(small.required, 12);
    assert_int_equal(small.output.size, 0);
}

static void properties_are_set_listed_and_refused(void **state)
{
    struct rpc_context group = create_group(*state, "Props");
    struct rpc_context r = create_resource(*state, group, "Described", DUMMY);
    _cleanup_(property_table_fini) struct property_table set = {0}, got = {0};
    _cleanup_(buffer_fini) struct buffer list = {0};
    property_set_text(&set, "Description", "a stand-in");
    assert_int_equal(property_list_encode(&set, &list), 0);
    struct rpc_bytes out;
    assert_int_equal(resource_control(*state, r, 0x01000061, list.data, list.size, &out), 0);
    assert_int_equal(resource_control(*state, r, 0x0140005e, list.data, list.size, &out), 0);
    assert_int_equal(resource_control(*state, r, 0x01000059, NULL, 0, &out), 0);
    assert_int_equal(property_list_decode(out.data, out.size, &got), 0);
    assert_string_equal(property_find(&got, "description")->data, "a stand-in");
    assert_int_equal(resource_control(*state, r, 0x0140005e, list.data, list.size - 6, &out),
                     ERR_INSUFFICIENT_BUFFER);
    assert_int_equal(resource_control(*state, r, 0x0140005e, NULL, 0, &out),
                     ERR_RPC_X_BAD_STUB_DATA);
    uint32_t codes[] = {0x01000051, 0x01000055, 0x01000065, 0x01000079,
                        0x0100007d, 0x01000081, 0x0100008d};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        assert_int_equal(resource_control(*state, r, codes[i], NULL, 0, &out), 0);
}

static void all_kinds_of_objects_have_control_codes(void **state)
{
    struct rpc_context cluster = open_cluster(*state);
    uint32_t functions[] = {0x51, 0x55, 0x59, 0x65, 0x79, 0x7d, 0x81, 0x8d};
    struct cmrp_OpenNode node = {.name = "node1"};
    CALL(*state, OpenNode, &node);
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        struct cmrp_ClusterControl c = {
            .cluster = cluster, .code = 0x07000000 | functions[i], .output = {.capacity = 65536}};
        CALL(*state, ClusterControl, &c);
        assert_int_equal(c.result, 0);
        struct cmrp_NodeControl n = {
            .node = node.node, .code = 0x04000000 | functions[i], .output = {.capacity = 65536}};
        CALL(*state, NodeControl, &n);
        assert_int_equal(n.result, 0);
        struct cmrp_ResourceTypeControl t = {.cluster = cluster,
                                             .type_name = "Physical Disk",
                                             .code = 0x02000000 | functions[i],
                                             .output = {.capacity = 65536}};
        CALL(*state, ResourceTypeControl, &t);
        assert_int_equal(t.result, 0);
        t.type_name = "INVALID";
        CALL(*state, ResourceTypeControl, &t);
        assert_int_equal(t.result, ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    }
    struct cmrp_ClusterControl name = {
        .cluster = cluster, .code = 0x0700003d, .output = {.capacity = 512}};
    CALL(*state, ClusterControl, &name);
    assert_int_equal(name.output.size, 2 * sizeof("testcluster"));
}

static void cluster_name_is_stored(void **state)
{
    struct cmrp_SetClusterName set = {.name = "other"};
    CALL(*state, SetClusterName, &set);
    assert_int_equal(set.result, ERR_RESOURCE_PROPERTIES_STORED);
    struct cmrp_GetClusterName get = {0};
    CALL(*state, GetClusterName, &get);
    assert_string_equal(get.cluster_name, "other");
    set.name = "testcluster";
    CALL(*state, SetClusterName, &set);
}

static void two_clients_see_the_same(void **state)
{
    struct rig *one = *state;
    struct rig two = {.service = one->service};
    rig_connect(&two);
    struct rpc_context group = create_group(one, "Common");
    assert_int_equal(group_code(&two, "Common"), 0);
    struct cmrp_GetGroupState foreign = {.group = group};
    assert_int_equal(call_cmrp(&two, &cmrp_op_GetGroupState, &foreign), ERR_INVALID_HANDLE);
    rpc_client_close(two.client);
    rpc_client_unref(two.client);
    rpc_arena_fini(&two.arena);
    assert_int_equal(group_code(one, "Common"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cluster_tells_its_names),
        cmocka_unit_test(node_is_up_and_resume_says_it_was_not_paused),
        cmocka_unit_test(what_is_not_there_has_its_own_error),
        cmocka_unit_test(group_lives_under_its_name_and_id),
        cmocka_unit_test(resource_runs_on_its_agent),
        cmocka_unit_test(type_must_be_known_or_installed),
        cmocka_unit_test(enumeration_knows_its_bits),
        cmocka_unit_test(dependencies_are_kept_and_shown),
        cmocka_unit_test(control_codes_answer_as_documented),
        cmocka_unit_test(properties_are_set_listed_and_refused),
        cmocka_unit_test(all_kinds_of_objects_have_control_codes),
        cmocka_unit_test(cluster_name_is_stored),
        cmocka_unit_test(two_clients_see_the_same),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
