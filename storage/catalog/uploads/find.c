/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart uploads as rows, and by their names.
 */
#include "storage/catalog/uploads/upload.h"

enum store_status row_upload(struct catalog *cat, sqlite3_stmt *stmt, struct arena *arena,
                             struct upload *ret_upload, struct fault *fault)
{
    uint64_t tail = (uint64_t)sql_i64(stmt, 1);
    int64_t done_flags = sql_i64(stmt, 12);
    struct upload u = {
        .seq = sql_i64(stmt, 0),
        .key = sql_str(stmt, 2),
        .done = sql_i64(stmt, 3) != 0,
        .initiated_us = sql_i64(stmt, 4),
        .checksum_kind = (uint8_t)sql_i64(stmt, 8),
        .checksum_type = (uint8_t)sql_i64(stmt, 9),
        .done_version = { .kind = (done_flags & FLAG_NULL_VERSION) != 0 ? VERSION_NULL
                                                                        : VERSION_EXACT,
                          .seq = sql_i64(stmt, 10),
                          .tail = (uint64_t)sql_i64(stmt, 11) },
        .done_versioned = (done_flags & FLAG_WAS_VERSIONED) != 0,
        .key_removed = (done_flags & FLAG_KEY_REMOVED) != 0,
        .attrs = { .storage_class = (uint8_t)sql_i64(stmt, 6),
                   .sse = (uint8_t)sql_i64(stmt, 7),
                   .etag = sql_str(stmt, 13),
                   .checksum = sql_str(stmt, 14),
                   .tags = sql_str(stmt, 15),
                   .headers = sql_str(stmt, 16),
                   .acl = sql_str(stmt, 17) },
    };
    enum store_status status = account_text(cat, sql_i64(stmt, 5), &u.initiator, fault);

    if (status != STORE_OK)
        return status;
    if (!u.done)
        u.done_version = (struct version_id){ .kind = VERSION_CURRENT };
    u.id = id_text_in(arena, u.seq, tail);
    if (!str_present(u.id) || !sql_keep(arena, &u.initiator) || !sql_keep(arena, &u.key) ||
        !sql_keep(arena, &u.attrs.etag) || !sql_keep(arena, &u.attrs.checksum) ||
        !sql_keep(arena, &u.attrs.tags) || !sql_keep(arena, &u.attrs.headers) ||
        !sql_keep(arena, &u.attrs.acl))
        return fault_set(fault, STORE_NO_MEMORY, "upload");

    u.attrs.owner = u.initiator;
    *ret_upload = u;
    return STORE_OK;
}

enum store_status catalog_upload_get(struct catalog *cat, int64_t bucket_id, struct str key,
                                     struct str upload_id, struct arena *arena,
                                     struct upload *ret_upload, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" UPLOAD_COLUMNS "FROM upload"
                                      " WHERE id = ?1 AND tail = ?2 AND bucket = ?3 AND key = ?4" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    struct version_id id;
    enum store_status status;
    bool row;

    if (!version_id_parse(upload_id, &id) || id.kind != VERSION_EXACT)
        return STORE_NO_UPLOAD;

    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, id.seq);
    sql_bind_i64(stmt, 2, (int64_t)id.tail);
    sql_bind_i64(stmt, 3, bucket_id);
    sql_bind_text(stmt, 4, key);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    return row ? row_upload(cat, stmt, arena, ret_upload, fault) : STORE_NO_UPLOAD;
}
