/* SPDX-License-Identifier: MIT */
#include "notify/v2.h"

#include <string.h>
#include <wchar.h>

DWORD get_v2(HCHANGE port, struct told_v2 *t, DWORD wait)
{
    NOTIFY_FILTER_AND_TYPE what = {0};
    DWORD lengths[] = {ROOM, ROOM, ROOM, ROOM};

    *t = (struct told_v2){.size = sizeof t->buffer};
    DWORD error = GetClusterNotifyV2(port, &t->key, &what, t->buffer, &t->size, t->object,
                                     &lengths[0], t->parent, &lengths[1], t->name, &lengths[2],
                                     t->type_name, &lengths[3], wait);
    t->type = what.dwObjectType;
    t->flag = what.FilterFlags;
    if (error == ERROR_SUCCESS) {
        assert_int_equal(lengths[0], wcslen(t->object));
        assert_int_equal(lengths[1], wcslen(t->parent));
        assert_int_equal(lengths[2], wcslen(t->name));
        assert_int_equal(lengths[3], wcslen(t->type_name));
    }
    return error;
}

HCHANGE watch_v2(struct world *w, DWORD type, LONGLONG flags)
{
    NOTIFY_FILTER_AND_TYPE filter = {type, flags};
    HCHANGE port = CreateClusterNotifyPortV2(INVALID_HANDLE_VALUE, w->cluster, &filter, 1, KEY);
    if (!port)
        fail_msg("CreateClusterNotifyPortV2: error %u", GetLastError());
    return port;
}

void silent_at(HCHANGE port, const char *file, int line)
{
    struct told_v2 t;
    DWORD error = get_v2(port, &t, 0);

    if (error == WAIT_TIMEOUT)
        return;
    print_error("wanted nothing, got error %u: type %u flag %#jx \"%ls\"\n", error, t.type,
                (uintmax_t)t.flag, t.name);
    _fail(file, line);
}

static void same(LPCWSTR got, LPCWSTR wanted, const char *what, const char *file, int line)
{
    if (wcscmp(got, wanted) == 0)
        return;
    print_error("%s: got \"%ls\", wanted \"%ls\"\n", what, got, wanted);
    _fail(file, line);
}

/* The next event, but for its buffer. NULL: "". */
struct told_v2 told_at(HCHANGE port, DWORD type, LONGLONG flag, LPCWSTR object, LPCWSTR parent,
                       LPCWSTR name, LPCWSTR type_name, const char *file, int line)
{
    struct told_v2 t;
    DWORD error = get_v2(port, &t, EVENT_WAIT_MS);

    if (error != ERROR_SUCCESS || t.type != type || t.flag != flag || t.key != KEY) {
        print_error("wanted type %u flag %#jx, got error %u: type %u flag %#jx \"%ls\"\n", type,
                    (uintmax_t)flag, error, t.type, (uintmax_t)t.flag, t.name);
        _fail(file, line);
    }
    same(t.object, object ? object : L"", "object id", file, line);
    same(t.parent, parent ? parent : L"", "parent id", file, line);
    same(t.name, name ? name : L"", "name", file, line);
    same(t.type_name, type_name ? type_name : L"", "type", file, line);
    return t;
}

void has_number(struct told_v2 t, DWORD number)
{
    DWORD got;

    assert_int_equal(t.size, sizeof got);
    memcpy(&got, t.buffer, sizeof got);
    assert_int_equal(got, number);
}

void has_text(struct told_v2 t, LPCWSTR wanted)
{
    assert_int_equal(t.size, (wcslen(wanted) + 1) * sizeof(WCHAR));
    assert_memory_equal(t.buffer, wanted, t.size);
}

void has_texts(struct told_v2 t, LPCWSTR first)
{
    DWORD size = (DWORD)((wcslen(first) + 1) * sizeof(WCHAR));
    WCHAR end = 0;

    assert_int_equal(t.size, size + sizeof(WCHAR));
    assert_memory_equal(t.buffer, first, size);
    assert_memory_equal(t.buffer + size, &end, sizeof end);
}

void has_list(struct told_v2 t, struct property p)
{
    assert_int_equal(t.size, p.size);
    assert_memory_equal(t.buffer, p.data, p.size);
}

void has_nothing(struct told_v2 t)
{
    assert_int_equal(t.size, 0);
}
