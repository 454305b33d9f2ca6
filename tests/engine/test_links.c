/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "world.h"

/* Links of a network namespace of the test's own: veth pairs, one end's carrier is the other. */

static void ip(const char *arguments)
{
    char command[256];

    snprintf(command, sizeof(command), "ip %s", arguments);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static int links_setup(void **state)
{
    assert_int_equal(unshare(CLONE_NEWNET), 0);
    world_setup(state);
    ((struct world *)*state)->options.networks = "clus*";
    ip("link add clus0 type veth peer name far0");
    ip("link set clus0 up");
    ip("link set far0 up");
    return 0;
}

struct expected {
    const char *interface;
    uint32_t interface_state, network_state;
    const char *address;
};

static const struct netinterface *find(struct world *w, const char *name)
{
    return model_netinterface(w->model, name);
}

static bool is_as(struct world *w, const void *what)
{
    const struct expected *x = what;
    const struct netinterface *i = find(w, x->interface);

    return i && i->o.state == x->interface_state && i->network->o.state == x->network_state &&
           (!x->address || strcmp(i->address, x->address) == 0);
}

static bool is_gone(struct world *w, const void *name)
{
    return !find(w, name);
}

static void expect(struct world *w, struct expected x)
{
    world_until(w, is_as, &x);
}

static void test_up_and_down(void **state)
{
    struct world *w = *state;
    const struct netinterface *i;

    world_start(w);
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_UP, NETWORK_UP, NULL});
    i = find(w, "node1 - clus0");
    assert_string_equal(i->device, "clus0");
    assert_string_equal(i->network->o.name, "Cluster Network 1");
    assert_string_equal(i->node->o.name, "node1");
    ip("link set far0 down");
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_FAILED, NETWORK_DOWN, NULL});
    ip("link set far0 up");
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_UP, NETWORK_UP, NULL});
    ip("link set clus0 down");
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_FAILED, NETWORK_DOWN, NULL});
}

static void test_addresses(void **state)
{
    struct world *w = *state;

    ip("addr add 192.0.2.1/24 dev clus0");
    world_start(w);
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_UP, NETWORK_UP, "192.0.2.1"});
    ip("addr add 2001:db8::1/64 dev clus0 nodad");
    ip("addr add 192.0.2.2/24 dev clus0");
    ip("addr del 192.0.2.1/24 dev clus0");
    /* Without promotion the kernel takes the secondary address along. */
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_UP, NETWORK_UP, "2001:db8::1"});
    ip("addr add 192.0.2.3/24 dev clus0");
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_UP, NETWORK_UP, "192.0.2.3"});
}

static void test_come_and_go(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_deliver(w);
    ip("link add clus1 type veth peer name far1");
    expect(w, (struct expected){"node1 - clus1", NETINTERFACE_FAILED, NETWORK_DOWN, NULL});
    assert_string_equal(find(w, "node1 - clus1")->network->o.name, "Cluster Network 2");
    ip("link del far0");
    world_until(w, is_gone, "node1 - clus0");
    assert_null(model_network(w->model, "Cluster Network 1"));
    ip("link set far1 name clus9");
    expect(w, (struct expected){"node1 - clus9", NETINTERFACE_FAILED, NETWORK_DOWN, NULL});
    ip("link set clus9 name other");
    world_until(w, is_gone, "node1 - clus9");
}

static size_t network_inputs(struct world *w)
{
    return world_count(w, INPUT_NETWORK_SEEN) + world_count(w, INPUT_NETWORK_GONE) +
           world_count(w, INPUT_NETINTERFACE_SEEN) + world_count(w, INPUT_NETINTERFACE_GONE);
}

static void test_restart(void **state)
{
    struct world *w = *state;
    char network[64], interface[64];
    size_t before;

    ip("addr add 192.0.2.1/24 dev clus0");
    world_start(w);
    /* The kernel tells of a new carrier with a delay. */
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_UP, NETWORK_UP, NULL});
    snprintf(network, sizeof(network), "%s", find(w, "node1 - clus0")->network->o.id);
    snprintf(interface, sizeof(interface), "%s", find(w, "node1 - clus0")->o.id);
    before = network_inputs(w);
    world_restart(w);
    world_deliver(w);
    assert_int_equal(network_inputs(w), before);
    /* What happened while nobody looked is found. */
    w->engine->methods->stop(w->engine);
    ip("link set far0 down");
    ip("link add clus1 type veth peer name far1");
    world_restart(w);
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_FAILED, NETWORK_DOWN, NULL});
    assert_string_equal(find(w, "node1 - clus0")->o.id, interface);
    assert_string_equal(find(w, "node1 - clus0")->network->o.id, network);
    assert_string_equal(find(w, "node1 - clus1")->network->o.name, "Cluster Network 2");
    w->engine->methods->stop(w->engine);
    ip("link del clus1");
    world_restart(w);
    world_deliver(w);
    assert_null(find(w, "node1 - clus1"));
}

static void test_patterns(void **state)
{
    struct world *w = *state;

    ip("link add docker7 type veth peer name eth7");
    w->options.networks = NULL;
    world_start(w);
    world_deliver(w);
    assert_non_null(find(w, "node1 - eth7"));
    assert_non_null(find(w, "node1 - far0"));
    assert_null(find(w, "node1 - docker7"));
    assert_null(find(w, "node1 - lo"));
    w->options.networks = "!clus* !lo";
    world_restart(w);
    world_deliver(w);
    assert_non_null(find(w, "node1 - docker7"));
    assert_null(find(w, "node1 - clus0"));
    w->options.networks = "";
    world_restart(w);
    world_deliver(w);
    assert_int_equal(map_count(model_objects(w->model, OBJECT_NETWORK)), 0);
    assert_int_equal(map_count(model_objects(w->model, OBJECT_NETWORK_INTERFACE)), 0);
}

/* More events than the kernel keeps for a reader who is away: the end is seen all the same. */
static void test_missed_events(void **state)
{
    struct world *w = *state;
    char path[128];
    FILE *batch;

    world_start(w);
    world_deliver(w);
    snprintf(path, sizeof(path), "%s/batch", w->folder);
    batch = fopen(path, "we");
    assert_non_null(batch);
    for (int i = 0; i < 3000; i++)
        fprintf(batch, "addr add 10.%d.%d.1/32 dev clus0\n", i / 250, i % 250);
    fprintf(batch, "addr flush dev clus0\nlink set far0 down\naddr add 192.0.2.9/24 dev clus0\n");
    fclose(batch);
    snprintf(path, sizeof(path), "-batch %s/batch", w->folder);
    ip(path);
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_FAILED, NETWORK_DOWN, "192.0.2.9"});
}

static void test_renamed_network_keeps_its_name(void **state)
{
    struct world *w = *state;
    struct model_input in = {.kind = INPUT_NETWORK_SEEN, .name = "Storage", .number = NETWORK_UP};

    world_start(w);
    /* The kernel tells of a new carrier with a delay. */
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_UP, NETWORK_UP, NULL});
    in.object_id = find(w, "node1 - clus0")->network->o.id;
    assert_int_equal(w->options.host.submit(w, &in), 0);
    world_deliver(w);
    ip("link set far0 down");
    expect(w, (struct expected){"node1 - clus0", NETINTERFACE_FAILED, NETWORK_DOWN, NULL});
    assert_string_equal(find(w, "node1 - clus0")->network->o.name, "Storage");
    world_restart(w);
    world_deliver(w);
    assert_string_equal(find(w, "node1 - clus0")->network->o.name, "Storage");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, links_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_up_and_down),
        CASE(test_addresses),
        CASE(test_come_and_go),
        CASE(test_restart),
        CASE(test_patterns),
        CASE(test_missed_events),
        CASE(test_renamed_network_keeps_its_name),
    };

    if (unshare(CLONE_NEWNET) < 0) {
        printf("no network namespace of its own: %s\n", strerror(errno));
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
