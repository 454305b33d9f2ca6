/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "lib/wide.h"

static __thread DWORD last_error;

DWORD WINAPI GetLastError(void)
{
    return last_error;
}

void WINAPI SetLastError(DWORD dwErrCode)
{
    last_error = dwErrCode;
}

static DWORD fail(DWORD error)
{
    SetLastError(error);
    return 0;
}

DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId,
                            LPWSTR lpBuffer, DWORD nSize, va_list *Arguments)
{
    const DWORD known = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER |
                        FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
    _cleanup_(buffer_fini) struct buffer text = {0};
    bool one_line = dwFlags & FORMAT_MESSAGE_MAX_WIDTH_MASK;
    const char *message;
    size_t length;

    (void)lpSource;
    (void)dwLanguageId;
    (void)Arguments;
    if (!lpBuffer || !(dwFlags & FORMAT_MESSAGE_FROM_SYSTEM) || (dwFlags & ~known))
        return fail(ERROR_INVALID_PARAMETER);
    message = error_message(dwMessageId);
    if (!message)
        return fail(ERROR_MR_MID_NOT_FOUND);
    if (wide_append(&text, message, false) < 0 ||
        wide_append(&text, one_line ? " " : "\r\n", true) < 0)
        return fail(ERROR_NOT_ENOUGH_MEMORY);
    length = text.size / sizeof(WCHAR) - 1;
    if (dwFlags & FORMAT_MESSAGE_ALLOCATE_BUFFER) {
        WCHAR *out = LocalAlloc(LMEM_FIXED, MAX(length + 1, nSize) * sizeof(WCHAR));

        if (!out)
            return 0;
        memcpy(out, text.data, text.size);
        *(LPWSTR *)(void *)lpBuffer = out;
        return (DWORD)length;
    }
    if (length >= nSize)
        return fail(ERROR_INSUFFICIENT_BUFFER);
    memcpy(lpBuffer, text.data, text.size);
    return (DWORD)length;
}
