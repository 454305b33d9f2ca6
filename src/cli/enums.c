/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "cli.h"

#define MOST_NAME 1024

json_t *cluster_objects(struct cli *cli, DWORD type, describe_fn describe)
{
    HCLUSENUM list = ClusterOpenEnum(cli->cluster, type);
    if (!list)
        return NULL;
    json_t *objects = must(json_array());
    DWORD r = ERROR_SUCCESS;
    for (DWORD i = 0; r == ERROR_SUCCESS; i++) {
        WCHAR wide[MOST_NAME];
        DWORD size = MOST_NAME, kind;
        r = ClusterEnum(list, i, &kind, wide, &size);
        if (r != ERROR_SUCCESS)
            break;
        char *name = narrow(wide);
        json_t *one = describe(cli, name);
        if (one)
            json_array_append_new(objects, one);
        free(name);
    }
    ClusterCloseEnum(list);
    if (r == ERROR_NO_MORE_ITEMS)
        return objects;
    json_decref(objects);
    SetLastError(r);
    return NULL;
}

int list_objects(struct cli *cli, int argc, DWORD type, const char *key, describe_fn describe,
                 const struct column *columns)
{
    if (argc > 1)
        return cli_usage(cli, "list takes no arguments");
    json_t *objects = cluster_objects(cli, type, describe);
    return objects ? print_list(cli, key, objects, columns)
                   : cli_last_error(cli, "cannot list", key);
}
