/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replication of a bucket: what its document says, compiled, and what that means for a version.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
 *
 *   document.c judges --> compile.c --> struct replication --mark.c--> a write is PENDING
 *                                                          \--replicate.c--> its replicas (run.c's thread)
 */
#ifndef SERVER_S3_REPLICATION_RULES_H
#define SERVER_S3_REPLICATION_RULES_H

#include "server/s3/bucket_config.h"

struct op;

#define REPLICATION_ROOT STR("ReplicationConfiguration")
#define REPLICATION_RULES_MAX 1000
#define REPLICATION_ID_CHARS_MAX 255
#define REPLICATION_PREFIX_CHARS_MAX 1024

struct replication_rule {
    bool enabled;
    int64_t priority; /* the greater goes first */
    struct str prefix;
    struct str tags;   /* packed: a version has all of them */
    struct str bucket; /* the destination's name */
    bool set_class;
    uint8_t storage_class; /* of replicas, if set */
    bool to_bucket_owner;  /* replicas are the destination's owner's */
    bool delete_markers;
    bool kms;              /* what is encrypted with keys of KMS, too, ... */
    struct str kms_key_id; /* ... under this one */
    bool replica_changes;  /* changes of replicas go back */
};

struct replication {
    const struct replication_rule *rules; /* by priority, the greatest first */
    size_t count;
};

/* What rules look at. */
struct replication_subject {
    struct str key;
    struct str tags; /* packed */
    uint8_t sse;     /* enum sse_kind */
    bool delete_marker;
    bool replica; /* of a change: what has changed is a replica */
};

/*
 * The next rule by which it is replicated, each to another bucket: of those that name the same bucket the
 * first counts. *at starts as 0. NULL: no more.
 */
const struct replication_rule *replication_next(const struct replication *replication,
                                                const struct replication_subject *subject,
                                                size_t *at);

/* As a rule's subject. */
struct replication_subject replication_subject_of(const struct version *version);

/* The bucket that an ARN names; STR_NONE: it is no bucket's. */
struct str replication_bucket_of(struct str arn);

#endif
