/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buckets themselves: list, create, head, delete, location, versioning.
 */
#include "server/s3/op.h"

#include "server/s3/admit.h"
#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/elements.h"
#include "server/s3/names.h"
#include "server/s3/new_bucket.h"
#include "server/s3/ops/list_form.h"
#include "server/s3/refuse.h"
#include "server/s3/region.h"
#include "server/s3/request/acl_request.h"
#include "server/s3/request/document_body.h"
#include "server/s3/request/namespace.h"
#include "server/s3/request/tags.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

#define BUCKETS_XML_BYTES_MAX (4u * 1024u * 1024u)
#define ARN_PREFIX "arn:aws:s3:::"

/* ---- ListBuckets ------------------------------------------------------------------------------- */

struct bucket_page {
    struct op *op;
    struct buf *out;
    struct str region; /* STR_NONE: any */
    bool paged;
    uint32_t max;
    uint32_t count;
    struct str last;
    bool truncated;
};

static bool visit_bucket(void *context, const struct bucket *bucket)
{
    struct bucket_page *page = context;

    if (str_present(page->region) && !str_eq_nocase(page->region, region_of(page->op, bucket)))
        return true;
    if (page->count == page->max) {
        page->truncated = true;
        return false;
    }
    xml_open(page->out, STR("Bucket"));
    xml_text(page->out, STR("Name"), bucket->name);
    xml_time(page->out, STR("CreationDate"), bucket->created_us);
    if (page->paged)
        xml_text(page->out, STR("BucketRegion"), region_of(page->op, bucket));
    buf_lit(page->out, "<BucketArn>" ARN_PREFIX);
    buf_str(page->out, bucket->name);
    buf_lit(page->out, "</BucketArn>");
    xml_close(page->out, STR("Bucket"));
    page->count++;
    page->last = arena_dup(page->op->arena, bucket->name);
    return !page->out->failed && str_present(page->last);
}

static enum s3_error max_buckets(struct op *op, uint32_t *ret_max)
{
    struct str name = STR("max-buckets");
    struct str text = op_param(op, "max-buckets");
    enum s3_error err;

    *ret_max = STORE_BUCKETS_MAX;
    err = op_count(op, text, name, STR(""), UINT32_MAX, ret_max);
    if (err == S3_OK && (*ret_max < 1 || *ret_max > STORE_BUCKETS_MAX))
        return op_fail_argument(op,
                                STR("Argument max-buckets must be an integer between 1 and 10000"),
                                name, text);
    return err;
}

/* bucket-region: any case. The endpoint of one region lists the buckets of no other. */
static enum s3_error filter_region(struct op *op, struct str *ret_region)
{
    struct str name = op_param(op, "bucket-region");
    struct str own = op->options->auth.region;
    struct str message;

    *ret_region = name;
    if (!str_present(name) || str_eq_nocase(name, own))
        return S3_OK;
    if (!region_known_nocase(name))
        message =
            arena_printf(op->arena, "Argument value %.*s is not a valid AWS Region", STR_ARG(name));
    else if (op->options->auth.strict_region)
        message = STR("Requests with bucket-region specified must be made to the corresponding "
                      "regional endpoint");
    else
        return S3_OK;
    return op_fail_argument(op, message, STR("bucket-region"), STR_NONE);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
enum s3_error op_ListBuckets(struct op *op)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(BUCKETS_XML_BYTES_MAX);
    struct bucket_page page = { .op = op, .out = &out };
    struct str prefix = op_param(op, "prefix");
    struct str token = op_param(op, "continuation-token");
    struct str after = STR_NONE;
    enum store_status status;
    enum s3_error err = max_buckets(op, &page.max);

    if (err == S3_OK)
        err = filter_region(op, &page.region);
    if (err != S3_OK)
        return err;
    if (token.len > 0 && !list_token_parse(op, token, &after))
        return list_token_bad(op);
    page.paged = str_present(prefix) || str_present(token) || str_present(page.region) ||
                 str_present(op_param(op, "max-buckets"));

    xml_begin(&out, STR("ListAllMyBucketsResult"));
    xml_owner(&out, op_caller_id(op));
    xml_open(&out, STR("Buckets"));
    status = bucket_list(op->reader, op_caller_id(op), str_present(prefix) ? prefix : STR(""),
                         after, visit_bucket, &page, &op->fault);
    if (status != STORE_OK && status != STORE_STOPPED)
        return s3_from_store(op, status);
    xml_close(&out, STR("Buckets"));
    if (page.truncated)
        xml_text(&out, STR("ContinuationToken"), list_token(op, page.last));
    if (str_present(prefix))
        xml_text(&out, STR("Prefix"), prefix);
    xml_close(&out, STR("ListAllMyBucketsResult"));
    return op_reply_xml(op, &out);
}

/* ---- CreateBucket ------------------------------------------------------------------------------ */

struct creation {
    struct str region; /* LocationConstraint, "" for none */
    struct str tags;
    struct str acl;
    struct str ownership;
    bool lock;
};

/* A directory bucket is asked for as one, in the zone that its name tells; no other bucket is. root may be NULL. */
static enum s3_error directory_check(struct op *op, const struct xml_node *root)
{
    struct str zone = name_directory_zone(op->bucket_name);
    const struct xml_node *location = root != NULL ? xml_child(root, STR("Location")) : NULL;
    const struct xml_node *bucket = root != NULL ? xml_child(root, STR("Bucket")) : NULL;

    if (!str_present(zone) && location == NULL && bucket == NULL)
        return S3_OK;
    if (!str_present(zone) || location == NULL || bucket == NULL ||
        !str_eq(xml_child_text(bucket, STR("Type")), STR("Directory")) ||
        !str_eq(xml_child_text(location, STR("Name")), zone))
        return op_fail(op, S3_InvalidBucketName, op->bucket_name);
    return S3_OK;
}

static enum s3_error creation_body(struct op *op, struct creation *creation)
{
    const struct xml_node *root;
    const struct xml_node *tags;
    enum s3_error err;

    if (op->body.len == 0) {
        err = directory_check(op, NULL);
        return err == S3_OK ? region_for_new_bucket(op, STR_NONE, &creation->region) : err;
    }
    err = op_xml(op, STR("CreateBucketConfiguration"), &root);
    if (err == S3_OK)
        err = directory_check(op, root);
    if (err != S3_OK)
        return err;
    err = region_for_new_bucket(op, xml_child_text(root, STR("LocationConstraint")),
                                &creation->region);
    tags = xml_child(root, STR("Tags"));
    if (err != S3_OK || tags == NULL)
        return err;
    return tags_from_xml(op, tags, TAGS_OF_NEW_BUCKET, &creation->tags);
}

static enum s3_error creation_ownership(struct op *op, struct creation *creation)
{
    struct str name = op_header(op, "x-amz-object-ownership");

    creation->ownership = name;
    if (!str_present(name) || ownership_from_name(name) != OWNERSHIP_UNSET)
        return S3_OK;
    return op_fail_argument(op,
                            arena_printf(op->arena, "Invalid x-amz-object-ownership header: %.*s",
                                         STR_ARG(name)),
                            STR("x-amz-object-ownership"), name);
}

static enum s3_error creation_headers(struct op *op, struct creation *creation)
{
    struct str lock = op_header(op, "x-amz-bucket-object-lock-enabled");
    bool acl_given;
    enum s3_error err = creation_ownership(op, creation);

    if (err != S3_OK)
        return err;
    creation->lock = str_eq_nocase(lock, STR("true"));
    err = acl_from_headers(op, op_caller_id(op), ACL_OF_NEW_BUCKET, &creation->acl, &acl_given);
    if (err == S3_OK && str_present(creation->acl) &&
        ownership_from_name(new_bucket_ownership(op->options->new_buckets, creation->ownership)) ==
            OWNERSHIP_OWNER_ENFORCED)
        return op_fail(op, S3_InvalidBucketAclWithObjectOwnership);
    return err;
}

static enum s3_error reply_CreateBucket(struct op *op)
{
    op_set(op, "Location", arena_printf(op->arena, "/%.*s", STR_ARG(op->bucket_name)));
    op_set(op, "x-amz-bucket-arn",
           arena_printf(op->arena, ARN_PREFIX "%.*s", STR_ARG(op->bucket_name)));
    return op_reply_empty(op);
}

/*
 * The owner asks again. In us-east-1 S3 says 200 and resets the ACL; elsewhere, and when the bucket
 * is to have documents, 409. Such an ACL is judged by the documents of the bucket that is there.
 */
static enum s3_error create_again(struct op *op, const struct bucket *present,
                                  const struct creation *creation)
{
    struct intent *intent;
    struct str acl;
    bool acl_given;
    enum s3_error err;

    if (!str_eq(op->options->auth.region, REGION_CREATOR) || present->region.len > 0 ||
        creation->region.len > 0 || str_present(creation->tags) ||
        str_present(creation->ownership) || creation->lock)
        return op_fail(op, S3_BucketAlreadyOwnedByYou, op->bucket_name);
    if (str_present(present->acl) == str_present(creation->acl) &&
        str_eq(present->acl, creation->acl))
        return reply_CreateBucket(op);
    err = op_load_bucket(op);
    if (err == S3_OK && acl_disabled(op))
        err = op_fail(op, S3_AccessControlListNotSupported);
    if (err == S3_OK)
        err = acl_from_headers(op, op_caller_id(op), ACL_OF_NEW_BUCKET, &acl, &acl_given);
    if (err != S3_OK)
        return err;
    intent = op_intent(op, INTENT_BUCKET_SET);
    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->bucket_set = (struct intent_bucket_set){ .set_acl = true, .acl = acl };
    return op_submit(op, intent, reply_CreateBucket);
}

/* The documents that the bucket begins with. False: no memory. */
static bool creation_documents(struct op *op, const struct creation *creation,
                               struct intent_bucket_create *create)
{
    struct bucket_document *documents =
        arena_array(op->arena, NEW_BUCKET_DOCUMENTS, sizeof(*documents));

    if (documents == NULL)
        return false;
    create->documents = documents;
    create->document_count =
        new_bucket_documents(op->options->new_buckets,
                             &(struct new_bucket){ .ownership = creation->ownership,
                                                   .tags = creation->tags,
                                                   .lock = creation->lock },
                             documents);
    if (creation->lock)
        create->versioning = VERSIONING_ENABLED;
    return true;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html */
enum s3_error op_CreateBucket(struct op *op)
{
    struct creation creation = { .region = STR("") };
    struct bucket present;
    struct intent *intent;
    enum store_status status;
    enum s3_error err;

    /* Of an earlier try. */
    op_drop_configs(op);
    op->bucket = (struct bucket){ .id = 0 };
    err = creation_headers(op, &creation);
    if (err == S3_OK)
        err = creation_body(op, &creation);
    if (err == S3_OK)
        err = namespace_check(op,
                              creation.region.len > 0 ? creation.region : op->options->auth.region);
    if (err != S3_OK)
        return err;

    status = bucket_get(op->reader, op->bucket_name, op->arena, &present, &op->fault);
    if (status == STORE_OK && str_eq(present.owner, op_caller_id(op)))
        return create_again(op, &present, &creation);
    if (status == STORE_OK)
        return op_fail(op, S3_BucketAlreadyExists, op->bucket_name);
    if (status != STORE_NO_BUCKET)
        return s3_from_store(op, status);

    intent = op_intent(op, INTENT_BUCKET_CREATE);
    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->bucket_create = (struct intent_bucket_create){ .owner = op_caller_id(op),
                                                           .region = creation.region,
                                                           .acl = creation.acl };
    if (!creation_documents(op, &creation, &intent->bucket_create))
        return op_fail(op, S3_SlowDown);
    return op_submit(op, intent, reply_CreateBucket);
}

/* ---- the rest ----------------------------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
enum s3_error op_HeadBucket(struct op *op)
{
    op_set(op, "x-amz-bucket-arn",
           arena_printf(op->arena, ARN_PREFIX "%.*s", STR_ARG(op->bucket_name)));
    op_set(op, "x-amz-access-point-alias", STR("false"));
    op_set(op, "Content-Type", STR("application/xml"));
    return op_reply_empty(op);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html */
enum s3_error op_DeleteBucket(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_BUCKET_DELETE);

    return intent != NULL ? op_submit(op, intent, op_reply_empty) : op_fail(op, S3_SlowDown);
}

/*
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
 * Buckets of us-east-1 have an empty constraint.
 */
enum s3_error op_GetBucketLocation(struct op *op)
{
    struct buf out = BUF_WITH_MAX(4096);
    struct str region = region_constraint(op, &op->bucket);

    xml_begin(&out, STR("LocationConstraint"));
    if (!str_eq(region, REGION_CREATOR))
        xml_escape(&out, region);
    xml_close(&out, STR("LocationConstraint"));
    return op_reply_xml(op, &out);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html */
enum s3_error op_GetBucketVersioning(struct op *op)
{
    struct buf out = BUF_WITH_MAX(4096);

    xml_begin(&out, STR("VersioningConfiguration"));
    if (op->bucket.versioning != VERSIONING_NEVER)
        xml_text(&out, STR("Status"),
                 op->bucket.versioning == VERSIONING_ENABLED ? STR("Enabled") : STR("Suspended"));
    xml_close(&out, STR("VersioningConfiguration"));
    return op_reply_xml(op, &out);
}

static enum s3_error versioning_from_body(struct op *op, enum bucket_versioning *ret_versioning)
{
    const struct xml_node *root;
    struct str status;
    struct str mfa;
    enum s3_error err = op_xml(op, STR("VersioningConfiguration"), &root);

    if (err != S3_OK)
        return err;
    mfa = xml_child_text(root, STR("MfaDelete"));
    status = xml_child_text(root, STR("Status"));
    if (str_present(mfa) && !str_eq(mfa, STR("Enabled")) && !str_eq(mfa, STR("Disabled")))
        return op_fail(op, S3_MalformedXML);
    if (str_eq(mfa, STR("Enabled")))
        return op_fail(op, S3_NotImplemented, STR("x-amz-mfa"));
    if (!str_present(status))
        return op_fail(op, S3_IllegalVersioningConfigurationException);
    if (str_eq(status, STR("Enabled")))
        *ret_versioning = VERSIONING_ENABLED;
    else if (str_eq(status, STR("Suspended")))
        *ret_versioning = VERSIONING_SUSPENDED;
    else
        return op_fail(op, S3_MalformedXML);
    return S3_OK;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html */
enum s3_error op_PutBucketVersioning(struct op *op)
{
    enum bucket_versioning versioning = VERSIONING_NEVER;
    struct intent *intent;
    enum s3_error err = op_refuse_mfa(op);

    if (err == S3_OK)
        err = versioning_from_body(op, &versioning);
    if (err != S3_OK)
        return err;
    if (op->config->lock.enabled && versioning != VERSIONING_ENABLED)
        return op_fail_text(op, S3_InvalidBucketState,
                            STR("An Object Lock configuration is present on this bucket, so the "
                                "versioning state cannot be changed."));
    if (op->config->replication != NULL && versioning != VERSIONING_ENABLED)
        return op_fail_text(op, S3_InvalidBucketState,
                            STR("A replication configuration is present on this bucket, so the "
                                "versioning state cannot be changed."));
    intent = op_intent(op, INTENT_BUCKET_SET);
    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->bucket_set =
        (struct intent_bucket_set){ .set_versioning = true, .versioning = versioning };
    return op_submit(op, intent, op_reply_empty);
}
