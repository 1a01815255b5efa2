/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of one request on its way in: framing off, digests on, into memory or a body writer.
 *
 * (1) Everything the request claims about its body is checked here, for every operation alike:
 *     length, x-amz-content-sha256, Content-MD5, x-amz-checksum-*, trailers, chunk signatures.
 * (2) A sink that failed swallows the rest; nothing of it is ever stored.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
#ifndef SERVER_S3_SINK_H
#define SERVER_S3_SINK_H

#include "server/s3/op.h"

/*
 * Read what the headers claim and prepare; op->checksum_kind is set when the client named one.
 * Fails before the body travels where it can.
 */
MUST_CHECK enum s3_error sink_open(struct op *op, uint64_t max_bytes);
/*
 * TAKES_STREAM and TAKES_FORM: open op->writer for the body, encrypted if op->attrs say so;
 * op->checksum_kind becomes CRC64NVME when nobody chose one, as S3 does.
 */
MUST_CHECK enum s3_error sink_open_writer(struct op *op);
MUST_CHECK enum s3_error sink_feed(struct op *op, const void *bytes, size_t len);
/* The whole body is there: verify, fill op->body / op->digests. */
MUST_CHECK enum s3_error sink_finish(struct op *op);
void sink_close(struct op *op);

#endif
