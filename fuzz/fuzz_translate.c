/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "lib/control_translate.h"

/* The first byte chooses the shape; then a buffer from the service. What became WCHARs goes to the
 * wire, and comes from there as the same. The other way round it is a program's buffer, which need
 * not be one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(buffer_fini) struct buffer wide = {0}, wire = {0}, again = {0}, other = {0};

    if (size < 1)
        return 0;
    const enum shape shape = (enum shape)(data[0] % 4);
    translate_to_wire(shape, data + 1, size - 1, &other);
    if (translate_from_wire(shape, data + 1, size - 1, &wide) < 0)
        return 0;
    CHECK(translate_to_wire(shape, wide.data, wide.size, &wire) == 0);
    CHECK(translate_from_wire(shape, wire.data, wire.size, &again) == 0);
    CHECK(buffer_equal(&wide, &again));
    return 0;
}
