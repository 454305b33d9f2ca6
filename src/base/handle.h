/* SPDX-License-Identifier: MIT */
#ifndef BASE_HANDLE_H
#define BASE_HANDLE_H

#include <stdint.h>

#include "base/macro.h"

/* A table of handles: slot, generation and kind in one 64-bit word. A handle that is stale, of
 * another kind, or never was one is not found; it never reaches another object. Objects are
 * counted: a handle holds one reference, each successful handle_acquire() one more, and release()
 * runs when the last is gone, outside the table's lock. Thread-safe; acquiring and giving back lock
 * nothing. */

typedef uint64_t handle_t; /* 0 is no handle; the lowest bits are never all ones */

struct handle_table;

/* What every object in a table begins with. */
struct handle_object {
    void (*release)(struct handle_object *o);
    int64_t references; /* changed only by handle.c */
    uint16_t kind;
};

struct handle_table *handle_table_create(uint32_t most); /* at most this many handles at a time */
void handle_table_destroy(
    struct handle_table *t); /* removes and releases what is left; NULL is fine */

/* Takes over the caller's reference, the only one. 0 and *ret_handle; -ENOMEM; -ENOSPC.
 */
int handle_insert(struct handle_table *t, struct handle_object *o, uint16_t kind,
                  void (*release)(struct handle_object *o), handle_t *ret_handle);
/* NULL when the handle is not one of this kind (0: any kind). handle_unref() when done. */
struct handle_object *handle_acquire(struct handle_table *t, handle_t h, uint16_t kind);
/* The handle is stale from here on; gives its reference to the caller. NULL: as for acquire. */
struct handle_object *handle_remove(struct handle_table *t, handle_t h, uint16_t kind);
struct handle_object *handle_ref(struct handle_object *o);
void handle_unref(struct handle_object *o); /* NULL is fine */
uint32_t handle_count(struct handle_table *t);

#endif
