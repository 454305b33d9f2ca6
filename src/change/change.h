/* SPDX-License-Identifier: MIT */
#ifndef CHANGE_CHANGE_H
#define CHANGE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* One thing that happened in the cluster. The encoded form is the same in the journal, in the feed
 * and on the private interface: little-endian, a fixed head, then the texts and values. */

/* The numbers are CLUSTER_OBJECT_TYPE's. */
enum object_type {
    OBJECT_NONE = 0,
    OBJECT_CLUSTER = 1,
    OBJECT_GROUP = 2,
    OBJECT_RESOURCE = 3,
    OBJECT_RESOURCE_TYPE = 4,
    OBJECT_NETWORK_INTERFACE = 5,
    OBJECT_NETWORK = 6,
    OBJECT_NODE = 7,
    OBJECT_REGISTRY = 8,
    OBJECT_QUORUM = 9,
};

#define KIND(symbol, ...) CHANGE_##symbol,
enum change_kind {
    CHANGE_NONE,
#include "change/kinds.def"
    CHANGE_KIND_COUNT
};
#undef KIND

enum change_reason {
    REASON_NONE,
    REASON_REQUEST,    /* a program asked for it */
    REASON_FAILURE,    /* an agent said that it failed, or ran out of time */
    REASON_FAILOVER,   /* the failover manager restarts or moves it */
    REASON_DEPENDENCY, /* something it depends on, or that depends on it, changed */
    REASON_ADMIN,      /* an administrator, outside the API */
    REASON_ENGINE,     /* the engine observed it: links, probes after a restart */
    REASON_COUNT
};

enum value_kind {
    VALUE_NONE,
    VALUE_NUMBER,     /* a state or another DWORD */
    VALUE_TEXT,       /* UTF-8, size without a NUL */
    VALUE_TEXT_LIST,  /* UTF-8 texts, each with its NUL */
    VALUE_PROPERTIES, /* a CLUSPROP list as on the wire: property_list.h */
    VALUE_REGISTRY,   /* number: REG_* type; data: the bytes as on the wire */
    VALUE_BYTES,
    VALUE_KIND_COUNT
};

/* Borrowed: whoever made the change keeps the bytes alive. */
struct change_value {
    enum value_kind kind;
    uint32_t number;
    const void *data;
    size_t size;
};

struct change_actor {
    const char *node; /* the node's name, never NULL in a decoded change */
    const char *program;
    uint32_t uid;
    uint32_t pid;
    enum change_reason reason;
};

/* Texts are never NULL in a decoded change; NULL encodes as "". */
struct change {
    uint64_t revision;    /* dense, from 1, never reused */
    uint64_t transaction; /* the revision of its transaction's first change */
    int64_t time_ns;      /* wall clock, since 1970 */
    enum change_kind kind;
    bool last;    /* the last of its transaction */
    bool initial; /* not a change: an object as a snapshot found it */
    const char *object_id;
    const char *parent_id;
    const char *node_id;
    const char *name; /* as it is after the change */
    const char *type_name;
    struct change_value old_value;
    struct change_value new_value;
    struct change_actor actor;
};

#define CHANGE_ALIGNMENT 64
#define CHANGE_HEAD_SIZE 128
#define CHANGE_MAX_SIZE (4u << 20) /* one encoded change; larger values are refused before */

/* Appends the record, zero-padded to CHANGE_ALIGNMENT. 0, -EMSGSIZE, -ENOMEM. */
int change_encode(const struct change *c, struct buffer *out);
/* Borrows from data. Checks every length, number and NUL. 0; -EBADMSG. */
int change_decode(const void *data, size_t size, struct change *ret);
/* The size of the record at data (a multiple of CHANGE_ALIGNMENT), from its first 8 bytes; 0 when
 * they cannot be a record's. */
size_t change_size(const void *data);
/* Without decoding the rest: what a reader needs to pass over a record that nobody wants. */
uint64_t change_peek_revision(const void *data);
enum change_kind change_peek_kind(const void *data);
void change_put_revision(void *data, uint64_t revision, uint64_t transaction, bool last);

/* The table of kinds.def. */
enum change_field { FIELD_EMPTY, FIELD_OBJECT, FIELD_PARENT, FIELD_NODE, FIELD_NAME, FIELD_TYPE };
enum change_buffer { BUFFER_NOTHING, BUFFER_NEW, BUFFER_OLD, BUFFER_PARENT, BUFFER_NODE };

struct change_kind_info {
    const char *json;
    enum object_type object;
    uint32_t v1;      /* 0 where version 1 has no such event */
    uint32_t v2_type; /* CLUSTER_OBJECT_TYPE */
    int64_t v2_flag;
    enum change_field target;
    enum change_buffer buffer;
    enum change_field id, parent, name, type;
};

const struct change_kind_info *change_kind_info(enum change_kind kind); /* PRE: a real kind */
enum change_kind change_kind_from_json(const char *json);               /* CHANGE_NONE: no such */
const char *change_field_text(const struct change *c, enum change_field field); /* never NULL */
/* What version 2 gives in its buffer: numbers as DWORD, texts as UTF-16LE with NUL. Appends. */
int change_v2_buffer(const struct change *c, struct buffer *out);

const char *object_type_name(enum object_type type);      /* "resource" */
enum object_type object_type_from_name(const char *name); /* OBJECT_NONE: no such */
const char *change_reason_name(enum change_reason reason);
/* "Online", "OfflinePending", ... by the API's numbers for that type of object; "" when it has
 * none. */
const char *object_state_name(enum object_type type, uint32_t state);
/* -1 (as int64) when there is no such state. Case is not regarded. */
int64_t object_state_from_name(enum object_type type, const char *name);

#endif
