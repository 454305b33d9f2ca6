/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "feed/feed.h"
#include "port/port_table.h"

#define GROUP_STATE 0x1000u
#define GROUP_DELETED 0x2000u
#define GROUP_ADDED 0x4000u
#define GROUP_PROPERTY 0x8000u
#define REGISTRY_VALUE 0x40u
#define RECONNECT 0x80000u

static int setup(void **state)
{
    static struct rig rig;
    const char *const args[] = {"--feed-size", "64K", NULL};
    rig_start(&rig, args);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_stop(*state);
    return 0;
}

static void assert_event(struct rig *rig, struct rpc_context port, uint32_t flag, const char *name)
{
    struct cmrp_GetNotify e = next_event(rig, port);
    assert_int_equal(e.result, 0);
    assert_int_equal(e.filter, flag);
    assert_string_equal(e.name, name);
}

static void close_port(struct rig *rig, struct rpc_context port)
{
    struct cmrp_CloseNotify a = {.notify = port};
    CALL(rig, CloseNotify, &a);
    assert_int_equal(a.result, 0);
}

static void events_come_in_order_and_none_from_before(void **state)
{
    create_group(*state, "before");
    struct rpc_context port = create_port(*state, GROUP_ADDED | GROUP_DELETED, 11);
    struct rpc_context group = create_group(*state, "after");
    struct cmrp_DeleteGroup delete = {.group = group};
    CALL(*state, DeleteGroup, &delete);
    struct cmrp_GetNotify e = next_event(*state, port);
    assert_int_equal(e.notify_key, 11);
    assert_int_equal(e.filter, GROUP_ADDED);
    assert_string_equal(e.name, "after");
    assert_event(*state, port, GROUP_DELETED, "after");
    close_port(*state, port);
}

struct waiter {
    struct rig *rig;
    struct rpc_context port;
    uint32_t result, filter;
};

static void *wait_for_event(void *context)
{
    struct waiter *w = context;
    struct rpc_arena arena = {0};
    struct cmrp_GetNotify a = {.notify = w->port};
    uint32_t code = rpc_client_call(w->rig->client, &rpc_cmrp, &cmrp_op_GetNotify, &a, &arena);
    w->result = code ? code : a.result;
    w->filter = a.filter;
    rpc_arena_fini(&arena);
    return NULL;
}

/* Whether the call arrived first or not, the event is its. */
static void blocked_call_gets_the_next_event(void **state)
{
    struct waiter w = {.rig = *state, .port = create_port(*state, GROUP_ADDED, 1)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_event, &w), 0);
    create_group(*state, "awaited");
    pthread_join(thread, NULL);
    assert_int_equal(w.result, 0);
    assert_int_equal(w.filter, GROUP_ADDED);
    close_port(*state, w.port);
}

/* Unblock ends only calls that wait: it is repeated until one did. */
static void unblock_ends_the_wait(void **state)
{
    struct waiter w = {.rig = *state, .port = create_port(*state, GROUP_ADDED, 1)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_event, &w), 0);
    do {
        struct cmrp_UnblockGetNotifyCall a = {.notify = w.port};
        CALL(*state, UnblockGetNotifyCall, &a);
        assert_int_equal(a.result, 0);
    } while (pthread_tryjoin_np(thread, NULL) != 0);
    assert_int_equal(w.result, ERR_INVALID_FUNCTION);
    close_port(*state, w.port);
}

static void close_ends_the_wait(void **state)
{
    struct waiter w = {.rig = *state, .port = create_port(*state, GROUP_ADDED, 1)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_event, &w), 0);
    close_port(*state, w.port);
    pthread_join(thread, NULL);
    /* 259 when it waited already, 6 when it came too late. */
    assert_true(w.result == ERR_NO_MORE_ITEMS || w.result == ERR_INVALID_HANDLE);
}

static void one_object_is_watched_until_its_handle_is_closed(void **state)
{
    struct rpc_context one = create_group(*state, "one"), other = create_group(*state, "other");
    struct cmrp_CreateNotify create = {0};
    CALL(*state, CreateNotify, &create);
    struct cmrp_AddNotifyGroup add = {
        .notify = create.notify, .group = one, .filter = GROUP_PROPERTY, .notify_key = 5};
    CALL(*state, AddNotifyGroup, &add);
    assert_int_equal(add.result, 0);
    struct cmrp_SetGroupName rename = {.group = other, .name = "another"};
    CALL(*state, SetGroupName, &rename);
    rename = (struct cmrp_SetGroupName){.group = one, .name = "first"};
    CALL(*state, SetGroupName, &rename);
    assert_event(*state, create.notify, GROUP_PROPERTY, "first");
    struct cmrp_CloseGroup close = {.group = one};
    CALL(*state, CloseGroup, &close);
    struct cmrp_OpenGroup open = {.name = "first"};
    CALL(*state, OpenGroup, &open);
    rename = (struct cmrp_SetGroupName){.group = open.group, .name = "unseen"};
    CALL(*state, SetGroupName, &rename);
    struct cmrp_AddNotifyCluster all = {.notify = create.notify,
                                        .cluster = open_cluster(*state),
                                        .filter = GROUP_DELETED,
                                        .notify_key = 6};
    CALL(*state, AddNotifyCluster, &all);
    struct cmrp_DeleteGroup delete = {.group = other};
    CALL(*state, DeleteGroup, &delete);
    assert_event(*state, create.notify, GROUP_DELETED, "another");
    close_port(*state, create.notify);
}

static void registration_again_tells_of_a_changed_state(void **state)
{
    struct cmrp_OpenNode open = {.name = "node1"};
    CALL(*state, OpenNode, &open);
    struct cmrp_CreateNotify create = {0};
    CALL(*state, CreateNotify, &create);
    struct cmrp_AddNotifyNode add = {
        .notify = create.notify, .node = open.node, .filter = 1, .notify_key = 3};
    CALL(*state, AddNotifyNode, &add);
    struct cmrp_ReAddNotifyNode again = {.notify = create.notify,
                                         .node = open.node,
                                         .filter = 1,
                                         .notify_key = 4,
                                         .state_sequence = add.state_sequence + 1};
    CALL(*state, ReAddNotifyNode, &again);
    assert_int_equal(again.result, 0);
    struct cmrp_GetNotify e = next_event(*state, create.notify);
    assert_int_equal(e.filter, 1);
    assert_int_equal(e.notify_key, 4);
    assert_int_equal(e.state_sequence, add.state_sequence);
    close_port(*state, create.notify);
}

static void version_2_tells_ids_and_values(void **state)
{
    struct cmrp_CreateNotifyV2 create = {0};
    CALL(*state, CreateNotifyV2, &create);
    struct cmrp_AddNotifyV2 add = {.notify = create.notify,
                                   .object = open_cluster(*state),
                                   .filter = {.object_type = OBJECT_CLUSTER, .flags = 4},
                                   .notify_key = 9,
                                   .version = 1};
    CALL(*state, AddNotifyV2, &add);
    assert_int_equal(add.result, ERR_INVALID_PARAMETER);
    add.version = 2;
    CALL(*state, AddNotifyV2, &add);
    assert_int_equal(add.result, 0);
    struct cmrp_AddNotifyCluster wrong = {
        .notify = create.notify, .cluster = add.object, .filter = GROUP_ADDED};
    CALL(*state, AddNotifyCluster, &wrong);
    assert_int_equal(wrong.result, ERR_INVALID_HANDLE);
    struct cmrp_GetGroupId id = {.group = create_group(*state, "second version")};
    CALL(*state, GetGroupId, &id);
    struct cmrp_GetNotifyV2 get = {.notify = create.notify};
    CALL(*state, GetNotifyV2, &get);
    assert_int_equal(get.result, 0);
    assert_int_equal(get.notifications.count, 1);
    const struct rpc_notification_v2 *n = &get.notifications.entries[0];
    assert_int_equal(n->key, 9);
    assert_int_equal(n->filter.object_type, OBJECT_CLUSTER);
    assert_int_equal(n->filter.flags, 4);
    assert_string_equal(n->object_id, id.id);
    assert_string_equal(n->name, "second version");
    assert_int_equal(n->buffer.size, 4);
    close_port(*state, create.notify);
}

static void set_value(struct rig *rig, struct rpc_context key, uint32_t number, void *data,
                      size_t size)
{
    char name[16];
    snprintf(name, sizeof(name), "v%u", number % 10);
    struct cmrp_SetValue a = {
        .key = key, .value_name = name, .type = 3, .data = {.data = data, .size = (uint32_t)size}};
    memcpy(data, &number, sizeof(number));
    CALL(rig, SetValue, &a);
    assert_int_equal(a.result, 0);
}

/* The ring holds a few of these changes; the journal has the others. */
static void slow_reader_misses_nothing(void **state)
{
    enum { COUNT = 200, SIZE = 2000 };
    uint8_t data[SIZE] = {0};
    struct cmrp_CreateKey create = {.parent = root_key(*state), .subkey = "slow"};
    CALL(*state, CreateKey, &create);
    struct rpc_context port = create_port(*state, REGISTRY_VALUE | 0x80, 1);
    for (uint32_t i = 0; i < COUNT; i++)
        set_value(*state, create.key, i, data, sizeof(data));
    unsigned got = 0;
    while (got < COUNT) {
        struct cmrp_GetNotifyAsync a = {.notify = port};
        CALL(*state, GetNotifyAsync, &a);
        assert_int_equal(a.result, 0);
        for (uint32_t i = 0; i < a.notifications.count; i++) {
            assert_int_equal(a.notifications.entries[i].filter, REGISTRY_VALUE);
            assert_string_equal(a.notifications.entries[i].name, "slow");
        }
        got += a.notifications.count;
    }
    assert_int_equal(got, COUNT);
    close_port(*state, port);
}

/* Nobody asked for them, so it is no loss that they were passed over. */
static void unwanted_changes_are_not_lost(void **state)
{
    enum { COUNT = 60, LONG = 6000 };
    uint8_t data[LONG] = {0};
    struct cmrp_CreateKey create = {.parent = root_key(*state), .subkey = "unwanted"};
    CALL(*state, CreateKey, &create);
    struct rpc_context port = create_port(*state, GROUP_ADDED | RECONNECT, 1);
    for (uint32_t i = 0; i < COUNT; i++)
        set_value(*state, create.key, i, data, 100);
    set_value(*state, create.key, COUNT, data, sizeof(data));
    create_group(*state, "wanted");
    assert_event(*state, port, GROUP_ADDED, "wanted");
    set_value(*state, create.key, COUNT + 1, data, sizeof(data));
    create_group(*state, "wanted too");
    assert_event(*state, port, GROUP_ADDED, "wanted too");
    close_port(*state, port);
}

/* The second registration is told of the change that the first one was told of, though the service
 * keeps it no longer. */
static void told_to_one_is_told_to_both(void **state)
{
    enum { COUNT = 300, SIZE = 2000 };
    struct rig *rig = *state;
    uint8_t data[SIZE] = {0};
    struct cmrp_CreateKey create = {.parent = root_key(rig), .subkey = "fast"};
    CALL(rig, CreateKey, &create);
    struct rpc_context port = create_port(rig, GROUP_ADDED | REGISTRY_VALUE | 0x80, 1);
    struct cmrp_AddNotifyCluster again = {.notify = port,
                                          .cluster = open_cluster(rig),
                                          .filter = GROUP_ADDED | REGISTRY_VALUE | 0x80,
                                          .notify_key = 2};
    CALL(rig, AddNotifyCluster, &again);
    create_group(rig, "told");
    for (uint32_t key = 1; key <= 2; key++) {
        struct cmrp_GetNotify e = next_event(rig, port);
        assert_int_equal(e.notify_key, key);
        assert_int_equal(e.filter, GROUP_ADDED);
        assert_string_equal(e.name, "told");
        for (uint32_t i = 0; i < COUNT; i++)
            set_value(rig, create.key, i, data, sizeof(data));
    }
    for (uint32_t key = 1; key <= 2; key++) { /* the rest is lost up to what is kept */
        struct cmrp_GetNotify e = next_event(rig, port);
        assert_int_equal(e.notify_key, key);
        assert_int_equal(e.filter, RECONNECT);
    }
    assert_event(rig, port, REGISTRY_VALUE, "fast");
    close_port(rig, port);
}

static int setup_forgetful(void **state)
{
    static struct rig rig;
    rig_start(&rig, (const char *const[]){"--feed-size", "64K", "--keep-changes", "50", NULL});
    *state = &rig;
    return 0;
}

/* ---- the private interface ---- */

static void feed_journal_and_snapshot_agree(void **state)
{
    struct rig *rig = *state;
    create_group(rig, "witness");
    struct private_OpenFeed open = {0};
    int fd = -1;
    assert_int_equal(rpc_client_call_fd(rig->client, &rpc_private, &private_op_OpenFeed, &open,
                                        &rig->arena, -1, &fd),
                     0);
    assert_int_equal(open.result, 0);
    assert_int_equal(strlen(open.boot_id), 36);
    struct feed *feed = NULL;
    assert_int_equal(feed_open(fd, &feed), 0);
    close(fd);
    assert_int_equal(feed_head_revision(feed), open.head_revision);
    struct private_Snapshot snapshot = {0};
    CALL_PRIVATE(rig, Snapshot, &snapshot);
    assert_int_equal(snapshot.revision, open.head_revision);
    struct private_ReadJournal read = {.from = open.head_revision, .max_bytes = 1};
    CALL_PRIVATE(rig, ReadJournal, &read);
    assert_int_equal(read.result, 0);
    assert_int_equal(read.first_kept, 1);
    assert_int_equal(change_peek_revision(read.changes.data), open.head_revision);
    struct feed_cursor cursor;
    struct buffer record = {0};
    assert_int_equal(feed_seek(feed, (uint64_t)open.head_revision, &cursor), 0);
    assert_int_equal(feed_read(feed, &cursor, NULL, CHANGE_ALIGNMENT, &record), FEED_RECORD);
    assert_int_equal(record.size, read.changes.size);
    assert_memory_equal(record.data, read.changes.data, record.size);
    buffer_fini(&record);
    feed_unref(feed);
    struct private_ServiceInfo info = {0};
    CALL_PRIVATE(rig, ServiceInfo, &info);
    assert_int_equal(info.pid, service_pid(rig->service));
    assert_int_equal(info.first_revision, 1);
    assert_int_equal(info.last_revision, open.head_revision);
    assert_string_equal(info.node_name, "node1");
}

struct found {
    unsigned count;
    struct port_listing last;
};

static struct found list_ports(struct rig *rig)
{
    struct private_ListPorts a = {0};
    CALL_PRIVATE(rig, ListPorts, &a);
    assert_int_equal(a.result, 0);
    struct reader r = reader_over(a.ports.data, a.ports.size);
    struct found f = {0};
    while (port_listing_next(&r, &f.last) == 1)
        f.count++;
    return f;
}

static void ports_are_listed_with_their_owners(void **state)
{
    unsigned before = list_ports(*state).count;
    struct rpc_context port = create_port(*state, GROUP_ADDED, 1);
    create_group(*state, "counted");
    assert_event(*state, port, GROUP_ADDED, "counted");
    struct found f = list_ports(*state);
    assert_int_equal(f.count, before + 1);
    assert_int_equal(f.last.pid, getpid());
    assert_int_equal(f.last.port.delivered, 1);
    assert_int_equal(f.last.port.registrations, 1);
    close_port(*state, port);
    assert_int_equal(list_ports(*state).count, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_journal_and_snapshot_agree),
        cmocka_unit_test(events_come_in_order_and_none_from_before),
        cmocka_unit_test(blocked_call_gets_the_next_event),
        cmocka_unit_test(unblock_ends_the_wait),
        cmocka_unit_test(close_ends_the_wait),
        cmocka_unit_test(one_object_is_watched_until_its_handle_is_closed),
        cmocka_unit_test(registration_again_tells_of_a_changed_state),
        cmocka_unit_test(version_2_tells_ids_and_values),
        cmocka_unit_test(slow_reader_misses_nothing),
        cmocka_unit_test(unwanted_changes_are_not_lost),
        cmocka_unit_test(ports_are_listed_with_their_owners),
    };
    const struct CMUnitTest forgetful[] = {
        cmocka_unit_test(told_to_one_is_told_to_both),
    };
    return cmocka_run_group_tests(tests, setup, teardown) |
           cmocka_run_group_tests(forgetful, setup_forgetful, teardown);
}
