/* SPDX-License-Identifier: MIT */
#include "storm/storm.h"

#include <clusapi.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

/* The program that changes. What fails because the service was killed, or because an earlier change
 * failed, does not matter: the journal knows what happened. */

#define GROUPS 4
#define KEYS 3

struct changer {
    HCLUSTER cluster;
    struct test_random random;
    unsigned serial;
};

static void name_of(struct changer *c, const wchar_t *prefix, unsigned count, WCHAR name[32])
{
    swprintf(name, 32, L"%ls%u", prefix, random_below(&c->random, count));
}

static void change_group(struct changer *c)
{
    WCHAR name[32], other[32];

    name_of(c, L"g", GROUPS, name);
    HGROUP group = OpenClusterGroup(c->cluster, name);
    if (!group)
        group = CreateClusterGroup(c->cluster, name);
    else if (random_one_in(&c->random, 3))
        DeleteClusterGroup(group);
    else {
        name_of(c, L"g", GROUPS, other);
        SetClusterGroupName(group, other);
    }
    CloseClusterGroup(group);
}

static void change_resource(struct changer *c)
{
    WCHAR name[32], group_name[32];

    name_of(c, L"r", GROUPS, name);
    HRESOURCE resource = OpenClusterResource(c->cluster, name);
    if (!resource) {
        name_of(c, L"g", GROUPS, group_name);
        HGROUP group = OpenClusterGroup(c->cluster, group_name);
        if (group)
            resource = CreateClusterResource(group, name, L"ocf:heartbeat:Dummy", 0);
        CloseClusterGroup(group);
    } else if (random_one_in(&c->random, 8)) {
        OnlineClusterResource(resource);
    } else if (random_one_in(&c->random, 3)) {
        OfflineClusterResource(resource);
        DeleteClusterResource(resource);
    } else {
        name_of(c, L"r", GROUPS, group_name);
        SetClusterResourceName(resource, group_name);
    }
    CloseClusterResource(resource);
}

static void change_value(struct changer *c)
{
    HKEY root = GetClusterKey(c->cluster, KEY_ALL_ACCESS), key = NULL;
    static BYTE data[4096];
    WCHAR name[32];

    name_of(c, L"k", KEYS, name);
    if (random_one_in(&c->random, 2))
        wcscat(name, L"\\below");
    if (ClusterRegCreateKey(root, name, 0, KEY_ALL_ACCESS, NULL, &key, NULL) == ERROR_SUCCESS) {
        c->serial++;
        memcpy(data, &c->serial, sizeof c->serial);
        DWORD size = random_one_in(&c->random, 8) ? sizeof data : sizeof c->serial;
        ClusterRegSetValue(key, L"v", REG_BINARY, data, size);
        ClusterRegCloseKey(key);
    }
    if (random_one_in(&c->random, 10))
        ClusterRegDeleteKey(root, name);
    ClusterRegCloseKey(root);
}

static void change_node(struct changer *c)
{
    HNODE node = OpenClusterNode(c->cluster, NULL);

    if (random_one_in(&c->random, 2))
        PauseClusterNode(node);
    else
        ResumeClusterNode(node);
    CloseClusterNode(node);
}

static void change_type(struct changer *c)
{
    WCHAR name[32];

    name_of(c, L"ocf:heartbeat:t", 2, name);
    if (random_one_in(&c->random, 2))
        CreateClusterResourceType(c->cluster, name, L"Storm", L"none", 5000, 60000);
    else
        DeleteClusterResourceType(c->cluster, name);
}

static void change(struct changer *c)
{
    switch (random_below(&c->random, 10)) {
    case 0:
    case 1:
        change_group(c);
        break;
    case 2:
    case 3:
        change_resource(c);
        break;
    case 4:
        change_node(c);
        break;
    case 5:
        change_type(c);
        break;
    default:
        change_value(c);
        break;
    }
}

/* The service is there by now. A call that broke may have been carried out. */
static void make_the_end(struct changer *c)
{
    HGROUP end = CreateClusterGroup(c->cluster, THE_END);

    if (!end)
        end = OpenClusterGroup(c->cluster, THE_END);
    CHECK(end != NULL);
    CloseClusterGroup(end);
}

int run_changer(uint64_t seed)
{
    struct changer c = {.cluster = OpenCluster(NULL), .random = random_of(seed)};
    char told;

    CHECK(c.cluster != NULL);
    while (read(STDIN_FILENO, &told, 1) == 1) {
        if (told == TELL_END)
            make_the_end(&c);
        else
            change(&c);
        CHECK(write(STDOUT_FILENO, &told, 1) == 1);
    }
    CloseCluster(c.cluster);
    return 0;
}
