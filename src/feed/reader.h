/* SPDX-License-Identifier: MIT */
#ifndef FEED_READER_H
#define FEED_READER_H

#include "feed/layout.h"

struct feed {
    struct feed_page *page; /* mapped read-only */
    const _Atomic uint64_t *index;
    const _Atomic uint64_t *ring;
    int fd;                         /* the same memory, to be read by calls; -1: none */
    uint64_t ring_size, index_size; /* as they were found good: the page may change */
    _Atomic uint32_t references;
};

#endif
