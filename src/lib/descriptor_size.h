/* SPDX-License-Identifier: MIT */
#ifndef LIB_DESCRIPTOR_SIZE_H
#define LIB_DESCRIPTOR_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* The bytes of a self-relative security descriptor ([MS-DTYP] 2.4.6), whose size the API does not
 * say: as much of it is read as its own numbers tell. false: it is none, or has more than 64 KiB.
 */
bool descriptor_size(const void *descriptor, uint32_t *ret);

#endif
