/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of open uploads.
 */
#include "storage/catalog/uploads/upload.h"

#define PART_COLUMNS                                                                               \
    " number, seq, size, modified_us, etag, checksum, body_kind, body_id, wrapped_key "

static struct stored_part row_part(sqlite3_stmt *stmt)
{
    return (struct stored_part){
        .part = { .number = (uint32_t)sql_i64(stmt, 0),
                  .seq = sql_i64(stmt, 1),
                  .size_bytes = (uint64_t)sql_i64(stmt, 2),
                  .modified_us = sql_i64(stmt, 3),
                  .etag = sql_str(stmt, 4),
                  .checksum = sql_str(stmt, 5) },
        .body = { .kind = (enum body_kind)sql_i64(stmt, 6),
                  .id = sql_i64(stmt, 7),
                  .wrapped_key = sql_str(stmt, 8) },
    };
}

enum store_status part_find(struct catalog *cat, int64_t upload, uint32_t number,
                            struct arena *arena, struct stored_part *ret_part, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" PART_COLUMNS "FROM part"
                                      " WHERE upload = ?1 AND number = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    struct stored_part found;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, upload);
    sql_bind_i64(stmt, 2, number);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if (!row)
        return STORE_NO_PART;

    found = row_part(stmt);
    if (!sql_keep(arena, &found.part.etag) || !sql_keep(arena, &found.part.checksum) ||
        !sql_keep(arena, &found.body.wrapped_key))
        return fault_set(fault, STORE_NO_MEMORY, "part");

    *ret_part = found;
    return STORE_OK;
}

enum store_status part_each(struct catalog *cat, int64_t upload, stored_part_visit *visit,
                            void *context, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" PART_COLUMNS "FROM part"
                                      " WHERE upload = ?1"
                                      " ORDER BY number" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, upload);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct stored_part stored = row_part(stmt);

        status = visit(context, &stored);
        if (status != STORE_OK)
            return status;
    }
}

enum store_status part_remove_all(struct catalog *cat, int64_t upload, struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM part WHERE upload = ?1" };

    return sql_run_i64(cat, &sql, upload, 0, fault);
}

enum store_status catalog_part_list(struct catalog *cat, int64_t upload_seq, uint32_t after,
                                    uint32_t max, part_visit *visit, void *context,
                                    struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" PART_COLUMNS "FROM part"
                                      " WHERE upload = ?1 AND number > ?2"
                                      " ORDER BY number"
                                      " LIMIT ?3" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, upload_seq);
    sql_bind_i64(stmt, 2, after);
    sql_bind_i64(stmt, 3, max);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct stored_part stored = row_part(stmt);

        if (!visit(context, &stored.part))
            return STORE_STOPPED;
    }
}

static enum store_status part_write(struct catalog *cat, struct intent *intent, int64_t upload,
                                    const struct body_ref *body)
{
    static struct sql sql = { .text = "INSERT OR REPLACE INTO part(upload," PART_COLUMNS ")"
                                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)" };
    const struct intent_part *part = &intent->part;
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, &intent->fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, upload);
    sql_bind_i64(stmt, 2, part->number);
    sql_bind_i64(stmt, 3, tx_next_seq(cat));
    sql_bind_i64(stmt, 4, (int64_t)intent->result.size_bytes);
    sql_bind_i64(stmt, 5, intent->result.committed_us);
    sql_bind_text(stmt, 6, part->etag);
    sql_bind_str(stmt, 7, part->checksum);
    sql_bind_i64(stmt, 8, body->kind);
    sql_bind_i64(stmt, 9, body->id);
    sql_bind_str(stmt, 10, body->wrapped_key);
    return sql_run(cat, stmt, &intent->fault);
}

/* The open upload that a part names. */
static enum store_status open_upload(struct catalog *cat, struct intent *intent,
                                     const struct bucket_facts *bucket, struct upload *ret_upload)
{
    enum store_status status = catalog_upload_get(cat, bucket->id, intent->key,
                                                  intent->part.upload_id, scratch_reset(cat),
                                                  ret_upload, &intent->fault);

    return status == STORE_OK && ret_upload->done ? STORE_NO_UPLOAD : status;
}

enum store_status catalog_part_put(struct catalog *cat, struct intent *intent,
                                   const struct staged_body *staged)
{
    const struct intent_part *part = &intent->part;
    bool copies = copy_refers(intent);
    struct bucket_facts bucket;
    struct upload upload;
    struct version from;
    struct stored_part old;
    struct body_ref body;
    enum store_status old_status;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (part->number < 1 || part->number > STORE_PARTS_MAX)
        return STORE_PART_LIMIT;
    if (status == STORE_OK)
        status = open_upload(cat, intent, &bucket, &upload);
    if (status == STORE_OK && copies)
        status = copy_source_find(cat, intent, &from);
    if (status != STORE_OK)
        return status;
    old_status = part_find(cat, upload.seq, part->number, cat->scratch, &old, &intent->fault);
    if (old_status != STORE_OK && old_status != STORE_NO_PART)
        return old_status;

    intent->result.committed_us = clock_now_us(cat->clock);
    if (copies) {
        status = copy_source_slice(cat, intent, &from, &body, &intent->result.size_bytes);
    } else {
        intent->result.size_bytes = staged->size_bytes;
        status = body_store(cat, staged, &body, &intent->fault);
    }
    if (status == STORE_OK)
        status = part_write(cat, intent, upload.seq, &body);
    if (status == STORE_OK && old_status == STORE_OK)
        status = body_release(cat, &old.body, &intent->fault);
    return status;
}
