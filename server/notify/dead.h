/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dead letters: messages that nobody took, one JSON object a line, in the store's directory.
 *
 * (1) A line is on disk before its event is forgotten.
 * (2) The file grows to NOTIFY_DEAD_BYTES_MAX; then it becomes the older one, of which there is one.
 * Any thread.
 */
#ifndef SERVER_NOTIFY_DEAD_H
#define SERVER_NOTIFY_DEAD_H

#include "base/fault.h"
#include "server/notify/target.h"

#define NOTIFY_DEAD_FILE "dead-letters.jsonl"
#define NOTIFY_DEAD_FILE_OLDER "dead-letters.1.jsonl"
#define NOTIFY_DEAD_BYTES_MAX (16u * 1024u * 1024u)

struct notify_dead {
    int64_t time_us;
    const struct notify_target *target;
    uint64_t tries;
    struct str why;
    struct str message; /* JSON; STR_NONE: it was not kept, see lost */
    uint64_t lost;      /* so many events gave way unread */
};

/* dir_fd: the store's. False: it could not be written, and fault says why. */
MUST_CHECK bool notify_dead_add(int dir_fd, const struct notify_dead *dead, struct fault *fault);

#endif
