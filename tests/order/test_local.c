/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "order/local/local.h"

struct receiver {
    sd_event *loop;
    struct order *order;
    uint64_t delivered;
    uint64_t sum;
    uint64_t chain; /* so many more are submitted from within delivery */
    uint64_t stop_at;
    int64_t time_ns;
    bool inside_submit;
    bool deferred_ran;
};

static int submit(struct receiver *r, uint64_t value)
{
    r->inside_submit = true;
    int e = r->order->methods->submit(r->order, &value, sizeof(value));
    r->inside_submit = false;
    return e;
}

static void deliver(void *context, uint64_t position, int64_t time_ns, const void *data,
                    size_t size)
{
    struct receiver *r = context;
    uint64_t value;

    assert_false(r->inside_submit);
    assert_int_equal(size, sizeof(value));
    memcpy(&value, data, sizeof(value));
    assert_true(position == ++r->delivered);
    assert_true(value == position);
    assert_true(time_ns >= r->time_ns && time_ns > 1600000000000000000);
    r->time_ns = time_ns;
    r->sum += value;
    if (r->chain > 0) {
        r->chain--;
        assert_int_equal(submit(r, value + 1), 0);
    }
    if (r->stop_at == position)
        r->order->methods->stop(r->order);
}

static int setup(void **state)
{
    struct receiver *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    assert_int_equal(sd_event_new(&r->loop), 0);
    assert_int_equal(order_local_create(r->loop, 0, &r->order), 0);
    r->order->deliver = deliver;
    r->order->context = r;
    assert_int_equal(r->order->methods->start(r->order), 0);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct receiver *r = *state;
    r->order->methods->free(r->order);
    sd_event_unref(r->loop);
    free(r);
    return 0;
}

/* Runs the loop until it has nothing more to do at once. */
static void run(struct receiver *r)
{
    int e;
    while ((e = sd_event_run(r->loop, 0)) > 0)
        ;
    assert_int_equal(e, 0);
}

/* As after a restart with a clock that was set back. */
static void test_time_goes_on_from_the_last_life(void **state)
{
    struct receiver *r = *state;
    const int64_t year_2100 = 4102444800ll * 1000000000;
    r->order->methods->free(r->order);
    assert_int_equal(order_local_create(r->loop, year_2100, &r->order), 0);
    r->order->deliver = deliver;
    r->order->context = r;
    r->time_ns = year_2100;
    assert_int_equal(r->order->methods->start(r->order), 0);
    assert_int_equal(submit(r, 1), 0);
    run(r);
    assert_int_equal(r->delivered, 1);
}

static void test_in_order(void **state)
{
    struct receiver *r = *state;
    for (uint64_t v = 1; v <= 1000; v++)
        assert_int_equal(submit(r, v), 0);
    assert_int_equal(r->delivered, 0); /* never from within submit */
    run(r);
    assert_int_equal(r->delivered, 1000);
    assert_int_equal(r->sum, 500500);
    assert_int_equal(submit(r, 1001), 0); /* after a rest too */
    run(r);
    assert_int_equal(r->delivered, 1001);
}

static void test_submit_from_within_delivery(void **state)
{
    struct receiver *r = *state;
    r->chain = 5000;
    assert_int_equal(submit(r, 1), 0);
    run(r);
    assert_int_equal(r->delivered, 5001);
}

static int note(sd_event_source *source, void *context)
{
    struct receiver *r = context;
    (void)source;
    r->deferred_ran = true;
    r->chain = 0;
    return 0;
}

/* An input that always submits the next one does not keep the rest of the loop from running. */
static void test_others_have_their_turn(void **state)
{
    struct receiver *r = *state;
    r->chain = UINT64_MAX;
    assert_int_equal(submit(r, 1), 0);
    assert_true(sd_event_add_defer(r->loop, NULL, note, r) >= 0);
    run(r);
    assert_true(r->deferred_ran);
    assert_true(r->delivered > 0);
}

static void test_bounded(void **state)
{
    struct receiver *r = *state;
    uint64_t v = 1;
    int e;
    while ((e = submit(r, v)) == 0 && v < 1000000)
        v++;
    assert_int_equal(e, -EAGAIN);
    assert_int_equal(v, 65536 + 1);
    run(r);
    assert_int_equal(r->delivered, 65536);
    assert_int_equal(submit(r, v), 0); /* room again */
    run(r);
    assert_int_equal(r->delivered, 65537);
}

static void test_stop(void **state)
{
    struct receiver *r = *state;
    r->stop_at = 3;
    for (uint64_t v = 1; v <= 10; v++)
        assert_int_equal(submit(r, v), 0);
    run(r);
    assert_int_equal(r->delivered, 3);
    assert_int_equal(submit(r, 4), -ESHUTDOWN);
    r->order->methods->stop(r->order); /* once more does nothing */
    run(r);
    assert_int_equal(r->delivered, 3);
}

static void test_ends_with_inputs_waiting(void **state)
{
    struct receiver *r = *state;
    assert_int_equal(submit(r, 1), 0); /* the teardown frees it */
    assert_string_equal(r->order->methods->name, "local");
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(test_in_order),
        LOOP_TEST(test_time_goes_on_from_the_last_life),
        LOOP_TEST(test_submit_from_within_delivery),
        LOOP_TEST(test_others_have_their_turn),
        LOOP_TEST(test_bounded),
        LOOP_TEST(test_stop),
        LOOP_TEST(test_ends_with_inputs_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
