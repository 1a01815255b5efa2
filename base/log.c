/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging: one line per event to stderr; see log.h.
 *
 * A line is built on the stack and leaves in one write, so lines of several threads do not mix.
 * A line longer than LINE_MAX_BYTES is cut and ends in "...".
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_MAX_BYTES 8192

static _Atomic int log_level_now = LOG_LEVEL_INFO;

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level_now, (int)level, memory_order_relaxed);
}

bool log_wants(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

void log_line(enum log_level level, const char *format, ...)
{
    int saved_errno = errno;
    char when[CLOCK_ISO8601_LEN + 1];
    char line[LINE_MAX_BYTES];
    size_t room = sizeof(line) - 1; /* one for the line feed, which replaces the NUL */
    size_t len;
    va_list args;
    int wanted;

    if (!log_wants(level))
        return;

    clock_format_iso8601(clock_now_us(&clock_of_system), when);
    len = (size_t)snprintf(line, room, "%s %s ", when, level_names[level]);

    va_start(args, format);
    wanted = vsnprintf(line + len, room - len, format, args);
    va_end(args);
    if (wanted < 0)
        return;

    if ((size_t)wanted >= room - len) {
        len = room - 1;
        memcpy(line + len - 3, "...", 3);
    } else {
        len += (size_t)wanted;
    }

    /* A message is one line whatever its arguments hold. */
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    }
    line[len++] = '\n';

    /* There is nobody left to tell when stderr fails. */
    while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
        ;
    errno = saved_errno;
}

static bool value_is_bare(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=')
            return false;
    }

    return s.len > 0;
}

void log_value(struct buf *out, struct str s)
{
    static const char digits[] = "0123456789abcdef";

    if (value_is_bare(s)) {
        buf_str(out, s);
        return;
    }

    buf_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char escape[4] = { '\\', 'x', digits[c >> 4], digits[c & 15] };

        if (c == '"' || c == '\\') {
            buf_char(out, '\\');
            buf_char(out, (char)c);
        } else if (c < ' ' || c > '~') {
            buf_append(out, escape, sizeof(escape));
        } else {
            buf_char(out, (char)c);
        }
    }
    buf_char(out, '"');
}
