/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjectVersions: versions and delete markers of all keys, newest first within a key.
 */
#include "server/s3/op.h"

struct version_page {
    struct op *op;
    const struct list_form *form;
    struct buf entries;
    struct buf prefixes;
};

static void version_page_free(struct version_page *page)
{
    buf_free(&page->entries);
    buf_free(&page->prefixes);
}

static void write_version_id(struct buf *out, struct op *op, const struct version *version)
{
    struct str id = version_id_text(version, op->arena);

    if (!str_present(id))
        out->failed = true;
    xml_text(out, STR("VersionId"), id);
}

static void write_version(struct version_page *page, const struct version *version)
{
    struct buf *out = &page->entries;
    struct str element = version->delete_marker ? STR("DeleteMarker") : STR("Version");

    xml_open(out, element);
    list_text(page->form, out, STR("Key"), version->key);
    write_version_id(out, page->op, version);
    xml_bool(out, STR("IsLatest"), version->latest);
    xml_time(out, STR("LastModified"), version->modified_us);
    if (!version->delete_marker) {
        xml_etag(out, version->attrs.etag);
        xml_checksum_kind(out, version->attrs.checksum);
        xml_u64(out, STR("Size"), version->size_bytes);
    }
    xml_owner(page->op, out, STR("Owner"), version->attrs.owner);
    if (!version->delete_marker)
        xml_text(out, STR("StorageClass"), storage_class_name(version->attrs.storage_class));
    xml_close(out, element);
}

static bool visit_version(void *context, struct str common_prefix, const struct version *version)
{
    struct version_page *page = context;

    if (str_present(common_prefix)) {
        buf_lit(&page->prefixes, "<CommonPrefixes>");
        list_text(page->form, &page->prefixes, STR("Prefix"), common_prefix);
        buf_lit(&page->prefixes, "</CommonPrefixes>");
    } else {
        write_version(page, version);
    }
    return !page->entries.failed && !page->prefixes.failed;
}

static enum s3_error markers(struct op *op, struct list_query *query)
{
    struct str key = op_param(op, "key-marker");
    struct str id = op_param(op, "version-id-marker");

    if (str_present(id) && key.len == 0)
        return op_fail_argument(
            op, STR("A version-id marker cannot be specified without a key marker."),
            STR("version-id-marker"), id);
    query->after = key.len > 0 ? key : STR_NONE;
    if (id.len == 0)
        return S3_OK;
    query->has_version_marker = true;
    if (!version_id_parse(id, &query->version_marker))
        return op_fail_argument(op, STR("Invalid version id specified"), STR("version-id-marker"),
                                id);
    return S3_OK;
}

static struct str or_empty(struct str text)
{
    return str_present(text) ? text : STR("");
}

static enum s3_error reply_versions(struct op *op, struct version_page *page,
                                    const struct list_end *end)
{
    struct buf out = BUF_WITH_MAX(3 * S3_LIST_XML_BYTES_MAX);
    const struct list_form *form = page->form;

    xml_begin(&out, STR("ListVersionsResult"));
    xml_text(&out, STR("Name"), op->bucket_name);
    list_text(form, &out, STR("Prefix"), form->prefix);
    list_text(form, &out, STR("KeyMarker"), or_empty(op_param(op, "key-marker")));
    xml_text(&out, STR("VersionIdMarker"), or_empty(op_param(op, "version-id-marker")));
    if (end->truncated) {
        list_text(form, &out, STR("NextKeyMarker"), end->next);
        if (end->next_version_id.len > 0)
            xml_text(&out, STR("NextVersionIdMarker"), end->next_version_id);
    }
    xml_u64(&out, STR("MaxKeys"), form->max);
    if (form->delimiter.len > 0)
        list_text(form, &out, STR("Delimiter"), form->delimiter);
    if (form->url)
        xml_text(&out, STR("EncodingType"), STR("url"));
    xml_bool(&out, STR("IsTruncated"), end->truncated);
    buf_str(&out, buf_view(&page->entries));
    buf_str(&out, buf_view(&page->prefixes));
    xml_close(&out, STR("ListVersionsResult"));
    return op_reply_xml(op, &out);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
enum s3_error op_ListObjectVersions(struct op *op)
{
    struct list_form form;
    CLEANUP(version_page_free)
    struct version_page page = {
        .op = op,
        .form = &form,
        .entries = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
        .prefixes = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
    };
    struct list_query query = { 0 };
    struct list_end end = { 0 };
    enum s3_error err = list_form_from_request(op, "max-keys", &form);

    if (err == S3_OK)
        err = markers(op, &query);
    if (err != S3_OK)
        return err;
    query.prefix = form.prefix;
    query.delimiter = form.delimiter;
    query.max = form.max;
    if (form.max > 0)
        err = s3_from_store(op, version_list(op->reader, op->bucket.id, &query, visit_version,
                                             &page, op->arena, &end, &op->fault));
    if (page.entries.failed || page.prefixes.failed)
        return op_fail(op, S3_SlowDown);
    return err == S3_OK ? reply_versions(op, &page, &end) : err;
}
