/* SPDX-License-Identifier: MIT */
#include "badinput/wire_stub.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/text.h"
#include "support/campaign.h"

/* Clients that take, or keep to themselves, as much as they can. A witness goes on, and in the end
 * the service has what it had. */

#define PROCESS_HANDLES 65536u
#define PROCESS_REGISTRATIONS 4096u
#define MOST_KIB                                                                                   \
    (320u << 10) /* a process's quarter of a GiB, its handles, and what is on its way */

struct world {
    struct rig rig;
    struct rpc_context port;
    unsigned descriptors, events;
};

static void witness(struct world *w)
{
    char name[32];
    struct cmrp_GetNotify event;
    snprintf(name, sizeof(name), "witness %u", w->events++);
    create_group(&w->rig, name);
    do
        event = next_event(&w->rig, w->port);
    while (event.result == 0 && strcmp(event.name, name) != 0);
    assert_int_equal(event.result, 0);
    rpc_arena_fini(&w->rig.arena);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    rig_start(&w->rig, NULL);
    w->port = create_port(&w->rig, 0x4000, 1);
    witness(w);
    w->descriptors = descriptors_of(&w->rig);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    witness(w);
    wait_for_descriptors(&w->rig, w->descriptors);
    rig_stop(&w->rig);
    free(w);
    return 0;
}

static const char *socket_of(const struct world *w)
{
    return service_socket(w->rig.service);
}

/* In KiB. */
static unsigned long memory_in_use(const struct world *w)
{
    char path[32], line[128];
    unsigned long kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)service_pid(w->rig.service));
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) && sscanf(line, "VmRSS: %lu", &kib) != 1)
        ;
    fclose(f);
    return kib;
}

/* Another process, of another user if possible, does it and stays until all was seen. */
static void beside_the_witness(struct world *w, void (*misuse)(struct world *w))
{
    int done[2], over[2], status;
    char byte = 0;
    assert_int_equal(pipe2(done, O_CLOEXEC), 0);
    assert_int_equal(pipe2(over, O_CLOEXEC), 0);
    assert_int_equal(chmod(service_folder(w->rig.service), 0755), 0);
    unsigned long before = memory_in_use(w);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(done[0]);
        close(over[1]);
        if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
            _exit(2);
        misuse(w);
        _exit(write(done[1], &byte, 1) == 1 && read(over[0], &byte, 1) == 0 ? 0 : 3);
    }
    close(done[1]);
    close(over[0]);
    assert_int_equal(read(done[0], &byte, 1), 1);
    witness(w);
    assert_in_range(memory_in_use(w), 1, before + MOST_KIB);
    close(over[1]);
    close(done[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* ---- handles ---- */

static void open_and_open(struct world *w)
{
    struct peer p;
    uint64_t opened = 0, asked = 0;
    const uint64_t wanted = campaign_rounds(PROCESS_HANDLES + 1000, 1000000);
    peer_connect(&p, socket_of(w));
    while (asked < wanted) {
        for (unsigned i = 0; i < 32; i++)
            peer_request(&p, &rpc_cmrp, CMRP_OPNUM_OpenCluster, NULL, 0);
        for (unsigned i = 0; i < 32; i++, asked++) {
            struct answer a = peer_hear(&p);
            struct cmrp_OpenCluster result = {0};
            assert_int_equal(a.type, PDU_RESPONSE);
            assert_int_equal(ndr_decode(&cmrp_op_OpenCluster, RPC_OUT, a.stub.data, a.stub.size,
                                        &p.arena, &result),
                             0);
            assert_true(result.status == 0 || result.status == ERR_NOT_ENOUGH_MEMORY);
            opened += result.status == 0;
            buffer_fini(&a.stub);
        }
    }
    assert_int_equal(opened, PROCESS_HANDLES);
}

static void no_process_has_all_the_handles(void **state)
{
    beside_the_witness(*state, open_and_open);
}

static void register_and_register(struct world *w)
{
    struct peer p;
    unsigned made = 0;
    peer_connect(&p, socket_of(w));
    struct cmrp_OpenCluster cluster = {0};
    PEER_CALL(&p, OpenCluster, &cluster);
    for (uint32_t code = 0; code == 0;) {
        struct cmrp_CreateNotify port = {0};
        PEER_CALL(&p, CreateNotify, &port);
        made += port.status == 0;
        code = port.status;
        for (unsigned i = 0; i < 999 && code == 0; i++) {
            struct cmrp_AddNotifyCluster add = {
                .notify = port.notify, .cluster = cluster.cluster, .filter = 0x4000};
            PEER_CALL(&p, AddNotifyCluster, &add);
            made += add.result == 0;
            code = add.result;
        }
        if (code)
            assert_int_equal(code, ERR_NOT_ENOUGH_MEMORY);
    }
    assert_int_equal(made, PROCESS_REGISTRATIONS);
    struct cmrp_CloseCluster closing = {.cluster = cluster.cluster};
    PEER_CALL(&p, CloseCluster, &closing);
    assert_int_equal(closing.result, 0);
}

static void no_process_has_all_the_registrations(void **state)
{
    beside_the_witness(*state, register_and_register);
}

static void take_the_feed(struct world *w)
{
    struct peer p;
    unsigned given = 0;
    peer_connect(&p, socket_of(w));
    for (uint32_t code = 0; code == 0; given++) {
        struct private_OpenFeed a = {0};
        peer_call(&p, &rpc_private, &private_op_OpenFeed, &a);
        code = a.result;
        assert_true(given < 100);
    }
    assert_int_equal(given - 1, 8);
}

static void nobody_gets_the_feed_without_end(void **state)
{
    beside_the_witness(*state, take_the_feed);
}

/* ---- those who do not go on ---- */

static void be_silent(struct world *w)
{
    enum { MANY = 1000 };
    struct peer *peers = calloc(MANY, sizeof(*peers));
    _cleanup_(buffer_fini) struct buffer bind = {0};
    struct pdu_bind b = peer_bind(0);
    pdu_bind_encode(&bind, 0, &b);
    for (unsigned i = 0; i < MANY; i++) {
        peer_connect_only(&peers[i], socket_of(w));
        if (i % 4 > 0) /* nothing, a part of a header, a header, nearly all */
            peer_say(&peers[i], bind.data, i % 4 == 1 ? 7 : i % 4 == 2 ? 16 : bind.size - 1);
    }
}

static void nobody_is_kept_waiting_by_the_silent(void **state)
{
    beside_the_witness(*state, be_silent);
}

/* Requests that never end: the process has a quarter of a gigabyte. */
static void begin_and_begin(struct world *w)
{
    enum { MANY = 40, SIZE = 8 << 20 };
    struct peer peers[MANY];
    _cleanup_(buffer_fini) struct buffer pdus = {0};
    _cleanup_free_
    uint8_t *stub = calloc(1, SIZE);
    assert_int_equal(
        pdu_request_encode(&pdus, PDU_MOST_FRAGMENT, 1, 0, CMRP_OPNUM_OpenGroup, stub, SIZE), 0);
    /* Without the last fragment, which is as long as what is left. */
    size_t fragment = PDU_MOST_FRAGMENT;
    size_t whole = pdus.size / fragment * fragment;
    for (unsigned i = 0; i < MANY; i++) {
        peer_connect(&peers[i], socket_of(w));
        peer_say(&peers[i], pdus.data, whole);
    }
    peer_say(&peers[MANY - 1], pdus.data + whole, pdus.size - whole);
    struct answer a = peer_hear(&peers[MANY - 1]);
    assert_int_equal(a.type, PDU_FAULT);
    assert_int_equal(a.fault, NCA_REMOTE_NO_MEMORY);
    buffer_fini(&a.stub);
}

static void nobody_keeps_what_he_does_not_use(void **state)
{
    beside_the_witness(*state, begin_and_begin);
}

static void ask_and_not_read(struct world *w)
{
    enum { MANY = 20 };
    struct peer peers[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        ssize_t n = 0;
        _cleanup_(buffer_fini) struct buffer pdu = {0};
        peer_connect(&peers[i], socket_of(w));
        pdu_request_encode(&pdu, PDU_MOST_FRAGMENT, 1, 1, PRIVATE_OPNUM_Snapshot, NULL, 0);
        fcntl(peers[i].t->methods->fd(peers[i].t), F_SETFL, O_NONBLOCK);
        while (n >= 0) /* until the service does not listen any more */
            n = peers[i].t->methods->send(peers[i].t, pdu.data, pdu.size, -1);
        assert_int_equal(n, -EAGAIN);
    }
}

static void nobody_has_to_read_his_replies(void **state)
{
    beside_the_witness(*state, ask_and_not_read);
}

static void who_comes_and_goes_leaves_nothing(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < 2000; i++) {
        struct peer p;
        if (i % 2 == 0)
            peer_connect_only(&p, socket_of(w));
        else
            peer_connect(&p, socket_of(w));
        peer_request(&p, &rpc_cmrp, CMRP_OPNUM_OpenCluster, NULL, 0);
        peer_close(&p);
        if (i % 500 == 0)
            witness(w);
    }
}

/* ---- descriptors ---- */

static uint32_t publish(struct world *w, int fd)
{
    struct private_PublishPorts a = {0};
    int ignored = -1;
    assert_int_equal(rpc_client_call_fd(w->rig.client, &rpc_private, &private_op_PublishPorts, &a,
                                        &w->rig.arena, fd, &ignored),
                     0);
    close(fd);
    struct private_ListPorts list = {0};
    CALL_PRIVATE(&w->rig, ListPorts, &list);
    assert_int_equal(list.result, 0);
    return a.result;
}

static int memory_of(unsigned flags, off_t size, int seals)
{
    int fd = memfd_create("page", MFD_CLOEXEC | flags);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    if (seals)
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void only_memory_is_a_page_of_ports(void **state)
{
    struct world *w = *state;
    const off_t size = 64 * 16384;
    const int seals = F_SEAL_GROW | F_SEAL_SHRINK;
    int ends[2];
    _cleanup_free_
    char *fifo = text_format("%s/fifo", service_folder(w->rig.service));
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const int bad[] = {
        ends[0],
        ends[1],
        open(fifo, O_RDWR | O_CLOEXEC),
        open("/dev/zero", O_RDONLY | O_CLOEXEC),
        open("/dev/null", O_PATH | O_CLOEXEC),
        open(service_folder(w->rig.service), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        open(service_log(w->rig.service), O_RDONLY | O_CLOEXEC),
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
        memory_of(0, size, 0),
        memory_of(MFD_ALLOW_SEALING, size, F_SEAL_GROW),
        memory_of(MFD_ALLOW_SEALING, size + 64, seals),
        memory_of(MFD_ALLOW_SEALING, 0, seals),
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_true(bad[i] >= 0);
        assert_int_equal(publish(w, bad[i]), ERR_INVALID_PARAMETER);
    }
    assert_int_equal(publish(w, memory_of(MFD_ALLOW_SEALING, size, seals)), 0);
    assert_int_equal(publish(w, memory_of(MFD_ALLOW_SEALING, size, seals)), 0); /* instead */
    w->descriptors++;
}

/* ---- what makes the service think ---- */

static void a_long_list_of_names_is_refused(void **state)
{
    struct world *w = *state;
    enum { SIZE = 8 << 20 };
    _cleanup_free_
    uint8_t *names = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i += 4)
        memcpy(names + i, "N\0\0", 4);
    struct cmrp_CreateGroupEnum groups = {.cluster = open_cluster(&w->rig),
                                          .properties = {.data = names, .size = SIZE}};
    struct cmrp_CreateResourceEnum resources = {.cluster = groups.cluster,
                                                .ro_properties = {.data = names, .size = SIZE}};
    CALL(&w->rig, CreateGroupEnum, &groups);
    assert_int_equal(groups.result, ERR_INVALID_PARAMETER);
    CALL(&w->rig, CreateResourceEnum, &resources);
    assert_int_equal(resources.result, ERR_INVALID_PARAMETER);
}

/* As many ways as there are atoms: each of them tried would take for ever. */
static void many_ways_from_one_resource_to_another(void **state)
{
    struct world *w = *state;
    enum { LAYERS = 48 };
    struct rpc_context group = create_group(&w->rig, "ways"), r[LAYERS][2];
    for (unsigned i = 0; i < LAYERS; i++) {
        for (unsigned k = 0; k < 2; k++) {
            char name[16];
            snprintf(name, sizeof(name), "r%u-%u", i, k);
            r[i][k] = create_resource(&w->rig, group, name, "ocf:heartbeat:Dummy");
        }
    }
    for (unsigned i = 1; i < LAYERS; i++) {
        for (unsigned k = 0; k < 4; k++) {
            struct cmrp_AddResourceDependency a = {.resource = r[i][k / 2],
                                                   .depends_on = r[i - 1][k % 2]};
            CALL(&w->rig, AddResourceDependency, &a);
            assert_int_equal(a.result, 0);
        }
    }
    struct cmrp_CanResourceBeDependent a = {
        .resource = create_resource(&w->rig, group, "apart", "ocf:heartbeat:Dummy"),
        .dependent = r[LAYERS - 1][0]};
    CALL(&w->rig, CanResourceBeDependent, &a);
    assert_int_equal(a.result, 0);
    a.resource = r[0][0];
    CALL(&w->rig, CanResourceBeDependent, &a);
    assert_int_equal(a.result, ERR_DEPENDENCY_NOT_ALLOWED);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(no_process_has_all_the_handles),    CASE(no_process_has_all_the_registrations),
        CASE(nobody_gets_the_feed_without_end),  CASE(nobody_is_kept_waiting_by_the_silent),
        CASE(nobody_keeps_what_he_does_not_use), CASE(nobody_has_to_read_his_replies),
        CASE(who_comes_and_goes_leaves_nothing), CASE(only_memory_is_a_page_of_ports),
        CASE(a_long_list_of_names_is_refused),   CASE(many_ways_from_one_resource_to_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
