/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/text.h"

/* What may happen to the state folder: nothing is answered from what was not kept, and nothing that
 * was kept is lost. */

static char *state_folder(const struct rig *rig)
{
    return text_format("%s/state", service_folder(rig->service));
}

/* Refused with the disk's error until the service has found out that the folder is as it was. */
static void wait_accepted(struct rig *rig, const char *name)
{
    uint32_t code;
    while ((code = create_group_code(rig, name)) != 0)
        assert_int_equal(code, ERR_IO_DEVICE);
}

static void folder_may_go_and_come_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    _cleanup_free_
    char *folder = state_folder(&rig);
    _cleanup_free_
    char *elsewhere = text_format("%s-elsewhere", folder);
    create_group(&rig, "kept");
    assert_int_equal(rename(folder, elsewhere), 0);
    assert_int_equal(create_group_code(&rig, "refused"), ERR_IO_DEVICE);
    assert_int_equal(group_code(&rig, "refused"), ERR_GROUP_NOT_FOUND);
    assert_int_equal(group_code(&rig, "kept"), 0);
    assert_int_equal(rename(elsewhere, folder), 0);
    wait_accepted(&rig, "after");
    service_restart(rig.service);
    rig_connect(&rig);
    assert_int_equal(group_code(&rig, "kept"), 0);
    assert_int_equal(group_code(&rig, "after"), 0);
    assert_int_equal(group_code(&rig, "refused"), ERR_GROUP_NOT_FOUND);
    rig_stop(&rig);
}

static void removed_folder_takes_no_change(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    _cleanup_free_
    char *folder = state_folder(&rig);
    create_group(&rig, "kept");
    const char *const removal[] = {"rm", "-r", folder, NULL};
    assert_int_equal(run_program(removal, NULL, NULL), 0);
    assert_int_equal(create_group_code(&rig, "refused"), ERR_IO_DEVICE);
    assert_int_equal(group_code(&rig, "kept"), 0);
    assert_int_equal(group_code(&rig, "refused"), ERR_GROUP_NOT_FOUND);
    rig_stop(&rig);
}

static void assert_refused(const char *folder)
{
    static const char *const options[] = {"--print-status", NULL};
    _cleanup_free_
    char *socket = text_format("%s.sock", folder);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const char *const argv[] = {built_path("src/service/clusportd"),
                                    "--state",
                                    folder,
                                    "--socket",
                                    socket,
                                    "--networks",
                                    "",
                                    options[i],
                                    NULL};
        char *error;
        assert_int_equal(run_program(argv, NULL, &error), 1);
        if (!strstr(error, "start anew"))
            fail_msg("\"%s\" does not say what to do", error);
        free(error);
    }
}

static void emptied_database_makes_no_new_cluster(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    _cleanup_free_
    char *folder = state_folder(&rig);
    _cleanup_free_
    char *database = text_format("%s/clusport.db", folder);
    _cleanup_free_
    char *lock = text_format("%s-lock", database);
    create_group(&rig, "old");
    service_halt(rig.service);
    assert_int_equal(truncate(database, 0), 0);
    assert_refused(folder);
    assert_int_equal(unlink(database), 0);
    assert_refused(folder);
    assert_int_equal(unlink(lock), 0); /* as it says */
    service_again(rig.service);
    rig_connect(&rig);
    assert_int_equal(group_code(&rig, "old"), ERR_GROUP_NOT_FOUND);
    rig_stop(&rig);
}

static void disk_may_become_read_only(void **state)
{
    (void)state;
    char mount_point[] = "/tmp/clusport-disk-XXXXXX";
    assert_non_null(mkdtemp(mount_point));
    if (mount("none", mount_point, "tmpfs", 0, "size=16m") < 0) {
        print_message("skipped: a file system cannot be mounted here\n");
        rmdir(mount_point);
        skip();
    }
    struct rig rig;
    _cleanup_free_
    char *folder = text_format("%s/state", mount_point);
    const char *const args[] = {"--state", folder, NULL};
    rig_start(&rig, args);
    create_group(&rig, "kept");
    service_kill(rig.service);
    assert_int_equal(mount("none", mount_point, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    const char *const status[] = {built_path("src/cli/clusport"), "status", "--state", folder,
                                  NULL};
    char *out;
    assert_int_equal(run_program(status, &out, NULL), 1);
    assert_non_null(strstr(out, "kept"));
    assert_non_null(strstr(out, "stale"));
    free(out);
    assert_int_equal(mount("none", mount_point, NULL, MS_REMOUNT, NULL), 0);
    service_again(rig.service);
    rig_connect(&rig);
    assert_int_equal(group_code(&rig, "kept"), 0);
    rig_stop(&rig);
    assert_int_equal(umount2(mount_point, MNT_DETACH), 0);
    assert_int_equal(rmdir(mount_point), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_may_go_and_come_back),
        cmocka_unit_test(removed_folder_takes_no_change),
        cmocka_unit_test(emptied_database_makes_no_new_cluster),
        cmocka_unit_test(disk_may_become_read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
