/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x-amz-copy-source: parsed once, the same way for routing, access and storage.
 */
#ifndef SERVER_S3_REQUEST_SOURCE_H
#define SERVER_S3_REQUEST_SOURCE_H

#include "server/s3/op.h"

struct source_name {
    struct str bucket;
    struct str key;
    bool has_version;
    struct version_id version;
    struct str version_text; /* as it was sent, decoded */
};

/* InvalidArgument for a request with x-amz-copy-source whose method cannot copy, else S3_OK. */
MUST_CHECK enum s3_error source_check_method(struct op *op);

/*
 * "[/]bucket/key[?versionId=id]", form-encoded: what stands before the '?' is decoded once and
 * then split, so that an encoded slash may part bucket and key. Pure but for the refusal in op.
 */
MUST_CHECK enum s3_error source_parse(struct op *op, struct str header,
                                      struct source_name *ret_name);

/* x-amz-copy-source-if-* against op->source: PreconditionFailed or S3_OK. */
MUST_CHECK enum s3_error source_conditions(struct op *op);

/* x-amz-copy-source-version-id of the reply; a null version is not named (AWS). */
void source_set_version(struct op *op);

#endif
