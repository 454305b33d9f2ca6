// SPDX-License-Identifier: MIT
//
// A program as it is written for Windows: only windows.h, clusapi.h and stdio.h. A second thread
// reports what happens, while the first makes a group and a resource, brings them online and
// offline, and takes them away again. Closing the cluster ends the thread.
#include <clusapi.h>
#include <stdio.h>
#include <windows.h>

static HCLUSTER hCluster = NULL;
static HCHANGE hChange = NULL;
static DWORD cbNameSize = 128; // reused for each name; grows

static const DWORD dwFilter = CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_GROUP_DELETED |
                              CLUSTER_CHANGE_GROUP_STATE | CLUSTER_CHANGE_RESOURCE_ADDED |
                              CLUSTER_CHANGE_RESOURCE_DELETED | CLUSTER_CHANGE_RESOURCE_STATE |
                              CLUSTER_CHANGE_HANDLE_CLOSE;

static const wchar_t *Describe(DWORD dwType)
{
    switch (dwType) {
    case CLUSTER_CHANGE_GROUP_ADDED:
        return L"group added";
    case CLUSTER_CHANGE_GROUP_DELETED:
        return L"group deleted";
    case CLUSTER_CHANGE_GROUP_STATE:
        return L"group state";
    case CLUSTER_CHANGE_RESOURCE_ADDED:
        return L"resource added";
    case CLUSTER_CHANGE_RESOURCE_DELETED:
        return L"resource deleted";
    case CLUSTER_CHANGE_RESOURCE_STATE:
        return L"resource state";
    case CLUSTER_CHANGE_HANDLE_CLOSE:
        return L"cluster handle close";
    default:
        return L"other";
    }
}

static DWORD WINAPI EventThread(LPVOID)
{
    DWORD_PTR dwKey = 0;
    DWORD dwType = 0;
    DWORD dwStatus = ERROR_SUCCESS;
    DWORD cchName = cbNameSize;
    LPWSTR lpszName = new WCHAR[cbNameSize];

    hChange = CreateClusterNotifyPort((HCHANGE)INVALID_HANDLE_VALUE, hCluster, dwFilter, dwFilter);
    while (hChange != NULL && dwType != CLUSTER_CHANGE_HANDLE_CLOSE) {
        cchName = cbNameSize;
        dwStatus = GetClusterNotify(hChange, &dwKey, &dwType, lpszName, &cchName, 2500);
        if (dwStatus == ERROR_MORE_DATA) {
            LocalFree(lpszName);
            cbNameSize = cchName + 1;
            lpszName = new WCHAR[cbNameSize];
            dwType = 0;
        } else if (dwStatus == ERROR_SUCCESS) {
            wprintf(L"%ls: %ls\n", Describe(dwType), lpszName);
        } else if (dwStatus != WAIT_TIMEOUT) {
            break;
        }
    }
    LocalFree(lpszName);
    return dwStatus;
}

int main()
{
    WCHAR szComputer[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD cchComputer = MAX_COMPUTERNAME_LENGTH + 1;
    DWORD dwThreadId = 0;
    DWORD dwExit = STILL_ACTIVE;

    if (!GetComputerName(szComputer, &cchComputer))
        return 1;
    wprintf(L"on %ls\n", szComputer);
    hCluster = OpenCluster(NULL);
    if (hCluster == NULL) {
        wprintf(L"no cluster: %u\n", GetLastError());
        return 1;
    }
    HANDLE hThread = CreateThread(NULL, 0, EventThread, NULL, 0, &dwThreadId);
    if (hThread == NULL)
        return 1;

    HGROUP hGroup = CreateClusterGroup(hCluster, L"SampleGroup");
    if (hGroup != NULL) {
        HRESOURCE hRes = CreateClusterResource(hGroup, L"SampleShare", L"File Share", 0);

        OnlineClusterGroup(hGroup, NULL);
        OfflineClusterGroup(hGroup);
        if (hRes != NULL) {
            DeleteClusterResource(hRes);
            CloseClusterResource(hRes);
        }
        DeleteClusterGroup(hGroup);
        CloseClusterGroup(hGroup);
    }

    CloseCluster(hCluster);
    while (GetExitCodeThread(hThread, &dwExit) && dwExit == STILL_ACTIVE)
        Sleep(100);
    CloseClusterNotifyPort(hChange);
    CloseHandle(hThread);
    return 0;
}
