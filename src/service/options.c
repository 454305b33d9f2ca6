/* SPDX-License-Identifier: MIT */
#include "service/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"
#include "feed/feed.h"
#include "journal/journal.h"

#define DEFAULT_STATE_DIR "/var/lib/clusport"
#define DEFAULT_SOCKET "/run/clusport/clusport.sock"
#define DEFAULT_CLUSTER_NAME "cluster"
#define SMALLEST_FEED (64u << 10)
#define LARGEST_FEED (1u << 30)
#define LONGEST_NAME 250

enum option_code {
    OPTION_STATE = 256,
    OPTION_SOCKET,
    OPTION_CLUSTER_NAME,
    OPTION_NODE_NAME,
    OPTION_TYPES,
    OPTION_OCF_PATH,
    OPTION_NETWORKS,
    OPTION_KEEP_CHANGES,
    OPTION_KEEP_BYTES,
    OPTION_FEED_SIZE,
    OPTION_ADMIN_GROUP,
    OPTION_READ_GROUP,
    OPTION_LOG_LEVEL,
    OPTION_PRINT_STATUS,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"state", required_argument, NULL, OPTION_STATE},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"cluster-name", required_argument, NULL, OPTION_CLUSTER_NAME},
    {"node-name", required_argument, NULL, OPTION_NODE_NAME},
    {"types", required_argument, NULL, OPTION_TYPES},
    {"ocf-path", required_argument, NULL, OPTION_OCF_PATH},
    {"networks", required_argument, NULL, OPTION_NETWORKS},
    {"keep-changes", required_argument, NULL, OPTION_KEEP_CHANGES},
    {"keep-bytes", required_argument, NULL, OPTION_KEEP_BYTES},
    {"feed-size", required_argument, NULL, OPTION_FEED_SIZE},
    {"admin-group", required_argument, NULL, OPTION_ADMIN_GROUP},
    {"read-group", required_argument, NULL, OPTION_READ_GROUP},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"print-status", no_argument, NULL, OPTION_PRINT_STATUS},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
};

static const char help[] =
    "clusportd: the cluster service of this node. It stays in the foreground.\n"
    "\n"
    "  --state DIR            where the cluster is kept (" DEFAULT_STATE_DIR ")\n"
    "  --socket PATH          where programs connect (" DEFAULT_SOCKET ")\n"
    "  --cluster-name NAME    the name of a cluster that is made anew (" DEFAULT_CLUSTER_NAME ")\n"
    "  --node-name NAME       this node's name (the host's)\n"
    "  --types PATH           folders with resource type definitions, ':' between them\n"
    "  --ocf-path PATH        folders with OCF agents, ':' between them\n"
    "  --networks PATTERNS    names of links, with wildcards; '!' before one takes it out\n"
    "  --keep-changes N       keep at most N changes for readers that are behind (1000000)\n"
    "  --keep-bytes N         ... and at most N bytes of them; K, M and G are understood (1G)\n"
    "  --feed-size N          size of the shared ring of changes, a power of two (16M)\n"
    "  --admin-group NAME     its members may change the cluster, as root may\n"
    "  --read-group NAME      only its members and those who may change it may read (all may)\n"
    "  --log-level LEVEL      error, warning, info or debug (info)\n"
    "  --print-status         print what the database holds as JSON lines; needs no service\n"
    "  --help, --version\n";

static int usage_error(const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "clusportd: --%s %s: %s; see clusportd --help\n", option, value, wanted);
    return -EINVAL;
}

static int parse_number(const char *option, const char *text, uint64_t *ret)
{
    static const char units[] = "KMG";
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    unsigned shift = 0;
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        end++;
    }
    if (errno || end == text || *end || *text == '-' || n > UINT64_MAX >> shift)
        return usage_error(option, text, "a number is wanted, as 1000 or 64M");
    *ret = (uint64_t)n << shift;
    return 0;
}

static int parse_name(const char *option, const char *text, const char **ret)
{
    bool is_plain = text_is_utf8(text, strlen(text)) && !strpbrk(text, "\\/");
    for (const char *c = text; *c; c++)
        is_plain = is_plain && (unsigned char)*c >= 0x20 && *c != 0x7f;
    if (!*text || strlen(text) > LONGEST_NAME || !is_plain)
        return usage_error(option, text,
                           "a name of 1 to 250 characters without / and \\ is wanted");
    *ret = text;
    return 0;
}

static int parse_path(const char *option, const char *text, const char **ret)
{
    if (!*text)
        return usage_error(option, "''", "a path is wanted");
    *ret = text;
    return 0;
}

static int parse_feed_size(struct options *o, const char *text)
{
    uint64_t size = 0;
    int r = parse_number("feed-size", text, &size);
    if (r < 0)
        return r;
    if (size < SMALLEST_FEED || size > LARGEST_FEED || (size & (size - 1)))
        return usage_error("feed-size", text, "a power of two from 64K to 1G is wanted");
    o->feed_size = (uint32_t)size;
    return 0;
}

static int parse_log_level(const char *text)
{
    int level = log_level_from_name(text);
    if (level < 0)
        return usage_error("log-level", text, "error, warning, info or debug is wanted");
    log_set_level((enum log_level)level);
    return 0;
}

static int parse_keep_changes(struct options *o, const char *text)
{
    int r = parse_number("keep-changes", text, &o->keep_changes);
    if (r == 0 && o->keep_changes == 0)
        return usage_error("keep-changes", text, "at least 1 is wanted");
    return r;
}

static int parse_one(struct options *o, int option, const char *value)
{
    switch (option) {
    case OPTION_STATE:
        return parse_path("state", value, &o->state_dir);
    case OPTION_SOCKET:
        return parse_path("socket", value, &o->socket_path);
    case OPTION_CLUSTER_NAME:
        return parse_name("cluster-name", value, &o->cluster_name);
    case OPTION_NODE_NAME:
        return parse_name("node-name", value, &o->node_name);
    case OPTION_TYPES:
        o->types_path = value;
        return 0;
    case OPTION_OCF_PATH:
        o->ocf_path = value;
        return 0;
    case OPTION_NETWORKS:
        o->networks = value;
        return 0;
    case OPTION_KEEP_CHANGES:
        return parse_keep_changes(o, value);
    case OPTION_KEEP_BYTES:
        return parse_number("keep-bytes", value, &o->keep_bytes);
    case OPTION_FEED_SIZE:
        return parse_feed_size(o, value);
    case OPTION_ADMIN_GROUP:
        o->admin_group = value;
        return 0;
    case OPTION_READ_GROUP:
        o->read_group = value;
        return 0;
    case OPTION_LOG_LEVEL:
        return parse_log_level(value);
    case OPTION_PRINT_STATUS:
        o->print_status = true;
        return 0;
    case OPTION_HELP:
        fputs(help, stdout);
        return 1;
    case OPTION_VERSION:
        puts("clusportd " VERSION);
        return 1;
    default: /* getopt has said what is wrong */
        fputs("See clusportd --help\n", stderr);
        return -EINVAL;
    }
}

static void set_defaults(struct options *o)
{
    if (gethostname(o->host_name, sizeof(o->host_name) - 1) < 0 || !o->host_name[0])
        strcpy(o->host_name, "node");
    char *dot = strchr(o->host_name, '.');
    if (dot && dot != o->host_name)
        *dot = '\0';
    o->node_name = o->host_name;
    o->cluster_name = DEFAULT_CLUSTER_NAME;
    o->state_dir = DEFAULT_STATE_DIR;
    o->socket_path = DEFAULT_SOCKET;
    o->keep_changes = JOURNAL_KEEP_CHANGES;
    o->keep_bytes = JOURNAL_KEEP_BYTES;
    o->feed_size = FEED_DEFAULT_SIZE;
}

int options_parse(struct options *o, int argc, char *argv[])
{
    *o = (struct options){0};
    set_defaults(o);
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int r = parse_one(o, option, optarg);
        if (r != 0)
            return r;
    }
    if (optind < argc) {
        fprintf(stderr, "clusportd: '%s' is not an option; see clusportd --help\n", argv[optind]);
        return -EINVAL;
    }
    return 0;
}
