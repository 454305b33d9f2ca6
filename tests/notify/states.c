/* SPDX-License-Identifier: MIT */
#include "notify/states.h"

#include <stdlib.h>
#include <wchar.h>

HCHANGE watch_states(struct world *w)
{
    NOTIFY_FILTER_AND_TYPE filters[] = {
        {CLUSTER_OBJECT_TYPE_RESOURCE, CLUSTER_CHANGE_RESOURCE_STATE_V2},
        {CLUSTER_OBJECT_TYPE_GROUP, CLUSTER_CHANGE_GROUP_STATE_V2},
    };
    HCHANGE port = CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, w->cluster, filters, 2, 0);

    assert_non_null(port);
    return port;
}

struct told {
    DWORD error;
    NOTIFY_FILTER_AND_TYPE what;
    DWORD state;
    WCHAR name[NAME_ROOM];
};

static struct told next(HCHANGE port, DWORD wait)
{
    struct told t = {0};
    DWORD size = sizeof t.state, length = NAME_ROOM;
    DWORD_PTR key;

    t.error = GetClusterNotifyV2(port, &key, &t.what, (BYTE *)&t.state, &size, NULL, NULL, NULL,
                                 NULL, t.name, &length, NULL, NULL, wait);
    return t;
}

static _Noreturn void fail_at(const char *file, int line, const struct told *t)
{
    print_error("got: error %u, type %u \"%ls\" state %u\n", t->error, t->what.dwObjectType,
                t->name, t->state);
    _fail(file, line);
    abort();
}

void expect_state_at(HCHANGE port, DWORD type, LPCWSTR name, DWORD state, const char *file,
                     int line)
{
    struct told t = next(port, EVENT_WAIT_MS);

    if (t.error == ERROR_SUCCESS && t.what.dwObjectType == type && wcscmp(t.name, name) == 0 &&
        t.state == state)
        return;
    print_error("wanted: type %u \"%ls\" state %u\n", type, name, state);
    fail_at(file, line, &t);
}

void expect_no_state_at(HCHANGE port, const char *file, int line)
{
    struct told t = next(port, 0);

    if (t.error != WAIT_TIMEOUT)
        fail_at(file, line, &t);
}
