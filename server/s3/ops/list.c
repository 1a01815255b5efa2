/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjects and ListObjectsV2, and what all listings share: parameters, encoding, tokens.
 *
 * A page is written while the store walks: keys into one buffer, common prefixes into another; the
 * head is put in front once it is known how the page ends.
 */
#include "server/s3/op.h"

#include "base/codec.h"

#define COUNT_PARAM_MAX 2147483647
#define TOKEN_VERSION 1
#define TOKEN_BYTES_MAX (1 + STORE_KEY_BYTES_MAX)

/* ---- shared by listings ------------------------------------------------------------------------- */

enum s3_error list_count(struct op *op, const char *name, uint32_t fallback, uint32_t most,
                         uint32_t *ret_count)
{
    struct str text = op_param(op, name);
    uint64_t value = fallback;

    if (text.len > 0 && (!str_to_u64(text, &value) || value > COUNT_PARAM_MAX))
        return op_fail_argument(op,
                                arena_printf(op->arena,
                                             "Argument %s must be an integer between 0 and "
                                             "2147483647",
                                             name),
                                str_from_cstr(name), text);
    *ret_count = (uint32_t)u64_min(value, most);
    return S3_OK;
}

enum s3_error list_form_from_request(struct op *op, const char *max_name,
                                     struct list_form *ret_form)
{
    struct list_form form = { .prefix = op_param(op, "prefix"),
                              .delimiter = op_param(op, "delimiter") };
    struct str encoding = op_param(op, "encoding-type");
    enum s3_error err;

    form.url = str_eq_nocase(encoding, STR("url"));
    if (encoding.len > 0 && !form.url)
        return op_fail_argument(op, STR("Invalid Encoding Method specified in Request"),
                                STR("encoding-type"), encoding);
    if (!str_present(form.prefix))
        form.prefix = STR("");
    if (!str_present(form.delimiter))
        form.delimiter = STR("");
    err = list_count(op, max_name, STORE_LIST_MAX, STORE_LIST_MAX, &form.max);
    if (err == S3_OK)
        *ret_form = form;
    return err;
}

void list_escape(const struct list_form *form, struct buf *out, struct str text)
{
    if (form->url)
        uri_encode(out, text, URI_KEEP_SLASH);
    else
        xml_escape(out, text);
}

void list_text(const struct list_form *form, struct buf *out, struct str name, struct str text)
{
    xml_open(out, name);
    list_escape(form, out, text);
    xml_close(out, name);
}

struct str list_token(struct op *op, struct str marker)
{
    uint8_t bytes[TOKEN_BYTES_MAX];
    char *text;

    if (marker.len > STORE_KEY_BYTES_MAX)
        return STR_NONE;
    bytes[0] = TOKEN_VERSION;
    if (marker.len > 0)
        memcpy(bytes + 1, marker.p, marker.len);
    text = arena_alloc(op->arena, BASE64_LEN(1 + marker.len));
    if (text == NULL)
        return STR_NONE;
    base64_encode(bytes, 1 + marker.len, text);
    return str_make(text, BASE64_LEN(1 + marker.len));
}

bool list_token_parse(struct op *op, struct str token, struct str *ret_marker)
{
    uint8_t bytes[TOKEN_BYTES_MAX + 2];
    size_t len;

    if (!base64_decode(token, bytes, sizeof(bytes), &len) || len < 1 || len > TOKEN_BYTES_MAX ||
        bytes[0] != TOKEN_VERSION)
        return false;
    *ret_marker = arena_dup(op->arena, str_make(bytes + 1, len - 1));
    return str_present(*ret_marker);
}

/* ---- the body of a listing ----------------------------------------------------------------------- */

struct list_body list_body_make(struct op *op, const struct list_form *form)
{
    return (struct list_body){
        .op = op,
        .form = form,
        .entries = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
        .prefixes = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
        .owner_id = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
        .owner_element = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX),
    };
}

void list_body_free(struct list_body *body)
{
    buf_free(&body->entries);
    buf_free(&body->prefixes);
    buf_free(&body->owner_id);
    buf_free(&body->owner_element);
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

void list_body_owner(struct list_body *body, struct str canonical_id)
{
    struct buf *element = &body->owner_element;

    if (element->len == 0 || !str_eq(buf_view(&body->owner_id), canonical_id)) {
        buf_clear(&body->owner_id);
        buf_clear(element);
        buf_str(&body->owner_id, canonical_id);
        xml_owner(body->op, element, STR("Owner"), canonical_id);
        if (body->owner_id.failed || element->failed)
            body->entries.failed = true;
    }
    buf_str(&body->entries, buf_view(element));
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
    if (form->url)
        xml_text(head, STR("EncodingType"), STR("url"));
    xml_bool(head, STR("IsTruncated"), page->end.truncated);
    return list_body_reply(&page->body, head, STR("ListBucketResult"));
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
enum s3_error op_ListObjects(struct op *op)
{
    CLEANUP(buf_free) struct buf head = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);
    struct list_form form = { 0 };
    CLEANUP(page_free)
    struct page page = { .body = list_body_make(op, &form), .owners = true };
    struct str marker = op_param(op, "marker");
    enum s3_error err = list_form_from_request(op, "max-keys", &form);

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

    if (token.len > 0) {
        *ret_start_after = false;
        if (list_token_parse(op, token, ret_after))
            return S3_OK;
        return op_fail_argument(op, STR("The continuation token provided is incorrect"),
                                STR("continuation-token"), token);
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
    enum s3_error err = list_form_from_request(op, "max-keys", &form);

    page.owners = str_eq_nocase(op_param(op, "fetch-owner"), STR("true"));
    if (err == S3_OK)
        err = v2_start(op, &after, &is_start_after);
    if (err == S3_OK)
        err = page_read(&page, after, is_start_after);
    if (err != S3_OK)
        return err;
    xml_begin(&head, STR("ListBucketResult"));
    xml_text(&head, STR("Name"), op->bucket_name);
    list_text(&form, &head, STR("Prefix"), form.prefix);
    if (str_present(start_after))
        list_text(&form, &head, STR("StartAfter"), start_after);
    if (str_present(token))
        xml_text(&head, STR("ContinuationToken"), token);
    if (page.end.truncated)
        xml_text(&head, STR("NextContinuationToken"), list_token(op, page.end.next));
    xml_u64(&head, STR("KeyCount"), page.count);
    return page_reply(&page, &head);
}
