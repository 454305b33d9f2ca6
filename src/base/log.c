/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_SIZE 4096

static enum log_level level_most = LOG_LEVEL_INFO;
static pthread_once_t journal_once = PTHREAD_ONCE_INIT;
static bool to_journal;

void log_set_level(enum log_level max)
{
    __atomic_store_n(&level_most, max, __ATOMIC_RELAXED);
}

int log_level_from_name(const char *name)
{
    static const struct {
        const char *name;
        enum log_level level;
    } levels[] = {
        {"error", LOG_LEVEL_ERROR},
        {"warning", LOG_LEVEL_WARNING},
        {"info", LOG_LEVEL_INFO},
        {"debug", LOG_LEVEL_DEBUG},
    };

    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        if (strcmp(levels[i].name, name) == 0)
            return (int)levels[i].level;
    }
    return -EINVAL;
}

/* systemd names the stream that it gave us; stderr may have been redirected since. */
static void find_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat st;

    to_journal = stream && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
                 fstat(STDERR_FILENO, &st) == 0 && (uintmax_t)st.st_dev == device &&
                 (uintmax_t)st.st_ino == inode;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > __atomic_load_n(&level_most, __ATOMIC_RELAXED))
        return;
    pthread_once(&journal_once, find_journal);

    const int saved_errno = errno;
    char line[LINE_SIZE];
    size_t start = 0;
    if (to_journal)
        start = (size_t)snprintf(line, sizeof(line), "<%d>", (int)level);

    va_list args;
    va_start(args, format);
    int n = vsnprintf(line + start, sizeof(line) - start, format, args);
    va_end(args);
    if (n >= 0) {
        size_t size = MIN(start + (size_t)n, sizeof(line) - 1);
        for (size_t i = start; i < size; i++) {
            if (line[i] == '\n')
                line[i] = ' ';
        }
        line[size++] = '\n';
        /* One write, so that lines of several threads do not mix. Where the log itself cannot be
         * written there is nowhere left to say so. */
        ssize_t written = write(STDERR_FILENO, line, size);
        (void)written;
    }
    errno = saved_errno;
}

const char *log_quote_into(char out[LOG_QUOTE_SIZE], const char *value)
{
    static const char cut[] = "...\"";
    size_t at = 0;

    out[at++] = '"';
    for (const char *p = value ? value : ""; *p; p++) {
        const bool escape = *p == '"' || *p == '\\';
        if (at + escape + 1 + sizeof(cut) > LOG_QUOTE_SIZE) {
            memcpy(out + at, cut, sizeof(cut));
            return out;
        }
        if (escape)
            out[at++] = '\\';
        out[at++] = (unsigned char)*p < 0x20 || *p == 0x7F ? ' ' : *p;
    }
    out[at++] = '"';
    out[at] = '\0';
    return out;
}
