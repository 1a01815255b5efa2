/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S3's error codes as one enum, generated from errors.def.
 */
#ifndef SERVER_REFUSALS_ERRORS_H
#define SERVER_REFUSALS_ERRORS_H

#include "base/text/str.h"

enum s3_error {
    S3_OK = 0,
#define E(CODE, STATUS, MESSAGE, EXTRAS) S3_##CODE,
#include "server/refusals/errors.def"
#undef E
    S3_ERRORS,
};

struct s3_error_row {
    struct str code;
    int status;
    struct str message;
    struct str extras; /* element names separated by blanks */
};

const struct s3_error_row *s3_error_row(enum s3_error error);

#define S3_ERROR_EXTRAS_MAX 6

/*
 * A refusal with its facts: what op_fail and the verifier fill.
 *
 * message replaces the row's when present. values follow the row's extras; STR_NONE values are
 * left out of the document. All texts live in the request's arena.
 */
struct s3_refusal {
    enum s3_error error;
    struct str message;
    struct str values[S3_ERROR_EXTRAS_MAX];
};

#endif
