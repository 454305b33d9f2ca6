/* SPDX-License-Identifier: MIT */
#include "agent/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/text.h"

#define BOOT_ID_SIZE 37

static void cleanup_dir(DIR **d)
{
    if (*d)
        closedir(*d);
}

static int read_boot_id(char out[BOOT_ID_SIZE])
{
    _cleanup_close_
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = read(fd, out, BOOT_ID_SIZE - 1);
    if (n != BOOT_ID_SIZE - 1)
        return n < 0 ? -errno : -EBADMSG;
    out[n] = '\0';
    return 0;
}

static int make_folder(const char *path)
{
    return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    remove(path); /* what cannot be removed only takes room */
    return 0;
}

static void remove_others(const char *folder, const char *keep)
{
    _cleanup_(cleanup_dir) DIR *d = opendir(folder);
    const struct dirent *e;

    while (d && (e = readdir(d))) {
        _cleanup_free_
        char *path = NULL;

        if (e->d_name[0] == '.' || strcmp(e->d_name, keep) == 0)
            continue;
        path = text_format("%s/%s", folder, e->d_name);
        if (path)
            nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    }
}

int scratch_prepare(const char *state_dir, char **ret)
{
    _cleanup_free_
    char *agents = text_format("%s/agents", state_dir);
    _cleanup_free_
    char *scratch = NULL;
    char boot_id[BOOT_ID_SIZE];
    int r;

    if (!agents)
        return -ENOMEM;
    r = read_boot_id(boot_id);
    if (r < 0)
        return r;
    scratch = text_format("%s/%s", agents, boot_id);
    if (!scratch)
        return -ENOMEM;
    r = make_folder(agents);
    if (r >= 0)
        r = make_folder(scratch);
    if (r < 0)
        return r;
    remove_others(agents, boot_id);
    *ret = TAKE_PTR(scratch);
    return 0;
}
