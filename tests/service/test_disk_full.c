/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/text.h"

#define FILLER "/filler"

static void fill(const char *path)
{
    static const char zeroes[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    assert_true(fd >= 0);
    for (size_t size = sizeof(zeroes); size > 0; size /= 2)
        while (write(fd, zeroes, size) > 0)
            ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static uint32_t set_big_value(struct rig *rig, struct rpc_context key, const char *name)
{
    static uint8_t data[60000];
    struct cmrp_SetValue a = {.key = key,
                              .value_name = (char *)name,
                              .type = 3,
                              .data = {.data = data, .size = sizeof(data)}};
    CALL(rig, SetValue, &a);
    return a.result;
}

static uint32_t value_code(struct rig *rig, struct rpc_context key, const char *name)
{
    struct cmrp_QueryValue a = {
        .key = key, .value_name = (char *)name, .data = {.capacity = 60000}};
    CALL(rig, QueryValue, &a);
    return a.result;
}

static void nothing_is_acknowledged_that_is_not_kept(void **state)
{
    const char *folder = *state;
    _cleanup_free_
    char *state_dir = text_format("%s/state", folder);
    _cleanup_free_
    char *filler = text_format("%s" FILLER, folder);
    const char *const args[] = {"--state", state_dir, NULL};
    struct rig rig;
    rig_start(&rig, args);
    struct rpc_context key = root_key(&rig);
    assert_int_equal(set_big_value(&rig, key, "kept"), 0);
    fill(filler);
    uint32_t code;
    char name[32];
    unsigned kept = 0; /* what there was room for in the files as they are */
    for (;; kept++) {
        snprintf(name, sizeof(name), "v%u", kept);
        code = set_big_value(&rig, key, name);
        if (code)
            break;
    }
    assert_int_equal(code, ERR_DISK_FULL);
    assert_int_equal(value_code(&rig, key, name), ERR_FILE_NOT_FOUND);
    assert_int_equal(value_code(&rig, key, "kept"), 0);
    service_kill(rig.service);
    service_again(rig.service); /* a full disk keeps nobody from reading */
    rig_connect(&rig);
    key = root_key(&rig);
    assert_int_equal(value_code(&rig, key, "kept"), 0);
    assert_int_equal(set_big_value(&rig, key, name), ERR_DISK_FULL);
    assert_int_equal(unlink(filler), 0);
    while ((code = set_big_value(&rig, key, "after")) != 0)
        assert_int_equal(code, ERR_DISK_FULL);
    service_kill(rig.service);
    service_again(rig.service);
    rig_connect(&rig);
    key = root_key(&rig);
    assert_int_equal(value_code(&rig, key, "kept"), 0);
    assert_int_equal(value_code(&rig, key, "after"), 0);
    assert_int_equal(value_code(&rig, key, name), ERR_FILE_NOT_FOUND);
    for (unsigned i = 0; i < kept; i++) {
        snprintf(name, sizeof(name), "v%u", i);
        assert_int_equal(value_code(&rig, key, name), 0);
    }
    rig_stop(&rig);
}

static int mount_small_disk(void **state)
{
    static char folder[] = "/tmp/clusport-disk-XXXXXX";
    if (!mkdtemp(folder) || mount("none", folder, "tmpfs", 0, "size=2m") < 0)
        return -1;
    *state = folder;
    return 0;
}

static int unmount_small_disk(void **state)
{
    const char *folder = *state;
    umount2(folder, MNT_DETACH);
    return rmdir(folder);
}

int main(void)
{
    if (geteuid() != 0) {
        puts("mounting a small disk needs root");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_acknowledged_that_is_not_kept),
    };
    return cmocka_run_group_tests(tests, mount_small_disk, unmount_small_disk);
}
