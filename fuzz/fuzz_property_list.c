/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "change/property_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(property_table_fini) struct property_table first = {0}, second = {0};
    _cleanup_(buffer_fini) struct buffer out = {0}, formats = {0}, names = {0};

    if (property_list_decode(data, size, &first) < 0)
        return 0;
    CHECK(property_list_encode(&first, &out) == 0);
    CHECK(property_formats_encode(&first, &formats) == 0);
    CHECK(property_names_encode(&first, &names) == 0);
    CHECK(property_list_decode(out.data, out.size, &second) == 0);
    CHECK(first.count == second.count);
    for (size_t i = 0; i < first.count; i++) {
        CHECK(strcmp(first.items[i].name, second.items[i].name) == 0);
        CHECK(property_equal(&first.items[i], &second.items[i]));
    }
    return 0;
}
