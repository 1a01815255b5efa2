/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of open uploads.
 */
#include "storage/catalog/uploads/upload.h"

#define READ_PART(NAME, KIND, FIELD, ...) row_##KIND(&row, PART_AT_##NAME, &stored.FIELD);
#define BIND_PART(NAME, KIND, FIELD, ...) bind_##KIND(&row, PART_AT_##NAME, fresh.FIELD);

/* arena NULL: texts are borrowed from the row. */
static enum store_status row_part(sqlite3_stmt *stmt, struct arena *arena,
                                  struct stored_part *ret_part, struct fault *fault)
{
    struct row row = { .stmt = stmt, .arena = arena, .fault = fault };
    struct stored_part stored = { 0 };

    PART_ROWS(READ_PART);
    if (row.status == STORE_OK)
        *ret_part = stored;
    return row.status;
}

enum store_status part_find(struct catalog *cat, int64_t upload, uint32_t number,
                            struct arena *arena, struct stored_part *ret_part, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" PART_COLUMNS "FROM part"
                                      " WHERE upload = ?1 AND number = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, upload);
    sql_bind_i64(stmt, 2, number);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    return row ? row_part(stmt, arena, ret_part, fault) : STORE_NO_PART;
}

enum store_status part_each(struct catalog *cat, int64_t upload, stored_part_visit *visit,
                            void *context, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" PART_COLUMNS "FROM part"
                                      " WHERE upload = ?1"
                                      " ORDER BY number" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    struct stored_part stored;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, upload);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;
        status = row_part(stmt, /* arena= */ NULL, &stored, fault);
        if (status == STORE_OK)
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
    struct stored_part stored;
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
        status = row_part(stmt, /* arena= */ NULL, &stored, fault);
        if (status != STORE_OK)
            return status;
        if (!visit(context, &stored.part))
            return STORE_STOPPED;
    }
}

static enum store_status part_write(struct catalog *cat, struct intent *intent, int64_t upload,
                                    const struct body_ref *body)
{
    static struct sql sql = { .text = "INSERT OR REPLACE INTO part(" PART_COLUMNS ")"
                                      " VALUES(" PART_MARKS ")" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, &intent->fault);

    if (status != STORE_OK)
        return status;

    struct row row = { .stmt = stmt, .fault = &intent->fault };
    struct stored_part fresh = {
        .part = { .number = intent->part.number,
                  .seq = tx_next_seq(cat),
                  .size_bytes = intent->result.size_bytes,
                  .modified_us = intent->result.committed_us,
                  .etag = intent->part.etag,
                  .checksum = intent->part.checksum },
        .body = *body,
    };

    bind_i64(&row, PART_AT_upload, upload);
    PART_ROWS(BIND_PART);
    return row.status != STORE_OK ? row.status : sql_run(cat, stmt, &intent->fault);
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
