/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "model/model.h"

/* Decides or follows, and acts. It takes requests and effects, and answers with inputs to be
 * ordered. It touches neither journal nor feed nor sockets. All methods and callbacks run on the
 * service's loop thread; none blocks. */

struct engine;

struct engine_host {
    /* Copies the input and has it ordered. May be called at any time between start() and stop(),
     * from within methods too. 0, -ENOMEM, -EAGAIN. */
    int (*submit)(void *context, const struct model_input *in);
    void *context;
};

struct engine_options {
    sd_event *loop;
    struct engine_host host;
    const struct model *model; /* to read; as it is when a method runs */
    const char *cluster_name, *node_name, *node_id;
    const char *state_dir;
    const char *types_path; /* folders of definition files, ':' between them; NULL: as installed */
    const char *ocf_path;   /* see agent_options */
    const char
        *networks; /* patterns (fnmatch) of link names, ' ' between them; a leading '!' takes out;
                      the last that matches decides. NULL: all but the usual virtual ones */
};

struct engine_methods {
    unsigned version; /* 1; methods are only ever appended */
    size_t object_size;
    const char *name; /* "embedded", "pacemaker" */

    /* The model is loaded. Submits what it sees (FORM_CLUSTER if the model is empty, types,
     * networks, NODE_STARTED) and keeps doing so. options and what it points to stay valid until
     * free(). 0 or -errno; on failure free() is still called. */
    int (*start)(struct engine *e, const struct engine_options *options);
    /* A program's request, checked for form and access. Submits one input with the request's token,
     * or returns a Win32 code and submits nothing. The result is the model's. */
    uint32_t (*request)(struct engine *e, const struct model_input *in);
    /* A durable decision of the model: the output stays the caller's. */
    void (*perform)(struct engine *e, const struct effect *effect);
    /* Nothing is submitted or started any more; running applications are left as they are. */
    void (*stop)(struct engine *e);
    void (*free)(struct engine *e);
    /* Looks again at what lies in files: the type definitions. Between start() and stop(). */
    void (*reload)(struct engine *e);
};

struct engine {
    const struct engine_methods *methods;
};

int engine_embedded_create(struct engine **ret);

#endif
