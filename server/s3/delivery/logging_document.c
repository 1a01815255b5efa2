/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutBucketLogging: what a logging document may say, and what is compiled of it.
 *
 * The target is the same owner's and in the same region, and log delivery may write to it: by a policy of it,
 * or by grants to the group of log delivery in its ACL. Where ACLs are disabled S3 takes the document before
 * there is such a policy; so does pail, and tells of logs that can not be delivered in its own log.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html
 */
#include "server/s3/delivery/logging.h"

#include "server/s3/admit.h"
#include "server/s3/bucket_config.h"
#include "server/s3/delivery/log_delivery.h"
#include "server/s3/delivery/log_line.h"
#include "server/s3/delivery/service.h"
#include "server/s3/documents.h"
#include "server/s3/limits.h"
#include "server/s3/may.h"
#include "server/s3/refuse.h"
#include "server/s3/region.h"
#include "server/s3/request/acl_request.h"
#include "server/s3/request/document_body.h"
#include "server/s3/request/owner_condition.h"

#define ENABLED STR("LoggingEnabled")
#define TARGET STR("TargetBucket")
#define GRANTS STR("TargetGrants")
#define FORMAT STR("TargetObjectKeyFormat")

/* ---- judged ------------------------------------------------------------------------------------ */

static bool format_parse(const struct xml_node *format, enum log_partition *ret_partition)
{
    static const struct xml_expected forms[] = { { "SimplePrefix", false, false },
                                                 { "PartitionedPrefix", false, false } };
    static const struct xml_expected sources[] = { { "PartitionDateSource", false, false } };
    const struct xml_node *partitioned;
    struct str source;

    *ret_partition = LOG_SIMPLE;
    if (format == NULL)
        return true;
    if (!xml_has_only(format, forms, COUNT_OF(forms)) || format->children == NULL ||
        format->children->next != NULL)
        return false;
    partitioned = xml_child(format, STR("PartitionedPrefix"));
    if (partitioned == NULL)
        return format->children->children == NULL;
    source = xml_child_text(partitioned, STR("PartitionDateSource"));
    *ret_partition = str_eq(source, STR("EventTime")) ? LOG_BY_EVENT : LOG_BY_DELIVERY;
    return xml_has_only(partitioned, sources, COUNT_OF(sources)) &&
           (!str_present(source) || *ret_partition == LOG_BY_EVENT ||
            str_eq(source, STR("DeliveryTime")));
}

/* Its elements, but for who is granted something. */
static bool target_parse(const struct xml_node *enabled, struct log_target *ret_target)
{
    static const struct xml_expected children[] = { { "TargetBucket", true, false },
                                                    { "TargetPrefix", true, false },
                                                    { "TargetGrants", false, false },
                                                    { "TargetObjectKeyFormat", false, false } };
    const struct xml_node *prefix = xml_child(enabled, STR("TargetPrefix"));

    if (!xml_has_only(enabled, children, COUNT_OF(children)) ||
        prefix->text.len > S3_DELIVERY_PREFIX_BYTES_MAX)
        return false;
    ret_target->bucket = xml_child_text(enabled, TARGET);
    ret_target->prefix = prefix->text;
    return format_parse(xml_child(enabled, FORMAT), &ret_target->partition);
}

/* Grants by e-mail are not taken any more, as on AWS since October 2025. */
static enum s3_error check_grants(struct op *op, const struct xml_node *list, bool disabled)
{
    static const struct xml_expected children[] = { { "Grant", false, true } };
    struct acl_grant grant;
    enum s3_error err = S3_OK;

    if (list == NULL || list->children == NULL)
        return S3_OK;
    if (!xml_has_only(list, children, COUNT_OF(children)) ||
        xml_child_count(list, STR("Grant")) > S3_LOG_GRANTS_MAX)
        return op_fail(op, S3_MalformedXML);
    if (disabled)
        return op_fail(op, S3_InvalidBucketAclWithObjectOwnership);
    for (const struct xml_node *at = list->children; err == S3_OK && at != NULL; at = at->next) {
        const struct xml_node *grantee = xml_child(at, STR("Grantee"));

        if (grantee != NULL && str_eq(grantee->type, STR("AmazonCustomerByEmail")))
            return op_fail(op, S3_MethodNotAllowed, op->request->method, STR("LOGGING_STATUS"));
        err = acl_grant_from_xml(op, at, &grant);
        if (err == S3_MalformedACLError)
            return op_fail(op, S3_MalformedXML);
    }
    return err;
}

/* ---- the target -------------------------------------------------------------------------------- */

static enum s3_error refuse_target(struct op *op, const struct log_target *target, struct str why)
{
    return op_fail_text(op, S3_InvalidTargetBucketForLogging, why, target->bucket);
}

static enum s3_error check_region(struct op *op, const struct bucket *target)
{
    struct str here = region_of(op, &op->bucket);
    struct str there = region_of(op, target);

    if (str_eq(here, there))
        return S3_OK;
    return op_fail(op, S3_CrossLocationLoggingProhibitted, there,
                   str_eq(here, REGION_CREATOR) ? STR_NONE : here);
}

/* What log delivery itself will be asked. By grants it needs two of them. */
static bool may_deliver(struct op *asked)
{
    const struct op_subject subject = op_subject(asked);

    return op_require(asked, ACTION_PutObject, &subject) == S3_OK &&
           (!asked->record.by_acl || op_may(asked, ACTION_GetBucketAcl, &subject));
}

static enum s3_error check_loaded(struct op *op, struct op *asked, const struct log_target *target,
                                  const struct xml_node *grants)
{
    bool disabled = asked->config->access.ownership == OWNERSHIP_OWNER_ENFORCED;
    struct str problem;
    enum s3_error err;

    if (!str_eq(asked->bucket.owner, op->bucket.owner))
        return refuse_target(op, target,
                             STR("The owner for the bucket to be logged and the target bucket must "
                                 "be the same."));
    err = check_region(op, &asked->bucket);
    if (err == S3_OK)
        err = check_grants(op, grants, disabled);
    if (err != S3_OK)
        return err;
    problem = log_target_problem(asked->config);
    if (str_present(problem))
        return refuse_target(op, target, problem);
    return disabled || may_deliver(asked)
               ? S3_OK
               : refuse_target(op, target,
                               STR("You must give the log-delivery group WRITE and READ_ACP "
                                   "permissions to the target bucket"));
}

static enum s3_error check_target(struct op *op, const struct log_target *target,
                                  const struct xml_node *grants)
{
    struct service_request request = {
        .service = SERVICE_LOGGING,
        .options = op->options,
        .at = op->at,
        .source = op->bucket.name,
        .account = owner_account(op, op->bucket.owner),
        .bucket = target->bucket,
    };
    CLEANUP(buf_free) struct buf key = BUF_WITH_MAX(STORE_KEY_BYTES_MAX);
    int64_t now_us = clock_now_us(op->options->auth.clock);
    struct op *asked;
    enum s3_error err;

    log_key(&key, target, op->bucket.name, request.account, region_of(op, &op->bucket), now_us,
            now_us, 0);
    request.key = buf_view(&key);
    asked = !key.failed ? service_op(&request, op->arena) : NULL;
    if (asked == NULL)
        return op_fail(op, S3_SlowDown);
    err = op_load_bucket(asked);
    if (err == S3_OK)
        err = check_loaded(op, asked, target, grants);
    else if (err == S3_NoSuchBucket)
        err = op_fail(op, S3_InvalidTargetBucketForLogging, target->bucket);
    else {
        op->fault = asked->fault;
        err = op_fail(op, err);
    }
    service_close(asked);
    return err;
}

enum s3_error logging_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected children[] = { { "LoggingEnabled", false, false } };
    const struct xml_node *enabled = xml_child(root, ENABLED);
    struct log_target target;
    enum s3_error err;

    *ret_stored = STR_NONE;
    if (!xml_has_only(root, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    if (enabled == NULL)
        return S3_OK;
    if (!target_parse(enabled, &target))
        return op_fail(op, S3_MalformedXML);
    err = check_target(op, &target, xml_child(enabled, GRANTS));
    return err == S3_OK ? document_read_plain(op, root, ret_stored) : err;
}

/* ---- compiled ---------------------------------------------------------------------------------- */

static bool compile_grants(const struct xml_node *list, struct arena *arena,
                           struct bucket_logging *logging)
{
    size_t count = list != NULL ? xml_child_count(list, STR("Grant")) : 0;
    struct acl_grant *grants;

    if (count == 0)
        return true;
    grants = arena_array(arena, count, sizeof(*grants));
    if (grants == NULL)
        return false;
    for (const struct xml_node *at = list->children; at != NULL; at = at->next)
        if (acl_grant_reread(at, &grants[logging->grant_count]))
            logging->grant_count++;
    logging->grants = grants;
    return true;
}

/* What is kept was judged above, so only memory can lack. */
bool logging_compile(struct str stored, struct arena *arena, struct bucket_config *config)
{
    const struct xml_node *root = xml_parse(stored, STR("BucketLoggingStatus"), arena, NULL);
    const struct xml_node *enabled = root != NULL ? xml_child(root, ENABLED) : NULL;
    struct bucket_logging *logging = ARENA_NEW(arena, struct bucket_logging);

    if (enabled == NULL || logging == NULL || !target_parse(enabled, &logging->target) ||
        !compile_grants(xml_child(enabled, GRANTS), arena, logging))
        return false;
    config->logging = logging;
    return true;
}
