/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <sys/mman.h>

#include "port/port_table.h"

static int count_port(void *context, const struct port_info *info)
{
    CHECK(info->id != 0);
    ++*(size_t *)context;
    return 0;
}

static void check_table(const uint8_t *data, size_t size)
{
    size_t count = 0;
    _cleanup_close_
    int fd = memfd_create("ports", MFD_CLOEXEC);

    CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    port_table_read(fd, count_port, &count);
    CHECK(count <= PORT_TABLE_MOST && count <= size / 64);
}

/* What could be read of a list is written as it was. */
static void check_listing(const uint8_t *data, size_t size)
{
    _cleanup_(buffer_fini) struct buffer out = {0};
    struct reader r = reader_over(data, size);
    struct port_listing listing;

    while (port_listing_next(&r, &listing) == 1)
        CHECK(port_listing_append(&listing, &out) == 0);
    CHECK(out.size <= size && (out.size == 0 || memcmp(out.data, data, out.size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_table(data, size);
    check_listing(data, size);
    return 0;
}
