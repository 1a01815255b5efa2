/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DeleteObject.
 */
#include "server/s3/op.h"

#include "server/s3/answer.h"
#include "server/s3/refuse.h"
#include "server/s3/request/condition.h"
#include "server/s3/request/lock.h"
#include "server/s3/store_map.h"

static enum s3_error reply_DeleteObject(struct op *op)
{
    const struct delete_item *item = &op->intent->remove.items[0];
    enum s3_error err = s3_from_store(op, item->status);

    if (err != S3_OK)
        return err;
    if (item->made_marker || item->deleted_marker)
        op_set(op, "x-amz-delete-marker", STR("true"));
    if (item->made_marker)
        op_set(op, "x-amz-version-id", item->marker_version);
    else if (item->has_version)
        op_set(op, "x-amz-version-id", op_param(op, "versionId"));
    /* S3 answers 204 even when the key was never there: clients retry deletes. */
    return op_reply_empty(op);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
enum s3_error op_DeleteObject(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_OBJECT_DELETE);
    struct delete_item *item = ARENA_NEW(op->arena, struct delete_item);
    struct op_subject subject;
    enum s3_error err;

    if (intent == NULL || item == NULL)
        return S3_SlowDown;
    item->key = op->key;
    item->has_version = op->asked_version;
    item->version = op->version_id;
    subject = op_subject(op);
    item->bypass = lock_bypasses(op, &subject);
    err = op_refuse_mfa(op);
    if (err == S3_OK)
        err = condition_of_write(op, /* for_delete= */ true, &item->condition);
    if (err != S3_OK)
        return err;
    intent->remove = (struct intent_remove){
        .items = item, .count = 1, .marker_event = STR("ObjectRemoved:DeleteMarkerCreated")
    };
    intent->origin.event = STR("ObjectRemoved:Delete");
    return op_submit(op, intent, reply_DeleteObject);
}
