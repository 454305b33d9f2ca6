/* SPDX-License-Identifier: MIT */
#ifndef LIB_CONTROL_H
#define LIB_CONTROL_H

#include "lib/object.h"

/* The control functions of all families are this one. `kind` is the handle's; type_name is of a
 * resource type, whose handle is the cluster's, or else NULL. Sizes in bytes of the caller's form;
 * too small a buffer is ERROR_MORE_DATA with the size needed, and holds nothing. */
DWORD control(const void *handle, enum lib_handle_kind kind, LPCWSTR type_name,
              const void *host_node, DWORD code, const void *in, DWORD in_size, void *out,
              DWORD out_size, DWORD *ret_size);

#endif
