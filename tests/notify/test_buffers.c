/* SPDX-License-Identifier: MIT */
#include "notify/loop.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* GetClusterNotify's buffers: whatever room is given, an event is consumed only with
 * ERROR_SUCCESS. */

#define NAME L"A group's name, some 40 characters long."
#define LENGTH ((DWORD)(sizeof NAME / sizeof(WCHAR) - 1))
#define FLAG CLUSTER_CHANGE_GROUP_ADDED
#define UNTOUCHED 0x5a5a5a5a

struct stage {
    struct world *w;
    HGROUP group;
    HCHANGE port; /* with one event on it: FLAG, key 1, NAME */
};

static void test_every_size(void **state)
{
    struct stage *s = *state;

    for (DWORD room = 0; room <= LENGTH; room++) {
        /* Of the heap, so that a byte too many is seen. */
        WCHAR *name = malloc(room * sizeof(WCHAR) + 1);
        DWORD_PTR key = 0;
        DWORD flag = 0, length = room;

        assert_int_equal(GetClusterNotify(s->port, &key, &flag, name, &length, 0), ERROR_MORE_DATA);
        assert_int_equal(length, LENGTH);
        assert_int_equal(flag, FLAG);
        assert_true(key == 1);
        free(name);
    }
    WCHAR *name = malloc((LENGTH + 1) * sizeof(WCHAR));
    DWORD_PTR key = 0;
    DWORD flag = 0, length = LENGTH + 1;
    assert_int_equal(GetClusterNotify(s->port, &key, &flag, name, &length, 0), ERROR_SUCCESS);
    assert_int_equal(length, LENGTH);
    assert_int_equal(wcscmp(name, NAME), 0);
    free(name);
    expect_nothing(s->port);
}

/* A program that hands the length back as the room is always one short, and goes on once it adds
 * one: it has missed nothing. */
static void test_reused_size(void **state)
{
    struct stage *s = *state;
    WCHAR name[LENGTH + 1];
    DWORD_PTR key;
    DWORD flag, size = 10;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(GetClusterNotify(s->port, &key, &flag, name, &size, 0), ERROR_MORE_DATA);
        assert_int_equal(size, LENGTH);
    }
    size++;
    assert_int_equal(GetClusterNotify(s->port, &key, &flag, name, &size, 0), ERROR_SUCCESS);
    assert_int_equal(wcscmp(name, NAME), 0);
    expect_nothing(s->port);
}

static void test_length_only(void **state)
{
    struct stage *s = *state;
    DWORD_PTR key = 0;
    DWORD flag = 0, length = UNTOUCHED;

    assert_int_equal(GetClusterNotify(s->port, &key, &flag, NULL, &length, 0), ERROR_SUCCESS);
    assert_int_equal(length, LENGTH);
    assert_int_equal(flag, FLAG);
    expect_nothing(s->port);
}

static void test_no_name_at_all(void **state)
{
    struct stage *s = *state;
    DWORD_PTR key = 0;
    DWORD flag = 0;

    assert_int_equal(GetClusterNotify(s->port, &key, &flag, NULL, NULL, 0), ERROR_SUCCESS);
    assert_int_equal(flag, FLAG);
    assert_true(key == 1);
    expect_nothing(s->port);
}

/* Refused before the event is looked at: it is there for a better call. */
static void test_null_outputs(void **state)
{
    struct stage *s = *state;
    WCHAR name[LENGTH + 1];
    DWORD_PTR key = UNTOUCHED;
    DWORD flag = UNTOUCHED, length = LENGTH + 1;

    assert_int_equal(GetClusterNotify(s->port, NULL, &flag, name, &length, 0),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(GetClusterNotify(s->port, &key, NULL, name, &length, 0),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(GetClusterNotify(s->port, &key, &flag, name, NULL, 0),
                     ERROR_INVALID_PARAMETER);
    assert_int_equal(GetClusterNotify(NULL, &key, &flag, name, &length, 0), ERROR_INVALID_HANDLE);
    assert_int_equal(GetClusterNotify(INVALID_HANDLE_VALUE, &key, &flag, name, &length, 0),
                     ERROR_INVALID_HANDLE);
    assert_int_equal(GetClusterNotify((HCHANGE)(void *)s->group, &key, &flag, name, &length, 0),
                     ERROR_INVALID_HANDLE);
    assert_true(key == UNTOUCHED);
    assert_int_equal(flag, UNTOUCHED);
    assert_int_equal(length, LENGTH + 1);
    expect_event(s->port, FLAG, 1, NAME);
}

static void test_timeout_touches_nothing(void **state)
{
    struct stage *s = *state;
    WCHAR name[4] = L"abc";
    DWORD_PTR key = UNTOUCHED;
    DWORD flag = UNTOUCHED, length = 4;

    expect_event(s->port, FLAG, 1, NAME);
    for (DWORD wait = 0; wait <= 20; wait += 10) {
        assert_int_equal(GetClusterNotify(s->port, &key, &flag, name, &length, wait), WAIT_TIMEOUT);
        assert_true(key == UNTOUCHED);
        assert_int_equal(flag, UNTOUCHED);
        assert_int_equal(length, 4);
        assert_int_equal(wcscmp(name, L"abc"), 0);
    }
}

/* An event that does not fit is before those after it. */
static void test_order_is_kept(void **state)
{
    struct stage *s = *state;
    WCHAR name[5];
    DWORD_PTR key;
    DWORD flag, length = 5;

    HGROUP next = make_group(s->w, L"B");
    assert_int_equal(GetClusterNotify(s->port, &key, &flag, name, &length, 0), ERROR_MORE_DATA);
    expect_event(s->port, FLAG, 1, NAME);
    expect_event(s->port, FLAG, 1, L"B");
    remove_group(next);
}

/* Names of more than ASCII: lengths count WCHARs. */
static void test_other_scripts(void **state)
{
    struct stage *s = *state;
    HGROUP group = make_group(s->w, L"Gr\u00fc\u00dfe \U0001f427");

    expect_event(s->port, FLAG, 1, NAME);
    expect_event(s->port, FLAG, 1, L"Gr\u00fc\u00dfe \U0001f427");
    remove_group(group);
}

static int case_setup(void **state)
{
    struct stage *s = *state;

    s->port = watch(s->w, FLAG, 1);
    s->group = make_group(s->w, NAME);
    return 0;
}

static int case_teardown(void **state)
{
    struct stage *s = *state;

    remove_group(s->group);
    assert_true(CloseClusterNotifyPort(s->port));
    return 0;
}

static int stage_setup(void **state)
{
    struct stage *s = calloc(1, sizeof(*s));
    s->w = world_start(NULL);
    *state = s;
    return 0;
}

static int stage_teardown(void **state)
{
    struct stage *s = *state;
    world_stop(s->w);
    free(s);
    return 0;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_every_size),     CASE(test_reused_size),   CASE(test_length_only),
        CASE(test_no_name_at_all), CASE(test_null_outputs),  CASE(test_timeout_touches_nothing),
        CASE(test_order_is_kept),  CASE(test_other_scripts),
    };
    return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
