/* SPDX-License-Identifier: MIT */
#ifndef MODEL_OBJECTS_H
#define MODEL_OBJECTS_H

#include "base/map.h"
#include "change/change.h"
#include "change/property_list.h"

/* The cluster's objects as the rest of the service reads them. Only src/model writes them. */

#define NO_STATE UINT32_MAX /* CLUSTER...StateUnknown (-1) */

/* The states carry the API's numbers: CLUSTER_RESOURCE_STATE and so on. */
enum resource_state {
    RESOURCE_INITIALIZING = 1,
    RESOURCE_ONLINE = 2,
    RESOURCE_OFFLINE = 3,
    RESOURCE_FAILED = 4,
    RESOURCE_PENDING = 128,
    RESOURCE_ONLINE_PENDING = 129,
    RESOURCE_OFFLINE_PENDING = 130,
};
enum group_state {
    GROUP_ONLINE = 0,
    GROUP_OFFLINE = 1,
    GROUP_FAILED = 2,
    GROUP_PARTIAL_ONLINE = 3,
    GROUP_PENDING = 4
};
enum node_state { NODE_UP = 0, NODE_DOWN = 1, NODE_PAUSED = 2, NODE_JOINING = 3 };
enum network_state {
    NETWORK_UNAVAILABLE = 0,
    NETWORK_DOWN = 1,
    NETWORK_PARTITIONED = 2,
    NETWORK_UP = 3
};
enum netinterface_state {
    NETINTERFACE_UNAVAILABLE = 0,
    NETINTERFACE_FAILED = 1,
    NETINTERFACE_UNREACHABLE = 2,
    NETINTERFACE_UP = 3
};

/* What every object begins with. */
struct object {
    enum object_type type;
    char *id; /* a GUID; a node's is a decimal number; a type's is its name; a key's is its path */
    char *name;              /* unique in its type, case not regarded */
    uint32_t state;          /* NO_STATE where the type has none */
    uint32_t state_sequence; /* counts state changes since the service started ([MS-CMRP] 3.1.1) */
    uint64_t created;        /* the revision that added it: orders all lists of objects */
    struct property_table common;   /* what was set; a schema gives the rest: properties.c */
    struct property_table private_; /* with the unknown ones: any name may be stored */
    bool dirty;                     /* on the step's list of objects to be stored */
};

struct pointer_list { /* of borrowed objects, in order */
    void **items;
    size_t count;
    size_t capacity;
};

struct cluster {
    struct object o;          /* its id is the cluster instance's */
    char *quorum_resource_id; /* "" until one is set */
    uint32_t lives;           /* service starts so far: keeps effect ids of different lives apart */
};

struct node {
    struct object o;
    struct pointer_list groups; /* that it owns */
    bool paused;                /* outlives a stop of the service */
};

struct group {
    struct object o;
    struct node *owner;
    struct pointer_list resources;
    bool is_core;     /* made with the cluster, cannot be deleted */
    bool want_online; /* the persistent state */
};

struct resource_type {
    struct object o;
    char *definition; /* its JSON text, for src/agent */
    char *display_name;
    uint32_t class_, subclass; /* CLUS_RESOURCE_CLASS_INFO */
    uint32_t characteristics;
    uint32_t looks_alive_ms, is_alive_ms, pending_timeout_ms; /* defaults for its resources */
    struct property_table schema;   /* private properties: format and default value */
    struct property_table required; /* of those, the names that must be set before online */
};

/* How a failure is answered: the API's values of RestartAction. */
enum restart_action { RESTART_NOT = 0, RESTART_NO_NOTIFY = 1, RESTART_NOTIFY = 2 };

struct resource {
    struct object o;
    struct group *group;
    struct resource_type *resource_type;
    uint32_t flags;                 /* of CreateClusterResource */
    struct pointer_list providers;  /* it depends on these */
    struct pointer_list dependents; /* these depend on it */
    bool want_online;               /* the persistent state */
    /* The failover manager's own, not stored: failover.c */
    uint64_t operation; /* the agent operation under way, 0: none */
    int operation_kind; /* enum operation_kind */
    uint64_t restart_timer, looks_alive_timer, is_alive_timer;
    uint32_t restarts; /* within the present RestartPeriod */
    int64_t restart_period_start_ns;
    bool start_waits; /* OnlinePending, and providers are not online yet */
    bool stop_waits;  /* to be stopped, and dependents still run */
    bool unclean;     /* failed, and not stopped successfully since: it may still run */
    int reason;       /* enum change_reason of its present state */
    bool resumes;     /* taken offline by a provider's failure: comes back with it */
};

struct network {
    struct object o;
    struct pointer_list interfaces;
};

struct netinterface {
    struct object o;
    struct network *network;
    struct node *node;
    char *device;  /* the kernel's name of the link */
    char *address; /* its first address as text, "" without one */
};

struct registry_value {
    char *name;
    uint32_t type; /* REG_* */
    void *data;    /* as on the wire: texts are UTF-16LE */
    size_t size;
};

struct registry_key {
    struct object o; /* o.id is the path from the root, o.name its last part; "" and "" the root */
    struct registry_key *parent;
    struct map *subkeys; /* name → struct registry_key */
    struct map *values;  /* name → struct registry_value */
    void *security;      /* a self-relative security descriptor, or NULL */
    size_t security_size;
    size_t size; /* as registry_account() last found it */
    int64_t written_ns;
};

#endif
