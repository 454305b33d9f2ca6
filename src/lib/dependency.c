/* SPDX-License-Identifier: MIT */
#include "lib/family.h"

HAS_FORM(AddResourceDependency, other);
HAS_FORM(RemoveResourceDependency, other);
HAS_FORM(CanResourceBeDependent, other);
HAS_FORM(GetResourceDependencyExpression, text);

DWORD WINAPI AddClusterResourceDependency(HRESOURCE hResource, HRESOURCE hDependsOn)
{
    return family_call_other(hResource, LIB_HANDLE_RESOURCE, hDependsOn, LIB_HANDLE_RESOURCE,
                             &cmrp_op_AddResourceDependency);
}

DWORD WINAPI RemoveClusterResourceDependency(HRESOURCE hResource, HRESOURCE hDependsOn)
{
    return family_call_other(hResource, LIB_HANDLE_RESOURCE, hDependsOn, LIB_HANDLE_RESOURCE,
                             &cmrp_op_RemoveResourceDependency);
}

/* An answer, and not a failure to get one. */
static bool says_no(DWORD error)
{
    return error == ERROR_DEPENDENCY_NOT_ALLOWED || error == ERROR_CIRCULAR_DEPENDENCY ||
           error == ERROR_DEPENDENCY_ALREADY_EXISTS;
}

BOOL WINAPI CanResourceBeDependent(HRESOURCE hResource, HRESOURCE hResourceDependent)
{
    DWORD error = family_call_other(hResource, LIB_HANDLE_RESOURCE, hResourceDependent,
                                    LIB_HANDLE_RESOURCE, &cmrp_op_CanResourceBeDependent);
    if (error == ERROR_SUCCESS)
        return TRUE;
    SetLastError(says_no(error) ? ERROR_SUCCESS : error);
    return FALSE;
}

DWORD WINAPI GetClusterResourceDependencyExpression(HRESOURCE hResource,
                                                    LPWSTR lpszDependencyExpression,
                                                    LPDWORD lpcchDependencyExpression)
{
    return family_get_text(hResource, LIB_HANDLE_RESOURCE, &cmrp_op_GetResourceDependencyExpression,
                           lpszDependencyExpression, lpcchDependencyExpression);
}
