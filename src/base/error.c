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

static const struct {
    int error;
    uint32_t code;
} from_errno[] = {
    {ENOMEM, ERR_NOT_ENOUGH_MEMORY},
    {EMFILE, ERR_TOO_MANY_OPEN_FILES},
    {ENFILE, ERR_TOO_MANY_OPEN_FILES},
    {EINVAL, ERR_INVALID_PARAMETER},
    {ERANGE, ERR_INVALID_PARAMETER},
    {ENOENT, ERR_FILE_NOT_FOUND},
    {EACCES, ERR_ACCESS_DENIED},
    {EPERM, ERR_ACCESS_DENIED},
    {EEXIST, ERR_ALREADY_EXISTS},
    {EBADF, ERR_INVALID_HANDLE},
    {ESTALE, ERR_INVALID_HANDLE},
    {EBADMSG, ERR_INVALID_DATA},
    {EILSEQ, ERR_NO_UNICODE_TRANSLATION},
    {ENOBUFS, ERR_INSUFFICIENT_BUFFER},
    {EMSGSIZE, ERR_INVALID_PARAMETER}, /* a value too large for a change */
    {EOVERFLOW, ERR_MORE_DATA},
    {ENAMETOOLONG, ERR_FILENAME_EXCED_RANGE},
    {ENOTEMPTY, ERR_DIR_NOT_EMPTY},
    {ENOSPC, ERR_DISK_FULL},
    {EDQUOT, ERR_DISK_FULL},
    {EIO, ERR_IO_DEVICE},
    {ENOSYS, ERR_CALL_NOT_IMPLEMENTED},
    {EOPNOTSUPP, ERR_NOT_SUPPORTED},
    {ETIMEDOUT, ERR_TIMEOUT},
    {ECANCELED, ERR_CANCELLED},
    {EINPROGRESS, ERR_IO_PENDING},
    {EPROTO, ERR_RPC_S_PROTOCOL_ERROR},
    {ECONNREFUSED, ERR_RPC_S_SERVER_UNAVAILABLE},
    {ENOTCONN, ERR_RPC_S_SERVER_UNAVAILABLE},
    {EHOSTUNREACH, ERR_RPC_S_SERVER_UNAVAILABLE},
    {EHOSTDOWN, ERR_RPC_S_SERVER_UNAVAILABLE},
    {ENETUNREACH, ERR_CLUSTER_NODE_NOT_READY}, /* the order's word for "no quorum" */
    {ECONNRESET, ERR_RPC_S_CALL_FAILED},
    {ECONNABORTED, ERR_RPC_S_CALL_FAILED},
    {EPIPE, ERR_RPC_S_CALL_FAILED},
    {ESHUTDOWN, ERR_SHUTDOWN_CLUSTER},
};

uint32_t error_once_begun(uint32_t code)
{
    switch (code) {
    case ERR_NOT_ENOUGH_MEMORY:
    case ERR_TOO_MANY_OPEN_FILES:
    case ERR_RPC_S_SERVER_UNAVAILABLE:
        return ERR_RPC_S_CALL_FAILED;
    default:
        return code;
    }
}

uint32_t error_from_errno(int error)
{
    if (error == 0)
        return ERR_SUCCESS;
    for (size_t i = 0; i < ARRAY_SIZE(from_errno); i++) {
        if (from_errno[i].error == abs(error))
            return from_errno[i].code;
    }
    return ERR_GEN_FAILURE;
}
