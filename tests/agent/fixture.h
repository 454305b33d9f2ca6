/* SPDX-License-Identifier: MIT */
#ifndef TESTS_AGENT_FIXTURE_H
#define TESTS_AGENT_FIXTURE_H

#include <stdbool.h>

#include "agent/agent.h"

/* A runner on a loop of its own in a scratch folder, and one resource "r1". */

struct agent_fixture {
    sd_event *loop;
    struct agent_runner *runner;
    char folder[64];
    struct property_table properties; /* of the resource */
    uint64_t last_id;
    unsigned results;
    uint64_t result_id;
    int exit_code;
    char detail[512];
};

int agent_fixture_setup(void **state);
int agent_fixture_teardown(void **state);

/* Begins an operation of a type with this definition; agent_start()'s result. */
int begin(struct agent_fixture *f, enum operation_kind kind, const char *definition,
          uint32_t timeout_ms);
void await_result(struct agent_fixture *f);
/* begin() and await_result(); the exit code. */
int run(struct agent_fixture *f, enum operation_kind kind, const char *definition);

void remove_tree(const char *path);
bool read_file(const char *path, char *out, size_t size); /* waits until it is there with a line */

#endif
