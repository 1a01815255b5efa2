/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing the access control lists of buckets and object versions.
 */
#include "server/s3/op.h"

#include "server/s3/answer.h"
#include "server/s3/elements.h"
#include "server/s3/refuse.h"
#include "server/s3/request/acl_request.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

#define ACL_XML_BYTES_MAX (128u * 1024u)

static struct str permission_name(unsigned permission)
{
    switch (permission) {
    case ACL_READ:
        return STR("READ");
    case ACL_WRITE:
        return STR("WRITE");
    case ACL_READ_ACP:
        return STR("READ_ACP");
    case ACL_WRITE_ACP:
        return STR("WRITE_ACP");
    default:
        return STR("FULL_CONTROL");
    }
}

static struct str group_uri(enum acl_grantee grantee)
{
    switch (grantee) {
    case ACL_ALL_USERS:
        return STR("http://acs.amazonaws.com/groups/global/AllUsers");
    case ACL_AUTHENTICATED_USERS:
        return STR("http://acs.amazonaws.com/groups/global/AuthenticatedUsers");
    case ACL_LOG_DELIVERY:
        return STR("http://acs.amazonaws.com/groups/s3/LogDelivery");
    case ACL_USER:
        break;
    }
    return STR("");
}

static void xml_grantee(struct buf *out, const struct acl_grant *grant)
{
    buf_lit(out, "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"");
    if (grant->grantee != ACL_USER) {
        buf_lit(out, "Group\">");
        xml_text(out, STR("URI"), group_uri(grant->grantee));
    } else {
        buf_lit(out, "CanonicalUser\">");
        xml_text(out, STR("ID"), grant->id);
    }
    xml_close(out, STR("Grantee"));
}

static void xml_grant(struct buf *out, const struct acl_grant *grant)
{
    xml_open(out, STR("Grant"));
    xml_grantee(out, grant);
    xml_text(out, STR("Permission"), permission_name(grant->permission));
    xml_close(out, STR("Grant"));
}

static enum s3_error reply_acl(struct op *op, struct str packed, struct str owner)
{
    struct buf out = BUF_WITH_MAX(ACL_XML_BYTES_MAX);
    struct acl acl;

    if (!acl_unpack(packed, owner, op->arena, &acl))
        return op_fail(op, S3_InternalError);
    xml_begin(&out, STR("AccessControlPolicy"));
    xml_owner(&out, owner);
    xml_open(&out, STR("AccessControlList"));
    for (size_t i = 0; i < acl.count; i++)
        xml_grant(&out, &acl.grants[i]);
    xml_close(&out, STR("AccessControlList"));
    xml_close(&out, STR("AccessControlPolicy"));
    return op_reply_xml(op, &out);
}

/* The ACL a PUT gives: by headers or by body, never both. */
static enum s3_error acl_from_request(struct op *op, struct str owner, enum acl_place place,
                                      struct str *ret_packed)
{
    bool given;
    enum s3_error err;

    if (acl_disabled(op))
        return op_fail(op, S3_AccessControlListNotSupported);
    err = acl_from_headers(op, owner, place, ret_packed, &given);
    if (err != S3_OK)
        return err;
    if (given && op->body.len > 0)
        return op_fail(op, S3_UnexpectedContent);
    if (given)
        return S3_OK;
    if (op->body.len == 0)
        return op_fail(op, S3_MissingSecurityHeader, STR("x-amz-acl"));
    return acl_from_xml(op, owner, ret_packed);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html */
enum s3_error op_GetBucketAcl(struct op *op)
{
    return reply_acl(op, acl_disabled(op) ? STR_NONE : op->bucket.acl, op->bucket.owner);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html */
enum s3_error op_PutBucketAcl(struct op *op)
{
    struct intent *intent;
    struct str packed;
    enum s3_error err = acl_from_request(op, op->bucket.owner, ACL_OF_BUCKET, &packed);

    if (err != S3_OK)
        return err;
    intent = op_intent(op, INTENT_BUCKET_SET);
    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->bucket_set = (struct intent_bucket_set){ .set_acl = true, .acl = packed };
    return op_submit(op, intent, op_reply_empty);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html */
enum s3_error op_GetObjectAcl(struct op *op)
{
    if (op->bucket.versioning != VERSIONING_NEVER)
        op_set_version_id(op, &op->version);
    if (acl_disabled(op))
        return reply_acl(op, STR_NONE, op->bucket.owner);
    return reply_acl(op, op->version.attrs.acl, op->version.attrs.owner);
}

static enum s3_error after_object_acl(struct op *op)
{
    if (op->bucket.versioning != VERSIONING_NEVER)
        op_set_version_id(op, &op->version);
    return op_reply_empty(op);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html */
enum s3_error op_PutObjectAcl(struct op *op)
{
    struct intent *intent;
    struct str packed;
    enum s3_error err = acl_from_request(op, op->version.attrs.owner, ACL_OF_OBJECT, &packed);

    if (err != S3_OK)
        return err;
    intent = op_intent(op, INTENT_OBJECT_SET);
    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->object_set = (struct intent_object_set){ .version = version_id_of(&op->version),
                                                     .judged = &op->version,
                                                     .set_acl = true,
                                                     .acl = packed };
    intent->origin.event = STR("ObjectAcl:Put");
    return op_submit(op, intent, after_object_acl);
}
