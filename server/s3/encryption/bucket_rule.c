/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutBucketEncryption: what a bucket's encryption document may say, and what is compiled of it. What it
 * does: encryption/method.c. It is kept in one form, however it was spelt.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
 */
#include "server/s3/encryption/method.h"

#include "server/s3/documents.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"

/* KMS's own limit of a KeyId. */
#define KMS_KEY_ID_BYTES_MAX 2048

#define ROOT STR("ServerSideEncryptionConfiguration")
#define DEFAULT STR("ApplyServerSideEncryptionByDefault")
#define ALGORITHM STR("SSEAlgorithm")
#define KEY_ID STR("KMSMasterKeyID")
#define BUCKET_KEY STR("BucketKeyEnabled")
#define BLOCKED STR("BlockedEncryptionTypes")
#define BLOCKED_TYPE STR("EncryptionType")

/* ---- judged ------------------------------------------------------------------------------------ */

static enum s3_error check_default(struct op *op, const struct xml_node *given)
{
    static const struct xml_expected children[] = { { "SSEAlgorithm", true, false },
                                                    { "KMSMasterKeyID", false, false } };
    struct str key_id = given != NULL ? xml_child_text(given, KEY_ID) : STR_NONE;
    uint8_t sse;

    if (given == NULL)
        return S3_OK;
    if (!xml_has_only(given, children, COUNT_OF(children)) ||
        !sse_parse(xml_child_text(given, ALGORITHM), &sse))
        return op_fail(op, S3_MalformedXML);
    if (!str_present(key_id))
        return S3_OK;
    if (sse == SSE_AES256)
        return op_fail_argument(op,
                                STR("a KMSMasterKeyID is not applicable if the default sse "
                                    "algorithm is not aws:kms or aws:kms:dsse"),
                                DEFAULT, STR_NONE);
    /* It is answered in a header. */
    return key_id.len > 0 && key_id.len <= KMS_KEY_ID_BYTES_MAX && str_is_printable(key_id)
               ? S3_OK
               : op_fail(op, S3_MalformedXML);
}

static bool bucket_key_is_good(const struct xml_node *rule)
{
    struct str text = xml_child_text(rule, BUCKET_KEY);

    return !str_present(text) || str_eq_nocase(text, STR("true")) ||
           str_eq_nocase(text, STR("false"));
}

/* One of the two that there are: they exclude each other. */
static bool blocked_is_good(const struct xml_node *blocked)
{
    static const struct xml_expected children[] = { { "EncryptionType", true, false } };
    struct str type = blocked != NULL ? xml_child_text(blocked, BLOCKED_TYPE) : STR_NONE;

    return blocked == NULL || (xml_has_only(blocked, children, COUNT_OF(children)) &&
                               (str_eq(type, STR("SSE-C")) || str_eq(type, STR("NONE"))));
}

/* In the order in which S3 answers it, AES256 where a rule speaks of other things only. */
static enum s3_error write_stored(struct op *op, const struct xml_node *rule,
                                  struct str *ret_stored)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);
    const struct xml_node *given = xml_child(rule, DEFAULT);
    const struct xml_node *blocked = xml_child(rule, BLOCKED);

    buf_lit(&out, "<ServerSideEncryptionConfiguration xmlns=\"" XML_NS_S3 "\">");
    xml_open(&out, STR("Rule"));
    xml_open(&out, DEFAULT);
    xml_text(&out, ALGORITHM, given != NULL ? xml_child_text(given, ALGORITHM) : STR("AES256"));
    if (given != NULL && xml_child(given, KEY_ID) != NULL)
        xml_text(&out, KEY_ID, xml_child_text(given, KEY_ID));
    xml_close(&out, DEFAULT);
    xml_bool(&out, BUCKET_KEY, str_eq_nocase(xml_child_text(rule, BUCKET_KEY), STR("true")));
    if (blocked != NULL) {
        xml_open(&out, BLOCKED);
        xml_text(&out, BLOCKED_TYPE, xml_child_text(blocked, BLOCKED_TYPE));
        xml_close(&out, BLOCKED);
    }
    xml_close(&out, STR("Rule"));
    xml_close(&out, ROOT);
    *ret_stored = out.failed ? STR_NONE : arena_dup(op->arena, buf_view(&out));
    return str_present(*ret_stored) ? S3_OK : op_fail(op, S3_SlowDown);
}

enum s3_error encryption_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected rules[] = { { "Rule", true, false } };
    static const struct xml_expected children[] = {
        { "ApplyServerSideEncryptionByDefault", false, false },
        { "BucketKeyEnabled", false, false },
        { "BlockedEncryptionTypes", false, false },
    };
    const struct xml_node *rule = xml_child(root, STR("Rule"));
    enum s3_error err;

    if (!xml_has_only(root, rules, COUNT_OF(rules)) || rule->children == NULL ||
        !xml_has_only(rule, children, COUNT_OF(children)) || !bucket_key_is_good(rule) ||
        !blocked_is_good(xml_child(rule, BLOCKED)))
        return op_fail(op, S3_MalformedXML);
    err = check_default(op, xml_child(rule, DEFAULT));
    return err == S3_OK ? write_stored(op, rule, ret_stored) : err;
}

/* ---- compiled ---------------------------------------------------------------------------------- */

/* What is kept was written above, so only memory can lack. */
bool encryption_compile(struct str stored, struct arena *arena, struct bucket_config *config)
{
    const struct xml_node *root = xml_parse(stored, ROOT, arena, NULL);
    const struct xml_node *rule = root != NULL ? xml_child(root, STR("Rule")) : NULL;
    const struct xml_node *given = rule != NULL ? xml_child(rule, DEFAULT) : NULL;
    const struct xml_node *blocked = rule != NULL ? xml_child(rule, BLOCKED) : NULL;

    if (given == NULL || !sse_parse(xml_child_text(given, ALGORITHM), &config->encryption.sse))
        return false;
    config->encryption.key_id = xml_child_text(given, KEY_ID);
    config->encryption.bucket_key = str_eq(xml_child_text(rule, BUCKET_KEY), STR("true")) &&
                                    config->encryption.sse == SSE_KMS;
    config->encryption.customer_keys_blocked =
        blocked != NULL && str_eq(xml_child_text(blocked, BLOCKED_TYPE), STR("SSE-C"));
    return true;
}
