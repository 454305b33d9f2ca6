# SPDX-License-Identifier: MIT
"""The vocabulary of events, written down a second time: a slip in src/change/kinds.def is to be noticed here."""

NODE_STATE, NODE_DELETED, NODE_ADDED, NODE_PROPERTY = 0x1, 0x2, 0x4, 0x8
REGISTRY_NAME, REGISTRY_ATTRIBUTES, REGISTRY_VALUE, REGISTRY_SUBTREE = 0x10, 0x20, 0x40, 0x80
RESOURCE_STATE, RESOURCE_DELETED, RESOURCE_ADDED, RESOURCE_PROPERTY = 0x100, 0x200, 0x400, 0x800
GROUP_STATE, GROUP_DELETED, GROUP_ADDED, GROUP_PROPERTY = 0x1000, 0x2000, 0x4000, 0x8000
TYPE_DELETED, TYPE_ADDED, TYPE_PROPERTY, RECONNECT = 0x10000, 0x20000, 0x40000, 0x80000
NETWORK_STATE, NETWORK_DELETED, NETWORK_ADDED, NETWORK_PROPERTY = 0x100000, 0x200000, 0x400000, 0x800000
LINK_STATE, LINK_DELETED, LINK_ADDED, LINK_PROPERTY = 0x1000000, 0x2000000, 0x4000000, 0x8000000
QUORUM_STATE, CLUSTER_STATE, CLUSTER_PROPERTY, HANDLE_CLOSE = 0x10000000, 0x20000000, 0x40000000, 0x80000000

CLUSTER, GROUP, RESOURCE, TYPE, LINK, NETWORK, NODE, REGISTRY, QUORUM = range(1, 10)

V2_RECONNECT, V2_STATE, V2_LOST = (CLUSTER, 0x1), (CLUSTER, 0x2), (CLUSTER, 0x200)
V2_SUBTREE = 0x4
V2_HANDLE_CLOSE = {CLUSTER: 0x8, GROUP: 0x200, RESOURCE: 0x200, LINK: 0x10, NETWORK: 0x10, NODE: 0x80, REGISTRY: 0x10}


class Kind:
    """object: what its id and name speak of; v1: flag; v2: type and flag; target: the field that a version 2
    registration on one object looks at; fields: what stands in id, parent, name and type for version 2."""

    def __init__(self, name, object_type, v1, v2_type, v2_flag, target, fields):
        self.name, self.object, self.v1, self.v2 = name, object_type, v1, (v2_type, v2_flag)
        self.target, self.fields = target, fields


def _kinds():
    own = ("id", None, "name", None)
    none = (None, None, None, None)
    named = (None, None, "name", None)
    in_parent = ("id", "parent", "name", None)
    resource = ("id", "parent", "name", "type")
    on_node = ("id", "node", "name", None)
    value = ("parent", None, "name", None)
    return [
        ("cluster.common-property", CLUSTER, CLUSTER_PROPERTY, CLUSTER, 0x80, None, none),
        ("cluster.private-property", CLUSTER, CLUSTER_PROPERTY, CLUSTER, 0x100, None, none),
        ("cluster.rename", CLUSTER, CLUSTER_PROPERTY, CLUSTER, 0x400, None, named),
        ("cluster.membership", CLUSTER, 0, CLUSTER, 0x800, None, none),
        ("cluster.upgraded", CLUSTER, 0, CLUSTER, 0x1000, None, none),
        ("node.added", NODE, NODE_ADDED, CLUSTER, 0x20, None, own),
        ("node.deleted", NODE, NODE_DELETED, NODE, 0x2, "id", own),
        ("node.state", NODE, NODE_STATE, NODE, 0x10, "id", own),
        ("node.common-property", NODE, NODE_PROPERTY, NODE, 0x4, "id", own),
        ("node.private-property", NODE, NODE_PROPERTY, NODE, 0x8, "id", own),
        ("node.group-gained", NODE, 0, NODE, 0x20, "id", own),
        ("node.group-lost", NODE, 0, NODE, 0x40, "id", own),
        ("group.added", GROUP, GROUP_ADDED, CLUSTER, 0x4, None, in_parent),
        ("group.deleted", GROUP, GROUP_DELETED, GROUP, 0x1, "id", in_parent),
        ("group.state", GROUP, GROUP_STATE, GROUP, 0x8, "id", in_parent),
        ("group.common-property", GROUP, GROUP_PROPERTY, GROUP, 0x2, "id", in_parent),
        ("group.private-property", GROUP, GROUP_PROPERTY, GROUP, 0x4, "id", in_parent),
        ("group.owner-node", GROUP, 0, GROUP, 0x10, "id", in_parent),
        ("group.preferred-owners", GROUP, GROUP_PROPERTY, GROUP, 0x20, "id", in_parent),
        ("group.resource-gained", GROUP, GROUP_PROPERTY, GROUP, 0x80, "id", in_parent),
        ("group.resource-lost", GROUP, GROUP_PROPERTY, GROUP, 0x100, "id", in_parent),
        ("resource.added", RESOURCE, RESOURCE_ADDED, GROUP, 0x40, "parent", on_node),
        ("resource.deleted", RESOURCE, RESOURCE_DELETED, RESOURCE, 0x80, "id", resource),
        ("resource.state", RESOURCE, RESOURCE_STATE, RESOURCE, 0x4, "id", resource),
        ("resource.common-property", RESOURCE, RESOURCE_PROPERTY, RESOURCE, 0x1, "id", resource),
        ("resource.private-property", RESOURCE, RESOURCE_PROPERTY, RESOURCE, 0x2, "id", resource),
        ("resource.owner-group", RESOURCE, RESOURCE_PROPERTY, RESOURCE, 0x8, "id", resource),
        ("resource.dependencies", RESOURCE, RESOURCE_PROPERTY, RESOURCE, 0x10, "id", resource),
        ("resource.dependents", RESOURCE, 0, RESOURCE, 0x20, "id", resource),
        ("resource.possible-owners", RESOURCE, RESOURCE_PROPERTY, RESOURCE, 0x40, "id", resource),
        ("resource.agent-upgraded", RESOURCE, 0, RESOURCE, 0x100, "id", resource),
        ("resource.terminal-state", RESOURCE, 0, RESOURCE, 0x400, "id", resource),
        ("resource-type.added", TYPE, TYPE_ADDED, CLUSTER, 0x40, None, named),
        ("resource-type.deleted", TYPE, TYPE_DELETED, TYPE, 0x1, "name", named),
        ("resource-type.common-property", TYPE, TYPE_PROPERTY, TYPE, 0x2, "name", named),
        ("resource-type.private-property", TYPE, TYPE_PROPERTY, TYPE, 0x4, "name", named),
        ("resource-type.possible-owners", TYPE, TYPE_PROPERTY, TYPE, 0x8, "name", named),
        ("resource-type.agent-upgraded", TYPE, 0, TYPE, 0x10, "name", named),
        ("resource-type.specific", TYPE, 0, TYPE, 0x20, "name", named),
        ("network.added", NETWORK, NETWORK_ADDED, CLUSTER, 0x10, None, own),
        ("network.deleted", NETWORK, NETWORK_DELETED, NETWORK, 0x1, "id", own),
        ("network.state", NETWORK, NETWORK_STATE, NETWORK, 0x8, "id", own),
        ("network.common-property", NETWORK, NETWORK_PROPERTY, NETWORK, 0x2, "id", own),
        ("network.private-property", NETWORK, NETWORK_PROPERTY, NETWORK, 0x4, "id", own),
        ("netinterface.added", LINK, LINK_ADDED, NODE, 0x1, "node", own),
        ("netinterface.deleted", LINK, LINK_DELETED, LINK, 0x1, "id", on_node),
        ("netinterface.state", LINK, LINK_STATE, LINK, 0x8, "id", on_node),
        ("netinterface.common-property", LINK, LINK_PROPERTY, LINK, 0x2, "id", on_node),
        ("netinterface.private-property", LINK, LINK_PROPERTY, LINK, 0x4, "id", on_node),
        ("registry.name", REGISTRY, REGISTRY_NAME, REGISTRY, 0x2, "name", named),
        ("registry.attributes", REGISTRY, REGISTRY_ATTRIBUTES, REGISTRY, 0x1, "name", named),
        ("registry.value", REGISTRY, REGISTRY_VALUE, REGISTRY, 0x8, "name", value),
        ("quorum.state", QUORUM, QUORUM_STATE, QUORUM, 0x1, None, own),
    ]


KINDS = [None] + [Kind(*row) for row in _kinds()]  # by the record's number
OBJECT_OF_PREFIX = {"group": GROUP, "resource": RESOURCE, "node": NODE, "network": NETWORK, "netinterface": LINK,
                    "key": REGISTRY, "cluster": CLUSTER}
