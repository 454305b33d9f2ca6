/* SPDX-License-Identifier: MIT */
#include "lib/notify_api.h"

#include "base/error.h"
#include "base/macro.h"

static uint32_t register_through(HCHANGE change, HANDLE handle, enum lib_handle_kind kind,
                                 enum port_version version, notify_register_fn register_request,
                                 void *request)
{
    _cleanup_(notify_port_unrefp) struct notify_port *p =
        notify_port_acquire(change, 1u << version);
    _cleanup_(object_unrefp) struct object *o = object_acquire(handle, kind);
    if (!p || !o)
        return ERR_INVALID_HANDLE;
    return register_request(p, o, request);
}

DWORD notify_api_register(HCHANGE change, HANDLE object, enum port_version version,
                          notify_register_fn register_request, void *request)
{
    return register_through(change, object, LIB_HANDLE_ANY, version, register_request, request);
}

HCHANGE notify_api_create(HCHANGE change, HCLUSTER cluster, enum port_version version,
                          notify_register_fn register_request, void *request)
{
    bool is_new = change == INVALID_HANDLE_VALUE;
    bool without_cluster = (HANDLE)cluster == INVALID_HANDLE_VALUE;
    HCHANGE port = change;
    uint32_t error = 0;

    if (without_cluster && !is_new)
        error = ERR_INVALID_PARAMETER;
    if (error == 0 && is_new)
        error = notify_port_create(version, &port);
    if (error == 0 && !without_cluster) {
        error =
            register_through(port, cluster, LIB_HANDLE_CLUSTER, version, register_request, request);
        if (error != 0 && is_new)
            notify_port_close(port);
    }
    if (error == 0)
        return port;
    SetLastError(error);
    return NULL;
}
