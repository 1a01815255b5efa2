/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents that a bucket begins with.
 */
#ifndef SERVER_S3_NEW_BUCKET_H
#define SERVER_S3_NEW_BUCKET_H

#include "server/s3/s3.h"

#define NEW_BUCKET_DOCUMENTS 4

/* What holds for a bucket that was asked for with this ownership (STR_NONE: with none). */
struct str new_bucket_ownership(enum s3_new_buckets kind, struct str asked);

/*
 * ownership: that was asked for; tags: packed; both STR_NONE when not given, and borrowed by what is
 * written to ret_documents. Returns how many those are. Pure.
 */
size_t new_bucket_documents(enum s3_new_buckets kind, struct str ownership, struct str tags,
                            struct bucket_document ret_documents[NEW_BUCKET_DOCUMENTS]);

#endif
