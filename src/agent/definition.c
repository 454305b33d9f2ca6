/* SPDX-License-Identifier: MIT */
#include "agent/definition.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/macro.h"
#include "base/text.h"
#include "model/json_text.h"

static void parameter_fini(struct parameter *p)
{
    free(p->name);
    free(p->value);
}

void parameters_fini(struct parameters *p)
{
    for (size_t i = 0; i < p->count; i++)
        parameter_fini(&p->items[i]);
    free(p->items);
    *p = (struct parameters){0};
}

const char *parameters_find(const struct parameters *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i].name, name) == 0)
            return p->items[i].value;
    return NULL;
}

/* The name becomes part of an environment variable's, and what the runner itself tells an agent
 * must not be overridden by a property. */
static bool name_is_parameter(const char *name)
{
    return name[0] && !strchr(name, '=') && strncasecmp(name, "CRM_meta_", 9) != 0;
}

static int parameters_add(struct parameters *p, const char *name, const char *value)
{
    struct parameter added = {0};

    if (!value[0] || !name_is_parameter(name) || parameters_find(p, name))
        return 0;
    if (p->count == p->capacity) {
        size_t capacity = MAX(p->capacity * 2, (size_t)8);
        struct parameter *items = reallocarray(p->items, capacity, sizeof(*items));
        if (!items)
            return -ENOMEM;
        p->items = items;
        p->capacity = capacity;
    }
    added.name = strdup(name);
    added.value = strdup(value);
    if (!added.name || !added.value) {
        parameter_fini(&added);
        return -ENOMEM;
    }
    p->items[p->count++] = added;
    return 0;
}

static char *multi_as_text(const struct property *p)
{
    char *text = malloc(p->size + 1);

    if (!text)
        return NULL;
    memcpy(text, p->data, p->size);
    for (size_t i = 0; i + 1 < p->size; i++)
        if (!text[i])
            text[i] = ' ';
    text[p->size] = '\0';
    return text;
}

/* As an agent reads it, malloc'ed; NULL when out of memory. Bytes have no such form: "". */
static char *property_as_text(const struct property *p)
{
    switch (p->format) {
    case PROPERTY_SZ:
    case PROPERTY_EXPAND_SZ:
    case PROPERTY_EXPANDED_SZ:
        return strndup(p->data, p->size);
    case PROPERTY_MULTI_SZ:
        return multi_as_text(p);
    case PROPERTY_LONG:
    case PROPERTY_LARGE_INTEGER:
        return text_format("%" PRId64, (int64_t)p->number);
    case PROPERTY_DWORD:
    case PROPERTY_WORD:
    case PROPERTY_ULARGE_INTEGER:
        return text_format("%" PRIu64, p->number);
    default:
        return strdup("");
    }
}

static char *default_as_text(const json_t *j)
{
    _cleanup_(buffer_fini) struct buffer joined = {0};
    const json_t *item;
    size_t i;

    if (json_is_string(j))
        return strdup(json_string_value(j));
    if (json_is_integer(j))
        return text_format("%" PRId64, (int64_t)json_integer_value(j));
    if (!json_is_array(j))
        return strdup("");
    json_array_foreach(j, i, item)
    {
        if (json_is_string(item))
            buffer_printf(&joined, "%s%s", joined.size ? " " : "", json_string_value(item));
    }
    buffer_append(&joined, "", 1);
    return buffer_failed(&joined) ? NULL : (char *)buffer_take(&joined, &(size_t){0});
}

static int add_property(struct parameters *to, const char *parameter, const struct property *p)
{
    _cleanup_free_
    char *text = property_as_text(p);

    return text ? parameters_add(to, parameter, text) : -ENOMEM;
}

static int add_default(struct parameters *to, const char *parameter, const json_t *value)
{
    _cleanup_free_
    char *text = default_as_text(value);

    return text ? parameters_add(to, parameter, text) : -ENOMEM;
}

static int add_declared(struct parameters *to, const json_t *declared,
                        const struct property_table *properties)
{
    const json_t *item;
    size_t i;
    int r;

    json_array_foreach(declared, i, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *parameter = json_string_value(json_object_get(item, "parameter"));
        const struct property *p;

        if (!name || !parameter)
            continue;
        p = property_find(properties, name);
        r = p ? add_property(to, parameter, p)
              : add_default(to, parameter, json_object_get(item, "default"));
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_all(struct parameters *to, const struct property_table *properties)
{
    int r;

    for (size_t i = 0; i < properties->count; i++) {
        r = add_property(to, properties->items[i].name, &properties->items[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_fixed(struct parameters *to, const json_t *fixed)
{
    void *at;
    int r;

    for (at = json_object_iter((json_t *)fixed); at;
         at = json_object_iter_next((json_t *)fixed, at)) {
        r = add_default(to, json_object_iter_key(at), json_object_iter_value(at));
        if (r < 0)
            return r;
    }
    return 0;
}

int definition_resolve(const char *json, const struct property_table *properties, char **ret_agent,
                       struct parameters *ret_parameters)
{
    json_auto_t *root = NULL;
    _cleanup_(parameters_fini) struct parameters parameters = {0};
    _cleanup_free_
    char *agent = NULL;
    const char *spec;
    const json_t *declared;
    int r = json ? json_text_parse(json, strlen(json), 0, NULL, &root) : -EINVAL;

    if (r == -ENOMEM)
        return r;
    spec = json_string_value(json_object_get(root, "agent"));
    declared = json_object_get(root, "properties");
    if (!spec)
        return -EINVAL;
    /* Fixed ones first: what comes later does not replace them. */
    r = add_fixed(&parameters, json_object_get(root, "parameters"));
    if (r >= 0)
        r = declared ? add_declared(&parameters, declared, properties)
                     : add_all(&parameters, properties);
    if (r < 0)
        return r;
    agent = strdup(spec);
    if (!agent)
        return -ENOMEM;
    *ret_agent = TAKE_PTR(agent);
    *ret_parameters = parameters;
    parameters = (struct parameters){0};
    return 0;
}
