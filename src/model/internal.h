/* SPDX-License-Identifier: MIT */
#ifndef MODEL_INTERNAL_H
#define MODEL_INTERNAL_H

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/model.h"

/* What the files of the model share. A handler first checks everything and returns a code, then
 * changes; from its first change on it cannot refuse. Running out of memory in between is noted in
 * the model and reported when the step ends, so that nothing here needs to hand it up. */

struct model {
    struct cluster *cluster;
    struct map *by_id[OBJECT_QUORUM + 1];
    struct map *by_name[OBJECT_QUORUM + 1];
    struct registry_key *root;
    size_t registry_size; /* of all keys: what the quota is about */
    uint64_t revision;
    struct map *waiting; /* id of an effect → struct resource */
    uint64_t effects;    /* ids given out in this life of the service */

    /* The step under way. */
    const struct model_input *in;
    struct model_output *out;
    size_t last_change; /* its offset in out->changes */
    struct pointer_list touched;
    struct pointer_list removed; /* readable until the next step */
    bool failed;                 /* out of memory */

    struct pointer_list loading; /* load.c: objects that wait for model_load_done() */
};

typedef uint32_t (*input_handler)(struct model *m, const struct model_input *in);

/* list.c */
int list_append(struct pointer_list *l, void *item);
int list_insert_object(struct pointer_list *l, void *object); /* in order of creation */
bool list_contains(const struct pointer_list *l, const void *item);
void list_remove(struct pointer_list *l, const void *item);
void list_fini(struct pointer_list *l);

/* model.c */
void *object_find(const struct model *m, enum object_type type, const char *id_or_name);
void *object_new(struct model *m, enum object_type type, size_t size, const char *id,
                 const char *name);
int object_register(struct model *m, struct object *o);
void object_touch(struct model *m, struct object *o);
void object_remove(struct model *m, struct object *o); /* freed when the next step begins */
void object_rename(struct model *m, struct object *o, const char *name);
void object_free(struct object *o);
uint32_t name_check(const struct model *m, const struct object *self, enum object_type type,
                    const char *name);
char *text_copy(struct model *m, const char *s); /* "" for NULL; NULL only when out of memory */
void text_replace(struct model *m, char **s, const char *value);
void *check_memory(struct model *m, void *p); /* notes a NULL */
void check_result(struct model *m, int r);    /* notes a negative result */
static inline const char *text_or_empty(const char *s)
{
    return s ? s : "";
}

/* Why the input came: as its sender says, else by what it is. */
static inline enum change_reason input_reason(const struct model_input *in)
{
    if (in->actor.reason != REASON_NONE)
        return in->actor.reason;
    return in->kind < INPUT_FORM_CLUSTER ? REASON_REQUEST : REASON_ENGINE;
}

/* changes.c: one change of the step each */
void emit(struct model *m, enum change_kind kind, const struct object *o,
          struct change_value old_value, struct change_value new_value, enum change_reason reason);
void emit_properties(struct model *m, enum change_kind kind, const struct object *o,
                     const struct property_table *old_values,
                     const struct property_table *new_values);
void emit_text_property(struct model *m, enum change_kind kind, const struct object *o,
                        const char *property, const char *old_text, const char *new_text);
void emit_registry(struct model *m, enum change_kind kind, const struct registry_key *key,
                   const char *value_name, struct change_value old_value,
                   struct change_value new_value);
void emit_quorum(struct model *m, struct change_value old_value, struct change_value new_value,
                 enum change_reason reason);
void change_describe(const struct object *o, struct change *c); /* ids, parent, node, name, type */
enum change_kind change_added_kind(enum object_type type);
struct change_value value_none(void);
struct change_value value_number(uint32_t n);
struct change_value value_text(const char *s);

/* effects.c */
uint64_t effect_operation(struct model *m, struct resource *r, enum operation_kind operation,
                          uint32_t timeout_ms);
uint64_t effect_timer(struct model *m, struct resource *r, uint32_t delay_ms);
/* Whose operation or timer it is; NULL: nobody waits for it any more. */
struct resource *effect_find(const struct model *m, uint64_t id);
void effect_forget(struct model *m, uint64_t *id);          /* it was answered; becomes 0 */
void effect_cancel(struct model *m, uint64_t *operation);   /* 0 is fine; becomes 0 */
void effect_timer_cancel(struct model *m, uint64_t *timer); /* likewise */

/* failover.c */
void resource_bring_online(struct model *m, struct resource *r, enum change_reason reason);
void resources_bring_online(struct model *m, const struct pointer_list *wanted,
                            enum change_reason reason);
void resource_take_offline(struct model *m, struct resource *r, enum change_reason reason);
void resource_fail(struct model *m, struct resource *r, enum change_reason reason);
void resource_resume_life(struct model *m, struct node *n); /* what its resources do at a start */
void resource_unblock(struct model *m, struct resource *r, struct resource *provider);
bool resource_is_running(const struct resource *r);
void resource_forget_effects(struct model *m, struct resource *r);
uint32_t resource_operation_done(struct model *m, const struct model_input *in);
uint32_t resource_timer(struct model *m, const struct model_input *in);

/* group.c */
enum group_state group_derive_state(const struct group *g);
void group_refresh(struct model *m, struct group *g, enum change_reason reason);
struct group *group_add(struct model *m, const char *id, const char *name, struct node *owner);
void group_set_owner(struct model *m, struct group *g, struct node *n);

/* load.c */
void load_forget(struct model *m);

/* dependency.c */
enum dependency_direction { PROVIDERS = 1, DEPENDENTS = 2, BOTH = 3 };
/* r and all that it is tied to in that direction, near and far. 0, -ENOMEM. */
int dependency_closure(struct resource *r, enum dependency_direction direction,
                       struct pointer_list *ret);
void dependency_unlink(struct model *m, struct resource *r, struct resource *provider);
/* "([one] and [two])", as the API writes what a resource depends on. NULL: out of memory. */
char *dependency_expression(const struct resource *r);

/* registry.c */
struct registry_key *registry_find(const struct model *m, const char *path);
struct registry_key *registry_add(struct model *m, struct registry_key *parent, const char *name);
void registry_account(struct model *m, struct registry_key *k); /* k has changed its size */
int registry_put(struct registry_key *k, const char *name, uint32_t type, const void *data,
                 size_t size);
struct registry_key *registry_parent(const struct model *m, const char *path);
void registry_value_free(struct registry_value *v);

#define CHARACTERISTIC_QUORUM 1u /* CLUS_CHAR_QUORUM */
/* resource_type.c: 0, -EBADMSG, -ENOMEM */
int resource_type_parse(struct resource_type *t, const char *json, size_t size);

/* properties.c */
/* The effective value of a common property. PRE: the schema has it. */
uint32_t object_dword(const struct object *o, const char *name);

/* The handlers. */
uint32_t handle_form_cluster(struct model *m, const struct model_input *in);
uint32_t handle_set_cluster_name(struct model *m, const struct model_input *in);
uint32_t handle_set_quorum_resource(struct model *m, const struct model_input *in);
uint32_t handle_node_started(struct model *m, const struct model_input *in);
uint32_t handle_node_stopped(struct model *m, const struct model_input *in);
uint32_t handle_pause_node(struct model *m, const struct model_input *in);
uint32_t handle_resume_node(struct model *m, const struct model_input *in);
uint32_t handle_create_group(struct model *m, const struct model_input *in);
uint32_t handle_delete_group(struct model *m, const struct model_input *in);
uint32_t handle_rename_group(struct model *m, const struct model_input *in);
uint32_t handle_online_group(struct model *m, const struct model_input *in);
uint32_t handle_offline_group(struct model *m, const struct model_input *in);
uint32_t handle_move_group(struct model *m, const struct model_input *in);
uint32_t handle_create_resource(struct model *m, const struct model_input *in);
uint32_t handle_delete_resource(struct model *m, const struct model_input *in);
uint32_t handle_rename_resource(struct model *m, const struct model_input *in);
uint32_t handle_online_resource(struct model *m, const struct model_input *in);
uint32_t handle_offline_resource(struct model *m, const struct model_input *in);
uint32_t handle_fail_resource(struct model *m, const struct model_input *in);
uint32_t handle_change_resource_group(struct model *m, const struct model_input *in);
uint32_t handle_add_dependency(struct model *m, const struct model_input *in);
uint32_t handle_remove_dependency(struct model *m, const struct model_input *in);
uint32_t handle_set_common_properties(struct model *m, const struct model_input *in);
uint32_t handle_set_private_properties(struct model *m, const struct model_input *in);
uint32_t handle_create_key(struct model *m, const struct model_input *in);
uint32_t handle_delete_key(struct model *m, const struct model_input *in);
uint32_t handle_set_key_security(struct model *m, const struct model_input *in);
uint32_t handle_set_value(struct model *m, const struct model_input *in);
uint32_t handle_delete_value(struct model *m, const struct model_input *in);
uint32_t handle_define_type(struct model *m, const struct model_input *in);
uint32_t handle_remove_type(struct model *m, const struct model_input *in);
uint32_t handle_rename_network(struct model *m, const struct model_input *in);
uint32_t handle_network_seen(struct model *m, const struct model_input *in);
uint32_t handle_network_gone(struct model *m, const struct model_input *in);
uint32_t handle_netinterface_seen(struct model *m, const struct model_input *in);
uint32_t handle_netinterface_gone(struct model *m, const struct model_input *in);

#endif
