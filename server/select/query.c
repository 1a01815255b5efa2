/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A query that runs: blocks in, records out of them, rows of those, events out. See select.h.
 */
#include "base/memory.h"
#include "server/select/events.h"
#include "server/select/json.h"
#include "server/select/rows.h"
#include "server/select/select.h"

#define BLOCK_BYTES (64u * 1024u)
#define IN_BYTES_MAX (VALUE_RECORD_BYTES_MAX + 2 * BLOCK_BYTES)
#define ROWS_BYTES_MAX (VALUE_RECORD_BYTES_MAX + 2 * SELECT_ROWS_BYTES)
#define EVENTS_BYTES_MAX (ROWS_BYTES_MAX + 8 * EVENT_FRAME_BYTES_MAX)
#define ARENA_FIRST_BYTES (16u * 1024u)

struct select_query {
    struct select_settings settings;
    struct select_source source;
    struct unpack *unpack;
    struct arena *arena;        /* of the statement and the header */
    struct arena *record_arena; /* of one record */
    struct rows rows;
    struct event_counts counts;

    struct buf in;     /* decompressed */
    size_t taken;      /* bytes of in that are behind us */
    uint64_t place;    /* of in's first byte, in the object as it is decompressed */
    bool ended;        /* nothing comes behind in */
    bool skipping;     /* to the end of the record that began before the range */
    bool header_known; /* the first record was looked at, where it is a header */
    struct str *names; /* of the columns */
    size_t name_count;
    struct csv_scan csv;
    struct json_scan json;

    struct buf made; /* rows */
    struct buf out;  /* events */
    size_t sent;     /* of out */
    bool over;       /* the last event is in out */
    bool source_failed;
    uint64_t lacked_before; /* mem_lacked when it was opened */
};

/* ---- open and close ----------------------------------------------------------------------------- */

void select_close(struct select_query *query)
{
    if (query == NULL)
        return;
    unpack_close(query->unpack);
    arena_close(query->arena);
    arena_close(query->record_arena);
    buf_free(&query->in);
    buf_free(&query->made);
    buf_free(&query->out);
    mem_free(query);
}

static enum s3_error open_parts(struct select_query *query)
{
    query->unpack = unpack_open(query->settings.compression);
    query->arena = arena_open(ARENA_FIRST_BYTES, SELECT_STATEMENT_MEMORY);
    query->record_arena = arena_open(ARENA_FIRST_BYTES, SELECT_RECORD_MEMORY);
    if (query->unpack == NULL || query->arena == NULL || query->record_arena == NULL)
        return S3_SlowDown;
    query->in = BUF_WITH_MAX(IN_BYTES_MAX);
    query->made = BUF_WITH_MAX(ROWS_BYTES_MAX);
    query->out = BUF_WITH_MAX(EVENTS_BYTES_MAX);
    query->rows.arena = query->record_arena;
    query->rows.out = &query->made;
    return rows_open(&query->rows, &query->settings, query->arena);
}

enum s3_error select_open(const struct select_settings *settings, struct select_query **ret_query)
{
    struct select_query *query = mem_zalloc(sizeof(*query));
    enum s3_error err;

    if (query == NULL)
        return S3_SlowDown;
    query->settings = *settings;
    query->lacked_before = mem_lacked();
    err = open_parts(query);
    if (err != S3_OK) {
        select_close(query);
        return err;
    }
    *ret_query = query;
    return S3_OK;
}

static struct str record_end(const struct select_settings *settings)
{
    return settings->input == SELECT_CSV ? settings->read.record : STR("\n");
}

/* A header stands at the object's begin, wherever the range does. */
static bool reads_from_begin(const struct select_settings *settings)
{
    return !settings->has_range || settings->range_begin == 0 ||
           (settings->input == SELECT_CSV && settings->header != SELECT_HEADER_NONE);
}

/* The end of the record before tells that one begins with the range. */
uint64_t select_first_byte(const struct select_settings *settings)
{
    size_t before = record_end(settings).len;

    if (reads_from_begin(settings) || settings->range_begin < before)
        return 0;
    return settings->range_begin - before;
}

void select_start(struct select_query *query, const struct select_source *source)
{
    query->source = *source;
    query->place = select_first_byte(&query->settings);
    query->skipping = !reads_from_begin(&query->settings) &&
                      query->settings.range_begin >= record_end(&query->settings).len;
}

/* ---- records ------------------------------------------------------------------------------------ */

/* Read a block behind what is left of in. */
static enum s3_error fill(struct select_query *query)
{
    struct buf *in = &query->in;
    enum s3_error err;
    size_t got;

    if (query->taken > 0) {
        memmove(in->p, in->p + query->taken, in->len - query->taken);
        in->len -= query->taken;
        query->place += query->taken;
        query->taken = 0;
    }
    if (in->len > VALUE_RECORD_BYTES_MAX)
        return S3_OverMaxRecordSize;
    if (!buf_reserve(in, BLOCK_BYTES))
        return S3_SlowDown;
    err = unpack_read(query->unpack, &query->source, in->p + in->len, BLOCK_BYTES, &got,
                      &query->ended);
    query->source_failed = err == S3_InternalError;
    if (err != S3_OK)
        return err;
    in->len += got;
    query->counts.processed += got;
    query->counts.scanned = unpack_scanned(query->unpack);
    return S3_OK;
}

/* The next record in `in`, without its end. False: it is not whole yet. */
static bool find_record(struct select_query *query, struct str *ret_record)
{
    struct str left = str_skip(buf_view(&query->in), query->taken);
    size_t len = left.len;
    size_t used = left.len;
    bool found;

    if (query->settings.input == SELECT_JSON && !query->skipping) {
        found = json_scan(&query->json, left);
        if (found)
            len = used = query->json.at;
    } else {
        struct csv_format lines = query->settings.read;

        lines.record = record_end(&query->settings);
        found = csv_scan(&query->csv, &lines, left, &len);
        if (found)
            used = query->csv.at;
    }
    if (!found && (!query->ended || left.len == 0))
        return false;
    *ret_record = str_slice(left, 0, len);
    query->taken += used;
    query->csv = (struct csv_scan){ 0 };
    query->json = (struct json_scan){ 0 };
    return true;
}

/* Names of the columns, copied: the record goes. */
static enum s3_error keep_header(struct select_query *query, const struct value *header)
{
    query->name_count = header->count;
    query->names = arena_array(query->arena, header->count, sizeof(*query->names));
    if (query->names == NULL)
        return S3_OverMaxColumn;
    for (size_t i = 0; i < header->count; i++) {
        query->names[i] = arena_dup(query->arena, header->items[i].text);
        if (!str_present(query->names[i]))
            return S3_OverMaxColumn;
    }
    return S3_OK;
}

/* Columns beyond the header's are called by their numbers. */
static enum s3_error name_columns(struct select_query *query, struct value *record)
{
    struct str *names = query->names;

    if (query->names == NULL)
        return S3_OK;
    if (record->count > query->name_count) {
        names = arena_array(query->record_arena, record->count, sizeof(*names));
        if (names == NULL)
            return S3_OverMaxColumn;
        for (size_t i = 0; i < record->count; i++) {
            names[i] = i < query->name_count ? query->names[i]
                                             : arena_printf(query->record_arena, "_%zu", i + 1);
            if (!str_present(names[i]))
                return S3_OverMaxColumn;
        }
    }
    record->names = names;
    return S3_OK;
}

static enum s3_error take_csv(struct select_query *query, struct str text, bool in_range)
{
    const struct csv_format *format = &query->settings.read;
    struct value record;
    enum s3_error err;

    if (text.len == 0 || (format->comment != '\0' && text.p[0] == format->comment))
        return S3_OK;
    if (!query->header_known) {
        query->header_known = true;
        if (query->settings.header == SELECT_HEADER_USE) {
            err = csv_read(format, text, query->record_arena, &record);
            if (err == S3_OK)
                err = keep_header(query, &record);
            if (err != S3_OK)
                return err;
        }
        err = rows_bind(&query->rows, query->names, query->name_count);
        if (err != S3_OK || query->settings.header != SELECT_HEADER_NONE)
            return err;
    }
    if (!in_range)
        return S3_OK;
    err = csv_read(format, text, query->record_arena, &record);
    if (err == S3_OK)
        err = name_columns(query, &record);
    return err == S3_OK ? rows_take(&query->rows, &record) : err;
}

/* Blanks before a value. */
static size_t leading_blanks(struct str text)
{
    size_t blanks = 0;

    while (blanks < text.len && text.p[blanks] != '\0' && strchr(" \t\r\n", text.p[blanks]) != NULL)
        blanks++;
    return blanks;
}

static enum s3_error take_json(struct select_query *query, struct str text)
{
    struct value record;
    enum s3_error err;

    if (text.len == 0)
        return S3_OK;
    err = json_read(text, query->record_arena, &record);
    return err == S3_OK ? rows_take(&query->rows, &record) : err;
}

static enum s3_error take_record(struct select_query *query, struct str text, uint64_t begin)
{
    const struct select_settings *settings = &query->settings;

    if (query->skipping) {
        query->skipping = false;
        return S3_OK;
    }
    if (settings->input == SELECT_JSON) {
        size_t blanks = leading_blanks(text);

        text = str_skip(text, blanks);
        begin += blanks;
    }
    if (settings->has_range && begin > settings->range_end) {
        query->rows.done = true;
        return S3_OK;
    }
    if (text.len > VALUE_RECORD_BYTES_MAX)
        return S3_OverMaxRecordSize;
    arena_reset(query->record_arena);
    if (settings->input == SELECT_JSON)
        return take_json(query, text);
    return take_csv(query, text, !settings->has_range || begin >= settings->range_begin);
}

/* ---- events ------------------------------------------------------------------------------------- */

static void send_rows(struct select_query *query)
{
    if (query->made.len == 0)
        return;
    query->counts.returned += query->made.len;
    event_records(&query->out, buf_view(&query->made));
    buf_clear(&query->made);
}

static enum s3_error finish(struct select_query *query)
{
    enum s3_error err = S3_OK;

    /* Whom the statement means is told of an object without records too. */
    if (!query->header_known && query->settings.input == SELECT_CSV &&
        query->settings.header == SELECT_HEADER_NONE)
        err = rows_bind(&query->rows, NULL, 0);
    if (err == S3_OK)
        err = rows_finish(&query->rows);
    if (err != S3_OK)
        return err;
    send_rows(query);
    if (query->settings.progress)
        event_progress(&query->out, &query->counts);
    event_stats(&query->out, &query->counts);
    event_end(&query->out);
    query->over = true;
    return S3_OK;
}

/* Records until the step is long enough, rows enough are made, or none are left. */
static enum s3_error run(struct select_query *query)
{
    const uint64_t begun = query->counts.processed;
    const uint64_t work = query->rows.work;

    while (query->counts.processed - begun < SELECT_STEP_BYTES &&
           query->rows.work - work < SELECT_STEP_WORK && query->made.len < SELECT_ROWS_BYTES) {
        uint64_t begin = query->place + query->taken;
        struct str record;
        enum s3_error err;

        if (query->rows.done)
            return finish(query);
        if (find_record(query, &record))
            err = take_record(query, record, begin);
        else if (query->ended)
            return finish(query);
        else
            err = fill(query);
        if (err != S3_OK)
            return err;
    }
    return S3_OK;
}

enum s3_error select_step(struct select_query *query)
{
    enum s3_error err;

    if (query->sent == query->out.len) {
        buf_clear(&query->out);
        query->sent = 0;
    }
    if (query->over || query->out.len > 0)
        return S3_OK;
    err = run(query);
    if (err == S3_OK && !query->over) {
        bool silent = query->made.len == 0;

        send_rows(query);
        if (query->settings.progress)
            event_progress(&query->out, &query->counts);
        else if (silent)
            event_continuation(&query->out);
    }
    if (err == S3_OK && query->out.failed)
        err = S3_SlowDown;
    /* What could not be had looks like what is too large. */
    if (err != S3_OK && err != S3_InternalError && mem_lacked() != query->lacked_before)
        err = S3_SlowDown;
    query->over |= err != S3_OK;
    return err;
}

int64_t select_read(struct select_query *query, void *out, size_t max)
{
    enum s3_error err = select_step(query);
    size_t len;

    if (query->source_failed)
        return -1;
    if (err != S3_OK) {
        const struct s3_error_row *row = s3_error_row(err);

        query->out.failed = false;
        send_rows(query);
        event_error(&query->out, row->code, row->message);
    }
    if (query->out.failed)
        return -1;
    len = size_min(max, query->out.len - query->sent);
    if (len > 0)
        memcpy(out, query->out.p + query->sent, len);
    query->sent += len;
    return (int64_t)len;
}

uint64_t select_memory(const struct select_query *query)
{
    return sizeof(*query) + query->in.capacity + query->made.capacity + query->out.capacity +
           arena_used(query->arena) + arena_used(query->record_arena);
}
