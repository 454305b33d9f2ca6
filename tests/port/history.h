/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PORT_HISTORY_H
#define TESTS_PORT_HISTORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macro.h"
#include "port/port.h"

#define HANDLE_CLOSE 0x80000000u
#define CLUSTER_STATE 0x20000000u
#define RECONNECT 0x00080000u
#define SUBTREE 0x80u
#define RESOURCE_STATE 0x100u
#define GROUP_STATE 0x1000u
#define ALL 0xffffffffu

/* In memory: revision r is the r-th record; revisions below `kept` are gone. */
struct history {
    struct port_source source;
    struct buffer records;
    size_t offsets[4096];
    uint64_t last, kept;
    bool away;
    unsigned calls;
};

struct history *history_create(void);
void history_destroy(struct history *h);

/* The next change; its revision. */
uint64_t happen_as(struct history *h, struct change c);
/* Of an object "id-NAME" in parent "P" on node "N". */
uint64_t happen(struct history *h, enum change_kind kind, const char *name);

struct port *make(enum port_version version, uint64_t next);
int add_v1(struct port *p, uint32_t flags, enum object_type type, const char *id, uint64_t key,
           const struct history *h);
int add_v2(struct port *p, uint32_t type, int64_t flags, enum object_type handle, const char *id,
           uint64_t key, const struct history *h);

/* The next one must be this. */
void expect(struct port *p, struct history *h, uint64_t key, uint32_t flag, const char *name);
void expect_v2(struct port *p, struct history *h, uint64_t key, uint32_t type, int64_t flag,
               const char *name);
void expect_nothing(struct port *p, struct history *h);

#endif
