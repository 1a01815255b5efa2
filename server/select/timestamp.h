/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timestamps of S3 Select: a moment, how exactly it is known, and at which offset from UTC it was told.
 *
 * Written as ISO 8601 is in Ion: 2010T, 2010-05T, 2010-05-06, 2010-05-06T07:08Z, 2010-05-06T07:08:09.010-08:00. Years
 * 1 to 9999. Pure but for the arena.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-date.html
 */
#ifndef SERVER_SELECT_TIMESTAMP_H
#define SERVER_SELECT_TIMESTAMP_H

#include "server/select/value.h"

enum time_part {
    TIME_YEAR =
        0, /* the first five are also how exact a timestamp is: no hour without its minute */
    TIME_MONTH,
    TIME_DAY,
    TIME_MINUTE,
    TIME_SECOND,
    TIME_HOUR,
    TIME_OFFSET_HOUR,
    TIME_OFFSET_MINUTE,
};

/* False: it is none. */
MUST_CHECK bool time_read(struct str text, struct value *ret_value);
void time_write(struct buf *out, const struct value *time);
/* At UTC, of milliseconds. */
struct value time_of_us(int64_t us);

/* year to second and the offset's, by name in either case. False: no such part. */
MUST_CHECK bool time_part_from_name(struct str name, enum time_part *ret_part);

int64_t time_extract(const struct value *time, enum time_part part);
/* So much later; a day that the month has not is its last one. IllegalSqlFunctionArgument: out of all years. */
MUST_CHECK enum s3_error time_add(const struct value *time, enum time_part part, int64_t quantity,
                                  struct value *ret_value);
/* How many whole ones from a to b. */
int64_t time_diff(const struct value *a, const struct value *b, enum time_part part);
/* By a pattern of letters (y M d a h H m s S n X x, 'text'). The errors of patterns, or S3_OverMaxRecordSize. */
MUST_CHECK enum s3_error time_format(const struct value *time, struct str pattern,
                                     struct arena *arena, struct str *ret_text);

#endif
