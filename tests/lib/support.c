/* SPDX-License-Identifier: MIT */
#include "lib/support.h"

#include <stdlib.h>
#include <string.h>

struct test_service *service;
HCLUSTER cluster;

int start_service(void **state)
{
    (void)state;
    const char *const args[] = {"--networks", "lo", NULL};
    service = service_start(args);
    cluster = OpenCluster(NULL);
    return cluster ? 0 : -1;
}

int stop_service(void **state)
{
    (void)state;
    CloseCluster(cluster);
    service_stop(service);
    return 0;
}

void check_text(text_fn get, void *context, LPCWSTR expected)
{
    DWORD length = (DWORD)lstrlenW(expected);
    WCHAR buffer[512];
    DWORD cch = 512;
    assert_int_equal(get(context, buffer, &cch), ERROR_SUCCESS);
    assert_wide_equal(buffer, expected);
    assert_int_equal(cch, length);

    cch = length + 1; /* exactly enough */
    assert_int_equal(get(context, buffer, &cch), ERROR_SUCCESS);
    assert_int_equal(cch, length);

    cch = 0;
    assert_int_equal(get(context, NULL, &cch), ERROR_SUCCESS);
    assert_int_equal(cch, length);

    memset(buffer, 0x55, sizeof(buffer));
    WCHAR beyond = buffer[length];
    cch = length; /* no room for the NUL */
    assert_int_equal(get(context, buffer, &cch), ERROR_MORE_DATA);
    assert_int_equal(cch, length);
    assert_int_equal(buffer[length], beyond);
    assert_int_equal(get(context, buffer, NULL), ERROR_INVALID_PARAMETER);
}

HRESOURCE make_resource(LPCWSTR name, LPCWSTR type, HGROUP *ret_group)
{
    *ret_group = CreateClusterGroup(cluster, name);
    assert_non_null(*ret_group);
    HRESOURCE resource = CreateClusterResource(*ret_group, name, type, 0);
    if (!resource)
        fail_msg("no resource: %u", GetLastError());
    return resource;
}

void delete_resource(HRESOURCE resource, HGROUP group)
{
    assert_int_equal(DeleteClusterResource(resource), ERROR_SUCCESS);
    assert_true(CloseClusterResource(resource));
    assert_int_equal(DeleteClusterGroup(group), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(group));
}

void wait_for_state(HRESOURCE resource, CLUSTER_RESOURCE_STATE state)
{
    CLUSTER_RESOURCE_STATE now;
    do {
        now = GetClusterResourceState(resource, NULL, NULL, NULL, NULL);
        assert_int_not_equal(now, ClusterResourceStateUnknown);
    } while (now != state);
}
