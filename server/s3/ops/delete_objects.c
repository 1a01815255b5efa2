/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DeleteObjects: up to a thousand keys in one intent; each has an outcome of its own.
 */
#include "server/s3/op.h"

#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/limits.h"
#include "server/s3/may.h"
#include "server/s3/refuse.h"
#include "server/s3/request/condition.h"
#include "server/s3/request/document_body.h"
#include "server/s3/request/lock.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

#define DELETE_XML_BYTES_MAX (16u * 1024u * 1024u)

struct delete_entry {
    struct str key;
    struct str version_id;    /* as asked; STR_NONE: none */
    enum s3_error error;      /* refused before the store was asked */
    struct delete_item *item; /* NULL when refused */
};

struct deletion {
    bool quiet;
    struct delete_entry *entries;
    size_t count;
    struct delete_item *items;
    size_t item_count;
};

/* ---- request ------------------------------------------------------------------------------------- */

static bool parse_time(struct str text, int64_t *ret_us)
{
    return clock_parse_http(text, ret_us) || clock_parse_iso8601(text, ret_us);
}

static enum s3_error entry_condition(struct op *op, const struct xml_node *node,
                                     struct write_condition *condition)
{
    struct str etag = xml_child_text(node, STR("ETag"));
    struct str size = xml_child_text(node, STR("Size"));
    struct str modified = xml_child_text(node, STR("LastModifiedTime"));

    if (etag.len > 0)
        condition->if_match = etag_bare(etag);
    condition->has_size = str_present(size);
    condition->has_modified = str_present(modified);
    if ((condition->has_size && !str_to_u64(size, &condition->size_bytes)) ||
        (condition->has_modified && !parse_time(modified, &condition->modified_us)))
        return op_fail(op, S3_MalformedXML);
    return S3_OK;
}

/* What is wrong with one entry by itself; the others go on. */
static enum s3_error judge_entry(struct op *op, const struct delete_entry *entry,
                                 struct delete_item *item)
{
    const struct op_subject subject = {
        .bucket = &op->bucket, .config = op->config, .key = entry->key, .version = entry->version_id
    };
    bool one_version = str_present(entry->version_id);
    bool compares;
    enum s3_error err;

    if (entry->key.len == 0)
        return S3_UserKeyMustBeSpecified;
    if (entry->key.len > STORE_KEY_BYTES_MAX)
        return S3_KeyTooLongError;
    op->said.if_match = item->condition.if_match;
    if (!op_may(op, one_version ? op->route->version_action : op->route->action, &subject))
        return S3_AccessDenied;
    err = condition_may_compare(op, entry->key, &item->condition, &compares);
    if (err == S3_OK && !compares)
        return S3_AccessDenied;
    if (err != S3_OK || !one_version)
        return err;
    item->has_version = true;
    item->bypass = lock_bypasses(op, &subject);
    return version_id_parse(entry->version_id, &item->version) ? S3_OK : S3_NoSuchVersion;
}

static enum s3_error take_entry(struct op *op, const struct xml_node *node,
                                struct deletion *deletion)
{
    const struct xml_node *key = xml_child(node, STR("Key"));
    struct str version_id = xml_child_text(node, STR("VersionId"));
    struct delete_entry *entry = &deletion->entries[deletion->count];
    struct delete_item item = { 0 };
    enum s3_error err;

    if (key == NULL)
        return op_fail(op, S3_MalformedXML);
    err = entry_condition(op, node, &item.condition);
    if (err != S3_OK)
        return err;
    /* Not trimmed: blanks are part of a key. */
    *entry = (struct delete_entry){ .key = key->text,
                                    .version_id = version_id.len > 0 ? version_id : STR_NONE };
    entry->error = judge_entry(op, entry, &item);
    if (entry->error == S3_OK) {
        item.key = entry->key;
        entry->item = &deletion->items[deletion->item_count++];
        *entry->item = item;
    }
    deletion->count++;
    return S3_OK;
}

static enum s3_error deletion_from_body(struct op *op, struct deletion *deletion)
{
    const struct xml_node *root;
    size_t count;
    enum s3_error err = op_xml(op, STR("Delete"), &root);

    if (err != S3_OK)
        return err;
    count = xml_child_count(root, STR("Object"));
    if (count == 0 || count > S3_DELETE_KEYS_MAX)
        return op_fail(op, S3_MalformedXML);
    deletion->quiet = str_eq_nocase(xml_child_text(root, STR("Quiet")), STR("true"));
    deletion->entries = arena_array(op->arena, count, sizeof(*deletion->entries));
    deletion->items = arena_array(op->arena, count, sizeof(*deletion->items));
    if (deletion->entries == NULL || deletion->items == NULL)
        return op_fail(op, S3_SlowDown);
    for (const struct xml_node *node = root->children; err == S3_OK && node != NULL;
         node = node->next)
        if (str_eq(node->name, STR("Object")))
            err = take_entry(op, node, deletion);
    return err;
}

/* ---- answer -------------------------------------------------------------------------------------- */

static enum s3_error entry_outcome(struct op *op, const struct delete_entry *entry)
{
    return entry->item != NULL ? s3_from_store(op, entry->item->status) : entry->error;
}

static void write_deleted(struct buf *out, const struct delete_entry *entry)
{
    const struct delete_item *item = entry->item;

    xml_open(out, STR("Deleted"));
    xml_text(out, STR("Key"), entry->key);
    if (str_present(entry->version_id))
        xml_text(out, STR("VersionId"), entry->version_id);
    if (item->made_marker || item->deleted_marker) {
        xml_bool(out, STR("DeleteMarker"), true);
        xml_text(out, STR("DeleteMarkerVersionId"),
                 item->made_marker ? item->marker_version : entry->version_id);
    }
    xml_close(out, STR("Deleted"));
}

static void write_error(const struct op *op, struct buf *out, const struct delete_entry *entry,
                        enum s3_error error)
{
    const struct s3_error_row *row = s3_error_row(error);
    bool told = entry->item != NULL && str_present(op->refusal.message); /* by s3_from_store */

    xml_open(out, STR("Error"));
    xml_text(out, STR("Key"), entry->key);
    if (str_present(entry->version_id))
        xml_text(out, STR("VersionId"), entry->version_id);
    xml_text(out, STR("Code"), row->code);
    xml_text(out, STR("Message"), told ? op->refusal.message : row->message);
    xml_close(out, STR("Error"));
}

/* What became of each, for the bucket's access log. Where there is no memory for it, it is not told. */
static struct logged_item *log_items(struct op *op, size_t count)
{
    struct logged_item *items =
        op->config->logging != NULL ? arena_array(op->arena, count, sizeof(*items)) : NULL;

    op->logged_items = items;
    op->logged_item_count = items != NULL ? count : 0;
    return items;
}

static struct logged_item logged(const struct delete_entry *entry, enum s3_error error)
{
    const struct s3_error_row *row = error != S3_OK ? s3_error_row(error) : NULL;
    const struct delete_item *item = entry->item;

    return (struct logged_item){
        .key = entry->key,
        .version = item != NULL && item->made_marker ? item->marker_version : entry->version_id,
        .status = row != NULL ? row->status : 204,
        .code = row != NULL ? row->code : STR_NONE,
    };
}

static enum s3_error reply_DeleteObjects(struct op *op)
{
    const struct deletion *deletion = op->work;
    struct logged_item *items = log_items(op, deletion->count);
    struct buf out = BUF_WITH_MAX(DELETE_XML_BYTES_MAX);

    xml_begin(&out, STR("DeleteResult"));
    for (size_t i = 0; i < deletion->count; i++) {
        const struct delete_entry *entry = &deletion->entries[i];
        enum s3_error err = entry_outcome(op, entry);

        if (items != NULL)
            items[i] = logged(entry, err);
        if (err != S3_OK)
            write_error(op, &out, entry, err);
        else if (!deletion->quiet)
            write_deleted(&out, entry);
    }
    xml_close(&out, STR("DeleteResult"));
    return op_reply_xml(op, &out);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
enum s3_error op_DeleteObjects(struct op *op)
{
    struct deletion *deletion = ARENA_NEW(op->arena, struct deletion);
    struct intent *intent = op_intent(op, INTENT_OBJECT_DELETE);
    enum s3_error err;

    if (deletion == NULL || intent == NULL)
        return op_fail(op, S3_SlowDown);
    err = op_refuse_mfa(op);
    if (err == S3_OK)
        err = deletion_from_body(op, deletion);
    if (err != S3_OK)
        return err;
    op->work = deletion;
    if (deletion->item_count == 0)
        return reply_DeleteObjects(op);
    intent->remove =
        (struct intent_remove){ .items = deletion->items,
                                .count = deletion->item_count,
                                .marker_event = STR("ObjectRemoved:DeleteMarkerCreated") };
    intent->origin.event = STR("ObjectRemoved:Delete");
    return op_submit(op, intent, reply_DeleteObjects);
}
