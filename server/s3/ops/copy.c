/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CopyObject: a new version that refers to the source's bytes. It is an object uploaded in one piece,
 * whatever its source was: its ETag is an MD5, its checksum FULL_OBJECT, and it has no parts.
 */
#include "server/s3/lifecycle/archive.h"
#include "server/s3/ops/copying.h"

#include "base/text/pairs.h"
#include "server/s3/annotations/copied.h"
#include "server/s3/answer.h"
#include "server/s3/elements.h"
#include "server/s3/encryption/method.h"
#include "server/s3/limits.h"
#include "server/s3/may.h"
#include "server/s3/ops/reply_put.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"
#include "server/s3/request/condition.h"
#include "server/s3/request/source.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

static enum s3_error reply_CopyObject(struct op *op)
{
    const struct intent *intent = op->intent;
    struct stored_checksum checksum;
    struct buf out = BUF_WITH_MAX(4096);

    xml_begin(&out, STR("CopyObjectResult"));
    xml_time(&out, STR("LastModified"), intent->result.committed_us);
    xml_text(&out, STR("ETag"),
             arena_printf(op->arena, "\"%.*s\"", STR_ARG(intent->put.attrs.etag)));
    if (stored_checksum_unpack(intent->put.attrs.checksum, &checksum))
        xml_checksum(op, &out, &checksum, /* with_type= */ true);
    xml_close(&out, STR("CopyObjectResult"));
    op_set_written(op);
    /* Other than PutObject, CopyObject does name the null version that it wrote. */
    if (intent->result.versioned && str_eq(intent->result.version_text, STR("null")))
        op_set(op, "x-amz-version-id", intent->result.version_text);
    source_set_version(op);
    return op_reply_xml(op, &out);
}

static enum s3_error read_directive(struct op *op, const char *name, bool *ret_replace)
{
    struct str value = op_header(op, name);

    *ret_replace = str_eq(value, STR("REPLACE"));
    if (!str_present(value) || *ret_replace || str_eq(value, STR("COPY")))
        return S3_OK;
    return op_fail_argument(op, arena_printf(op->arena, "Unknown %s directive.", name),
                            str_from_cstr(name), value);
}

/* A copy of an object onto itself has to change something. */
static enum s3_error check_self_copy(struct op *op, bool replace_metadata,
                                     const struct version_attrs *asked)
{
    bool changes = replace_metadata || op->source_asked_version ||
                   str_present(op_header(op, "x-amz-storage-class")) ||
                   str_present(op_header(op, "x-amz-website-redirect-location")) ||
                   asked->sse != SSE_NONE || op->source.attrs.sse == SSE_CUSTOMER;

    if (changes || op->source_bucket.id != op->bucket.id || !str_eq(op->source.key, op->key))
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        STR("This copy request is illegal because it is trying to copy an object "
                            "to itself without changing the object's metadata, storage class, "
                            "website redirect location or encryption attributes."));
}

/* Not copied with the metadata: they belong to the request alone. */
static bool is_request_pair(struct str name)
{
    return str_starts_nocase(name, STR("x-amz-server-side-encryption")) ||
           str_eq_nocase(name, STR("x-amz-website-redirect-location"));
}

/* The source's headers with the request's own pairs in place of the source's. */
static struct str merged_headers(struct op *op, struct str source, struct str asked)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(source.len + asked.len);
    struct str name;
    struct str value;

    while (pairs_next(&source, &name, &value))
        if (!is_request_pair(name))
            (void)pairs_add(&out, name, value);
    while (pairs_next(&asked, &name, &value))
        if (is_request_pair(name))
            (void)pairs_add(&out, name, value);
    return out.failed ? STR_NONE : arena_dup(op->arena, buf_view(&out));
}

/* What the new version takes from the request and what from the source. */
static void merge_attrs(struct op *op, bool replace_metadata, bool replace_tags,
                        struct version_attrs *attrs)
{
    const struct version_attrs *source = &op->source.attrs;

    if (!replace_metadata)
        attrs->headers = merged_headers(op, source->headers, attrs->headers);
    if (!replace_tags)
        attrs->tags = source->tags;
}

/* Tags are read of the source and written to the copy, each with its own right. */
static enum s3_error require_tags(struct op *op, const struct version_attrs *attrs)
{
    const struct op_subject source = { .bucket = &op->source_bucket,
                                       .config = op->source_config,
                                       .key = op->source.key,
                                       .version = op->source_asked_version
                                                      ? version_id_text(&op->source, op->arena)
                                                      : STR_NONE,
                                       .object = &op->source };
    enum s3_error err;

    if (!str_present(attrs->tags))
        return S3_OK;
    err = op_require(op,
                     op->source_asked_version ? ACTION_GetObjectVersionTagging
                                              : ACTION_GetObjectTagging,
                     &source);
    return err == S3_OK ? attrs_require_tagging(op, attrs) : err;
}

/* The algorithm asked for, else the source's, else the one that S3 gives to what has none. */
static enum s3_error checksum_kind_of_copy(struct op *op, enum checksum_kind *ret_kind)
{
    struct str algorithm = op_header(op, "x-amz-checksum-algorithm");
    struct stored_checksum present;

    *ret_kind = checksum_from_name(algorithm);
    if (str_present(algorithm) && *ret_kind == CHECKSUM_NONE)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Checksum algorithm provided is unsupported. Please try again with "
                                "any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, "
                                "MD5, SHA512, XXHASH64, XXHASH3, XXHASH128]"));
    if (*ret_kind != CHECKSUM_NONE)
        return S3_OK;
    *ret_kind = stored_checksum_unpack(op->source.attrs.checksum, &present) ? present.kind
                                                                            : CHECKSUM_CRC64NVME;
    return S3_OK;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
enum s3_error op_CopyObject(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_OBJECT_PUT);
    struct copy_wish wish = { .len = op->source.size_bytes };
    bool replace_metadata;
    bool replace_tags;
    enum s3_error err;

    if (intent == NULL)
        return S3_SlowDown;
    err = copy_check_form(op);
    if (err == S3_OK)
        err = read_directive(op, "x-amz-metadata-directive", &replace_metadata);
    if (err == S3_OK)
        err = read_directive(op, "x-amz-tagging-directive", &replace_tags);
    if (err == S3_OK)
        err = encryption_for_source(op);
    if (err == S3_OK)
        err = archive_for_source(op);
    if (err == S3_OK)
        err = condition_of_write(op, /* for_delete= */ false, &intent->put.condition);
    if (err == S3_OK)
        err = attrs_from_request(op, &intent->put.attrs);
    if (err == S3_OK)
        err = annotations_copied(op, &intent->put.with_annotations);
    if (err == S3_OK)
        err = check_self_copy(op, replace_metadata, &intent->put.attrs);
    if (err == S3_OK && op->source.size_bytes > S3_OBJECT_BYTES_MAX)
        err = op_fail_text(op, S3_InvalidRequest,
                           STR("The specified copy source is larger than the maximum allowable "
                               "size for a copy source: 5368709120"));
    if (err == S3_OK)
        err = checksum_kind_of_copy(op, &wish.kind);
    if (err != S3_OK)
        return err;

    merge_attrs(op, replace_metadata, replace_tags, &intent->put.attrs);
    err = replace_tags ? S3_OK : require_tags(op, &intent->put.attrs);
    if (err != S3_OK)
        return err;
    wish.encrypt = intent->put.attrs.sse != SSE_NONE;
    err = copy_plan(op, intent, &wish);
    if (err != S3_OK)
        return err;
    intent->origin.event = STR("ObjectCreated:Copy");
    return op_submit(op, intent, reply_CopyObject);
}
