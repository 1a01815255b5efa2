/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of inventories: one version of an object as a line of CSV. Pure; any thread.
 *
 * (1) Every field is in quotes; one that says nothing of the version is empty.
 * (2) Keys are URL-encoded as listings with encoding-type=url have them.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html
 */
#ifndef SERVER_S3_DELIVERY_INVENTORY_ROW_H
#define SERVER_S3_DELIVERY_INVENTORY_ROW_H

#include "server/s3/delivery/inventory_rule.h"
#include "server/s3/lifecycle/rules.h"
#include "storage/store.h"

/* The names of its fields, as a manifest says them: "Bucket, Key, Size". */
void inventory_schema(struct buf *out, const struct inventory_rule *rule);

/* Does it take the version itself, beside what a listing says of it? */
bool inventory_needs_versions(const struct inventory_rule *rule);

/* The bucket that is reported. All borrowed. */
struct inventory_source {
    const struct bucket *bucket;
    const struct lifecycle *lifecycle; /* its rules; NULL: none */
    int64_t day_us;                    /* a day of them */
};

/*
 * listed   with its tags, where the rules want them.
 * version  NULL unless it is needed.
 * arena    for what is made on the way.
 */
void inventory_row(struct buf *out, const struct inventory_rule *rule,
                   const struct inventory_source *source, const struct listed_version *listed,
                   const struct version *version, struct arena *arena);

#endif
