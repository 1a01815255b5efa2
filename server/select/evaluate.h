/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an expression is for a record. Pure but for the arena.
 */
#ifndef SERVER_SELECT_EVALUATE_H
#define SERVER_SELECT_EVALUATE_H

#include "server/select/functions.h"
#include "server/select/sql.h"

/* What one record may cost, in nodes of the tree and characters: then it is S3_UnsupportedSqlOperation. */
#define EVALUATE_WORK_MAX FUNCTION_WORK_MAX

/* The sums of one aggregate over the records so far. */
struct aggregate {
    uint64_t count; /* of values that are known */
    struct value value;
};

struct evaluation {
    const struct value *record;
    struct arena *arena;                /* of the record: what is computed lies there */
    const struct aggregate *aggregates; /* by slot, when all records were seen; else NULL */
    uint64_t *work;                     /* done for the record so far */
    int64_t now_us;                     /* UTCNOW */
};

/*
 * Returns S3_OK, the error of what can not be computed, or S3_OverMaxRecordSize when the arena is full.
 */
MUST_CHECK enum s3_error evaluate(const struct evaluation *in, const struct sql_expr *expr,
                                  struct value *ret_value);
/* The expression is true: neither false nor unknown. */
MUST_CHECK enum s3_error evaluate_is_true(const struct evaluation *in, const struct sql_expr *expr,
                                          bool *ret_true);
/* Take the record into all aggregates of an expression. */
MUST_CHECK enum s3_error evaluate_aggregates(const struct evaluation *in,
                                             const struct sql_expr *expr,
                                             struct aggregate *aggregates);

/*
 * The step of a path from a value; VALUE_MISSING where it leads nowhere. Not of [*].
 */
struct value path_step(const struct value *from, const struct sql_step *step);

#endif
