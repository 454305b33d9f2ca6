/* SPDX-License-Identifier: MIT */
#ifndef RPC_SERVER_ACCOUNT_H
#define RPC_SERVER_ACCOUNT_H

#include "rpc/rpc.h"

/* What is taken of the server, by whom: everybody together, in it those who are not trusted, in
 * these each user, in a user each process. */
struct account {
    struct account *above; /* held */
    struct account *below; /* the first; they hold this one */
    struct account *previous, *next;
    uint32_t id; /* the user's, the process's */
    unsigned references;
    struct quota of[RPC_LIMIT_COUNT];
    /* Of a user: the time that its requests kept the loop busy of late. */
    uint64_t busy_ns, busy_at_ns;
    /* Of the whole: who was served last, only to be compared, and since when nobody else was. */
    const struct account *served;
    uint64_t served_since_ns;
};

/* The whole. NULL: out of memory. */
struct account *account_create(const uint64_t most[RPC_LIMIT_COUNT]);
/* That process's, in its user's. NULL: out of memory. */
struct account *account_of_process(struct account *whole, const struct rpc_peer *peer,
                                   bool (*trusted)(void *context, const struct rpc_peer *peer),
                                   void *context);
struct account *account_ref(struct account *a);
void account_unref(struct account *a); /* NULL is fine */

/* The process's user has kept the loop busy from `begun` to `now`. Whether it has done so of late,
 * more than the others who were served meanwhile should have to wait for. */
bool account_was_busy(struct account *process, uint64_t begun_ns, uint64_t now_ns);

#endif
