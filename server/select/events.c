/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the event stream; see events.h. Numbers are big-endian, headers are strings (type 7).
 */
#include "server/select/events.h"

#include "base/digest/crc.h"

#define HEADER_TYPE_STRING 7

struct header {
    struct str name;
    struct str value;
};

static void put_number(struct buf *out, uint64_t number, unsigned bytes)
{
    while (bytes-- > 0)
        buf_char(out, (char)(number >> (8 * bytes) & 0xff));
}

/* The CRC of what was written since `from`. */
static void put_crc(struct buf *out, size_t from)
{
    if (!out->failed)
        put_number(out, crc_run(&crc_32, 0, out->p + from, out->len - from), 4);
}

static void message(struct buf *out, const struct header *headers, size_t count, struct str payload)
{
    size_t begin = out->len;
    size_t headers_len = 0;

    for (size_t i = 0; i < count; i++)
        headers_len += 1 + headers[i].name.len + 1 + 2 + headers[i].value.len;
    put_number(out, 12 + headers_len + payload.len + 4, 4);
    put_number(out, headers_len, 4);
    put_crc(out, begin);
    for (size_t i = 0; i < count; i++) {
        put_number(out, headers[i].name.len, 1);
        buf_str(out, headers[i].name);
        put_number(out, HEADER_TYPE_STRING, 1);
        put_number(out, headers[i].value.len, 2);
        buf_str(out, headers[i].value);
    }
    buf_str(out, payload);
    put_crc(out, begin);
}

static void event(struct buf *out, struct str type, struct str content_type, struct str payload)
{
    const struct header headers[] = {
        { STR(":message-type"), STR("event") },
        { STR(":event-type"), type },
        { STR(":content-type"), content_type },
    };

    message(out, headers, str_present(content_type) ? 3 : 2, payload);
}

void event_records(struct buf *out, struct str records)
{
    while (records.len > 0) {
        struct str some = str_slice(records, 0, EVENT_PAYLOAD_BYTES_MAX);

        event(out, STR("Records"), STR("application/octet-stream"), some);
        records = str_skip(records, some.len);
    }
}

void event_continuation(struct buf *out)
{
    event(out, STR("Cont"), STR_NONE, STR_NONE);
}

static void counts_event(struct buf *out, const char *type, const struct event_counts *counts)
{
    CLEANUP(buf_free) struct buf payload = BUF_WITH_MAX(EVENT_FRAME_BYTES_MAX);

    buf_printf(&payload,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?><%s><BytesScanned>%llu</BytesScanned>"
               "<BytesProcessed>%llu</BytesProcessed><BytesReturned>%llu</BytesReturned></%s>",
               type, (unsigned long long)counts->scanned, (unsigned long long)counts->processed,
               (unsigned long long)counts->returned, type);
    out->failed |= payload.failed;
    event(out, str_from_cstr(type), STR("text/xml"), buf_view(&payload));
}

void event_progress(struct buf *out, const struct event_counts *counts)
{
    counts_event(out, "Progress", counts);
}

void event_stats(struct buf *out, const struct event_counts *counts)
{
    counts_event(out, "Stats", counts);
}

void event_end(struct buf *out)
{
    event(out, STR("End"), STR_NONE, STR_NONE);
}

void event_error(struct buf *out, struct str code, struct str message_text)
{
    const struct header headers[] = {
        { STR(":message-type"), STR("error") },
        { STR(":error-code"), code },
        { STR(":error-message"), message_text },
    };

    message(out, headers, COUNT_OF(headers), STR_NONE);
}
