/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UpdateObjectEncryption: another key of KMS for an object that is stored encrypted. Its data keys are
 * wrapped anew, its bytes, ETag and time stay.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UpdateObjectEncryption.html
 */
#include "base/text/pairs.h"
#include "server/s3/answer.h"
#include "server/s3/encryption/kms.h"
#include "server/s3/encryption/method.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"
#include "server/s3/store_map.h"

#define HEADERS_BYTES_MAX (32u * 1024u)
#define ARN_BYTES_MAX 2048

static enum s3_error refuse(struct op *op, struct str message)
{
    return op_fail_text(op, S3_InvalidRequest, message);
}

static enum s3_error check_signature(struct op *op)
{
    if (op->auth.scheme == AUTH_V4_HEADER || op->auth.scheme == AUTH_V4_QUERY)
        return S3_OK;
    return refuse(op, STR("Requests that modify an object encryption configuration require AWS "
                          "Signature Version 4. Modify the request to use AWS Signature Version 4, "
                          "and then try again."));
}

/* arn:aws:kms:REGION:ACCOUNT:key/ID */
static bool is_key_arn(struct str arn)
{
    struct str rest = arn;
    struct str field[5];

    if (arn.len > ARN_BYTES_MAX || !str_is_printable(arn))
        return false;
    for (size_t i = 0; i < COUNT_OF(field); i++)
        if (!str_cut(rest, ':', &field[i], &rest))
            return false;
    return str_eq(field[0], STR("arn")) && str_starts(field[1], STR("aws")) &&
           str_eq(field[2], STR("kms")) && field[3].len > 0 && field[4].len == 12 &&
           str_starts(rest, STR("key/")) && rest.len > 4;
}

static enum s3_error read_wish(struct op *op, struct str *ret_arn, bool *ret_bucket_key)
{
    static const struct xml_expected children[] = { { "KMSKeyArn", false, false },
                                                    { "BucketKeyEnabled", false, false } };
    const struct xml_node *root;
    const struct xml_node *kms;
    struct str bucket_key;
    enum s3_error err = op_xml(op, STR("ObjectEncryption"), &root);

    if (err != S3_OK)
        return err;
    kms = xml_child(root, STR("SSE-KMS"));
    if (kms == NULL || root->children->next != NULL)
        return refuse(op, STR("Requests that modify an object encryption configuration require a "
                              "valid new encryption type. Valid values are SSEKMS. Modify the "
                              "request to specify SSE-KMS for the updated encryption type, and "
                              "then try again."));
    if (!xml_has_only(kms, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    *ret_arn = xml_child_text(kms, STR("KMSKeyArn"));
    if (ret_arn->len == 0)
        return refuse(op, STR("Requests that modify an object's encryption type to SSE-KMS require "
                              "an AWS KMS key Amazon Resource Name (ARN). Modify the request to "
                              "specify a KMS key ARN, and then try again."));
    if (!is_key_arn(*ret_arn))
        return refuse(op, STR("Requests that modify an object's encryption type to SSE-KMS require "
                              "a valid AWS KMS key Amazon Resource Name (ARN). Confirm that you "
                              "have a correctly formatted KMS key ARN in your request, and then "
                              "try again."));
    bucket_key = xml_child_text(kms, STR("BucketKeyEnabled"));
    *ret_bucket_key = str_eq(bucket_key, STR("true"));
    if (*ret_bucket_key || !str_present(bucket_key) || str_eq(bucket_key, STR("false")))
        return S3_OK;
    return refuse(op, STR("The BucketKeyEnabled value isn't valid. Valid values are true or false. "
                          "Modify the request to specify a valid value, and then try again."));
}

static enum s3_error check_source(struct op *op)
{
    bool named;

    if (op->version.attrs.sse == SSE_NONE)
        return refuse(op, STR("The UpdateObjectEncryption operation doesn't supported unencrypted "
                              "source objects. Only source objects encrypted with SSE-S3 or "
                              "SSE-KMS are supported."));
    if (op->version.attrs.sse != SSE_AES256 && op->version.attrs.sse != SSE_KMS)
        return refuse(op, STR("The UpdateObjectEncryption operation doesn't support source objects "
                              "with the encryption type DSSE-KMS or SSE-C. Only source objects "
                              "encrypted with SSE-S3 or SSE-KMS are supported."));
    return kms_for_reading(op, &op->version.attrs, &named);
}

/* The stored headers, with what is told of the new key in place of the old one's. */
static enum s3_error new_headers(struct op *op, struct str arn, bool bucket_key,
                                 struct str *ret_headers)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(HEADERS_BYTES_MAX);
    struct str rest = op->version.attrs.headers;
    struct str name;
    struct str value;
    enum s3_error err = encryption_keep_kms(op, arn, bucket_key, &out);

    if (err != S3_OK)
        return err;
    while (pairs_next(&rest, &name, &value))
        if (!str_starts(name, STR("x-amz-server-side-encryption")))
            (void)pairs_add(&out, name, value);
    *ret_headers = out.failed ? STR_NONE : arena_dup(op->arena, buf_view(&out));
    return str_present(*ret_headers) ? S3_OK : op_fail(op, S3_SlowDown);
}

enum s3_error op_UpdateObjectEncryption(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_OBJECT_SET);
    struct body_options keys = { .named_key = STR_NONE };
    struct str headers = STR_NONE;
    struct str arn = STR_NONE;
    bool bucket_key = false;
    enum s3_error err = check_signature(op);

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    if (err == S3_OK)
        err = read_wish(op, &arn, &bucket_key);
    if (err == S3_OK)
        err = check_source(op);
    if (err == S3_OK)
        err = new_headers(op, arn, bucket_key, &headers);
    if (err != S3_OK)
        return err;
    encryption_options(op, &keys);
    intent->object_set = (struct intent_object_set){ .version = version_id_of(&op->version),
                                                     .judged = &op->version,
                                                     .set_encryption = true,
                                                     .sse = SSE_KMS,
                                                     .headers = headers,
                                                     .named_key = keys.named_key,
                                                     .key_context = keys.key_context };
    return op_submit(op, intent, op_reply_empty);
}
