/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListMultipartUploads: uploads that are neither completed nor aborted.
 */
#include "server/s3/op.h"

#include "server/s3/elements.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/ops/list.h"
#include "server/s3/ops/list_form.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

static void write_upload(struct list_body *body, const struct upload *upload)
{
    struct buf *out = &body->entries;

    xml_open(out, STR("Upload"));
    list_text(body->form, out, STR("Key"), upload->key);
    xml_text(out, STR("UploadId"), upload->id);
    if (body->owners)
        xml_initiator(body->op, out, upload->initiator);
    list_body_owner(body, upload->attrs.owner);
    xml_text(out, STR("StorageClass"), storage_class_name(upload->attrs.storage_class));
    xml_time(out, STR("Initiated"), upload->initiated_us);
    if (upload->checksum_kind != CHECKSUM_NONE) {
        xml_text(out, STR("ChecksumAlgorithm"),
                 checksum_name((enum checksum_kind)upload->checksum_kind));
        xml_text(out, STR("ChecksumType"),
                 checksum_type_name((enum checksum_type)upload->checksum_type));
    }
    xml_close(out, STR("Upload"));
}

static bool visit_upload(void *context, struct str common_prefix, const struct upload *upload)
{
    struct list_body *body = context;

    if (str_present(common_prefix))
        list_body_prefix(body, common_prefix);
    else
        write_upload(body, upload);
    return !list_body_failed(body);
}

static enum s3_error reply_uploads(struct op *op, struct list_body *body,
                                   const struct upload_query *query, const struct upload_end *end)
{
    CLEANUP(buf_free) struct buf head = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);
    const struct list_form *form = body->form;

    xml_begin(&head, STR("ListMultipartUploadsResult"));
    xml_text(&head, STR("Bucket"), op->bucket_name);
    list_text(form, &head, STR("KeyMarker"),
              str_present(query->key_marker) ? query->key_marker : STR(""));
    xml_text(&head, STR("UploadIdMarker"), query->upload_id_marker);
    /* Other than in the listings of objects these stand in the last page, too. */
    list_text(form, &head, STR("NextKeyMarker"), end->next_key);
    xml_text(&head, STR("NextUploadIdMarker"), end->next_upload_id);
    if (form->delimiter.len > 0)
        list_text(form, &head, STR("Delimiter"), form->delimiter);
    if (form->prefix.len > 0)
        list_text(form, &head, STR("Prefix"), form->prefix);
    list_encoding(form, &head);
    xml_u64(&head, STR("MaxUploads"), form->max);
    xml_bool(&head, STR("IsTruncated"), end->truncated);
    return list_body_reply(body, &head, STR("ListMultipartUploadsResult"));
}

/*
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 * An upload-id-marker without a key-marker is ignored.
 */
enum s3_error op_ListMultipartUploads(struct op *op)
{
    struct list_form form = { 0 };
    CLEANUP(list_body_free) struct list_body body = list_body_make(op, &form);
    struct str key_marker = op_param(op, "key-marker");
    struct str id_marker = op_param(op, "upload-id-marker");
    struct upload_query query = { 0 };
    struct upload_end end = { 0 };
    enum store_status status;
    enum s3_error err = list_form_from_request(op, "max-uploads", STR("max-uploads"), &form);

    if (err != S3_OK)
        return err;
    query.prefix = form.prefix;
    query.delimiter = form.delimiter;
    query.key_marker = key_marker.len > 0 ? key_marker : STR_NONE;
    query.upload_id_marker = key_marker.len > 0 && id_marker.len > 0 ? id_marker : STR("");
    query.max = form.max;
    status = upload_list(op->reader, op->bucket.id, &query, visit_upload, &body, op->arena, &end,
                         &op->fault);
    if (list_body_failed(&body))
        return op_fail(op, S3_SlowDown);
    if (status == STORE_NO_UPLOAD)
        return op_fail_argument(op, STR("Invalid uploadId marker"), STR("upload-id-marker"),
                                id_marker);
    err = s3_from_store(op, status);
    return err == S3_OK ? reply_uploads(op, &body, &query, &end) : err;
}
