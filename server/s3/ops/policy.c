/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of a bucket, kept as it came. What it does: server/auth/policy_vote.c.
 */
#include "server/policy/policy.h"

#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/documents.h"
#include "server/s3/may.h"
#include "server/s3/refuse.h"
#include "server/xml/xml.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html */
enum s3_error policy_read(struct op *op, const struct xml_node *root UNUSED, struct str *ret_stored)
{
    const struct policy_place place = { .kind = POLICY_OF_BUCKET, .bucket = op->bucket_name };
    struct str body = str_present(op->body) ? op->body : STR("");
    struct str problem;
    const struct policy *policy = policy_parse(body, &place, op->arena, &problem);

    if (policy == NULL)
        return str_present(problem) ? op_fail_text(op, S3_MalformedPolicy, problem)
                                    : op_fail(op, S3_SlowDown);
    if ((op->config->access.blocked & BLOCK_PUBLIC_POLICY) != 0 && policy_is_public(policy))
        return op_deny(op, "public policies are blocked (BlockPublicPolicy)");
    *ret_stored = body;
    return S3_OK;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html */
enum s3_error policy_show(struct op *op, struct str stored)
{
    op_set(op, "Content-Type", STR("application/json"));
    op->reply->status = op->route->status;
    op->reply->body_kind = HTTP_BODY_MEMORY;
    op->reply->memory = arena_dup(op->arena, stored);
    return str_present(op->reply->memory) ? S3_OK : op_fail(op, S3_SlowDown);
}

bool policy_compile(struct str stored, struct arena *arena, struct bucket_config *config)
{
    static const struct policy_place place = { .kind = POLICY_OF_BUCKET };
    struct str problem;

    config->access.policy = policy_parse(stored, &place, arena, &problem);
    if (config->access.policy != NULL)
        config->access.policy_is_public = policy_is_public(config->access.policy);
    else
        config->access.policy_is_unknown = true;
    return config->access.policy != NULL || str_present(problem);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html */
enum s3_error op_GetBucketPolicyStatus(struct op *op)
{
    struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);

    if (bucket_config_document(op->config, STR("policy"), STR("")) == NULL)
        return op_fail(op, S3_NoSuchBucketPolicy, op->bucket_name);
    xml_begin(&out, STR("PolicyStatus"));
    xml_bool(&out, STR("IsPublic"), op->config->access.policy_is_public);
    xml_close(&out, STR("PolicyStatus"));
    return op_reply_xml(op, &out);
}
