/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Admit; see admit.h.
 *
 * (1) Nothing of a bucket is revealed before the access decision, but its existence.
 * (2) That an object is missing is told to those who may list the bucket.
 */
#include "server/s3/admit.h"

#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/loop_stores.h"
#include "server/s3/may.h"
#include "server/s3/names.h"
#include "server/s3/ops/document.h"
#include "server/s3/refuse.h"
#include "server/s3/region.h"
#include "server/s3/request/owner_condition.h"
#include "server/s3/request/source.h"
#include "server/s3/routes.h"
#include "server/s3/store_map.h"

/* A bucket whose documents change as often as that while one request looks is not waited for. */
#define CONFIG_TRIES_MAX 16

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
    if (!owner_condition_holds(op, expected_owner, ret_bucket->owner))
        return op_deny(op, "the bucket is not of the owner who is expected");
    return S3_OK;
}

/* A bucket and its configuration, which takes the place of *config; both of one state. */
static enum s3_error load_configured(struct op *op, struct str name, struct str expected_owner,
                                     struct bucket *ret_bucket, const struct bucket_config **config)
{
    enum store_status status = STORE_RETRY;

    bucket_config_leave(*config);
    *config = &bucket_config_none;
    for (unsigned tries = 0; status == STORE_RETRY && tries < CONFIG_TRIES_MAX; tries++) {
        enum s3_error err = load_bucket(op, name, expected_owner, ret_bucket);

        if (err != S3_OK)
            return err;
        status = bucket_config_use(op->at->configs, op->reader, ret_bucket, config, &op->fault);
    }
    return s3_from_store(op, status);
}

enum s3_error op_load_bucket(struct op *op)
{
    return load_configured(op, op->bucket_name, op_header(op, "x-amz-expected-bucket-owner"),
                           &op->bucket, &op->config);
}

static enum s3_error read_version_id(struct op *op)
{
    struct str text = op_param(op, "versionId");

    op->asked_version = false;
    op->version_id = (struct version_id){ .kind = VERSION_CURRENT };
    if (op->route->version_action == ACTION_NONE || !str_present(text))
        return S3_OK;
    if (text.len == 0)
        return op_fail_argument(op, STR("Version id cannot be the empty string"), STR("versionId"),
                                text);
    if (!version_id_parse(text, &op->version_id))
        return op_fail_argument(op, STR("Invalid version id specified"), STR("versionId"), text);
    op->asked_version = true;
    return S3_OK;
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

static struct str absent_key(const struct op *op)
{
    if ((op->route->flags & ROUTE_PATH) == 0)
        return op->key;
    return arena_printf(op->arena, "%.*s/%.*s", STR_ARG(op->bucket_name), STR_ARG(op->key));
}

static enum s3_error load_object(struct op *op)
{
    enum store_status status = version_get(op->reader, op->bucket.id, op->key, op->version_id,
                                           op->arena, &op->version, &op->fault);
    enum s3_error err = S3_OK;

    op->has_version = status == STORE_OK;
    if (status != STORE_OK && status != STORE_NO_KEY && status != STORE_NO_VERSION)
        return s3_from_store(op, status);
    if (!op->has_version || op->version.delete_marker || !op_asks_for_each(op))
        err = op_require_of_object(op, op_action(op), op_subject(op),
                                   op->has_version ? &op->version : NULL);
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
    struct op_subject subject;
    enum store_status status;
    enum s3_error err = source_parse(op, op_header(op, "x-amz-copy-source"), &name);

    if (err == S3_OK)
        err = load_configured(op, name.bucket, op_header(op, "x-amz-source-expected-bucket-owner"),
                              &op->source_bucket, &op->source_config);
    if (err != S3_OK)
        return err;
    op->source_asked_version = name.has_version;
    status = version_get(op->reader, op->source_bucket.id, name.key, name.version, op->arena,
                         &op->source, &op->fault);
    op->has_source = status == STORE_OK;
    if (status != STORE_OK && status != STORE_NO_KEY && status != STORE_NO_VERSION)
        return s3_from_store(op, status);
    subject = (struct op_subject){ .bucket = &op->source_bucket,
                                   .config = op->source_config,
                                   .key = name.key,
                                   .version = name.version_text };
    err = op_require_of_object(op, name.has_version ? ACTION_GetObjectVersion : ACTION_GetObject,
                               subject, op->has_source ? &op->source : NULL);
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
    payment_tell(op, &op->source_bucket, op->source_config);
    return source_conditions(op);
}

static bool is_unborn(const struct op *op)
{
    return (op->route->flags & ROUTE_UNBORN) != 0 &&
           str_present(name_directory_zone(op->bucket_name));
}

static enum s3_error admit(struct op *op)
{
    struct op_subject subject;
    enum s3_error err = S3_OK;

    if (str_present(op->bucket_name) && (op->route->flags & ROUTE_NEW_BUCKET) == 0)
        err = op_load_bucket(op);
    if (err == S3_NoSuchBucket && is_unborn(op)) {
        subject = op_subject(op);
        return op_require(op, ACTION_CreateBucket, &subject);
    }
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
    subject = op_subject(op);
    if (!op->form_unread && !op_asks_for_each(op))
        err = op_require(op, op_action(op), &subject);
    if (err == S3_OK && route_absent(op->route))
        return op_fail(op, S3_NotImplemented);
    if (err == S3_OK && (op->route->flags & ROUTE_SOURCE))
        err = load_source(op);
    return err;
}

enum s3_error op_admit(struct op *op)
{
    enum s3_error err = admit(op);

    if (err == S3_OK)
        err = acceleration_check(op);
    return err == S3_OK && !op->form_unread ? document_effects(op) : err;
}

enum s3_error op_admit_again(struct op *op)
{
    struct str owner = op->bucket.owner;
    enum s3_error err;

    http_reply_reset(op->reply); /* what the admission before has set is set anew */
    err = op_admit(op);
    if (err == S3_OK && op->bucket.id != 0 && !str_eq(op->bucket.owner, owner))
        return op_fail(op, S3_OperationAborted);
    return err;
}

enum s3_error op_admit_form(struct op *op, const struct form_field *fields, size_t field_count,
                            uint64_t *ret_min_bytes, uint64_t *ret_max_bytes)
{
    const struct op_subject subject = op_subject(op);
    enum s3_error err = auth_verify_post(&op->options->auth, op->auth_cache, op->exchange->request,
                                         fields, field_count, op->bucket_name, op->arena, &op->auth,
                                         ret_min_bytes, ret_max_bytes, &op->refusal);

    op->form_unread = false;
    if (err == S3_OK)
        err = op_require(op, op_action(op), &subject);
    return err == S3_OK ? document_effects(op) : err;
}
