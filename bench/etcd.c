/* SPDX-License-Identifier: MIT */
#include "etcd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/buffer.h"
#include "bench.h"

/* As much of HTTP/2 as one unary call at a time needs (RFC 9113): frames of 9 bytes and a payload,
 * one stream a call, headers written without compression, and never looked into when they are
 * received: the call succeeded if a message came before the stream's end. */

#define FRAME_HEAD 9
#define FRAME_DATA 0
#define FRAME_HEADERS 1
#define FRAME_RST_STREAM 3
#define FRAME_SETTINGS 4
#define FRAME_PING 6
#define FRAME_GOAWAY 7
#define FRAME_WINDOW_UPDATE 8
#define FLAG_END_STREAM 1
#define FLAG_ACK 1
#define FLAG_END_HEADERS 4

#define VALUE_SIZE 64
#define MOST_WRITERS 256

struct writer {
    int fd;
    unsigned number;
    uint32_t stream;
    bool busy, answered;
    uint64_t written;
    uint8_t in[16384];
    size_t have;
};

/* ---- the server ---- */

void etcd_start(struct etcd *e, const char *folder)
{
    char log[256], data[256], client[64], peer[64], cluster[96];
    e->folder = make_folder(folder);
    e->port = free_port();
    snprintf(log, sizeof(log), "%s/log", e->folder);
    snprintf(data, sizeof(data), "%s/data", e->folder);
    snprintf(client, sizeof(client), "http://127.0.0.1:%u", e->port);
    snprintf(peer, sizeof(peer), "http://127.0.0.1:%u", free_port());
    snprintf(cluster, sizeof(cluster), "default=%s", peer);
    const char *argv[] = {"etcd",       "--data-dir",
                          data,         "--log-level",
                          "error",      "--listen-client-urls",
                          client,       "--advertise-client-urls",
                          client,       "--listen-peer-urls",
                          peer,         "--initial-advertise-peer-urls",
                          peer,         "--initial-cluster",
                          cluster,      "--quota-backend-bytes",
                          "8589934592", NULL};
    e->pid = start_program(argv, log);
    close(connect_tcp(e->port));
}

void etcd_stop(struct etcd *e)
{
    end_program(e->pid);
    remove_folder(e->folder);
}

/* ---- frames ---- */

static void put_frame_head(struct buffer *b, size_t size, uint8_t type, uint8_t flags,
                           uint32_t stream)
{
    const uint8_t head[FRAME_HEAD] = {(uint8_t)(size >> 16),
                                      (uint8_t)(size >> 8),
                                      (uint8_t)size,
                                      type,
                                      flags,
                                      (uint8_t)(stream >> 24),
                                      (uint8_t)(stream >> 16),
                                      (uint8_t)(stream >> 8),
                                      (uint8_t)stream};
    buffer_append(b, head, sizeof(head));
}

static void send_all(const struct writer *w, struct buffer *b)
{
    if (buffer_failed(b) || write(w->fd, b->data, b->size) != (ssize_t)b->size)
        fail("etcd: cannot send");
    buffer_fini(b);
}

static void put_text(struct buffer *b, const char *text)
{
    uint8_t length = (uint8_t)strlen(text);
    buffer_append(b, &length, 1);
    buffer_append(b, text, length);
}

static void put_headers(struct buffer *b)
{
    static const uint8_t post_http[] = {0x83, 0x86}, path = 0x04, authority = 0x01,
                         content_type[] = {0x0f, 0x10}, literal = 0x00;
    buffer_append(b, post_http, 2);
    buffer_append(b, &path, 1);
    put_text(b, "/etcdserverpb.KV/Put");
    buffer_append(b, &authority, 1);
    put_text(b, "127.0.0.1");
    buffer_append(b, content_type, 2);
    put_text(b, "application/grpc");
    buffer_append(b, &literal, 1);
    put_text(b, "te");
    put_text(b, "trailers");
}

/* PutRequest { bytes key = 1; bytes value = 2; } behind gRPC's prefix. */
static void put_message(struct buffer *b, const struct writer *w)
{
    char key[32];
    uint64_t value[VALUE_SIZE / sizeof(uint64_t)] = {w->written};
    int length = snprintf(key, sizeof(key), "Writer%03u/Value", w->number);
    const uint8_t prefix[] = {0, 0, 0, 0, (uint8_t)(2 + length + 2 + VALUE_SIZE)};
    const uint8_t key_head[] = {0x0a, (uint8_t)length}, value_head[] = {0x12, VALUE_SIZE};
    buffer_append(b, prefix, sizeof(prefix));
    buffer_append(b, key_head, 2);
    buffer_append(b, key, (size_t)length);
    buffer_append(b, value_head, 2);
    buffer_append(b, value, VALUE_SIZE);
}

static void begin_put(struct writer *w)
{
    _cleanup_(buffer_fini) struct buffer b = {0}, headers = {0}, message = {0};
    w->stream += 2;
    w->written++;
    w->busy = true;
    w->answered = false;
    put_headers(&headers);
    put_message(&message, w);
    put_frame_head(&b, headers.size, FRAME_HEADERS, FLAG_END_HEADERS, w->stream);
    buffer_append(&b, headers.data, headers.size);
    put_frame_head(&b, message.size, FRAME_DATA, FLAG_END_STREAM, w->stream);
    buffer_append(&b, message.data, message.size);
    send_all(w, &b);
}

static void say_hello(struct writer *w)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static const uint8_t window[] = {0x3f, 0xff, 0x00, 0x00}; /* never to be renewed */
    struct buffer b = {0};
    buffer_append(&b, preface, sizeof(preface) - 1);
    put_frame_head(&b, 0, FRAME_SETTINGS, 0, 0);
    put_frame_head(&b, sizeof(window), FRAME_WINDOW_UPDATE, 0, 0);
    buffer_append(&b, window, sizeof(window));
    send_all(w, &b);
}

static void answer(struct writer *w, uint8_t type, const uint8_t *payload, size_t size)
{
    struct buffer b = {0};
    put_frame_head(&b, size, type, FLAG_ACK, 0);
    buffer_append(&b, payload, size);
    send_all(w, &b);
}

/* True: it ended the call. */
static bool take_frame(struct writer *w, const uint8_t *frame, size_t size)
{
    uint8_t type = frame[3], flags = frame[4];
    switch (type) {
    case FRAME_DATA:
        w->answered = true;
        break;
    case FRAME_HEADERS:
        if (!(flags & FLAG_END_STREAM))
            return false;
        if (!w->answered)
            fail("etcd: a put was refused");
        return true;
    case FRAME_SETTINGS:
        if (!(flags & FLAG_ACK))
            answer(w, FRAME_SETTINGS, NULL, 0);
        break;
    case FRAME_PING:
        if (!(flags & FLAG_ACK))
            answer(w, FRAME_PING, frame + FRAME_HEAD, size);
        break;
    case FRAME_RST_STREAM:
    case FRAME_GOAWAY:
        fail("etcd: ended the connection");
    default:
        break;
    }
    return false;
}

/* How many calls ended: 0 or 1. */
static unsigned receive(struct writer *w)
{
    unsigned ended = 0;
    ssize_t n = read(w->fd, w->in + w->have, sizeof(w->in) - w->have);
    if (n <= 0)
        fail("etcd: connection lost");
    w->have += (size_t)n;
    for (;;) {
        size_t size = (size_t)w->in[0] << 16 | (size_t)w->in[1] << 8 | w->in[2];
        if (w->have < FRAME_HEAD || w->have < FRAME_HEAD + size)
            return ended;
        ended += take_frame(w, w->in, size);
        w->have -= FRAME_HEAD + size;
        memmove(w->in, w->in + FRAME_HEAD + size, w->have);
    }
}

/* ---- all writers ---- */

static struct writer *make_writers(const struct etcd *e, unsigned count, int poll_fd)
{
    struct writer *writers = calloc(count, sizeof(*writers));
    if (!writers)
        fail("no memory");
    for (unsigned i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &writers[i]};
        writers[i].fd = connect_tcp(e->port);
        writers[i].number = i;
        writers[i].stream = UINT32_MAX; /* the first is 1 */
        say_hello(&writers[i]);
        if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, writers[i].fd, &event) < 0)
            fail("no epoll");
    }
    return writers;
}

void etcd_write(const struct etcd *e, unsigned writers, const _Atomic uint32_t *open,
                _Atomic uint64_t *done)
{
    int poll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct writer *all = make_writers(e, writers, poll_fd);
    unsigned busy = 0;

    for (;;) {
        struct epoll_event events[MOST_WRITERS];
        while (busy == 0 && atomic_load(open) == 0)
            futex_wait(open, 0, 1);
        for (unsigned i = 0; i < writers && atomic_load(open); i++) {
            if (all[i].busy)
                continue;
            begin_put(&all[i]);
            busy++;
        }
        int n = epoll_wait(poll_fd, events, MOST_WRITERS, -1);
        for (int i = 0; i < n; i++) {
            struct writer *w = events[i].data.ptr;
            if (receive(w) == 0)
                continue;
            w->busy = false;
            busy--;
            atomic_fetch_add(done, 1);
            if (atomic_load(open)) {
                begin_put(w);
                busy++;
            }
        }
    }
}
