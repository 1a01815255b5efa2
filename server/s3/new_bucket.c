/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bucket begins with, and buckets of the settings; see new_bucket.h and s3.h. Each as its row of documents.def keeps it.
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

bool s3_create_bucket(struct store *store, struct str name, const struct user *owner,
                      struct str region, enum s3_new_buckets new_buckets, struct fault *fault)
{
    struct bucket_document documents[NEW_BUCKET_DOCUMENTS];
    struct intent intent = { .kind = INTENT_BUCKET_CREATE,
                             .bucket = name,
                             .bucket_create = { .owner = owner->canonical_id, .region = region } };
    struct arena *arena;
    bool made;

    if (s3_bucket_name_fault(name) != NULL) {
        fault_note(fault, "'%.*s' is not a valid bucket name: %s", STR_ARG(name),
                   s3_bucket_name_fault(name));
        return false;
    }
    arena = arena_open(1024, 64 * 1024);
    if (arena == NULL)
        return false;
    intent.arena = arena;
    intent.bucket_create.documents = documents;
    intent.bucket_create.document_count =
        new_bucket_documents(new_buckets, &(struct new_bucket){ .tags = STR_NONE }, documents);
    (void)store_submit_wait(store, &intent);
    made = intent.status == STORE_OK ||
           (intent.status == STORE_BUCKET_EXISTS &&
            str_eq(intent.bucket_create.present_owner, owner->canonical_id));
    if (!made)
        fault_note(fault, "cannot create bucket '%.*s': %s%s%s", STR_ARG(name),
                   store_status_name(intent.status), intent.fault.text[0] ? ": " : "",
                   intent.fault.text);
    arena_close(arena);
    return made;
}
