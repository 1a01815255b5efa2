/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the documents of a bucket say of who may: compiled into its configuration
 * (server/s3/bucket_config.h), read by the voters of access.c.
 */
#ifndef SERVER_AUTH_ACCESS_RULES_H
#define SERVER_AUTH_ACCESS_RULES_H

#include "base/text/str.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html */
enum object_ownership {
    OWNERSHIP_UNSET = 0,       /* as OBJECT_WRITER */
    OWNERSHIP_OBJECT_WRITER,   /* an object is its writer's */
    OWNERSHIP_OWNER_PREFERRED, /* ... unless it came with bucket-owner-full-control */
    OWNERSHIP_OWNER_ENFORCED,  /* all is the bucket owner's, and ACLs say nothing */
};

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html */
enum public_access_block {
    BLOCK_PUBLIC_ACLS = 1,
    IGNORE_PUBLIC_ACLS = 2,
    BLOCK_PUBLIC_POLICY = 4,
    RESTRICT_PUBLIC_BUCKETS = 8,
};

struct policy; /* server/policy/policy.h */

struct access_rules {
    const struct policy *policy; /* NULL: none */
    bool policy_is_public;
    bool policy_is_unknown; /* there is one, which this version of pail can not read */
    enum object_ownership ownership;
    unsigned blocked; /* enum public_access_block, together */
    bool requester_pays;
    bool tags_decide; /* conditions may ask for the tags of the bucket */
};

/* By S3's names ("BucketOwnerEnforced", "BlockPublicAcls"); UNSET and 0: there is none of that name. */
enum object_ownership ownership_from_name(struct str name);
unsigned public_access_block_from_name(struct str name);
/* The names of public_access_block, in the order in which S3 lists them; STR_NONE behind the last. */
struct str public_access_block_name(size_t i);

#endif
