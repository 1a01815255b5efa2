/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PutObject, PostObject, CopyObject and the multipart operations share.
 */
#ifndef SERVER_S3_OPS_REPLY_PUT_H
#define SERVER_S3_OPS_REPLY_PUT_H

#include "server/s3/op.h"
#include "server/s3/request/checksums.h"

/*
 * MD5 in hex, without quotes; STR_NONE without memory. What is stored under a customer's key gets bytes at
 * random, which tell nothing of the content: as on S3 no MD5, and another one each time. Any thread.
 */
struct str etag_made(struct arena *arena, const uint8_t md5[MD5_BYTES], bool customers);
struct str etag_of_digests(struct op *op, const struct body_digests *digests);
/* The FULL_OBJECT checksum the sink computed (op->checksum_kind). */
struct stored_checksum checksum_of_digests(const struct op *op);
/* x-amz-version-id, encryption and lifecycle headers of what op->intent wrote. */
void op_set_written(struct op *op);

#endif
