/* SPDX-License-Identifier: MIT */
#ifndef LIB_NOTIFY_API_H
#define LIB_NOTIFY_API_H

#include "clusapi.h"
#include "lib/notify_port.h"

/* What the calls of both versions have in common. */

/* Registers what the request says, through o. A Win32 code. */
typedef uint32_t (*notify_register_fn)(struct notify_port *p, struct object *o, void *request);

/* CreateClusterNotifyPort and its kin: NULL with the last error set. */
HCHANGE notify_api_create(HCHANGE change, HCLUSTER cluster, enum port_version version,
                          notify_register_fn register_request, void *request);
/* RegisterClusterNotify and its kin. object: a handle of any of the API's objects. */
DWORD notify_api_register(HCHANGE change, HANDLE object, enum port_version version,
                          notify_register_fn register_request, void *request);

#endif
