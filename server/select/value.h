/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an expression of a query can be: values, and how they compare.
 *
 * (1) A value borrows: its text and its items live as long as the record or the query it is from.
 * (2) NULL and MISSING are unknown: what is asked of them is unknown again.
 * (3) A text that reads as a number is one where a number is wanted: CSV has nothing but text.
 * (4) No value is nested deeper than VALUE_DEPTH_MAX.
 */
#ifndef SERVER_SELECT_VALUE_H
#define SERVER_SELECT_VALUE_H

#include "base/arena.h"
#include "base/text/buf.h"
#include "server/refusals/errors.h"

#define VALUE_DEPTH_MAX 64
#define VALUE_RECORD_BYTES_MAX (1024u * 1024u) /* read or written, as S3 has it */

enum value_type {
    VALUE_MISSING = 0,
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_REAL,
    VALUE_TEXT,
    VALUE_TIME, /* see timestamp.h */
    VALUE_LIST,
    VALUE_STRUCT,
};

/* How a moment is known. */
struct value_time {
    uint32_t nanos;
    int16_t offset_min; /* from UTC, east; INT16_MIN: not known */
    uint8_t precision;  /* enum time_part */
    uint8_t digits;     /* of the fraction */
};

struct value {
    enum value_type type;
    bool truth;
    struct value_time time; /* TIME */
    int64_t whole;          /* INT; TIME: seconds since 1970, UTC */
    double real;            /* REAL; of INT too */
    struct str text;        /* TEXT; of a number how it was written, STR_NONE: it was computed */
    struct value *items;    /* LIST, STRUCT */
    struct str *names;      /* STRUCT; NULL: columns without names, _1 to _N */
    size_t count;
};

static inline struct value value_bool(bool truth)
{
    return (struct value){ .type = VALUE_BOOL, .truth = truth };
}

static inline struct value value_int(int64_t whole)
{
    return (struct value){ .type = VALUE_INT, .whole = whole, .real = (double)whole };
}

static inline struct value value_real(double real)
{
    return (struct value){ .type = VALUE_REAL, .real = real };
}

static inline struct value value_text(struct str text)
{
    return (struct value){ .type = VALUE_TEXT, .text = text };
}

static inline struct value value_null(void)
{
    return (struct value){ .type = VALUE_NULL };
}

static inline bool value_unknown(const struct value *value)
{
    return value->type == VALUE_NULL || value->type == VALUE_MISSING;
}

static inline bool value_is_number(const struct value *value)
{
    return value->type == VALUE_INT || value->type == VALUE_REAL;
}

/* A number written in decimal: -1, 2.50, 1e3. False: it is none, or none that is finite. */
MUST_CHECK bool value_read_number(struct str text, struct value *ret_value);
/* As a number: itself, or what its text reads as. False: neither. */
MUST_CHECK bool value_to_number(const struct value *value, struct value *ret_number);

/* Negative, 0 or positive. False: the two have no order, or one is unknown. */
MUST_CHECK bool value_compare(const struct value *a, const struct value *b, int *ret_order);

/* The item of that name. NULL: there is none. nocase: letters of ASCII count in either case. */
const struct value *value_member(const struct value *value, struct str name, bool nocase);
/* N of "_N"; 0: it is no such name. */
size_t value_column_number(struct str name);

/* As text and as JSON, at the end of out. What is unknown is nothing, and null. */
void value_write_text(struct buf *out, const struct value *value);
void value_write_json(struct buf *out, const struct value *value);

#endif
