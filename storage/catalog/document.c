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
        return fault_set(fault, STORE_NO_MEMORY, "document");

    *ret_body = body;
    return STORE_OK;
}

static enum store_status document_remove(struct catalog *cat, int64_t bucket_id,
                                         struct intent *intent)
{
    static struct sql sql = { .text = "DELETE FROM document"
                                      " WHERE bucket = ?1 AND kind = ?2 AND id = ?3" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, &intent->fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_text(stmt, 2, intent->document_kind);
    sql_bind_text(stmt, 3, intent->document_id);
    return sql_run(cat, stmt, &intent->fault);
}

enum store_status catalog_document_set(struct catalog *cat, struct intent *intent)
{
    static struct sql sql = { .text = "INSERT OR REPLACE INTO document(bucket, kind, id, body)"
                                      " VALUES(?1, ?2, ?3, ?4)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    struct bucket_facts bucket;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = bucket_touch(cat, bucket.id, &intent->fault);
    if (status != STORE_OK)
        return status;
    if (!str_present(intent->document_body))
        return document_remove(cat, bucket.id, intent);

    status = sql_start(cat, &sql, &stmt, &intent->fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket.id);
    sql_bind_text(stmt, 2, intent->document_kind);
    sql_bind_text(stmt, 3, intent->document_id);
    sql_bind_text(stmt, 4, intent->document_body);
    return sql_run(cat, stmt, &intent->fault);
}
