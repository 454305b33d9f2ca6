/* SPDX-License-Identifier: MIT */
#include "service/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/macro.h"

#define MOST_GROUPS 1024

static bool is_member(const struct rpc_peer *peer, const char *group_name)
{
    const struct group *group = group_name ? getgrnam(group_name) : NULL;
    if (!group)
        return false;
    gid_t wanted = group->gr_gid;
    if (peer->gid == wanted)
        return true;
    const struct passwd *user = getpwuid(peer->uid);
    if (!user)
        return false;
    gid_t groups[MOST_GROUPS];
    int count = MOST_GROUPS;
    if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
        count = MOST_GROUPS;
    for (int i = 0; i < count; i++)
        if (groups[i] == wanted)
            return true;
    return false;
}

enum access access_of(const struct options *o, const struct rpc_peer *peer)
{
    if (!peer->local)
        return ACCESS_NONE;
    if (peer->uid == 0 || peer->uid == geteuid() || is_member(peer, o->admin_group))
        return ACCESS_ALL;
    if (!o->read_group || is_member(peer, o->read_group))
        return ACCESS_READ;
    return ACCESS_NONE;
}

int access_check_groups(const struct options *o, const char **ret_missing)
{
    const char *names[] = {o->admin_group, o->read_group};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!names[i] || getgrnam(names[i]))
            continue;
        *ret_missing = names[i];
        return -ENOENT;
    }
    return 0;
}

int access_restrict_folder(const struct options *o, const char *folder)
{
    if (!o->read_group)
        return 0;
    const struct group *group = getgrnam(o->read_group);
    if (!group)
        return -ENOENT;
    if (chown(folder, (uid_t)-1, group->gr_gid) < 0 || chmod(folder, 0750) < 0)
        return -errno;
    return 0;
}
