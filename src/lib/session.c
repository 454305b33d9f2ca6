/* SPDX-License-Identifier: MIT */
#include "lib/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/macro.h"
#include "base/text.h"
#include "lib/session_internal.h"
#include "rpc/rpc_interface.h"

#define SESSION_CALL_TIMEOUT_MOST_S 86400
#define DEFAULT_SOCKET "/run/clusport/clusport.sock"

int64_t session_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- life ---- */

static void discard(struct rpc_client *c)
{
    if (!c)
        return;
    rpc_client_close(c);
    rpc_client_unref(c);
}

/* The session's threads may be in a call that the service does not answer; it is broken off. */
static void session_destroy(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    session_forget_parents_locked(s);
    s->ending = true;
    struct rpc_client *client = TAKE_PTR(s->client);
    bool reader_runs = s->reader_runs;
    pthread_cond_broadcast(&s->settled);
    pthread_cond_signal(&s->read_wanted);
    pthread_mutex_unlock(&s->lock);
    discard(client);
    session_watch_stop(s);
    if (reader_runs)
        pthread_join(s->reader, NULL);
    feed_unref(s->feed);
    free(s->path);
    free(s->cluster_name);
    free(s->cluster_id);
    pthread_cond_destroy(&s->read_wanted);
    pthread_cond_destroy(&s->settled);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

struct session *session_ref(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    s->references++;
    pthread_mutex_unlock(&s->lock);
    return s;
}

void session_unref(struct session *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    bool last = --s->references == 0;
    pthread_mutex_unlock(&s->lock);
    if (last)
        session_destroy(s);
}

static void session_unrefp(struct session **s)
{
    session_unref(*s);
}

static unsigned call_timeout_ms(void)
{
    const char *text = secure_getenv("CLUSPORT_CALL_TIMEOUT");
    char *end = NULL;
    unsigned long seconds = text && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    if (seconds == 0 || seconds > SESSION_CALL_TIMEOUT_MOST_S || *end != '\0')
        seconds = SESSION_CALL_TIMEOUT_S;
    return (unsigned)seconds * 1000;
}

static struct session *session_create(void)
{
    struct session *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    const char *path = secure_getenv("CLUSPORT_SOCKET");
    s->path = strdup(path && *path ? path : DEFAULT_SOCKET);
    if (!s->path) {
        free(s);
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->settled, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->read_wanted, NULL);
    s->reads_end = &s->reads;
    s->timeout_ms = call_timeout_ms();
    s->references = 1;
    s->process = getpid();
    s->stop_fd = -1;
    return s;
}

/* ---- the connection ---- */

void session_forget_parents_locked(struct session *s)
{
    if (s->process == getpid())
        return;
    s->process = getpid();
    s->client = NULL;
    s->connecting = false;
    s->watch = NULL;
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    s->stop_fd = -1;
    s->reader_runs = false;
    s->reads = NULL;
    s->reads_end = &s->reads;
    s->lost_at_ms = session_now_ms();
}

/* Gives the client that is to be closed once the lock is given back, or NULL. */
static struct rpc_client *detach_locked(struct session *s, uint64_t generation)
{
    if (!s->client || s->generation != generation)
        return NULL;
    s->lost_at_ms = session_now_ms();
    return TAKE_PTR(s->client);
}

void session_detach(struct session *s, uint64_t generation)
{
    pthread_mutex_lock(&s->lock);
    struct rpc_client *old = detach_locked(s, generation);
    pthread_mutex_unlock(&s->lock);
    discard(old);
}

/* A session is with one cluster: another one's service at the same place is as good as none. Nobody
 * else is here, since s->connecting is set. */
static uint32_t check_cluster(struct session *s, struct rpc_client *client)
{
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    struct private_Identify a = {0};
    uint32_t error = rpc_client_call(client, &rpc_private, &private_op_Identify, &a, &arena);
    if (error == 0)
        error = a.result;
    if (error != 0)
        return error == ERR_RPC_S_CALL_FAILED ? ERR_RPC_S_SERVER_UNAVAILABLE : error;
    const char *id = a.cluster_id ? a.cluster_id : "";
    if (s->cluster_id)
        return strcmp(s->cluster_id, id) == 0 ? 0 : ERR_RPC_S_SERVER_UNAVAILABLE;
    s->cluster_id = strdup(id);
    return s->cluster_id ? 0 : ERR_NOT_ENOUGH_MEMORY;
}

/* The lock is held, and given back during the attempt. *ret_surplus is to be discarded. */
static uint32_t connect_locked(struct session *s, struct rpc_client **ret_surplus)
{
    s->connecting = true;
    struct rpc_client_options options = {
        .path = s->path, .timeout_ms = s->timeout_ms, .cancel_fd = s->stop_fd};
    pthread_mutex_unlock(&s->lock);
    struct rpc_client *client = NULL;
    uint32_t error = rpc_client_connect(&options, &client);
    if (error == 0)
        error = check_cluster(s, client);
    pthread_mutex_lock(&s->lock);
    s->connecting = false;
    s->connect_error = s->ending ? ERR_RPC_S_SERVER_UNAVAILABLE : error;
    if (error == 0 && !s->ending) {
        s->client = TAKE_PTR(client);
        s->generation++;
    }
    pthread_cond_broadcast(&s->settled);
    *ret_surplus = client;
    return s->connect_error;
}

uint32_t session_attach(struct session *s, struct rpc_client **ret, uint64_t *ret_generation)
{
    struct rpc_client *old = NULL, *surplus = NULL;
    uint32_t error = 0;
    pthread_mutex_lock(&s->lock);
    session_forget_parents_locked(s);
    if (s->client && rpc_client_broken(s->client))
        old = detach_locked(s, s->generation);
    bool waited = s->connecting;
    while (s->connecting)
        pthread_cond_wait(&s->settled, &s->lock);
    if (!s->client && s->ending)
        error = ERR_RPC_S_SERVER_UNAVAILABLE;
    else if (!s->client)
        error = waited ? s->connect_error : connect_locked(s, &surplus);
    if (!s->client && error == 0)
        error = ERR_RPC_S_SERVER_UNAVAILABLE; /* gone again already */
    if (error == 0) {
        rpc_client_ref(s->client);
        *ret = s->client;
        *ret_generation = s->generation;
    }
    pthread_mutex_unlock(&s->lock);
    discard(old);
    discard(surplus);
    return error;
}

struct rpc_client *session_present_client(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    struct rpc_client *client = NULL;
    if (s->client && s->process == getpid() && !rpc_client_broken(s->client)) {
        client = s->client;
        rpc_client_ref(client);
    }
    pthread_mutex_unlock(&s->lock);
    return client;
}

bool session_silent(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    bool silent = s->client ? rpc_client_silent(s->client) : s->connect_error == ERR_TIMEOUT;
    pthread_mutex_unlock(&s->lock);
    return silent;
}

uint64_t session_generation(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t generation = s->client && !rpc_client_broken(s->client) ? s->generation : 0;
    pthread_mutex_unlock(&s->lock);
    return generation;
}

/* ---- opening ---- */

/* Names that mean this machine whatever the cluster's name is. */
static bool is_this_machine(const char *name)
{
    if (!name || !*name || text_equal(name, ".") || text_equal(name, "localhost"))
        return true;
    char host[256] = "";
    if (gethostname(host, sizeof(host) - 1) < 0)
        return false;
    if (text_equal(name, host))
        return true;
    host[strcspn(host, ".")] = '\0';
    return text_equal(name, host);
}

uint32_t session_open(const char *name, struct session **ret)
{
    _cleanup_(session_unrefp) struct session *s = session_create();
    _cleanup_(rpc_arena_fini) struct rpc_arena arena = {0};
    if (!s)
        return ERR_NOT_ENOUGH_MEMORY;
    struct cmrp_GetClusterName a = {0};
    uint32_t error = session_call(
        s, &(struct session_call){
               .interface = &rpc_cmrp, .op = &cmrp_op_GetClusterName, .args = &a, .arena = &arena});
    if (error != 0)
        return error;
    if (!is_this_machine(name) && !text_equal(name, a.cluster_name) &&
        !text_equal(name, a.node_name))
        return ERR_RPC_S_SERVER_UNAVAILABLE;
    s->cluster_name = strdup(a.cluster_name ? a.cluster_name : "");
    if (!s->cluster_name)
        return ERR_NOT_ENOUGH_MEMORY;
    *ret = TAKE_PTR(s);
    return 0;
}

const char *session_cluster_name(const struct session *s)
{
    return s->cluster_name;
}

bool session_same_cluster(const struct session *a, const struct session *b)
{
    return strcmp(a->cluster_id, b->cluster_id) == 0;
}
