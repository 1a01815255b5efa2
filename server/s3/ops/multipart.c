/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart uploads: create, upload a part, copy a part, abort, list parts. complete.c has the rest.
 *
 * (1) A part's ETag is the MD5 of its bytes, 32 hex digits.
 * (2) Every part is stored with a checksum: of the upload's algorithm, given by the client or
 *     computed here, or CRC64NVME when the upload was made without one. What a client sends with a
 *     part of such an upload is verified, answered and forgotten.
 */
#include "server/s3/ops/multipart.h"
#include "server/s3/lifecycle/archive.h"
#include "server/s3/lifecycle/tell.h"

#include "server/s3/answer.h"
#include "server/s3/elements.h"
#include "server/s3/encryption/customer_key.h"
#include "server/s3/encryption/method.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/limits.h"
#include "server/s3/may.h"
#include "server/s3/ops/copying.h"
#include "server/s3/ops/list_form.h"
#include "server/s3/ops/reply_put.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"
#include "server/s3/request/source.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

#define MULTIPART_XML_BYTES_MAX (8u * 1024u * 1024u)

enum checksum_kind upload_kind(const struct upload *upload)
{
    return (enum checksum_kind)upload->checksum_kind;
}

enum checksum_type upload_type(const struct upload *upload)
{
    return (enum checksum_type)upload->checksum_type;
}

struct str u64_text(struct op *op, uint64_t value)
{
    return arena_printf(op->arena, "%llu", (unsigned long long)value);
}

/*
 * The upload that uploadId names; done uploads only where the operation takes them. That the caller
 * may write to the bucket was asked before: that the upload is his is asked of it.
 */
enum s3_error upload_load(struct op *op, bool done_too)
{
    struct op_subject subject = op_subject(op);
    struct str id = op_param(op, "uploadId");
    enum store_status status =
        upload_get(op->reader, op->bucket.id, op->key, id, op->arena, &op->upload, &op->fault);

    if (status == STORE_OK && op->upload.done && !done_too)
        status = STORE_NO_UPLOAD;
    if (status != STORE_OK)
        return s3_from_store(op, status);
    subject.upload = &op->upload;
    return op_require(op, op_action(op), &subject);
}

/* ---- CreateMultipartUpload ---------------------------------------------------------------------- */

/* The type an algorithm has when none is asked for. */
static enum checksum_type default_type(enum checksum_kind kind)
{
    return kind == CHECKSUM_CRC64NVME ? CHECKSUM_FULL_OBJECT : CHECKSUM_COMPOSITE;
}

static enum s3_error bad_pair(struct op *op, struct str type, enum checksum_kind kind)
{
    return op_fail_text(op, S3_InvalidRequest,
                        arena_printf(op->arena,
                                     "The %.*s checksum type cannot be used with the %.*s checksum "
                                     "algorithm.",
                                     STR_ARG(type), STR_ARG(checksum_header_suffix(kind))));
}

static enum s3_error checksum_of_upload(struct op *op, enum checksum_kind *ret_kind,
                                        enum checksum_type *ret_type)
{
    struct str algorithm = op_header(op, "x-amz-checksum-algorithm");
    struct str type = op_header(op, "x-amz-checksum-type");
    enum checksum_kind kind = checksum_from_name(algorithm);

    *ret_kind = kind;
    *ret_type = kind != CHECKSUM_NONE ? default_type(kind) : CHECKSUM_TYPE_NONE;
    if (str_present(algorithm) && kind == CHECKSUM_NONE)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Checksum algorithm provided is unsupported. Please try again with "
                                "any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, "
                                "MD5, SHA512, XXHASH64, XXHASH3, XXHASH128]"));
    if (!str_present(type))
        return S3_OK;
    if (kind == CHECKSUM_NONE)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The x-amz-checksum-type header can only be used with the "
                                "x-amz-checksum-algorithm header."));
    *ret_type = checksum_type_from_name(type);
    if (*ret_type == CHECKSUM_TYPE_NONE)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Value for x-amz-checksum-type header is invalid."));
    if ((*ret_type == CHECKSUM_FULL_OBJECT && !checksum_can_combine(kind)) ||
        (*ret_type == CHECKSUM_COMPOSITE && kind == CHECKSUM_CRC64NVME))
        return bad_pair(op, type, kind);
    return S3_OK;
}

static enum s3_error reply_CreateMultipartUpload(struct op *op)
{
    const struct intent_upload_create *create = &op->intent->create_upload;
    struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);

    if (create->checksum_kind != CHECKSUM_NONE) {
        op_set(op, "x-amz-checksum-algorithm",
               checksum_name((enum checksum_kind)create->checksum_kind));
        op_set(op, "x-amz-checksum-type",
               checksum_type_name((enum checksum_type)create->checksum_type));
    }
    op_set_encryption(op, &create->attrs);
    lifecycle_tell_abort(op, op->intent->result.committed_us);
    xml_begin(&out, STR("InitiateMultipartUploadResult"));
    xml_text(&out, STR("Bucket"), op->bucket_name);
    xml_text(&out, STR("Key"), op->key);
    xml_text(&out, STR("UploadId"), create->upload_id);
    xml_close(&out, STR("InitiateMultipartUploadResult"));
    return op_reply_xml(op, &out);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
enum s3_error op_CreateMultipartUpload(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_UPLOAD_CREATE);
    enum checksum_kind kind;
    enum checksum_type type;
    enum s3_error err;

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    err = attrs_from_request(op, &intent->create_upload.attrs);
    if (err == S3_OK)
        err = checksum_of_upload(op, &kind, &type);
    if (err != S3_OK)
        return err;
    if (!str_eq(intent->create_upload.attrs.owner, op_caller_id(op)))
        intent->create_upload.initiator = op_caller_id(op);
    intent->create_upload.checksum_kind = (uint8_t)kind;
    intent->create_upload.checksum_type = (uint8_t)type;
    return op_submit(op, intent, reply_CreateMultipartUpload);
}

/* ---- UploadPart --------------------------------------------------------------------------------- */

enum s3_error part_number_parse(struct op *op, struct str text, uint32_t *ret_number)
{
    uint64_t value;

    if (!str_to_u64(text, &value) || value < 1 || value > STORE_PARTS_MAX)
        return op_fail_argument(
            op, STR("Part number must be an integer between 1 and 10000, inclusive"),
            STR("partNumber"), text);
    *ret_number = (uint32_t)value;
    return S3_OK;
}

/* What UploadPart and UploadPartCopy look at first. */
static enum s3_error part_load(struct op *op)
{
    enum s3_error err = attrs_refuse_unsupported(op);

    if (err == S3_OK)
        err = encryption_refuse_method(op);
    if (err == S3_OK)
        err = part_number_parse(op, op_param(op, "partNumber"), &op->part_number);
    if (err == S3_OK)
        err = upload_load(op, /* done_too= */ false);
    return err == S3_OK ? encryption_for_upload(op, /* required= */ true) : err;
}

enum checksum_kind upload_kept_kind(const struct upload *upload)
{
    return upload_kind(upload) != CHECKSUM_NONE ? upload_kind(upload) : CHECKSUM_CRC64NVME;
}

static enum s3_error reply_UploadPart(struct op *op)
{
    struct stored_checksum checksum = checksum_of_digests(op);

    op_set_quoted(op, "ETag", op->intent->part.etag);
    op_set_checksum(op, &checksum, /* with_type= */ false);
    op_set_encryption(op, &op->upload.attrs);
    return op_reply_empty(op);
}

/*
 * An upload made without an algorithm takes any checksum. One whose object gets a COMPOSITE value
 * wants the checksum of each part from the client; for FULL_OBJECT it may be left out.
 */
static enum s3_error check_part_checksum(struct op *op)
{
    enum checksum_kind kind = upload_kind(&op->upload);
    struct str given = op->checksum_given ? checksum_header_suffix(op->checksum_kind) : STR("null");

    if (kind == CHECKSUM_NONE || (op->checksum_given && op->checksum_kind == kind) ||
        (!op->checksum_given && upload_type(&op->upload) == CHECKSUM_FULL_OBJECT))
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        arena_printf(op->arena,
                                     "Checksum Type mismatch occurred, expected checksum Type: "
                                     "%.*s, actual checksum Type: %.*s",
                                     STR_ARG(checksum_header_suffix(kind)), STR_ARG(given)));
}

/*
 * partNumber and uploadId are judged, op->upload is loaded, a checksum that is not the upload's, or
 * lacks, is refused, and what is to be computed is set: op->checksum_kind (the upload's when the
 * client gave none; CHECKSUM_NONE: it has none) and op->kept_kind. A part is encrypted as its upload.
 */
enum s3_error op_prepare_UploadPart(struct op *op)
{
    enum s3_error err = part_load(op);

    if (err == S3_OK)
        err = check_part_checksum(op);
    if (err != S3_OK)
        return err;
    if (!op->checksum_given)
        op->checksum_kind = upload_kind(&op->upload);
    op->kept_kind = upload_kept_kind(&op->upload);
    op->attrs.sse = op->upload.attrs.sse;
    return S3_OK;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
enum s3_error op_UploadPart(struct op *op)
{
    struct stored_checksum checksum = { .kind = op->kept_kind, .type = CHECKSUM_FULL_OBJECT };
    struct intent *intent = op_intent(op, INTENT_PART_PUT);

    memcpy(checksum.value, op->digests.checksum[checksum.kind], sizeof(checksum.value));
    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->part = (struct intent_part){ .upload_id = op_param(op, "uploadId"),
                                         .number = op->part_number,
                                         .bytes = { .body = op->writer },
                                         .etag = etag_of_digests(op, &op->digests),
                                         .checksum = stored_checksum_pack(op, &checksum) };
    if (!str_present(intent->part.etag) || !str_present(intent->part.checksum))
        return op_fail(op, S3_SlowDown);
    return op_submit(op, intent, reply_UploadPart);
}

/* ---- UploadPartCopy ----------------------------------------------------------------------------- */

static enum s3_error bad_copy_range(struct op *op, struct str text)
{
    return op_fail_argument(op,
                            STR("The x-amz-copy-source-range value must be of the form "
                                "bytes=first-last where first and last are the zero-based offsets "
                                "of the first and last bytes to copy"),
                            STR("x-amz-copy-source-range"), text);
}

/* x-amz-copy-source-range: closed, and inside the source. */
static enum s3_error copy_range(struct op *op, struct copy_wish *wish)
{
    struct str text = op_header(op, "x-amz-copy-source-range");
    struct str unit = STR("bytes=");
    struct str first_text;
    struct str last_text;
    uint64_t first;
    uint64_t last;

    wish->offset = 0;
    wish->len = op->source.size_bytes;
    if (!str_present(text))
        return S3_OK;
    if (!str_starts(text, unit) ||
        !str_cut(str_skip(text, unit.len), '-', &first_text, &last_text) ||
        !str_to_u64(first_text, &first) || !str_to_u64(last_text, &last) || first > last)
        return bad_copy_range(op, text);
    if (last >= op->source.size_bytes)
        return op_fail_argument(op,
                                arena_printf(op->arena,
                                             "Range specified is not valid for source object of "
                                             "size: %llu",
                                             (unsigned long long)op->source.size_bytes),
                                STR("x-amz-copy-source-range"), text);
    wish->offset = first;
    wish->len = last - first + 1;
    return S3_OK;
}

static enum s3_error reply_UploadPartCopy(struct op *op)
{
    const struct intent *intent = op->intent;
    struct buf out = BUF_WITH_MAX(4096);
    struct stored_checksum checksum;

    source_set_version(op);
    op_set_encryption(op, &op->upload.attrs);
    xml_begin(&out, STR("CopyPartResult"));
    xml_time(&out, STR("LastModified"), intent->result.committed_us);
    xml_etag(&out, intent->part.etag);
    if (upload_kind(&op->upload) != CHECKSUM_NONE &&
        stored_checksum_unpack(intent->part.checksum, &checksum))
        xml_checksum(op, &out, &checksum, /* with_type= */ false);
    xml_close(&out, STR("CopyPartResult"));
    return op_reply_xml(op, &out);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
enum s3_error op_UploadPartCopy(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_PART_PUT);
    struct copy_wish wish;
    enum s3_error err;

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    err = part_load(op);
    if (err == S3_OK)
        err = copy_check_form(op);
    if (err == S3_OK)
        err = encryption_for_source(op);
    if (err == S3_OK)
        err = archive_for_source(op);
    if (err == S3_OK)
        err = copy_range(op, &wish);
    if (err != S3_OK)
        return err;
    if (wish.len > S3_OBJECT_BYTES_MAX)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The specified copy source is larger than the maximum allowable "
                                "size for a copy source: 5368709120"));
    wish.kind = upload_kept_kind(&op->upload);
    wish.encrypt = op->upload.attrs.sse != SSE_NONE;
    err = copy_plan(op, intent, &wish);
    if (err != S3_OK)
        return err;
    intent->part.upload_id = op_param(op, "uploadId");
    intent->part.number = op->part_number;
    return op_submit(op, intent, reply_UploadPartCopy);
}

/* ---- AbortMultipartUpload ----------------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
enum s3_error op_AbortMultipartUpload(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_UPLOAD_ABORT);
    struct str initiated = op_header(op, "x-amz-if-match-initiated-time");
    enum s3_error err;

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    err = upload_load(op, /* done_too= */ false);
    if (err != S3_OK)
        return err;
    intent->abort.upload_id = op_param(op, "uploadId");
    intent->abort.has_initiated = str_present(initiated);
    if (str_present(initiated) && !clock_parse_http(initiated, &intent->abort.initiated_us))
        return op_fail_argument(op, STR("Invalid date"), STR("x-amz-if-match-initiated-time"),
                                initiated);
    return op_submit(op, intent, op_reply_empty);
}

/* ---- ListParts ---------------------------------------------------------------------------------- */

void part_page_free(struct part_page *page)
{
    buf_free(&page->parts);
}

bool part_page_take(struct part_page *page, const struct part *part)
{
    if (page->count == page->max) {
        page->truncated = true;
        return false;
    }
    page->count++;
    page->last = part->number;
    return true;
}

void part_page_bounds(const struct part_page *page, struct buf *out, uint32_t marker)
{
    xml_u64(out, STR("PartNumberMarker"), marker);
    xml_u64(out, STR("NextPartNumberMarker"), page->last);
    xml_u64(out, STR("MaxParts"), page->max);
    xml_bool(out, STR("IsTruncated"), page->truncated);
}

static bool visit_listed_part(void *context, const struct part *part)
{
    struct part_page *page = context;
    struct buf *out = &page->parts;
    struct stored_checksum checksum;

    if (!part_page_take(page, part))
        return false;
    xml_open(out, STR("Part"));
    xml_u64(out, STR("PartNumber"), part->number);
    xml_time(out, STR("LastModified"), part->modified_us);
    xml_etag(out, part->etag);
    xml_u64(out, STR("Size"), part->size_bytes);
    if (upload_kind(&page->op->upload) != CHECKSUM_NONE &&
        stored_checksum_unpack(part->checksum, &checksum))
        xml_checksum(page->op, out, &checksum, /* with_type= */ false);
    xml_close(out, STR("Part"));
    return !out->failed;
}

static enum s3_error reply_ListParts(struct op *op, const struct part_page *page, uint32_t marker)
{
    struct buf out = BUF_WITH_MAX(MULTIPART_XML_BYTES_MAX);
    const struct upload *upload = &op->upload;

    lifecycle_tell_abort(op, upload->initiated_us);
    xml_begin(&out, STR("ListPartsResult"));
    xml_text(&out, STR("Bucket"), op->bucket_name);
    xml_text(&out, STR("Key"), op->key);
    xml_text(&out, STR("UploadId"), upload->id);
    xml_initiator(op, &out, upload->initiator);
    xml_owner(&out, upload->attrs.owner);
    xml_text(&out, STR("StorageClass"), storage_class_name(upload->attrs.storage_class));
    part_page_bounds(page, &out, marker);
    if (upload_kind(upload) != CHECKSUM_NONE) {
        xml_text(&out, STR("ChecksumAlgorithm"), checksum_name(upload_kind(upload)));
        xml_text(&out, STR("ChecksumType"), checksum_type_name(upload_type(upload)));
    }
    buf_str(&out, buf_view(&page->parts));
    xml_close(&out, STR("ListPartsResult"));
    return op_reply_xml(op, &out);
}

static enum s3_error count_param(struct op *op, const char *name, uint32_t most,
                                 uint32_t *ret_count)
{
    return op_count(op, op_param(op, name), str_from_cstr(name), str_from_cstr(name), most,
                    ret_count);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
enum s3_error op_ListParts(struct op *op)
{
    CLEANUP(part_page_free)
    struct part_page page = { .op = op,
                              .max = STORE_LIST_MAX,
                              .parts = BUF_WITH_MAX(MULTIPART_XML_BYTES_MAX) };
    uint32_t marker = 0;
    enum store_status status = STORE_OK;
    enum s3_error err = count_param(op, "max-parts", STORE_LIST_MAX, &page.max);

    if (err == S3_OK)
        err = count_param(op, "part-number-marker", STORE_PARTS_MAX, &marker);
    if (err == S3_OK)
        err = upload_load(op, /* done_too= */ false);
    /* Checksums of what a customer's key encrypts are told to those who have it. */
    if (err == S3_OK && op->upload.attrs.sse == SSE_CUSTOMER &&
        upload_kind(&op->upload) != CHECKSUM_NONE)
        err = customer_key_for_upload(op, /* required= */ true);
    if (err != S3_OK)
        return err;
    if (page.max > 0)
        status = part_list(op->reader, &op->upload, marker, page.max + 1, visit_listed_part, &page,
                           &op->fault);
    if (status != STORE_OK && status != STORE_STOPPED)
        return s3_from_store(op, status);
    return page.parts.failed ? op_fail(op, S3_SlowDown) : reply_ListParts(op, &page, marker);
}
