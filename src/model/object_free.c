/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

static void free_resource_type(struct resource_type *t)
{
    free(t->definition);
    free(t->display_name);
    property_table_fini(&t->schema);
    property_table_fini(&t->required);
}

static void free_key(struct registry_key *k)
{
    for (struct map_entry *e = k->subkeys ? map_first(k->subkeys) : NULL; e;
         e = map_next(k->subkeys, e))
        object_free(e->value);
    for (struct map_entry *e = k->values ? map_first(k->values) : NULL; e;
         e = map_next(k->values, e))
        registry_value_free(e->value);
    map_destroy(k->subkeys);
    map_destroy(k->values);
    free(k->security);
}

/* Half-made ones too. What others point to is theirs to forget first. */
void object_free(struct object *o)
{
    if (!o)
        return;
    switch (o->type) {
    case OBJECT_CLUSTER:
        free(((struct cluster *)o)->quorum_resource_id);
        break;
    case OBJECT_GROUP:
        list_fini(&((struct group *)o)->resources);
        break;
    case OBJECT_RESOURCE:
        list_fini(&((struct resource *)o)->providers);
        list_fini(&((struct resource *)o)->dependents);
        break;
    case OBJECT_RESOURCE_TYPE:
        free_resource_type((struct resource_type *)o);
        break;
    case OBJECT_NETWORK_INTERFACE:
        free(((struct netinterface *)o)->device);
        free(((struct netinterface *)o)->address);
        break;
    case OBJECT_NETWORK:
        list_fini(&((struct network *)o)->interfaces);
        break;
    case OBJECT_NODE:
        list_fini(&((struct node *)o)->groups);
        break;
    case OBJECT_REGISTRY:
        free_key((struct registry_key *)o);
        break;
    default:
        break;
    }
    property_table_fini(&o->common);
    property_table_fini(&o->private_);
    free(o->id);
    free(o->name);
    free(o);
}
