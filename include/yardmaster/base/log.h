/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log: one line a call, to one sink for the process. What is written is
 * escaped (text.h), so it may hold text from a host.
 */
#ifndef YARDMASTER_BASE_LOG_H
#define YARDMASTER_BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

typedef void (*log_sink_fn)(void *arg, enum log_level level, const char *line);

/* Sends lines up to level to fn instead of standard error; NULL restores. */
void log_to(log_sink_fn fn, void *arg);

/* Sets the most talkative level that is written (default LOG_WARNING). */
void log_set_level(enum log_level level);

/* Writes one line; a final newline is not wanted. Keeps errno. */
void log_write(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
