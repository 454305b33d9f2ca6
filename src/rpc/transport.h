/* SPDX-License-Identifier: MIT */
#ifndef RPC_TRANSPORT_H
#define RPC_TRANSPORT_H

#include <sys/types.h>

#include "rpc/rpc.h"

/* A connected stream that carries PDUs. Nothing above it knows what kind it is. Reads and writes
 * block or not as the descriptor does; they are EINTR-safe and never raise SIGPIPE. */
struct rpc_transport {
    const struct rpc_transport_methods *methods;
};

struct rpc_transport_methods {
    /* The descriptor to poll; the transport's. */
    int (*fd)(const struct rpc_transport *t);
    /* Bytes read (0: the other side is gone) or written, or -errno; -EPROTO: a descriptor came when
     * there was one already. */
    ssize_t (*receive)(struct rpc_transport *t, void *data, size_t size);
    /* `descriptor` (-1: none) travels with the first of the bytes; it stays the caller's.
     * -EOPNOTSUPP where descriptors cannot travel. */
    ssize_t (*send)(struct rpc_transport *t, const void *data, size_t size, int descriptor);
    /* The descriptor that came with the bytes read since the last call, now the caller's; -1. */
    int (*take_descriptor)(struct rpc_transport *t);
    /* Disposes of that one. Whether there was one. */
    bool (*drop_descriptor)(struct rpc_transport *t);
    void (*peer)(const struct rpc_transport *t, struct rpc_peer *ret);
    /* The other side reads its end; a thread that blocks here wakes. Any thread; idempotent. */
    void (*shut_down)(struct rpc_transport *t);
    void (*destroy)(struct rpc_transport *t);
};

/* Takes the descriptor, also on failure. dispose() closes what the other side made, descriptors
 * that it sent and nobody took: how long that takes is up to it. NULL: out of memory. */
struct rpc_transport *rpc_transport_unix(int fd, void (*dispose)(int fd));
/* A blocking connection. timeout_ms (0: none) is the longest that connecting, and later one receive
 * or send, waits: -EAGAIN. Connecting is also given up, -ECANCELED, when cancel_fd (-1: none)
 * becomes readable or hangs up. 0 or -errno. */
int rpc_transport_unix_connect(const char *path, unsigned timeout_ms, int cancel_fd,
                               struct rpc_transport **ret);

#endif
