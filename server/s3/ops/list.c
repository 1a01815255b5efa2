/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjects and ListObjectsV2, and the body that all listings share.
 *
 * A page is written while the store walks: keys into one buffer, common prefixes into another; the
 * head is put in front once it is known how the page ends.
 */
#include "server/s3/op.h"

/* ---- the body of a listing ----------------------------------------------------------------------- */

struct list_body list_body_make(struct op *op, const struct list_form *form)
{
    return (struct list_body){
        .op = op,
        .form = form,
        .entries = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
        .prefixes = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
    };
}

void list_body_free(struct list_body *body)
{
    buf_free(&body->entries);
    buf_free(&body->prefixes);
}

bool list_body_failed(const struct list_body *body)
{
    return body->entries.failed || body->prefixes.failed;
}

void list_body_prefix(struct list_body *body, struct str prefix)
{
    buf_lit(&body->prefixes, "<CommonPrefixes><Prefix>");
    list_escape(body->form, &body->prefixes, prefix);
    buf_lit(&body->prefixes, "</Prefix></CommonPrefixes>");
}

void list_body_time(struct list_body *body, int64_t us)
{
    char text[CLOCK_ISO8601_LEN + 1];

    clock_format_s3(us, &body->day, text);
    buf_append(&body->entries, text, CLOCK_ISO8601_LEN);
}

bool list_tells_owners(const struct op *op)
{
    return op->auth.user != NULL;
}

void list_body_owner(struct list_body *body, struct str canonical_id)
{
    if (list_tells_owners(body->op))
        xml_owner(&body->entries, canonical_id);
}

enum s3_error list_body_reply(struct list_body *body, const struct buf *head, struct str root)
{
    struct buf *out = &body->entries;

    buf_str(out, buf_view(&body->prefixes));
    xml_close(out, root);
    buf_prepend(out, buf_view(head));
    out->failed = out->failed || head->failed || body->prefixes.failed;
    return op_reply_xml(body->op, out);
}

/* ---- one page ----------------------------------------------------------------------------------- */

struct page {
    struct list_body body;
    bool owners;
    uint32_t count;
    struct list_end end;
};

static void page_free(struct page *page)
{
    list_body_free(&page->body);
}

static void write_key(struct page *page, const struct listed_version *listed)
{
    struct list_body *body = &page->body;
    struct buf *out = &body->entries;

    buf_lit(out, "<Contents><Key>");
    list_escape(body->form, out, listed->key);
    buf_lit(out, "</Key><LastModified>");
    list_body_time(body, listed->modified_us);
    buf_lit(out, "</LastModified>");
    xml_etag(out, listed->etag);
    xml_checksum_kind(out, listed->checksum);
    buf_lit(out, "<Size>");
    buf_u64(out, listed->size_bytes);
    buf_lit(out, "</Size>");
    if (page->owners)
        list_body_owner(body, listed->owner);
    buf_lit(out, "<StorageClass>");
    buf_str(out, storage_class_name(listed->storage_class));
    buf_lit(out, "</StorageClass></Contents>");
}

static bool visit_entry(void *context, struct str common_prefix,
                        const struct listed_version *listed)
{
    struct page *page = context;

    if (str_present(common_prefix))
        list_body_prefix(&page->body, common_prefix);
    else
        write_key(page, listed);
    page->count++;
    return !list_body_failed(&page->body);
}

static enum s3_error page_read(struct page *page, struct str after, bool start_after)
{
    struct op *op = page->body.op;
    const struct list_form *form = page->body.form;
    struct list_query query = { .prefix = form->prefix,
                                .delimiter = form->delimiter,
                                .after = after,
                                .max = form->max,
                                .start_after = start_after,
                                .owners = page->owners };
    enum store_status status;

    if (form->max == 0)
        return S3_OK;
    status = object_list(op->reader, op->bucket.id, &query, visit_entry, page, op->arena,
                         &page->end, &op->fault);
    if (list_body_failed(&page->body))
        return op_fail(op, S3_SlowDown);
    return s3_from_store(op, status);
}

/* MaxKeys to IsTruncated, the entries and the end. */
static enum s3_error page_reply(struct page *page, struct buf *head)
{
    const struct list_form *form = page->body.form;

    xml_u64(head, STR("MaxKeys"), form->max);
    if (form->delimiter.len > 0)
        list_text(form, head, STR("Delimiter"), form->delimiter);
    list_encoding(form, head);
    xml_bool(head, STR("IsTruncated"), page->end.truncated);
    return list_body_reply(&page->body, head, STR("ListBucketResult"));
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
enum s3_error op_ListObjects(struct op *op)
{
    CLEANUP(buf_free) struct buf head = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);
    struct list_form form = { 0 };
    CLEANUP(page_free)
    struct page page = { .body = list_body_make(op, &form), .owners = list_tells_owners(op) };
    struct str marker = op_param(op, "marker");
    enum s3_error err = list_form_from_request(op, "max-keys", STR("maxKeys"), &form);

    if (err == S3_OK)
        err = page_read(&page, marker.len > 0 ? marker : STR_NONE, /* start_after= */ false);
    if (err != S3_OK)
        return err;
    xml_begin(&head, STR("ListBucketResult"));
    xml_text(&head, STR("Name"), op->bucket_name);
    list_text(&form, &head, STR("Prefix"), form.prefix);
    list_text(&form, &head, STR("Marker"), str_present(marker) ? marker : STR(""));
    /* Without a delimiter the client goes on from the last key it was given. */
    if (page.end.truncated && form.delimiter.len > 0)
        list_text(&form, &head, STR("NextMarker"), page.end.next);
    return page_reply(&page, &head);
}

/* Where a V2 page starts: the token if there is one, else start-after. */
static enum s3_error v2_start(struct op *op, struct str *ret_after, bool *ret_start_after)
{
    struct str token = op_param(op, "continuation-token");
    struct str start_after = op_param(op, "start-after");

    if (str_present(token)) {
        *ret_start_after = false;
        return list_token_parse(op, token, ret_after) ? S3_OK : list_token_bad(op);
    }
    *ret_start_after = start_after.len > 0;
    *ret_after = start_after.len > 0 ? start_after : STR_NONE;
    return S3_OK;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
enum s3_error op_ListObjectsV2(struct op *op)
{
    CLEANUP(buf_free) struct buf head = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);
    struct list_form form = { 0 };
    CLEANUP(page_free) struct page page = { .body = list_body_make(op, &form) };
    struct str token = op_param(op, "continuation-token");
    struct str start_after = op_param(op, "start-after");
    struct str after;
    bool is_start_after;
    enum s3_error err = list_form_from_request(op, "max-keys", STR("maxKeys"), &form);

    page.owners = str_eq_nocase(op_param(op, "fetch-owner"), STR("true")) && list_tells_owners(op);
    if (err == S3_OK)
        err = v2_start(op, &after, &is_start_after);
    if (err == S3_OK)
        err = page_read(&page, after, is_start_after);
    if (err != S3_OK)
        return err;
    xml_begin(&head, STR("ListBucketResult"));
    xml_text(&head, STR("Name"), op->bucket_name);
    list_text(&form, &head, STR("Prefix"), form.prefix);
    if (str_present(token))
        xml_text(&head, STR("ContinuationToken"), token);
    else if (str_present(start_after))
        list_text(&form, &head, STR("StartAfter"), start_after);
    if (page.end.truncated)
        xml_text(&head, STR("NextContinuationToken"), list_token(op, page.end.next));
    xml_u64(&head, STR("KeyCount"), page.count);
    return page_reply(&page, &head);
}
