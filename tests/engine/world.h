/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ENGINE_WORLD_H
#define TESTS_ENGINE_WORLD_H

#include <stdbool.h>

#include "engine/engine.h"

/* An embedded engine and a real model, and in place of journal and order a queue. */

#define WORLD_MAX_INPUTS 4096

struct world {
    sd_event *loop;
    struct model *model;
    struct engine *engine;
    struct engine_options options;
    char folder[64];
    char types_path[128];
    struct buffer inputs[WORLD_MAX_INPUTS]; /* all that were submitted, encoded */
    size_t submitted, delivered;
    int refusals; /* as many submissions are answered with -EAGAIN */
    bool deaf;    /* inputs are recorded, not delivered */
    uint64_t last_token;
    uint32_t last_code; /* of the last input with a token */
};

int world_setup(void **state); /* not started */
int world_teardown(void **state);
void world_start(struct world *w);   /* the engine, on the model as it is */
void world_restart(struct world *w); /* another engine on the same model */

/* Delivers and runs the loop until done() says so. */
void world_until(struct world *w, bool (*done)(struct world *w, const void *what),
                 const void *what);
void world_deliver(struct world *w); /* what is in the queue */

/* A program's request; the Win32 code. */
uint32_t world_request(struct world *w, struct model_input in);
size_t world_count(struct world *w, enum input_kind kind); /* inputs of this kind so far */
/* The n-th submitted input of this kind (from 0); fails the test when there is none. Borrowed. */
struct model_input world_input(struct world *w, enum input_kind kind, size_t n);

void world_write(struct world *w, const char *name, const char *text); /* a file in types/ */

#endif
