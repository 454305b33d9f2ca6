/* SPDX-License-Identifier: MIT */
#include "notify/loop.h"

#include <string.h>

/* REGISTRY_NAME, _VALUE and _ATTRIBUTES, with and without REGISTRY_SUBTREE. The name told is the
 * key's path from the root of the cluster's registry. */

#define ALL_OF_A_KEY                                                                               \
    (CLUSTER_CHANGE_REGISTRY_NAME | CLUSTER_CHANGE_REGISTRY_VALUE |                                \
     CLUSTER_CHANGE_REGISTRY_ATTRIBUTES)
#define WITH_SUBTREE (ALL_OF_A_KEY | CLUSTER_CHANGE_REGISTRY_SUBTREE)

static HKEY make_key(HKEY parent, LPCWSTR name)
{
    HKEY key = NULL;
    DWORD disposition = 0;

    assert_int_equal(ClusterRegCreateKey(parent, name, 0, KEY_ALL_ACCESS, NULL, &key, &disposition),
                     ERROR_SUCCESS);
    assert_int_equal(disposition, REG_CREATED_NEW_KEY);
    return key;
}

static void close_key(HKEY key)
{
    assert_int_equal(ClusterRegCloseKey(key), ERROR_SUCCESS);
}

static void set_number(HKEY key, LPCWSTR name, DWORD value)
{
    assert_int_equal(ClusterRegSetValue(key, name, REG_DWORD, (const BYTE *)&value, sizeof value),
                     ERROR_SUCCESS);
}

/* An empty list of rights, so: nobody but who may anyway. */
static void set_security(HKEY key)
{
    static const struct {
        SECURITY_DESCRIPTOR_RELATIVE head;
        BYTE acl[8];
    } none = {{.Revision = 1, .Control = 0x8004, .Dacl = sizeof(SECURITY_DESCRIPTOR_RELATIVE)},
              {2, 0, 8, 0, 0, 0, 0, 0}};

    assert_int_equal(
        ClusterRegSetKeySecurity(key, DACL_SECURITY_INFORMATION, (void *)(DWORD_PTR)&none),
        ERROR_SUCCESS);
}

struct ports {
    HCHANGE root, tree; /* cluster-wide: the root key, and all */
    HCHANGE key, below; /* Software, and all below it too */
    HCHANGE all[4];
};

static struct ports watch_keys(struct world *w, HKEY key)
{
    struct ports p = {
        .root = watch(w, ALL_OF_A_KEY, 1),
        .tree = watch(w, WITH_SUBTREE, 2),
        .key = watch(w, 0, 0),
        .below = watch(w, 0, 0),
    };

    watch_too(p.key, ALL_OF_A_KEY, key, 3);
    watch_too(p.below, WITH_SUBTREE, key, 4);
    memcpy(p.all, (HCHANGE[]){p.root, p.tree, p.key, p.below}, sizeof p.all);
    return p;
}

static void nothing_more(const struct ports *p)
{
    for (size_t i = 0; i < 4; i++)
        expect_nothing(p->all[i]);
}

static void close_ports(struct ports *p)
{
    nothing_more(p);
    for (size_t i = 0; i < 4; i++)
        assert_true(CloseClusterNotifyPort(p->all[i]));
}

static void test_keys(void **state)
{
    struct world *w = *state;
    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS);
    HKEY software = make_key(root, L"Software");
    struct ports p = watch_keys(w, software);

    HKEY demo = make_key(software, L"Demo");
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_NAME, 2, L"Software\\Demo");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_NAME, 4, L"Software\\Demo");
    nothing_more(&p);

    /* The keys above are made too, each a change of its own. */
    HKEY deep = make_key(software, L"One\\Two");
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_NAME, 2, L"Software\\One");
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_NAME, 2, L"Software\\One\\Two");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_NAME, 4, L"Software\\One");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_NAME, 4, L"Software\\One\\Two");
    nothing_more(&p);

    /* A neighbour whose name begins alike is not below. */
    HKEY neighbour = make_key(root, L"Software2");
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_NAME, 2, L"Software2");
    nothing_more(&p);

    assert_int_equal(ClusterRegDeleteKey(software, L"demo"), ERROR_SUCCESS);
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_NAME, 2, L"Software\\Demo");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_NAME, 4, L"Software\\Demo");
    assert_int_equal(ClusterRegDeleteKey(software, L"One"), ERROR_DIR_NOT_EMPTY);
    assert_int_equal(ClusterRegDeleteKey(software, L"One\\Two"), ERROR_SUCCESS);
    assert_int_equal(ClusterRegDeleteKey(software, L"One"), ERROR_SUCCESS);
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_NAME, 2, L"Software\\One\\Two");
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_NAME, 2, L"Software\\One");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_NAME, 4, L"Software\\One\\Two");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_NAME, 4, L"Software\\One");
    nothing_more(&p);

    /* The watched key's own end. */
    assert_int_equal(ClusterRegDeleteKey(root, L"Software"), ERROR_SUCCESS);
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_NAME, 2, L"Software");
    expect_event(p.key, CLUSTER_CHANGE_REGISTRY_NAME, 3, L"Software");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_NAME, 4, L"Software");
    close_ports(&p);
    close_key(neighbour);
    close_key(deep);
    close_key(demo);
    close_key(software);
    close_key(root);
}

static void test_values(void **state)
{
    struct world *w = *state;
    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS);
    HKEY key = make_key(root, L"Values");
    HKEY sub = make_key(key, L"Sub");
    struct ports p = watch_keys(w, key);

    set_number(root, L"at the root", 1);
    expect_event(p.root, CLUSTER_CHANGE_REGISTRY_VALUE, 1, L"");
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_VALUE, 2, L"");
    nothing_more(&p);

    set_number(key, L"number", 1);
    set_number(key, L"number", 1); /* is so already: no change */
    set_number(key, L"number", 2);
    assert_int_equal(ClusterRegDeleteValue(key, L"number"), ERROR_SUCCESS);
    for (int i = 0; i < 3; i++) {
        expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_VALUE, 2, L"Values");
        expect_event(p.key, CLUSTER_CHANGE_REGISTRY_VALUE, 3, L"Values");
        expect_event(p.below, CLUSTER_CHANGE_REGISTRY_VALUE, 4, L"Values");
    }
    nothing_more(&p);

    set_number(sub, L"deeper", 3);
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_VALUE, 2, L"Values\\Sub");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_VALUE, 4, L"Values\\Sub");
    close_ports(&p);
    close_key(sub);
    close_key(key);
    close_key(root);
}

static void test_attributes(void **state)
{
    struct world *w = *state;
    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS);
    HKEY key = make_key(root, L"Secured");
    HKEY sub = make_key(key, L"Sub");
    struct ports p = watch_keys(w, key);

    set_security(key);
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_ATTRIBUTES, 2, L"Secured");
    expect_event(p.key, CLUSTER_CHANGE_REGISTRY_ATTRIBUTES, 3, L"Secured");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_ATTRIBUTES, 4, L"Secured");
    set_security(sub);
    expect_event(p.tree, CLUSTER_CHANGE_REGISTRY_ATTRIBUTES, 2, L"Secured\\Sub");
    expect_event(p.below, CLUSTER_CHANGE_REGISTRY_ATTRIBUTES, 4, L"Secured\\Sub");
    close_ports(&p);
    close_key(sub);
    close_key(key);
    close_key(root);
}

/* Each flag for itself: the others' events do not come. */
static void test_single_flags(void **state)
{
    struct world *w = *state;
    HKEY root = GetClusterKey(w->cluster, KEY_ALL_ACCESS);
    HCHANGE name = watch(w, CLUSTER_CHANGE_REGISTRY_NAME | CLUSTER_CHANGE_REGISTRY_SUBTREE, 1);
    HCHANGE value = watch(w, CLUSTER_CHANGE_REGISTRY_VALUE | CLUSTER_CHANGE_REGISTRY_SUBTREE, 2);
    HCHANGE security =
        watch(w, CLUSTER_CHANGE_REGISTRY_ATTRIBUTES | CLUSTER_CHANGE_REGISTRY_SUBTREE, 3);
    HCHANGE overlap = watch(w, CLUSTER_CHANGE_REGISTRY_VALUE | CLUSTER_CHANGE_REGISTRY_SUBTREE, 4);

    HKEY key = make_key(root, L"Single");
    watch_too(overlap, CLUSTER_CHANGE_REGISTRY_VALUE, key, 5);
    set_number(key, L"number", 1);
    set_security(key);
    expect_event(name, CLUSTER_CHANGE_REGISTRY_NAME, 1, L"Single");
    expect_event(value, CLUSTER_CHANGE_REGISTRY_VALUE, 2, L"Single");
    expect_event(security, CLUSTER_CHANGE_REGISTRY_ATTRIBUTES, 3, L"Single");
    expect_event(overlap, CLUSTER_CHANGE_REGISTRY_VALUE, 4, L"Single");
    expect_event(overlap, CLUSTER_CHANGE_REGISTRY_VALUE, 5, L"Single");
    HCHANGE ports[] = {name, value, security, overlap};
    for (size_t i = 0; i < 4; i++) {
        expect_nothing(ports[i]);
        assert_true(CloseClusterNotifyPort(ports[i]));
    }
    close_key(key);
    close_key(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_single_flags),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
