/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart uploads as rows, and by their names.
 */
#include "storage/catalog/uploads/upload.h"

#define READ_UPLOAD(NAME, KIND, FIELD, ...)                                                        \
    COLUMN_IF_FIELD_##KIND(row_##KIND(&row, UPLOAD_AT_##NAME, &u.FIELD);)
#define READ_ATTR(NAME, KIND, FIELD, ...) row_##KIND(&row, UPLOAD_AT_##NAME, &u.attrs.FIELD);

enum store_status row_upload(struct catalog *cat, sqlite3_stmt *stmt, struct arena *arena,
                             struct upload *ret_upload, struct fault *fault)
{
    struct row row = { .cat = cat, .stmt = stmt, .arena = arena, .fault = fault };
    int64_t done_flags = sql_i64(stmt, UPLOAD_AT_done_flags);
    struct upload u = {
        .done_version.kind = (done_flags & FLAG_NULL_VERSION) != 0 ? VERSION_NULL : VERSION_EXACT,
        .done_versioned = (done_flags & FLAG_WAS_VERSIONED) != 0,
        .key_removed = (done_flags & FLAG_KEY_REMOVED) != 0,
    };
    uint64_t tail;

    row_i64(&row, UPLOAD_AT_id, &u.seq);
    row_u64(&row, UPLOAD_AT_tail, &tail);
    row_text(&row, UPLOAD_AT_key, &u.key);
    COLUMN_ROWS(COLUMN_NOTHING, READ_UPLOAD, READ_ATTR);
    if (row.status != STORE_OK)
        return row.status;
    u.id = id_text_in(arena, u.seq, tail);
    if (!str_present(u.id))
        return store_fault(fault, STORE_NO_MEMORY, "upload");

    if (!u.done)
        u.done_version = (struct version_id){ .kind = VERSION_CURRENT };
    if (!str_present(u.initiator))
        u.initiator = u.attrs.owner;
    *ret_upload = u;
    return STORE_OK;
}

#define BIND_UPLOAD(NAME, KIND, FIELD, ...)                                                        \
    COLUMN_IF_FIELD_##KIND(bind_##KIND(&row, UPLOAD_AT_##NAME, upload->FIELD);)
#define BIND_ATTR(NAME, KIND, FIELD, ...) bind_##KIND(&row, UPLOAD_AT_##NAME, upload->attrs.FIELD);

enum store_status bind_upload(struct catalog *cat, sqlite3_stmt *stmt, const struct upload *upload,
                              uint64_t tail, int64_t owner, struct fault *fault)
{
    struct row row = { .cat = cat, .stmt = stmt, .account = owner, .fault = fault };

    bind_i64(&row, UPLOAD_AT_id, upload->seq);
    bind_u64(&row, UPLOAD_AT_tail, tail);
    bind_text(&row, UPLOAD_AT_key, upload->key);
    bind_i64(&row, UPLOAD_AT_done_flags, 0);
    COLUMN_ROWS(COLUMN_NOTHING, BIND_UPLOAD, BIND_ATTR);
    return row.status;
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
