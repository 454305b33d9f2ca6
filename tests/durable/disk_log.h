/* SPDX-License-Identifier: MIT */
#ifndef TESTS_DURABLE_DISK_LOG_H
#define TESTS_DURABLE_DISK_LOG_H

#include <stdint.h>

/* What the preloaded watcher (disk_watch.c) writes down of a service's disk, for disk.h to read. */

#define DISK_ROOT "CLUSPORT_TEST_DISK"        /* the folder that is watched */
#define DISK_LOG "CLUSPORT_TEST_DISK_LOG"     /* the file that it is written to */
#define DISK_LIES "CLUSPORT_TEST_DISK_LIES"   /* set: syncs are answered and not done */
#define DISK_FAULT "CLUSPORT_TEST_DISK_FAULT" /* while this file is there syncs fail with EIO */

enum disk_op {
    DISK_CREATE = 1,
    DISK_MAKE_FOLDER,
    DISK_REMOVE,
    DISK_WRITE,    /* size bytes of data follow the path */
    DISK_TRUNCATE, /* to `at` */
    DISK_SYNC,     /* of a file; of a folder: the names in it */
};

struct disk_record {
    uint32_t op;
    uint32_t path_size; /* the path follows, relative to the root, without a NUL */
    uint64_t at;
    uint64_t size;
};

#endif
