/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admit; see admit.h.
 *
 * (1) Nothing of a bucket is revealed before the access decision, but its existence.
 * (2) That an object is missing is told to those who may list the bucket.
 */
#include "server/s3/admit.h"

#include "server/s3/answer.h"
#include "server/s3/refuse.h"
#include "server/s3/region.h"
#include "server/s3/request/owner_condition.h"
#include "server/s3/request/source.h"
#include "server/s3/routes.h"
#include "server/s3/store_map.h"

static enum s3_error load_bucket(struct op *op, struct str name, struct str expected_owner,
                                 struct bucket *ret_bucket)
{
    enum store_status status;
    enum s3_error err = owner_condition_check(op, expected_owner);

    if (err != S3_OK)
        return err;
    status = bucket_get(op->reader, name, op->arena, ret_bucket, &op->fault);
    if (status == STORE_NO_BUCKET)
        return op_fail(op, S3_NoSuchBucket, name);
    if (status != STORE_OK)
        return s3_from_store(op, status);
    return owner_condition_holds(expected_owner, ret_bucket->owner) ? S3_OK
                                                                    : op_fail(op, S3_AccessDenied);
}

static enum s3_error read_version_id(struct op *op)
{
    struct str text = op_param(op, "versionId");

    op->asked_version = false;
    op->version_id = (struct version_id){ .kind = VERSION_CURRENT };
    if ((op->route->flags & ROUTE_VERSION) == 0 || !str_present(text))
        return S3_OK;
    if (text.len == 0)
        return op_fail_argument(op, STR("Version id cannot be the empty string"), STR("versionId"),
                                text);
    if (!version_id_parse(text, &op->version_id))
        return op_fail_argument(op, STR("Invalid version id specified"), STR("versionId"), text);
    op->asked_version = true;
    return S3_OK;
}

/* The only call of access_allowed. */
static enum s3_error decide(struct op *op, enum access_need need, const struct bucket *bucket,
                            const struct version *version)
{
    struct access_subject subject = { 0 };

    if (bucket != NULL) {
        subject.bucket_owner = bucket->owner;
        subject.bucket_acl = bucket->acl;
    }
    if (version != NULL) {
        subject.object_owner = version->attrs.owner;
        subject.object_acl = version->attrs.acl;
    }
    if (access_allowed(op->auth.user, need, &subject, op->arena))
        return S3_OK;
    return op_fail(op, S3_AccessDenied);
}

static enum access_need need_of(const struct op *op)
{
    /* Through an ACL, removing one version is the bucket owner's right alone. */
    if (op->route->run == op_DeleteObject && op->asked_version)
        return NEED_BUCKET_OWNER;
    return op->need;
}

/*
 * To who reads the object a current delete marker is an absence, to who would change something of
 * it a thing that has no such thing. https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
 */
static enum s3_error refuse_marker(struct op *op)
{
    op->keep_headers = true;
    op_set(op, "x-amz-delete-marker", STR("true"));
    op_set_version_id(op, &op->version);
    if (!op->asked_version && (op->route->flags & ROUTE_MARKER) == 0)
        return op_fail(op, S3_NoSuchKey, op->key);
    op_set_http_date(op, "Last-Modified", op->version.modified_us);
    op_set(op, "Allow", STR("DELETE"));
    return op_fail(op, S3_MethodNotAllowed, op->request->method, STR("DeleteMarker"));
}

/* Of all operations S3's GetObjectTagging names the key behind its bucket. */
static struct str absent_key(const struct op *op)
{
    if (op->route->run != op_GetObjectTagging)
        return op->key;
    return arena_printf(op->arena, "%.*s/%.*s", STR_ARG(op->bucket_name), STR_ARG(op->key));
}

static enum s3_error load_object(struct op *op)
{
    enum store_status status = version_get(op->reader, op->bucket.id, op->key, op->version_id,
                                           op->arena, &op->version, &op->fault);
    enum s3_error err;

    op->has_version = status == STORE_OK;
    if (status != STORE_OK && status != STORE_NO_KEY && status != STORE_NO_VERSION)
        return s3_from_store(op, status);
    err = decide(op, need_of(op), &op->bucket,
                 op->has_version && !op->version.delete_marker ? &op->version : NULL);
    if (err != S3_OK)
        return err;
    if (status == STORE_NO_KEY)
        return op_fail(op, S3_NoSuchKey, absent_key(op));
    if (!op->has_version)
        return s3_from_store(op, status);
    return op->version.delete_marker ? refuse_marker(op) : S3_OK;
}

static enum s3_error load_source(struct op *op)
{
    struct source_name name;
    enum store_status status;
    enum s3_error err = source_parse(op, op_header(op, "x-amz-copy-source"), &name);

    if (err == S3_OK)
        err = load_bucket(op, name.bucket, op_header(op, "x-amz-source-expected-bucket-owner"),
                          &op->source_bucket);
    if (err != S3_OK)
        return err;
    op->source_asked_version = name.has_version;
    status = version_get(op->reader, op->source_bucket.id, name.key, name.version, op->arena,
                         &op->source, &op->fault);
    op->has_source = status == STORE_OK;
    if (status != STORE_OK && status != STORE_NO_KEY && status != STORE_NO_VERSION)
        return s3_from_store(op, status);
    err = decide(op, NEED_OBJECT_READ, &op->source_bucket,
                 op->has_source && !op->source.delete_marker ? &op->source : NULL);
    if (err != S3_OK)
        return err;
    if (status == STORE_NO_VERSION)
        return op_fail(op, S3_NoSuchVersion, name.key, name.version_text);
    if (!op->has_source || (op->source.delete_marker && !name.has_version))
        return op_fail(op, S3_NoSuchKey, name.key);
    if (op->source.delete_marker)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The source of a copy request may not specifically refer to a "
                                "delete marker by version id."));
    return source_conditions(op);
}

enum s3_error op_admit(struct op *op)
{
    enum s3_error err = S3_OK;

    if (str_present(op->bucket_name) && (op->route->flags & ROUTE_NEW_BUCKET) == 0)
        err = load_bucket(op, op->bucket_name, op_header(op, "x-amz-expected-bucket-owner"),
                          &op->bucket);
    if (err == S3_OK)
        err = read_version_id(op);
    if (err != S3_OK)
        return err;
    if (op->route->flags & ROUTE_REGION) {
        op->keep_headers = true;
        op_set(op, "x-amz-bucket-region", region_of(op, &op->bucket));
    }
    if (op->route->flags & ROUTE_OBJECT)
        return load_object(op);
    err = decide(op, need_of(op), op->bucket.id != 0 ? &op->bucket : NULL, NULL);
    if (err == S3_OK && op->route->run == NULL)
        return op_fail(op, S3_NotImplemented);
    if (err == S3_OK && (op->route->flags & ROUTE_SOURCE))
        err = load_source(op);
    return err;
}

enum s3_error op_admit_again(struct op *op)
{
    struct str owner = op->bucket.owner;
    enum s3_error err = op_admit(op);

    if (err == S3_OK && op->bucket.id != 0 && !str_eq(op->bucket.owner, owner))
        return op_fail(op, S3_OperationAborted);
    return err;
}

enum s3_error op_admit_form(struct op *op, const struct form_field *fields, size_t field_count,
                            uint64_t *ret_min_bytes, uint64_t *ret_max_bytes)
{
    enum s3_error err = auth_verify_post(&op->options->auth, op->auth_cache, op->request, fields,
                                         field_count, op->bucket_name, op->arena, &op->auth,
                                         ret_min_bytes, ret_max_bytes, &op->refusal);

    op->need = NEED_BUCKET_WRITE;
    return err != S3_OK ? err : decide(op, op->need, &op->bucket, NULL);
}
