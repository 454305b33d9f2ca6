/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/handle.h"

enum { KIND_A = 1, KIND_B = 2, KIND_LAST = UINT16_MAX };

struct thing {
    struct handle_object object;
    int value;
};

static uint32_t released;

static void thing_release(struct handle_object *o)
{
    __atomic_fetch_add(&released, 1, __ATOMIC_RELAXED);
    free(container_of(o, struct thing, object));
}

static handle_t insert(struct handle_table *t, uint16_t kind, int value)
{
    handle_t h = 0;
    struct thing *thing = calloc(1, sizeof(*thing));
    assert_non_null(thing);
    thing->value = value;
    assert_int_equal(handle_insert(t, &thing->object, kind, thing_release, &h), 0);
    return h;
}

static void test_stale_and_foreign_handles_are_not_found(void **state)
{
    (void)state;
    struct handle_table *t = handle_table_create(10);
    released = 0;
    handle_t a = insert(t, KIND_A, 1), b = insert(t, KIND_B, 2);
    assert_int_not_equal(a, 0);
    assert_true(a != b);

    struct handle_object *o = handle_acquire(t, a, KIND_A);
    assert_non_null(o);
    assert_int_equal(container_of(o, struct thing, object)->value, 1);
    assert_null(handle_acquire(t, a, KIND_B));
    assert_null(handle_remove(t, a, KIND_B));
    struct handle_object *any = handle_acquire(t, b, 0);
    assert_int_equal(any->kind, KIND_B);
    handle_unref(any);

    /* every single bit counts */
    for (int bit = 0; bit < 64; bit++)
        assert_null(handle_acquire(t, a ^ 1ull << bit, 0));
    assert_null(handle_acquire(t, 0, 0));
    assert_null(handle_acquire(t, UINT64_MAX, 0));

    struct handle_object *removed = handle_remove(t, a, KIND_A);
    assert_ptr_equal(removed, o);
    assert_null(handle_acquire(t, a, KIND_A));
    assert_null(handle_remove(t, a, 0));
    handle_unref(removed);
    assert_int_equal(released, 0); /* still acquired */
    handle_unref(o);
    assert_int_equal(released, 1);
    assert_int_equal(handle_count(t), 1);

    handle_t c = insert(t, KIND_A, 3);
    assert_true(c != a);
    assert_null(handle_acquire(t, a, KIND_A));
    handle_table_destroy(t);
    assert_int_equal(released, 3);
    handle_table_destroy(NULL);
    handle_unref(NULL);
}

static void test_the_limit(void **state)
{
    (void)state;
    struct handle_table *t = handle_table_create(100);
    handle_t handles[100], h = 5;
    struct thing extra = {0};

    for (int i = 0; i < 100; i++)
        handles[i] = insert(t, KIND_LAST, i);
    assert_int_equal(handle_insert(t, &extra.object, KIND_A, thing_release, &h), -ENOSPC);
    assert_int_equal(h, 5);
    for (int i = 0; i < 100; i++) {
        struct handle_object *o = handle_acquire(t, handles[i], KIND_LAST);
        assert_int_equal(container_of(o, struct thing, object)->value, i);
        handle_unref(o);
        assert_true((void *)(uintptr_t)handles[i] != (void *)-1);
    }
    handle_unref(handle_remove(t, handles[50], KIND_LAST));
    insert(t, KIND_A, 1);
    handle_table_destroy(t);
}

static void no_release(struct handle_object *o)
{
    (void)o;
}

/* Long enough to use up a slot's 24 bits of generation. */
static void test_no_handle_comes_twice(void **state)
{
    (void)state;
    struct handle_table *t = handle_table_create(1);
    struct thing thing = {0};
    handle_t first = 0, h = 0, previous = 0;

    for (uint32_t i = 0; i < (1u << 24) + 10; i++) {
        if (handle_insert(t, &thing.object, KIND_A, no_release, &h) != 0)
            fail_msg("no handle in cycle %u", i);
        if (i == 0)
            first = h;
        else if (h == first || h == previous)
            fail_msg("a handle came back in cycle %u", i);
        previous = h;
        if (!handle_remove(t, h, KIND_A))
            fail_msg("not found in cycle %u", i);
    }
    assert_null(handle_acquire(t, first, KIND_A));
    handle_table_destroy(t);
}

enum { THREADS = 8, ROUNDS = 2000, SHARED = 16 };

struct contest {
    struct handle_table *table;
    handle_t shared[SHARED];
    uint32_t removed;
    uint32_t inserted;
};

static void *contend(void *context)
{
    struct contest *c = context;
    for (int i = 0; i < ROUNDS; i++) {
        handle_t own = 0;
        struct thing *thing = calloc(1, sizeof(*thing));
        if (!thing || handle_insert(c->table, &thing->object, KIND_B, thing_release, &own) < 0)
            abort();
        __atomic_fetch_add(&c->inserted, 1, __ATOMIC_RELAXED);

        handle_t h = __atomic_load_n(&c->shared[i % SHARED], __ATOMIC_RELAXED);
        struct handle_object *o = handle_acquire(c->table, h, KIND_B);
        if (o && o->kind != KIND_B)
            abort();
        __atomic_store_n(&c->shared[i % SHARED], own, __ATOMIC_RELAXED);
        struct handle_object *gone = handle_remove(c->table, h, KIND_B);
        if (gone)
            __atomic_fetch_add(&c->removed, 1, __ATOMIC_RELAXED);
        handle_unref(gone);
        handle_unref(o);
    }
    return NULL;
}

static void test_many_threads_share_a_table(void **state)
{
    (void)state;
    struct contest c = {.table = handle_table_create(THREADS * ROUNDS)};
    pthread_t threads[THREADS];
    released = 0;

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, contend, &c), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(c.inserted, THREADS * ROUNDS);
    assert_int_equal(handle_count(c.table), c.inserted - c.removed);
    assert_int_equal(released, c.removed);
    handle_table_destroy(c.table);
    assert_int_equal(released, c.inserted);
}

/* One handle is acquired by all threads while it is closed and another takes its place. What is
 * acquired is what was opened under that handle, and lives; nothing is released early, or never. */
struct shared {
    struct handle_table *table;
    handle_t handle;
    bool over;
};

static void *acquire_shared(void *context)
{
    struct shared *s = context;
    while (!__atomic_load_n(&s->over, __ATOMIC_RELAXED)) {
        handle_t h = __atomic_load_n(&s->handle, __ATOMIC_RELAXED);
        struct handle_object *o = handle_acquire(s->table, h, KIND_A);
        if (o && container_of(o, struct thing, object)->value != 42)
            abort();
        handle_unref(o);
    }
    return NULL;
}

static void thing_spoil(struct handle_object *o)
{
    container_of(o, struct thing, object)->value = 0;
    thing_release(o);
}

static void test_acquired_while_closed(void **state)
{
    (void)state;
    struct shared s = {.table = handle_table_create(4)};
    pthread_t threads[4];
    released = 0;

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, acquire_shared, &s), 0);
    for (uint32_t i = 0; i < 20000; i++) {
        struct thing *thing = calloc(1, sizeof(*thing));
        handle_t h = 0;
        assert_non_null(thing);
        thing->value = 42;
        assert_int_equal(handle_insert(s.table, &thing->object, KIND_A, thing_spoil, &h), 0);
        __atomic_store_n(&s.handle, h, __ATOMIC_RELAXED);
        struct handle_object *o = handle_remove(s.table, h, KIND_A);
        assert_ptr_equal(o, &thing->object);
        assert_int_equal(thing->value, 42);
        assert_null(handle_acquire(s.table, h, KIND_A));
        handle_unref(o);
    }
    __atomic_store_n(&s.over, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(released, 20000);
    handle_table_destroy(s.table);
}

/* Far more often than a slot counts by itself, held and not, alone and not. */
static void *acquire_often(void *context)
{
    struct shared *s = context;
    for (int i = 0; i < 300000; i++) {
        struct handle_object *o = handle_acquire(s->table, s->handle, 0);
        if (!o)
            abort();
        handle_unref(o);
    }
    return NULL;
}

static void test_acquired_very_often(void **state)
{
    (void)state;
    struct shared s = {.table = handle_table_create(4)};
    struct handle_object *held[100];
    pthread_t threads[4];
    released = 0;

    s.handle = insert(s.table, KIND_A, 1);
    for (int i = 0; i < 100; i++)
        held[i] = handle_acquire(s.table, s.handle, KIND_A);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, acquire_often, &s), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(container_of(held[i], struct thing, object)->value, 1);
        handle_unref(held[i]);
    }
    assert_int_equal(released, 0);
    handle_unref(handle_remove(s.table, s.handle, KIND_A));
    assert_int_equal(released, 1);
    handle_table_destroy(s.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stale_and_foreign_handles_are_not_found),
        cmocka_unit_test(test_the_limit),
        cmocka_unit_test(test_no_handle_comes_twice),
        cmocka_unit_test(test_many_threads_share_a_table),
        cmocka_unit_test(test_acquired_while_closed),
        cmocka_unit_test(test_acquired_very_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
