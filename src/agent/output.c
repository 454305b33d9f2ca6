/* SPDX-License-Identifier: MIT */
#include "agent/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"

#define READ_SIZE 4096
#define DRAIN_LIMIT ((size_t)256 << 10) /* against one that prints faster than we read */
#define EXIT_REASON "ocf-exit-reason:"

static void end_line(struct output *o)
{
    o->line[o->length] = '\0';
    o->length = 0;
    if (!o->line[0])
        return;
    text_make_utf8(o->line);
    o->lines++;
    if (strncmp(o->line, EXIT_REASON, strlen(EXIT_REASON)) == 0)
        snprintf(o->reason, sizeof(o->reason), "%s", o->line + strlen(EXIT_REASON));
    memcpy(o->last, o->line, sizeof(o->last));
    if (o->lines <= OUTPUT_MAX_LINES)
        log_info("agent resource=%s operation=%s line=%s", log_quote(o->resource), o->operation,
                 log_quote(o->line));
    else if (o->lines == OUTPUT_MAX_LINES + 1)
        log_warning("agent_output_cut resource=%s operation=%s lines=%d", log_quote(o->resource),
                    o->operation, OUTPUT_MAX_LINES);
}

static void take(struct output *o, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n' || data[i] == '\r')
            end_line(o);
        else if (o->length < sizeof(o->line) - 1 && data[i])
            o->line[o->length++] = data[i];
    }
}

/* Bytes read; 0 when there are none now, or never again. */
static size_t read_some(struct output *o, bool *ret_closed)
{
    char data[READ_SIZE];
    ssize_t n;

    do
        n = read(o->fd, data, sizeof(data));
    while (n < 0 && errno == EINTR);
    *ret_closed = n == 0 || (n < 0 && errno != EAGAIN);
    if (n <= 0)
        return 0;
    take(o, data, (size_t)n);
    return (size_t)n;
}

static void close_all(struct output *o)
{
    o->source = sd_event_source_disable_unref(o->source);
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct output *o = userdata;
    bool closed;

    (void)source;
    (void)fd;
    (void)events;
    read_some(o, &closed);
    if (closed)
        close_all(o);
    return 0;
}

int output_open(struct output *o, sd_event *loop, int *ret_write)
{
    int fds[2], r;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    o->fd = fds[0];
    /* Only our end: the agent's must block as any program expects. */
    r = fcntl(o->fd, F_SETFL, O_NONBLOCK) < 0
            ? -errno
            : sd_event_add_io(loop, &o->source, o->fd, EPOLLIN, on_output, o);
    if (r < 0) {
        close(fds[1]);
        close_all(o);
        return r;
    }
    *ret_write = fds[1];
    return 0;
}

void output_drain(struct output *o)
{
    bool closed = o->fd < 0;

    for (size_t total = 0, n = 1; !closed && n > 0 && total < DRAIN_LIMIT; total += n)
        n = read_some(o, &closed);
    end_line(o);
    close_all(o);
}

const char *output_detail(const struct output *o)
{
    return o->reason[0] ? o->reason : o->last;
}

void output_fini(struct output *o)
{
    close_all(o);
}
