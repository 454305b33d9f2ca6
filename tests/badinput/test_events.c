/* SPDX-License-Identifier: MIT */
#include "badinput/stage.h"

#include <stdlib.h>
#include <string.h>

/* The buffers of GetClusterNotifyV2: with every room for each of them, alone and together, the
 * event is kept until all fit, all sizes are told, and nothing is written behind a buffer. */

enum { OBJECT, PARENT, NAME, TYPE, TEXTS };

struct told {
    DWORD size;
    DWORD cch[TEXTS];
    BYTE data[1024];
    WCHAR text[TEXTS][128];
};

static DWORD get(HCHANGE port, BYTE *data, WCHAR *const text[TEXTS], struct told *t)
{
    NOTIFY_FILTER_AND_TYPE filter = {0};
    DWORD_PTR key = 0;
    DWORD error = GetClusterNotifyV2(port, &key, &filter, data, &t->size, text[OBJECT],
                                     &t->cch[OBJECT], text[PARENT], &t->cch[PARENT], text[NAME],
                                     &t->cch[NAME], text[TYPE], &t->cch[TYPE], 0);
    if (error == ERROR_SUCCESS || error == ERROR_MORE_DATA) {
        assert_int_equal(filter.dwObjectType, CLUSTER_OBJECT_TYPE_RESOURCE);
        assert_int_equal(filter.FilterFlags, CLUSTER_CHANGE_RESOURCE_COMMON_PROPERTY_V2);
        assert_int_equal(key, 7);
    }
    return error;
}

static HCHANGE listen(const struct stage *s)
{
    NOTIFY_FILTER_AND_TYPE filter = {CLUSTER_OBJECT_TYPE_RESOURCE,
                                     CLUSTER_CHANGE_RESOURCE_COMMON_PROPERTY_V2};
    HCHANGE port = CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, s->cluster, &filter, 1, 7);
    assert_non_null(port);
    return port;
}

/* A change with something for each buffer. */
static void change(const struct stage *s, LPCWSTR name)
{
    assert_int_equal(SetClusterResourceName(s->resource, name), ERROR_SUCCESS);
}

/* What the event holds, without consuming it: the name has no room. */
static struct told look(HCHANGE port)
{
    struct told t = {.size = sizeof(t.data), .cch = {128, 128, 0, 128}};
    WCHAR *const text[TEXTS] = {t.text[OBJECT], t.text[PARENT], t.text[NAME], t.text[TYPE]};
    assert_int_equal(get(port, t.data, text, &t), ERROR_MORE_DATA);
    assert_true(t.size > 4 && t.cch[OBJECT] > 0 && t.cch[PARENT] > 0 && t.cch[NAME] > 0 &&
                t.cch[TYPE] > 0);
    return t;
}

/* All buffers are exactly large enough but the one: -1 is that for the data. */
static DWORD try(HCHANGE port, const struct told *whole, int small, DWORD room)
{
    struct told t = *whole;
    WCHAR *text[TEXTS];
    size_t size[TEXTS];
    if (small == -1)
        t.size = room;
    size_t data_size = t.size;
    BYTE *data = malloc(data_size + 1);
    memset(data, 0x5a, data_size + 1);
    for (int i = 0; i < TEXTS; i++) {
        t.cch[i] = small == i ? room : whole->cch[i] + 1;
        size[i] = t.cch[i] * sizeof(WCHAR);
        text[i] = malloc(size[i] + 1);
        memset(text[i], 0x5a, size[i] + 1);
    }
    DWORD error = get(port, data, text, &t);
    assert_int_equal(t.size, whole->size);
    assert_int_equal(data[data_size], 0x5a);
    if (small != -1)
        assert_memory_equal(data, whole->data, whole->size);
    for (int i = 0; i < TEXTS; i++) {
        assert_int_equal(t.cch[i], whole->cch[i]);
        assert_int_equal(((BYTE *)text[i])[size[i]], 0x5a);
        if (i != small && i != NAME)
            assert_int_equal(lstrcmpW(text[i], whole->text[i]), 0);
        free(text[i]);
    }
    free(data);
    return error;
}

static void test_each_buffer(void **state)
{
    const struct stage *s = *state;
    HCHANGE port = listen(s);
    change(s, L"another name");
    change(s, L"stage");
    for (int again = 0; again < 2; again++) { /* the second event is there all the time */
        const struct told whole = look(port);
        for (int small = -1; small < TEXTS; small++) {
            DWORD needed = small == -1 ? whole.size : whole.cch[small] + 1;
            for (DWORD room = 0; room < needed; room++)
                assert_int_equal(try(port, &whole, small, room), ERROR_MORE_DATA);
        }
        assert_int_equal(try(port, &whole, NAME, whole.cch[NAME] + 1 + (DWORD)again),
                         ERROR_SUCCESS);
    }
    struct told t = {0};
    WCHAR *const none[TEXTS] = {NULL};
    assert_int_equal(get(port, NULL, none, &t), WAIT_TIMEOUT);
    assert_true(CloseClusterNotifyPort(port));
}

/* A buffer without its size is refused before the event is looked at. */
static void test_no_sizes(void **state)
{
    const struct stage *s = *state;
    HCHANGE port = listen(s);
    change(s, L"no sizes");
    WCHAR text[128];
    BYTE data[1024];
    DWORD_PTR key = 0x5a;
    NOTIFY_FILTER_AND_TYPE filter = {0x5a, 0x5a};
    for (int missing = 0; missing < 6; missing++) {
        DWORD size = sizeof(data), cch = 128;
        assert_int_equal(GetClusterNotifyV2(
                             port, missing == 5 ? NULL : &key, &filter, data,
                             missing == 4 ? NULL : &size, text, missing == OBJECT ? NULL : &cch,
                             text, missing == PARENT ? NULL : &cch, text,
                             missing == NAME ? NULL : &cch, text, missing == TYPE ? NULL : &cch, 0),
                         ERROR_INVALID_PARAMETER);
        assert_int_equal(size, sizeof(data));
        assert_int_equal(cch, 128);
    }
    assert_int_equal(key, 0x5a);
    assert_int_equal(filter.dwObjectType, 0x5a);
    /* The key alone is enough, and takes it. */
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, 0),
                     ERROR_SUCCESS);
    assert_int_equal(key, 7);
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, 0),
                     WAIT_TIMEOUT);
    change(s, L"stage");
    assert_true(CloseClusterNotifyPort(port));
}

/* ---- filters ---- */

static void test_filters(void **state)
{
    const struct stage *s = *state;
    static const NOTIFY_FILTER_AND_TYPE wrong[] = {
        {0, 1},
        {99, 1},
        {0xffffffff, 1},
        {CLUSTER_OBJECT_TYPE_GROUP, 0x400},
        {CLUSTER_OBJECT_TYPE_GROUP, INT64_MIN},
        {CLUSTER_OBJECT_TYPE_GROUP, -1},
        {CLUSTER_OBJECT_TYPE_RESOURCE, 1ll << 40},
        {CLUSTER_OBJECT_TYPE_QUORUM, 2},
    };
    HCHANGE port = listen(s);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        NOTIFY_FILTER_AND_TYPE filters[2] = {
            {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_ALL_V2}, wrong[i]};
        assert_null(CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, s->cluster, filters, 2, 0));
        assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
        assert_null(CreateClusterNotifyPortV2(port, s->cluster, filters, 2, 0));
        assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
        assert_int_equal(RegisterClusterNotifyV2(port, wrong[i], s->group, 0),
                         ERROR_INVALID_PARAMETER);
    }
    /* Several types in one registration of version 1. */
    HCHANGE v1 = good_handle(s, KIND_PORT_V1);
    assert_int_equal(RegisterClusterNotify(
                         v1, CLUSTER_CHANGE_GROUP_STATE | CLUSTER_CHANGE_NODE_STATE, s->group, 0),
                     ERROR_INVALID_PARAMETER);
    /* None of the good filters beside a wrong one was registered: nothing comes of them. */
    DWORD_PTR key = 0;
    assert_int_equal(SetClusterGroupName(s->group, L"renamed"), ERROR_SUCCESS);
    assert_int_equal(SetClusterGroupName(s->group, L"stage"), ERROR_SUCCESS);
    assert_int_equal(GetClusterNotifyV2(port, &key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, 0),
                     WAIT_TIMEOUT);
    assert_true(CloseClusterNotifyPort(port));
}

static DWORD own(const struct stage *s, const CLUSPORT_FILTER *filter,
                 const CLUSPORT_OPTIONS *options)
{
    HCHANGE port = (HCHANGE)(void *)(uintptr_t)0x5a;
    DWORD error = ClusportCreatePort(s->cluster, filter, filter ? 1 : 0, options, &port);
    if (error == ERROR_SUCCESS)
        assert_true(CloseClusterNotifyPort(port));
    else
        assert_ptr_equal(port, (HCHANGE)(void *)(uintptr_t)0x5a);
    return error;
}

static void test_own_filters(void **state)
{
    const struct stage *s = *state;
    static const char *const kinds[] = {"",   ",",         "nothing",         "resource.state,",
                                        " *", "re*source", "resource.statex", "RESOURCE.STATE",
                                        "**", "group.*,,", "\xff\xfe"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        CLUSPORT_FILTER filter = {.cbSize = sizeof(filter), .pszKinds = kinds[i]};
        if (own(s, &filter, NULL) != ERROR_INVALID_PARAMETER)
            fail_msg("\"%s\" is taken", kinds[i]);
    }
    char *many = malloc(1u << 20);
    memset(many, 'x', 1u << 20);
    many[(1u << 20) - 1] = '\0';
    CLUSPORT_FILTER filter = {.cbSize = sizeof(filter), .pszKinds = many};
    assert_int_equal(own(s, &filter, NULL), ERROR_INVALID_PARAMETER);
    free(many);
    for (DWORD size = 0; size < sizeof(filter); size += 4) {
        filter = (CLUSPORT_FILTER){.cbSize = size};
        assert_int_equal(own(s, &filter, NULL), ERROR_INVALID_PARAMETER);
    }
    for (size_t i = 0; i < s->live_count; i++) {
        const struct live *l = &s->live[i];
        bool object = l->kind <= KIND_KEY && !l->other;
        filter = (CLUSPORT_FILTER){.cbSize = sizeof(filter), .hObject = l->word};
        assert_int_equal(own(s, &filter, NULL), object ? ERROR_SUCCESS : ERROR_INVALID_HANDLE);
    }
    for (size_t i = 0; i < s->stale_count; i++) {
        filter = (CLUSPORT_FILTER){.cbSize = sizeof(filter), .hObject = s->stale[i]};
        assert_int_equal(own(s, &filter, NULL), ERROR_INVALID_HANDLE);
    }
}

static void test_own_options(void **state)
{
    const struct stage *s = *state;
    ULONGLONG revision = 0;
    assert_int_equal(ClusportGetRevision(s->cluster, &revision), ERROR_SUCCESS);
    const ULONGLONG ahead[] = {revision + 1, revision + 1000, INT64_MAX,
                               1ull << 63,   UINT64_MAX - 1,  UINT64_MAX};
    for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
        CLUSPORT_OPTIONS o = {.cbSize = sizeof(o), .fSince = TRUE, .ullSince = ahead[i]};
        assert_int_equal(own(s, NULL, &o), ERROR_INVALID_PARAMETER);
    }
    CLUSPORT_OPTIONS both = {.cbSize = sizeof(both), .fSince = TRUE, .fSnapshot = TRUE};
    assert_int_equal(own(s, NULL, &both), ERROR_INVALID_PARAMETER);
    CLUSPORT_OPTIONS old = {.cbSize = sizeof(old), .fSince = TRUE, .ullSince = 0};
    assert_int_equal(own(s, NULL, &old), ERROR_SUCCESS);
    for (DWORD size = 0; size < sizeof(old); size += 4) {
        CLUSPORT_OPTIONS o = {.cbSize = size};
        assert_int_equal(own(s, NULL, &o), ERROR_INVALID_PARAMETER);
    }
    CLUSPORT_SERVICE_INFO info = {.cbSize = sizeof(info) - 1};
    assert_int_equal(ClusportGetServiceInfo(s->cluster, &info), ERROR_INVALID_PARAMETER);
    CLUSTERVERSIONINFO version = {.dwVersionInfoSize = sizeof(version) + 1};
    assert_int_equal(GetClusterInformation(s->cluster, NULL, NULL, &version),
                     ERROR_INVALID_PARAMETER);
}

/* ---- two clusters ---- */

/* Handles of one are none for what belongs to the other. */
static void test_two_clusters(void **state)
{
    const struct stage *s = *state;
    static const char *const args[] = {"--cluster-name", "far", NULL};
    struct test_service *service = service_start(args); /* CLUSPORT_SOCKET is now its */
    HCLUSTER far = OpenCluster(NULL);
    HNODE node = OpenClusterNode(far, NULL);
    HGROUP group = CreateClusterGroup(far, L"stage");
    assert_non_null(group);
    HCHANGE v1 = good_handle(s, KIND_PORT_V1);
    NOTIFY_FILTER_AND_TYPE filter = {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_STATE_V2};

    assert_int_equal(MoveClusterGroup(s->group, node), ERROR_INVALID_HANDLE);
    assert_int_equal(OnlineClusterGroup(s->group, node), ERROR_INVALID_HANDLE);
    assert_int_equal(ChangeClusterResourceGroup(s->resource, group), ERROR_INVALID_HANDLE);
    assert_int_equal(
        ClusterGroupControl(s->group, node, CLUSCTL_GROUP_GET_NAME, NULL, 0, NULL, 0, NULL),
        ERROR_INVALID_HANDLE);
    assert_null(CreateClusterNotifyPort(v1, far, CLUSTER_CHANGE_ALL, 0));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterNotify(v1, CLUSTER_CHANGE_GROUP_STATE, group, 0),
                     ERROR_INVALID_PARAMETER);
    /* A port without a registration yet belongs to none. */
    HCHANGE port = CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, s->cluster, &filter, 1, 0);
    assert_non_null(port);
    assert_null(CreateClusterNotifyPortV2(port, far, &filter, 1, 0));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterNotifyV2(port, filter, group, 0), ERROR_INVALID_PARAMETER);
    assert_int_equal(RegisterClusterResourceTypeNotifyV2(port, far, 1, L"Physical Disk", 0),
                     ERROR_INVALID_PARAMETER);
    assert_true(CloseClusterNotifyPort(port));
    CLUSPORT_FILTER own_filter = {.cbSize = sizeof(own_filter), .hObject = group};
    assert_int_equal(own(s, &own_filter, NULL), ERROR_INVALID_HANDLE);

    /* Nothing of that was for the far one. */
    assert_int_equal(GetClusterGroupState(group, NULL, NULL), ClusterGroupOffline);
    CloseCluster(far);
    service_stop(service);
    setenv("CLUSPORT_SOCKET", service_socket(s->service), 1);
    assert_int_equal(GetClusterGroupState(s->group, NULL, NULL), ClusterGroupOffline);
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
        cmocka_unit_test(test_each_buffer), cmocka_unit_test(test_no_sizes),
        cmocka_unit_test(test_filters),     cmocka_unit_test(test_own_filters),
        cmocka_unit_test(test_own_options), cmocka_unit_test(test_two_clusters),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
