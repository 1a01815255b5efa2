/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents that a bucket begins with; see new_bucket.h. Each as its row of documents.def keeps it.
 */
#include "server/s3/new_bucket.h"

#include "server/xml/xml.h"

#define LOCK_ENABLED                                                                               \
    STR("<ObjectLockConfiguration xmlns=\"" XML_NS_S3 "\">"                                        \
        "<ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>")
#define ALL_BLOCKED STR("BlockPublicAcls IgnorePublicAcls BlockPublicPolicy RestrictPublicBuckets")

/* As PutBucketEncryption keeps it (encryption/bucket_rule.c). */
#define ALL_ENCRYPTED                                                                              \
    STR("<ServerSideEncryptionConfiguration xmlns=\"" XML_NS_S3 "\">"                              \
        "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"            \
        "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>"   \
        "</ServerSideEncryptionConfiguration>")

struct str new_bucket_ownership(enum s3_new_buckets kind, struct str asked)
{
    return str_present(asked) || kind != S3_NEW_BUCKETS_AWS ? asked : STR("BucketOwnerEnforced");
}

size_t new_bucket_documents(enum s3_new_buckets kind, const struct new_bucket *asked,
                            struct bucket_document ret_documents[NEW_BUCKET_DOCUMENTS])
{
    const struct bucket_document all[NEW_BUCKET_DOCUMENTS] = {
        { STR("tagging"), STR(""), asked->tags },
        { STR("ownershipControls"), STR(""), new_bucket_ownership(kind, asked->ownership) },
        { STR("publicAccessBlock"), STR(""), kind == S3_NEW_BUCKETS_AWS ? ALL_BLOCKED : STR_NONE },
        { STR("encryption"), STR(""), kind == S3_NEW_BUCKETS_AWS ? ALL_ENCRYPTED : STR_NONE },
        { STR("object-lock"), STR(""), asked->lock ? LOCK_ENABLED : STR_NONE },
    };
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (str_present(all[i].body))
            ret_documents[count++] = all[i];
    return count;
}
