/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers that are not where headers stand: a presigned URL carries some in its query, and a name
 * may be given on several lines.
 *
 * (1) Settled once, after the signature was verified and before anything reads a header: what an
 *     operation is given under a name is what the signature covers under it.
 * (2) Only parameters that the form of signature covers become headers (V4: all; V2: x-amz-*,
 *     Content-Type and Content-MD5), and then they are parameters no more.
 * (3) A header that was sent counts before the parameter of its name, where the signature covers
 *     it; one that it does not cover is no header where there is such a parameter. V4 leaves plain
 *     headers unsigned: who holds a URL must not lift the condition it was signed with.
 * (4) What was sent stands before what comes from the query (op->fields_sent tells them apart):
 *     header fields are ISO-8859-1, a query is UTF-8. System headers are made ISO-8859-1 here.
 * (5) x-amz-* given more than once is one value, joined by commas, as it was signed.
 */
#ifndef SERVER_S3_REQUEST_SETTLE_H
#define SERVER_S3_REQUEST_SETTLE_H

#include "server/s3/op.h"

/*
 * Settle op->request by op->auth's form. *ret_changed: parameters became headers, which may route
 * the request elsewhere. S3_OK, InvalidArgument for a parameter that could not be sent as a header,
 * or SlowDown.
 */
MUST_CHECK enum s3_error headers_settle(struct op *op, bool *ret_changed);

#endif
