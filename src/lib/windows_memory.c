/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "windows.h"

#define KNOWN_FLAGS ((UINT)(LMEM_FIXED | LMEM_MOVEABLE | LMEM_ZEROINIT))

HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes)
{
    void *p;

    if (uFlags & ~KNOWN_FLAGS) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    p = uFlags & LMEM_ZEROINIT ? calloc(1, uBytes ? uBytes : 1) : malloc(uBytes ? uBytes : 1);
    if (!p)
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return p;
}

HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags)
{
    size_t before;
    char *p;

    if (!hMem || (uFlags & ~KNOWN_FLAGS)) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    before = malloc_usable_size(hMem);
    p = realloc(hMem, uBytes ? uBytes : 1);
    if (!p) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    if ((uFlags & LMEM_ZEROINIT) && uBytes > before)
        memset(p + before, 0, uBytes - before);
    return p;
}

HLOCAL WINAPI LocalFree(HLOCAL hMem)
{
    free(hMem);
    return NULL;
}
