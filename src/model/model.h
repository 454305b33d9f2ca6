/* SPDX-License-Identifier: MIT */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/map.h"
#include "change/change.h"
#include "model/objects.h"

/* The cluster as a pure machine: model_step(input) gives changes, effects and the objects to be
 * stored. No I/O, no clock, no threads, nothing random: the same inputs give the same changes on
 * every node, and any history can be replayed. */

struct model;

#define INPUT(symbol, name) INPUT_##symbol,
enum input_kind {
    INPUT_NONE,
#include "model/inputs.def"
    INPUT_KIND_COUNT
};
#undef INPUT

/* Flat, so that one codec carries every kind through any order. Borrowed. NULL texts are "". */
struct model_input {
    enum input_kind kind;
    int64_t time_ns; /* wall clock; never goes back between inputs (the order sees to it) */
    struct change_actor actor;
    uint64_t token; /* the originator's own, handed back with the result; the model ignores it */
    enum object_type object_type;
    const char *object_id;
    const char *parent_id;
    const char *new_id;
    const char *name;
    const char *type_name;
    uint64_t operation;
    uint32_t number;
    const void *data;
    size_t size;
};

/* 0, -ENOMEM, -EILSEQ: a text is not UTF-8. */
int model_input_encode(const struct model_input *in, struct buffer *out);
int model_input_decode(const void *data, size_t size,
                       struct model_input *ret); /* borrows; -EBADMSG */

enum effect_kind {
    EFFECT_OPERATION, /* run an agent's operation; answer with INPUT_OPERATION_DONE */
    EFFECT_CANCEL,    /* end that operation by force; no answer is wanted any more */
    EFFECT_TIMER,     /* answer with INPUT_TIMER after delay_ms */
    EFFECT_TIMER_CANCEL,
};

enum operation_kind {
    OPERATION_START,
    OPERATION_STOP,
    OPERATION_LOOKS_ALIVE, /* monitor */
    OPERATION_IS_ALIVE,    /* monitor with OCF_CHECK_LEVEL=10 */
    OPERATION_PROBE,       /* monitor, to find out what runs after the service was away */
};

/* Owned by the output that it came in, texts and all. */
struct effect {
    enum effect_kind kind;
    uint64_t id; /* of the operation or timer; never 0, never reused within a service's life */
    enum operation_kind operation;
    uint32_t delay_ms;
    uint32_t timeout_ms;
    char *resource_id;
    char *resource_name;
    char *type_name;
    struct property_table properties; /* the private ones with their defaults filled in */
};

struct model_output {
    struct buffer changes; /* encoded, one transaction; the last one marked */
    size_t change_count;
    struct effect *effects;
    size_t effect_count, effect_capacity;
    /* Objects to be stored: borrowed until the next step. A deleted one has a row here and no
     * object. */
    struct stored_object {
        enum object_type type;
        char *key;
        const struct object *object; /* NULL: deleted */
    } * stored;
    size_t stored_count, stored_capacity;
};

void model_output_fini(struct model_output *o);

struct model *model_create(void);
void model_destroy(struct model *m);

/* Applies one input. Returns a Win32 code for requests, 0 for reports. When it returns other than
 * 0 or ERROR_IO_PENDING or ERROR_RESOURCE_PROPERTIES_STORED, nothing has changed and the output is
 * empty. Changes get consecutive revisions after model_revision(). When it returns
 * ERROR_NOT_ENOUGH_MEMORY the model may be half changed: the caller must throw it away and load
 * again from the journal. */
uint32_t model_step(struct model *m, const struct model_input *in, struct model_output *out);
uint64_t model_revision(const struct model *m); /* of the last change */

/* Persistence: one JSON text per object. Volatile parts (operations, timers, sequences) are not in
 * it. */
int model_object_encode(const struct object *o, struct buffer *out);
/* Loading: objects in any order, then model_load_done() ties them together. 0, -EBADMSG, -ENOMEM.
 */
int model_load_object(struct model *m, enum object_type type, const char *key, const char *json,
                      size_t size);
int model_load_done(struct model *m, uint64_t revision);

/* The state as changes with `initial` set and the ADDED kind (the cluster: CLUSTER_RENAME), the
 * new value the state, all under the present revision; providers of names first: cluster, nodes,
 * networks, interfaces, types, groups, resources, registry keys (REGISTRY_NAME) and values
 * (REGISTRY_VALUE). Appends encoded records. */
int model_snapshot(const struct model *m, struct buffer *out, size_t *ret_count);

/* Reading. Found by id or name, case not regarded; NULL when there is none. */
const struct cluster *model_cluster(const struct model *m); /* NULL before FORM_CLUSTER */
const struct node *model_node(const struct model *m, const char *id_or_name);
const struct group *model_group(const struct model *m, const char *id_or_name);
const struct resource *model_resource(const struct model *m, const char *id_or_name);
const struct resource_type *model_resource_type(const struct model *m, const char *name);
const struct network *model_network(const struct model *m, const char *id_or_name);
const struct netinterface *model_netinterface(const struct model *m, const char *id_or_name);
const struct registry_key *model_key(const struct model *m, const char *path);
/* All of one type (any but REGISTRY and CLUSTER), id → struct object, in order of creation. */
const struct map *model_objects(const struct model *m, enum object_type type);

/* Properties with schema, defaults and read-only ones: what the control codes give. The caller
 * finishes ret. 0 or -ENOMEM. */
enum property_scope {
    PROPERTIES_COMMON,
    PROPERTIES_COMMON_READ_ONLY,
    PROPERTIES_PRIVATE,
    PROPERTIES_PRIVATE_READ_ONLY
};
int model_properties(const struct model *m, const struct object *o, enum property_scope scope,
                     struct property_table *ret);
/* The check that SET does first; a Win32 code. */
uint32_t model_validate_properties(const struct model *m, const struct object *o,
                                   enum property_scope scope, const void *list, size_t size);

#endif
