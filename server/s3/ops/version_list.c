/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjectVersions: versions and delete markers of all keys, newest first within a key.
 */
#include "server/s3/op.h"

#include "server/s3/elements.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/ops/list.h"
#include "server/s3/ops/list_form.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

static void write_version(struct list_body *body, const struct listed_version *listed)
{
    struct buf *out = &body->entries;
    struct str element = listed->delete_marker ? STR("DeleteMarker") : STR("Version");
    char id[VERSION_TEXT_LEN];

    xml_open(out, element);
    buf_lit(out, "<Key>");
    list_escape(body->form, out, listed->key);
    buf_lit(out, "</Key><VersionId>");
    buf_str(out, listed_version_id(listed, id));
    buf_lit(out, "</VersionId><IsLatest>");
    buf_str(out, listed->latest ? STR("true") : STR("false"));
    buf_lit(out, "</IsLatest><LastModified>");
    list_body_time(body, listed->modified_us);
    buf_lit(out, "</LastModified>");
    if (!listed->delete_marker) {
        xml_etag(out, listed->etag);
        xml_checksum_kind(out, listed->checksum);
        xml_u64(out, STR("Size"), listed->size_bytes);
    }
    list_body_owner(body, listed->owner);
    if (!listed->delete_marker) {
        xml_text(out, STR("StorageClass"), storage_class_name(listed->storage_class));
        list_body_restore(body, listed);
    }
    xml_close(out, element);
}

static bool visit_version(void *context, struct str common_prefix,
                          const struct listed_version *listed)
{
    struct list_body *body = context;

    if (str_present(common_prefix))
        list_body_prefix(body, common_prefix);
    else
        write_version(body, listed);
    return !list_body_failed(body);
}

static enum s3_error markers(struct op *op, struct list_query *query)
{
    struct str key = op_param(op, "key-marker");
    struct str id = op_param(op, "version-id-marker");

    if (str_present(id) && !str_present(key))
        return op_fail_argument(
            op, STR("A version-id marker cannot be specified without a key marker."),
            STR("version-id-marker"), id);
    query->after = key.len > 0 ? key : STR_NONE;
    if (!str_present(id))
        return S3_OK;
    if (id.len == 0)
        return op_fail_argument(op, STR("A version-id marker cannot be empty."),
                                STR("version-id-marker"), id);
    if (!version_id_parse(id, &query->version_marker))
        return op_fail_argument(op, STR("Invalid version id specified"), STR("version-id-marker"),
                                id);
    query->has_version_marker = str_present(query->after);
    return S3_OK;
}

static struct str or_empty(struct str text)
{
    return str_present(text) ? text : STR("");
}

static enum s3_error reply_versions(struct op *op, struct list_body *body,
                                    const struct list_end *end)
{
    CLEANUP(buf_free) struct buf head = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);
    const struct list_form *form = body->form;

    xml_begin(&head, STR("ListVersionsResult"));
    xml_text(&head, STR("Name"), op->bucket_name);
    list_text(form, &head, STR("Prefix"), form->prefix);
    list_text(form, &head, STR("KeyMarker"), or_empty(op_param(op, "key-marker")));
    xml_text(&head, STR("VersionIdMarker"), or_empty(op_param(op, "version-id-marker")));
    if (end->truncated) {
        list_text(form, &head, STR("NextKeyMarker"), end->next);
        if (end->next_version_id.len > 0)
            xml_text(&head, STR("NextVersionIdMarker"), end->next_version_id);
    }
    xml_u64(&head, STR("MaxKeys"), form->max);
    if (form->delimiter.len > 0)
        list_text(form, &head, STR("Delimiter"), form->delimiter);
    list_encoding(form, &head);
    xml_bool(&head, STR("IsTruncated"), end->truncated);
    return list_body_reply(body, &head, STR("ListVersionsResult"));
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
enum s3_error op_ListObjectVersions(struct op *op)
{
    struct list_form form = { 0 };
    CLEANUP(list_body_free) struct list_body body = list_body_make(op, &form);
    struct list_query query = { 0 };
    struct list_end end = { 0 };
    enum s3_error err = markers(op, &query);

    if (err == S3_OK)
        err = list_form_from_request(op, "max-keys", STR(""), &form);
    if (err == S3_OK)
        err = list_attributes(op, &form);
    if (err != S3_OK)
        return err;
    query.prefix = form.prefix;
    query.delimiter = form.delimiter;
    query.max = form.max;
    query.restores = form.restores;
    if (form.max > 0)
        err = s3_from_store(op, version_list(op->reader, op->bucket.id, &query, visit_version,
                                             &body, op->arena, &end, &op->fault));
    if (list_body_failed(&body))
        return op_fail(op, S3_SlowDown);
    return err == S3_OK ? reply_versions(op, &body, &end) : err;
}
