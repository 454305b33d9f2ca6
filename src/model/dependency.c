/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#define DEPTH_MOST 100 /* [MS-CMRP] 3.1.4.2.20; the failover manager walks the tree recursively */
/* Of one resource: its expression is a text on the wire, whatever the names become. */
#define PROVIDERS_MOST 200

static int append_all(struct pointer_list *to, const struct pointer_list *from)
{
    for (size_t i = 0; i < from->count; i++) {
        if (list_contains(to, from->items[i]))
            continue;
        int r = list_append(to, from->items[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

int dependency_closure(struct resource *r, enum dependency_direction direction,
                       struct pointer_list *ret)
{
    int result = list_append(ret, r);
    for (size_t i = 0; result == 0 && i < ret->count; i++) {
        const struct resource *each = ret->items[i];
        if (direction & PROVIDERS)
            result = append_all(ret, &each->providers);
        if (result == 0 && (direction & DEPENDENTS))
            result = append_all(ret, &each->dependents);
    }
    return result;
}

char *dependency_expression(const struct resource *r)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    for (size_t i = 0; i < r->providers.count; i++)
        buffer_printf(&b, "%s[%s]", i ? " and " : "",
                      ((const struct resource *)r->providers.items[i])->o.name);
    if (buffer_failed(&b))
        return NULL;
    if (r->providers.count == 0)
        return strdup("");
    return text_format("(%.*s)", (int)b.size, (const char *)b.data);
}

static void dependent_ids(struct model *m, const struct resource *r, struct buffer *out)
{
    for (size_t i = 0; i < r->dependents.count; i++) {
        const char *id = ((const struct resource *)r->dependents.items[i])->o.id;
        check_result(m, buffer_append(out, id, strlen(id) + 1));
    }
}

static struct change_value value_text_list(const struct buffer *b)
{
    return (struct change_value){.kind = VALUE_TEXT_LIST, .data = b->data, .size = b->size};
}

/* Calls link, and raises what both sides see of it. */
static void relink(struct model *m, struct resource *r, struct resource *provider, bool add)
{
    _cleanup_free_
    char *old_expression = check_memory(m, dependency_expression(r));
    _cleanup_(buffer_fini) struct buffer old_ids = {0};
    _cleanup_(buffer_fini) struct buffer new_ids = {0};
    dependent_ids(m, provider, &old_ids);
    if (add) {
        check_result(m, list_append(&r->providers, provider));
        check_result(m, list_insert_object(&provider->dependents, r));
    } else {
        list_remove(&r->providers, provider);
        list_remove(&provider->dependents, r);
    }
    dependent_ids(m, provider, &new_ids);
    _cleanup_free_
    char *expression = check_memory(m, dependency_expression(r));
    if (m->failed)
        return;
    object_touch(m, &r->o);
    emit(m, CHANGE_RESOURCE_DEPENDENCIES, &r->o, value_text(old_expression), value_text(expression),
         REASON_NONE);
    emit(m, CHANGE_RESOURCE_DEPENDENTS, &provider->o, value_text_list(&old_ids),
         value_text_list(&new_ids), REASON_NONE);
}

void dependency_unlink(struct model *m, struct resource *r, struct resource *provider)
{
    relink(m, r, provider, false);
}

/* The longest way up from r (or down), in steps, as sets of what can be reached in one step more:
 * a walk along every way would take for ever in a tree with many diamonds. */
static int depth(struct resource *r, enum dependency_direction direction, unsigned *ret)
{
    _cleanup_(list_fini) struct pointer_list level = {0};
    int result = list_append(&level, r);
    unsigned steps = 0;
    for (; result == 0 && level.count > 0 && steps <= DEPTH_MOST; steps++) {
        struct pointer_list next = {0};
        for (size_t i = 0; i < level.count && result == 0; i++) {
            const struct resource *each = level.items[i];
            result =
                append_all(&next, direction == PROVIDERS ? &each->providers : &each->dependents);
        }
        list_fini(&level);
        level = next;
    }
    *ret = steps;
    return result;
}

/* The codes are AddClusterResourceDependency's. An online dependent may get a provider that is
 * online (since 2008); one that is not would contradict the dependent's state. */
uint32_t handle_add_dependency(struct model *m, const struct model_input *in)
{
    struct resource *r = object_find(m, OBJECT_RESOURCE, in->object_id);
    struct resource *provider = object_find(m, OBJECT_RESOURCE, in->parent_id);
    if (!r || !provider)
        return ERR_RESOURCE_NOT_FOUND;
    if (r->group != provider->group)
        return ERR_INVALID_PARAMETER;
    if (text_equal(m->cluster->quorum_resource_id, r->o.id))
        return ERR_DEPENDENCY_NOT_ALLOWED;
    if (list_contains(&r->providers, provider))
        return ERR_DEPENDENCY_ALREADY_EXISTS;
    _cleanup_(list_fini) struct pointer_list above = {0};
    unsigned up = 0, down = 0;
    check_result(m, dependency_closure(provider, PROVIDERS, &above));
    check_result(m, depth(provider, PROVIDERS, &up));
    check_result(m, depth(r, DEPENDENTS, &down));
    if (m->failed)
        return ERR_NOT_ENOUGH_MEMORY;
    if (list_contains(&above, r))
        return ERR_CIRCULAR_DEPENDENCY;
    if (up + down > DEPTH_MOST || r->providers.count >= PROVIDERS_MOST)
        return ERR_DEPENDENCY_TREE_TOO_COMPLEX;
    if (resource_is_running(r) && provider->o.state != RESOURCE_ONLINE)
        return ERR_RESOURCE_ONLINE;
    if (r->o.state == RESOURCE_ONLINE_PENDING && provider->o.state != RESOURCE_ONLINE)
        return ERR_RESOURCE_ONLINE;
    relink(m, r, provider, true);
    group_refresh(m, r->group, REASON_DEPENDENCY); /* which resources are on top has changed */
    return ERR_SUCCESS;
}

uint32_t handle_remove_dependency(struct model *m, const struct model_input *in)
{
    struct resource *r = object_find(m, OBJECT_RESOURCE, in->object_id);
    struct resource *provider = object_find(m, OBJECT_RESOURCE, in->parent_id);
    if (!r || !provider)
        return ERR_RESOURCE_NOT_FOUND;
    if (!list_contains(&r->providers, provider))
        return ERR_DEPENDENCY_NOT_FOUND;
    relink(m, r, provider, false);
    group_refresh(m, r->group, REASON_DEPENDENCY);
    resource_unblock(m, r, provider);
    return ERR_SUCCESS;
}
