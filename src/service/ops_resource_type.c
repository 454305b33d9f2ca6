/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "service/codes.h"
#include "service/request.h"

/* Where Windows wants a library's name, we take an agent's: "ocf:PROVIDER:AGENT" or
 * "systemd:UNIT". */
static json_t *definition_of(const struct cmrp_CreateResourceType *a)
{
    json_t *definition = json_pack("{s:s, s:s, s:s}", "name", a->type_name, "display_name",
                                   a->display_name, "agent", a->dll_name);
    if (definition && a->looks_alive)
        json_object_set_new(definition, "looks_alive_ms", json_integer(a->looks_alive));
    if (definition && a->is_alive)
        json_object_set_new(definition, "is_alive_ms", json_integer(a->is_alive));
    return definition;
}

REQUEST(CreateResourceType)
{
    if (!*a->type_name || !*a->dll_name)
        return ERR_INVALID_PARAMETER;
    if (model_resource_type(request_model(r), a->type_name))
        return ERR_ALREADY_EXISTS;
    json_t *definition = definition_of(a);
    char *text = definition ? json_dumps(definition, JSON_COMPACT) : NULL;
    json_decref(definition);
    char *copy = request_text(r, text);
    free(text);
    if (!copy)
        return ERR_NOT_ENOUGH_MEMORY;
    in->kind = INPUT_DEFINE_TYPE;
    in->data = copy;
    in->size = strlen(copy);
    return ERR_SUCCESS;
}

REQUEST(DeleteResourceType)
{
    if (!model_resource_type(request_model(r), a->type_name))
        return ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND;
    in->kind = INPUT_REMOVE_TYPE;
    in->name = a->type_name;
    return ERR_SUCCESS;
}

/* Bits that mean nothing are passed over, as Windows does. */
READ(CreateResTypeEnum)
{
    const struct model *m = request_model(r);
    const struct resource_type *type = model_resource_type(m, a->type_name);
    if (!type)
        return ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND;
    const struct map *nodes = model_objects(m, OBJECT_NODE);
    const struct map *resources = model_objects(m, OBJECT_RESOURCE);
    uint32_t code = enum_begin(r, map_count(nodes) + map_count(resources), &a->list);
    if (a->type & TYPE_ENUM_NODES)
        for (struct map_entry *e = map_first(nodes); e && !code; e = map_next(nodes, e))
            code = enum_add(r, &a->list, TYPE_ENUM_NODES, ((const struct object *)e->value)->name);
    for (struct map_entry *e = map_first(resources); e && !code; e = map_next(resources, e)) {
        const struct resource *resource = e->value;
        if ((a->type & TYPE_ENUM_RESOURCES) && resource->resource_type == type)
            code = enum_add(r, &a->list, TYPE_ENUM_RESOURCES, resource->o.name);
    }
    return code;
}
