/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_LISTEN_H
#define SERVICE_LISTEN_H

#include <stdbool.h>

/* The service's socket: the one that systemd hands over, or one made at `path`, where a file that
 * nobody answers on is replaced. Its folder is made if it is missing. *ret_made: to be removed at
 * the end. A descriptor, or -errno with *ret_error (malloc'ed) for people. */
int listen_open(const char *path, bool *ret_made, char **ret_error);
/* mkdir -p. 0 or -errno. */
int listen_make_folder(const char *path, unsigned mode);

#endif
