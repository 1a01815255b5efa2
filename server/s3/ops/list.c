/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjects and ListObjectsV2, and the body that all listings share.
 *
 * A page is written while the store walks: keys into one buffer, common prefixes into another; the
 * head is put in front once it is known how the page ends. Where the store has to pass over many
 * delete markers the listing takes turns with other requests, and its page waits in the arena.
 */
#include "server/s3/ops/list.h"

#include "server/s3/answer.h"
#include "server/s3/elements.h"
#include "server/s3/lifecycle/archive.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/may.h"
#include "server/s3/op.h"
#include "server/s3/ops/list_form.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/routes.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

/* ---- the body of a listing ----------------------------------------------------------------------- */

struct list_body list_body_make(struct op *op, const struct list_form *form)
{
    const struct op_subject subject = op_subject(op);

    return (struct list_body){
        .op = op,
        .form = form,
        .owners = op_may(op, ACTION_SeeOwners, &subject),
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

void list_body_owner(struct list_body *body, struct str canonical_id)
{
    if (body->owners)
        xml_owner(&body->entries, canonical_id);
}

void list_body_restore(struct list_body *body, const struct listed_version *listed)
{
    struct buf *out = &body->entries;
    enum restore restore =
        archive_restore(listed->restore_ready_us, listed->restored_until_us,
                        body->form->restores ? clock_now_us(store_clock(body->op->store)) : 0);

    if (!body->form->restores || restore == RESTORE_NONE)
        return;
    xml_open(out, STR("RestoreStatus"));
    xml_bool(out, STR("IsRestoreInProgress"), restore == RESTORE_ONGOING);
    if (restore == RESTORE_DONE)
        xml_time(out, STR("RestoreExpiryDate"), listed->restored_until_us);
    xml_close(out, STR("RestoreStatus"));
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

struct page;
typedef enum s3_error page_function(struct page *page);

/* On the stack; between two turns of a listing that passes over many rows it is op->work. */
struct page {
    struct list_form form;
    struct list_body body;
    struct list_query query;
    uint32_t count;
    struct list_end end;
    page_function *reply;
};

static struct page page_make(struct op *op, page_function *reply)
{
    return (struct page){ .body = list_body_make(op, NULL), .reply = reply };
}

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
    list_body_owner(body, listed->owner);
    buf_lit(out, "<StorageClass>");
    buf_str(out, storage_class_name(listed->storage_class));
    buf_lit(out, "</StorageClass>");
    list_body_restore(body, listed);
    buf_lit(out, "</Contents>");
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

static void release_page(struct op *op)
{
    page_free(op->work);
}

static op_function page_go_on;

/* What was written so far is held meanwhile, and counted as what is held. */
static enum s3_error page_yield(struct page *page)
{
    struct op *op = page->body.op;
    uint64_t bytes = page->body.entries.len + page->body.prefixes.len;
    struct page *kept = op->work;

    if (bytes > op->held && !op_hold(op, bytes - op->held))
        return op_fail(op, S3_SlowDown);
    if (kept == NULL) {
        kept = ARENA_NEW(op->arena, struct page);
        if (kept == NULL)
            return op_fail(op, S3_SlowDown);
        *kept = *page;
        *page = (struct page){ 0 };
        kept->body.form = &kept->form;
        op->work = kept;
        op->release = release_page;
    }
    kept->query.from = kept->end.place;
    return op_yield(op, page_go_on);
}

static enum s3_error page_read(struct page *page)
{
    struct op *op = page->body.op;
    enum store_status status = STORE_OK;

    if (page->query.max > 0)
        status = object_list(op->reader, op->bucket.id, &page->query, visit_entry, page, op->arena,
                             &page->end, &op->fault);
    if (list_body_failed(&page->body))
        return op_fail(op, S3_SlowDown);
    if (status != STORE_OK)
        return s3_from_store(op, status);
    return page->end.place != NULL ? page_yield(page) : page->reply(page);
}

static enum s3_error page_go_on(struct op *op)
{
    return page_read(op->work);
}

static enum s3_error page_start(struct page *page, struct str after, bool start_after)
{
    const struct list_form *form = &page->form;

    page->body.form = form;
    page->query = (struct list_query){ .prefix = form->prefix,
                                       .delimiter = form->delimiter,
                                       .after = after,
                                       .max = form->max,
                                       .start_after = start_after,
                                       .owners = page->body.owners,
                                       .restores = form->restores };
    return page_read(page);
}

static void page_begin(const struct page *page, struct buf *head)
{
    xml_begin(head, STR("ListBucketResult"));
    xml_text(head, STR("Name"), page->body.op->bucket_name);
    list_text(&page->form, head, STR("Prefix"), page->form.prefix);
}

/* MaxKeys to IsTruncated, the entries and the end. */
static enum s3_error page_end(struct page *page, struct buf *head)
{
    const struct list_form *form = &page->form;

    xml_u64(head, STR("MaxKeys"), form->max);
    if (form->delimiter.len > 0)
        list_text(form, head, STR("Delimiter"), form->delimiter);
    list_encoding(form, head);
    xml_bool(head, STR("IsTruncated"), page->end.truncated);
    op_give_back(page->body.op); /* what page_yield held; the reply holds its own */
    return list_body_reply(&page->body, head, STR("ListBucketResult"));
}

static enum s3_error reply_v1(struct page *page)
{
    CLEANUP(buf_free) struct buf head = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);
    struct str marker = op_param(page->body.op, "marker");

    page_begin(page, &head);
    list_text(&page->form, &head, STR("Marker"), str_present(marker) ? marker : STR(""));
    /* Without a delimiter the client goes on from the last key it was given. */
    if (page->end.truncated && page->form.delimiter.len > 0)
        list_text(&page->form, &head, STR("NextMarker"), page->end.next);
    return page_end(page, &head);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
enum s3_error op_ListObjects(struct op *op)
{
    CLEANUP(page_free) struct page page = page_make(op, reply_v1);
    struct str marker = op_param(op, "marker");
    enum s3_error err = list_form_from_request(op, "max-keys", STR("maxKeys"), &page.form);

    if (err == S3_OK)
        err = list_attributes(op, &page.form);
    if (err != S3_OK)
        return err;
    return page_start(&page, marker.len > 0 ? marker : STR_NONE, /* start_after= */ false);
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

static enum s3_error reply_v2(struct page *page)
{
    CLEANUP(buf_free) struct buf head = BUF_WITH_MAX(S3_LIST_XML_BYTES_MAX);
    struct op *op = page->body.op;
    struct str token = op_param(op, "continuation-token");
    struct str start_after = op_param(op, "start-after");

    page_begin(page, &head);
    if (str_present(token))
        xml_text(&head, STR("ContinuationToken"), token);
    else if (str_present(start_after))
        list_text(&page->form, &head, STR("StartAfter"), start_after);
    if (page->end.truncated)
        xml_text(&head, STR("NextContinuationToken"), list_token(op, page->end.next));
    xml_u64(&head, STR("KeyCount"), page->count);
    return page_end(page, &head);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
enum s3_error op_ListObjectsV2(struct op *op)
{
    CLEANUP(page_free) struct page page = page_make(op, reply_v2);
    struct str after;
    bool is_start_after;
    enum s3_error err = list_form_from_request(op, "max-keys", STR("maxKeys"), &page.form);

    if (err == S3_OK)
        err = list_attributes(op, &page.form);
    if (err == S3_OK)
        err = v2_start(op, &after, &is_start_after);
    if (err != S3_OK)
        return err;
    page.body.owners &= str_eq_nocase(op_param(op, "fetch-owner"), STR("true"));
    return page_start(&page, after, is_start_after);
}
