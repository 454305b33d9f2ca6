/* SPDX-License-Identifier: MIT */
#include "rpc/server_account.h"

#include "base/macro.h"

#define LATE_NS 100000000u /* what was before counts half */
#define BUSY_MOST_NS 20000000u

#define NOBODY UINT32_MAX /* the id of the accounts above the users' */

/* The n-th part, but at least one of whatever there is. */
static uint64_t part(uint64_t whole, uint64_t n)
{
    return (whole + n - 1) / n;
}

static struct account *add(struct account *above, uint32_t id)
{
    struct account *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->id = id;
    a->references = 1;
    if (!above)
        return a;
    a->above = account_ref(above);
    a->next = above->below;
    if (a->next)
        a->next->previous = a;
    above->below = a;
    for (unsigned i = 0; i < RPC_LIMIT_COUNT; i++)
        a->of[i] = (struct quota){.above = &above->of[i], .most = above->of[i].most};
    return a;
}

static struct account *find(const struct account *above, uint32_t id)
{
    struct account *a = above->below;

    while (a && a->id != id)
        a = a->next;
    return a ? account_ref(a) : NULL;
}

/* An account, found or made, that has at most the n-th part of the whole. */
static struct account *get(struct account *above, uint32_t id, const struct account *whole,
                           unsigned n)
{
    struct account *a = find(above, id);

    if (a)
        return a;
    a = add(above, id);
    for (unsigned i = 0; a && i < RPC_LIMIT_COUNT; i++)
        a->of[i].most = part(whole->of[i].most, n);
    return a;
}

struct account *account_create(const uint64_t most[RPC_LIMIT_COUNT])
{
    struct account *a = add(NULL, NOBODY);

    for (unsigned i = 0; a && i < RPC_LIMIT_COUNT; i++)
        a->of[i].most = most[i];
    return a;
}

/* Held by its users only: without any of them it is empty. */
static struct account *others(struct account *whole)
{
    struct account *a = get(whole, NOBODY, whole, 1);

    for (unsigned i = 0; a && i < RPC_LIMIT_COUNT; i++)
        a->of[i].most = whole->of[i].most - whole->of[i].most / 8;
    return a;
}

static struct account *find_user(const struct account *whole, uint32_t uid)
{
    struct account *user = find(whole, uid);
    struct account *untrusted = user ? NULL : find(whole, NOBODY);

    if (untrusted)
        user = find(untrusted, uid);
    account_unref(untrusted);
    return user;
}

struct account *account_of_process(struct account *whole, const struct rpc_peer *peer,
                                   bool (*trusted)(void *context, const struct rpc_peer *peer),
                                   void *context)
{
    struct account *user = find_user(whole, peer->uid), *process;

    if (!user) {
        bool trust = trusted(context, peer);
        struct account *above = trust ? account_ref(whole) : others(whole);

        user = above ? get(above, peer->uid, whole, trust ? 1 : 2) : NULL;
        account_unref(above);
    }
    process = user ? get(user, peer->pid, whole, 4) : NULL;
    account_unref(user);
    return process;
}

struct account *account_ref(struct account *a)
{
    a->references++;
    return a;
}

void account_unref(struct account *a)
{
    struct account *above;

    for (; a && --a->references == 0; a = above) {
        above = a->above;
        if (a->previous)
            a->previous->next = a->next;
        else if (above)
            above->below = a->next;
        if (a->next)
            a->next->previous = a->previous;
        free(a);
    }
}

/* Somebody else was served too. */
static bool is_shared(const struct account *user, uint64_t now_ns)
{
    struct account *whole = user->above;

    while (whole->above)
        whole = whole->above;
    if (whole->served != user) {
        whole->served = user;
        whole->served_since_ns = now_ns;
    }
    return now_ns - whole->served_since_ns < LATE_NS;
}

bool account_was_busy(struct account *process, uint64_t begun_ns, uint64_t now_ns)
{
    struct account *user = process->above;
    uint64_t halves = (begun_ns - user->busy_at_ns) / LATE_NS;

    if (halves > 0) {
        user->busy_ns = halves < 64 ? user->busy_ns >> halves : 0;
        user->busy_at_ns = begun_ns;
    }
    user->busy_ns += now_ns - begun_ns;
    return is_shared(user, now_ns) && user->busy_ns > BUSY_MOST_NS;
}
