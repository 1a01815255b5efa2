/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents that a bucket begins with.
 */
#ifndef SERVER_S3_NEW_BUCKET_H
#define SERVER_S3_NEW_BUCKET_H

#include "server/s3/s3.h"

#define NEW_BUCKET_DOCUMENTS 5

/* What holds for a bucket that was asked for with this ownership (STR_NONE: with none). */
struct str new_bucket_ownership(enum s3_new_buckets kind, struct str asked);

/* What was asked for; texts are STR_NONE when they were not given. */
struct new_bucket {
    struct str ownership;
    struct str tags; /* packed */
    bool lock;       /* its versions can be locked */
};

/* How many are written to ret_documents, which borrow what was asked for. Pure. */
size_t new_bucket_documents(enum s3_new_buckets kind, const struct new_bucket *asked,
                            struct bucket_document ret_documents[NEW_BUCKET_DOCUMENTS]);

#endif
