/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of one element with one of two words in it, kept by the word: who pays for requests, whether
 * the accelerated address is served, whether the bucket's tags decide.
 */
#include "server/s3/op.h"

#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/documents.h"
#include "server/s3/ops/document.h"
#include "server/s3/refuse.h"
#include "server/xml/xml.h"

static enum s3_error read_word(struct op *op, const struct xml_node *root, struct str element,
                               struct str a, struct str b, struct str *ret_stored)
{
    struct str word = xml_child_text(root, element);

    if (root->children == NULL || root->children->next != NULL || !str_present(word) ||
        (!str_eq(word, a) && !str_eq(word, b)))
        return op_fail(op, S3_MalformedXML);
    *ret_stored = word;
    return S3_OK;
}

static enum s3_error show_word(struct op *op, struct str root, struct str element, struct str word)
{
    struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);

    xml_begin(&out, root);
    xml_text(&out, element, word);
    xml_close(&out, root);
    return op_reply_xml(op, &out);
}

/* ---- who pays for requests --------------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketRequestPayment.html */
enum s3_error payment_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    return read_word(op, root, STR("Payer"), STR("Requester"), STR("BucketOwner"), ret_stored);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketRequestPayment.html */
enum s3_error payment_show(struct op *op, struct str stored)
{
    return show_word(op, STR("RequestPaymentConfiguration"), STR("Payer"), stored);
}

void payment_tell(struct op *op, const struct bucket *bucket, const struct bucket_config *config)
{
    if (!config->access.requester_pays || str_eq(op_caller_id(op), bucket->owner))
        return;
    op_drop(op, "x-amz-request-charged");
    op_set(op, "x-amz-request-charged", STR("requester"));
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html */
enum s3_error payment_effect(struct op *op, const struct bucket_document *document UNUSED)
{
    payment_tell(op, &op->bucket, op->config);
    return S3_OK;
}

/* ---- acceleration ------------------------------------------------------------------------------ */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAccelerateConfiguration.html */
enum s3_error acceleration_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    if (str_find_char(op->bucket_name, '.') != SIZE_MAX)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("S3 Transfer Acceleration is not supported for buckets with "
                                "periods (.) in their names"));
    return read_word(op, root, STR("Status"), STR("Enabled"), STR("Suspended"), ret_stored);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAccelerateConfiguration.html */
enum s3_error acceleration_show(struct op *op, struct str stored)
{
    return show_word(op, STR("AccelerateConfiguration"), STR("Status"), stored);
}

enum s3_error acceleration_check(struct op *op)
{
    if (!op->accelerated || op->config->acceleration == ACCELERATION_ENABLED)
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        op->config->acceleration == ACCELERATION_SUSPENDED
                            ? STR("S3 Transfer Acceleration is disabled on this bucket")
                            : STR("S3 Transfer Acceleration is not configured on this bucket"));
}

/* ---- tags that decide -------------------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAbac.html */
enum s3_error abac_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    return read_word(op, root, STR("Status"), STR("Enabled"), STR("Disabled"), ret_stored);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAbac.html */
enum s3_error abac_show(struct op *op, struct str stored)
{
    return show_word(op, STR("AbacStatus"), STR("Status"), stored);
}

/* Who may set all tags at once could give himself what a condition asks for; TagResource has its own action. */
enum s3_error abac_effect(struct op *op, const struct bucket_document *document UNUSED)
{
    if (!op->config->access.tags_decide || op->route->resource != RESOURCE_BUCKET ||
        !str_eq(op->route->selector, STR("tagging")) || str_eq(op->route->method, STR("GET")))
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        STR("Attribute-based access control is enabled for this bucket: use "
                            "TagResource and UntagResource to change its tags."));
}
