/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "lib/descriptor_size.h"
#include "service/descriptor.h"

/* The first byte chooses parts; then a security descriptor. What is made of a valid one is valid.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(buffer_fini) struct buffer chosen = {0}, again = {0}, merged = {0};

    if (size < 1 || !descriptor_is_valid(data + 1, size - 1))
        return 0;
    const uint32_t parts = data[0] % (DESCRIPTOR_ALL + 1);
    CHECK(descriptor_choose(data + 1, size - 1, parts, &chosen) == 0);
    CHECK(descriptor_is_valid(chosen.data, chosen.size));
    CHECK(descriptor_choose(chosen.data, chosen.size, parts, &again) == 0);
    CHECK(buffer_equal(&chosen, &again));
    CHECK(descriptor_merge(descriptor_default, descriptor_default_size, data + 1, size - 1, parts,
                           &merged) == 0);
    CHECK(descriptor_is_valid(merged.data, merged.size));

    /* What the library reads of it is what is there. */
    uint32_t found;
    if (descriptor_size(chosen.data, &found))
        CHECK(found <= chosen.size);
    return 0;
}
