/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_ACCESS_H
#define SERVICE_ACCESS_H

#include "rpc/rpc.h"
#include "service/options.h"

/* Who may do what. Root, the service's own user and the admin group may do all; the rest may read,
 * or only the read group if there is one. */
enum access { ACCESS_NONE, ACCESS_READ, ACCESS_ALL };

enum access access_of(const struct options *o, const struct rpc_peer *peer);
/* Do the groups of the options exist? 0; -ENOENT, and *ret_missing is the one that does not. */
int access_check_groups(const struct options *o, const char **ret_missing);
/* The database may be read by those who may read over the socket. 0 or -errno. */
int access_restrict_folder(const struct options *o, const char *folder);

#endif
