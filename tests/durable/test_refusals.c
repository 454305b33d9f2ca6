/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit.h"
#include "base/text.h"
#include "disk.h"
#include "load.h"
#include "support/service.h"

/* The disk fails at the sync, when all is written already. What was refused then never appears:
 * not when the service is killed, nor when the disk works again. */

static void what_was_refused_never_appears(void **state)
{
    (void)state;
    uint64_t seed = campaign_seed(20263), rounds = campaign_rounds(8, 60);
    struct test_random random = random_of(seed);
    struct disk *disk = disk_make();
    struct audit *audit = audit_make();
    _cleanup_free_
    char *folder = text_format("%s/state", disk_folder(disk));
    const char *const args[] = {"--state", folder, NULL};
    disk_attach(disk, DISK_HONEST);
    struct test_service *service = service_start(args);
    struct load *load = load_start();
    for (uint64_t round = 0; round < rounds; round++) {
        load_await_done(load, 1 + random_below(&random, 50));
        disk_fail_syncs(disk, true);
        load_await_refusal(load);
        bool killed_first = random_one_in(&random, 2);
        if (killed_first)
            service_kill(service);
        disk_fail_syncs(disk, false);
        if (!killed_first) {
            load_await_accepted(load);
            service_kill(service);
        }
        char *wrong = audit_run(audit, folder, load);
        if (wrong)
            fail_msg("seed %" PRIu64 ", round %" PRIu64 ": %s", seed, round, wrong);
        assert_status_is_stale(folder, audit_last_revision(audit));
        service_again(service);
    }
    disk_detach(disk);
    print_message("%" PRIu64 " failures, %" PRIu64 " operations found, %u refused\n", rounds,
                  audit_operations(audit), atomic_load(&load->refusals));
    load_await_told(load, audit_last_revision(audit));
    load_stop(load);
    service_stop(service);
    audit_free(audit);
    disk_remove(disk);
}

/* The other tests know all that is written, or their cuts are none. */
static void all_that_is_written_is_known(void **state)
{
    (void)state;
    struct disk *disk = disk_make();
    _cleanup_free_
    char *folder = text_format("%s/state", disk_folder(disk));
    const char *const args[] = {"--state", folder, NULL};
    disk_attach(disk, DISK_HONEST);
    struct test_service *service = service_start(args);
    struct load *load = load_start();
    for (unsigned i = 0; i < 10; i++)
        load_await_done(load, 200);
    load_stop(load);
    service_restart(service);
    service_halt(service);
    disk_detach(disk);
    assert_disk_is_known(disk);
    service_stop(service);
    disk_remove(disk);
}

int main(int argc, char *argv[])
{
    load_main(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_written_is_known),
        cmocka_unit_test(what_was_refused_never_appears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
