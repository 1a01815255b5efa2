/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement asked of one record after the other: which count, and what is written of them.
 */
#ifndef SERVER_SELECT_ROWS_H
#define SERVER_SELECT_ROWS_H

#include "server/select/evaluate.h"
#include "server/select/select.h"

struct rows {
    const struct select_settings *settings;
    struct sql_statement statement;
    struct str *names; /* of the selected columns */
    struct aggregate *aggregates;
    struct arena *arena; /* of the record; reset by who reads the next one */
    struct buf *out;     /* rows are written to its end */
    uint64_t written;
    uint64_t work; /* of all records */
    bool done;     /* the limit is reached */
};

/* Read the statement. arena: of the query. */
MUST_CHECK enum s3_error rows_open(struct rows *rows, const struct select_settings *settings,
                                   struct arena *arena);
/*
 * Find the columns that the statement names. Of CSV alone, before the first record.
 *
 * names  of the columns, NULL: they have none.
 */
MUST_CHECK enum s3_error rows_bind(struct rows *rows, const struct str *names, size_t count);
/* Take a record. */
MUST_CHECK enum s3_error rows_take(struct rows *rows, const struct value *record);
/* All records were taken: write what was made of them together. */
MUST_CHECK enum s3_error rows_finish(struct rows *rows);

#endif
