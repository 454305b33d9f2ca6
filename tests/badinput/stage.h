/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BADINPUT_STAGE_H
#define TESTS_BADINPUT_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <clusport.h>

#include "support/service.h"

/* A cluster with one object of each kind, and a handle of each kind to it; another program, the
 * witness, that listens to all changes meanwhile. Every handle of the process is known here, so
 * that a number that happens to be one is never taken for a wrong one. */

#define KINDS(K)                                                                                   \
    K(CLUSTER)                                                                                     \
    K(NODE)                                                                                        \
    K(GROUP)                                                                                       \
    K(RESOURCE)                                                                                    \
    K(NETWORK)                                                                                     \
    K(NETINTERFACE)                                                                                \
    K(KEY)                                                                                         \
    K(CLUSTER_ENUM)                                                                                \
    K(NODE_ENUM)                                                                                   \
    K(GROUP_ENUM)                                                                                  \
    K(RESOURCE_ENUM)                                                                               \
    K(TYPE_ENUM)                                                                                   \
    K(NETWORK_ENUM)                                                                                \
    K(PORT_V1)                                                                                     \
    K(PORT_V2)                                                                                     \
    K(PORT_OWN)                                                                                    \
    K(THREAD)                                                                                      \
    K(EVENT)                                                                                       \
    K(PORT_ANY) /* here and below: what a function may take */                                     \
    K(PORT_V1_OR_NEW)                                                                              \
    K(PORT_V2_OR_NEW)                                                                              \
    K(CLUSTER_OR_NONE)                                                                             \
    K(THREAD_OR_EVENT)

#define K(name) KIND_##name,
enum kind { KINDS(K) };
#undef K

struct live {
    void *word;
    enum kind kind;
    bool other; /* through another OpenCluster */
};

#define LIVE_MOST 48

struct stage {
    struct test_service *service;
    HCLUSTER cluster, other_cluster;
    HGROUP group;
    HRESOURCE resource;
    HKEY root, key; /* key: "stage", with a subkey "sub" and a value "text" */
    struct live live[LIVE_MOST];
    size_t live_count;
    void *stale[LIVE_MOST]; /* closed ones */
    size_t stale_count;
    pid_t witness;
    int witness_output;
};

struct stage *stage_start(void);
/* The witness has been told everything; nothing of ours is left in the service. */
void stage_stop(struct stage *s);

bool kind_takes(enum kind wanted, enum kind given);
void *good_handle(const struct stage *s, enum kind kind);
bool is_live(const struct stage *s, const void *word);

/* A change that the witness will see, among others. */
void stage_mark(struct stage *s);

/* What the process holds, to be compared later. */
struct holdings {
    size_t bytes;
    unsigned descriptors, threads;
};
struct holdings holdings_now(void);

#endif
