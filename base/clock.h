/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one clock, and the date formats S3 uses.
 *
 * Every timestamp, expiry and id goes through clock_now_us so that a test can move time.
 * Wall time is microseconds since 1970 UTC, `int64_t ..._us`.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/text/str.h"

#define US_PER_S INT64_C(1000000)

int64_t clock_now_us(void);
/* Move the wall clock by an offset (tests, virtual clock). Any thread. */
void clock_set_offset_us(int64_t offset_us);
/* Monotonic, for deadlines; not moved by the offset. */
int64_t clock_monotonic_us(void);

#define CLOCK_ISO8601_LEN 24 /* 2026-11-21T05:25:23.000Z */
#define CLOCK_HTTP_LEN 29    /* Sat, 21 Nov 2026 05:25:23 GMT */
#define CLOCK_AMZ_LEN 16     /* 20261121T052523Z */

/* out gets exactly the length named plus a NUL. */
void clock_format_iso8601(int64_t us, char out[CLOCK_ISO8601_LEN + 1]);
void clock_format_http(int64_t us, char out[CLOCK_HTTP_LEN + 1]);
void clock_format_amz(int64_t us, char out[CLOCK_AMZ_LEN + 1]);

/* A day that was written before. Starts as { 0 }; one thread at a time. */
struct clock_day {
    int64_t number; /* days since year 1, and 1: 0 is none */
    char text[10];
};

/*
 * A time as S3's documents show it: the whole second, as in the header Last-Modified. The calendar
 * is asked only when the day is another than the last.
 */
void clock_format_s3(int64_t us, struct clock_day *day, char out[CLOCK_ISO8601_LEN + 1]);

/* RFC 1123, RFC 850 and asctime forms. */
MUST_CHECK bool clock_parse_http(struct str s, int64_t *ret_us);
/* Basic form 20261121T052523Z only, digits ASCII, fields in range. */
MUST_CHECK bool clock_parse_amz(struct str s, int64_t *ret_us);
/* 2026-11-21T05:25:23[.fraction]Z */
MUST_CHECK bool clock_parse_iso8601(struct str s, int64_t *ret_us);

#endif
