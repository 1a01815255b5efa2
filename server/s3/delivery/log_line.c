/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of access logs; see log_line.h.
 */
#include "server/s3/delivery/log_line.h"

#include <ctype.h>
#include <stdio.h>

#include "server/auth/mask.h"

#define UNIQUE_TIME_BITS 20 /* for a second's microseconds */

/* ---- fields ------------------------------------------------------------------------------------ */

static void field(struct buf *out, struct str text)
{
    buf_char(out, ' ');
    buf_str(out, text.len > 0 ? text : STR("-"));
}

/* "-" when there is none. */
static void number(struct buf *out, bool known, uint64_t value)
{
    buf_char(out, ' ');
    if (known)
        buf_u64(out, value);
    else
        buf_char(out, '-');
}

static void quoted(struct buf *out, struct str text)
{
    buf_lit(out, " \"");
    if (text.len > 0)
        mask_line(out, text);
    else
        buf_char(out, '-');
    buf_char(out, '"');
}

/* [06/Feb/2019:00:00:38 +0000] */
static void moment(struct buf *out, int64_t us)
{
    char text[CLOCK_HTTP_LEN + 1]; /* Wed, 06 Feb 2019 00:00:38 GMT */

    clock_format_http(us, text);
    buf_printf(out, " [%.2s/%.3s/%.4s:%.8s +0000]", text + 5, text + 8, text + 12, text + 17);
}

/* Percent-encoded, and that once more: a blank is %2520. */
static void key_field(struct buf *out, struct str key)
{
    if (key.len == 0) {
        buf_lit(out, " -");
        return;
    }
    buf_char(out, ' ');
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.p[i];

        if (isalnum(c) || strchr("-._~/", c) != NULL)
            buf_char(out, (char)c);
        else
            buf_printf(out, "%%25%02X", c);
    }
}

/* Without the port. */
static struct str address_of(struct str remote)
{
    size_t colon = str_rfind_char(remote, ':');
    struct str address = colon == SIZE_MAX ? STR_NONE : str_slice(remote, 0, colon);

    return str_starts(address, STR("[")) ? str_slice(address, 1, address.len - 2) : address;
}

static void target_field(struct buf *out, const struct request_record *record)
{
    if (!str_present(record->method)) {
        buf_lit(out, " -");
        return;
    }
    buf_lit(out, " \"");
    buf_str(out, record->method);
    buf_char(out, ' ');
    mask_line(out, record->target);
    buf_char(out, ' ');
    buf_str(out, record->log->protocol);
    buf_char(out, '"');
}

static uint64_t ms_between(int64_t from_us, int64_t to_us)
{
    return to_us > from_us ? (uint64_t)(to_us - from_us) / 1000 : 0;
}

static void time_fields(struct buf *out, const struct request_record *record)
{
    int64_t taken_us = record->taken_us != 0 ? record->taken_us : record->started_us;

    number(out, true, ms_between(record->started_us, record->done_us));
    number(out, record->answered_us != 0, ms_between(taken_us, record->answered_us));
}

/* ---- lines ------------------------------------------------------------------------------------- */

static void begin(struct buf *out, const struct request_record *record,
                  const struct logged_bucket *bucket, struct str operation)
{
    buf_str(out, bucket->owner);
    field(out, bucket->name);
    moment(out, record->log->received_us);
    field(out, address_of(record->remote));
    field(out, record->log->requester);
    field(out, record->request_id);
    field(out, operation);
}

/* What follows the version. No access point is here. */
static void end(struct buf *out, const struct request_record *record)
{
    const struct log_facts *facts = record->log;

    field(out, facts->host_id);
    field(out, facts->signature_version);
    field(out, facts->cipher);
    field(out, facts->auth_type);
    field(out, record->host);
    field(out, facts->tls_version);
    buf_lit(out, " -");
    buf_str(out, record->allowed && record->by_acl ? STR(" Yes\n") : STR(" -\n"));
}

static void item_line(struct buf *out, const struct request_record *record,
                      const struct logged_item *item)
{
    begin(out, record, &record->log->bucket, STR("BATCH.DELETE.OBJECT"));
    key_field(out, item->key);
    buf_lit(out, " -");
    number(out, true, (uint64_t)item->status);
    field(out, item->code);
    buf_lit(out, " - - - - - -");
    field(out, item->version);
    end(out, record);
}

void log_line_of_request(struct buf *out, const struct request_record *record)
{
    const struct log_facts *facts = record->log;

    begin(out, record, &facts->bucket, facts->operation);
    key_field(out, record->key);
    target_field(out, record);
    number(out, record->status != 0, (uint64_t)record->status);
    field(out, record->code);
    number(out, record->bytes_out != 0, record->bytes_out);
    number(out, facts->has_object, facts->object_bytes);
    time_fields(out, record);
    quoted(out, facts->referer);
    quoted(out, record->user_agent);
    field(out, record->version);
    end(out, record);
    for (size_t i = 0; i < facts->item_count; i++)
        item_line(out, record, &facts->items[i]);
}

void log_line_of_source(struct buf *out, const struct request_record *record)
{
    const struct log_facts *facts = record->log;

    begin(out, record, &facts->source, STR("REST.COPY.OBJECT_GET"));
    key_field(out, facts->source_key);
    target_field(out, record);
    number(out, record->status != 0, (uint64_t)record->status);
    field(out, record->code);
    buf_lit(out, " -");
    number(out, true, facts->source_bytes);
    time_fields(out, record);
    quoted(out, facts->referer);
    quoted(out, record->user_agent);
    field(out, facts->source_version);
    end(out, record);
}

void log_line_of_deed(struct buf *out, const struct deed_record *record)
{
    buf_str(out, record->bucket.owner);
    field(out, record->bucket.name);
    moment(out, record->done_us);
    buf_lit(out, " - AmazonS3 -");
    field(out, record->operation);
    key_field(out, record->key);
    buf_lit(out, " \"-\" - - - - - - \"-\" \"-\"");
    field(out, record->version);
    buf_lit(out, " - - - - - - - -\n");
}

/* ---- keys -------------------------------------------------------------------------------------- */

void log_key(struct buf *out, const struct log_target *target, struct str source,
             struct str account, struct str region, int64_t now_us, int64_t event_us,
             uint64_t unique)
{
    char text[CLOCK_ISO8601_LEN + 1]; /* 2026-11-21T05:25:23.000Z */

    clock_format_iso8601(target->partition == LOG_BY_EVENT ? event_us : now_us, text);
    buf_str(out, target->prefix);
    if (target->partition != LOG_SIMPLE)
        buf_printf(out, "%.*s/%.*s/%.*s/%.4s/%.2s/%.2s/", STR_ARG(account), STR_ARG(region),
                   STR_ARG(source), text, text + 5, text + 8);
    /* A log of one day's events has that day, and no time. */
    if (target->partition == LOG_BY_EVENT)
        buf_printf(out, "%.10s-00-00-00", text);
    else
        buf_printf(out, "%.10s-%.2s-%.2s-%.2s", text, text + 11, text + 14, text + 17);
    /* Logs of one second are in order, too. */
    unique = unique >> UNIQUE_TIME_BITS | (uint64_t)(now_us % US_PER_S) << (64 - UNIQUE_TIME_BITS);
    buf_printf(out, "-%016llX", (unsigned long long)unique);
}
