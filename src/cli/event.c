/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"

#define NO_STATE ((DWORD)-1)

static json_t *time_to_json(LONGLONG ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    char day[32], text[64];
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
    snprintf(text, sizeof(text), "%s.%09lldZ", day, (long long)(ns % 1000000000));
    return must(json_string(text));
}

static json_t *multi_to_json(const WCHAR *texts, size_t length)
{
    json_t *array = must(json_array());
    for (size_t i = 0; i < length && texts[i]; i += (size_t)lstrlenW(texts + i) + 1)
        json_array_append_new(array, json_wide(texts + i));
    return array;
}

/* The number that comes with an object that was added or deleted is its state; a new group's is its
 * type, which has no meaning here. */
static json_t *number_to_json(const char *object, DWORD number)
{
    const char *name = state_name(object, number);
    if (strcmp(object, "group") == 0 && strcmp(name, "Unknown") == 0)
        return must(json_null());
    return strcmp(name, "Unknown") == 0 ? must(json_integer(number)) : must(json_string(name));
}

static json_t *value_to_json(const char *object, DWORD state, const CLUSPORT_VALUE *v)
{
    if (state != NO_STATE)
        return must(json_string(state_name(object, state)));
    switch (v->dwKind) {
    case ClusportValueNumber:
        return number_to_json(object, v->dwNumber);
    case ClusportValueText:
        return json_wide(v->pData);
    case ClusportValueTextList:
        return multi_to_json(v->pData, v->cbData / sizeof(WCHAR));
    case ClusportValueProperties:
        return properties_to_json(v->pData, v->cbData);
    case ClusportValueRegistry:
    case ClusportValueBytes:
        return registry_value_to_json(v->dwKind == ClusportValueRegistry ? v->dwNumber : REG_BINARY,
                                      v->pData, v->cbData);
    default:
        return must(json_null());
    }
}

static void set_text(json_t *event, const char *key, const WCHAR *text)
{
    if (text && *text)
        json_object_set_new(event, key, json_wide(text));
}

static json_t *actor_to_json(const CLUSPORT_NOTIFICATION *n)
{
    json_t *actor =
        must(json_pack("{s:o, s:s}", "node", json_wide(n->pszActorNode), "reason", n->pszReason));
    if (*n->pszActorProgram) {
        json_object_set_new(actor, "program", json_wide(n->pszActorProgram));
        json_object_set_new(actor, "pid", json_integer(n->dwActorPid));
        json_object_set_new(actor, "uid", json_integer(n->dwActorUid));
    }
    return actor;
}

json_t *event_to_json(const CLUSPORT_NOTIFICATION *n)
{
    json_t *event = must(json_object());
    if (n->ullRevision) {
        json_object_set_new(event, "revision", json_integer((json_int_t)n->ullRevision));
        json_object_set_new(event, "transaction", json_integer((json_int_t)n->ullTransaction));
        json_object_set_new(event, "last", json_boolean(n->fLast));
        json_object_set_new(event, "time", n->fInitial ? json_null() : time_to_json(n->llTime));
    }
    json_object_set_new(event, "kind", json_string(n->pszKind));
    json_object_set_new(event, "initial", json_boolean(n->fInitial));
    const char *flag = n->fInitial ? NULL : flag_name(n->dwFlag);
    json_object_set_new(event, "v1", flag ? json_string(flag) : json_null());
    json_object_set_new(event, "name", json_wide(n->pszName));
    set_text(event, "id", n->pszObjectId);
    set_text(event, strncmp(n->pszKind, "registry.", 9) == 0 ? "value_name" : "parent",
             n->pszParentId);
    set_text(event, "node", n->pszNodeId);
    set_text(event, "type", n->pszTypeName);
    if (n->dwOldState != NO_STATE || n->OldValue.dwKind != ClusportValueNone)
        json_object_set_new(event, "old", value_to_json(n->pszObject, n->dwOldState, &n->OldValue));
    if (n->dwNewState != NO_STATE || n->NewValue.dwKind != ClusportValueNone)
        json_object_set_new(event, "new", value_to_json(n->pszObject, n->dwNewState, &n->NewValue));
    if (n->ullRevision && !n->fInitial)
        json_object_set_new(event, "actor", actor_to_json(n));
    if (n->ullLostCount)
        json_object_set_new(
            event, "lost",
            must(json_pack("{s:I, s:I, s:I}", "first", (json_int_t)n->ullLostFirst, "last",
                           (json_int_t)n->ullLostLast, "count", (json_int_t)n->ullLostCount)));
    return event;
}

static char *plain(const json_t *j)
{
    if (!j || json_is_null(j))
        return must(strdup(""));
    if (json_is_string(j))
        return must(strdup(json_string_value(j)));
    return must(json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY));
}

char *event_values(const CLUSPORT_NOTIFICATION *n)
{
    if (n->ullLostCount) {
        char *text = NULL;
        if (asprintf(&text, "%llu changes could not be kept: %llu to %llu",
                     (unsigned long long)n->ullLostCount, (unsigned long long)n->ullLostFirst,
                     (unsigned long long)n->ullLostLast) < 0)
            text = NULL;
        return must(text);
    }
    json_t *old_json = value_to_json(n->pszObject, n->dwOldState, &n->OldValue),
           *new_json = value_to_json(n->pszObject, n->dwNewState, &n->NewValue);
    char *old_text = plain(old_json), *new_text = plain(new_json);
    json_decref(old_json);
    json_decref(new_json);
    bool both = *old_text && *new_text;
    char *text =
        both ? join(old_text, " → ", new_text) : join(*old_text ? "was " : "", old_text, new_text);
    free(old_text);
    free(new_text);
    return text;
}
