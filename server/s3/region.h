/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions: which names are one, and which one a bucket is in.
 *
 * A region is one of AWS's or the one this server says it is, whatever that is called. "EU" is an
 * old name of eu-west-1: a bucket may be made with it and GetBucketLocation gives it back, every
 * header and listing says eu-west-1.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html
 */
#ifndef SERVER_S3_REGION_H
#define SERVER_S3_REGION_H

#include "server/s3/op.h"

#define REGION_CREATOR STR("us-east-1") /* where S3 began: some of its answers differ */
#define REGION_EU_OLD STR("EU")

/* A region of AWS, of any partition, or own (the server's). Case counts. */
bool region_known(struct str name, struct str own);
/* A region of AWS, whatever its case. */
bool region_known_nocase(struct str name);

/* What a bucket was made with: its LocationConstraint ("EU" as such), or the server's region. */
struct str region_constraint(const struct op *op, const struct bucket *bucket);

/* The region a bucket is in, as headers and listings tell it. */
struct str region_of(const struct op *op, const struct bucket *bucket);

/*
 * The region a new bucket is to be in, from its LocationConstraint (STR_NONE when there is none):
 * *ret_region is what is stored, "" for the server's own. InvalidLocationConstraint for a name
 * that is no region; under --strict-region IllegalLocationConstraintException for any but ours.
 */
MUST_CHECK enum s3_error region_for_new_bucket(struct op *op, struct str constraint,
                                               struct str *ret_region);

#endif
