/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of buckets (a document of kind "tagging") and of object versions.
 */
#include "server/s3/op.h"

#include "base/text/pairs.h"
#include "server/s3/answer.h"
#include "server/s3/documents.h"
#include "server/s3/limits.h"
#include "server/s3/may.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"
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
static enum s3_error tagging_from_root(struct op *op, const struct xml_node *root, enum tags_of of,
                                       struct str *ret_packed)
{
    const struct xml_node *set = root->children;

    if (set == NULL) {
        *ret_packed = STR_NONE;
        return S3_OK;
    }
    if (!str_eq(set->name, STR("TagSet")) || set->next != NULL)
        return op_fail(op, S3_MalformedXML);
    return tags_from_xml(op, set, of, ret_packed);
}

/* ---- buckets: rows of documents.def ------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html */
enum s3_error tagging_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    return tagging_from_root(op, root, TAGS_OF_BUCKET, ret_stored);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html */
enum s3_error tagging_show(struct op *op, struct str stored)
{
    return reply_tagging(op, stored);
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
    const struct xml_node *root;
    struct str packed;
    enum s3_error err = op_xml(op, STR("Tagging"), &root);

    if (err == S3_OK)
        err = tagging_from_root(op, root, TAGS_OF_OBJECT, &packed);
    if (err == S3_OK)
        op->said.tags = packed;
    err = op_require_said(op, err);
    return err == S3_OK ? set_object_tags(op, packed, STR("ObjectTagging:Put")) : err;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html */
enum s3_error op_DeleteObjectTagging(struct op *op)
{
    return set_object_tags(op, STR_NONE, STR("ObjectTagging:Delete"));
}
