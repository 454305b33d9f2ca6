/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NOTIFY_LOOP_H
#define TESTS_NOTIFY_LOOP_H

/* What the tests of the notification loop share: a cluster of their own with a real service, and
 * words for what they do with it and what they expect to be told. All by the public API. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/types.h>

#include <clusapi.h>

#include "support/service.h"

#define EVENT_WAIT_MS 20000 /* longer than anything here takes; only a failure waits so long */
#define NAME_ROOM 128

struct world {
    struct test_service *service;
    HCLUSTER cluster;
};

/* A cluster with the shipped types, "Dummy" (ocf:heartbeat:Dummy) and "Talker" (ocf:test:talker),
 * and a handle to it. extra_args as service_start's. */
struct world *world_start(const char *const extra_args[]);
void world_stop(struct world *w);
int world_setup(void **state); /* for cmocka: world_start(NULL) */
int world_teardown(void **state);

/* ---- doing ---- */

HGROUP make_group(struct world *w, LPCWSTR name);
HRESOURCE make_resource(HGROUP group, LPCWSTR name, LPCWSTR type);
HRESOURCE make_application(HGROUP group, LPCWSTR name, const char *pid_file);
/* Waits, by events of a port of their own, for the state; what comes in between does not matter. */
void online_and_wait(struct world *w, HRESOURCE resource);
void offline_and_wait(struct world *w, HRESOURCE resource);
void wait_resource_state(struct world *w, HRESOURCE resource, CLUSTER_RESOURCE_STATE state);
/* Offline, deleted, closed; then the group. */
void remove_resource(struct world *w, HRESOURCE resource);
void remove_group(HGROUP group);

/* A property list with one property, in static memory until the next one. */
struct property {
    void *data;
    DWORD size;
};
struct property number(LPCWSTR name, DWORD value);
struct property text(LPCWSTR name, LPCWSTR value);
void set_common(HRESOURCE resource, struct property p);
void set_private(HRESOURCE resource, struct property p);

/* Asserts. Static memory, several at a time. */
LPCWSTR id_of_resource(HRESOURCE resource);
LPCWSTR id_of_group(HGROUP group);
LPCWSTR wide(const char *ascii);

/* Runs a shell command that must succeed. */
void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits until an application has written its pid, another than that of the one before (0: none). It
 * may be online a moment earlier. */
pid_t wait_pid(const char *file, pid_t other_than);

/* ---- being told ---- */

/* A new port; key as given. */
HCHANGE watch(struct world *w, DWORD filter, DWORD_PTR key);
void watch_too(HCHANGE port, DWORD filter, HANDLE object, DWORD_PTR key);
const char *flag_name(DWORD flag);

/* The port's next event is this one. */
#define expect_event(port, flag, key, name)                                                        \
    expect_event_at(port, flag, key, name, __FILE__, __LINE__)
/* Nothing is there. All that a request did is published before its answer comes, so no wait. */
#define expect_nothing(port) expect_nothing_at(port, __FILE__, __LINE__)
void expect_event_at(HCHANGE port, DWORD flag, DWORD_PTR key, LPCWSTR name, const char *file,
                     int line);
void expect_nothing_at(HCHANGE port, const char *file, int line);
/* The handle is of no port any more. */
void expect_stale(HCHANGE port);

#endif
