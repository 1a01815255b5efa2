/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object lock: the bucket's configuration, and retention and legal hold of a version.
 */
#include "server/s3/op.h"

#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/documents.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"
#include "server/s3/request/lock.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

#define YEAR_DAYS 365u

/* ---- the configuration ------------------------------------------------------------------------- */

/* In days; 0: it is none. */
static uint64_t period(const struct xml_node *retention)
{
    struct str days = xml_child_text(retention, STR("Days"));
    struct str years = xml_child_text(retention, STR("Years"));
    uint64_t count;

    if (str_present(years))
        return str_to_u64(years, &count) && count <= S3_LOCK_DAYS_MAX ? count * YEAR_DAYS : 0;
    return str_to_u64(days, &count) ? count : 0;
}

static enum s3_error check_rule(struct op *op, const struct xml_node *rule)
{
    static const struct xml_expected outer[] = { { "DefaultRetention", true, false } };
    static const struct xml_expected inner[] = { { "Mode", true, false },
                                                 { "Days", false, false },
                                                 { "Years", false, false } };
    const struct xml_node *retention;
    uint64_t days;
    uint8_t mode;

    if (!xml_has_only(rule, outer, COUNT_OF(outer)))
        return op_fail(op, S3_MalformedXML);
    retention = xml_child(rule, STR("DefaultRetention"));
    if (!xml_has_only(retention, inner, COUNT_OF(inner)) ||
        xml_child_count(retention, STR("Days")) + xml_child_count(retention, STR("Years")) != 1 ||
        !lock_mode_parse(xml_child_text(retention, STR("Mode")), &mode))
        return op_fail(op, S3_MalformedXML);
    days = period(retention);
    return days >= 1 && days <= S3_LOCK_DAYS_MAX ? S3_OK : op_fail(op, S3_InvalidRetentionPeriod);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html */
enum s3_error lock_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected children[] = { { "ObjectLockEnabled", true, false },
                                                    { "Rule", false, false } };
    const struct xml_node *rule = xml_child(root, STR("Rule"));
    enum s3_error err;

    if (!xml_has_only(root, children, COUNT_OF(children)) ||
        !str_eq(xml_child_text(root, STR("ObjectLockEnabled")), STR("Enabled")))
        return op_fail(op, S3_MalformedXML);
    err = rule != NULL ? check_rule(op, rule) : S3_OK;
    if (err == S3_OK && op->bucket.versioning != VERSIONING_ENABLED)
        return op_fail_text(op, S3_InvalidBucketState,
                            STR("Versioning must be 'Enabled' on the bucket to apply a Object Lock "
                                "configuration"));
    return err == S3_OK ? document_read_plain(op, root, ret_stored) : err;
}

/* What is kept was read before, so only memory can lack. */
bool lock_compile(struct str stored, struct arena *arena, struct bucket_config *config)
{
    const struct xml_node *root = xml_parse(stored, STR("ObjectLockConfiguration"), arena, NULL);
    const struct xml_node *rule;
    const struct xml_node *retention;
    uint8_t mode = LOCK_NONE;

    if (root == NULL)
        return false;
    config->lock.enabled = true;
    rule = xml_child(root, STR("Rule"));
    retention = rule != NULL ? xml_child(rule, STR("DefaultRetention")) : NULL;
    if (retention != NULL && lock_mode_parse(xml_child_text(retention, STR("Mode")), &mode)) {
        config->lock.mode = (enum lock_mode)mode;
        config->lock.days = (uint32_t)period(retention);
    }
    return true;
}

/* ---- of versions ------------------------------------------------------------------------------- */

static enum s3_error submit_set(struct op *op, struct intent_object_set set)
{
    struct intent *intent = op_intent(op, INTENT_OBJECT_SET);

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    set.version = version_id_of(&op->version);
    set.judged = &op->version;
    intent->object_set = set;
    return op_submit(op, intent, op_reply_empty);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html */
enum s3_error op_GetObjectRetention(struct op *op)
{
    struct buf out = BUF_WITH_MAX(4096);
    enum s3_error err = lock_is_there(op);

    if (err != S3_OK)
        return err;
    if (op->version.attrs.lock_mode == LOCK_NONE)
        return op_fail(op, S3_NoSuchObjectLockConfiguration);
    xml_begin(&out, STR("Retention"));
    xml_text(&out, STR("Mode"), lock_mode_name(op->version.attrs.lock_mode));
    xml_text(&out, STR("RetainUntilDate"), lock_date(op, op->version.attrs.retain_until_us));
    xml_close(&out, STR("Retention"));
    return op_reply_xml(op, &out);
}

/* <Retention/> takes it away. */
static enum s3_error retention_from_root(struct op *op, const struct xml_node *root,
                                         struct intent_object_set *set)
{
    static const struct xml_expected children[] = { { "Mode", true, false },
                                                    { "RetainUntilDate", true, false } };
    struct str date = xml_child_text(root, STR("RetainUntilDate"));

    if (root->children == NULL)
        return S3_OK;
    if (!xml_has_only(root, children, COUNT_OF(children)) ||
        !lock_mode_parse(xml_child_text(root, STR("Mode")), &set->lock_mode) ||
        !lock_date_parse(date, &set->retain_until_us))
        return op_fail(op, S3_MalformedXML);
    if (set->retain_until_us <= clock_now_us(store_clock(op->store)))
        return op_fail_argument(op, STR("The retain until date must be in the future!"),
                                STR("RetainUntilDate"), date);
    return S3_OK;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html */
enum s3_error op_PutObjectRetention(struct op *op)
{
    const struct op_subject subject = op_subject(op);
    struct intent_object_set set = { .set_retention = true };
    const struct xml_node *root;
    enum s3_error err = lock_is_there(op);

    if (err == S3_OK)
        err = op_xml(op, STR("Retention"), &root);
    if (err == S3_OK)
        err = retention_from_root(op, root, &set);
    if (err == S3_OK) {
        op->said.lock_mode = xml_child_text(root, STR("Mode"));
        op->said.retain_until = xml_child_text(root, STR("RetainUntilDate"));
    }
    err = op_require_said(op, err);
    if (err != S3_OK)
        return err;
    set.bypass = lock_bypasses(op, &subject);
    return submit_set(op, set);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html */
enum s3_error op_GetObjectLegalHold(struct op *op)
{
    struct buf out = BUF_WITH_MAX(4096);
    enum s3_error err = lock_is_there(op);

    if (err != S3_OK)
        return err;
    if (op->version.attrs.legal_hold == HOLD_NEVER_SET)
        return op_fail(op, S3_NoSuchObjectLockConfiguration);
    xml_begin(&out, STR("LegalHold"));
    xml_text(&out, STR("Status"), op->version.attrs.legal_hold == HOLD_ON ? STR("ON") : STR("OFF"));
    xml_close(&out, STR("LegalHold"));
    return op_reply_xml(op, &out);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html */
enum s3_error op_PutObjectLegalHold(struct op *op)
{
    static const struct xml_expected children[] = { { "Status", true, false } };
    struct intent_object_set set = { .set_hold = true };
    const struct xml_node *root;
    enum s3_error err = lock_is_there(op);

    if (err == S3_OK)
        err = op_xml(op, STR("LegalHold"), &root);
    if (err == S3_OK && (!xml_has_only(root, children, COUNT_OF(children)) ||
                         !legal_hold_parse(xml_child_text(root, STR("Status")), &set.legal_hold)))
        err = op_fail(op, S3_MalformedXML);
    if (err == S3_OK)
        op->said.legal_hold = xml_child_text(root, STR("Status"));
    err = op_require_said(op, err);
    return err == S3_OK ? submit_set(op, set) : err;
}
