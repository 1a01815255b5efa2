/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal of what nobody needs: dead blobs, buried inline bodies, expired uploads.
 *
 * Rows go here, in the writer's transaction; the files of removed rows go after its commit.
 */
#include "storage/catalog/sql.h"

/* Each may have 10000 parts. */
#define UPLOADS_PER_SWEEP 16

static enum store_status expired_upload(struct catalog *cat, enum upload_state state,
                                        int64_t before_us, int64_t *ret_upload, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT id FROM upload"
                                      " WHERE state = ?1 AND state_us < ?2"
                                      " LIMIT 1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, state);
    sql_bind_i64(stmt, 2, before_us);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_upload = row ? sql_i64(stmt, 0) : 0;
    return status;
}

static enum store_status sweep_uploads(struct catalog *cat, struct sweep *sweep,
                                       enum upload_state state, int64_t before_us,
                                       struct fault *fault)
{
    for (int i = 0; i < UPLOADS_PER_SWEEP; i++) {
        int64_t upload;
        enum store_status status = expired_upload(cat, state, before_us, &upload, fault);

        if (status == STORE_OK && upload != 0)
            status = upload_remove(cat, upload, fault);
        if (status != STORE_OK || upload == 0)
            return status;
        sweep->upload_count++;
    }

    sweep->more = true;
    return STORE_OK;
}

/* Rows of dead blobs that nothing pins go; their names are kept for the unlink. */
static enum store_status collect_blobs(struct catalog *cat, struct sweep *sweep, int64_t *ids,
                                       struct fault *fault)
{
    static struct sql sql = { .text = "SELECT id, scope, hash, size, pack, at FROM blob"
                                      " WHERE dead_seq <= ?1 AND refs = 0"
                                      " ORDER BY dead_seq" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, sweep->safe_seq);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct swept_blob *blob = &sweep->blobs[sweep->blob_count];

        if (sql_str(stmt, 2).len != SHA256_BYTES)
            return store_fault(fault, STORE_DAMAGED, "a blob has a strange hash");
        blob->scope = (uint64_t)sql_i64(stmt, 1);
        memcpy(blob->hash, sql_str(stmt, 2).p, SHA256_BYTES);
        blob->stored_bytes = (uint64_t)sql_i64(stmt, 3);
        blob->pack = (uint32_t)sql_i64(stmt, 4);
        blob->pack_at = (uint64_t)sql_i64(stmt, 5);
        if (sweep->being_read(sweep->context, sql_i64(stmt, 0)) ||
            sweep->pinned(sweep->context, blob->scope, blob->hash))
            continue;
        ids[sweep->blob_count++] = sql_i64(stmt, 0);
        if (sweep->blob_count == SWEEP_BATCH) {
            sweep->more = true;
            return STORE_OK;
        }
    }
}

static enum store_status sweep_blobs(struct catalog *cat, struct sweep *sweep, struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM blob WHERE id = ?1" };
    int64_t ids[SWEEP_BATCH];
    enum store_status status = collect_blobs(cat, sweep, ids, fault);

    for (size_t i = 0; status == STORE_OK && i < sweep->blob_count; i++)
        status = sql_run_i64(cat, &sql, ids[i], 0, fault);
    return status;
}

static enum store_status collect_inline(struct catalog *cat, struct sweep *sweep, int64_t *ids,
                                        size_t *ret_count, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT id FROM inline_dead WHERE dead_seq <= ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    size_t count = 0;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, sweep->safe_seq);
    while (count < SWEEP_BATCH) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK)
            return status;
        if (!row)
            break;
        if (!sweep->being_read(sweep->context, sql_i64(stmt, 0)))
            ids[count++] = sql_i64(stmt, 0);
    }
    if (count == SWEEP_BATCH)
        sweep->more = true;
    *ret_count = count;
    return STORE_OK;
}

static enum store_status sweep_inline(struct catalog *cat, struct sweep *sweep, struct fault *fault)
{
    static struct sql body = { .text = "DELETE FROM inline_body WHERE id = ?1" };
    static struct sql grave = { .text = "DELETE FROM inline_dead WHERE id = ?1" };
    int64_t ids[SWEEP_BATCH];
    size_t count = 0;
    enum store_status status = collect_inline(cat, sweep, ids, &count, fault);

    sweep->inline_count = count;
    for (size_t i = 0; status == STORE_OK && i < count; i++) {
        status = sql_run_i64(cat, &body, ids[i], 0, fault);
        if (status == STORE_OK)
            status = sql_run_i64(cat, &grave, ids[i], 0, fault);
    }
    return status;
}

enum store_status catalog_sweep(struct catalog *cat, struct sweep *sweep, struct fault *fault)
{
    enum store_status status;

    sweep->blob_count = sweep->inline_count = sweep->upload_count = 0;
    sweep->more = false;
    status = sweep_uploads(cat, sweep, UPLOAD_OPEN, sweep->upload_before_us, fault);
    if (status == STORE_OK)
        status = sweep_uploads(cat, sweep, UPLOAD_DONE, sweep->done_before_us, fault);
    if (status == STORE_OK)
        status = sweep_blobs(cat, sweep, fault);
    if (status == STORE_OK)
        status = sweep_inline(cat, sweep, fault);
    if (status == STORE_OK)
        status = catalog_has_dead(cat, &sweep->waiting, fault);
    return status;
}

static enum store_status oldest(struct catalog *cat, enum upload_state state, int64_t *ret_us,
                                struct fault *fault)
{
    static struct sql sql = { .text = "SELECT min(state_us) FROM upload WHERE state = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, state);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_us = sqlite3_column_type(stmt, 0) == SQLITE_NULL ? INT64_MAX : sql_i64(stmt, 0);
    return status;
}

enum store_status catalog_upload_oldest(struct catalog *cat, int64_t *ret_open_us,
                                        int64_t *ret_done_us, struct fault *fault)
{
    enum store_status status = oldest(cat, UPLOAD_OPEN, ret_open_us, fault);

    return status != STORE_OK ? status : oldest(cat, UPLOAD_DONE, ret_done_us, fault);
}
