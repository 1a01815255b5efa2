/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SelectObjectContentRequest: how the object is read and the rows are written. See settings.h.
 */
#include "server/s3/select/settings.h"

#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"
#include "server/xml/xml.h"

#define OUTPUT_DELIMITER_BYTES_MAX 64 /* of records that are written */

/* The text as it is, blanks and all: a delimiter may be one. STR_NONE: there is no such element. */
static struct str raw_text(const struct xml_node *node, const char *name)
{
    const struct xml_node *child = xml_child(node, str_from_cstr(name));

    return child != NULL ? child->text : STR_NONE;
}

/* One character, or none where that means that there is no such thing. */
static bool read_char(const struct xml_node *node, const char *name, bool may_be_empty, char *ret)
{
    struct str text = raw_text(node, name);

    if (!str_present(text))
        return true;
    if (text.len == 0 && may_be_empty) {
        *ret = '\0';
        return true;
    }
    if (text.len != 1 || (unsigned char)text.p[0] >= 0x80)
        return false;
    *ret = text.p[0];
    return true;
}

static bool read_bool(const struct xml_node *node, const char *name, bool *ret)
{
    struct str text = xml_child_text(node, str_from_cstr(name));

    if (!str_present(text))
        return true;
    *ret = str_eq_nocase(text, STR("true"));
    return *ret || str_eq_nocase(text, STR("false"));
}

/* ---- input -------------------------------------------------------------------------------------- */

static enum s3_error read_csv_input(struct op *op, const struct xml_node *csv,
                                    struct select_settings *settings)
{
    struct csv_format *format = &settings->read;
    struct str header = xml_child_text(csv, STR("FileHeaderInfo"));
    struct str record = raw_text(csv, "RecordDelimiter");

    if (str_present(header)) {
        if (str_eq(header, STR("USE")))
            settings->header = SELECT_HEADER_USE;
        else if (str_eq(header, STR("IGNORE")))
            settings->header = SELECT_HEADER_IGNORE;
        else if (!str_eq(header, STR("NONE")))
            return op_fail(op, S3_InvalidFileHeaderInfo);
    }
    if (str_present(record)) {
        if (record.len < 1 || record.len > CSV_DELIMITER_BYTES_MAX)
            return op_fail(op, S3_InvalidRequestParameter);
        format->record = record;
        format->line_ends = false;
    }
    if (!read_char(csv, "FieldDelimiter", false, &format->field) ||
        !read_char(csv, "QuoteCharacter", true, &format->quote) ||
        !read_char(csv, "QuoteEscapeCharacter", true, &format->escape) ||
        !read_char(csv, "Comments", true, &format->comment) ||
        !read_bool(csv, "AllowQuotedRecordDelimiter", &format->quoted_ends))
        return op_fail(op, S3_InvalidRequestParameter);
    return S3_OK;
}

static enum s3_error read_json_input(struct op *op, const struct xml_node *json,
                                     struct select_settings *settings)
{
    struct str type = xml_child_text(json, STR("Type"));

    settings->input = SELECT_JSON;
    settings->json_lines = str_eq(type, STR("LINES"));
    if (!settings->json_lines && !str_eq(type, STR("DOCUMENT")))
        return op_fail(op, S3_InvalidJsonType);
    return S3_OK;
}

static enum s3_error read_input(struct op *op, const struct xml_node *input,
                                struct select_settings *settings)
{
    struct str compression;
    const struct xml_node *csv;
    const struct xml_node *json;

    if (input == NULL)
        return op_fail(op, S3_MissingRequiredParameter);
    compression = xml_child_text(input, STR("CompressionType"));
    csv = xml_child(input, STR("CSV"));
    json = xml_child(input, STR("JSON"));
    if (str_eq(compression, STR("GZIP")))
        settings->compression = SELECT_GZIP;
    else if (str_eq(compression, STR("BZIP2")))
        settings->compression = SELECT_BZIP2;
    else if (str_present(compression) && !str_eq(compression, STR("NONE")))
        return op_fail(op, S3_InvalidCompressionFormat);
    /* Columns are stored so that a library is needed that pail does not have. */
    if (xml_child(input, STR("Parquet")) != NULL)
        return op_fail_text(op, S3_InvalidDataSource,
                            STR("Invalid data source type. Only CSV and JSON are supported."));
    if (csv != NULL && json != NULL)
        return op_fail(op, S3_ObjectSerializationConflict);
    if (csv == NULL && json == NULL)
        return op_fail(op, S3_InvalidDataSource);
    return csv != NULL ? read_csv_input(op, csv, settings) : read_json_input(op, json, settings);
}

/* ---- output ------------------------------------------------------------------------------------- */

static enum s3_error read_csv_output(struct op *op, const struct xml_node *csv,
                                     struct select_settings *settings)
{
    struct csv_format *format = &settings->write;
    struct str quotes = xml_child_text(csv, STR("QuoteFields"));
    struct str record = raw_text(csv, "RecordDelimiter");

    format->quote_all = str_eq(quotes, STR("ALWAYS"));
    if (str_present(quotes) && !format->quote_all && !str_eq(quotes, STR("ASNEEDED")))
        return op_fail(op, S3_InvalidQuoteFields);
    if (str_present(record)) {
        if (record.len < 1 || record.len > OUTPUT_DELIMITER_BYTES_MAX)
            return op_fail(op, S3_InvalidRequestParameter);
        format->record = record;
    }
    if (!read_char(csv, "FieldDelimiter", false, &format->field) ||
        !read_char(csv, "QuoteCharacter", true, &format->quote) ||
        !read_char(csv, "QuoteEscapeCharacter", false, &format->escape))
        return op_fail(op, S3_InvalidRequestParameter);
    return S3_OK;
}

static enum s3_error read_output(struct op *op, const struct xml_node *output,
                                 struct select_settings *settings)
{
    const struct xml_node *csv;
    const struct xml_node *json;
    struct str record;

    if (output == NULL)
        return op_fail(op, S3_MissingRequiredParameter);
    csv = xml_child(output, STR("CSV"));
    json = xml_child(output, STR("JSON"));
    if (csv != NULL && json != NULL)
        return op_fail(op, S3_ObjectSerializationConflict);
    if (csv != NULL)
        return read_csv_output(op, csv, settings);
    if (json == NULL)
        return op_fail(op, S3_MissingRequiredParameter);
    settings->output = SELECT_JSON;
    record = raw_text(json, "RecordDelimiter");
    if (str_present(record))
        settings->json_end = record;
    if (record.len > OUTPUT_DELIMITER_BYTES_MAX)
        return op_fail(op, S3_InvalidRequestParameter);
    return S3_OK;
}

/* ---- range -------------------------------------------------------------------------------------- */

/* Where records can be told apart in the middle of an object. */
static bool may_be_ranged(const struct select_settings *settings)
{
    if (settings->compression != SELECT_PLAIN)
        return false;
    return settings->input == SELECT_JSON ? settings->json_lines : !settings->read.quoted_ends;
}

/* End alone: so many bytes at the object's end. */
static enum s3_error read_range(struct op *op, const struct xml_node *range,
                                struct select_settings *settings)
{
    const uint64_t size = op->version.size_bytes;
    struct str begin;
    struct str end;

    if (range == NULL)
        return S3_OK;
    if (!may_be_ranged(settings))
        return op_fail(op, S3_UnsupportedScanRangeInput);
    begin = xml_child_text(range, STR("Start"));
    end = xml_child_text(range, STR("End"));
    settings->has_range = true;
    settings->range_end = UINT64_MAX;
    if ((str_present(begin) && !str_to_u64(begin, &settings->range_begin)) ||
        (str_present(end) && !str_to_u64(end, &settings->range_end)) ||
        (!str_present(begin) && !str_present(end)))
        return op_fail(op, S3_InvalidScanRange);
    if (!str_present(begin)) {
        settings->range_begin = size > settings->range_end ? size - settings->range_end : 0;
        settings->range_end = UINT64_MAX;
    }
    if (settings->range_begin > settings->range_end ||
        (settings->range_begin > 0 && settings->range_begin >= size))
        return op_fail(op, S3_InvalidScanRange);
    return S3_OK;
}

/* ---- all ---------------------------------------------------------------------------------------- */

enum s3_error select_settings_read(struct op *op, struct select_settings *ret_settings)
{
    const struct csv_format plain = {
        .field = ',', .quote = '"', .escape = '"', .record = STR("\n"), .line_ends = true
    };
    struct select_settings settings = { .read = plain,
                                        .write = plain,
                                        .json_end = STR("\n"),
                                        .now_us = clock_now_us(store_clock(op->store)) };
    const struct xml_node *progress;
    const struct xml_node *root;
    enum s3_error err = op_xml(op, STR("SelectObjectContentRequest"), &root);

    if (err != S3_OK)
        return err;
    settings.expression = raw_text(root, "Expression");
    if (!str_present(settings.expression) || xml_child(root, STR("ExpressionType")) == NULL)
        return op_fail(op, S3_MissingRequiredParameter);
    if (!str_eq_nocase(xml_child_text(root, STR("ExpressionType")), STR("SQL")))
        return op_fail(op, S3_InvalidExpressionType);
    progress = xml_child(root, STR("RequestProgress"));
    if (progress != NULL && !read_bool(progress, "Enabled", &settings.progress))
        return op_fail(op, S3_InvalidRequestParameter);
    err = read_input(op, xml_child(root, STR("InputSerialization")), &settings);
    if (err == S3_OK)
        err = read_output(op, xml_child(root, STR("OutputSerialization")), &settings);
    if (err == S3_OK)
        err = read_range(op, xml_child(root, STR("ScanRange")), &settings);
    if (err == S3_OK)
        *ret_settings = settings;
    return err;
}
