/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NOTIFY_V2_H
#define TESTS_NOTIFY_V2_H

#include "notify/loop.h"

/* Events of version 2 with all that they carry. */

#define ROOM 256
#define KEY 42

struct told_v2 {
    DWORD type;
    LONGLONG flag;
    DWORD_PTR key;
    _Alignas(DWORD) BYTE buffer[1024];
    DWORD size;
    WCHAR object[ROOM], parent[ROOM], name[ROOM], type_name[ROOM];
};

#define ALL(type) CLUSTER_OBJECT_TYPE_##type, CLUSTER_CHANGE_##type##_ALL_V2

HCHANGE watch_v2(struct world *w, DWORD type, LONGLONG flags); /* cluster-wide, its key KEY */
DWORD get_v2(HCHANGE port, struct told_v2 *t, DWORD wait);

/* The port's next event, with KEY, but for its buffer. NULL: "". */
#define told(port, type, flag, ...)                                                                \
    told_at(port, CLUSTER_OBJECT_TYPE_##type, CLUSTER_CHANGE_##flag##_V2, __VA_ARGS__, __FILE__,   \
            __LINE__)
#define silent(port) silent_at(port, __FILE__, __LINE__)
struct told_v2 told_at(HCHANGE port, DWORD type, LONGLONG flag, LPCWSTR object, LPCWSTR parent,
                       LPCWSTR name, LPCWSTR type_name, const char *file, int line);
void silent_at(HCHANGE port, const char *file, int line);

/* What is in its buffer. */
void has_number(struct told_v2 t, DWORD number);
void has_text(struct told_v2 t, LPCWSTR wanted);
void has_texts(struct told_v2 t, LPCWSTR first); /* a MULTI_SZ of one */
void has_list(struct told_v2 t, struct property p);
void has_nothing(struct told_v2 t);

#endif
