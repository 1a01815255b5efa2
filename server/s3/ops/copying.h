/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CopyObject and UploadPartCopy share: ETag and checksum of a copy are those of its bytes.
 *
 * Bytes are referred to, not moved. They are read, once and by a thread of the store, only when a
 * value that S3 would give is not known of the source (docs/decisions/0010).
 */
#ifndef SERVER_S3_OPS_COPYING_H
#define SERVER_S3_OPS_COPYING_H

#include "server/s3/op.h"

struct copy_wish {
    uint64_t offset, len;    /* of op->source */
    enum checksum_kind kind; /* its FULL_OBJECT value is wanted; not CHECKSUM_NONE */
    bool encrypt;
};

/* Refuses what belongs to other requests: a body, and Range (a part copy names its range otherwise). */
MUST_CHECK enum s3_error copy_check_form(struct op *op);

/*
 * Fill intent->source and, of intent->attrs, etag and checksum: at once where the source tells them,
 * else before the commit. SlowDown without memory.
 */
MUST_CHECK enum s3_error copy_plan(struct op *op, struct intent *intent,
                                   const struct copy_wish *wish);

#endif
