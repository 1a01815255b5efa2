/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListMultipartUploads: uploads that are neither completed nor aborted.
 */
#include "server/s3/op.h"

struct upload_page {
    struct op *op;
    const struct list_form *form;
    struct buf entries;
    struct buf prefixes;
};

static void upload_page_free(struct upload_page *page)
{
    buf_free(&page->entries);
    buf_free(&page->prefixes);
}

static void write_upload(struct upload_page *page, const struct upload *upload)
{
    struct buf *out = &page->entries;

    xml_open(out, STR("Upload"));
    list_text(page->form, out, STR("Key"), upload->key);
    xml_text(out, STR("UploadId"), upload->id);
    xml_owner(page->op, out, STR("Initiator"), upload->initiator);
    xml_owner(page->op, out, STR("Owner"), upload->attrs.owner);
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
    struct upload_page *page = context;

    if (str_present(common_prefix)) {
        buf_lit(&page->prefixes, "<CommonPrefixes>");
        list_text(page->form, &page->prefixes, STR("Prefix"), common_prefix);
        buf_lit(&page->prefixes, "</CommonPrefixes>");
    } else {
        write_upload(page, upload);
    }
    return !page->entries.failed && !page->prefixes.failed;
}

static enum s3_error reply_uploads(struct op *op, struct upload_page *page,
                                   const struct upload_query *query, const struct upload_end *end)
{
    struct buf out = BUF_WITH_MAX(3 * S3_LIST_XML_BYTES_MAX);
    const struct list_form *form = page->form;

    xml_begin(&out, STR("ListMultipartUploadsResult"));
    xml_text(&out, STR("Bucket"), op->bucket_name);
    list_text(form, &out, STR("KeyMarker"),
              str_present(query->key_marker) ? query->key_marker : STR(""));
    xml_text(&out, STR("UploadIdMarker"), query->upload_id_marker);
    if (end->truncated) {
        list_text(form, &out, STR("NextKeyMarker"), end->next_key);
        xml_text(&out, STR("NextUploadIdMarker"), end->next_upload_id);
    }
    list_text(form, &out, STR("Prefix"), form->prefix);
    if (form->delimiter.len > 0)
        list_text(form, &out, STR("Delimiter"), form->delimiter);
    if (form->url)
        xml_text(&out, STR("EncodingType"), STR("url"));
    xml_u64(&out, STR("MaxUploads"), form->max);
    xml_bool(&out, STR("IsTruncated"), end->truncated);
    buf_str(&out, buf_view(&page->entries));
    buf_str(&out, buf_view(&page->prefixes));
    xml_close(&out, STR("ListMultipartUploadsResult"));
    return op_reply_xml(op, &out);
}

/*
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 * An upload-id-marker without a key-marker is ignored.
 */
enum s3_error op_ListMultipartUploads(struct op *op)
{
    struct list_form form;
    CLEANUP(upload_page_free)
    struct upload_page page = {
        .op = op,
        .form = &form,
        .entries = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
        .prefixes = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
    };
    struct str key_marker = op_param(op, "key-marker");
    struct str id_marker = op_param(op, "upload-id-marker");
    struct upload_query query = { 0 };
    struct upload_end end = { 0 };
    enum s3_error err = list_form_from_request(op, "max-uploads", &form);

    if (err != S3_OK)
        return err;
    query.prefix = form.prefix;
    query.delimiter = form.delimiter;
    query.key_marker = key_marker.len > 0 ? key_marker : STR_NONE;
    query.upload_id_marker = key_marker.len > 0 && id_marker.len > 0 ? id_marker : STR("");
    query.max = form.max;
    if (form.max > 0)
        err = s3_from_store(op, upload_list(op->reader, op->bucket.id, &query, visit_upload, &page,
                                            op->arena, &end, &op->fault));
    if (page.entries.failed || page.prefixes.failed)
        return op_fail(op, S3_SlowDown);
    return err == S3_OK ? reply_uploads(op, &page, &query, &end) : err;
}
