/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table behind errors.h.
 */
#include "server/refusals/errors.h"

#include <assert.h>

static const struct s3_error_row error_rows[] = {
    [S3_OK] = { { "", 0 }, 200, { "", 0 }, { "", 0 } },
#define E(CODE, STATUS, MESSAGE, EXTRAS)                                                           \
    [S3_##CODE] = { { #CODE, sizeof(#CODE) - 1 },                                                  \
                    STATUS,                                                                        \
                    { MESSAGE, sizeof(MESSAGE) - 1 },                                              \
                    { EXTRAS, sizeof(EXTRAS) - 1 } },
#define KMS(CODE, STATUS, MESSAGE, EXTRAS)                                                         \
    [S3_KMS_##CODE] = { { "KMS." #CODE, sizeof("KMS." #CODE) - 1 },                                \
                        STATUS,                                                                    \
                        { MESSAGE, sizeof(MESSAGE) - 1 },                                          \
                        { EXTRAS, sizeof(EXTRAS) - 1 } },
#include "server/refusals/errors.def"
#undef E
};

const struct s3_error_row *s3_error_row(enum s3_error error)
{
    assert(error < S3_ERRORS);
    return &error_rows[error];
}
