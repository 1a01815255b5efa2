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
#include "storage/store.h"

/* The names of its fields, as a manifest says them: "Bucket, Key, Size". */
void inventory_schema(struct buf *out, const struct inventory_rule *rule);

/* Does it take the version itself, beside what a listing says of it? */
bool inventory_needs_versions(const struct inventory_rule *rule);

/*
 * source   the bucket.
 * version  NULL unless it is needed.
 * arena    for what is made on the way.
 */
void inventory_row(struct buf *out, const struct inventory_rule *rule, const struct bucket *source,
                   const struct listed_version *listed, const struct version *version,
                   struct arena *arena);

#endif
