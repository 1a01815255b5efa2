/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of access logs that wait to be delivered, in memory, and what they are sorted by.
 *
 * (1) At most LOG_LINES_BYTES_MAX of them; what does not fit is counted, and lost.
 * (2) Memory is taken by the first lines and used again: then none is allocated.
 * (3) Lines that go into one object are one group: of one source bucket, to one place, and where the place
 *     asks for it of one day.
 *
 * Whoever calls holds what keeps others away.
 */
#ifndef SERVER_S3_DELIVERY_LOG_LINES_H
#define SERVER_S3_DELIVERY_LOG_LINES_H

#include "base/text/buf.h"
#include "server/records/record.h"

#define LOG_LINES_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define LOG_LINES_BYTES_URGENT (LOG_LINES_BYTES_MAX / 2) /* more are delivered before their time */

struct log_lines {
    struct buf bytes;
    uint64_t lost; /* lines */
};

void log_lines_init(struct log_lines *lines);
void log_lines_free(struct log_lines *lines);
void log_lines_clear(struct log_lines *lines); /* keeps the memory */
/* All that a request has to tell. */
void log_lines_add(struct log_lines *lines, const struct request_record *record);
void log_lines_add_deed(struct log_lines *lines, const struct deed_record *record);

/* What lines of one object have in common. Texts are those of the lines. */
struct log_group {
    struct str store;
    struct str source, owner; /* bucket, canonical id */
    struct log_target target;
    int64_t event_us; /* some time of the day, where they are of one */
};

/*
 * Take lines out, group by group: nothing is added meanwhile.
 *
 * log_lines_group  the next group, from *first (0 in the beginning) on; false: there is none any more.
 * log_lines_next   its next line, from *at (*first in the beginning) on; STR_NONE: there is none any more.
 */
MUST_CHECK bool log_lines_group(const struct log_lines *lines, size_t *first,
                                struct log_group *ret_group);
struct str log_lines_next(struct log_lines *lines, size_t first, size_t *at);

#endif
