/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cause of a failure: see fault.h. The text is cut, never lost, when it is too long.
 */
#include "base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool fault_filled(const struct fault *fault)
{
    return fault->os_errno != 0 || fault->text[0] != '\0';
}

int fault_set(struct fault *fault, int status, const char *format, ...)
{
    int saved_errno = errno;
    va_list args;

    if (fault == NULL || fault_filled(fault))
        return status;

    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);

    errno = saved_errno;
    return status;
}

int fault_errno(struct fault *fault, int status, const char *format, ...)
{
    int saved_errno = errno;
    char reason_space[80];
    const char *reason;
    size_t reason_len;
    size_t len;
    va_list args;

    if (fault == NULL || fault_filled(fault))
        return status;

    reason = strerror_r(saved_errno, reason_space, sizeof(reason_space));
    reason_len = strnlen(reason, sizeof(reason_space));

    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);

    /* A long subject gives way to the reason: without it the text says nothing. */
    len = size_min(strlen(fault->text), sizeof(fault->text) - 3 - reason_len);
    (void)snprintf(fault->text + len, sizeof(fault->text) - len, ": %.*s", (int)reason_len, reason);
    fault->os_errno = saved_errno;

    errno = saved_errno;
    return status;
}
