/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_DESCRIPTOR_H
#define SERVICE_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* Self-relative security descriptors ([MS-DTYP] 2.4.6), as registry keys have them. They are kept
 * and given back; access to the service does not depend on them. */

enum descriptor_part { /* SECURITY_INFORMATION */
                       DESCRIPTOR_OWNER = 1,
                       DESCRIPTOR_GROUP = 2,
                       DESCRIPTOR_DACL = 4,
                       DESCRIPTOR_SACL = 8,
                       DESCRIPTOR_ALL = 15,
};

/* A key's, until another is set: administrators may do all, everyone may read. */
extern const uint8_t descriptor_default[];
extern const size_t descriptor_default_size;

bool descriptor_is_valid(const void *data, size_t size);
/* Only the parts asked for. PRE: valid. 0 or -ENOMEM. */
int descriptor_choose(const void *data, size_t size, uint32_t parts, struct buffer *out);
/* `parts` from the new one, the others from the old one. PRE: both valid. 0 or -ENOMEM. */
int descriptor_merge(const void *old_data, size_t old_size, const void *new_data, size_t new_size,
                     uint32_t parts, struct buffer *out);

#endif
