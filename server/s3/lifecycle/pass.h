/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over a bucket: what its lifecycle rules want of each version and each open upload is done.
 *
 * (1) A page of versions is read and judged in one state of the bucket. What is to be done is decided
 *     again where it is written: nothing happens to a version that is another by then, nor in a bucket
 *     that has changed, nor to one that is locked.
 * (2) A pass may end anywhere; what is left is found by the next.
 * (3) Memory and time of a step are bounded: it is a page long.
 */
#ifndef SERVER_S3_LIFECYCLE_PASS_H
#define SERVER_S3_LIFECYCLE_PASS_H

#include "server/duties/duty.h"
#include "server/s3/bucket_config.h"

struct lifecycle_pass {
    struct store *store;
    struct reader *reader;
    struct bucket_configs *configs;
    struct duty *duty;
    const struct observers *observers; /* who is told what was done where a bucket is logged */
    struct str store_name;
    int64_t day_us;
    uint64_t done; /* versions removed, marked or moved, and uploads aborted */
    struct fault fault;
};

/*
 * All of a bucket, by the store's clock.
 *
 * Returns STORE_OK, also when there is no such bucket; STORE_STOPPED: the duty is to end; or a failure
 * of the store, which fault tells of.
 */
MUST_CHECK enum store_status lifecycle_pass_bucket(struct lifecycle_pass *pass, struct str name);

#endif
