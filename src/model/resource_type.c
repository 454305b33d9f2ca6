/* SPDX-License-Identifier: MIT */
#include "model/json_text.h"
#include "model/store.h"

#include <errno.h>

static void decrefp(json_t **j)
{
    json_decref(*j);
}

struct word {
    const char *name;
    uint32_t value;
};

static const struct word classes[] = {/* CLUSTER_RESOURCE_CLASS */
                                      {"unknown", 0},
                                      {"storage", 1},
                                      {"network", 2},
                                      {"user", 32768},
                                      {0}};

static const struct word characteristics[] = {/* CLUS_CHARACTERISTICS */
                                              {"quorum", CHARACTERISTIC_QUORUM},
                                              {"delete-requires-all-nodes", 2},
                                              {"local-quorum", 4},
                                              {"requires-state-change-reason", 0x10},
                                              {"broadcast-delete", 0x20},
                                              {"single-cluster-instance", 0x40},
                                              {"single-group-instance", 0x80},
                                              {0}};

static const struct word formats[] = {{"sz", PROPERTY_SZ},
                                      {"dword", PROPERTY_DWORD},
                                      {"multi-sz", PROPERTY_MULTI_SZ},
                                      {"binary", PROPERTY_BINARY},
                                      {"expand-sz", PROPERTY_EXPAND_SZ},
                                      {"long", PROPERTY_LONG},
                                      {"ularge", PROPERTY_ULARGE_INTEGER},
                                      {0}};

static const struct word *find_word(const struct word *words, const char *name)
{
    while (words->name && !(name && strcmp(words->name, name) == 0))
        words++;
    return words->name ? words : NULL;
}

static int get_number(const json_t *j, const char *name, uint32_t *ret)
{
    const json_t *v = json_object_get(j, name);
    if (!v)
        return 0;
    json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || n < 0 || n > UINT32_MAX)
        return -EBADMSG;
    *ret = (uint32_t)n;
    return 0;
}

static int get_class(struct resource_type *t, const json_t *j)
{
    const json_t *v = json_object_get(j, "class");
    const struct word *w = v ? find_word(classes, json_string_value(v)) : &classes[0];
    if (!w)
        return -EBADMSG;
    t->class_ = w->value;
    return get_number(j, "subclass", &t->subclass);
}

static int get_characteristics(struct resource_type *t, const json_t *j)
{
    const json_t *list = json_object_get(j, "characteristics");
    if (list && !json_is_array(list))
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct word *w =
            find_word(characteristics, json_string_value(json_array_get(list, i)));
        if (!w)
            return -EBADMSG;
        t->characteristics |= w->value;
    }
    return 0;
}

/* The default value, which must be of the property's format; without one: 0, "" or nothing. */
static int get_default(const json_t *v, struct property *p, struct buffer *bytes)
{
    switch (p->format) {
    case PROPERTY_DWORD:
    case PROPERTY_LONG:
    case PROPERTY_ULARGE_INTEGER:
        if (v && !json_is_integer(v) && !json_is_boolean(v))
            return -EBADMSG;
        p->number = json_is_true(v) ? 1 : (uint64_t)json_integer_value(v);
        if (p->format == PROPERTY_DWORD && p->number > UINT32_MAX)
            return -EBADMSG;
        return 0;
    case PROPERTY_SZ:
    case PROPERTY_EXPAND_SZ: {
        if (v && !json_is_string(v))
            return -EBADMSG;
        const char *s = v ? json_string_value(v) : "";
        return buffer_append(bytes, s, strlen(s) + 1);
    }
    case PROPERTY_MULTI_SZ:
        return v ? store_append_texts(bytes, v) : 0;
    default:
        return v ? -EBADMSG : 0;
    }
}

static int get_property(struct resource_type *t, const json_t *j)
{
    const char *name = json_string_value(json_object_get(j, "name"));
    const struct word *format = find_word(formats, json_string_value(json_object_get(j, "format")));
    if (!name || !*name || !format || property_find(&t->schema, name))
        return -EBADMSG;
    _cleanup_(buffer_fini) struct buffer bytes = {0};
    struct property p = {.name = (char *)name, .format = (enum property_format)format->value};
    int r = get_default(json_object_get(j, "default"), &p, &bytes);
    if (r < 0)
        return r;
    p.data = bytes.data ? bytes.data : (uint8_t *)"";
    p.size = bytes.size;
    r = property_set(&t->schema, &p);
    if (r == 0 && json_is_true(json_object_get(j, "required")))
        r = property_set(&t->required, &p);
    return r;
}

static int get_properties(struct resource_type *t, const json_t *j)
{
    const json_t *list = json_object_get(j, "properties");
    if (list && !json_is_array(list))
        return -EBADMSG;
    int r = 0;
    for (size_t i = 0; i < json_array_size(list) && r == 0; i++)
        r = get_property(t, json_array_get(list, i));
    return r;
}

#define DEFAULT_LOOKS_ALIVE_MS 5000
#define DEFAULT_IS_ALIVE_MS 60000
#define DEFAULT_PENDING_TIMEOUT_MS 180000

static int get_numbers(struct resource_type *t, const json_t *j)
{
    t->looks_alive_ms = DEFAULT_LOOKS_ALIVE_MS;
    t->is_alive_ms = DEFAULT_IS_ALIVE_MS;
    t->pending_timeout_ms = DEFAULT_PENDING_TIMEOUT_MS;
    int r = get_number(j, "looks_alive_ms", &t->looks_alive_ms);
    if (r == 0)
        r = get_number(j, "is_alive_ms", &t->is_alive_ms);
    if (r == 0)
        r = get_number(j, "pending_timeout_ms", &t->pending_timeout_ms);
    return r;
}

static int get_names(struct resource_type *t, const json_t *j, const char *json, size_t size)
{
    const char *name = json_string_value(json_object_get(j, "name"));
    const char *display_name = json_string_value(json_object_get(j, "display_name"));
    if (!name || !*name)
        return -EBADMSG;
    t->o.id = strdup(name);
    t->o.name = strdup(name);
    t->display_name = strdup(display_name && *display_name ? display_name : name);
    t->definition = strndup(json, size);
    return t->o.id && t->o.name && t->display_name && t->definition ? 0 : -ENOMEM;
}

/* Fields that are the agents' business are passed over. On failure t is to be freed as it is. */
int resource_type_parse(struct resource_type *t, const char *json, size_t size)
{
    if (!json)
        return -EBADMSG;
    t->o.type = OBJECT_RESOURCE_TYPE;
    t->o.state = NO_STATE;
    _cleanup_(decrefp) json_t *j = NULL;
    int r = json_text_parse(json, size, JSON_REJECT_DUPLICATES, NULL, &j);
    if (r == 0 && !json_is_object(j))
        r = -EBADMSG;
    if (r == 0)
        r = get_names(t, j, json, size);
    if (r == 0)
        r = get_class(t, j);
    if (r == 0)
        r = get_characteristics(t, j);
    if (r == 0)
        r = get_numbers(t, j);
    if (r == 0)
        r = get_properties(t, j);
    return r;
}

/* Takes over what the new definition says, and leaves what was set on the type. */
static void redefine(struct model *m, struct resource_type *t, struct resource_type *from)
{
    struct resource_type old = *t;
    t->definition = from->definition;
    t->display_name = from->display_name;
    t->schema = from->schema;
    t->required = from->required;
    t->class_ = from->class_;
    t->subclass = from->subclass;
    t->characteristics = from->characteristics;
    t->looks_alive_ms = from->looks_alive_ms;
    t->is_alive_ms = from->is_alive_ms;
    t->pending_timeout_ms = from->pending_timeout_ms;
    from->definition = old.definition;
    from->display_name = old.display_name;
    from->schema = old.schema;
    from->required = old.required;
    object_touch(m, &t->o);
    emit(m, CHANGE_RESOURCE_TYPE_DLL_UPGRADED, &t->o, value_none(), value_none(), REASON_NONE);
}

uint32_t handle_define_type(struct model *m, const struct model_input *in)
{
    struct resource_type *t = check_memory(m, calloc(1, sizeof(*t)));
    if (!t)
        return ERR_NOT_ENOUGH_MEMORY;
    int r = resource_type_parse(t, in->data, in->size);
    uint32_t code = r == -ENOMEM ? ERR_NOT_ENOUGH_MEMORY : r < 0 ? ERR_INVALID_DATA : ERR_SUCCESS;
    struct resource_type *known = r == 0 ? object_find(m, OBJECT_RESOURCE_TYPE, t->o.name) : NULL;
    if (code == ERR_SUCCESS && !known)
        code = name_check(m, NULL, OBJECT_RESOURCE_TYPE, t->o.name);
    if (code != ERR_SUCCESS || known) {
        if (known && strcmp(known->definition, t->definition) != 0)
            redefine(m, known, t);
        object_free(&t->o);
        return code;
    }
    t->o.created = m->revision + 1;
    if (object_register(m, &t->o) < 0) {
        m->failed = true;
        object_free(&t->o);
        return ERR_NOT_ENOUGH_MEMORY;
    }
    object_touch(m, &t->o);
    emit(m, CHANGE_RESOURCE_TYPE_ADDED, &t->o, value_none(), value_none(), REASON_NONE);
    return ERR_SUCCESS;
}

static bool is_used(const struct model *m, const struct resource_type *t)
{
    const struct map *resources = m->by_id[OBJECT_RESOURCE];
    for (struct map_entry *e = map_first(resources); e; e = map_next(resources, e))
        if (((struct resource *)e->value)->resource_type == t)
            return true;
    return false;
}

uint32_t handle_remove_type(struct model *m, const struct model_input *in)
{
    struct resource_type *t = object_find(m, OBJECT_RESOURCE_TYPE, in->name);
    if (!t)
        return ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND;
    if (is_used(m, t))
        return ERR_DIR_NOT_EMPTY;
    emit(m, CHANGE_RESOURCE_TYPE_DELETED, &t->o, value_none(), value_none(), REASON_NONE);
    object_remove(m, &t->o);
    return ERR_SUCCESS;
}
