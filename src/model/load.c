/* SPDX-License-Identifier: MIT */
#include "model/store.h"

#include <errno.h>

#include "base/base64.h"
#include "base/text.h"
#include "model/json_text.h"

/* Reads what store.c writes. Objects come in any order, so that those that point to others wait, as
 * JSON, until all are there: model_load_done() makes them in order of creation. */

static const char *get_text(const json_t *j, const char *name)
{
    return json_string_value(json_object_get(j, name));
}

static int get_number(const json_t *j, const char *name, uint64_t most, uint64_t *ret)
{
    const json_t *v = json_object_get(j, name);
    if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > most)
        return -EBADMSG;
    *ret = (uint64_t)json_integer_value(v);
    return 0;
}

static int get_u32(const json_t *j, const char *name, uint32_t *ret)
{
    uint64_t n;
    int r = get_number(j, name, UINT32_MAX, &n);
    if (r == 0)
        *ret = (uint32_t)n;
    return r;
}

static int get_flag(const json_t *j, const char *name, bool *ret)
{
    const json_t *v = json_object_get(j, name);
    if (!json_is_boolean(v))
        return -EBADMSG;
    *ret = json_is_true(v);
    return 0;
}

static int get_copy(const json_t *j, const char *name, char **ret)
{
    const char *s = get_text(j, name);
    if (!s)
        return -EBADMSG;
    *ret = strdup(s);
    return *ret ? 0 : -ENOMEM;
}

int store_append_texts(struct buffer *b, const json_t *list)
{
    if (!json_is_array(list))
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *s = json_string_value(json_array_get(list, i));
        if (!s)
            return -EBADMSG;
        if (buffer_append(b, s, strlen(s) + 1) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int decode_value(const json_t *j, struct property *p, struct buffer *bytes)
{
    const json_t *number = json_object_get(j, "number");
    const char *text = get_text(j, "text"), *base64 = get_text(j, "base64");
    const json_t *texts = json_object_get(j, "texts");
    if (json_is_integer(number)) {
        p->number = (uint64_t)json_integer_value(number);
        return 0;
    }
    if (text)
        return buffer_append(bytes, text, strlen(text) + 1);
    if (texts)
        return store_append_texts(bytes, texts);
    if (!base64)
        return -EBADMSG;
    uint8_t *data;
    size_t size;
    int r = base64_decode(base64, &data, &size);
    if (r < 0)
        return r;
    r = buffer_append(bytes, data, size);
    free(data);
    return r;
}

static int decode_properties(const json_t *list, struct property_table *ret)
{
    if (!json_is_array(list))
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *j = json_array_get(list, i);
        _cleanup_(buffer_fini) struct buffer bytes = {0};
        struct property p = {.name = (char *)get_text(j, "name")};
        uint64_t format = 0;
        int r = p.name ? get_number(j, "format", PROPERTY_FILETIME, &format) : -EBADMSG;
        if (r == 0) {
            p.format = (enum property_format)format;
            r = decode_value(j, &p, &bytes);
        }
        p.data = bytes.data ? bytes.data : (uint8_t *)"";
        p.size = bytes.size;
        if (r == 0)
            r = property_set(ret, &p);
        if (r < 0)
            return r;
    }
    return 0;
}

/* What every object has. */
static int decode_base(struct object *o, const json_t *j)
{
    int r = get_u32(j, "state", &o->state);
    if (r == 0)
        r = get_number(j, "created", INT64_MAX, &o->created);
    if (r == 0)
        r = decode_properties(json_object_get(j, "common"), &o->common);
    if (r == 0)
        r = decode_properties(json_object_get(j, "private"), &o->private_);
    return r;
}

static int load_cluster(struct model *m, struct object *o, const json_t *j)
{
    struct cluster *c = (struct cluster *)o;
    (void)m;
    int r = get_u32(j, "lives", &c->lives);
    return r < 0 ? r : get_copy(j, "quorum_resource", &c->quorum_resource_id);
}

static int load_node(struct model *m, struct object *o, const json_t *j)
{
    (void)m;
    return get_flag(j, "paused", &((struct node *)o)->paused);
}

static int load_group(struct model *m, struct object *o, const json_t *j)
{
    struct group *g = (struct group *)o;
    g->owner = object_find(m, OBJECT_NODE, get_text(j, "owner"));
    int r = get_flag(j, "want_online", &g->want_online);
    if (r == 0)
        r = get_flag(j, "core", &g->is_core);
    if (r == 0 && g->owner)
        r = list_insert_object(&g->owner->groups, g);
    return r;
}

static int load_type(struct model *m, struct object *o, const json_t *j)
{
    (void)m;
    const char *definition = get_text(j, "definition");
    if (!definition)
        return -EBADMSG;
    /* A later definition may write the name in another case; the type keeps the one it has. */
    char *id = TAKE_PTR(o->id), *name = TAKE_PTR(o->name);
    int r = resource_type_parse((struct resource_type *)o, definition, strlen(definition));
    if (r == 0 && !text_equal(o->name, name))
        r = -EBADMSG;
    free(o->id);
    free(o->name);
    o->id = id;
    o->name = name;
    return r;
}

static int load_resource(struct model *m, struct object *o, const json_t *j)
{
    struct resource *r = (struct resource *)o;
    r->group = object_find(m, OBJECT_GROUP, get_text(j, "group"));
    r->resource_type = object_find(m, OBJECT_RESOURCE_TYPE, get_text(j, "resource_type"));
    if (!r->group || !r->resource_type)
        return -EBADMSG;
    int result = get_u32(j, "flags", &r->flags);
    if (result == 0)
        result = get_flag(j, "want_online", &r->want_online);
    return result < 0 ? result : list_insert_object(&r->group->resources, r);
}

static int load_interface(struct model *m, struct object *o, const json_t *j)
{
    struct netinterface *i = (struct netinterface *)o;
    i->network = object_find(m, OBJECT_NETWORK, get_text(j, "network"));
    i->node = object_find(m, OBJECT_NODE, get_text(j, "node"));
    if (!i->network)
        return -EBADMSG;
    int r = get_copy(j, "device", &i->device);
    if (r == 0)
        r = get_copy(j, "address", &i->address);
    return r < 0 ? r : list_insert_object(&i->network->interfaces, i);
}

static int load_values(struct registry_key *k, const json_t *list)
{
    if (!json_is_array(list))
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *j = json_array_get(list, i);
        const char *name = get_text(j, "name"), *base64 = get_text(j, "base64");
        uint32_t type = 0;
        uint8_t *data;
        size_t size;
        if (!name || !base64 || get_u32(j, "type", &type) < 0)
            return -EBADMSG;
        int r = base64_decode(base64, &data, &size);
        if (r < 0)
            return r;
        r = registry_put(k, name, type, data, size);
        free(data);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Comes after its parent, which was made before it. */
static int load_key(struct model *m, struct object *o, const json_t *j)
{
    struct registry_key *k = (struct registry_key *)o;
    uint64_t written_ns = 0;
    k->subkeys = map_create();
    k->values = map_create();
    if (!k->subkeys || !k->values)
        return -ENOMEM;
    int r = get_number(j, "written_ns", INT64_MAX, &written_ns);
    if (r == 0)
        r = load_values(k, json_object_get(j, "values"));
    if (r < 0)
        return r;
    k->written_ns = (int64_t)written_ns;
    const char *security = get_text(j, "security");
    if (security) {
        uint8_t *data;
        r = base64_decode(security, &data, &k->security_size);
        if (r < 0)
            return r;
        k->security = data;
    }
    if (!*o->id)
        return m->root ? -EBADMSG : 0;
    k->parent = registry_parent(m, o->id);
    return k->parent ? map_put(k->parent->subkeys, o->name, k) : -EBADMSG;
}

static int load_network(struct model *m, struct object *o, const json_t *j)
{
    (void)m, (void)o, (void)j;
    return 0;
}

/* In the order in which they are made: each points only to those before it. */
static const struct loader {
    enum object_type type;
    size_t size;
    int (*load)(struct model *m, struct object *o, const json_t *j);
} loaders[] = {
    {OBJECT_CLUSTER, sizeof(struct cluster), load_cluster},
    {OBJECT_NODE, sizeof(struct node), load_node},
    {OBJECT_NETWORK, sizeof(struct network), load_network},
    {OBJECT_NETWORK_INTERFACE, sizeof(struct netinterface), load_interface},
    {OBJECT_RESOURCE_TYPE, sizeof(struct resource_type), load_type},
    {OBJECT_GROUP, sizeof(struct group), load_group},
    {OBJECT_RESOURCE, sizeof(struct resource), load_resource},
    {OBJECT_REGISTRY, sizeof(struct registry_key), load_key},
};

struct loading {
    size_t loader;
    uint64_t created;
    json_t *json;
};

int model_load_object(struct model *m, enum object_type type, const char *key, const char *json,
                      size_t size)
{
    size_t loader = 0;
    while (loader < ARRAY_SIZE(loaders) && loaders[loader].type != type)
        loader++;
    _cleanup_(json_decrefp) json_t *j = NULL;
    uint64_t created = 0;
    int r = json_text_parse(json, size, 0, NULL, &j);
    if (r < 0)
        return r;
    if (loader == ARRAY_SIZE(loaders) || get_number(j, "created", INT64_MAX, &created) < 0)
        return -EBADMSG;
    if (!get_text(j, "id") || !get_text(j, "name") || strcmp(get_text(j, "id"), key) != 0)
        return -EBADMSG;
    _cleanup_free_
    struct loading *l = malloc(sizeof(*l));
    if (!l || list_append(&m->loading, l) < 0)
        return -ENOMEM;
    *l = (struct loading){.loader = loader, .created = created, .json = TAKE_PTR(j)};
    (void)TAKE_PTR(l);
    return 0;
}

void load_forget(struct model *m)
{
    for (size_t i = 0; i < m->loading.count; i++) {
        struct loading *l = m->loading.items[i];
        json_decref(l->json);
        free(l);
    }
    list_fini(&m->loading);
}

static int compare_loading(const void *a, const void *b)
{
    const struct loading *x = *(void *const *)a, *y = *(void *const *)b;
    if (x->loader != y->loader)
        return x->loader < y->loader ? -1 : 1;
    return x->created < y->created ? -1 : x->created > y->created;
}

static int settle(struct model *m, struct object *o)
{
    switch (o->type) {
    case OBJECT_CLUSTER:
        if (m->cluster)
            return -EBADMSG;
        m->cluster = (struct cluster *)o;
        return 0;
    case OBJECT_REGISTRY:
        if (!((struct registry_key *)o)->parent)
            m->root = (struct registry_key *)o;
        registry_account(m, (struct registry_key *)o);
        return 0;
    default:
        return object_register(m, o);
    }
}

static int load_one(struct model *m, const struct loading *l)
{
    const struct loader *loader = &loaders[l->loader];
    struct object *o = object_new(m, loader->type, loader->size, get_text(l->json, "id"),
                                  get_text(l->json, "name"));
    if (!o)
        return -ENOMEM;
    int r = decode_base(o, l->json);
    if (r == 0)
        r = loader->load(m, o, l->json);
    if (r == 0)
        r = settle(m, o);
    /* On failure the whole model is thrown away; what already points here must stay readable. */
    if (r < 0 && list_append(&m->removed, o) < 0)
        object_free(o);
    return r == -EEXIST ? -EBADMSG : r;
}

static int link_providers(struct model *m, const json_t *j)
{
    struct resource *r = object_find(m, OBJECT_RESOURCE, get_text(j, "id"));
    const json_t *list = json_object_get(j, "providers");
    if (!json_is_array(list))
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct resource *p =
            object_find(m, OBJECT_RESOURCE, json_string_value(json_array_get(list, i)));
        if (!p || p->group != r->group || list_contains(&r->providers, p))
            return -EBADMSG;
        _cleanup_(list_fini) struct pointer_list above = {0};
        int result = dependency_closure(p, PROVIDERS, &above);
        if (result == 0 && list_contains(&above, r))
            result = -EBADMSG;
        if (result == 0)
            result = list_append(&r->providers, p);
        if (result == 0)
            result = list_insert_object(&p->dependents, r);
        if (result < 0)
            return result;
    }
    return 0;
}

int model_load_done(struct model *m, uint64_t revision)
{
    int r = 0;
    if (m->loading.count > 0)
        qsort(m->loading.items, m->loading.count, sizeof(void *), compare_loading);
    for (size_t i = 0; i < m->loading.count && r == 0; i++)
        r = load_one(m, m->loading.items[i]);
    for (size_t i = 0; i < m->loading.count && r == 0; i++) {
        const struct loading *l = m->loading.items[i];
        if (loaders[l->loader].type == OBJECT_RESOURCE)
            r = link_providers(m, l->json);
    }
    if (r == 0 && m->loading.count > 0 && (!m->cluster || !m->root))
        r = -EBADMSG;
    load_forget(m);
    m->revision = revision;
    return r;
}
