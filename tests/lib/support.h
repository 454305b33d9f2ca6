/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LIB_SUPPORT_H
#define TESTS_LIB_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clusapi.h"
#include "support/service.h"

/* One service and one cluster handle for all tests of a program. */
extern struct test_service *service;
extern HCLUSTER cluster;

int start_service(void **state);
int stop_service(void **state);

/* Compares WCHARs of this program's width. */
#define assert_wide_equal(a, b) assert_int_equal(lstrcmpW((a), (b)), 0)
/* The call failed with that last error. */
#define assert_fails(call, error)                                                                  \
    do {                                                                                           \
        SetLastError(ERROR_SUCCESS);                                                               \
        assert_false(call);                                                                        \
        assert_int_equal(GetLastError(), (error));                                                 \
    } while (0)

/* A function that gives a text: what it must do with every kind of buffer. */
typedef DWORD (*text_fn)(void *context, LPWSTR buffer, LPDWORD cch);
void check_text(text_fn get, void *context, LPCWSTR expected);

/* A group and a resource of the given type in it; both are deleted by delete_resource(). */
HRESOURCE make_resource(LPCWSTR name, LPCWSTR type, HGROUP *ret_group);
void delete_resource(HRESOURCE resource, HGROUP group);
/* Asks until the resource has that state; the test's time limit ends it if it never comes. */
void wait_for_state(HRESOURCE resource, CLUSTER_RESOURCE_STATE state);

#define DUMMY L"ocf:heartbeat:Dummy"

#endif
