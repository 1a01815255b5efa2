/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S3 Control's tags of resources, of which buckets are the ones that are here: the same tags that
 * PutBucketTagging sets, changed one by one.
 *
 * What is read, changed and written is of one state of the bucket: the writer refuses the change of another.
 */
#include "server/s3/request/tags.h"
#include "base/text/pairs.h"
#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/limits.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"
#include "server/s3/request/owner_condition.h"
#include "server/s3/store_map.h"

#define ACCOUNT STR("x-amz-account-id")
#define TAGS_BYTES_MAX (64u * 1024u)

/* The account is that of who owns the bucket, or of who asks. */
static enum s3_error check_account(struct op *op)
{
    struct str account = http_header(op->request, ACCOUNT);

    for (size_t i = 0; i < account.len; i++)
        if (account.p[i] < '0' || account.p[i] > '9' || account.len != 12)
            account.len = 0;
    if (account.len == 0)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The account id has to be a number of 12 digits."));
    if (str_eq(account, owner_account(op, op->bucket.owner)) ||
        str_eq(account, owner_account(op, op_caller_id(op))))
        return S3_OK;
    return op_deny(op, "the bucket is not of the account that is named");
}

static struct str value_of(struct str packed, struct str key)
{
    struct str name;
    struct str value;

    while (pairs_next(&packed, &name, &value))
        if (str_eq(name, key))
            return value;
    return STR_NONE;
}

static enum s3_error set_tags(struct op *op, struct buf *packed)
{
    struct intent *intent = op_intent(op, INTENT_DOCUMENT_SET);
    struct str tags = arena_dup(op->arena, buf_view(packed));

    if (intent == NULL || packed->failed || !str_present(tags))
        return op_fail(op, S3_SlowDown);
    intent->document = (struct bucket_document){ .kind = STR("tagging"),
                                                 .id = STR(""),
                                                 .body = tags.len > 0 ? tags : STR_NONE };
    return op_submit(op, intent, op_reply_empty);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListTagsForResource.html */
enum s3_error op_ListTagsForResource(struct op *op)
{
    struct buf out = BUF_WITH_MAX(2 * S3_XML_BYTES_MAX);
    struct str tags = op->config->tags;
    struct str key;
    struct str value;
    enum s3_error err = check_account(op);

    if (err != S3_OK)
        return err;
    xml_begin_in(&out, STR("ListTagsForResourceResult"), STR(XML_NS_S3_CONTROL));
    xml_open(&out, STR("Tags"));
    while (pairs_next(&tags, &key, &value)) {
        xml_open(&out, STR("Tag"));
        xml_text(&out, STR("Key"), key);
        xml_text(&out, STR("Value"), value);
        xml_close(&out, STR("Tag"));
    }
    xml_close(&out, STR("Tags"));
    xml_close(&out, STR("ListTagsForResourceResult"));
    return op_reply_xml(op, &out);
}

static enum s3_error read_tags(struct op *op, struct str *ret_packed)
{
    const struct xml_node *root;
    enum s3_error err = op_xml(op, STR("TagResourceRequest"), &root);

    if (err != S3_OK)
        return err;
    if (root->children == NULL || !str_eq(root->children->name, STR("Tags")) ||
        root->children->next != NULL)
        return op_fail(op, S3_MalformedXML);
    return tags_from_xml(op, root->children, TAGS_OF_BUCKET, ret_packed);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html */
enum s3_error op_TagResource(struct op *op)
{
    CLEANUP(buf_free) struct buf packed = BUF_WITH_MAX(2 * TAGS_BYTES_MAX);
    struct str old = op->config->tags;
    struct str given = STR_NONE;
    struct str rest;
    struct str key;
    struct str value;
    enum s3_error err = check_account(op);

    if (err == S3_OK)
        err = read_tags(op, &given);
    if (err != S3_OK)
        return err;
    /* Those that are there keep their places. */
    while (pairs_next(&old, &key, &value)) {
        struct str other = value_of(given, key);

        (void)pairs_add(&packed, key, str_present(other) ? other : value);
    }
    for (rest = given; pairs_next(&rest, &key, &value);)
        if (!str_present(value_of(op->config->tags, key)))
            (void)pairs_add(&packed, key, value);
    if (pairs_count(buf_view(&packed)) > S3_BUCKET_TAGS_MAX)
        return op_fail(op, S3_TooManyTags);
    return set_tags(op, &packed);
}

static bool is_named(const struct op *op, struct str key)
{
    for (size_t i = 0; i < op->request->param_count; i++) {
        const struct http_param *param = &op->request->params[i];

        if (str_eq(param->name, STR("tagKeys")) && str_eq(param->value, key))
            return true;
    }
    return false;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UntagResource.html */
enum s3_error op_UntagResource(struct op *op)
{
    CLEANUP(buf_free) struct buf packed = BUF_WITH_MAX(TAGS_BYTES_MAX);
    struct str old = op->config->tags;
    struct str key;
    struct str value;
    size_t named = 0;
    enum s3_error err = check_account(op);

    if (err != S3_OK)
        return err;
    for (size_t i = 0; i < op->request->param_count; i++)
        named += str_eq(op->request->params[i].name, STR("tagKeys")) ? 1 : 0;
    if (named == 0 || named > S3_BUCKET_TAGS_MAX)
        return op_fail_argument(op, STR("Between 1 and 50 tag keys have to be named."),
                                STR("tagKeys"), op_param(op, "tagKeys"));
    while (pairs_next(&old, &key, &value))
        if (!is_named(op, key))
            (void)pairs_add(&packed, key, value);
    return set_tags(op, &packed);
}
