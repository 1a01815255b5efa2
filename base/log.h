/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging: one line per event to stderr, one write per line.
 *
 * Layers below server/ never log above LOG_DEBUG. Values that came from a client are written
 * through log_value, which quotes and escapes them. Secrets are never passed here.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/text/buf.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
bool log_wants(enum log_level level);
/* "level message" with a timestamp. Any thread. */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
/* Append s in logfmt: bare when it needs no quotes, else quoted with \xNN escapes. */
void log_value(struct buf *out, struct str s);

#endif
