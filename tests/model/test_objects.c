/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

static void ring(struct world *w)
{
    world_started(w);
    assert_int_equal(create_group(w, "G"), 0);
    assert_int_equal(create_group(w, "H"), 0);
    assert_int_equal(create_resource(w, "G", "A"), 0); /* r-3 */
    assert_int_equal(create_resource(w, "G", "B"), 0);
    assert_int_equal(create_resource(w, "G", "C"), 0);
    forget_log(w);
}

static void a_cluster_is_formed(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct model_input in = {.kind = INPUT_CREATE_GROUP, .new_id = "g", .name = "G"};
    assert_int_equal(world_step(&w, &in), ERR_CLUSTER_NODE_NOT_READY);
    assert_null(model_cluster(w.m));
    in = (struct model_input){.kind = INPUT_FORM_CLUSTER, .new_id = "c0", .name = "lab"};
    assert_int_equal(world_step(&w, &in), 0);
    assert_int_equal(world_step(&w, &in), ERR_ALREADY_EXISTS);
    in = (struct model_input){.kind = INPUT_NODE_STARTED, .object_id = "1", .name = "n1"};
    assert_int_equal(world_step(&w, &in), 0);
    assert_int_equal(world_step(&w, &in), 0);
    EXPECT(&w, "cluster.rename lab ->'lab' engine", "registry.name  [] ->'' engine",
           "registry.value  [ClusterInstanceID] ->#1:6 engine",
           "group.added Cluster Group ->9999 engine", "node.added n1 ->Up engine",
           "group.owner-node Cluster Group ''>'1' engine", "node.group-gained n1 ->'c1' engine");
    assert_int_equal(request(&w, INPUT_DELETE_GROUP, "Cluster Group"), ERR_CORE_RESOURCE);
    assert_int_equal(rename_object(&w, INPUT_SET_CLUSTER_NAME, NULL, "lab"),
                     ERR_RESOURCE_PROPERTIES_STORED);
    expect_nothing(&w);
    assert_int_equal(rename_object(&w, INPUT_SET_CLUSTER_NAME, NULL, "Werkstatt"),
                     ERR_RESOURCE_PROPERTIES_STORED);
    EXPECT(&w, "cluster.rename Werkstatt 'lab'>'Werkstatt' request");
    world_fini(&w);
}

static void names_are_unique_among_names_and_ids(void **state)
{
    (void)state;
    struct world w;
    ring(&w);
    assert_int_equal(create_group(&w, "g"), ERR_OBJECT_ALREADY_EXISTS);
    assert_int_equal(create_group(&w, "G-1"), ERR_OBJECT_ALREADY_EXISTS);
    assert_int_equal(create_group(&w, ""), ERR_INVALID_NAME);
    assert_int_equal(create_group(&w, "a\nb"), ERR_INVALID_NAME);
    assert_int_equal(create_group(&w, "\xff"), ERR_INVALID_NAME);
    char name[258];
    memset(name, 'x', sizeof(name) - 1);
    name[257] = 0;
    assert_int_equal(create_group(&w, name), ERR_FILENAME_EXCED_RANGE);
    assert_int_equal(create_resource(&w, "G", "r-3"), ERR_OBJECT_ALREADY_EXISTS);
    assert_int_equal(create_resource(&w, "nowhere", "X"), ERR_GROUP_NOT_FOUND);
    struct model_input in = {.kind = INPUT_CREATE_RESOURCE,
                             .new_id = "x",
                             .name = "X",
                             .parent_id = "G",
                             .type_name = "no such"};
    assert_int_equal(world_step(&w, &in), ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    in.type_name = "Dummy";
    in.number = 8;
    assert_int_equal(world_step(&w, &in), ERR_INVALID_PARAMETER);
    assert_int_equal(rename_object(&w, INPUT_RENAME_RESOURCE, "A", "b"), ERR_OBJECT_ALREADY_EXISTS);
    assert_int_equal(rename_object(&w, INPUT_RENAME_GROUP, "nix", "N"), ERR_GROUP_NOT_FOUND);
    expect_nothing(&w);
    assert_int_equal(rename_object(&w, INPUT_RENAME_RESOURCE, "A", "A"), 0);
    expect_nothing(&w);
    assert_int_equal(rename_object(&w, INPUT_RENAME_RESOURCE, "A", "a"), 0);
    assert_int_equal(rename_object(&w, INPUT_RENAME_RESOURCE, "a", "Alpha"), 0);
    assert_int_equal(rename_object(&w, INPUT_RENAME_GROUP, "G", "Gamma"), 0);
    EXPECT(&w, "resource.common-property a Name=A>Name=a request",
           "resource.common-property Alpha Name=a>Name=Alpha request",
           "group.common-property Gamma Name=G>Name=Gamma request");
    assert_null(model_resource(w.m, "A"));
    assert_string_equal(model_resource(w.m, "ALPHA")->o.id, "r-3");
    world_fini(&w);
}

static void dependencies_are_checked(void **state)
{
    (void)state;
    struct world w;
    ring(&w);
    assert_int_equal(create_resource(&w, "H", "Z"), 0);
    forget_log(&w);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "A", "A"), ERR_CIRCULAR_DEPENDENCY);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "A", "Z"), ERR_INVALID_PARAMETER);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "A", "Q"), ERR_RESOURCE_NOT_FOUND);
    assert_int_equal(request2(&w, INPUT_REMOVE_DEPENDENCY, "A", "B"), ERR_DEPENDENCY_NOT_FOUND);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "A", "B"), 0);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "B", "C"), 0);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "A", "C"), 0);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "A", "B"), ERR_DEPENDENCY_ALREADY_EXISTS);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "C", "A"), ERR_CIRCULAR_DEPENDENCY);
    assert_int_equal(request(&w, INPUT_DELETE_RESOURCE, "C"), ERR_DEPENDENT_RESOURCE_EXISTS);
    assert_int_equal(request2(&w, INPUT_REMOVE_DEPENDENCY, "A", "B"), 0);
    EXPECT(&w, "resource.dependencies A ''>'([B])' request", "resource.dependents B >r-3 request",
           "resource.dependencies B ''>'([C])' request", "resource.dependents C >r-4 request",
           "resource.dependencies A '([B])'>'([B] and [C])' request",
           "resource.dependents C r-4>r-3,r-4 request",
           "resource.dependencies A '([B] and [C])'>'([C])' request",
           "resource.dependents B r-3> request");
    assert_int_equal(request(&w, INPUT_DELETE_RESOURCE, "A"), 0);
    EXPECT(&w, "resource.dependencies A '([C])'>'' request",
           "resource.dependents C r-3,r-4>r-4 request", "resource.deleted A Offline>- request",
           "group.resource-lost G ->'r-3' request");
    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "B"), ERR_IO_PENDING);
    finish_all(&w);
    assert_int_equal(create_resource(&w, "G", "N"), 0);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "B", "N"), ERR_RESOURCE_ONLINE);
    world_fini(&w);
}

static void a_tree_has_a_depth_that_can_be_walked(void **state)
{
    (void)state;
    struct world w;
    world_started(&w);
    assert_int_equal(create_group(&w, "G"), 0);
    char names[240][8];
    uint32_t code = 0;
    int made = 0;
    for (; made < 240 && code == 0; made++) {
        snprintf(names[made], sizeof(names[made]), "R%d", made);
        assert_int_equal(create_resource(&w, "G", names[made]), 0);
        /* Two by two, each on both of the layer below: as many ways as there can be. */
        for (int p = made / 2 * 2 - 2; p >= 0 && p < made / 2 * 2 && code == 0; p++)
            code = request2(&w, INPUT_ADD_DEPENDENCY, names[made], names[p]);
    }
    assert_int_equal(code, ERR_DEPENDENCY_TREE_TOO_COMPLEX);
    assert_true(made > 180);
    assert_int_equal(request(&w, INPUT_ONLINE_GROUP, "G"), ERR_IO_PENDING);
    finish_all(&w);
    assert_int_equal(group_state(&w, "G"), GROUP_ONLINE);
    assert_int_equal(request(&w, INPUT_OFFLINE_RESOURCE, "R0"), ERR_IO_PENDING);
    finish_all(&w);
    world_reload(&w);
    world_fini(&w);
}

static void a_tree_moves_to_another_group(void **state)
{
    (void)state;
    struct world w;
    ring(&w);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "A", "B"), 0);
    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "A"), ERR_IO_PENDING);
    finish_all(&w);
    forget_log(&w);
    assert_int_equal(request2(&w, INPUT_CHANGE_RESOURCE_GROUP, "B", "H"), 0);
    EXPECT(&w, "resource.owner-group B 'g-1'>'g-2' request",
           "group.resource-lost G ->'r-4' request", "group.resource-gained H ->'r-4' request",
           "resource.owner-group A 'g-1'>'g-2' request", "group.resource-lost G ->'r-3' request",
           "group.resource-gained H ->'r-3' request", "group.state G PartialOnline>Offline request",
           "group.state H Offline>Online request");
    assert_int_equal(request2(&w, INPUT_CHANGE_RESOURCE_GROUP, "B", "H"), ERR_ALREADY_EXISTS);
    assert_int_equal(request2(&w, INPUT_MOVE_GROUP, "H", "n1"), 0);
    assert_int_equal(request(&w, INPUT_MOVE_GROUP, "H"), ERR_HOST_NODE_NOT_AVAILABLE);
    assert_int_equal(request2(&w, INPUT_MOVE_GROUP, "H", "n2"), ERR_CLUSTER_NODE_NOT_FOUND);
    expect_nothing(&w);
    world_fini(&w);
}

static uint32_t set_list(struct world *w, enum input_kind kind, const char *object,
                         const struct property_table *t)
{
    _cleanup_(buffer_fini) struct buffer list = {0};
    assert_int_equal(property_list_encode(t, &list), 0);
    struct model_input in = {.kind = kind,
                             .object_type = OBJECT_RESOURCE,
                             .object_id = object,
                             .data = list.data,
                             .size = list.size};
    return world_step(w, &in);
}

static uint32_t set_private_text(struct world *w, const char *name, const char *value)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    assert_int_equal(property_set_text(&t, name, value), 0);
    return set_list(w, INPUT_SET_PRIVATE_PROPERTIES, "A", &t);
}

static void private_properties_follow_the_type(void **state)
{
    (void)state;
    struct world w;
    ring(&w);
    assert_int_equal(set_private_text(&w, "STATE", "there"), 0); /* its default already */
    expect_nothing(&w);
    assert_int_equal(set_private_text(&w, "State", "here"), 0);
    assert_int_equal(set_private_text(&w, "State", "here"), 0);
    assert_int_equal(set_private_text(&w, "Delay", "soon"), ERR_INVALID_DATA);
    assert_int_equal(set_private_text(&w, "Unheard of", "x"), 0);
    EXPECT(&w, "resource.private-property A State=there>State=here request",
           "resource.private-property A >Unheard of=x request");
    _cleanup_(property_table_fini) struct property_table t = {0};
    assert_int_equal(model_properties(w.m, &model_resource(w.m, "A")->o, PROPERTIES_PRIVATE, &t),
                     0);
    assert_int_equal(t.count, 3);
    assert_string_equal(t.items[0].data, "here");
    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "A"), ERR_IO_PENDING);
    finish_all(&w);
    forget_log(&w);
    assert_int_equal(set_private_text(&w, "State", "away"), ERR_RESOURCE_PROPERTIES_STORED);
    struct property nothing = {.name = "State", .format = PROPERTY_SZ, .data = "", .size = 0};
    _cleanup_(property_table_fini) struct property_table reset = {0};
    assert_int_equal(property_set(&reset, &nothing), 0);
    assert_int_equal(set_list(&w, INPUT_SET_PRIVATE_PROPERTIES, "A", &reset),
                     ERR_RESOURCE_PROPERTIES_STORED);
    EXPECT(&w, "resource.private-property A State=here>State=away request",
           "resource.private-property A State=away>State=there request");
    world_fini(&w);
}

static void common_properties_are_checked_and_kept(void **state)
{
    (void)state;
    struct world w;
    ring(&w);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "A", "RestartAction", 3),
                     ERR_INVALID_PARAMETER);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "A", "Class", 3),
                     ERR_RESOURCE_PROPERTY_UNCHANGEABLE);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "A", "Description", 3), ERR_INVALID_DATA);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "A", "Unheard of", 3), ERR_INVALID_PARAMETER);
    assert_int_equal(set_dword(&w, OBJECT_GROUP, "Q", "Priority", 3), ERR_GROUP_NOT_FOUND);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "A", "PendingTimeout", 20000), 0);
    expect_nothing(&w); /* the type's default */
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "A", "PendingTimeout", 30000), 0);
    assert_int_equal(set_dword(&w, OBJECT_GROUP, "G", "Priority", 1000), 0);
    assert_int_equal(set_dword(&w, OBJECT_CLUSTER, "", "ClusterLogLevel", 5), 0);
    assert_int_equal(set_dword(&w, OBJECT_NODE, "n1", "NodeWeight", 0), 0);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE_TYPE, "Dummy", "PendingTimeout", 40000), 0);
    assert_int_equal(set_dword(&w, OBJECT_RESOURCE, "A", "PersistentState", 1), 0);
    EXPECT(&w, "resource.common-property A PendingTimeout=20000>PendingTimeout=30000 request",
           "group.common-property G Priority=2000>Priority=1000 request",
           "cluster.common-property lab ClusterLogLevel=3>ClusterLogLevel=5 request",
           "node.common-property n1 NodeWeight=1>NodeWeight=0 request",
           "resource-type.common-property Dummy PendingTimeout=20000>PendingTimeout=40000 request",
           "resource.common-property A PersistentState=0>PersistentState=1 request");
    world_reload(&w);
    _cleanup_(property_table_fini) struct property_table t = {0};
    assert_int_equal(model_properties(w.m, &model_resource(w.m, "A")->o, PROPERTIES_COMMON, &t), 0);
    assert_int_equal(property_find(&t, "PendingTimeout")->number, 30000);
    assert_int_equal(property_find(&t, "PersistentState")->number, 1);
    _cleanup_(property_table_fini) struct property_table b = {0};
    assert_int_equal(model_properties(w.m, &model_resource(w.m, "B")->o, PROPERTIES_COMMON, &b), 0);
    assert_int_equal(property_find(&b, "PendingTimeout")->number, 40000);
    struct model_input in = {.kind = INPUT_SET_COMMON_PROPERTIES,
                             .object_type = OBJECT_GROUP,
                             .object_id = "G",
                             .data = "\1\0\0",
                             .size = 3};
    uint32_t code = world_step(&w, &in);
    assert_true(code == ERR_INVALID_DATA || code == ERR_INSUFFICIENT_BUFFER);
    world_fini(&w);
}

static uint32_t set_value(struct world *w, const char *path, const char *name, uint32_t type,
                          const char *data)
{
    struct model_input in = {.kind = INPUT_SET_VALUE,
                             .object_id = path,
                             .name = name,
                             .number = type,
                             .data = data,
                             .size = strlen(data)};
    return world_step(w, &in);
}

static void the_registry_keeps_keys_and_values(void **state)
{
    (void)state;
    struct world w;
    world_started(&w);
    assert_int_equal(request(&w, INPUT_CREATE_KEY, "Soft\\Ware"), 0);
    assert_int_equal(request(&w, INPUT_CREATE_KEY, "SOFT\\ware"), 0);
    assert_int_equal(request(&w, INPUT_CREATE_KEY, "a\\\\b"), ERR_INVALID_NAME);
    assert_int_equal(set_value(&w, "soft\\WARE", "v", 3, "abc"), 0);
    assert_int_equal(set_value(&w, "Soft\\Ware", "V", 3, "abc"), 0);
    assert_int_equal(set_value(&w, "Soft\\Ware", "V", 4, "abcd"), 0);
    assert_int_equal(set_value(&w, "Soft\\None", "V", 4, "abcd"), ERR_FILE_NOT_FOUND);
    assert_int_equal(request(&w, INPUT_DELETE_KEY, "Soft"), ERR_DIR_NOT_EMPTY);
    assert_int_equal(request(&w, INPUT_DELETE_KEY, ""), ERR_ACCESS_DENIED);
    assert_int_equal(rename_object(&w, INPUT_DELETE_VALUE, "Soft\\Ware", "nix"),
                     ERR_FILE_NOT_FOUND);
    EXPECT(&w, "registry.name Soft [] ->'Soft' request",
           "registry.name Soft\\Ware [] ->'Ware' request",
           "registry.value Soft\\Ware [v] ->#3:3 request",
           "registry.value Soft\\Ware [v] #3:3>#4:4 request");
    struct model_input in = {
        .kind = INPUT_SET_KEY_SECURITY, .object_id = "Soft", .data = "sd", .size = 2};
    assert_int_equal(world_step(&w, &in), 0);
    assert_int_equal(world_step(&w, &in), 0);
    world_reload(&w);
    const struct registry_key *k = model_key(w.m, "SOFT\\WARE");
    assert_non_null(k);
    assert_string_equal(k->o.id, "Soft\\Ware");
    const struct registry_value *v = map_get(k->values, "V");
    assert_string_equal(v->name, "v");
    assert_memory_equal(v->data, "abcd", 4);
    assert_int_equal(model_key(w.m, "Soft")->security_size, 2);
    assert_int_equal(rename_object(&w, INPUT_DELETE_VALUE, "Soft\\Ware", "V"), 0);
    assert_int_equal(request(&w, INPUT_DELETE_KEY, "Soft\\Ware"), 0);
    assert_int_equal(request(&w, INPUT_DELETE_KEY, "Soft\\Ware"), ERR_FILE_NOT_FOUND);
    assert_int_equal(request(&w, INPUT_DELETE_KEY, "Soft"), 0);
    EXPECT(&w, "registry.attributes Soft [] ->- request",
           "registry.value Soft\\Ware [v] #4:4>- request",
           "registry.name Soft\\Ware [] 'Ware'>- request",
           "registry.name Soft [] 'Soft'>- request");
    world_reload(&w);
    assert_null(model_key(w.m, "Soft"));
    world_fini(&w);
}

static uint32_t set_large(struct world *w, const char *key, const char *name, const void *data,
                          size_t size)
{
    struct model_input in = {.kind = INPUT_SET_VALUE,
                             .object_id = key,
                             .name = name,
                             .number = 3,
                             .data = data,
                             .size = size};
    return world_step(w, &in);
}

static void the_registry_has_an_end(void **state)
{
    (void)state;
    struct world w;
    world_started(&w);
    static const uint8_t large[1u << 20];
    char key[16] = "";
    unsigned made = 0;
    uint32_t code = 0;
    for (; code == 0 && made < 64; made++) {
        snprintf(key, sizeof(key), "K%u", made);
        assert_int_equal(request(&w, INPUT_CREATE_KEY, key), 0);
        code = set_large(&w, key, "v", large, sizeof(large));
    }
    assert_int_equal(code, ERR_NOT_ENOUGH_QUOTA);
    assert_int_equal(made, 32);
    for (int twice = 0; twice < 2;
         twice++) { /* what is counted is what is there, after a load too */
        assert_int_equal(set_large(&w, key, "v", large, sizeof(large)), ERR_NOT_ENOUGH_QUOTA);
        assert_int_equal(set_large(&w, "K0", "v", large, twice ? 2 : 1), 0);
        assert_int_equal(set_large(&w, key, "v", large, sizeof(large)), 0);
        assert_int_equal(set_large(&w, "K0", "v", large, sizeof(large)), ERR_NOT_ENOUGH_QUOTA);
        struct model_input gone = {.kind = INPUT_DELETE_VALUE, .object_id = key, .name = "v"};
        assert_int_equal(world_step(&w, &gone), 0);
        assert_int_equal(set_large(&w, "K0", "v", large, sizeof(large)), 0);
        world_reload(&w);
    }
    struct model_input gone = {.kind = INPUT_DELETE_VALUE, .object_id = "K0", .name = "v"};
    assert_int_equal(world_step(&w, &gone), 0);
    assert_int_equal(request(&w, INPUT_DELETE_KEY, "K0"), 0);
    assert_int_equal(set_large(&w, key, "v", large, sizeof(large)), 0);
    world_fini(&w);
}

static void networks_come_change_and_go(void **state)
{
    (void)state;
    struct world w;
    world_started(&w);
    struct model_input net = {
        .kind = INPUT_NETWORK_SEEN, .new_id = "n-1", .name = "Lan", .number = NETWORK_UP};
    struct model_input link = {.kind = INPUT_NETINTERFACE_SEEN,
                               .new_id = "i-1",
                               .name = "n1 - eth0",
                               .parent_id = "n-1",
                               .type_name = "eth0",
                               .data = "10.0.0.1",
                               .size = 8,
                               .number = NETINTERFACE_UP};
    assert_int_equal(world_step(&w, &link), ERR_CLUSTER_NETWORK_NOT_FOUND);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(world_step(&w, &net), 0);
        assert_int_equal(world_step(&w, &link), 0);
    }
    link.data = "10.0.0.2";
    link.number = NETINTERFACE_FAILED;
    assert_int_equal(world_step(&w, &link), 0);
    net.number = NETWORK_DOWN;
    assert_int_equal(world_step(&w, &net), 0);
    net.number = 9;
    assert_int_equal(world_step(&w, &net), ERR_INVALID_PARAMETER);
    world_reload(&w);
    assert_string_equal(model_netinterface(w.m, "I-1")->address, "10.0.0.2");
    assert_int_equal(rename_object(&w, INPUT_RENAME_NETWORK, "n-1", "Backbone"), 0);
    assert_int_equal(rename_object(&w, INPUT_RENAME_NETWORK, "n-1", ""), ERR_INVALID_NAME);
    assert_int_equal(rename_object(&w, INPUT_RENAME_NETWORK, "no", "x"),
                     ERR_CLUSTER_NETWORK_NOT_FOUND);
    assert_int_equal(request(&w, INPUT_NETWORK_GONE, "n-1"), 0);
    assert_int_equal(request(&w, INPUT_NETINTERFACE_GONE, "i-1"),
                     ERR_CLUSTER_NETINTERFACE_NOT_FOUND);
    EXPECT(&w, "network.added Lan ->Up engine", "netinterface.added n1 - eth0 ->Up engine",
           "netinterface.common-property n1 - eth0 Address=10.0.0.1>Address=10.0.0.2 engine",
           "netinterface.state n1 - eth0 Up>Failed engine", "network.state Lan Up>Down engine",
           "network.common-property Backbone Name=Lan>Name=Backbone request",
           "netinterface.deleted n1 - eth0 Failed>- engine",
           "network.deleted Backbone Down>- engine");
    world_fini(&w);
}

static uint32_t define(struct world *w, const char *json)
{
    struct model_input in = {.kind = INPUT_DEFINE_TYPE, .data = json, .size = strlen(json)};
    return world_step(w, &in);
}

static void types_are_defined_and_removed(void **state)
{
    (void)state;
    struct world w;
    world_started(&w);
    static const char *const malformed[] = {
        "",
        "[]",
        "{}",
        "{\"name\": 5}",
        "{\"name\": \"T\", \"class\": \"odd\"}",
        "{\"name\": \"T\", \"properties\": {}}",
        "{\"name\": \"T\", \"is_alive_ms\": -1}",
        "{\"name\": \"T\", \"properties\": [{\"name\": \"P\", \"format\": \"blob\"}]}",
        "{\"name\":\"T\",\"properties\":[{\"name\":\"P\",\"format\":\"sz\",\"default\":5}]}"};
    for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
        assert_int_equal(define(&w, malformed[i]), ERR_INVALID_DATA);
    expect_nothing(&w);
    assert_int_equal(define(&w, "{\"name\": \"T\", \"agent\": \"systemd:x\"}"), 0);
    assert_int_equal(define(&w, "{\"name\": \"T\", \"agent\": \"systemd:x\"}"), 0);
    assert_int_equal(define(&w, "{\"name\": \"T\", \"agent\": \"systemd:y\"}"), 0);
    assert_int_equal(create_group(&w, "G"), 0);
    assert_int_equal(create_resource(&w, "G", "R"), 0);
    assert_int_equal(rename_object(&w, INPUT_REMOVE_TYPE, NULL, "dummy"), ERR_DIR_NOT_EMPTY);
    assert_int_equal(rename_object(&w, INPUT_REMOVE_TYPE, NULL, "t"), 0);
    assert_int_equal(rename_object(&w, INPUT_REMOVE_TYPE, NULL, "t"),
                     ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    EXPECT(&w, "resource-type.added T ->- engine", "resource-type.agent-upgraded T ->- engine",
           "group.added G ->9999 request", "resource.added R ->Offline request",
           "group.resource-gained G ->'r-2' request", "resource-type.deleted T ->- engine");
    world_fini(&w);
}

static void shipped_types_are_understood(void **state)
{
    (void)state;
    struct world w;
    world_started(&w);
    _cleanup_(globfree) glob_t found = {0};
    assert_int_equal(glob(TYPES_DIR "/*.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char json[16384];
        FILE *f = fopen(found.gl_pathv[i], "re");
        assert_non_null(f);
        size_t size = fread(json, 1, sizeof(json) - 1, f);
        fclose(f);
        json[size] = 0;
        assert_int_equal(define(&w, json), 0);
    }
    assert_int_equal(map_count(model_objects(w.m, OBJECT_RESOURCE_TYPE)), found.gl_pathc + 1);
    assert_int_equal(model_resource_type(w.m, "physical disk")->class_, 1);
    world_reload(&w);
    assert_true(model_resource_type(w.m, "Physical Disk")->schema.count > 0);
    world_fini(&w);
}

static void the_quorum_resource_is_followed(void **state)
{
    (void)state;
    struct world w;
    ring(&w);
    assert_int_equal(define(&w, "{\"name\": \"T\"}"), 0);
    struct model_input in = {.kind = INPUT_CREATE_RESOURCE,
                             .new_id = "x",
                             .name = "X",
                             .parent_id = "G",
                             .type_name = "T"};
    assert_int_equal(world_step(&w, &in), 0);
    assert_int_equal(request(&w, INPUT_SET_QUORUM_RESOURCE, "X"), ERR_NOT_QUORUM_CAPABLE);
    forget_log(&w);
    assert_int_equal(request(&w, INPUT_SET_QUORUM_RESOURCE, "A"), 0);
    assert_int_equal(request(&w, INPUT_SET_QUORUM_RESOURCE, "A"), 0);
    assert_int_equal(request(&w, INPUT_DELETE_RESOURCE, "A"), ERR_QUORUM_RESOURCE);
    assert_int_equal(request2(&w, INPUT_ADD_DEPENDENCY, "A", "B"), ERR_DEPENDENCY_NOT_ALLOWED);
    assert_int_equal(request(&w, INPUT_ONLINE_RESOURCE, "A"), ERR_IO_PENDING);
    EXPECT(&w, "cluster.common-property lab QuorumResource=>QuorumResource=A request",
           "quorum.state A ->Offline request", "resource.state A Offline>OnlinePending request",
           "group.state G Offline>Pending request", "quorum.state A Offline>OnlinePending request");
    world_fini(&w);
}

static void inputs_survive_the_codec(void **state)
{
    (void)state;
    struct model_input in = {
        .kind = INPUT_SET_VALUE,
        .time_ns = 5,
        .actor = {.node = "n", .program = "p", .uid = 1, .pid = 2, .reason = REASON_ADMIN},
        .token = 9,
        .object_type = OBJECT_REGISTRY,
        .object_id = "a\\b",
        .name = "v",
        .operation = 1ull << 40,
        .number = 3,
        .data = "x\0y",
        .size = 3};
    _cleanup_(buffer_fini) struct buffer b = {0};
    assert_int_equal(model_input_encode(&in, &b), 0);
    struct model_input out;
    assert_int_equal(model_input_decode(b.data, b.size, &out), 0);
    assert_int_equal(out.kind, in.kind);
    assert_int_equal(out.token, 9);
    assert_int_equal(out.operation, in.operation);
    assert_int_equal(out.actor.reason, REASON_ADMIN);
    assert_string_equal(out.object_id, "a\\b");
    assert_string_equal(out.type_name, "");
    assert_memory_equal(out.data, "x\0y", 3);
    for (size_t size = 0; size < b.size; size++)
        assert_int_equal(model_input_decode(b.data, size, &out), -EBADMSG);
    for (size_t i = 0; i < b.size; i++) { /* no byte can make it read beyond */
        b.data[i] ^= 0xff;
        (void)model_input_decode(b.data, b.size, &out);
        b.data[i] ^= 0xff;
    }
}

static void what_cannot_be_loaded_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum object_type type;
        const char *key, *json;
    } rows[] = {
        {OBJECT_GROUP, "g", "no json"},
        {OBJECT_GROUP, "g", "{\"id\": \"h\", \"name\": \"n\", \"created\": 1}"},
        {OBJECT_GROUP, "g", "{\"id\": \"g\", \"name\": \"n\", \"created\": 1}"},
        {OBJECT_RESOURCE, "r",
         "{\"id\": \"r\", \"name\": \"n\", \"created\": 1, \"state\": 3, \"common\": [],"
         "\"private\": [], \"group\": \"none\", \"resource_type\": \"none\"}"},
        {OBJECT_REGISTRY, "a",
         "{\"id\": \"a\", \"name\": \"a\", \"created\": 1, \"state\": 0, \"common\": [],"
         "\"private\": [], \"values\": [], \"written_ns\": 1}"},
        {OBJECT_QUORUM, "q", "{}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct model *m = model_create();
        assert_non_null(m);
        int r = model_load_object(m, rows[i].type, rows[i].key, rows[i].json, strlen(rows[i].json));
        if (r == 0)
            r = model_load_done(m, 1);
        assert_int_equal(r, -EBADMSG);
        model_destroy(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_is_formed),
        cmocka_unit_test(names_are_unique_among_names_and_ids),
        cmocka_unit_test(dependencies_are_checked),
        cmocka_unit_test(a_tree_has_a_depth_that_can_be_walked),
        cmocka_unit_test(a_tree_moves_to_another_group),
        cmocka_unit_test(private_properties_follow_the_type),
        cmocka_unit_test(common_properties_are_checked_and_kept),
        cmocka_unit_test(the_registry_keeps_keys_and_values),
        cmocka_unit_test(the_registry_has_an_end),
        cmocka_unit_test(networks_come_change_and_go),
        cmocka_unit_test(types_are_defined_and_removed),
        cmocka_unit_test(shipped_types_are_understood),
        cmocka_unit_test(the_quorum_resource_is_followed),
        cmocka_unit_test(inputs_survive_the_codec),
        cmocka_unit_test(what_cannot_be_loaded_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
