/* SPDX-License-Identifier: MIT */
#include "lib/support.h"

#include <stdlib.h>
#include <string.h>

static DWORD group_owner(void *context, LPWSTR buffer, LPDWORD cch)
{
    SetLastError(ERROR_SUCCESS);
    CLUSTER_GROUP_STATE s = GetClusterGroupState(context, buffer, cch);
    assert_int_equal(s == ClusterGroupStateUnknown, GetLastError() != ERROR_SUCCESS);
    return GetLastError();
}

static void groups(void **state)
{
    (void)state;
    HGROUP group = CreateClusterGroup(cluster, L"Gr\u00fcn");
    assert_non_null(group);
    assert_fails(CreateClusterGroup(cluster, L"GR\u00dcN"), ERROR_OBJECT_ALREADY_EXISTS);
    assert_fails(CreateClusterGroup(cluster, NULL), ERROR_INVALID_PARAMETER);
    assert_fails(CreateClusterGroup(NULL, L"x"), ERROR_INVALID_HANDLE);
    check_text(group_owner, group, L"node1");
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOffline);

    WCHAR id[64];
    DWORD size = 0;
    assert_int_equal(
        ClusterGroupControl(group, NULL, CLUSCTL_GROUP_GET_ID, NULL, 0, id, sizeof(id), &size),
        ERROR_SUCCESS);
    assert_int_equal(size, (lstrlenW(id) + 1) * sizeof(WCHAR));
    HGROUP by_id = OpenClusterGroup(cluster, id), by_name = OpenClusterGroup(cluster, L"gr\u00dcn");
    assert_non_null(by_id);
    assert_non_null(by_name);
    assert_int_equal(SetClusterGroupName(group, L"Blau"), ERROR_SUCCESS);
    assert_fails(OpenClusterGroup(cluster, L"gr\u00dcn"), ERROR_GROUP_NOT_FOUND);
    assert_fails(OpenClusterGroup(cluster, L""), ERROR_GROUP_NOT_FOUND);
    WCHAR name[64];
    assert_int_equal(ClusterGroupControl(by_name, NULL, CLUSCTL_GROUP_GET_NAME, NULL, 0, name,
                                         sizeof(name), &size),
                     ERROR_SUCCESS);
    assert_wide_equal(name, L"Blau");

    HNODE node = OpenClusterNode(cluster, NULL);
    assert_int_equal(OnlineClusterGroup(group, node), ERROR_SUCCESS);
    assert_int_equal(OfflineClusterGroup(group), ERROR_SUCCESS);
    assert_int_equal(OnlineClusterGroup(group, (HNODE)group), ERROR_INVALID_HANDLE);
    assert_int_not_equal(MoveClusterGroup(group, NULL), ERROR_INVALID_HANDLE);
    CloseClusterNode(node);
    HCLUSTER other = GetClusterFromGroup(group);
    assert_non_null(other);
    assert_true(CloseCluster(other));

    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    DWORD error = DeleteClusterGroup(by_id);
    assert_true(error == ERROR_GROUP_NOT_FOUND || error == ERROR_GROUP_NOT_AVAILABLE);
    assert_true(CloseClusterGroup(group));
    assert_true(CloseClusterGroup(by_id));
    assert_true(CloseClusterGroup(by_name));
    assert_fails(CloseClusterGroup(by_name), ERROR_INVALID_HANDLE);
}

static DWORD resource_owner(void *context, LPWSTR buffer, LPDWORD cch)
{
    SetLastError(ERROR_SUCCESS);
    GetClusterResourceState(context, buffer, cch, NULL, NULL);
    return GetLastError();
}

static DWORD resource_group(void *context, LPWSTR buffer, LPDWORD cch)
{
    SetLastError(ERROR_SUCCESS);
    GetClusterResourceState(context, NULL, NULL, buffer, cch);
    return GetLastError();
}

static void states_and_texts(HRESOURCE resource)
{
    check_text(resource_owner, resource, L"node1");
    check_text(resource_group, resource, L"life");
    WCHAR node[3], group[3];
    DWORD cch_node = 3, cch_group = 3;
    SetLastError(ERROR_SUCCESS);
    assert_int_equal(GetClusterResourceState(resource, node, &cch_node, group, &cch_group),
                     ClusterResourceStateUnknown);
    assert_int_equal(GetLastError(), ERROR_MORE_DATA);
    assert_int_equal(cch_node, 5);
    assert_int_equal(cch_group, 4);
}

static void a_resource_lives(void **state)
{
    (void)state;
    HGROUP group;
    HRESOURCE resource = make_resource(L"life", DUMMY, &group);
    states_and_texts(resource);
    WCHAR type[64];
    DWORD size = 0;
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_GET_RESOURCE_TYPE,
                                            NULL, 0, type, sizeof(type), &size),
                     ERROR_SUCCESS);
    assert_int_equal(lstrcmpi(type, DUMMY), 0);
    assert_int_equal(DeleteClusterGroup(group), ERROR_DIR_NOT_EMPTY);
    assert_int_equal(FailClusterResource(resource), ERROR_INVALID_STATE);

    DWORD error = OnlineClusterResource(resource);
    assert_true(error == ERROR_SUCCESS || error == ERROR_IO_PENDING);
    wait_for_state(resource, ClusterResourceOnline);
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOnline);
    error = DeleteClusterResource(resource);
    assert_true(error == ERROR_RESOURCE_ONLINE || error == ERROR_INVALID_STATE);
    error = OfflineClusterResource(resource);
    assert_true(error == ERROR_SUCCESS || error == ERROR_IO_PENDING);
    wait_for_state(resource, ClusterResourceOffline);

    assert_int_equal(SetClusterResourceName(resource, L"renamed"), ERROR_SUCCESS);
    HRESOURCE again = OpenClusterResource(cluster, L"RENAMED");
    assert_non_null(again);
    assert_fails(OpenClusterResource(cluster, L"life"), ERROR_RESOURCE_NOT_FOUND);
    HCLUSTER other = GetClusterFromResource(again);
    assert_non_null(other);
    CloseCluster(other);
    assert_fails(CreateClusterResource(group, L"renamed", DUMMY, 0), ERROR_OBJECT_ALREADY_EXISTS);
    assert_fails(CreateClusterResource(group, L"x", L"no such type", 0),
                 ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND);
    assert_fails(CreateClusterResource(group, L"x", DUMMY, 0x80), ERROR_INVALID_PARAMETER);
    assert_fails(CreateClusterResource(group, L"x", NULL, 0), ERROR_INVALID_PARAMETER);
    delete_resource(resource, group);
    SetLastError(ERROR_SUCCESS);
    assert_int_equal(GetClusterResourceState(again, NULL, NULL, NULL, NULL),
                     ClusterResourceStateUnknown);
    assert_true(GetLastError() == ERROR_RESOURCE_NOT_FOUND ||
                GetLastError() == ERROR_RESOURCE_NOT_AVAILABLE);
    CloseClusterResource(again);
}

/* A property list of one text, in the program's own WCHARs. */
static DWORD text_property(BYTE *out, LPCWSTR name, LPCWSTR value)
{
    DWORD at = 0, count = 1, end = CLUSPROP_SYNTAX_ENDMARK;
    const struct {
        DWORD syntax;
        LPCWSTR text;
    } entries[] = {{CLUSPROP_SYNTAX_NAME, name}, {CLUSPROP_SYNTAX_LIST_VALUE_SZ, value}};
    memcpy(out, &count, 4);
    at = 4;
    for (int i = 0; i < 2; i++) {
        DWORD bytes = (DWORD)((lstrlenW(entries[i].text) + 1) * (int)sizeof(WCHAR));
        memcpy(out + at, &entries[i].syntax, 4);
        memcpy(out + at + 4, &bytes, 4);
        memcpy(out + at + 8, entries[i].text, bytes);
        memset(out + at + 8 + bytes, 0, 4);
        at += 8 + (bytes + 3) / 4 * 4;
    }
    memcpy(out + at, &end, 4);
    return at + 4;
}

/* The text value of a property in a list, or NULL. */
static LPCWSTR find_text(const BYTE *list, DWORD size, LPCWSTR wanted)
{
    for (DWORD at = 4; at + 8 <= size;) {
        DWORD syntax, bytes;
        memcpy(&syntax, list + at, 4);
        if (syntax == CLUSPROP_SYNTAX_ENDMARK) {
            at += 4;
            continue;
        }
        memcpy(&bytes, list + at + 4, 4);
        const void *data = list + at + 8;
        at += 8 + (bytes + 3) / 4 * 4;
        assert_true(at <= size);
        if (syntax == CLUSPROP_SYNTAX_NAME && lstrcmpiW(data, wanted) == 0)
            return (const void *)(list + at + 8);
    }
    return NULL;
}

static void properties(void **state)
{
    (void)state;
    HGROUP group;
    HRESOURCE resource = make_resource(L"properties", DUMMY, &group);
    BYTE list[1024], got[32768];
    DWORD size = text_property(list, L"Description", L"d\u00e4\U0001f600"), needed = 0, given = 0;
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_SET_COMMON_PROPERTIES,
                                            list, size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_GET_COMMON_PROPERTIES,
                                            NULL, 0, NULL, 0, &needed),
                     ERROR_MORE_DATA);
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_GET_COMMON_PROPERTIES,
                                            NULL, 0, got, needed - 1, &given),
                     ERROR_MORE_DATA);
    assert_int_equal(given, needed);
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_GET_COMMON_PROPERTIES,
                                            NULL, 0, got, needed, &given),
                     ERROR_SUCCESS);
    assert_int_equal(given, needed);
    assert_wide_equal(find_text(got, given, L"Description"), L"d\u00e4\U0001f600");

    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_SET_COMMON_PROPERTIES,
                                            list, size - 8, NULL, 0, NULL),
                     ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_SET_COMMON_PROPERTIES,
                                            NULL, 0, NULL, 0, NULL),
                     RPC_X_BAD_STUB_DATA);
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_SET_COMMON_PROPERTIES,
                                            NULL, 4, NULL, 0, NULL),
                     ERROR_INVALID_PARAMETER);

    size = text_property(list, L"Freely named", L"value");
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_SET_PRIVATE_PROPERTIES,
                                            list, size, NULL, 0, NULL),
                     ERROR_SUCCESS);
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_GET_PRIVATE_PROPERTIES,
                                            NULL, 0, got, sizeof(got), &given),
                     ERROR_SUCCESS);
    assert_wide_equal(find_text(got, given, L"freely named"), L"value");
    assert_int_equal(ClusterResourceControl(resource, NULL,
                                            CLUSCTL_RESOURCE_GET_COMMON_PROPERTY_FMTS, NULL, 0, got,
                                            sizeof(got), &given),
                     ERROR_SUCCESS);
    assert_non_null(find_text(got, given, L"Description"));
    assert_int_equal(ClusterResourceControl(resource, NULL,
                                            CLUSCTL_RESOURCE_ENUM_PRIVATE_PROPERTIES, NULL, 0, got,
                                            sizeof(got), &given),
                     ERROR_SUCCESS);
    assert_int_equal(given % sizeof(WCHAR), 0);
    DWORD flags = 77;
    assert_int_equal(ClusterResourceControl(resource, NULL, CLUSCTL_RESOURCE_GET_FLAGS, NULL, 0,
                                            &flags, sizeof(flags), &given),
                     ERROR_SUCCESS);
    assert_int_equal(given, sizeof(flags));
    assert_int_equal(flags, 0);
    assert_int_equal(ClusterResourceControl(resource, (HNODE)resource, CLUSCTL_RESOURCE_GET_FLAGS,
                                            NULL, 0, &flags, sizeof(flags), &given),
                     ERROR_INVALID_HANDLE);
    HNODE node = OpenClusterNode(cluster, NULL);
    assert_int_equal(ClusterResourceControl(resource, node, CLUSCTL_RESOURCE_GET_FLAGS, NULL, 0,
                                            &flags, sizeof(flags), &given),
                     ERROR_SUCCESS);
    CloseClusterNode(node);
    delete_resource(resource, group);
}

static DWORD expression(void *context, LPWSTR buffer, LPDWORD cch)
{
    return GetClusterResourceDependencyExpression(context, buffer, cch);
}

static void dependencies(void **state)
{
    (void)state;
    HGROUP group;
    HRESOURCE top = make_resource(L"top", DUMMY, &group);
    HRESOURCE below = CreateClusterResource(group, L"below", DUMMY, 0);
    assert_non_null(below);
    check_text(expression, top, L"");
    assert_true(CanResourceBeDependent(top, below));
    assert_int_equal(AddClusterResourceDependency(top, below), ERROR_SUCCESS);
    assert_int_equal(AddClusterResourceDependency(top, below), ERROR_DEPENDENCY_ALREADY_EXISTS);
    assert_int_equal(AddClusterResourceDependency(below, top), ERROR_CIRCULAR_DEPENDENCY);
    assert_fails(CanResourceBeDependent(below, top), ERROR_SUCCESS);
    assert_fails(CanResourceBeDependent(below, NULL), ERROR_INVALID_HANDLE);
    check_text(expression, top, L"([below])");

    HRESENUM e = ClusterResourceOpenEnum(top, CLUSTER_RESOURCE_ENUM_DEPENDS);
    assert_non_null(e);
    assert_int_equal(ClusterResourceGetEnumCount(e), 1);
    WCHAR name[64];
    DWORD cch = 64, type = 0;
    assert_int_equal(ClusterResourceEnum(e, 0, &type, name, &cch), ERROR_SUCCESS);
    assert_wide_equal(name, L"below");
    assert_int_equal(type, CLUSTER_RESOURCE_ENUM_DEPENDS);
    assert_int_equal(ClusterResourceCloseEnum(e), ERROR_SUCCESS);

    HGROUPENUM members = ClusterGroupOpenEnum(group, CLUSTER_GROUP_ENUM_CONTAINS);
    assert_int_equal(ClusterGroupGetEnumCount(members), 2);
    cch = 64;
    assert_int_equal(ClusterGroupEnum(members, 1, &type, name, &cch), ERROR_SUCCESS);
    assert_wide_equal(name, L"below");
    assert_int_equal(ClusterGroupCloseEnum(members), ERROR_SUCCESS);

    HGROUP other = CreateClusterGroup(cluster, L"other");
    assert_int_equal(ChangeClusterResourceGroup(top, other), ERROR_SUCCESS);
    check_text(resource_group, below, L"other");
    assert_int_equal(ChangeClusterResourceGroup(top, group), ERROR_SUCCESS);
    assert_int_equal(DeleteClusterGroup(other), ERROR_SUCCESS);
    CloseClusterGroup(other);

    assert_int_equal(DeleteClusterResource(below), ERROR_DEPENDENT_RESOURCE_EXISTS);
    assert_int_equal(RemoveClusterResourceDependency(top, below), ERROR_SUCCESS);
    assert_int_equal(RemoveClusterResourceDependency(top, below), ERROR_DEPENDENCY_NOT_FOUND);
    assert_int_equal(DeleteClusterResource(below), ERROR_SUCCESS);
    CloseClusterResource(below);
    delete_resource(top, group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups),
        cmocka_unit_test(a_resource_lives),
        cmocka_unit_test(properties),
        cmocka_unit_test(dependencies),
    };
    return cmocka_run_group_tests(tests, start_service, stop_service);
}
