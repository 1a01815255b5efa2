/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encryption of new objects; see method.h.
 *
 * (1) The key's id and the bucket-key flag are stored as pairs, under their header names.
 * (2) The bucket's rule counts only where the request has no header of a method. One that asks for
 *     aws:kms without saying "bucket key" gets the bucket's setting of it all the same.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
 */
#include "server/s3/encryption/method.h"

#include "base/text/pairs.h"
#include "server/auth/session/session.h"
#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/encryption/customer_key.h"
#include "server/s3/encryption/kms.h"
#include "server/s3/refuse.h"

#define METHOD_HEADER "x-amz-server-side-encryption"
#define BUCKET_KEY_HEADER METHOD_HEADER "-bucket-key-enabled"

static const struct str method_names[] = { STR_INIT(""), STR_INIT("AES256"), STR_INIT("aws:kms"),
                                           STR_INIT("aws:kms:dsse") }; /* by enum sse_kind */

bool sse_parse(struct str name, uint8_t *ret_kind)
{
    for (size_t i = SSE_AES256; i < COUNT_OF(method_names); i++)
        if (str_eq(method_names[i], name)) {
            *ret_kind = (uint8_t)i;
            return true;
        }
    return false;
}

struct str sse_name(uint8_t kind)
{
    return kind < COUNT_OF(method_names) ? method_names[kind] : STR("");
}

static bool is_kms(uint8_t kind)
{
    return kind == SSE_KMS || kind == SSE_KMS_DSSE;
}

/* As the session has it, else as the bucket does. */
static struct bucket_encryption without_method(const struct op *op)
{
    const struct session *session = op->auth.session;
    struct bucket_encryption asked = { .sse = SSE_NONE };

    if (session == NULL || !str_present(session->sse) || !sse_parse(session->sse, &asked.sse))
        return op->config->encryption;
    asked.key_id = session->key_id;
    asked.bucket_key = is_kms(asked.sse);
    return asked;
}

static enum s3_error method_from_headers(struct op *op, struct bucket_encryption *ret_asked)
{
    struct str method = op_header(op, METHOD_HEADER);
    struct str bucket_key = op_header(op, BUCKET_KEY_HEADER);

    if (str_present(method) && !sse_parse(method, &ret_asked->sse))
        return op_fail_argument(op, STR("The encryption method specified is not supported"),
                                STR(METHOD_HEADER), method);
    ret_asked->key_id = op_header(op, SSE_KMS_KEY_HEADER);
    if (!is_kms(ret_asked->sse) &&
        (str_present(ret_asked->key_id) || str_present(op_header(op, SSE_CONTEXT_HEADER))))
        return op_fail_argument(op,
                                STR("Server Side Encryption with AWS KMS managed key requires "
                                    "HTTP header x-amz-server-side-encryption : aws:kms"),
                                STR(METHOD_HEADER), method);
    if (!str_present(method))
        *ret_asked = without_method(op);
    else if (!str_present(bucket_key))
        ret_asked->bucket_key = op->config->encryption.bucket_key && ret_asked->sse == SSE_KMS;
    if (str_present(bucket_key))
        ret_asked->bucket_key = str_eq_nocase(bucket_key, STR("true"));
    return S3_OK;
}

enum s3_error encryption_keep_kms(struct op *op, struct str key_id, bool bucket_key,
                                  struct buf *headers)
{
    if (bucket_key)
        (void)pairs_add(headers, STR(BUCKET_KEY_HEADER), STR("true"));
    return kms_for_writing(op, key_id, headers);
}

enum s3_error encryption_from_request(struct op *op, struct version_attrs *attrs,
                                      struct buf *headers)
{
    struct bucket_encryption asked = { .sse = SSE_NONE };
    enum s3_error err = customer_key_for_writing(op, attrs, headers);

    if (err != S3_OK || op->customer_key != NULL)
        return err;
    err = method_from_headers(op, &asked);
    if (err != S3_OK)
        return err;
    attrs->sse = asked.sse;
    if (!is_kms(asked.sse))
        return S3_OK;
    return encryption_keep_kms(op, asked.key_id, asked.bucket_key, headers);
}

/* ---- used again -------------------------------------------------------------------------------- */

enum s3_error encryption_for_reading(struct op *op)
{
    enum s3_error err = customer_key_for_reading(op);
    bool named;

    /* S3 decrypts for a HEAD only to tell the checksum. */
    if (err != S3_OK || (op->request->head && !str_present(op_header(op, "x-amz-checksum-mode"))))
        return err;
    return kms_for_reading(op, &op->version.attrs, &named);
}

enum s3_error encryption_for_source(struct op *op)
{
    enum s3_error err = customer_key_for_source(op);

    return err == S3_OK ? kms_for_reading(op, &op->source.attrs, &op->source_under_named_key) : err;
}

enum s3_error encryption_for_upload(struct op *op, bool required)
{
    enum s3_error err = customer_key_for_upload(op, required);

    return err == S3_OK ? kms_for_upload(op) : err;
}

void encryption_options(const struct op *op, struct body_options *options)
{
    if (op->customer_key != NULL)
        options->customer_key = op->customer_key->bytes;
    if (op->kms != NULL) {
        options->named_key = str_from_cstr(op->kms->uuid);
        options->key_context = op->kms->context;
    }
}

enum s3_error encryption_refuse_method(struct op *op)
{
    struct str asked = op_header(op, METHOD_HEADER);

    if (!str_present(asked))
        return S3_OK;
    return op_fail_argument(
        op, STR("x-amz-server-side-encryption header is not supported for this operation."),
        STR(METHOD_HEADER), asked);
}

void op_set_encryption(struct op *op, const struct version_attrs *attrs)
{
    struct str value;

    if (attrs->sse == SSE_CUSTOMER)
        customer_key_tell(op);
    if (attrs->sse == SSE_NONE || attrs->sse >= COUNT_OF(method_names))
        return;
    op_set(op, METHOD_HEADER, method_names[attrs->sse]);
    value = pairs_get(attrs->headers, STR(SSE_KMS_KEY_HEADER));
    if (value.len > 0)
        op_set(op, SSE_KMS_KEY_HEADER, value);
    value = pairs_get(attrs->headers, STR(BUCKET_KEY_HEADER));
    if (value.len > 0)
        op_set(op, BUCKET_KEY_HEADER, value);
}
