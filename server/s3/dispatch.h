/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline every request goes through, in one order:
 * route -> authenticate -> names -> bucket -> authorise -> body -> run -> render -> log.
 *
 * dispatch.c holds the only calls to the verifier and to the access decision.
 */
#ifndef SERVER_S3_DISPATCH_H
#define SERVER_S3_DISPATCH_H

#include "server/s3/op.h"

/*
 * Identify the sender of a POST Object form and decide on its write; the form's fields before the
 * file are known, nothing of the file has been taken. Bounds are the policy's content-length-range.
 */
MUST_CHECK enum s3_error dispatch_admit_form(struct op *op, const struct form_field *fields,
                                             size_t field_count, uint64_t *ret_min_bytes,
                                             uint64_t *ret_max_bytes);

#endif
