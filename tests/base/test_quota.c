/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/quota.h"

static void all_the_way_up_or_not_at_all(void **state)
{
    (void)state;
    struct quota whole = {.most = 10}, half = {.above = &whole, .most = 5},
                 other = {.above = &whole, .most = 8};
    assert_true(quota_take(&half, 5));
    assert_false(quota_take(&half, 1)); /* its own */
    assert_true(quota_take(&other, 5));
    assert_false(quota_take(&other, 1)); /* the whole's */
    assert_int_equal(half.used, 5);
    assert_int_equal(other.used, 5);
    assert_int_equal(whole.used, 10);
    quota_give(&half, 2);
    assert_true(quota_take(&other, 2));
    assert_false(quota_take(&other, UINT64_MAX));
    assert_true(quota_take(&half, 0));
}

static void what_must_be_is_more_than_all(void **state)
{
    (void)state;
    struct quota whole = {.most = 1}, part = {.above = &whole, .most = 1};
    quota_take_anyway(&part, 3);
    assert_false(quota_take(&part, 0));
    assert_int_equal(whole.used, 3);
    quota_give(&part, 3);
    assert_true(quota_take(&part, 1));
}

static void of_nothing_there_is_no_end(void **state)
{
    (void)state;
    assert_true(quota_take(NULL, UINT64_MAX));
    quota_give(NULL, UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_the_way_up_or_not_at_all),
        cmocka_unit_test(what_must_be_is_more_than_all),
        cmocka_unit_test(of_nothing_there_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
