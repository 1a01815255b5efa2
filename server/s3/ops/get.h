/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an object is answered with. The loop's thread, inside a snapshot, with op->version loaded and
 * allowed.
 */
#ifndef SERVER_S3_OPS_GET_H
#define SERVER_S3_OPS_GET_H

#include "server/s3/op.h"
#include "server/s3/request/overrides.h"

/*
 * As GetObject does: conditions and range are the request's headers'.
 *
 * part       the number of the one that is asked for, or STR_NONE.
 * overrides  of headers; NULL: none.
 */
MUST_CHECK enum s3_error object_reply(struct op *op, struct str part,
                                      const struct overrides *overrides);

/* All of it, whatever the request's headers say, with a status. */
MUST_CHECK enum s3_error object_reply_whole(struct op *op, int status);

/* Bytes [offset, offset + len) of a version's content as the body of the answer. */
MUST_CHECK enum s3_error object_attach(struct op *op, const struct version *version,
                                       uint64_t offset, uint64_t len);

#endif
