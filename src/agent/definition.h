/* SPDX-License-Identifier: MIT */
#ifndef AGENT_DEFINITION_H
#define AGENT_DEFINITION_H

#include <stddef.h>

#include "change/property_list.h"

/* What a resource type's definition says to the runner: which agent, and which private property is
 * which of its parameters. The definition is JSON:
 *
 *   "agent"       "ocf:PROVIDER:AGENT" or "systemd:UNIT"; "systemd:" takes the unit from the
 *                 parameter "unit"
 *   "properties"  [{"name", "format", "default", "required", "parameter"}, ...]; one without
 *                 "parameter" is not the agent's business. Without "properties" each private
 *                 property is the parameter of its name.
 *   "parameters"  {"name": "value", ...}, the same for every resource
 *
 * A property that is empty is not passed on, so that the agent's own default holds. */

struct parameter {
    char *name;
    char *value;
};

struct parameters {
    struct parameter *items;
    size_t count;
    size_t capacity;
};

void parameters_fini(struct parameters *p);
const char *parameters_find(const struct parameters *p, const char *name); /* NULL when absent */

/* properties: a resource's private ones. 0; -EINVAL: not a definition; -ENOMEM. */
int definition_resolve(const char *json, const struct property_table *properties, char **ret_agent,
                       struct parameters *ret_parameters);

#endif
