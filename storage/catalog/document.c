/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration documents of buckets: opaque bodies by (bucket, kind, id).
 */
#include "storage/catalog/sql.h"

enum store_status catalog_document_get(struct catalog *cat, int64_t bucket_id, struct str kind,
                                       struct str id, struct arena *arena, struct str *ret_body,
                                       struct fault *fault)
{
    static struct sql sql = { .text = "SELECT body"
                                      "  FROM document"
                                      " WHERE bucket = ?1 AND kind = ?2 AND id = ?3" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    struct str body;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_text(stmt, 2, kind);
    sql_bind_text(stmt, 3, id);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if (!row)
        return STORE_NO_DOCUMENT;

    body = sql_str(stmt, 0);
    if (!sql_keep(arena, &body))
        return store_fault(fault, STORE_NO_MEMORY, "document");

    *ret_body = body;
    return STORE_OK;
}

enum store_status catalog_document_list(struct catalog *cat, int64_t bucket_id,
                                        document_visit *visit, void *context, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT kind, id, body"
                                      "  FROM document"
                                      " WHERE bucket = ?1"
                                      " ORDER BY kind, id" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row = true;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    for (;;) {
        struct bucket_document document;

        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;
        document = (struct bucket_document){ sql_str(stmt, 0), sql_str(stmt, 1), sql_str(stmt, 2) };
        if (!visit(context, &document))
            return STORE_STOPPED;
    }
}

enum store_status catalog_document_buckets(struct catalog *cat, struct str kind, struct str after,
                                           bucket_name_visit *visit, void *context,
                                           struct fault *fault)
{
    static struct sql sql = { .text = "SELECT name"
                                      "  FROM bucket"
                                      " WHERE name > ?1"
                                      "   AND EXISTS (SELECT 1 FROM document"
                                      "                WHERE bucket = bucket.id AND kind = ?2)"
                                      " ORDER BY name" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row = true;

    if (status != STORE_OK)
        return status;
    sql_bind_text(stmt, 1, after);
    sql_bind_text(stmt, 2, kind);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;
        if (!visit(context, sql_str(stmt, 0)))
            return STORE_STOPPED;
    }
}

static enum store_status document_remove(struct catalog *cat, int64_t bucket_id,
                                         const struct bucket_document *document,
                                         struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM document"
                                      " WHERE bucket = ?1 AND kind = ?2 AND id = ?3" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_text(stmt, 2, document->kind);
    sql_bind_text(stmt, 3, document->id);
    return sql_run(cat, stmt, fault);
}

enum store_status document_write(struct catalog *cat, int64_t bucket_id,
                                 const struct bucket_document *document, struct fault *fault)
{
    static struct sql sql = { .text = "INSERT OR REPLACE INTO document(bucket, kind, id, body)"
                                      " VALUES(?1, ?2, ?3, ?4)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status;

    if (!str_present(document->body))
        return document_remove(cat, bucket_id, document, fault);
    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_text(stmt, 2, document->kind);
    sql_bind_text(stmt, 3, document->id);
    sql_bind_text(stmt, 4, document->body);
    return sql_run(cat, stmt, fault);
}

/* Its subscribers, of the document and no object: the event has no key. */
static enum store_status tell_of_document(struct catalog *cat, struct intent *intent,
                                          const struct bucket_facts *bucket)
{
    const struct change change = { .event = intent->origin.event,
                                   .key = STR(""),
                                   .etag = STR(""),
                                   .null_version = true,
                                   .time_us = clock_now_us(cat->clock) };

    return event_append(cat, intent, bucket, &change);
}

enum store_status catalog_document_set(struct catalog *cat, struct intent *intent)
{
    struct bucket_facts bucket;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = bucket_touch(cat, bucket.id, &intent->fault);
    if (status == STORE_OK)
        status = document_write(cat, bucket.id, &intent->document, &intent->fault);
    for (size_t i = 0; i < intent->subscriber_count && status == STORE_OK; i++)
        status = subscriber_add(cat, intent->subscribers[i], &intent->fault);
    return status != STORE_OK || intent->subscriber_count == 0
               ? status
               : tell_of_document(cat, intent, &bucket);
}
