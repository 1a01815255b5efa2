/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether uploads are open, and what happens to their keys meanwhile.
 */
#include "storage/catalog/uploads/upload.h"

/*
 * Asked of the catalog once in a while, so that deletes in a store without uploads pay nothing.
 * upload_age answers: finished uploads cost nothing here. Below, the planner would read all that
 * are open rather than those of the key.
 */
static enum store_status know_open(struct catalog *cat, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT 1 FROM upload WHERE state = " SQL_UPLOAD_OPEN
                                      " LIMIT 1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status;
    bool row;

    if (cat->uploads != UPLOADS_UNKNOWN)
        return STORE_OK;
    status = sql_start(cat, &sql, &stmt, fault);
    if (status == STORE_OK)
        status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        cat->uploads = row ? UPLOADS_SOME : UPLOADS_NONE;
    return status;
}

enum store_status upload_note_removal(struct catalog *cat, int64_t bucket, struct str key,
                                      struct fault *fault)
{
    static struct sql sql = { .text =
                                  "UPDATE upload INDEXED BY upload_open"
                                  " SET done_flags = done_flags | " SQL_KEY_REMOVED
                                  " WHERE bucket = ?1 AND key = ?2 AND state = " SQL_UPLOAD_OPEN };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = know_open(cat, fault);

    if (status != STORE_OK || cat->uploads == UPLOADS_NONE)
        return status;
    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket);
    sql_bind_text(stmt, 2, key);
    return sql_run(cat, stmt, fault);
}

void upload_note_closed(struct catalog *cat)
{
    cat->uploads = UPLOADS_UNKNOWN;
}
