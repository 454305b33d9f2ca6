/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"

static void test_keys_without_regard_to_case(void **state)
{
    int a, b;
    (void)state;
    _cleanup_(map_destroyp) struct map *m = map_create();
    assert_non_null(m);
    assert_int_equal(map_put(m, "Élan", &a), 0);
    assert_int_equal(map_put(m, "éLAN", &b), -EEXIST);
    assert_ptr_equal(map_get(m, "ÉLAN"), &a);
    assert_string_equal(map_first(m)->key, "Élan");
    assert_null(map_get(m, "Elan"));
    assert_null(map_remove(m, "Elan"));
    assert_ptr_equal(map_remove(m, "éLAN"), &a);
    assert_null(map_get(m, "Élan"));
    assert_null(map_first(m));
    assert_int_equal(map_count(m), 0);
    assert_int_equal(map_put(m, "", &b), 0);
    assert_ptr_equal(map_get(m, ""), &b);
}

static void test_the_map_keeps_its_own_key(void **state)
{
    char key[] = "name";
    (void)state;
    _cleanup_(map_destroyp) struct map *m = map_create();
    assert_int_equal(map_put(m, key, key), 0);
    key[0] = 'X';
    assert_ptr_equal(map_get(m, "NAME"), key);
}

static void test_order_is_insertion_order(void **state)
{
    enum { COUNT = 5000 };
    static int values[COUNT];
    char key[16];
    (void)state;
    _cleanup_(map_destroyp) struct map *m = map_create();

    for (int i = 0; i < COUNT; i++) {
        snprintf(key, sizeof(key), "k%d", i * 7919 % COUNT);
        assert_int_equal(map_put(m, key, &values[i]), 0);
    }
    /* the entry at hand may go, all but every third do */
    struct map_entry *next;
    int at = 0;
    for (struct map_entry *e = map_first(m); e; e = next, at++) {
        next = map_next(m, e);
        assert_ptr_equal(e->value, &values[at]);
        if (at % 3 != 0)
            assert_ptr_equal(map_remove(m, e->key), &values[at]);
    }
    assert_int_equal(at, COUNT);
    assert_int_equal(map_count(m), (COUNT + 2) / 3);
    snprintf(key, sizeof(key), "K%d", 1 * 7919 % COUNT);
    assert_int_equal(map_put(m, key, &values[1]), 0);

    at = 0;
    for (struct map_entry *e = map_first(m); e; e = map_next(m, e), at += 3) {
        assert_ptr_equal(e->value, at < COUNT ? &values[at] : &values[1]);
        assert_ptr_equal(map_get(m, e->key), e->value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_without_regard_to_case),
        cmocka_unit_test(test_the_map_keeps_its_own_key),
        cmocka_unit_test(test_order_is_insertion_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
