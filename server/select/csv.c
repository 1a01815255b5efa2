/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV by hand, as every field may use other delimiters. See csv.h.
 */
#include "server/select/csv.h"

/* ---- records ------------------------------------------------------------------------------------ */

static bool ends_here(const struct csv_format *format, struct str text, size_t at)
{
    return text.p[at] == format->record.p[0] &&
           (format->record.len == 1 ||
            (at + 1 < text.len && text.p[at + 1] == format->record.p[1]));
}

/* Quotes count where a record may go on between them; else a record ends wherever its end stands. */
static void look_at(struct csv_scan *scan, const struct csv_format *format, char c)
{
    if (scan->escaped) {
        scan->escaped = false;
    } else if (scan->in_quotes) {
        scan->escaped = c == format->escape && format->escape != format->quote;
        /* One that is written twice ends the quotes and begins them again. */
        if (c == format->quote && !scan->escaped) {
            scan->in_quotes = false;
            scan->in_field = false;
        }
    } else if (c == format->quote && format->quote != '\0' && !scan->in_field) {
        scan->in_quotes = true;
    } else {
        scan->in_field = c != format->field;
    }
}

bool csv_scan(struct csv_scan *scan, const struct csv_format *format, struct str text,
              size_t *ret_len)
{
    for (; scan->at < text.len; scan->at++) {
        char c = text.p[scan->at];

        if (!scan->in_quotes && c == format->record.p[0]) {
            /* Half of an end: the other half has to come first. */
            if (format->record.len == 2 && scan->at + 1 == text.len)
                return false;
            if (ends_here(format, text, scan->at)) {
                *ret_len = scan->at;
                if (format->line_ends && scan->at > 0 && text.p[scan->at - 1] == '\r')
                    (*ret_len)--;
                scan->at += format->record.len;
                return true;
            }
        }
        if (format->quoted_ends)
            look_at(scan, format, c);
    }
    return false;
}

/* ---- fields ------------------------------------------------------------------------------------- */

static bool is_escape(const struct csv_format *format, struct str text, size_t at)
{
    return text.p[at] == format->escape && at + 1 < text.len && text.p[at + 1] == format->quote;
}

/* Behind the opening quote. Copied only where something is escaped. */
static enum s3_error read_quoted(const struct csv_format *format, struct str *rest,
                                 struct arena *arena, struct str *ret_field)
{
    struct str text = *rest;
    bool escapes = false;
    size_t end = 0;
    size_t len = 0;
    char *out;

    for (; end < text.len; end++) {
        if (is_escape(format, text, end)) {
            escapes = true;
            end++;
        } else if (text.p[end] == format->quote) {
            break;
        }
    }
    if (end >= text.len)
        return format->quoted_ends ? S3_CSVParsingError : S3_CSVEscapingRecordDelimiter;
    *rest = str_skip(text, end + 1);
    *ret_field = str_make(text.p, end);
    if (!escapes)
        return S3_OK;
    out = arena_alloc(arena, end + 1);
    if (out == NULL)
        return S3_OverMaxColumn;
    for (size_t at = 0; at < end; at++) {
        at += is_escape(format, text, at);
        out[len++] = text.p[at];
    }
    *ret_field = str_make(out, len);
    return S3_OK;
}

/* True: another field follows. */
static enum s3_error read_field(const struct csv_format *format, struct str *rest,
                                struct arena *arena, struct str *ret_field, bool *ret_more)
{
    size_t len;

    if (format->quote != '\0' && rest->len > 0 && rest->p[0] == format->quote) {
        enum s3_error err;

        *rest = str_skip(*rest, 1);
        err = read_quoted(format, rest, arena, ret_field);
        if (err != S3_OK)
            return err;
        *ret_more = rest->len > 0;
        if (*ret_more && rest->p[0] != format->field)
            return S3_CSVUnescapedQuote;
        *rest = str_skip(*rest, 1);
        return S3_OK;
    }
    len = str_find_char(*rest, format->field);
    *ret_more = len != SIZE_MAX;
    *ret_field = str_make(rest->p, *ret_more ? len : rest->len);
    *rest = str_skip(*rest, ret_field->len + 1);
    return S3_OK;
}

enum s3_error csv_read(const struct csv_format *format, struct str record, struct arena *arena,
                       struct value *ret_record)
{
    struct value fields = { .type = VALUE_STRUCT };
    size_t capacity = 0;
    bool more = true;

    if (!str_is_utf8(record))
        return S3_InvalidTextEncoding;
    while (more) {
        struct str field;
        enum s3_error err = read_field(format, &record, arena, &field, &more);

        if (err != S3_OK)
            return err;
        if (fields.count == capacity) {
            struct value *items;

            capacity = capacity == 0 ? 16 : capacity * 2;
            items = arena_array(arena, capacity, sizeof(*items));
            if (items == NULL)
                return S3_OverMaxColumn;
            if (fields.count > 0)
                memcpy(items, fields.items, fields.count * sizeof(*items));
            fields.items = items;
        }
        fields.items[fields.count++] = value_text(field);
    }
    *ret_record = fields;
    return S3_OK;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static bool needs_quotes(const struct csv_format *format, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == format->field || c == format->quote || c == '\n' || c == '\r' ||
            c == format->record.p[0])
            return true;
    }
    return false;
}

static void write_field(struct buf *out, const struct csv_format *format, const struct value *value)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(VALUE_RECORD_BYTES_MAX);
    struct str shown = value->text;

    if (value->type != VALUE_TEXT) {
        value_write_text(&text, value);
        shown = buf_view(&text);
        out->failed |= text.failed;
    }
    if (format->quote == '\0' || (!format->quote_all && !needs_quotes(format, shown))) {
        buf_str(out, shown);
        return;
    }
    buf_char(out, format->quote);
    for (size_t i = 0; i < shown.len; i++) {
        if (shown.p[i] == format->quote)
            buf_char(out, format->escape);
        buf_char(out, shown.p[i]);
    }
    buf_char(out, format->quote);
}

void csv_write(struct buf *out, const struct csv_format *format, const struct value *record)
{
    for (size_t i = 0; i < record->count; i++) {
        if (i > 0)
            buf_char(out, format->field);
        write_field(out, format, &record->items[i]);
    }
    buf_str(out, format->record);
}
