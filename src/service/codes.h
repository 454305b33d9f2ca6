/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_CODES_H
#define SERVICE_CODES_H

/* The API's numbers that stand in the operations' arguments. */

enum cluster_enum { /* CLUSTER_ENUM_* */
                    ENUM_NODE = 1,
                    ENUM_RESTYPE = 2,
                    ENUM_RESOURCE = 4,
                    ENUM_GROUP = 8,
                    ENUM_NETWORK = 0x10,
                    ENUM_NETINTERFACE = 0x20,
};
#define ENUM_SHARED_VOLUME_GROUP 0x20000000u
#define ENUM_SHARED_VOLUME_RESOURCE 0x40000000u
#define ENUM_INTERNAL_NETWORK 0x80000000u
#define ENUM_CLUSTER_ALL                                                                           \
    (0x3fu | ENUM_SHARED_VOLUME_GROUP | ENUM_SHARED_VOLUME_RESOURCE | ENUM_INTERNAL_NETWORK)

enum group_enum { GROUP_ENUM_CONTAINS = 1, GROUP_ENUM_NODES = 2 };
enum resource_enum {
    RESOURCE_ENUM_DEPENDS = 1,
    RESOURCE_ENUM_PROVIDES = 2,
    RESOURCE_ENUM_NODES = 4
};
enum node_enum {
    NODE_ENUM_NETINTERFACES = 1,
    NODE_ENUM_GROUPS = 2,
    NODE_ENUM_PREFERRED_GROUPS = 4
};
#define NODE_ENUM_ALL 7u
enum type_enum { TYPE_ENUM_NODES = 1, TYPE_ENUM_RESOURCES = 2 };
enum network_enum { NETWORK_ENUM_NETINTERFACES = 1 };

#define GENERIC_READ_ACCESS 0x80000000u
#define GENERIC_ALL_ACCESS 0x10000000u

enum key_disposition { KEY_CREATED = 1, KEY_OPENED = 2 };

#endif
