/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of buckets (a document of kind "tagging") and of object versions.
 */
#include "server/s3/op.h"

#include "base/text/pairs.h"
#include "server/s3/answer.h"
#include "server/s3/limits.h"
#include "server/s3/ops/document.h"
#include "server/s3/refuse.h"
#include "server/s3/request/tags.h"
#include "server/s3/routes.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

static enum s3_error reply_tagging(struct op *op, struct str packed)
{
    struct buf out = BUF_WITH_MAX(2 * S3_XML_BYTES_MAX);
    struct str key;
    struct str value;

    xml_begin(&out, STR("Tagging"));
    xml_open(&out, STR("TagSet"));
    while (pairs_next(&packed, &key, &value)) {
        xml_open(&out, STR("Tag"));
        xml_text(&out, STR("Key"), key);
        xml_text(&out, STR("Value"), value);
        xml_close(&out, STR("Tag"));
    }
    xml_close(&out, STR("TagSet"));
    xml_close(&out, STR("Tagging"));
    return op_reply_xml(op, &out);
}

/* <Tagging/> is what SDKs make of a tag set that is not there: no tags. */
static enum s3_error tagging_from_body(struct op *op, enum tags_of of, struct str *ret_packed)
{
    const struct xml_node *root;
    const struct xml_node *set;
    enum s3_error err = op_xml(op, STR("Tagging"), &root);

    if (err != S3_OK)
        return err;
    set = root->children;
    if (set == NULL) {
        *ret_packed = STR_NONE;
        return S3_OK;
    }
    if (!str_eq(set->name, STR("TagSet")) || set->next != NULL)
        return op_fail(op, S3_MalformedXML);
    return tags_from_xml(op, set, of, ret_packed);
}

/* ---- buckets ------------------------------------------------------------------------------------ */

static enum s3_error set_bucket_tagging(struct op *op, struct str packed)
{
    struct intent *intent = op_intent(op, INTENT_DOCUMENT_SET);

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->document =
        (struct bucket_document){ .kind = STR("tagging"), .id = STR(""), .body = packed };
    return op_submit(op, intent, op_reply_empty);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html */
enum s3_error op_GetBucketTagging(struct op *op)
{
    struct str packed;
    enum store_status status = document_get(op->reader, op->bucket.id, STR("tagging"), STR(""),
                                            op->arena, &packed, &op->fault);

    if (status == STORE_NO_DOCUMENT)
        return op_fail(op, S3_NoSuchTagSet, op->bucket_name);
    return status == STORE_OK ? reply_tagging(op, packed) : s3_from_store(op, status);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html */
enum s3_error op_PutBucketTagging(struct op *op)
{
    struct str packed;
    enum s3_error err = tagging_from_body(op, TAGS_OF_BUCKET, &packed);

    return err == S3_OK ? set_bucket_tagging(op, packed) : err;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html */
enum s3_error op_DeleteBucketTagging(struct op *op)
{
    return set_bucket_tagging(op, STR_NONE);
}

/* ---- objects ------------------------------------------------------------------------------------ */

static enum s3_error after_object_tags(struct op *op)
{
    if (op->bucket.versioning != VERSIONING_NEVER)
        op_set_version_id(op, &op->version);
    return op_reply_empty(op);
}

static enum s3_error set_object_tags(struct op *op, struct str packed, struct str event)
{
    struct intent *intent = op_intent(op, INTENT_OBJECT_SET);

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->object_set = (struct intent_object_set){ .version = version_id_of(&op->version),
                                                     .judged = &op->version,
                                                     .set_tags = true,
                                                     .tags = packed };
    intent->origin.event = event;
    return op_submit(op, intent, after_object_tags);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html */
enum s3_error op_GetObjectTagging(struct op *op)
{
    if (op->bucket.versioning != VERSIONING_NEVER)
        op_set_version_id(op, &op->version);
    return reply_tagging(op, op->version.attrs.tags);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html */
enum s3_error op_PutObjectTagging(struct op *op)
{
    struct str packed;
    enum s3_error err = tagging_from_body(op, TAGS_OF_OBJECT, &packed);

    return err == S3_OK ? set_object_tags(op, packed, STR("ObjectTagging:Put")) : err;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html */
enum s3_error op_DeleteObjectTagging(struct op *op)
{
    return set_object_tags(op, STR_NONE, STR("ObjectTagging:Delete"));
}
