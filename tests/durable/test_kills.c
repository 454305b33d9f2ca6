/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit.h"
#include "base/text.h"
#include "load.h"
#include "support/campaign.h"
#include "support/service.h"

/* The service is killed at random moments under load. Nothing that anybody was told is lost. */

static void kill_and_audit(const char *const args[], uint32_t least, uint64_t rounds)
{
    uint64_t seed = campaign_seed(20261);
    struct test_random random = random_of(seed);
    struct test_service *service = service_start(args);
    _cleanup_free_
    char *state = text_format("%s/state", service_folder(service));
    struct load *l = load_start();
    struct audit *a = audit_make();
    for (uint64_t round = 0; round < rounds; round++) {
        load_await_done(l, least + random_below(&random, 100));
        usleep(random_below(&random, 3000)); /* not always just after an answer */
        service_kill(service);
        char *wrong = audit_run(a, state, l);
        if (wrong)
            fail_msg("seed %" PRIu64 ", kill %" PRIu64 ": %s", seed, round, wrong);
        assert_status_is_stale(state, audit_last_revision(a));
        service_again(service);
    }
    load_await_told(l, audit_last_revision(a));
    assert_int_equal(atomic_load(&l->refusals), 0);
    load_stop(l);
    print_message("%" PRIu64 " kills, %" PRIu64 " changes, %" PRIu64 " operations found\n", rounds,
                  audit_last_revision(a), audit_operations(a));
    audit_free(a);
    service_stop(service);
}

static void nothing_is_lost(void **state)
{
    (void)state;
    kill_and_audit(NULL, 1, campaign_rounds(14, 150));
}

/* The journal forgets from its old end all the time, but nothing between two audits. */
static void nothing_is_lost_while_old_changes_go(void **state)
{
    (void)state;
    const char *const args[] = {"--keep-changes", "800", NULL};
    kill_and_audit(args, 200, campaign_rounds(6, 50));
}

int main(int argc, char *argv[])
{
    load_main(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(nothing_is_lost_while_old_changes_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
