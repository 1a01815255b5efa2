/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores that one event loop has to do with, each with the loop's reader of it.
 *
 * (1) The store that names none is opened with the loop and kept. Others are held and get a reader
 *     when a request first asks for them.
 * (2) One that a request uses stays as it is until that request is done.
 * (3) After each round, what nobody uses is given back if it is being closed, or if more than
 *     LOOP_STORES_IDLE_MAX were used since.
 *
 * Belongs to its loop's thread.
 */
#ifndef SERVER_S3_LOOP_STORES_H
#define SERVER_S3_LOOP_STORES_H

#include "server/s3/bucket_config.h"
#include "server/s3/op.h"
#include "storage/stores.h"

#define LOOP_STORES_IDLE_MAX 16

struct loop_stores;

/* What a request uses. */
struct loop_store {
    struct open_store *held;
    struct reader *reader; /* serves */
    struct bucket_configs *configs;
    struct str kms_key_arn; /* default key named for aws:kms */
};

/* NULL: no memory, or the store "" can not be read; fault says. All outlives it. */
MUST_CHECK struct loop_stores *loop_stores_open(struct stores *stores, struct str region,
                                                struct str account_id, struct fault *fault);
void loop_stores_close(struct loop_stores *stores); /* nothing is used; NULL is fine */

/*
 * Use a store until loop_stores_leave. The one named "" costs nothing.
 * STORE_STOPPED: none of that name is open; else what reader_open says.
 */
MUST_CHECK enum store_status loop_stores_use(struct loop_stores *stores, struct str name,
                                             struct loop_store **ret_store, struct fault *fault);
void loop_stores_leave(struct loop_store *store);
/* After each round of the loop. */
void loop_stores_end_round(struct loop_stores *stores);

/*
 * Which store a request talks to: the one that its Host names, if stores are chosen by Host
 * (s3_options.stores_by_host), else "". Sets what of op depends on it; op_leave_store follows.
 * op->host becomes the Host without what names the store.
 */
MUST_CHECK enum s3_error op_choose_store(struct op *op, struct loop_stores *stores);
void op_leave_store(struct op *op);

#endif
