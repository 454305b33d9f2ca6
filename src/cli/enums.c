/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "cli.h"

#define MOST_NAME 1024

json_t *cluster_names(struct cli *cli, DWORD type)
{
    HCLUSENUM list = ClusterOpenEnum(cli->cluster, type);
    if (!list)
        return NULL;
    json_t *names = must(json_array());
    DWORD r = ERROR_SUCCESS;
    for (DWORD i = 0; r == ERROR_SUCCESS; i++) {
        WCHAR name[MOST_NAME];
        DWORD size = MOST_NAME, kind;
        r = ClusterEnum(list, i, &kind, name, &size);
        if (r == ERROR_SUCCESS)
            json_array_append_new(names, json_wide(name));
    }
    ClusterCloseEnum(list);
    if (r == ERROR_NO_MORE_ITEMS)
        return names;
    json_decref(names);
    SetLastError(r);
    return NULL;
}
