/* SPDX-License-Identifier: MIT */
#include "notify/loop.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What raises each flag of version 1: one case each. Registered cluster-wide, for one handle, and
 * both ways on one port, where each registration is told under its own key. */

struct stage {
    struct world *w;
    char types[64]; /* a folder of type definitions that the service reads */
    HNODE node;
    HGROUP group;
    HRESOURCE resource, other;
};

struct flag_case {
    const char *title;
    DWORD flag;
    LPCWSTR name;   /* that is told */
    unsigned count; /* of events, all alike */
    /* The handle to register; NULL: the flag is for a whole cluster only. */
    HANDLE (*open)(struct stage *s);
    bool of_others; /* a handle goes with the flag, but the event is never about its object */
    void (*raise)(struct stage *s);
    void (*undo)(struct stage *s);
};

/* ---- handles ---- */

static HANDLE the_node(struct stage *s)
{
    return s->node;
}

static HANDLE the_group(struct stage *s)
{
    return s->group;
}

static HANDLE the_resource(struct stage *s)
{
    return s->resource;
}

static HANDLE the_cluster(struct stage *s)
{
    return s->w->cluster;
}

/* ---- what is done ---- */

static void pause_and_resume(struct stage *s)
{
    assert_int_equal(PauseClusterNode(s->node), ERROR_SUCCESS);
    assert_int_equal(ResumeClusterNode(s->node), ERROR_SUCCESS);
}

static void describe_node(struct stage *s)
{
    struct property p = text(L"Description", L"in the cellar");
    assert_int_equal(ClusterNodeControl(s->node, NULL, CLUSCTL_NODE_SET_COMMON_PROPERTIES, p.data,
                                        p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
}

static void online_resource(struct stage *s)
{
    assert_int_equal(OnlineClusterResource(s->resource), ERROR_IO_PENDING);
}

static void offline_resource(struct stage *s)
{
    offline_and_wait(s->w, s->resource);
}

static void add_resource(struct stage *s)
{
    assert_true(CloseClusterResource(make_resource(s->group, L"Added", L"Dummy")));
}

static HANDLE doomed_resource(struct stage *s)
{
    return OpenClusterResource(s->w->cluster, L"Added");
}

static void delete_resource(struct stage *s)
{
    HRESOURCE doomed = doomed_resource(s);
    assert_int_equal(DeleteClusterResource(doomed), ERROR_SUCCESS);
    assert_true(CloseClusterResource(doomed));
}

static void describe_resource(struct stage *s)
{
    set_common(s->resource, text(L"Description", L"nothing to see"));
}

static void set_private_property(struct stage *s)
{
    set_private(s->resource, text(L"anything", L"may be kept"));
}

static void rename_resource(struct stage *s)
{
    assert_int_equal(SetClusterResourceName(s->resource, L"Renamed"), ERROR_SUCCESS);
}

static void rename_resource_back(struct stage *s)
{
    assert_int_equal(SetClusterResourceName(s->resource, L"Resource"), ERROR_SUCCESS);
}

static void add_dependency(struct stage *s)
{
    assert_int_equal(AddClusterResourceDependency(s->resource, s->other), ERROR_SUCCESS);
}

static void remove_dependency(struct stage *s)
{
    assert_int_equal(RemoveClusterResourceDependency(s->resource, s->other), ERROR_SUCCESS);
}

static void online_group(struct stage *s)
{
    assert_int_equal(OnlineClusterGroup(s->group, NULL), ERROR_IO_PENDING);
}

static void offline_group(struct stage *s)
{
    assert_int_equal(OfflineClusterGroup(s->group), ERROR_IO_PENDING);
    wait_resource_state(s->w, s->resource, ClusterResourceOffline);
    wait_resource_state(s->w, s->other, ClusterResourceOffline);
}

static void add_group(struct stage *s)
{
    assert_true(CloseClusterGroup(make_group(s->w, L"Added")));
}

static HANDLE doomed_group(struct stage *s)
{
    return OpenClusterGroup(s->w->cluster, L"Added");
}

static void delete_group(struct stage *s)
{
    remove_group(doomed_group(s));
}

static void describe_group(struct stage *s)
{
    struct property p = text(L"Description", L"of friends");
    assert_int_equal(ClusterGroupControl(s->group, NULL, CLUSCTL_GROUP_SET_COMMON_PROPERTIES,
                                         p.data, p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
}

static void rename_group(struct stage *s)
{
    assert_int_equal(SetClusterGroupName(s->group, L"Renamed"), ERROR_SUCCESS);
}

static void rename_group_back(struct stage *s)
{
    assert_int_equal(SetClusterGroupName(s->group, L"Group"), ERROR_SUCCESS);
}

static void define_type(struct stage *s)
{
    shell("echo '{\"name\": \"Novelty\", \"agent\": \"ocf:heartbeat:Dummy\"}' >%s/novelty.json",
          s->types);
    assert_int_equal(kill(service_pid(s->w->service), SIGHUP), 0);
}

static void delete_type(struct stage *s)
{
    assert_int_equal(DeleteClusterResourceType(s->w->cluster, L"Novelty"), ERROR_SUCCESS);
}

static void describe_type(struct stage *s)
{
    struct property p = text(L"Description", L"does nothing");
    assert_int_equal(ClusterResourceTypeControl(s->w->cluster, L"Dummy", NULL,
                                                CLUSCTL_RESOURCE_TYPE_SET_COMMON_PROPERTIES, p.data,
                                                p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
}

static void describe_cluster(struct stage *s)
{
    struct property p = text(L"Description", L"of grapes");
    assert_int_equal(ClusterControl(s->w->cluster, NULL, CLUSCTL_CLUSTER_SET_COMMON_PROPERTIES,
                                    p.data, p.size, NULL, 0, NULL),
                     ERROR_SUCCESS);
}

static void rename_cluster(struct stage *s)
{
    assert_int_equal(SetClusterName(s->w->cluster, L"grapes"), ERROR_RESOURCE_PROPERTIES_STORED);
}

static void rename_cluster_back(struct stage *s)
{
    assert_int_equal(SetClusterName(s->w->cluster, L"testcluster"),
                     ERROR_RESOURCE_PROPERTIES_STORED);
}

static void choose_quorum(struct stage *s, LPCWSTR name)
{
    HRESOURCE witness = OpenClusterResource(s->w->cluster, name);
    assert_non_null(witness);
    assert_int_equal(SetClusterQuorumResource(witness, NULL, 0), ERROR_SUCCESS);
    assert_true(CloseClusterResource(witness));
}

static void make_quorum(struct stage *s)
{
    choose_quorum(s, L"Witness");
}

static void make_quorum_anew(struct stage *s)
{
    choose_quorum(s, L"Other witness");
}

static void online_quorum(struct stage *s)
{
    HRESOURCE witness = OpenClusterResource(s->w->cluster, L"Other witness");
    assert_int_equal(OnlineClusterResource(witness), ERROR_IO_PENDING);
    assert_true(CloseClusterResource(witness));
}

/* ---- the table ---- */

#define CASE(what) #what, CLUSTER_CHANGE_##what

static const struct flag_case cases[] = {
    {CASE(NODE_STATE), L"node1", 2, the_node, false, pause_and_resume, NULL},
    {CASE(NODE_PROPERTY), L"node1", 1, the_node, false, describe_node, NULL},

    /* OnlinePending and Online. */
    {CASE(RESOURCE_STATE), L"Resource", 2, the_resource, false, online_resource, offline_resource},
    {CASE(RESOURCE_ADDED), L"Added", 1, the_resource, true, add_resource, NULL},
    {CASE(RESOURCE_DELETED), L"Added", 1, doomed_resource, false, delete_resource, NULL},
    {CASE(RESOURCE_PROPERTY), L"Resource", 1, the_resource, false, describe_resource, NULL},
    {CASE(RESOURCE_PROPERTY), L"Resource", 1, the_resource, false, set_private_property, NULL},
    {CASE(RESOURCE_PROPERTY), L"Renamed", 1, the_resource, false, rename_resource,
     rename_resource_back},
    {CASE(RESOURCE_PROPERTY), L"Resource", 1, the_resource, false, add_dependency, NULL},
    {CASE(RESOURCE_PROPERTY), L"Resource", 1, the_resource, false, remove_dependency, NULL},

    /* Pending and Online. */
    {CASE(GROUP_STATE), L"Group", 2, the_group, false, online_group, offline_group},
    {CASE(GROUP_ADDED), L"Added", 1, the_group, true, add_group, NULL},
    {CASE(GROUP_DELETED), L"Added", 1, doomed_group, false, delete_group, NULL},
    {CASE(GROUP_PROPERTY), L"Group", 1, the_group, false, describe_group, NULL},
    {CASE(GROUP_PROPERTY), L"Renamed", 1, the_group, false, rename_group, rename_group_back},
    {CASE(GROUP_PROPERTY), L"Group", 1, the_group, false, add_resource, NULL},
    {CASE(GROUP_PROPERTY), L"Group", 1, the_group, false, delete_resource, NULL},

    {CASE(RESOURCE_TYPE_ADDED), L"Novelty", 1, NULL, false, define_type, NULL},
    {CASE(RESOURCE_TYPE_DELETED), L"Novelty", 1, NULL, false, delete_type, NULL},
    {CASE(RESOURCE_TYPE_PROPERTY), L"Dummy", 1, NULL, false, describe_type, NULL},

    {CASE(CLUSTER_PROPERTY), L"testcluster", 1, the_cluster, false, describe_cluster, NULL},
    {CASE(CLUSTER_PROPERTY), L"grapes", 1, the_cluster, false, rename_cluster, rename_cluster_back},
    {CASE(CLUSTER_PROPERTY), L"testcluster", 1, the_cluster, false, make_quorum, NULL},
    {CASE(QUORUM_STATE), L"Other witness", 1, NULL, false, make_quorum_anew, NULL},
    {CASE(QUORUM_STATE), L"Other witness", 2, NULL, false, online_quorum, NULL},
};

/* The other flags: where they are tested, or why not. */
static const struct {
    DWORD flags;
    const char *where;
} elsewhere[] = {
    {CLUSTER_CHANGE_REGISTRY_NAME | CLUSTER_CHANGE_REGISTRY_ATTRIBUTES |
         CLUSTER_CHANGE_REGISTRY_VALUE | CLUSTER_CHANGE_REGISTRY_SUBTREE,
     "test_registry.c"},
    {CLUSTER_CHANGE_NETWORK_STATE | CLUSTER_CHANGE_NETWORK_DELETED | CLUSTER_CHANGE_NETWORK_ADDED |
         CLUSTER_CHANGE_NETWORK_PROPERTY | CLUSTER_CHANGE_NETINTERFACE_STATE |
         CLUSTER_CHANGE_NETINTERFACE_DELETED | CLUSTER_CHANGE_NETINTERFACE_ADDED |
         CLUSTER_CHANGE_NETINTERFACE_PROPERTY,
     "test_networks.c"},
    {CLUSTER_CHANGE_CLUSTER_RECONNECT | CLUSTER_CHANGE_CLUSTER_STATE, "test_connection.c"},
    {CLUSTER_CHANGE_HANDLE_CLOSE, "test_handle_close.c"},
    /* Changes made up by the test: */
    {CLUSTER_CHANGE_NODE_ADDED | CLUSTER_CHANGE_NODE_DELETED,
     "tests/port: a cluster of one node neither gains nor loses one"},
};

static void test_every_flag_has_a_case(void **state)
{
    (void)state;
    DWORD seen = 0;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        seen |= cases[i].flag;
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        assert_int_equal(seen & elsewhere[i].flags, 0);
        seen |= elsewhere[i].flags;
    }
    assert_int_equal(seen, CLUSTER_CHANGE_ALL);
}

#define KEY_OF_ALL 0x100000001
#define KEY_OF_ONE 0x200000002

static void run_case(struct stage *s, const struct flag_case *c)
{
    HANDLE object = c->open ? c->open(s) : NULL;
    HCHANGE all = watch(s->w, c->flag, KEY_OF_ALL);
    HCHANGE one = watch(s->w, 0, 0);
    HCHANGE both = watch(s->w, c->flag, KEY_OF_ALL);
    bool is_told = object && !c->of_others;

    print_message("%s\n", c->title);
    if (object) {
        watch_too(one, c->flag, object, KEY_OF_ONE);
        watch_too(both, c->flag, object, KEY_OF_ONE);
    }
    c->raise(s);
    for (unsigned i = 0; i < c->count; i++) {
        expect_event(all, c->flag, KEY_OF_ALL, c->name);
        expect_event(both, c->flag, KEY_OF_ALL, c->name);
        if (is_told) {
            expect_event(one, c->flag, KEY_OF_ONE, c->name);
            expect_event(both, c->flag, KEY_OF_ONE, c->name);
        }
    }
    expect_nothing(all);
    expect_nothing(one);
    expect_nothing(both);
    assert_true(CloseClusterNotifyPort(all));
    assert_true(CloseClusterNotifyPort(one));
    assert_true(CloseClusterNotifyPort(both));
    if (c->open == doomed_resource)
        assert_true(CloseClusterResource(object));
    if (c->open == doomed_group)
        assert_true(CloseClusterGroup(object));
    if (c->undo)
        c->undo(s);
}

static void test_cases(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run_case(*state, &cases[i]);
}

/* A handle's registration hears nothing of other objects of the kind. */
static void test_other_objects(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch(s->w, 0, 0);

    watch_too(port, CLUSTER_CHANGE_RESOURCE_STATE | CLUSTER_CHANGE_RESOURCE_PROPERTY, s->resource,
              KEY_OF_ONE);
    online_and_wait(s->w, s->other);
    set_common(s->other, text(L"Description", L"another"));
    offline_and_wait(s->w, s->other);
    expect_nothing(port);
    describe_resource(s); /* as it is already: no change */
    expect_nothing(port);
    assert_true(CloseClusterNotifyPort(port));
}

/* Twice registered is twice told. */
static void test_twice(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch(s->w, 0, 0);

    watch_too(port, CLUSTER_CHANGE_GROUP_PROPERTY, s->group, 1);
    watch_too(port, CLUSTER_CHANGE_GROUP_PROPERTY, s->group, 2);
    rename_group(s);
    expect_event(port, CLUSTER_CHANGE_GROUP_PROPERTY, 1, L"Renamed");
    expect_event(port, CLUSTER_CHANGE_GROUP_PROPERTY, 2, L"Renamed");
    expect_nothing(port);
    rename_group_back(s);
    assert_true(CloseClusterNotifyPort(port));
}

/* What does not go together is refused, and nothing of it is registered. */
static void test_refused(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch(s->w, 0, 0);
    HKEY root = GetClusterKey(s->w->cluster, KEY_READ);

    assert_int_equal(RegisterClusterNotify(port, CLUSTER_CHANGE_GROUP_STATE, s->resource, 1),
                     ERROR_INVALID_HANDLE);
    assert_int_equal(RegisterClusterNotify(port, CLUSTER_CHANGE_RESOURCE_STATE, root, 1),
                     ERROR_INVALID_HANDLE);
    assert_int_equal(
        RegisterClusterNotify(port, CLUSTER_CHANGE_GROUP_STATE | CLUSTER_CHANGE_RESOURCE_STATE,
                              s->group, 1),
        ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterNotify(port, CLUSTER_CHANGE_GROUP_STATE, NULL, 1),
                     ERROR_INVALID_HANDLE);
    assert_int_equal(
        RegisterClusterNotify(port, CLUSTER_CHANGE_GROUP_STATE, INVALID_HANDLE_VALUE, 1),
        ERROR_INVALID_HANDLE);
    assert_int_equal(RegisterClusterNotify(NULL, CLUSTER_CHANGE_GROUP_STATE, s->group, 1),
                     ERROR_INVALID_HANDLE);
    assert_int_equal(
        RegisterClusterNotify((HCHANGE)(void *)s->group, CLUSTER_CHANGE_GROUP_STATE, s->group, 1),
        ERROR_INVALID_HANDLE);
    online_and_wait(s->w, s->resource);
    offline_and_wait(s->w, s->resource);
    expect_nothing(port);

    SetLastError(0);
    assert_null(CreateClusterNotifyPort(port, INVALID_HANDLE_VALUE, CLUSTER_CHANGE_ALL, 1));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(CreateClusterNotifyPort(port, NULL, CLUSTER_CHANGE_ALL, 1));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_null(CreateClusterNotifyPort(NULL, s->w->cluster, CLUSTER_CHANGE_ALL, 1));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    /* The port is as before: it can be added to. */
    assert_ptr_equal(CreateClusterNotifyPort(port, s->w->cluster, CLUSTER_CHANGE_GROUP_ADDED, 1),
                     port);
    add_group(s);
    expect_event(port, CLUSTER_CHANGE_GROUP_ADDED, 1, L"Added");
    delete_group(s);
    assert_int_equal(ClusterRegCloseKey(root), ERROR_SUCCESS);
    assert_true(CloseClusterNotifyPort(port));
}

/* A port of no cluster at first. */
static void test_port_of_no_cluster(void **state)
{
    struct stage *s = *state;
    HCHANGE port = CreateClusterNotifyPort(INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE, 0, 0);

    assert_non_null(port);
    expect_nothing(port);
    add_group(s);
    assert_ptr_equal(CreateClusterNotifyPort(port, s->w->cluster, CLUSTER_CHANGE_GROUP_DELETED, 7),
                     port);
    watch_too(port, CLUSTER_CHANGE_GROUP_PROPERTY, s->group, 8);
    /* What was before the registration is not told. */
    expect_nothing(port);
    delete_group(s);
    rename_group(s);
    expect_event(port, CLUSTER_CHANGE_GROUP_DELETED, 7, L"Added");
    expect_event(port, CLUSTER_CHANGE_GROUP_PROPERTY, 8, L"Renamed");
    rename_group_back(s);
    assert_true(CloseClusterNotifyPort(port));
}

/* Handles of before and after a new name are of one cluster. */
static void test_renamed_cluster(void **state)
{
    struct stage *s = *state;
    HCHANGE port = watch(s->w, CLUSTER_CHANGE_GROUP_ADDED, 1);

    rename_cluster(s);
    HCLUSTER again = OpenCluster(L"grapes");
    assert_non_null(again);
    assert_ptr_equal(CreateClusterNotifyPort(port, again, CLUSTER_CHANGE_GROUP_DELETED, 2), port);
    rename_cluster_back(s);
    remove_group(make_group(s->w, L"g"));
    expect_event(port, CLUSTER_CHANGE_GROUP_ADDED, 1, L"g");
    expect_event(port, CLUSTER_CHANGE_GROUP_DELETED, 2, L"g");
    expect_nothing(port);
    assert_true(CloseCluster(again));
    assert_true(CloseClusterNotifyPort(port));
}

/* ---- the stage ---- */

static int stage_setup(void **state)
{
    struct stage *s = calloc(1, sizeof(*s));
    char types[1024];

    strcpy(s->types, "/tmp/clusport-types-XXXXXX");
    assert_non_null(mkdtemp(s->types));
    snprintf(types, sizeof types, "%s:%s", s->types, source_path("tests/notify/types"));
    s->w = world_start((const char *[]){"--types", types, NULL});
    s->node = OpenClusterNode(s->w->cluster, L"node1");
    assert_non_null(s->node);
    s->group = make_group(s->w, L"Group");
    s->resource = make_resource(s->group, L"Resource", L"Dummy");
    s->other = make_resource(s->group, L"Other", L"Dummy");
    HGROUP core = make_group(s->w, L"Witnesses");
    assert_true(CloseClusterResource(make_resource(core, L"Witness", L"Witness")));
    assert_true(CloseClusterResource(make_resource(core, L"Other witness", L"Witness")));
    assert_true(CloseClusterGroup(core));
    *state = s;
    return 0;
}

static int stage_teardown(void **state)
{
    struct stage *s = *state;

    assert_true(CloseClusterResource(s->other));
    assert_true(CloseClusterResource(s->resource));
    assert_true(CloseClusterGroup(s->group));
    assert_true(CloseClusterNode(s->node));
    world_stop(s->w);
    shell("rm -rf %s", s->types);
    free(s);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_flag_has_a_case),
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_other_objects),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_port_of_no_cluster),
        cmocka_unit_test(test_renamed_cluster),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
