/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjects and ListObjectsV2, and what all listings share: parameters, encoding, tokens.
 *
 * A page is written while the store walks: keys into one buffer, common prefixes into another, both
 * behind the head once it is known how the page ends.
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

void list_text(const struct list_form *form, struct buf *out, struct str name, struct str text)
{
    if (!form->url) {
        xml_text(out, name, text);
        return;
    }
    xml_open(out, name);
    uri_encode(out, text, URI_KEEP_SLASH);
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

/* ---- one page ----------------------------------------------------------------------------------- */

struct page {
    struct op *op;
    const struct list_form *form;
    bool owners;
    struct buf keys;
    struct buf prefixes;
    uint32_t count;
    struct list_end end;
};

static void page_free(struct page *page)
{
    buf_free(&page->keys);
    buf_free(&page->prefixes);
}

static void write_prefix(const struct list_form *form, struct buf *out, struct str prefix)
{
    buf_lit(out, "<CommonPrefixes>");
    list_text(form, out, STR("Prefix"), prefix);
    buf_lit(out, "</CommonPrefixes>");
}

static void write_key(struct page *page, const struct version *version)
{
    struct buf *out = &page->keys;

    buf_lit(out, "<Contents>");
    list_text(page->form, out, STR("Key"), version->key);
    xml_time(out, STR("LastModified"), version->modified_us);
    xml_etag(out, version->attrs.etag);
    xml_checksum_kind(out, version->attrs.checksum);
    xml_u64(out, STR("Size"), version->size_bytes);
    if (page->owners)
        xml_owner(page->op, out, STR("Owner"), version->attrs.owner);
    xml_text(out, STR("StorageClass"), storage_class_name(version->attrs.storage_class));
    buf_lit(out, "</Contents>");
}

static bool visit_entry(void *context, struct str common_prefix, const struct version *version)
{
    struct page *page = context;

    if (str_present(common_prefix))
        write_prefix(page->form, &page->prefixes, common_prefix);
    else
        write_key(page, version);
    page->count++;
    return !page->keys.failed && !page->prefixes.failed;
}

static enum s3_error page_read(struct page *page, struct str after, bool start_after)
{
    struct op *op = page->op;
    struct list_query query = { .prefix = page->form->prefix,
                                .delimiter = page->form->delimiter,
                                .after = after,
                                .max = page->form->max,
                                .start_after = start_after };
    enum store_status status;

    page->keys = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);
    page->prefixes = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);
    if (page->form->max == 0)
        return S3_OK;
    status = object_list(op->reader, op->bucket.id, &query, visit_entry, page, op->arena,
                         &page->end, &op->fault);
    if (page->keys.failed || page->prefixes.failed)
        return op_fail(op, S3_SlowDown);
    return s3_from_store(op, status);
}

/* Delimiter to IsTruncated, the entries and the end. */
static enum s3_error page_reply(struct page *page, struct buf *out, struct str root)
{
    const struct list_form *form = page->form;

    xml_u64(out, STR("MaxKeys"), form->max);
    if (form->delimiter.len > 0)
        list_text(form, out, STR("Delimiter"), form->delimiter);
    if (form->url)
        xml_text(out, STR("EncodingType"), STR("url"));
    xml_bool(out, STR("IsTruncated"), page->end.truncated);
    (void)buf_reserve(out, page->keys.len + page->prefixes.len + 64);
    buf_str(out, buf_view(&page->keys));
    buf_str(out, buf_view(&page->prefixes));
    xml_close(out, root);
    return op_reply_xml(page->op, out);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
enum s3_error op_ListObjects(struct op *op)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(3 * S3_LIST_XML_BYTES_MAX);
    struct list_form form;
    CLEANUP(page_free) struct page page = { .op = op, .form = &form, .owners = true };
    struct str marker = op_param(op, "marker");
    enum s3_error err = list_form_from_request(op, "max-keys", &form);

    if (err == S3_OK)
        err = page_read(&page, marker.len > 0 ? marker : STR_NONE, /* start_after= */ false);
    if (err != S3_OK)
        return err;
    xml_begin(&out, STR("ListBucketResult"));
    xml_text(&out, STR("Name"), op->bucket_name);
    list_text(&form, &out, STR("Prefix"), form.prefix);
    list_text(&form, &out, STR("Marker"), str_present(marker) ? marker : STR(""));
    /* Without a delimiter the client goes on from the last key it was given. */
    if (page.end.truncated && form.delimiter.len > 0)
        list_text(&form, &out, STR("NextMarker"), page.end.next);
    return page_reply(&page, &out, STR("ListBucketResult"));
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
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(3 * S3_LIST_XML_BYTES_MAX);
    struct list_form form;
    CLEANUP(page_free) struct page page = { .op = op, .form = &form };
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
    xml_begin(&out, STR("ListBucketResult"));
    xml_text(&out, STR("Name"), op->bucket_name);
    list_text(&form, &out, STR("Prefix"), form.prefix);
    if (str_present(start_after))
        list_text(&form, &out, STR("StartAfter"), start_after);
    if (str_present(token))
        xml_text(&out, STR("ContinuationToken"), token);
    if (page.end.truncated)
        xml_text(&out, STR("NextContinuationToken"), list_token(op, page.end.next));
    xml_u64(&out, STR("KeyCount"), page.count);
    return page_reply(&page, &out, STR("ListBucketResult"));
}
