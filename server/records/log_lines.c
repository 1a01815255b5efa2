/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of the log for each request and each round of work; see log_lines.h.
 */
#include "server/records/log_lines.h"

#include "base/log.h"
#include "server/auth/mask.h"
#include "server/http/http.h"

#define LINE_BYTES_MAX 4096
#define HOST_BYTES_MAX 256
/* What is no bucket's name may be any piece of a request's target, and each byte masked. */
#define BUCKET_BYTES_MAX (2 * HTTP_TARGET_BYTES_MAX)

static void bucket_value(struct buf *line, const struct request_record *record)
{
    CLEANUP(buf_free) struct buf shown = BUF_WITH_MAX(BUCKET_BYTES_MAX);

    if (record->bucket.len == 0 || record->bucket_named) {
        log_value(line, record->bucket.len > 0 ? record->bucket : STR("-"));
        return;
    }
    mask_text(&shown, record->bucket);
    log_value(line, buf_view(&shown));
}

static void on_request(void *context, const struct request_record *record)
{
    CLEANUP(buf_free) struct buf line = BUF_WITH_MAX(LINE_BYTES_MAX);

    (void)context;
    if (record->unseen || !log_wants(LOG_LEVEL_INFO))
        return;

    buf_printf(&line, "req=%.*s op=", STR_ARG(record->request_id));
    buf_str(&line, record->name);
    buf_lit(&line, " bucket=");
    bucket_value(&line, record);
    if (record->store.len > 0) {
        buf_lit(&line, " store=");
        log_value(&line, record->store);
    }
    buf_printf(&line, " status=%d code=", record->status);
    buf_str(&line, str_present(record->code) ? record->code : STR("-"));
    buf_printf(&line, " ms=%.3f in=%llu out=%llu%s",
               (double)(record->done_us - record->started_us) / 1000.0,
               (unsigned long long)record->bytes_in, (unsigned long long)record->bytes_out,
               record->aborted ? " aborted=true" : "");
    if (str_present(record->why)) {
        buf_lit(&line, " why=");
        log_value(&line, record->why);
    }
    if (str_present(record->hint)) {
        buf_lit(&line, " host=");
        log_value(&line, str_slice(record->host, 0, HOST_BYTES_MAX));
        buf_lit(&line, " hint=");
        log_value(&line, record->hint);
    }
    log_info("%.*s", STR_ARG(buf_view(&line)));
}

static void on_work(void *context, struct str store, const struct work_record *record)
{
    CLEANUP(buf_free) struct buf line = BUF_WITH_MAX(LINE_BYTES_MAX);

    (void)context;
    if (!log_wants(LOG_LEVEL_DEBUG))
        return;

    buf_printf(&line, "work=%s", store_work_name(record->kind));
    if (store.len > 0) {
        buf_lit(&line, " store=");
        log_value(&line, store);
    }
    buf_printf(&line, " count=%llu bytes=%llu ms=%.3f", (unsigned long long)record->count,
               (unsigned long long)record->bytes, (double)record->took_us / 1000.0);
    if (record->unfinished)
        buf_lit(&line, " unfinished=true");
    buf_lit(&line, " status=");
    log_value(&line, str_from_cstr(store_status_name(record->status)));
    if (record->fault.text[0] != '\0') {
        buf_lit(&line, " why=");
        log_value(&line, str_from_cstr(record->fault.text));
    }
    log_debug("%.*s", STR_ARG(buf_view(&line)));
}

const struct observer log_lines = { .request = on_request, .work = on_work };
