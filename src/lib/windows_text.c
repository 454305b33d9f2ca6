/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/text.h"
#include "lib/wide.h"

/* A unit that is no text counts as itself, so that all arrays of WCHARs have one order. */
static uint32_t next_codepoint(const WCHAR **s)
{
    uint32_t c;

    if (wide_next(s, &c) < 0)
        c = (uint32_t) * (*s)++;
    return c;
}

static int compare(const WCHAR *a, const WCHAR *b, bool fold)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    for (;;) {
        uint32_t x = next_codepoint(&a), y = next_codepoint(&b);

        if (fold) {
            x = text_fold_codepoint(x);
            y = text_fold_codepoint(y);
        }
        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            return 0;
    }
}

int WINAPI lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2)
{
    return compare(lpString1, lpString2, false);
}

int WINAPI lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2)
{
    return compare(lpString1, lpString2, true);
}

int WINAPI lstrlenW(LPCWSTR lpString)
{
    return (int)MIN(wide_length(lpString), (size_t)INT_MAX);
}

LPWSTR WINAPI lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2)
{
    if (!lpString1 || !lpString2)
        return NULL;
    memmove(lpString1, lpString2, (wide_length(lpString2) + 1) * sizeof(WCHAR));
    return lpString1;
}

LPWSTR WINAPI lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2, int iMaxLength)
{
    size_t n = 0;

    if (!lpString1 || !lpString2 || iMaxLength < 1)
        return NULL;
    while (n < (size_t)iMaxLength - 1 && lpString2[n])
        n++;
    memmove(lpString1, lpString2, n * sizeof(WCHAR));
    lpString1[n] = 0;
    return lpString1;
}

BOOL WINAPI GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize)
{
    char name[HOST_NAME_MAX + 1];
    DWORD error;

    if (!lpBuffer || !nSize) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (gethostname(name, sizeof name) < 0)
        name[0] = 0;
    name[sizeof name - 1] = 0;
    name[strcspn(name, ".")] = 0;
    error = wide_give(name, lpBuffer, nSize);
    if (error == ERROR_SUCCESS)
        return TRUE;
    if (error == ERROR_MORE_DATA) {
        *nSize += 1;
        error = ERROR_BUFFER_OVERFLOW;
    }
    SetLastError(error);
    return FALSE;
}
