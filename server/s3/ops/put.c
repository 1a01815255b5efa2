/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutObject. The body is in op->writer, its digests verified by the sink.
 */
#include "server/s3/ops/reply_put.h"

#include "base/random.h"
#include "base/text/codec.h"
#include "server/s3/answer.h"
#include "server/s3/encryption/method.h"
#include "server/s3/lifecycle/tell.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"
#include "server/s3/request/condition.h"
#include "server/s3/request/lock.h"
#include "server/s3/store_map.h"

struct str etag_made(struct arena *arena, const uint8_t md5[MD5_BYTES], bool customers)
{
    char *text = arena_alloc(arena, 2 * MD5_BYTES);
    uint8_t bytes[MD5_BYTES];

    if (text == NULL)
        return STR_NONE;
    if (customers)
        random_key_bytes(bytes, sizeof(bytes));
    hex_encode(customers ? bytes : md5, MD5_BYTES, text);
    return str_make(text, 2 * MD5_BYTES);
}

struct str etag_of_digests(struct op *op, const struct body_digests *digests)
{
    return etag_made(op->arena, digests->md5, op->customer_key != NULL);
}

struct stored_checksum checksum_of_digests(const struct op *op)
{
    struct stored_checksum checksum = { .kind = op->checksum_kind, .type = CHECKSUM_FULL_OBJECT };

    memcpy(checksum.value, op->digests.checksum[op->checksum_kind], sizeof(checksum.value));
    return checksum;
}

void op_set_written(struct op *op)
{
    const struct intent *intent = op->intent;

    /* A suspended bucket's writes become the null version; S3 does not name it to the writer. */
    if (intent->result.versioned && !str_eq(intent->result.version_text, STR("null")))
        op_set(op, "x-amz-version-id", intent->result.version_text);
    op_set_encryption(op, &intent->put.attrs);
    lifecycle_tell_expiration(op, intent->result.committed_us, intent->result.size_bytes,
                              intent->put.attrs.tags);
}

static enum s3_error reply_PutObject(struct op *op)
{
    struct stored_checksum checksum = checksum_of_digests(op);

    op_set_quoted(op, "ETag", op->intent->put.attrs.etag);
    op_set_checksum(op, &checksum, /* with_type= */ true);
    op_set_written(op);
    return op_reply_empty(op);
}

enum s3_error op_prepare_PutObject(struct op *op)
{
    enum s3_error err = lock_needs_checksum(op);

    return err == S3_OK ? attrs_from_request(op, &op->attrs) : err;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
enum s3_error op_PutObject(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_OBJECT_PUT);
    struct intent_put *put;
    struct stored_checksum checksum = checksum_of_digests(op);
    enum s3_error err;

    if (intent == NULL)
        return S3_SlowDown;
    put = &intent->put;
    err = condition_of_write(op, /* for_delete= */ false, &put->condition);
    if (err != S3_OK)
        return err;
    put->attrs = op->attrs;
    err = attrs_settle(op, &put->attrs);
    if (err != S3_OK)
        return err;
    put->attrs.etag = etag_of_digests(op, &op->digests);
    put->attrs.checksum = stored_checksum_pack(op, &checksum);
    put->bytes.body = op->writer;
    intent->origin.event = STR("ObjectCreated:Put");
    if (!str_present(put->attrs.etag))
        return S3_SlowDown;
    return op_submit(op, intent, reply_PutObject);
}
