/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration documents of buckets; see documents.def.
 */
#include "server/s3/ops/document.h"

#include <ctype.h>
#include <string.h>

#include "server/s3/answer.h"
#include "server/s3/documents.h"
#include "server/s3/limits.h"
#include "server/s3/loop_stores.h"
#include "server/s3/ops/list_form.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"
#include "server/s3/store_map.h"

struct row {
    struct str kind;
    struct str list;
    struct str root;
    enum s3_error unset;
    struct str unset_root;
    struct str unset_content;
    document_read_fn *read;
    document_show_fn *show;
    document_effect_fn *effect;
};

static const struct row rows[] = {
#define DOCUMENT(KIND, LIST, ROOT, UNSET, UNSET_ROOT, UNSET_CONTENT, READ, SHOW, COMPILE, EFFECT)  \
    { .kind = STR_INIT(KIND),                                                                      \
      .list = STR_INIT(LIST),                                                                      \
      .root = STR_INIT(ROOT),                                                                      \
      .unset = (UNSET),                                                                            \
      .unset_root = STR_INIT(UNSET_ROOT),                                                          \
      .unset_content = STR_INIT(UNSET_CONTENT),                                                    \
      .read = (READ),                                                                              \
      .show = (SHOW),                                                                              \
      .effect = (EFFECT) },
#include "server/s3/documents.def"
#undef DOCUMENT
};

static const struct row *row_of_kind(struct str kind)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_eq(rows[i].kind, kind))
            return &rows[i];
    return NULL;
}

/* By the first condition of a selector: "cors", "analytics&id". */
static const struct row *row_of(struct str selector)
{
    struct str rest;
    struct str kind;

    (void)str_cut(selector, '&', &kind, &rest);
    return row_of_kind(kind);
}

bool document_is_kept(struct str selector)
{
    const struct row *row = row_of(selector);

    return row != NULL && row->read != NULL;
}

/* Which of many; "" where there is but one. */
static struct str id_of(const struct op *op, const struct row *row)
{
    struct str id = row->list.len > 0 ? op_param(op, "id") : STR("");

    return str_present(id) ? id : STR("");
}

/* ---- get --------------------------------------------------------------------------------------- */

static enum s3_error reply_unset(struct op *op, const struct row *row)
{
    struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);

    if (row->unset != S3_OK)
        return op_fail(op, row->unset, op->bucket_name);
    xml_begin(&out, row->unset_root);
    buf_str(&out, row->unset_content);
    xml_close(&out, row->unset_root);
    return op_reply_xml(op, &out);
}

/* The entries behind `after`, as they are stored, and how the page ends. */
static bool list_page(const struct op *op, const struct row *row, struct str after,
                      struct buf *entries, struct str *ret_last)
{
    size_t count = 0;

    for (size_t i = 0; i < op->config->document_count; i++) {
        const struct bucket_document *document = &op->config->documents[i];

        if (!str_eq(document->kind, row->kind) ||
            (str_present(after) && str_compare(document->id, after) <= 0))
            continue;
        if (count++ == S3_DOCUMENTS_PAGE_MAX)
            return true;
        buf_str(entries, document->body);
        *ret_last = document->id;
    }
    return false;
}

static enum s3_error reply_list(struct op *op, const struct row *row)
{
    CLEANUP(buf_free) struct buf entries = BUF_WITH_MAX(BUCKET_CONFIG_BYTES_MAX);
    struct str token = op_param(op, "continuation-token");
    struct buf out = BUF_WITH_MAX(BUCKET_CONFIG_BYTES_MAX + S3_XML_BYTES_MAX);
    struct str after = STR_NONE;
    struct str last = STR_NONE;
    bool truncated;

    /* A list that is empty has handed none out. */
    if (token.len > 0 && (row->read == NULL || !list_token_parse(op, token, &after)))
        return op_fail(op, S3_MalformedContinuationToken);
    truncated = list_page(op, row, after, &entries, &last);
    xml_begin(&out, row->list);
    xml_text(&out, STR("IsTruncated"), truncated ? STR("true") : STR("false"));
    if (str_present(token))
        xml_text(&out, STR("ContinuationToken"), token);
    if (truncated)
        xml_text(&out, STR("NextContinuationToken"), list_token(op, last));
    buf_str(&out, buf_view(&entries));
    xml_close(&out, row->list);
    out.failed = out.failed || entries.failed;
    return op_reply_xml(op, &out);
}

enum s3_error op_document_get(struct op *op)
{
    const struct row *row = row_of(op->route->selector);
    const struct bucket_document *document;
    struct str id;

    if (row == NULL)
        return op_fail(op, S3_NotImplemented);
    id = id_of(op, row);
    if (row->list.len > 0 && id.len == 0)
        return reply_list(op, row);
    document = bucket_config_document(op->config, row->kind, id);
    if (document == NULL || row->show == NULL)
        return reply_unset(op, row);
    return row->show(op, document->body);
}

/* ---- put and delete ---------------------------------------------------------------------------- */

static bool id_is_good(struct str id)
{
    if (id.len == 0 || id.len > S3_DOCUMENT_ID_CHARS_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!isalnum((unsigned char)id.p[i]) && strchr("-_.", id.p[i]) == NULL)
            return false;
    return true;
}

/* A bucket has one of the kind, or the id in the query is one, and the document's own if that has any. */
static enum s3_error check_id(struct op *op, const struct row *row, const struct xml_node *root)
{
    struct str id = id_of(op, row);

    if (row->list.len == 0)
        return S3_OK;
    if (!id_is_good(id))
        return op_fail(op, S3_InvalidConfigurationId);
    if (root != NULL && xml_child(root, STR("Id")) != NULL &&
        !str_eq(xml_child_text(root, STR("Id")), id))
        return op_fail(op, S3_IdMismatch);
    return S3_OK;
}

/*
 * The limits of a bucket's documents, with this one in the place of the one that it replaces. What is
 * counted here still holds when it is written: every change of a document changes the bucket.
 */
static enum s3_error check_limits(struct op *op, const struct row *row, struct str stored)
{
    const struct bucket_config *config = op->config;
    const struct bucket_document *old = bucket_config_document(config, row->kind, id_of(op, row));
    size_t bytes = stored.len;
    size_t count = 1;

    for (size_t i = 0; i < config->document_count; i++) {
        if (&config->documents[i] == old)
            continue;
        bytes += config->documents[i].body.len;
        count += str_eq(config->documents[i].kind, row->kind) ? 1 : 0;
    }
    if (count > S3_DOCUMENTS_MAX)
        return op_fail(op, S3_TooManyConfigurations);
    if (bytes > S3_DOCUMENTS_BYTES_MAX)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The configurations of a bucket have at most 4 MiB together."));
    return S3_OK;
}

/* That a thread is missing is told in the log: what it would tell waits, and the next look starts it. */
static enum s3_error reply_subscribed(struct op *op)
{
    struct fault fault = { 0 };

    if (!notifier_look(op->options->notifier, op->at->held->name, &fault))
        op_log_failure(op, &fault);
    return op_reply_empty(op);
}

static enum s3_error reply_set(struct op *op)
{
    if (op->options->document_put != NULL)
        op->options->document_put(op->options->tended, op->at->held, op->intent->document.kind);
    return op->subscriber_count > 0 ? reply_subscribed(op) : op_reply_empty(op);
}

static enum s3_error set_document(struct op *op, const struct row *row, struct str stored)
{
    struct intent *intent = op_intent(op, INTENT_DOCUMENT_SET);

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    intent->document =
        (struct bucket_document){ .kind = row->kind, .id = id_of(op, row), .body = stored };
    intent->subscribers = op->subscribers;
    intent->subscriber_count = op->subscriber_count;
    intent->origin.event = op->subscription_event;
    return op_submit(op, intent, reply_set);
}

enum s3_error op_document_put(struct op *op)
{
    const struct row *row = row_of(op->route->selector);
    const struct xml_node *root = NULL;
    struct str stored = STR_NONE;
    enum s3_error err = S3_OK;

    if (row == NULL || row->read == NULL)
        return op_fail(op, S3_NotImplemented);
    if (row->root.len > 0)
        err = op_xml(op, row->root, &root);
    if (err == S3_OK)
        err = check_id(op, row, root);
    if (err == S3_OK)
        err = row->read(op, root, &stored);
    if (err == S3_OK && str_present(stored))
        err = check_limits(op, row, stored);
    return err == S3_OK ? set_document(op, row, stored) : err;
}

enum s3_error op_document_delete(struct op *op)
{
    const struct row *row = row_of(op->route->selector);

    return row != NULL ? set_document(op, row, STR_NONE) : op_fail(op, S3_NotImplemented);
}

/* ---- as it came -------------------------------------------------------------------------------- */

static struct str without_space(struct str s)
{
    while (s.len > 0 && strchr(" \t\r\n", s.p[0]) != NULL)
        s = str_skip(s, 1);
    while (s.len > 0 && strchr(" \t\r\n", s.p[s.len - 1]) != NULL)
        s.len--;
    return s;
}

enum s3_error document_read_plain(struct op *op, const struct xml_node *root UNUSED,
                                  struct str *ret_stored)
{
    struct str body = without_space(op->body);

    if (str_starts(body, STR("<?xml")))
        body = without_space(str_skip(body, str_find_char(body, '>') + 1));
    *ret_stored = body;
    return S3_OK;
}

enum s3_error document_show_plain(struct op *op, struct str stored)
{
    struct buf out = BUF_WITH_MAX(S3_RULES_BYTES_MAX + S3_XML_BYTES_MAX);

    buf_lit(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    buf_str(&out, stored);
    return op_reply_xml(op, &out);
}

/* ---- effects ----------------------------------------------------------------------------------- */

enum s3_error document_effects(struct op *op)
{
    enum s3_error err = S3_OK;

    if (!op->config->has_effects)
        return S3_OK;
    for (size_t i = 0; i < op->config->document_count && err == S3_OK; i++) {
        const struct bucket_document *document = &op->config->documents[i];
        const struct row *row = row_of_kind(document->kind);

        if (row != NULL && row->effect != NULL)
            err = row->effect(op, document);
    }
    return err;
}
