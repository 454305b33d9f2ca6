/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/macro.h"

/* For programs only; the library never logs. One line a message on stderr, "<N>" prefixed when
 * stderr is the journal, of the form `event key=value key=value`. Values with blanks are quoted by
 * the caller with log_quote(). */

enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

void log_set_level(enum log_level max);
int log_level_from_name(const char *name); /* "error", "warning", "info", "debug"; -EINVAL */
void log_write(enum log_level level, const char *format, ...) _printf_(2, 3);

/* `log_info("started name=%s", log_quote(name))`: valid to the end of the block. NULL gives "". */
#define LOG_QUOTE_SIZE 512
const char *log_quote_into(char out[LOG_QUOTE_SIZE], const char *value);
#define log_quote(value) log_quote_into((char[LOG_QUOTE_SIZE]){0}, (value))

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
