/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL's functions, of values that are known. Pure but for the arena; S3_OverMaxRecordSize: it is full.
 */
#ifndef SERVER_SELECT_FUNCTIONS_H
#define SERVER_SELECT_FUNCTIONS_H

#include "server/select/sql.h"

/* CHAR_LENGTH, LOWER, UPPER, TRIM, SUBSTRING, and those of timestamps but UTCNOW; none of args is unknown. */
MUST_CHECK enum s3_error function_call(const struct sql_expr *call, const struct value *args,
                                       struct arena *arena, struct value *ret_value);
/* S3_CastFailed: the value is none of that type. */
MUST_CHECK enum s3_error function_cast(const struct value *value, enum sql_type type,
                                       struct arena *arena, struct value *ret_value);
/* a op b, for + - * / %. Whole numbers stay whole. */
MUST_CHECK enum s3_error function_arithmetic(int op, const struct value *a, const struct value *b,
                                             struct value *ret_value);
/*
 * % any text, _ any character, behind escape they and itself mean themselves.
 *
 * escape  one character; STR_NONE: there is none.
 * work    grows by the steps it takes; no more than FUNCTION_WORK_MAX are taken.
 * Returns S3_OK, S3_LikeInvalidInputs or S3_UnsupportedSqlOperation: it takes too many steps.
 */
#define FUNCTION_WORK_MAX (UINT64_C(16) * 1024 * 1024)
MUST_CHECK enum s3_error function_like(struct str text, struct str pattern, struct str escape,
                                       uint64_t *work, bool *ret_matches);
/* The value as text: itself, or as it is written. */
MUST_CHECK enum s3_error function_text(const struct value *value, struct arena *arena,
                                       struct str *ret_text);

#endif
