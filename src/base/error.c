/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

#define PREFIX "ERROR_"

#define ERROR_CODE(name, number, message) {number, PREFIX #name, message},
static const struct {
    uint32_t code;
    const char *name;
    const char *message;
} codes[] = {
#include "base/error_codes.def"
};
#undef ERROR_CODE

const char *error_name(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        if (codes[i].code != code)
            continue;
        /* These families stand in the Windows headers without "ERROR_". */
        const char *bare = codes[i].name + strlen(PREFIX);
        if (strncmp(bare, "RPC_", 4) == 0 || strncmp(bare, "WAIT_", 5) == 0)
            return bare;
        return codes[i].name;
    }
    return NULL;
}

const char *error_message(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        if (codes[i].code == code)
            return codes[i].message;
    }
    return NULL;
}

uint32_t error_from_errno(int error)
{
    switch (abs(error)) {
    case 0:
        return ERR_SUCCESS;
    case ENOMEM:
        return ERR_NOT_ENOUGH_MEMORY;
    case EINVAL:
    case ERANGE:
        return ERR_INVALID_PARAMETER;
    case ENOENT:
        return ERR_FILE_NOT_FOUND;
    case EACCES:
    case EPERM:
        return ERR_ACCESS_DENIED;
    case EEXIST:
        return ERR_ALREADY_EXISTS;
    case EBADF:
    case ESTALE:
        return ERR_INVALID_HANDLE;
    case EBADMSG:
        return ERR_INVALID_DATA;
    case EILSEQ:
        return ERR_NO_UNICODE_TRANSLATION;
    case ENOBUFS:
        return ERR_INSUFFICIENT_BUFFER;
    case EMSGSIZE:
    case EOVERFLOW:
        return ERR_MORE_DATA;
    case ENAMETOOLONG:
        return ERR_FILENAME_EXCED_RANGE;
    case ENOTEMPTY:
        return ERR_DIR_NOT_EMPTY;
    case ENOSPC:
    case EDQUOT:
        return ERR_DISK_FULL;
    case EIO:
        return ERR_IO_DEVICE;
    case ENOSYS:
        return ERR_CALL_NOT_IMPLEMENTED;
    case EOPNOTSUPP:
        return ERR_NOT_SUPPORTED;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ECANCELED:
        return ERR_CANCELLED;
    case EINPROGRESS:
        return ERR_IO_PENDING;
    case EPROTO:
        return ERR_RPC_S_PROTOCOL_ERROR;
    case ECONNREFUSED:
    case ENOTCONN:
    case EHOSTUNREACH:
    case EHOSTDOWN:
        return ERR_RPC_S_SERVER_UNAVAILABLE;
    case ENETUNREACH: /* the order's word for "no quorum" */
        return ERR_CLUSTER_NODE_NOT_READY;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
        return ERR_RPC_S_CALL_FAILED;
    case ESHUTDOWN:
        return ERR_SHUTDOWN_CLUSTER;
    default:
        return ERR_GEN_FAILURE;
    }
}
