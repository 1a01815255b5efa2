/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that wait; see log_lines.h.
 *
 * Each is stored as a head, the texts of its group, and itself. Two are of one group if all between their
 * heads' `taken` and the line is the same.
 */
#include "server/s3/delivery/log_lines.h"

#include <string.h>

#include "server/s3/delivery/log_line.h"

struct head {
    uint32_t bytes; /* with the head */
    uint32_t taken; /* it is in no group any more */
    /* from here on: the group */
    int64_t day; /* since 1970; 0 where it does not count */
    uint32_t partition;
    uint32_t group_bytes;                          /* of the texts */
    uint16_t store, source, owner, target, prefix; /* bytes of each */
    uint16_t unused[3];
};
#define GROUP_AT offsetof(struct head, day)

void log_lines_init(struct log_lines *lines)
{
    *lines = (struct log_lines){ .bytes = BUF_WITH_MAX(LOG_LINES_BYTES_MAX) };
}

void log_lines_free(struct log_lines *lines)
{
    buf_free(&lines->bytes);
}

void log_lines_clear(struct log_lines *lines)
{
    buf_clear(&lines->bytes);
    lines->lost = 0;
}

/* ---- in ---------------------------------------------------------------------------------------- */

/* What the next line is of. Nothing is said of it yet where it does not fit. */
static struct head begin(struct log_lines *lines, struct str store,
                         const struct logged_bucket *bucket, int64_t us)
{
    const struct log_target *target = bucket->target;
    struct head head = {
        .day = target->partition == LOG_BY_EVENT ? us / US_PER_DAY : 0,
        .partition = (uint32_t)target->partition,
        .store = (uint16_t)store.len,
        .source = (uint16_t)bucket->name.len,
        .owner = (uint16_t)bucket->owner.len,
        .target = (uint16_t)target->bucket.len,
        .prefix = (uint16_t)target->prefix.len,
    };

    head.group_bytes = (uint32_t)head.store + head.source + head.owner + head.target + head.prefix;
    buf_append(&lines->bytes, &head, sizeof(head));
    buf_str(&lines->bytes, store);
    buf_str(&lines->bytes, bucket->name);
    buf_str(&lines->bytes, bucket->owner);
    buf_str(&lines->bytes, target->bucket);
    buf_str(&lines->bytes, target->prefix);
    return head;
}

/* at: where it began. */
static void end(struct log_lines *lines, size_t at, struct head *head)
{
    if (lines->bytes.failed) {
        lines->bytes.len = at;
        lines->bytes.failed = false;
        lines->lost++;
        return;
    }
    head->bytes = (uint32_t)(lines->bytes.len - at);
    memcpy(lines->bytes.p + at, head, sizeof(*head));
}

void log_lines_add(struct log_lines *lines, const struct request_record *record)
{
    size_t at = lines->bytes.len;
    struct head head;

    if (record->log->bucket.target != NULL) {
        head = begin(lines, record->store, &record->log->bucket, record->log->received_us);
        log_line_of_request(&lines->bytes, record);
        end(lines, at, &head);
    }
    at = lines->bytes.len;
    if (record->log->source.target != NULL) {
        head = begin(lines, record->store, &record->log->source, record->log->received_us);
        log_line_of_source(&lines->bytes, record);
        end(lines, at, &head);
    }
}

void log_lines_add_deed(struct log_lines *lines, const struct deed_record *record)
{
    size_t at = lines->bytes.len;
    struct head head = begin(lines, record->store, &record->bucket, record->done_us);

    log_line_of_deed(&lines->bytes, record);
    end(lines, at, &head);
}

/* ---- out --------------------------------------------------------------------------------------- */

static struct head head_at(const struct log_lines *lines, size_t at)
{
    struct head head;

    memcpy(&head, lines->bytes.p + at, sizeof(head));
    return head;
}

static struct str cut(const char **at, size_t len)
{
    struct str text = str_make(*at, len);

    *at += len;
    return text;
}

bool log_lines_group(const struct log_lines *lines, size_t *first, struct log_group *ret_group)
{
    struct head head = { 0 };
    const char *text;

    for (; *first < lines->bytes.len; *first += head.bytes) {
        head = head_at(lines, *first);
        if (head.taken == 0)
            break;
    }
    if (*first >= lines->bytes.len)
        return false;
    text = lines->bytes.p + *first + sizeof(head);
    ret_group->store = cut(&text, head.store);
    ret_group->source = cut(&text, head.source);
    ret_group->owner = cut(&text, head.owner);
    ret_group->target.bucket = cut(&text, head.target);
    ret_group->target.prefix = cut(&text, head.prefix);
    ret_group->target.partition = (enum log_partition)head.partition;
    ret_group->event_us = head.day * US_PER_DAY;
    return true;
}

static bool of_one_group(const struct log_lines *lines, size_t a, size_t b, size_t group_bytes)
{
    return memcmp(lines->bytes.p + a + GROUP_AT, lines->bytes.p + b + GROUP_AT,
                  sizeof(struct head) - GROUP_AT + group_bytes) == 0;
}

struct str log_lines_next(struct log_lines *lines, size_t first, size_t *at)
{
    while (*at < lines->bytes.len) {
        size_t here = *at;
        struct head head = head_at(lines, here);
        size_t skip = sizeof(head) + head.group_bytes;

        *at += head.bytes;
        if (head.taken != 0 || !of_one_group(lines, first, here, head.group_bytes))
            continue;
        head.taken = 1;
        memcpy(lines->bytes.p + here, &head, sizeof(head));
        return str_make(lines->bytes.p + here + skip, head.bytes - skip);
    }
    return STR_NONE;
}
