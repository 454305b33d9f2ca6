/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"
#include "port/port_table.h"

struct seen {
    struct port_info ports[8];
    size_t count;
};

static int see(void *context, const struct port_info *info)
{
    struct seen *s = context;
    s->ports[s->count++] = *info;
    return s->count == ARRAY_SIZE(s->ports) ? 99 : 0;
}

static void a_table_shows_its_ports(void **state)
{
    (void)state;
    struct port_table *t = NULL;
    struct seen seen = {0};
    assert_int_equal(port_table_create(&t), 0);
    assert_int_equal(port_table_read(port_table_fd(t), see, &seen), 0);
    assert_int_equal(seen.count, 0);

    struct port_table_slot *a = port_table_add(t, 11, PORT_V1, 1000);
    struct port_table_slot *b = port_table_add(t, 12, PORT_OWN, 2000);
    struct port *p = port_create(PORT_V1, "c", 5);
    assert_int_equal(port_add_v1(p, 0x100, OBJECT_CLUSTER, NULL, 0, 0, NULL, 7), 0);
    p->delivered = 3;
    p->lost = 4;
    port_table_update(a, p, 2);
    port_table_update(NULL, p, 2);
    assert_int_equal(port_table_read(port_table_fd(t), see, &seen), 0);
    assert_int_equal(seen.count, 2);
    const struct port_info *first = &seen.ports[0];
    assert_int_equal(first->id, 11);
    assert_int_equal(first->version, PORT_V1);
    assert_int_equal(first->created_ns, 1000);
    assert_int_equal(first->revision, 7);
    assert_int_equal(first->delivered, 3);
    assert_int_equal(first->lost, 4);
    assert_int_equal(first->waiting, 2);
    assert_int_equal(first->registrations, 1);
    assert_memory_equal(first->kinds, p->kinds, sizeof(p->kinds));
    assert_int_equal(seen.ports[1].id, 12);

    port_table_remove(t, a);
    port_table_remove(t, NULL);
    seen.count = 0;
    assert_int_equal(port_table_read(port_table_fd(t), see, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_ptr_equal(port_table_add(t, 13, PORT_V2, 0), a); /* a free slot is taken again */
    port_table_remove(t, b);
    port_destroy(p);
    port_table_destroy(t);
    port_table_destroy(NULL);
}

static void a_full_table_lists_no_more(void **state)
{
    (void)state;
    struct port_table *t = NULL;
    struct seen seen = {0};
    assert_int_equal(port_table_create(&t), 0);
    for (uint64_t id = 1; id <= PORT_TABLE_MOST; id++)
        assert_non_null(port_table_add(t, id, PORT_V1, 0));
    assert_null(port_table_add(t, 1u << 20, PORT_V1, 0));
    assert_int_equal(port_table_read(port_table_fd(t), see, &seen), 99); /* the callback's */
    port_table_destroy(t);
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    struct seen seen = {0};
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(port_table_read(pipes[0], see, &seen), -EBADMSG); /* and does not wait */
    close(pipes[0]);
    close(pipes[1]);
    assert_int_equal(port_table_read(-1, see, &seen), -EBADF);

    struct port_table *t = NULL;
    assert_int_equal(port_table_create(&t), 0);
    assert_non_null(port_table_add(t, 1, PORT_V1, 0));
    uint8_t head[128];
    assert_int_equal(pread(port_table_fd(t), head, sizeof(head), 0), sizeof(head));
    _cleanup_close_
    int fd = memfd_create("table", MFD_CLOEXEC);
    for (size_t size = 0; size < sizeof(head); size++) { /* cut off anywhere */
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, head, size, 0), size);
        assert_int_equal(port_table_read(fd, see, &seen), -EBADMSG);
    }
    memset(head + 8, 0xff, 8); /* more slots than there can be */
    assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
    assert_int_equal(port_table_read(fd, see, &seen), -EBADMSG);
    assert_int_equal(seen.count, 0);
    port_table_destroy(t);
}

static void a_list_is_read_as_it_was_written(void **state)
{
    (void)state;
    _cleanup_(buffer_fini) struct buffer b = {0};
    struct port_listing l = {.pid = 1, .uid = 2, .program = "watch", .port = {.id = 9, .lost = 7}};
    l.port.version = PORT_V2;
    l.port.kinds[0] = 0x8000000000000001ull;
    assert_int_equal(port_listing_append(&l, &b), 0);
    size_t first_size = b.size;
    l.program = "";
    assert_int_equal(port_listing_append(&l, &b), 0);

    struct port_listing got;
    struct reader r = reader_over(b.data, b.size);
    assert_int_equal(port_listing_next(&r, &got), 1);
    assert_int_equal(got.pid, 1);
    assert_int_equal(got.uid, 2);
    assert_string_equal(got.program, "watch");
    assert_int_equal(got.port.id, 9);
    assert_int_equal(got.port.lost, 7);
    assert_int_equal(got.port.version, PORT_V2);
    assert_int_equal(got.port.kinds[0], l.port.kinds[0]);
    assert_int_equal(port_listing_next(&r, &got), 1);
    assert_string_equal(got.program, "");
    assert_int_equal(port_listing_next(&r, &got), 0);
    for (size_t size = 1; size < first_size; size++) {
        r = reader_over(b.data, size);
        assert_int_equal(port_listing_next(&r, &got), -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_shows_its_ports),
        cmocka_unit_test(a_full_table_lists_no_more),
        cmocka_unit_test(what_is_no_table_is_refused),
        cmocka_unit_test(a_list_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests_name("port table", tests, NULL, NULL);
}
