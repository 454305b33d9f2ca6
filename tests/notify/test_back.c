/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "notify/loop.h"

/* The connection is lost and comes back at the moments where a port could miss that it did, and
 * sleep for ever. The library's calls of libc go through here, so that the moment is not luck. */

#define INSTEAD_OF_LIBC __attribute__((visibility("default")))

/* What it stands before: a sanitizer's, where that is in this program, or libc's. */
extern __typeof__(pthread_create) __interceptor_pthread_create __attribute__((weak));
extern __typeof__(sendmsg) __interceptor_sendmsg __attribute__((weak));
extern __typeof__(recvmsg) __interceptor_recvmsg __attribute__((weak));
#define BEHIND(name)                                                                               \
    (__interceptor_##name ? __interceptor_##name : (__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/* ---- a thread that begins late ---- */

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static bool gate_shut;

static void set_gate(bool shut)
{
    pthread_mutex_lock(&gate_lock);
    gate_shut = shut;
    pthread_cond_broadcast(&gate_moved);
    pthread_mutex_unlock(&gate_lock);
}

struct late {
    void *(*start)(void *);
    void *argument;
};

static void *start_late(void *argument)
{
    struct late late = *(struct late *)argument;

    free(argument);
    pthread_mutex_lock(&gate_lock);
    while (gate_shut)
        pthread_cond_wait(&gate_moved, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
    return late.start(late.argument);
}

INSTEAD_OF_LIBC
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument)
{
    struct late *late = malloc(sizeof(*late));

    *late = (struct late){start, argument};
    return BEHIND(pthread_create)(thread, attributes, start_late, late);
}

/* ---- something happens before a request ---- */

static _Thread_local void (*before_request)(void); /* once */

INSTEAD_OF_LIBC
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (before_request) {
        void (*act)(void) = before_request;
        before_request = NULL;
        act();
    }
    return BEHIND(sendmsg)(fd, message, flags);
}

/* ---- no room for a descriptor ---- */

static atomic_uint refused_descriptors;

/* As the kernel does when the process has too many. */
INSTEAD_OF_LIBC
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t n = BEHIND(recvmsg)(fd, message, flags);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(message) : NULL;

    if (c && c->cmsg_type == SCM_RIGHTS && atomic_load(&refused_descriptors) > 0) {
        int received;
        memcpy(&received, CMSG_DATA(c), sizeof received);
        close(received);
        message->msg_controllen = 0;
        message->msg_flags |= MSG_CTRUNC;
        atomic_fetch_sub(&refused_descriptors, 1);
    }
    return n;
}

/* ---- the tests ---- */

static void remove_by_name(struct world *w, LPCWSTR name)
{
    HGROUP group = OpenClusterGroup(w->cluster, name);
    assert_non_null(group);
    remove_group(group);
}

/* The connection is lost and made again by a call before the session's thread runs at all. */
static void test_watched_late(void **state)
{
    struct world *w = *state;

    set_gate(true);
    HCHANGE port = watch(w, CLUSTER_CHANGE_GROUP_ADDED, 1);
    service_restart(w->service);
    HGROUP group = make_group(w, L"Group");
    set_gate(false);
    expect_event(port, CLUSTER_CHANGE_GROUP_ADDED, 1, L"Group");
    remove_group(group);
    assert_true(CloseClusterNotifyPort(port));
}

static struct {
    struct world *world;
    HCHANGE witness;
} at_registration;

/* Until the other ports of the session were told. */
static void restart_and_wait(void)
{
    service_restart(at_registration.world->service);
    expect_event(at_registration.witness, CLUSTER_CHANGE_CLUSTER_RECONNECT, 1, L"testcluster");
}

/* The port's first registration has got its feed; then the service goes, and is back for all other
 * ports before this one belongs to them. */
static void test_registered_meanwhile(void **state)
{
    struct world *w = *state;

    at_registration.world = w;
    at_registration.witness = watch(w, CLUSTER_CHANGE_CLUSTER_RECONNECT, 1);
    before_request = restart_and_wait;
    HCHANGE port = watch(w, CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_HANDLE_CLOSE, 2);
    assert_null(before_request);
    make_group(w, L"Group");
    expect_event(port, CLUSTER_CHANGE_GROUP_ADDED, 2, L"Group");
    remove_by_name(w, L"Group");
    assert_true(CloseClusterNotifyPort(at_registration.witness));
    assert_true(CloseClusterNotifyPort(port));
}

/* The service is back, but its feed cannot be had at first. */
static void test_no_descriptor(void **state)
{
    struct world *w = *state;
    HCHANGE port = watch(w, CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_CLUSTER_RECONNECT, 1);

    atomic_store(&refused_descriptors, 3);
    service_restart(w->service);
    expect_event(port, CLUSTER_CHANGE_CLUSTER_RECONNECT, 1, L"testcluster");
    assert_int_equal(atomic_load(&refused_descriptors), 0);
    HGROUP group = make_group(w, L"Group");
    expect_event(port, CLUSTER_CHANGE_GROUP_ADDED, 1, L"Group");
    remove_group(group);
    assert_true(CloseClusterNotifyPort(port));
}

/* What a service did that the port has not heard of yet was before the close all the same. */
static void test_closed_meanwhile(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"Group");
    HCHANGE port = watch(w, 0, 0);

    set_gate(true);
    watch_too(port, CLUSTER_CHANGE_GROUP_PROPERTY | CLUSTER_CHANGE_HANDLE_CLOSE, group, 1);
    service_restart(w->service);
    assert_int_equal(SetClusterGroupName(group, L"Renamed"), ERROR_SUCCESS);
    assert_true(CloseClusterGroup(group));
    set_gate(false);
    expect_event(port, CLUSTER_CHANGE_GROUP_PROPERTY, 1, L"Renamed");
    expect_event(port, CLUSTER_CHANGE_HANDLE_CLOSE, 1, L"Group");
    remove_by_name(w, L"Renamed");
    assert_true(CloseClusterNotifyPort(port));
}

static void rename_by_another(const char *from, const char *to)
{
    const char *const argv[] = {built_path("src/cli/clusport"), "group", "rename", from, to, NULL};
    assert_int_equal(run_program(argv, NULL, NULL), 0);
}

/* A service came and went that this program never met, and there is none when the handle is closed:
 * what it did was before the close, and what the next one does is not. */
static void test_closed_without_service(void **state)
{
    struct world *w = *state;
    HGROUP group = make_group(w, L"Group");

    set_gate(true);
    HCHANGE port = watch(w, CLUSTER_CHANGE_GROUP_ADDED | CLUSTER_CHANGE_CLUSTER_RECONNECT, 2);
    watch_too(port, CLUSTER_CHANGE_GROUP_PROPERTY | CLUSTER_CHANGE_HANDLE_CLOSE, group, 1);
    service_restart(w->service);
    rename_by_another("Group", "Before");
    service_kill(w->service);
    assert_true(CloseClusterGroup(group));
    expect_nothing(port); /* it is not known yet what comes before */
    service_again(w->service);
    rename_by_another("Before", "After");
    set_gate(false);
    expect_event(port, CLUSTER_CHANGE_CLUSTER_RECONNECT, 2, L"testcluster");
    expect_event(port, CLUSTER_CHANGE_GROUP_PROPERTY, 1, L"Before");
    expect_event(port, CLUSTER_CHANGE_HANDLE_CLOSE, 1, L"Group");
    remove_by_name(w, L"After");
    remove_group(make_group(w, L"End"));
    expect_event(port, CLUSTER_CHANGE_GROUP_ADDED, 2, L"End");
    assert_true(CloseClusterNotifyPort(port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_closed_meanwhile, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_closed_without_service, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_watched_late, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_registered_meanwhile, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_no_descriptor, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
