/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <errno.h>

#include "change/change.h"

/* What is decoded can be encoded, and that is its one form: once more changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(buffer_fini) struct buffer first = {0}, second = {0}, v2 = {0};
    struct change c;

    if (change_decode(data, size, &c) < 0)
        return 0;
    CHECK(change_size(data) <= size && change_peek_kind(data) == c.kind);
    CHECK(change_peek_revision(data) == c.revision);
    int r = change_v2_buffer(&c, &v2);
    CHECK(r == 0 || r == -EILSEQ);

    CHECK(change_encode(&c, &first) == 0);
    CHECK(change_size(first.data) == first.size);
    CHECK(change_decode(first.data, first.size, &c) == 0);
    CHECK(change_encode(&c, &second) == 0);
    CHECK(buffer_equal(&first, &second));
    return 0;
}
