/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cause of a failure, carried explicitly by the caller.
 *
 * A struct fault belongs to the request or command that may fail; functions that can fail take it
 * as their last argument, may be given NULL, and fill it only when they fail. The first cause is
 * kept: a later fault_set on a filled struct leaves it alone.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/scope.h"

#define FAULT_TEXT_MAX 320

struct fault {
    int os_errno; /* 0 when the cause is not a system call */
    char text[FAULT_TEXT_MAX];
};

/*
 * Record a cause and hand back `status`, so that a refusal is one statement.
 *
 * fault   may be NULL. status is returned unchanged. Any thread.
 */
int fault_set(struct fault *fault, int status, const char *format, ...) PRINTF_LIKE(3, 4);

/* As fault_set, with ": strerror(errno)" appended and os_errno kept. errno is preserved. */
int fault_errno(struct fault *fault, int status, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * The same by the type of what is handed back: for functions that return bool, and for those that
 * return nothing. Below storage/ there is store_fault (storage/model.h).
 */
#define fault_false(fault, ...) ((void)fault_set((fault), 0, __VA_ARGS__), false)
#define fault_errno_false(fault, ...) ((void)fault_errno((fault), 0, __VA_ARGS__), false)
#define fault_note(fault, ...) ((void)fault_set((fault), 0, __VA_ARGS__))
#define fault_errno_note(fault, ...) ((void)fault_errno((fault), 0, __VA_ARGS__))

#endif
