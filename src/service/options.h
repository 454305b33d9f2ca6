/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_OPTIONS_H
#define SERVICE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* What the command line of clusportd says. Texts are argv's or this struct's own. */
struct options {
    const char *state_dir, *socket_path;
    const char *cluster_name, *node_name;
    const char *types_path, *ocf_path, *networks; /* NULL: the engine's own defaults */
    const char *admin_group, *read_group;         /* NULL: none */
    uint64_t keep_changes, keep_bytes;
    uint32_t feed_size;
    bool print_status;
    char host_name[256];
};

/* 0: go on; 1: all was said (--help, --version), exit with success; -EINVAL: what is wrong was said
 * on stderr. */
int options_parse(struct options *o, int argc, char *argv[]);

#endif
