/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macro.h"
#include "rpc/server_account.h"

#define MS 1000000ull

static bool root_only(void *context, const struct rpc_peer *peer)
{
    unsigned *asked = context;

    ++*asked;
    return peer->uid == 0;
}

static struct account *process(struct account *whole, uint32_t uid, uint32_t pid, unsigned *asked)
{
    struct rpc_peer peer = {.uid = uid, .pid = pid};
    struct account *a = account_of_process(whole, &peer, root_only, asked);

    assert_non_null(a);
    return a;
}

static struct account *whole_of(uint64_t memory)
{
    const uint64_t most[RPC_LIMIT_COUNT] = {[RPC_MEMORY] = memory};
    struct account *whole = account_create(most);

    assert_non_null(whole);
    return whole;
}

static void shares(void **state)
{
    (void)state;
    unsigned asked = 0;
    struct account *whole = whole_of(80);
    struct account *a = process(whole, 7, 1, &asked), *b = process(whole, 7, 2, &asked),
                   *c = process(whole, 8, 3, &asked), *root = process(whole, 0, 4, &asked);

    assert_int_equal(asked, 3); /* once a user */
    assert_ptr_equal(a->above, b->above);
    assert_int_equal(a->of[RPC_MEMORY].most, 20);
    assert_int_equal(a->above->of[RPC_MEMORY].most, 40);
    assert_int_equal(c->above->above->of[RPC_MEMORY].most, 70);
    assert_ptr_equal(root->above->above, whole);
    assert_int_equal(root->above->of[RPC_MEMORY].most, 80);

    struct account *same = process(whole, 7, 1, &asked);
    assert_ptr_equal(same, a);
    account_unref(same);
    struct account *all[] = {a, b, c, root};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        account_unref(all[i]);
    assert_null(whole->below); /* who has nothing is forgotten */
    account_unref(whole);
}

static void who_is_busy_comes_later(void **state)
{
    (void)state;
    unsigned asked = 0;
    struct account *whole = whole_of(80);
    struct account *heavy = process(whole, 7, 1, &asked), *light = process(whole, 8, 2, &asked);
    uint64_t now = 1000 * MS;

    for (unsigned i = 0; i < 100; i++, now += 10 * MS) /* but not alone */
        assert_int_equal(account_was_busy(heavy, now, now + 9 * MS), i * 10 + 9 < 100 && i >= 2);
    assert_false(account_was_busy(light, now, now + MS));
    assert_true(account_was_busy(heavy, now + MS, now + 2 * MS));
    now += 1000 * MS; /* a rest is enough */
    assert_false(account_was_busy(light, now, now + MS));
    assert_false(account_was_busy(heavy, now + MS, now + 2 * MS));
    account_unref(heavy);
    account_unref(light);
    account_unref(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares),
        cmocka_unit_test(who_is_busy_comes_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
