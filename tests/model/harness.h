/* SPDX-License-Identifier: MIT */
#ifndef TESTS_MODEL_HARNESS_H
#define TESTS_MODEL_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"
#include "model/model.h"

/* A model under a clock of its own, with what agents and timers owe it. */
struct owed {
    struct effect effect; /* only numbers and resource_name are kept */
    char *resource_name;
    int64_t due_ns; /* of a timer */
    uint64_t begun; /* the step that asked for it */
};

struct world {
    struct model *m;
    int64_t now_ns;
    uint64_t next_id, steps;
    struct owed *owed;
    size_t owed_count, owed_capacity;
    struct buffer log;     /* the changes since the last expect(): one line each */
    struct buffer changes; /* of the last step, encoded */
    struct map *rows;      /* "type key" → JSON text: what a journal would hold */
    uint64_t expected_revision;
    bool quiet; /* no log */
    /* Called at the end of each step: `changes` and `owed` are what it left. */
    void (*watch)(struct world *w, const struct model_input *in, uint32_t code);
};

#define MS INT64_C(1000000)

void world_init(struct world *w);    /* an empty model */
void world_started(struct world *w); /* with cluster, node and type "Dummy", log cleared */
void world_fini(struct world *w);
uint32_t world_step(struct world *w, const struct model_input *in);
void world_reload(struct world *w); /* a new model from the rows; what was owed is forgotten */

/* Requests by name; the new object's id is made from a counter. */
uint32_t create_group(struct world *w, const char *name);
uint32_t create_resource(struct world *w, const char *group, const char *name);
uint32_t request(struct world *w, enum input_kind kind, const char *object);
uint32_t request2(struct world *w, enum input_kind kind, const char *object, const char *parent);
uint32_t rename_object(struct world *w, enum input_kind kind, const char *object, const char *name);
uint32_t set_dword(struct world *w, enum object_type type, const char *object, const char *name,
                   uint32_t value);

/* The one operation under way for the resource ends; asserts that it is of that kind. */
void finish(struct world *w, const char *resource, enum operation_kind kind, uint32_t exit_code);
bool is_owed(const struct world *w, const char *resource, enum operation_kind kind);
void answer_owed(struct world *w, size_t nth, uint32_t exit_code); /* any of `owed`, a timer too */
bool finish_one(struct world *w); /* the oldest, with success; false when there is none */
/* Operations as they come, all with success, until there is none. No timer fires. */
void finish_all(struct world *w);
/* The clock goes on to the next timer, which fires. */
size_t next_timer(const struct world *w); /* which of `owed`; owed_count: none */
void fire_next(struct world *w);
size_t timers_owed(const struct world *w);

/* The log so far, exactly, one change a line:
 * "resource.state R Offline>OnlinePending request"; clears it. */
void expect(struct world *w, const char *const *lines, size_t count);
#define EXPECT(w, ...)                                                                             \
    do {                                                                                           \
        const char *const lines_[] = {__VA_ARGS__};                                                \
        expect(w, lines_, ARRAY_SIZE(lines_));                                                     \
    } while (0)
void expect_nothing(struct world *w);
void forget_log(struct world *w);

uint32_t resource_state(const struct world *w, const char *name);
uint32_t group_state(const struct world *w, const char *name);
void check_model(const struct world *w); /* what must hold after each step */

#endif
