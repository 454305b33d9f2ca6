/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "service/request.h"

/* A control code: the object's kind in bits 24 to 31, MODIFY in bit 22, and the function. */
#define CODE_OBJECT(code) ((code) >> 24)
#define CODE_FUNCTION(code) ((code)&0xffffffu)
#define CODE_MODIFY 0x400000u

/* CLUS_OBJECT_*, which are not CLUSTER_OBJECT_TYPE's. */
enum control_object {
    ON_RESOURCE = 1,
    ON_TYPE = 2,
    ON_GROUP = 3,
    ON_NODE = 4,
    ON_NETWORK = 5,
    ON_NETINTERFACE = 6,
    ON_CLUSTER = 7,
};

#define MOST_NAMES                                                                                 \
    (16u << 10) /* bytes: the names of all that an object has take less than a tenth */

#define BIT(object) (1u << (object))
#define ON_ALL 0xfeu
#define ON_NAMED (ON_ALL & ~BIT(ON_TYPE) & ~BIT(ON_CLUSTER))

struct control {
    const struct request *request;
    const struct model *model;
    const struct object *object;
    const struct rpc_bytes *input;
    struct buffer out;
};

/* ---- what the objects say of themselves ---- */

static uint32_t say_text(struct control *c, const char *text)
{
    return utf16_append(&c->out, text, true) < 0 ? ERR_NOT_ENOUGH_MEMORY : ERR_SUCCESS;
}

static uint32_t say_u32(struct control *c, uint32_t value)
{
    return buffer_append_u32(&c->out, value) < 0 ? ERR_NOT_ENOUGH_MEMORY : ERR_SUCCESS;
}

static uint32_t get_name(struct control *c)
{
    return say_text(c, c->object->name);
}

static uint32_t get_id(struct control *c)
{
    return say_text(c, c->object->id);
}

static const struct resource_type *type_of(const struct control *c)
{
    if (c->object->type == OBJECT_RESOURCE)
        return container_of(c->object, struct resource, o)->resource_type;
    if (c->object->type == OBJECT_RESOURCE_TYPE)
        return container_of(c->object, struct resource_type, o);
    return NULL;
}

static uint32_t get_resource_type(struct control *c)
{
    return say_text(c, type_of(c)->o.name);
}

static uint32_t get_characteristics(struct control *c)
{
    const struct resource_type *type = type_of(c);
    return say_u32(c, type ? type->characteristics : 0);
}

static uint32_t get_flags(struct control *c)
{
    return say_u32(c, 0);
}

static uint32_t get_class_info(struct control *c)
{
    const struct resource_type *type = type_of(c);
    uint32_t code = say_u32(c, type->class_);
    return code ? code : say_u32(c, type->subclass);
}

/* A value list that holds only its end mark. */
static uint32_t get_required_dependencies(struct control *c)
{
    return say_u32(c, 0);
}

static uint32_t get_node(struct control *c)
{
    return say_text(c, container_of(c->object, struct netinterface, o)->node->o.name);
}

static uint32_t get_network(struct control *c)
{
    return say_text(c, container_of(c->object, struct netinterface, o)->network->o.name);
}

/* ---- properties ---- */

typedef int (*table_encoder)(const struct property_table *t, struct buffer *out);

static uint32_t say_properties(struct control *c, enum property_scope scope, table_encoder encode)
{
    _cleanup_(property_table_fini) struct property_table table = {0};
    int r = model_properties(c->model, c->object, scope, &table);
    if (r == 0)
        r = encode(&table, &c->out);
    return r < 0 ? ERR_NOT_ENOUGH_MEMORY : ERR_SUCCESS;
}

/* Names and formats are those of all, the read-only ones included. */
static uint32_t say_all_properties(struct control *c, enum property_scope scope,
                                   enum property_scope read_only, table_encoder encode)
{
    _cleanup_(property_table_fini) struct property_table table = {0};
    _cleanup_(property_table_fini) struct property_table more = {0};
    int r = model_properties(c->model, c->object, scope, &table);
    if (r == 0)
        r = model_properties(c->model, c->object, read_only, &more);
    for (size_t i = 0; r == 0 && i < more.count; i++)
        r = property_set(&table, &more.items[i]);
    if (r == 0)
        r = encode(&table, &c->out);
    return r < 0 ? ERR_NOT_ENOUGH_MEMORY : ERR_SUCCESS;
}

static uint32_t get_common(struct control *c)
{
    return say_properties(c, PROPERTIES_COMMON, property_list_encode);
}

static uint32_t get_common_read_only(struct control *c)
{
    return say_properties(c, PROPERTIES_COMMON_READ_ONLY, property_list_encode);
}

static uint32_t get_private(struct control *c)
{
    return say_properties(c, PROPERTIES_PRIVATE, property_list_encode);
}

static uint32_t get_private_read_only(struct control *c)
{
    return say_properties(c, PROPERTIES_PRIVATE_READ_ONLY, property_list_encode);
}

static uint32_t enum_common(struct control *c)
{
    return say_all_properties(c, PROPERTIES_COMMON, PROPERTIES_COMMON_READ_ONLY,
                              property_names_encode);
}

static uint32_t enum_private(struct control *c)
{
    return say_all_properties(c, PROPERTIES_PRIVATE, PROPERTIES_PRIVATE_READ_ONLY,
                              property_names_encode);
}

static uint32_t common_formats(struct control *c)
{
    return say_all_properties(c, PROPERTIES_COMMON, PROPERTIES_COMMON_READ_ONLY,
                              property_formats_encode);
}

static uint32_t private_formats(struct control *c)
{
    return say_all_properties(c, PROPERTIES_PRIVATE, PROPERTIES_PRIVATE_READ_ONLY,
                              property_formats_encode);
}

static uint32_t validate(struct control *c, enum property_scope scope)
{
    if (!c->input->data)
        return ERR_RPC_X_BAD_STUB_DATA;
    return model_validate_properties(c->model, c->object, scope, c->input->data, c->input->size);
}

static uint32_t validate_common(struct control *c)
{
    return validate(c, PROPERTIES_COMMON);
}

static uint32_t validate_private(struct control *c)
{
    return validate(c, PROPERTIES_PRIVATE);
}

uint32_t names_of(const struct rpc_bytes *multi_sz, struct map **ret)
{
    _cleanup_(map_destroyp) struct map *names = map_create();
    if (!names)
        return ERR_NOT_ENOUGH_MEMORY;
    if (multi_sz->size > MOST_NAMES)
        return ERR_INVALID_PARAMETER;
    const uint8_t *text = multi_sz->data;
    for (size_t left = multi_sz->size / 2; left > 0;) {
        _cleanup_free_
        char *name = NULL;
        int error = utf16_to_utf8(text, left, &name);
        if (error < 0)
            return error == -EILSEQ ? ERR_INVALID_PARAMETER : ERR_NOT_ENOUGH_MEMORY;
        if (!*name)
            break;
        if (map_put(names, name, names) == -ENOMEM)
            return ERR_NOT_ENOUGH_MEMORY;
        size_t units = MIN(utf16_length(name) + 1, left);
        text += 2 * units;
        left -= units;
    }
    *ret = TAKE_PTR(names);
    return ERR_SUCCESS;
}

uint32_t properties_chosen(const struct request *r, const struct object *o,
                           enum property_scope scope, const struct map *names,
                           struct rpc_bytes *ret)
{
    _cleanup_(property_table_fini) struct property_table all = {0};
    _cleanup_(property_table_fini) struct property_table chosen = {0};
    _cleanup_(buffer_fini) struct buffer list = {0};
    int error = model_properties(request_model(r), o, scope, &all);
    for (size_t i = 0; error == 0 && i < all.count; i++)
        if (map_get(names, all.items[i].name))
            error = property_set(&chosen, &all.items[i]);
    if (error == 0)
        error = property_list_encode(&chosen, &list);
    return error < 0 ? ERR_NOT_ENOUGH_MEMORY : request_give_bytes(r, list.data, list.size, ret);
}

/* ---- the table ---- */

static const struct {
    uint32_t function;
    uint32_t objects;
    uint32_t (*say)(struct control *c);
    enum input_kind request; /* or, instead, what is asked of the model */
} functions[] = {
    {0x000005, ON_ALL & ~BIT(ON_CLUSTER), get_characteristics},
    {0x000009, ON_ALL & ~BIT(ON_CLUSTER), get_flags},
    {0x00000d, BIT(ON_RESOURCE) | BIT(ON_TYPE), get_class_info},
    {0x000011, BIT(ON_RESOURCE) | BIT(ON_TYPE), get_required_dependencies},
    {0x000029, ON_NAMED, get_name},
    {0x00002d, BIT(ON_RESOURCE), get_resource_type},
    {0x000031, BIT(ON_NETINTERFACE), get_node},
    {0x000035, BIT(ON_NETINTERFACE), get_network},
    {0x000039, ON_NAMED, get_id},
    {0x00003d, BIT(ON_CLUSTER), get_name}, /* GET_FQDN: there is no domain */
    {0x000051, ON_ALL, enum_common},
    {0x000055, ON_ALL, get_common_read_only},
    {0x000059, ON_ALL, get_common},
    {0x40005e, ON_ALL, NULL, INPUT_SET_COMMON_PROPERTIES},
    {0x000061, ON_ALL, validate_common},
    {0x000065, ON_ALL, common_formats},
    {0x000079, ON_ALL, enum_private},
    {0x00007d, ON_ALL, get_private_read_only},
    {0x000081, ON_ALL, get_private},
    {0x400086, ON_ALL, NULL, INPUT_SET_PRIVATE_PROPERTIES},
    {0x000089, ON_ALL, validate_private},
    {0x00008d, ON_ALL, private_formats},
};

static int find_function(enum control_object on, uint32_t code)
{
    if (CODE_OBJECT(code) != on)
        return -ENOENT;
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
        if (functions[i].function == CODE_FUNCTION(code) && (functions[i].objects & BIT(on)))
            return (int)i;
    return -ENOENT;
}

static uint32_t give(struct control *c, struct rpc_bytes *output, uint32_t *required)
{
    *required = (uint32_t)c->out.size;
    if (c->out.size > output->capacity)
        return ERR_MORE_DATA;
    return request_give_bytes(c->request, c->out.data, c->out.size, output);
}

static uint32_t ask(struct control *c, enum input_kind kind, struct model_input *in)
{
    if (!c->input->data)
        return ERR_RPC_X_BAD_STUB_DATA;
    in->kind = kind;
    in->object_type = c->object->type;
    in->object_id = c->object->id;
    in->data = c->input->data;
    in->size = c->input->size;
    return ERR_SUCCESS;
}

static uint32_t control(struct request *r, enum control_object on, const struct object *o,
                        uint32_t code, const struct rpc_bytes *input, struct rpc_bytes *output,
                        uint32_t *required, struct model_input *in)
{
    output->size = 0;
    *required = 0;
    uint32_t denied = request_access(r, code & CODE_MODIFY ? ACCESS_ALL : ACCESS_READ);
    if (denied)
        return denied;
    int f = find_function(on, code);
    if (f < 0)
        return ERR_INVALID_FUNCTION;
    struct control c = {.request = r, .model = request_model(r), .object = o, .input = input};
    if (!functions[f].say)
        return ask(&c, functions[f].request, in);
    uint32_t result = functions[f].say(&c);
    if (!result)
        result = give(&c, output, required);
    buffer_fini(&c.out);
    return result;
}

/* ---- the operations ---- */

static const uint32_t gone[] = {
    [ON_RESOURCE] = ERR_RESOURCE_NOT_AVAILABLE,
    [ON_TYPE] = ERR_CLUSTER_RESOURCE_TYPE_NOT_FOUND,
    [ON_GROUP] = ERR_GROUP_NOT_AVAILABLE,
    [ON_NODE] = ERR_CLUSTER_NODE_NOT_FOUND,
    [ON_NETWORK] = ERR_CLUSTER_NETWORK_NOT_FOUND,
    [ON_NETINTERFACE] = ERR_CLUSTER_NETINTERFACE_NOT_FOUND,
    [ON_CLUSTER] = ERR_INVALID_HANDLE,
};

static const struct object *type_object(const struct request *r, const char *name)
{
    const struct resource_type *type = model_resource_type(request_model(r), name);
    return type ? &type->o : NULL;
}

/* `object` is an expression over r and a. */
#define CONTROL(op, on, object_expression)                                                         \
    void op_##op(struct rpc_call *call, void *args)                                                \
    {                                                                                              \
        struct cmrp_##op *a = args;                                                                \
        struct request *r = request_begin(call, &cmrp_op_##op, args);                              \
        if (!r)                                                                                    \
            return;                                                                                \
        struct model_input in = {0};                                                               \
        const struct object *o = (object_expression);                                              \
        uint32_t code =                                                                            \
            o ? control(r, (on), o, a->code, &a->input, &a->output, &a->required, &in) : gone[on]; \
        request_submit(r, &in, code);                                                              \
    }

CONTROL(ClusterControl, ON_CLUSTER, target_object(r, target_of(&a->cluster)))
CONTROL(NodeClusterControl, ON_CLUSTER, target_object(r, target_of(&a->cluster)))
CONTROL(ResourceControl, ON_RESOURCE, target_object(r, target_of(&a->resource)))
CONTROL(NodeResourceControl, ON_RESOURCE, target_object(r, target_of(&a->resource)))
CONTROL(ResourceTypeControl, ON_TYPE, type_object(r, a->type_name))
CONTROL(NodeResourceTypeControl, ON_TYPE, type_object(r, a->type_name))
CONTROL(GroupControl, ON_GROUP, target_object(r, target_of(&a->group)))
CONTROL(NodeGroupControl, ON_GROUP, target_object(r, target_of(&a->group)))
CONTROL(NodeControl, ON_NODE, target_object(r, target_of(&a->node)))
CONTROL(NodeNodeControl, ON_NODE, target_object(r, target_of(&a->node)))
CONTROL(NetworkControl, ON_NETWORK, target_object(r, target_of(&a->network)))
CONTROL(NodeNetworkControl, ON_NETWORK, target_object(r, target_of(&a->network)))
CONTROL(NetInterfaceControl, ON_NETINTERFACE, target_object(r, target_of(&a->netinterface)))
CONTROL(NodeNetInterfaceControl, ON_NETINTERFACE, target_object(r, target_of(&a->netinterface)))
