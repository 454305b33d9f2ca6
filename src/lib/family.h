/* SPDX-License-Identifier: MIT */
#ifndef LIB_FAMILY_H
#define LIB_FAMILY_H

#include "clusapi.h"
#include "lib/object.h"
#include "rpc/rpc_interface.h"

/* What the families of functions have in common. Operations of different objects have few forms;
 * each form has one function here, and whoever uses it pins the operation to it. */

struct form_plain {
    struct rpc_context object;
    uint32_t rpc_status, result;
};
struct form_other {
    struct rpc_context object, other;
    uint32_t rpc_status, result;
};
struct form_text { /* in or out */
    struct rpc_context object;
    char *text;
    uint32_t rpc_status, result;
};
struct form_number { /* in or out */
    struct rpc_context object;
    uint32_t number;
    uint32_t rpc_status, result;
};
struct form_enum {
    struct rpc_context object;
    uint32_t type;
    struct rpc_enum_list list;
    uint32_t rpc_status, result;
};

#define HAS_FORM(op, form)                                                                         \
    _Static_assert(sizeof(struct cmrp_##op) == sizeof(struct form_##form) &&                       \
                       offsetof(struct cmrp_##op, result) == offsetof(struct form_##form, result), \
                   #op)

/* A text that the caller gave. ERROR_INVALID_PARAMETER for NULL, ERROR_NO_UNICODE_TRANSLATION. */
DWORD family_text(LPCWSTR text, char **ret);

/* NULL, with the last error set. */
void *family_open(const void *cluster, enum lib_handle_kind kind, LPCWSTR name);
HCLUSTER family_cluster(const void *handle, enum lib_handle_kind kind);

DWORD family_call(const void *handle, enum lib_handle_kind kind, const struct rpc_op *op);
DWORD family_call_other(const void *handle, enum lib_handle_kind kind, const void *other,
                        enum lib_handle_kind other_kind, const struct rpc_op *op);
DWORD family_set_text(const void *handle, enum lib_handle_kind kind, LPCWSTR text,
                      const struct rpc_op *op);
DWORD family_get_text(const void *handle, enum lib_handle_kind kind, const struct rpc_op *op,
                      LPWSTR buffer, LPDWORD cch);
/* A state; -1 with the last error set. */
int family_get_state(const void *handle, enum lib_handle_kind kind, const struct rpc_op *op);

/* Both texts are given also when the first does not fit. */
DWORD family_give_two(const char *first, LPWSTR first_buffer, LPDWORD first_cch, const char *second,
                      LPWSTR second_buffer, LPDWORD second_cch);

/* ---- enumerations: one object for all families ---- */

/* NULL, with the last error set. The entries are those of form_enum's list. */
void *family_open_enum(const void *handle, enum lib_handle_kind kind, DWORD type,
                       const struct rpc_op *op, enum lib_handle_kind enum_kind);
/* Takes the entries. NULL, with the last error set. */
void *enumeration_create(const struct rpc_enum_list *list, enum lib_handle_kind enum_kind);
DWORD enumeration_count(const void *handle, enum lib_handle_kind enum_kind);
DWORD enumeration_get(const void *handle, enum lib_handle_kind enum_kind, DWORD index, LPDWORD type,
                      LPWSTR name, LPDWORD cch);
DWORD enumeration_close(const void *handle, enum lib_handle_kind enum_kind);

#endif
