/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four operations on annotations: texts beside a version, each under a name.
 *
 * (1) An annotation is encrypted as its object is: under the same key, and under the store's where the
 *     object is stored in plain. Under a customer's key there are none.
 * (2) The object's ETag, time and version stay as they are.
 */
#include "server/s3/op.h"

#include "base/text/codec.h"
#include "server/s3/annotations/names.h"
#include "server/s3/answer.h"
#include "server/s3/elements.h"
#include "server/s3/encryption/kms.h"
#include "server/s3/encryption/method.h"
#include "server/s3/ops/get.h"
#include "server/s3/ops/list_form.h"
#include "server/s3/ops/reply_put.h"
#include "server/s3/refuse.h"
#include "server/s3/request/checksums.h"
#include "server/s3/request/condition.h"
#include "server/s3/request/lock.h"
#include "server/s3/store_map.h"

/* ---- what answers tell --------------------------------------------------------------------------- */

static void tell_version(struct op *op)
{
    if (op->bucket.versioning != VERSIONING_NEVER)
        op_set(op, "x-amz-object-version-id", version_id_text(&op->version, op->arena));
}

static void tell_encryption(struct op *op)
{
    uint8_t sse = op->version.attrs.sse;

    op_set(op, "x-amz-server-side-encryption", sse_name(sse == SSE_NONE ? SSE_AES256 : sse));
}

static void tell_checksum(struct op *op, struct str packed)
{
    struct stored_checksum checksum;

    if (stored_checksum_unpack(packed, &checksum))
        op_set_checksum(op, &checksum, /* with_type= */ true);
}

/* ---- put ----------------------------------------------------------------------------------------- */

static enum s3_error check_text(struct op *op)
{
    if (op->body.len == 0)
        return op_fail_text(
            op, S3_InvalidRequest,
            STR("The annotation payload must be between 1 byte and 1 MiB in size."));
    return str_is_utf8(op->body) ? S3_OK : op_fail(op, S3_UnsupportedMediaType);
}

/* The key that the object's text goes under: op->kms. */
static enum s3_error choose_key(struct op *op)
{
    enum s3_error err = encryption_refuse_method(op);

    if (err == S3_OK && op->version.attrs.sse == SSE_CUSTOMER)
        err = op_fail_text(op, S3_InvalidRequest,
                           STR("Annotations are not supported for objects that are encrypted with "
                               "customer-provided keys (SSE-C)."));
    return err == S3_OK ? kms_for_version(op) : err;
}

/* op->body into op->writer. One that an earlier try has left holds what another key sealed. */
static enum s3_error write_text(struct op *op, struct body_digests *ret_digests)
{
    struct body_options options = { .group = op->bodies,
                                    .account = op->bucket.owner,
                                    .encrypt = true,
                                    .expected_bytes = op->body.len };
    enum store_status status;

    encryption_options(op, &options);
    if (op->checksum_kind == CHECKSUM_NONE)
        op->checksum_kind = CHECKSUM_CRC64NVME;
    options.checksum_kinds = 1u << op->checksum_kind;
    body_writer_close(op->writer);
    op->writer = NULL;
    status = body_writer_open(op->store, &options, &op->writer, &op->fault);
    if (status == STORE_OK)
        status = body_writer_append(op->writer, op->body.p, op->body.len, &op->fault);
    if (status == STORE_OK)
        status = body_writer_finish(op->writer, ret_digests, &op->fault);
    return s3_from_store(op, status);
}

static enum s3_error reply_PutObjectAnnotation(struct op *op)
{
    const struct intent_annotation *written = &op->intent->annotation;
    struct buf out = BUF_WITH_MAX(16u * 1024u);

    tell_version(op);
    tell_encryption(op);
    tell_checksum(op, written->checksum);
    op_set_quoted(op, "ETag", written->etag);
    xml_begin(&out, STR("PutObjectAnnotationOutput"));
    xml_text(&out, STR("Key"), op->key);
    xml_text(&out, STR("AnnotationName"), written->name);
    xml_close(&out, STR("PutObjectAnnotationOutput"));
    return op_reply_xml(op, &out);
}

/* Annotations are found by a version's number, and a replica has its source's. */
static enum s3_error check_no_replica(struct op *op)
{
    return op->version.replication != REPLICATION_REPLICA
               ? S3_OK
               : op_fail_text(op, S3_NotImplemented, STR("Replicas can not have annotations."));
}

/* An intent on op->version; NULL: no memory. */
static struct intent *annotation_intent(struct op *op, struct str name, struct str event)
{
    struct intent *intent = op_intent(op, INTENT_ANNOTATION_SET);
    struct str if_match = op_header(op, "x-amz-object-if-match");

    if (intent == NULL)
        return NULL;
    intent->annotation = (struct intent_annotation){
        .version = version_id_of(&op->version),
        .judged = &op->version,
        .if_match = str_present(if_match) ? etag_bare(if_match) : STR_NONE,
        .name = name,
    };
    intent->origin.event = event;
    return intent;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAnnotation.html */
enum s3_error op_PutObjectAnnotation(struct op *op)
{
    struct body_digests digests;
    struct stored_checksum checksum = { .type = CHECKSUM_FULL_OBJECT };
    struct intent *intent;
    struct str name;
    enum s3_error err = annotation_name(op, &name);

    if (err == S3_OK)
        err = check_no_replica(op);
    if (err == S3_OK)
        err = check_text(op);
    if (err == S3_OK)
        err = choose_key(op);
    if (err == S3_OK)
        err = write_text(op, &digests);
    if (err != S3_OK)
        return err;
    intent = annotation_intent(op, name, STR("ObjectAnnotation:Put"));
    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    checksum.kind = op->checksum_kind;
    memcpy(checksum.value, digests.checksum[checksum.kind], sizeof(checksum.value));
    intent->annotation.bytes.body = op->writer;
    intent->annotation.etag = etag_of_digests(op, &digests);
    intent->annotation.checksum = stored_checksum_pack(op, &checksum);
    if (!str_present(intent->annotation.etag) || !str_present(intent->annotation.checksum))
        return op_fail(op, S3_SlowDown);
    return op_submit(op, intent, reply_PutObjectAnnotation);
}

/* ---- delete -------------------------------------------------------------------------------------- */

static enum s3_error reply_DeleteObjectAnnotation(struct op *op)
{
    tell_version(op);
    return op_reply_empty(op);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectAnnotation.html */
enum s3_error op_DeleteObjectAnnotation(struct op *op)
{
    const struct op_subject subject = op_subject(op);
    struct intent *intent;
    struct str name;
    enum s3_error err = annotation_name(op, &name);

    if (err == S3_OK)
        err = check_no_replica(op);
    if (err != S3_OK)
        return err;
    intent = annotation_intent(op, name, STR("ObjectAnnotation:Delete"));
    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->annotation.remove = true;
    intent->annotation.bypass = lock_bypasses(op, &subject);
    return op_submit(op, intent, reply_DeleteObjectAnnotation);
}

/* ---- get ----------------------------------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAnnotation.html */
enum s3_error op_GetObjectAnnotation(struct op *op)
{
    struct annotation found;
    struct version text;
    struct str name;
    bool named;
    enum s3_error err = annotation_name(op, &name);

    if (err == S3_OK)
        err = s3_from_store(op, annotation_get(op->reader, &op->version, name, op->arena, &found,
                                               &op->fault));
    if (err == S3_OK)
        err = kms_for_reading(op, &op->version.attrs, &named);
    if (err != S3_OK)
        return err;
    tell_version(op);
    tell_encryption(op);
    if (str_eq_nocase(op_header(op, "x-amz-checksum-mode"), STR("ENABLED")))
        tell_checksum(op, found.checksum);
    op_set_quoted(op, "ETag", found.etag);
    op_set_http_date(op, "Last-Modified", found.modified_us);
    op_set(op, "Content-Type", STR("binary/octet-stream"));
    text = (struct version){ .size_bytes = found.size_bytes, .body = found.body };
    err = object_attach(op, &text, 0, text.size_bytes);
    if (err == S3_OK)
        op->reply->status = op->route->status;
    return err;
}

/* ---- list ---------------------------------------------------------------------------------------- */

struct listing {
    struct buf entries;
    uint32_t max;
    uint32_t count;
    struct str last; /* of the page, in the arena */
    bool more;
    struct op *op;
};

static bool list_one(void *context, const struct annotation *annotation)
{
    struct listing *listing = context;
    struct buf *out = &listing->entries;
    struct stored_checksum checksum;

    if (listing->count == listing->max) {
        listing->more = true;
        return false;
    }
    xml_open(out, STR("AnnotationEntry"));
    xml_text(out, STR("AnnotationName"), annotation->name);
    if (stored_checksum_unpack(annotation->checksum, &checksum))
        xml_text(out, STR("ChecksumAlgorithm"), checksum_name(checksum.kind));
    xml_etag(out, annotation->etag);
    xml_time(out, STR("LastModified"), annotation->modified_us);
    xml_u64(out, STR("Size"), annotation->size_bytes);
    xml_close(out, STR("AnnotationEntry"));
    if (++listing->count == listing->max)
        listing->last = arena_dup(listing->op->arena, annotation->name);
    return true;
}

static enum s3_error page_from_request(struct op *op, struct annotation_query *query,
                                       uint32_t *ret_max, struct str *ret_token)
{
    struct str count = op_param(op, "max-annotation-results");
    enum s3_error err = annotation_prefix(op, &query->prefix);

    *ret_max = STORE_ANNOTATIONS_MAX;
    *ret_token = op_param(op, "continuation-token");
    if (err == S3_OK)
        err = op_count(op, count, STR("max-annotation-results"), STR("max-annotation-results"),
                       STORE_ANNOTATIONS_MAX, ret_max);
    if (err == S3_OK && *ret_max == 0)
        err = op_fail_argument(op,
                               STR("Argument max-annotation-results must be an integer between 1 "
                                   "and 1000"),
                               STR("max-annotation-results"), count);
    if (err != S3_OK)
        return err;
    query->after = STR("");
    query->max = *ret_max + 1; /* one more tells whether there are more */
    if (str_present(*ret_token) && !list_token_parse(op, *ret_token, &query->after))
        return list_token_bad(op);
    return S3_OK;
}

static enum s3_error reply_listing(struct op *op, const struct listing *listing, struct str token)
{
    struct buf out = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);

    tell_version(op);
    xml_begin(&out, STR("ListObjectAnnotationsOutput"));
    xml_open(&out, STR("Annotations"));
    buf_str(&out, buf_view(&listing->entries));
    xml_close(&out, STR("Annotations"));
    xml_text(&out, STR("Bucket"), op->bucket_name);
    xml_text(&out, STR("Key"), op->key);
    if (str_present(op_param(op, "annotation-prefix")))
        xml_text(&out, STR("AnnotationPrefix"), op_param(op, "annotation-prefix"));
    xml_u64(&out, STR("MaxAnnotationResults"), listing->max);
    xml_u64(&out, STR("AnnotationCount"), listing->count);
    if (str_present(token))
        xml_text(&out, STR("ContinuationToken"), token);
    if (listing->more)
        xml_text(&out, STR("NextContinuationToken"), list_token(op, listing->last));
    xml_close(&out, STR("ListObjectAnnotationsOutput"));
    out.failed = out.failed || listing->entries.failed;
    return op_reply_xml(op, &out);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectAnnotations.html */
enum s3_error op_ListObjectAnnotations(struct op *op)
{
    struct listing listing = { .entries = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX), .op = op };
    struct annotation_query query;
    struct str token;
    enum store_status status;
    enum s3_error err = page_from_request(op, &query, &listing.max, &token);

    if (err != S3_OK)
        return err;
    status = annotation_list(op->reader, &op->version, &query, list_one, &listing, &op->fault);
    if (status == STORE_STOPPED)
        status = STORE_OK;
    err = s3_from_store(op, status);
    if (err == S3_OK)
        err = reply_listing(op, &listing, token);
    buf_free(&listing.entries);
    return err;
}
