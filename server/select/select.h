/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S3 Select: a statement asked of an object's records, answered as a stream of events.
 *
 * (1) A query never has more of the object in memory than a record and a block, and no more of its
 *     answer than a record and SELECT_ROWS_BYTES; select_memory says how much.
 * (2) Every step ends: after SELECT_STEP_BYTES of the object or SELECT_STEP_WORK, with an event that
 *     says that the query goes on, if with nothing else.
 * (3) What goes wrong before anything was sent is the caller's to answer; what goes wrong later is the
 *     stream's last event.
 *
 *   open --start--> runs --step / read--> done        close at any time
 *
 * One thread at a time.
 */
#ifndef SERVER_SELECT_SELECT_H
#define SERVER_SELECT_SELECT_H

#include "server/select/csv.h"
#include "server/select/unpack.h"

#define SELECT_STEP_BYTES                                                                          \
    (1280u * 1024u) /* more than a record: the first step finds one too long */
#define SELECT_STEP_WORK (UINT64_C(4) * 1024 * 1024) /* see evaluate.h */
#define SELECT_ROWS_BYTES (64u * 1024u)              /* of rows are sent together */
#define SELECT_STATEMENT_MEMORY (16u * 1024u * 1024u)
#define SELECT_RECORD_MEMORY                                                                       \
    (16u * 1024u * 1024u) /* of a record's values and what is made of them */

enum select_format { SELECT_CSV, SELECT_JSON };
enum select_header { SELECT_HEADER_NONE, SELECT_HEADER_USE, SELECT_HEADER_IGNORE };

struct select_settings {
    struct str expression;
    enum select_format input, output;
    enum select_compression compression;
    enum select_header header;
    bool json_lines;
    struct csv_format read, write; /* of CSV */
    struct str json_end;           /* behind every row of JSON */
    bool progress;
    int64_t now_us; /* what UTCNOW is, from the first record to the last */
    bool has_range;
    uint64_t range_begin, range_end; /* of the first bytes of the records that count; both inside */
};

struct select_query;

/*
 * Read the statement.
 *
 * settings  copied; its texts are borrowed until select_close.
 * Returns S3_OK, the error of the statement, or S3_SlowDown: no memory.
 */
MUST_CHECK enum s3_error select_open(const struct select_settings *settings,
                                     struct select_query **ret_query);
void select_close(struct select_query *query); /* NULL is fine */

/* The byte of the object with which the source has to begin. */
uint64_t select_first_byte(const struct select_settings *settings);
/* source is copied; its context is borrowed until select_close. */
void select_start(struct select_query *query, const struct select_source *source);

/* Go on until there is something to send. What it answers is final. */
MUST_CHECK enum s3_error select_step(struct select_query *query);
/*
 * The next bytes of the stream: > 0; 0 at its end. Errors are events. Negative: out of memory for
 * an event, or the source failed.
 */
int64_t select_read(struct select_query *query, void *out, size_t max);

/* Bytes that the query holds at most until now. */
uint64_t select_memory(const struct select_query *query);

#endif
