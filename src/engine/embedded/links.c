/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/guid.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"
#include "engine/embedded/internal.h"

/* Each link that is wanted is one interface of this node and one network of the cluster. What was
 * reported is remembered here, because the model learns of a report only later. */

#define DEFAULT_NETWORKS                                                                           \
    "* !lo !docker* !veth* !br-* !virbr* !cni* !flannel* !cali* !tun* !tap* !ifb*"
#define GROUPS (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
#define MAX_ADDRESSES 16 /* of one link; the first is shown, the others wait their turn */
#define DUMP_TRIES 5
#define MESSAGES_SIZE 32768 /* what libmnl advises for dumps; no one event is larger */
#define NETWORK_NAME "Cluster Network %u"
#define UNREPORTED UINT32_MAX

struct link {
    struct link *next;
    int index; /* the kernel's; 0: the model knows the link, the kernel does not yet */
    bool seen; /* by the dump under way */
    bool up;
    char device[IFNAMSIZ];
    char network_id[GUID_TEXT_SIZE], interface_id[GUID_TEXT_SIZE];
    char *network_name; /* as it was given; it may be renamed since */
    char addresses[MAX_ADDRESSES][INET6_ADDRSTRLEN];
    size_t address_count;
    uint32_t network_state, interface_state; /* as reported */
    char address[INET6_ADDRSTRLEN];
};

struct links {
    struct reports *reports;
    struct mnl_socket *socket;
    sd_event_source *source;
    struct link *first;
    bool syncing;
};

static bool is_wanted(const struct links *l, const char *device)
{
    const char *networks = l->reports->options->networks;
    _cleanup_free_
    char *patterns = strdup(networks ? networks : DEFAULT_NETWORKS);
    char *rest = NULL;
    bool wanted = patterns && patterns[0] == '!';

    for (char *p = patterns ? strtok_r(patterns, " ", &rest) : NULL; p;
         p = strtok_r(NULL, " ", &rest)) {
        bool out = p[0] == '!';

        if (fnmatch(p + out, device, 0) == 0)
            wanted = !out;
    }
    return wanted;
}

static void link_free(struct link *k)
{
    if (!k)
        return;
    free(k->network_name);
    free(k);
}

static void link_freep(struct link **k)
{
    link_free(*k);
}

static struct link *find_index(const struct links *l, int index)
{
    for (struct link *k = l->first; k; k = k->next)
        if (k->index == index)
            return k;
    return NULL;
}

static struct link *find_unclaimed(const struct links *l, const char *device)
{
    for (struct link *k = l->first; k; k = k->next)
        if (k->index == 0 && strcmp(k->device, device) == 0)
            return k;
    return NULL;
}

static void append(struct links *l, struct link *k)
{
    struct link **at = &l->first;

    while (*at)
        at = &(*at)->next;
    *at = k;
}

static bool name_is_taken(const struct links *l, const char *name)
{
    for (const struct link *k = l->first; k; k = k->next)
        if (text_equal(k->network_name, name))
            return true;
    return model_network(l->reports->options->model, name) != NULL;
}

static char *free_network_name(const struct links *l)
{
    for (unsigned i = 1;; i++) {
        char *name = text_format(NETWORK_NAME, i);

        if (!name || !name_is_taken(l, name))
            return name;
        free(name);
    }
}

/* Without a network's name it gets a new one. */
static struct link *link_create(struct links *l, const char *device, const char *network_name)
{
    _cleanup_(link_freep) struct link *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    snprintf(k->device, sizeof(k->device), "%s", device);
    k->network_state = k->interface_state = UNREPORTED;
    k->network_name = network_name ? strdup(network_name) : free_network_name(l);
    if (!k->network_name || guid_make(k->network_id) < 0 || guid_make(k->interface_id) < 0)
        return NULL;
    append(l, k);
    return TAKE_PTR(k);
}

/* Addresses that others can reach come before those of the link alone. */
static unsigned address_rank(const char *address)
{
    return !strchr(address, ':') ? 0 : strncmp(address, "fe80:", 5) == 0 ? 2 : 1;
}

static const char *first_address(const struct link *k)
{
    const char *best = "";

    for (size_t i = 0; i < k->address_count; i++)
        if (!best[0] || address_rank(k->addresses[i]) < address_rank(best))
            best = k->addresses[i];
    return best;
}

static void report_network(struct links *l, struct link *k, uint32_t state)
{
    struct model_input in = {.kind = INPUT_NETWORK_SEEN, .number = state};

    /* Later it may have been renamed: that is not ours to undo. */
    if (!model_network(l->reports->options->model, k->network_id))
        in.name = k->network_name;
    if (k->network_state == UNREPORTED)
        in.new_id = k->network_id;
    else
        in.object_id = k->network_id;
    if (reports_submit(l->reports, &in, REASON_ENGINE) == 0)
        k->network_state = state;
}

static void report_interface(struct links *l, struct link *k, uint32_t state, const char *address)
{
    _cleanup_free_
    char *name = text_format("%s - %s", l->reports->options->node_name, k->device);
    struct model_input in = {.kind = INPUT_NETINTERFACE_SEEN,
                             .name = name,
                             .parent_id = k->network_id,
                             .type_name = k->device,
                             .number = state,
                             .data = address,
                             .size = strlen(address)};

    if (!name)
        return;
    if (k->interface_state == UNREPORTED)
        in.new_id = k->interface_id;
    else
        in.object_id = k->interface_id;
    if (reports_submit(l->reports, &in, REASON_ENGINE) < 0)
        return;
    k->interface_state = state;
    snprintf(k->address, sizeof(k->address), "%s", address);
}

static void report(struct links *l, struct link *k)
{
    uint32_t network_state = k->up ? NETWORK_UP : NETWORK_DOWN;
    uint32_t interface_state = k->up ? NETINTERFACE_UP : NETINTERFACE_FAILED;
    const char *address = first_address(k);

    if (network_state != k->network_state)
        report_network(l, k, network_state);
    if (interface_state != k->interface_state || strcmp(address, k->address) != 0)
        report_interface(l, k, interface_state, address);
}

static void report_gone(struct links *l, const struct link *k)
{
    if (k->interface_state != UNREPORTED)
        reports_submit(
            l->reports,
            &(struct model_input){.kind = INPUT_NETINTERFACE_GONE, .object_id = k->interface_id},
            REASON_ENGINE);
    if (k->network_state != UNREPORTED)
        reports_submit(
            l->reports,
            &(struct model_input){.kind = INPUT_NETWORK_GONE, .object_id = k->network_id},
            REASON_ENGINE);
}

static void drop(struct links *l, struct link *gone)
{
    struct link **at = &l->first;

    while (*at && *at != gone)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = gone->next;
    report_gone(l, gone);
    link_free(gone);
}

static bool link_is_up(const struct ifinfomsg *info, const struct nlattr *operstate)
{
    uint8_t state = operstate ? mnl_attr_get_u8(operstate) : IF_OPER_UNKNOWN;

    if (!(info->ifi_flags & IFF_UP))
        return false;
    return state == IF_OPER_UP || (state == IF_OPER_UNKNOWN && (info->ifi_flags & IFF_RUNNING));
}

static void on_link(struct links *l, const struct nlmsghdr *h)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
    struct link *k = find_index(l, info->ifi_index);
    const struct nlattr *a, *operstate = NULL;
    const char *device = NULL;

    mnl_attr_for_each(a, h, sizeof(*info))
    {
        if (mnl_attr_get_type(a) == IFLA_IFNAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
            device = mnl_attr_get_str(a);
        if (mnl_attr_get_type(a) == IFLA_OPERSTATE && mnl_attr_validate(a, MNL_TYPE_U8) >= 0)
            operstate = a;
    }
    /* A link with another name is another link. */
    if (k && device && strcmp(device, k->device) != 0) {
        drop(l, k);
        k = NULL;
    }
    if (!device || !is_wanted(l, device))
        return;
    if (!k)
        k = find_unclaimed(l, device);
    if (!k)
        k = link_create(l, device, NULL);
    if (!k)
        return;
    k->index = info->ifi_index;
    k->seen = true;
    k->up = link_is_up(info, operstate);
    if (!l->syncing)
        report(l, k);
}

static void on_link_gone(struct links *l, const struct nlmsghdr *h)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
    struct link *k = find_index(l, info->ifi_index);

    /* A bridge tells of a port that left it by the same message, for its own family. */
    if (k && info->ifi_family == AF_UNSPEC)
        drop(l, k);
}

static bool read_address(const struct nlmsghdr *h, char out[INET6_ADDRSTRLEN])
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
    size_t size = info->ifa_family == AF_INET ? 4 : 16;
    const struct nlattr *a, *address = NULL, *local = NULL;

    if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
        return false;
    mnl_attr_for_each(a, h, sizeof(*info))
    {
        if (mnl_attr_get_payload_len(a) != size)
            continue;
        if (mnl_attr_get_type(a) == IFA_LOCAL)
            local = a;
        if (mnl_attr_get_type(a) == IFA_ADDRESS)
            address = a;
    }
    if (local)
        address = local;
    return address && inet_ntop(info->ifa_family, mnl_attr_get_payload(address), out,
                                INET6_ADDRSTRLEN) != NULL;
}

static void on_address(struct links *l, const struct nlmsghdr *h)
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
    struct link *k = find_index(l, (int)info->ifa_index);
    char address[INET6_ADDRSTRLEN];
    size_t i = 0;

    if (!k || !read_address(h, address))
        return;
    while (i < k->address_count && strcmp(k->addresses[i], address) != 0)
        i++;
    if (h->nlmsg_type == RTM_DELADDR && i < k->address_count) {
        k->address_count--;
        memmove(k->addresses[i], k->addresses[i + 1], (k->address_count - i) * INET6_ADDRSTRLEN);
    } else if (h->nlmsg_type == RTM_NEWADDR && i == k->address_count && i < MAX_ADDRESSES) {
        memcpy(k->addresses[k->address_count++], address, INET6_ADDRSTRLEN);
    }
    if (!l->syncing)
        report(l, k);
}

static int on_message(const struct nlmsghdr *h, void *data)
{
    size_t head = h->nlmsg_type == RTM_NEWADDR || h->nlmsg_type == RTM_DELADDR
                      ? sizeof(struct ifaddrmsg)
                      : sizeof(struct ifinfomsg);

    if (mnl_nlmsg_get_payload_len(h) < head)
        return MNL_CB_OK;
    switch (h->nlmsg_type) {
    case RTM_NEWLINK:
        on_link(data, h);
        break;
    case RTM_DELLINK:
        on_link_gone(data, h);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        on_address(data, h);
        break;
    }
    return MNL_CB_OK;
}

static void cleanup_socket(struct mnl_socket **s)
{
    if (*s)
        mnl_socket_close(*s);
}

/* On a socket of its own, so that answers and events are not mixed. The kernel has the answer
 * ready at once: nothing is waited for. */
static int dump(struct links *l, uint16_t type)
{
    _cleanup_(cleanup_socket) struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    _cleanup_free_
    char *buffer = malloc(MESSAGES_SIZE);
    struct nlmsghdr *h;
    struct rtgenmsg *family;
    ssize_t n;
    int r = MNL_CB_OK;

    if (!s || !buffer)
        return s ? -ENOMEM : -errno;
    if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
        return -errno;
    h = mnl_nlmsg_put_header(buffer);
    h->nlmsg_type = type;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    h->nlmsg_seq = 1;
    family = mnl_nlmsg_put_extra_header(h, sizeof(*family));
    family->rtgen_family = AF_UNSPEC;
    if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
        return -errno;
    while (r == MNL_CB_OK) {
        n = mnl_socket_recvfrom(s, buffer, MESSAGES_SIZE);
        r = n < 0 ? MNL_CB_ERROR
                  : mnl_cb_run(buffer, (size_t)n, 1, mnl_socket_get_portid(s), on_message, l);
    }
    return r == MNL_CB_ERROR ? -errno : 0;
}

static int dump_all(struct links *l)
{
    int r;

    for (struct link *k = l->first; k; k = k->next) {
        k->seen = false;
        k->address_count = 0;
    }
    r = dump(l, RTM_GETLINK);
    return r < 0 ? r : dump(l, RTM_GETADDR);
}

/* Makes the table what the kernel says now, and reports the differences. */
static int sync_links(struct links *l)
{
    struct link *next;
    int r = -EINTR;

    l->syncing = true;
    /* Links that change meanwhile interrupt a dump. */
    for (int i = 0; r == -EINTR && i < DUMP_TRIES; i++)
        r = dump_all(l);
    l->syncing = false;
    if (r < 0)
        return r;
    for (struct link *k = l->first; k; k = next) {
        next = k->next;
        if (k->seen)
            report(l, k);
        else
            drop(l, k);
    }
    return 0;
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct links *l = userdata;
    _Alignas(struct nlmsghdr) char buffer[MESSAGES_SIZE];
    bool missed = false;
    ssize_t n;
    int r;

    (void)source;
    (void)events;
    while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0 || (n < 0 && errno == ENOBUFS)) {
        missed |= n < 0;
        /* After a gap only a look at everything tells what is. */
        if (!missed)
            mnl_cb_run(buffer, (size_t)n, 0, 0, on_message, l);
    }
    if (!missed)
        return 0;
    log_info("links_missed");
    r = sync_links(l);
    if (r < 0)
        log_error("links_unknown error=%s", log_quote(strerror(-r)));
    return 0;
}

static int recall(struct links *l, const struct netinterface *i)
{
    struct link *k = link_create(l, i->device ? i->device : "", i->network->o.name);

    if (!k)
        return -ENOMEM;
    snprintf(k->interface_id, sizeof(k->interface_id), "%s", i->o.id);
    snprintf(k->network_id, sizeof(k->network_id), "%s", i->network->o.id);
    snprintf(k->address, sizeof(k->address), "%s", i->address ? i->address : "");
    k->interface_state = i->o.state;
    k->network_state = i->network->o.state;
    return 0;
}

/* The same link is the same interface and network after a restart. */
static int recall_all(struct links *l)
{
    const struct engine_options *o = l->reports->options;
    const struct map *all = model_objects(o->model, OBJECT_NETWORK_INTERFACE);

    for (struct map_entry *e = all ? map_first(all) : NULL; e; e = map_next(all, e)) {
        const struct netinterface *i = e->value;

        if (i->node && i->network && strcmp(i->node->o.id, o->node_id) == 0 && recall(l, i) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int watch(struct links *l)
{
    int fd;

    l->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!l->socket || mnl_socket_bind(l->socket, GROUPS, MNL_SOCKET_AUTOPID) < 0)
        return -errno;
    fd = mnl_socket_get_fd(l->socket);
    return MIN(sd_event_add_io(l->reports->options->loop, &l->source, fd, EPOLLIN, on_event, l), 0);
}

static void links_stopp(struct links **l)
{
    links_stop(*l);
}

int links_start(struct reports *r, struct links **ret)
{
    _cleanup_(links_stopp) struct links *l = calloc(1, sizeof(*l));
    int error;

    if (!l)
        return -ENOMEM;
    l->reports = r;
    error = recall_all(l);
    if (error == 0)
        error = watch(l);
    if (error == 0)
        error = sync_links(l);
    if (error < 0)
        return error;
    *ret = TAKE_PTR(l);
    return 0;
}

void links_stop(struct links *l)
{
    if (!l)
        return;
    sd_event_source_disable_unref(l->source);
    cleanup_socket(&l->socket);
    for (struct link *k = l->first, *next; k; k = next) {
        next = k->next;
        link_free(k);
    }
    free(l);
}
