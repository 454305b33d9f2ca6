/* SPDX-License-Identifier: MIT */
#include "history/recorder.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Neither a lock nor a C library call that a sanitizer watches stands between two threads here: the
 * recorder must not order what the recorded program leaves unordered. A line is one write to a file
 * opened for appending, so a killed program leaves whole lines. */

#define HIGH_FD 600 /* out of the way of programs that count on low numbers */
#define TEXT_MOST 200

static int lines_fd = -1;
static char file_start[512];
static size_t wide_size = sizeof(int);
static _Atomic uint64_t last_call;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void write_whole(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        long n = syscall(SYS_write, fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            abort(); /* a history with holes would accuse the innocent */
        at += n;
        size -= (size_t)n;
    }
}

int open_history(const char *ending)
{
    char path[600];
    snprintf(path, sizeof(path), "%s.%s", file_start, ending);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (high < 0)
        return fd;
    close(fd);
    return high;
}

/* What a program opens while it runs (Python its SQLite) is not among what comes next. */
void *find_next(const char *function)
{
    static const char *const libraries[] = {"libsqlite3.so.0", "libclusapi.so.0",
                                            "libclusapi-w16.so.0"};
    void *found = dlsym(RTLD_NEXT, function);
    for (size_t i = 0; !found && i < sizeof(libraries) / sizeof(*libraries); i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        if (library)
            found = dlsym(library, function);
    }
    if (!found)
        abort();
    return found;
}

static bool is_program(const char *name)
{
    return strcmp(program_invocation_short_name, name) == 0;
}

__attribute__((constructor)) static void begin_history(void)
{
    int saved = errno;
    const char *folder = getenv("CLUSPORT_HISTORY");
    bool service = is_program("clusportd");
    if (!folder || (!service && !dlsym(RTLD_NEXT, "OpenCluster")))
        return;
    if (dlsym(RTLD_NEXT, "clusapi_wchar_is_16_bits"))
        wide_size = 2;
    snprintf(file_start, sizeof(file_start), "%s/%s-%d-%llu", folder, program_invocation_short_name,
             getpid(), (unsigned long long)now_ns());
    lines_fd = open_history("history");
    if (lines_fd < 0)
        abort();
    if (service)
        record_service_start();
    errno = saved;
}

bool is_recording(void)
{
    return lines_fd >= 0;
}

/* ---- lines ---- */

static void add(struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->text + l->used, sizeof(l->text) - l->used, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(l->text) - l->used)
        abort();
    l->used += (size_t)n;
}

static void add_head(struct line *l)
{
    l->used = 0;
    add(l, "{\"t\":%llu,\"p\":%d,\"n\":%llu", (unsigned long long)now_ns(), getpid(),
        (unsigned long long)l->call);
}

void line_begin(struct line *l, const char *function)
{
    l->call = atomic_fetch_add_explicit(&last_call, 1, memory_order_relaxed) + 1;
    add_head(l);
    add(l, ",\"i\":%d,\"f\":\"%s\"", gettid(), function);
}

void line_end(struct line *l, uint64_t result)
{
    add_head(l);
    add(l, ",\"r\":%llu", (unsigned long long)result);
}

void line_write(struct line *l)
{
    add(l, "}\n");
    write_whole(lines_fd, l->text, l->used);
}

void put_number(struct line *l, const char *name, uint64_t value)
{
    add(l, ",\"%s\":%llu", name, (unsigned long long)value);
}

void put_handle(struct line *l, const char *name, const void *handle)
{
    put_number(l, name, (uintptr_t)handle);
}

void put_bytes(struct line *l, const char *name, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    put_number(l, "size", size);
    if (size > BYTES_MOST)
        return;
    add(l, ",\"%s\":\"", name);
    for (size_t i = 0; data && i < size; i++)
        add(l, "%02x", bytes[i]);
    add(l, "\"");
}

static void add_character(struct line *l, uint32_t c)
{
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
        add(l, "%c", (char)c);
    else if (c < 0x10000)
        add(l, "\\u%04x", c);
    else if (c < 0x110000)
        add(l, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
    else
        add(l, "\\ufffd");
}

static uint32_t wide_at(const void *text, size_t at)
{
    return wide_size == 2 ? ((const uint16_t *)text)[at] : ((const uint32_t *)text)[at];
}

void put_wide(struct line *l, const char *name, const void *text)
{
    if (!text)
        return;
    add(l, ",\"%s\":\"", name);
    for (size_t i = 0, count = 0;; i++) {
        uint32_t c = wide_at(text, i);
        count += c < 0xdc00 || c > 0xdfff;
        if (c == 0 || count > TEXT_MOST)
            break;
        add_character(l, c);
    }
    add(l, "\"");
}

void put_plain(struct line *l, const char *name, const char *text)
{
    if (!text)
        return;
    add(l, ",\"%s\":\"", name);
    for (size_t i = 0; text[i] && i < TEXT_MOST; i++)
        add_character(l, (unsigned char)text[i]);
    add(l, "\"");
}

size_t recorded_wide_size(void)
{
    return wide_size;
}
