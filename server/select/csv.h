/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV: records out of text, fields out of records, and records as text. Pure but for the arena.
 */
#ifndef SERVER_SELECT_CSV_H
#define SERVER_SELECT_CSV_H

#include "server/select/value.h"

#define CSV_DELIMITER_BYTES_MAX 2 /* of records */

struct csv_format {
    char field;
    char quote;        /* '\0': nothing is quoted */
    char escape;       /* before a quote between quotes */
    char comment;      /* begins a record that is none; '\0': nothing does */
    struct str record; /* what ends a record */
    bool line_ends;    /* record was not given: a line feed with a carriage return before it too */
    bool quoted_ends;  /* a record goes on where its end stands between quotes */
    bool quote_all;    /* of writing: every field, else those that need it */
};

/* Where the record that a text begins with ends, as far as it has come. */
struct csv_scan {
    size_t at; /* looked at so far */
    bool in_field;
    bool in_quotes;
    bool escaped;
};

/* Look on from scan->at. True: the record is the first *ret_len bytes, its end lies before scan->at. */
bool csv_scan(struct csv_scan *scan, const struct csv_format *format, struct str text,
              size_t *ret_len);

/*
 * The fields of a record, as a STRUCT of texts without names.
 *
 * record  without its end; borrowed by the fields.
 * Returns S3_OK, S3_CSVParsingError (a quote is not closed; S3_CSVEscapingRecordDelimiter where a record
 * can not go on between quotes), S3_CSVUnescapedQuote, S3_InvalidTextEncoding, or S3_OverMaxColumn when
 * the arena is full.
 */
MUST_CHECK enum s3_error csv_read(const struct csv_format *format, struct str record,
                                  struct arena *arena, struct value *ret_record);

/* A record and its end, at the end of out. */
void csv_write(struct buf *out, const struct csv_format *format, const struct value *record);

#endif
