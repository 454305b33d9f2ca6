/* SPDX-License-Identifier: MIT */
#include "harness.h"

static void a_group_with_one_resource_goes_online_and_offline(void **state)
{
    (void)state;
    struct world w;
    world_started(&w);
    assert_int_equal(create_group(&w, "G"), 0);
    assert_int_equal(create_resource(&w, "G", "R"), 0);
    EXPECT(&w, "group.added G ->9999 request", "resource.added R ->Offline request",
           "group.resource-gained G ->'r-2' request");
    assert_int_equal(request(&w, INPUT_ONLINE_GROUP, "G"), ERR_IO_PENDING);
    finish(&w, "R", OPERATION_START, 0);
    assert_int_equal(request(&w, INPUT_ONLINE_GROUP, "G"), ERR_SUCCESS);
    EXPECT(&w, "resource.state R Offline>OnlinePending request",
           "group.state G Offline>Pending request", "resource.state R OnlinePending>Online request",
           "group.state G Pending>Online request");
    assert_int_equal(request(&w, INPUT_DELETE_RESOURCE, "R"), ERR_RESOURCE_ONLINE);
    assert_int_equal(request(&w, INPUT_OFFLINE_GROUP, "G"), ERR_IO_PENDING);
    finish(&w, "R", OPERATION_STOP, 0);
    EXPECT(&w, "resource.state R Online>OfflinePending request",
           "group.state G Online>Pending request",
           "resource.state R OfflinePending>Offline request",
           "group.state G Pending>Offline request");
    assert_int_equal(request(&w, INPUT_DELETE_GROUP, "G"), ERR_DIR_NOT_EMPTY);
    assert_int_equal(request(&w, INPUT_DELETE_RESOURCE, "R"), 0);
    assert_int_equal(request(&w, INPUT_DELETE_GROUP, "G"), 0);
    EXPECT(&w, "resource.deleted R Offline>- request", "group.resource-lost G ->'r-2' request",
           "group.deleted G Offline>- request");
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_with_one_resource_goes_online_and_offline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
