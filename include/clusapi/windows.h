/* SPDX-License-Identifier: MIT */
#ifndef CLUSPORT_WINDOWS_H
#define CLUSPORT_WINDOWS_H

/* The few Windows types, constants and calls that cluster programs use beside the cluster API, so
 * that their source compiles as it is. Values and layouts are Windows'; DWORD is 32 bits,
 * DWORD_PTR as wide as a pointer, and WCHAR is the compiler's wchar_t.
 *
 * All functions are exported by libclusapi, may be called from any thread, keep errno as it may
 * be, and report failure through the thread's own last error. Texts are in WCHARs; "cch" counts
 * WCHARs, "cb" bytes. Only the wide forms exist: lstrcmpi means lstrcmpiW, as in a program that
 * was compiled with UNICODE. */

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#ifdef __cplusplus
#define CLUSAPI_BEGIN extern "C" {
#define CLUSAPI_END }
#else
#define CLUSAPI_BEGIN
#define CLUSAPI_END
#endif
#define CLUSAPI_FUNCTION extern __attribute__((visibility("default")))

CLUSAPI_BEGIN

/* ---- types ---- */

#define WINAPI
#define CALLBACK
#define APIENTRY WINAPI
#define CONST const
#define VOID void

typedef int32_t BOOL;
typedef uint8_t BYTE, UCHAR, BOOLEAN;
typedef char CHAR;
typedef int16_t SHORT;
typedef uint16_t WORD, USHORT;
typedef int32_t INT, LONG, HRESULT;
typedef uint32_t UINT, DWORD, ULONG;
typedef int64_t LONGLONG;
typedef uint64_t ULONGLONG, DWORDLONG;
typedef uintptr_t DWORD_PTR, ULONG_PTR, UINT_PTR;
typedef intptr_t LONG_PTR, INT_PTR;
typedef size_t SIZE_T;
typedef wchar_t WCHAR, TCHAR;

typedef void *PVOID, *LPVOID, *HANDLE, *HLOCAL;
typedef const void *LPCVOID;
typedef BOOL *PBOOL, *LPBOOL;
typedef BYTE *PBYTE, *LPBYTE;
typedef WORD *PWORD, *LPWORD;
typedef DWORD *PDWORD, *LPDWORD;
typedef LONG *PLONG, *LPLONG;
typedef DWORD_PTR *PDWORD_PTR;
typedef HANDLE *PHANDLE, *LPHANDLE;
typedef CHAR *PSTR, *LPSTR;
typedef const CHAR *PCSTR, *LPCSTR;
typedef WCHAR *PWCHAR, *PWSTR, *LPWSTR, *PTSTR, *LPTSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR, *PCTSTR, *LPCTSTR;

typedef struct HKEY__ *HKEY;
typedef HKEY *PHKEY;
typedef DWORD REGSAM, ACCESS_MASK, SECURITY_INFORMATION;

__extension__ typedef union _LARGE_INTEGER {
    struct {
        DWORD LowPart;
        LONG HighPart;
    };
    struct {
        DWORD LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

__extension__ typedef union _ULARGE_INTEGER {
    struct {
        DWORD LowPart;
        DWORD HighPart;
    };
    struct {
        DWORD LowPart;
        DWORD HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

/* 100 ns steps since 1601-01-01 UTC. */
typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;     /* 1 to 12 */
    WORD wDayOfWeek; /* 0 is Sunday */
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;

typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;

typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

/* Bytes in self-relative form, as [MS-DTYP] 2.4.6 has them. */
typedef PVOID PSECURITY_DESCRIPTOR, LPSECURITY_DESCRIPTOR;
typedef struct _SECURITY_DESCRIPTOR_RELATIVE {
    BYTE Revision;
    BYTE Sbz1;
    WORD Control;
    DWORD Owner;
    DWORD Group;
    DWORD Sacl;
    DWORD Dacl;
} SECURITY_DESCRIPTOR_RELATIVE, *PISECURITY_DESCRIPTOR_RELATIVE;

#define FALSE 0
#define TRUE 1
#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)
#define MAX_PATH 260
#define MAXDWORD 0xffffffff
#define INFINITE 0xffffffff /* a time to wait without end */

#define TEXT(quoted) L##quoted
#define _T(quoted) L##quoted

#define UNREFERENCED_PARAMETER(p) ((void)(p))
#define ZeroMemory(at, size) memset((at), 0, (size))
#define CopyMemory(to, from, size) memcpy((to), (from), (size))
#define LOWORD(l) ((WORD)((DWORD_PTR)(l)&0xffff))
#define HIWORD(l) ((WORD)(((DWORD_PTR)(l) >> 16) & 0xffff))

/* A program compiled with another width of wchar_t than the library's fails to link here, naming
 * the width it was compiled for. A translation unit that only wants constants and types, and is
 * not linked with the library, defines CLUSAPI_NO_WCHAR_CHECK. */
#if __SIZEOF_WCHAR_T__ == 4
#define CLUSAPI_WCHAR_SYMBOL clusapi_wchar_is_32_bits
#else
#define CLUSAPI_WCHAR_SYMBOL clusapi_wchar_is_16_bits
#endif
CLUSAPI_FUNCTION const char CLUSAPI_WCHAR_SYMBOL;
#ifndef CLUSAPI_NO_WCHAR_CHECK
static const char *const clusapi_wchar_check __attribute__((used)) = &CLUSAPI_WCHAR_SYMBOL;
#endif

/* ---- errors ([MS-ERREF] 2.2) ---- */

#define NO_ERROR 0
#define ERROR_SUCCESS 0
#define ERROR_INVALID_FUNCTION 1
#define ERROR_FILE_NOT_FOUND 2
#define ERROR_TOO_MANY_OPEN_FILES 4
#define ERROR_ACCESS_DENIED 5
#define ERROR_INVALID_HANDLE 6
#define ERROR_NOT_ENOUGH_MEMORY 8
#define ERROR_INVALID_DATA 13
#define ERROR_GEN_FAILURE 31
#define ERROR_NOT_SUPPORTED 50
#define ERROR_SHARING_PAUSED 70
#define ERROR_INVALID_PARAMETER 87
#define ERROR_BUFFER_OVERFLOW 111
#define ERROR_DISK_FULL 112
#define ERROR_CALL_NOT_IMPLEMENTED 120
#define ERROR_INSUFFICIENT_BUFFER 122
#define ERROR_INVALID_NAME 123
#define ERROR_DIR_NOT_EMPTY 145
#define ERROR_ALREADY_EXISTS 183
#define ERROR_FILENAME_EXCED_RANGE 206
#define ERROR_MORE_DATA 234
#define ERROR_NO_MORE_ITEMS 259
#define ERROR_MR_MID_NOT_FOUND 317
#define ERROR_IO_PENDING 997
#define ERROR_KEY_DELETED 1018
#define ERROR_CIRCULAR_DEPENDENCY 1059
#define ERROR_SERVICE_NOT_ACTIVE 1062
#define ERROR_NO_UNICODE_TRANSLATION 1113
#define ERROR_IO_DEVICE 1117
#define ERROR_CANCELLED 1223
#define ERROR_TIMEOUT 1460
#define ERROR_NOT_ENOUGH_QUOTA 1816
#define RPC_S_SERVER_UNAVAILABLE 1722
#define RPC_S_CALL_FAILED 1726
#define RPC_S_PROTOCOL_ERROR 1728
#define RPC_S_PROCNUM_OUT_OF_RANGE 1745
#define RPC_X_BAD_STUB_DATA 1783
#define ERROR_DEPENDENT_RESOURCE_EXISTS 5001
#define ERROR_DEPENDENCY_NOT_FOUND 5002
#define ERROR_DEPENDENCY_ALREADY_EXISTS 5003
#define ERROR_RESOURCE_NOT_ONLINE 5004
#define ERROR_HOST_NODE_NOT_AVAILABLE 5005
#define ERROR_RESOURCE_NOT_AVAILABLE 5006
#define ERROR_RESOURCE_NOT_FOUND 5007
#define ERROR_SHUTDOWN_CLUSTER 5008
#define ERROR_OBJECT_ALREADY_EXISTS 5010
#define ERROR_OBJECT_IN_LIST 5011
#define ERROR_GROUP_NOT_AVAILABLE 5012
#define ERROR_GROUP_NOT_FOUND 5013
#define ERROR_GROUP_NOT_ONLINE 5014
#define ERROR_HOST_NODE_NOT_RESOURCE_OWNER 5015
#define ERROR_HOST_NODE_NOT_GROUP_OWNER 5016
#define ERROR_RESOURCE_ONLINE 5019
#define ERROR_QUORUM_RESOURCE 5020
#define ERROR_NOT_QUORUM_CAPABLE 5021
#define ERROR_INVALID_STATE 5023
#define ERROR_RESOURCE_PROPERTIES_STORED 5024
#define ERROR_CORE_RESOURCE 5026
#define ERROR_QUORUM_RESOURCE_ONLINE_FAILED 5027
#define ERROR_RESOURCE_FAILED 5038
#define ERROR_CLUSTER_NODE_NOT_FOUND 5042
#define ERROR_CLUSTER_NETWORK_NOT_FOUND 5045
#define ERROR_CLUSTER_NETINTERFACE_NOT_FOUND 5047
#define ERROR_CLUSTER_INVALID_REQUEST 5048
#define ERROR_CLUSTER_NODE_DOWN 5050
#define ERROR_CLUSTER_NODE_NOT_PAUSED 5058
#define ERROR_DEPENDENCY_NOT_ALLOWED 5069
#define ERROR_CLUSTER_NODE_PAUSED 5070
#define ERROR_NODE_CANT_HOST_RESOURCE 5071
#define ERROR_CLUSTER_NODE_NOT_READY 5072
#define ERROR_CLUSTER_NODE_SHUTTING_DOWN 5073
#define ERROR_CLUSTER_RESOURCE_TYPE_NOT_FOUND 5078
#define ERROR_CLUSTER_RESTYPE_NOT_SUPPORTED 5079
#define ERROR_CLUSTER_RESNAME_NOT_FOUND 5080
#define ERROR_CLUSTER_OWNER_NOT_IN_PREFLIST 5082
#define ERROR_RESOURCE_PROPERTY_UNCHANGEABLE 5089
#define ERROR_DEPENDENCY_TREE_TOO_COMPLEX 5929
#define ERROR_CLUSTER_RESOURCE_PROVIDER_FAILED 5942
#define ERROR_CLUSTER_CANNOT_RETURN_PROPERTIES 5968
#define WAIT_TIMEOUT 258

/* The calling thread's last error: what the last failed call of this library left, or what the
 * program set. A call that succeeds leaves it alone. Each thread has its own, at first 0. */
CLUSAPI_FUNCTION DWORD WINAPI GetLastError(void);
CLUSAPI_FUNCTION void WINAPI SetLastError(DWORD dwErrCode);

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS 0x00000200
#define FORMAT_MESSAGE_FROM_SYSTEM 0x00001000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK 0x000000ff

#define LANG_NEUTRAL 0x00
#define SUBLANG_DEFAULT 0x01
#define MAKELANGID(primary, sub) ((((WORD)(sub)) << 10) | (WORD)(primary))

/* The sentence for an error code that this library returns, in English whatever dwLanguageId.
 *   dwFlags      FROM_SYSTEM must be set; ALLOCATE_BUFFER and IGNORE_INSERTS may be. With
 *                MAX_WIDTH_MASK the sentence ends in a space, else in CR LF
 *   lpSource     not looked at
 *   lpBuffer     out: the text with its NUL. With ALLOCATE_BUFFER it is the address of an LPWSTR,
 *                cast; the memory is the caller's to free with LocalFree
 *   nSize        lpBuffer's room in WCHARs with the NUL; with ALLOCATE_BUFFER the least to allocate
 *   Arguments    not looked at: the sentences have no inserts
 * Returns the text's length in WCHARs without the NUL, or 0: ERROR_MR_MID_NOT_FOUND (no such
 * code), ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER (other flags, lpBuffer NULL),
 * ERROR_NOT_ENOUGH_MEMORY. Differs: only messages of the system, the wording is ours. */
CLUSAPI_FUNCTION DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
                                             DWORD dwLanguageId, LPWSTR lpBuffer, DWORD nSize,
                                             va_list *Arguments);
#define FormatMessage FormatMessageW

/* ---- text ---- */

/* Compare, code point by code point; lstrcmpiW without regard to case in the way the cluster
 * compares names (C.UTF-8's simple upper case). <0, 0 or >0; NULL comes before all texts. Differs:
 * Windows sorts by the user's locale; equality is the same but for linguistic subtleties. */
CLUSAPI_FUNCTION int WINAPI lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2);
CLUSAPI_FUNCTION int WINAPI lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2);
/* Length in WCHARs without the NUL; 0 for NULL. */
CLUSAPI_FUNCTION int WINAPI lstrlenW(LPCWSTR lpString);
/* Copy with the NUL; the second at most iMaxLength WCHARs, the NUL counted and always written.
 * Return lpString1, or NULL if either is NULL (or iMaxLength < 1): nothing is written then. */
CLUSAPI_FUNCTION LPWSTR WINAPI lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2);
CLUSAPI_FUNCTION LPWSTR WINAPI lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2, int iMaxLength);
#define lstrcmp lstrcmpW
#define lstrcmpi lstrcmpiW
#define lstrlen lstrlenW
#define lstrcpy lstrcpyW
#define lstrcpyn lstrcpynW

/* Linux host names may have up to 63 characters; Windows stops at 15. */
#define MAX_COMPUTERNAME_LENGTH 63

/* This machine's name: the host name up to its first dot.
 *   lpBuffer  out: the name with its NUL
 *   nSize     in: room in WCHARs with the NUL; out: length without it. When the room was too small
 *             (FALSE, ERROR_BUFFER_OVERFLOW): the room needed, with the NUL
 * FALSE and ERROR_INVALID_PARAMETER when a pointer is NULL. */
CLUSAPI_FUNCTION BOOL WINAPI GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize);
#define GetComputerName GetComputerNameW

/* ---- memory ---- */

#define LMEM_FIXED 0x0000
#define LMEM_MOVEABLE 0x0002
#define LMEM_ZEROINIT 0x0040
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define GMEM_FIXED 0x0000
#define GMEM_MOVEABLE 0x0002
#define GMEM_ZEROINIT 0x0040
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)

/* Memory of the C heap; the result is the address itself, MOVEABLE or not. NULL with
 * ERROR_NOT_ENOUGH_MEMORY, or ERROR_INVALID_PARAMETER for other flags. */
CLUSAPI_FUNCTION HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes);
/* Another size, perhaps at another address; what is added is zero with LMEM_ZEROINIT. On failure
 * (as above; hMem NULL: ERROR_INVALID_PARAMETER) NULL, and the old memory stays as it was. */
CLUSAPI_FUNCTION HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags);
/* Takes memory of LocalAlloc, malloc or C++'s new[] of a plain type; NULL is fine. Returns NULL. */
CLUSAPI_FUNCTION HLOCAL WINAPI LocalFree(HLOCAL hMem);

/* ---- threads and waiting ---- */

#define STILL_ACTIVE 259
#define WAIT_OBJECT_0 0
#define WAIT_ABANDONED 0x00000080
#define WAIT_FAILED 0xffffffff

typedef DWORD(WINAPI *PTHREAD_START_ROUTINE)(LPVOID lpThreadParameter);
typedef PTHREAD_START_ROUTINE LPTHREAD_START_ROUTINE;

/* Starts a thread; its return value is its exit code.
 *   lpThreadAttributes  not looked at (handles are not inherited)
 *   dwStackSize         in bytes; 0 or less than the system's least: the system's default
 *   dwCreationFlags     0, else ERROR_NOT_SUPPORTED (a thread cannot be made suspended)
 *   lpThreadId          out, may be NULL: a number that no other living thread here has
 * Returns a handle, to be closed with CloseHandle; closing does not end the thread. NULL on
 * failure: ERROR_INVALID_PARAMETER (no start routine), ERROR_NOT_ENOUGH_MEMORY. */
CLUSAPI_FUNCTION HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes,
                                            SIZE_T dwStackSize,
                                            LPTHREAD_START_ROUTINE lpStartAddress,
                                            LPVOID lpParameter, DWORD dwCreationFlags,
                                            LPDWORD lpThreadId);
/* *lpExitCode: STILL_ACTIVE, or what the thread returned. FALSE: ERROR_INVALID_HANDLE,
 * ERROR_INVALID_PARAMETER (lpExitCode NULL). Does not block. */
CLUSAPI_FUNCTION BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode);

/* Waits until a thread has ended, or an event handle of GetNotifyEventHandle is signalled.
 *   dwMilliseconds  0 looks without waiting, INFINITE waits without end
 * Returns WAIT_OBJECT_0, WAIT_TIMEOUT, or WAIT_FAILED with ERROR_INVALID_HANDLE (also when the
 * event's port was closed before). Any number of threads may wait for one handle, and
 * closing the handle meanwhile does not end their wait. */
CLUSAPI_FUNCTION DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds);
/* Closes a thread's handle. An event handle belongs to its notification port: TRUE, and it stays.
 * Other handles have closing functions of their own: FALSE, ERROR_INVALID_HANDLE. */
CLUSAPI_FUNCTION BOOL WINAPI CloseHandle(HANDLE hObject);

/* INFINITE sleeps for ever. */
CLUSAPI_FUNCTION void WINAPI Sleep(DWORD dwMilliseconds);

/* ---- registry constants (the functions are clusapi.h's) ---- */

#define REG_NONE 0
#define REG_SZ 1
#define REG_EXPAND_SZ 2
#define REG_BINARY 3
#define REG_DWORD 4
#define REG_DWORD_LITTLE_ENDIAN 4
#define REG_DWORD_BIG_ENDIAN 5
#define REG_LINK 6
#define REG_MULTI_SZ 7
#define REG_QWORD 11
#define REG_QWORD_LITTLE_ENDIAN 11

#define REG_OPTION_NON_VOLATILE 0x00000000
#define REG_OPTION_VOLATILE 0x00000001
#define REG_CREATED_NEW_KEY 1
#define REG_OPENED_EXISTING_KEY 2

#define DELETE 0x00010000
#define READ_CONTROL 0x00020000
#define WRITE_DAC 0x00040000
#define WRITE_OWNER 0x00080000
#define SYNCHRONIZE 0x00100000
#define MAXIMUM_ALLOWED 0x02000000
#define GENERIC_READ 0x80000000
#define GENERIC_WRITE 0x40000000
#define GENERIC_EXECUTE 0x20000000
#define GENERIC_ALL 0x10000000

#define KEY_QUERY_VALUE 0x0001
#define KEY_SET_VALUE 0x0002
#define KEY_CREATE_SUB_KEY 0x0004
#define KEY_ENUMERATE_SUB_KEYS 0x0008
#define KEY_NOTIFY 0x0010
#define KEY_CREATE_LINK 0x0020
#define KEY_READ 0x00020019
#define KEY_WRITE 0x00020006
#define KEY_EXECUTE 0x00020019
#define KEY_ALL_ACCESS 0x000f003f

#define OWNER_SECURITY_INFORMATION 0x00000001
#define GROUP_SECURITY_INFORMATION 0x00000002
#define DACL_SECURITY_INFORMATION 0x00000004
#define SACL_SECURITY_INFORMATION 0x00000008

CLUSAPI_END

#endif
