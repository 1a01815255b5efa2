/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests: bodies made of pieces of other bodies. No bytes move here.
 *
 * (1) Pieces of a manifest lie end to end from 0 and none is empty.
 * (2) A piece owns one reference: to a blob (counted) or to an inline body (exclusive).
 * (3) Rows of manifest_part belong to finished objects. The manifest of a part has pieces only, so
 *     that a part can be taken over whole.
 */
#include "storage/catalog/sql.h"

enum store_status manifest_add_piece(struct catalog *cat, int64_t manifest, uint64_t at,
                                     const struct body_ref *ref, uint64_t start, uint64_t len,
                                     struct fault *fault)
{
    static struct sql sql = {
        .text = "INSERT INTO piece(manifest, at, kind, ref, start, len, wrapped_key)"
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, manifest);
    sql_bind_i64(stmt, 2, (int64_t)at);
    sql_bind_i64(stmt, 3, ref->kind);
    sql_bind_i64(stmt, 4, ref->id);
    sql_bind_i64(stmt, 5, (int64_t)start);
    sql_bind_i64(stmt, 6, (int64_t)len);
    sql_bind_str(stmt, 7, ref->wrapped_key);
    return sql_run(cat, stmt, fault);
}

enum store_status manifest_adopt(struct catalog *cat, int64_t manifest, uint64_t at,
                                 const struct body_ref *ref, uint64_t size, struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE piece"
                                      "   SET manifest = ?2, at = at + ?3"
                                      " WHERE manifest = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status;

    if (ref->kind == BODY_EMPTY)
        return STORE_OK;
    if (ref->kind != BODY_MANIFEST)
        return manifest_add_piece(cat, manifest, at, ref, /* start= */ 0, size, fault);

    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, ref->id);
    sql_bind_i64(stmt, 2, manifest);
    sql_bind_i64(stmt, 3, (int64_t)at);
    return sql_run(cat, stmt, fault);
}

enum store_status manifest_add_part(struct catalog *cat, int64_t manifest, const struct part *part,
                                    struct fault *fault)
{
    static struct sql sql = {
        .text = "INSERT INTO manifest_part(manifest, number, size, etag, checksum)"
                " VALUES(?1, ?2, ?3, ?4, ?5)"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, manifest);
    sql_bind_i64(stmt, 2, part->number);
    sql_bind_i64(stmt, 3, (int64_t)part->size_bytes);
    sql_bind_text(stmt, 4, part->etag);
    sql_bind_str(stmt, 5, part->checksum);
    return sql_run(cat, stmt, fault);
}

enum store_status manifest_piece_count(struct catalog *cat, int64_t manifest, uint64_t *ret_count,
                                       struct fault *fault)
{
    static struct sql sql = { .text = "SELECT count(*) FROM piece WHERE manifest = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, manifest);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_count = (uint64_t)sql_i64(stmt, 0);
    return status;
}

static enum store_status release_pieces(struct catalog *cat, int64_t manifest, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT kind, ref FROM piece WHERE manifest = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, manifest);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;
        status = sql_i64(stmt, 0) == BODY_BLOB ? blob_release(cat, sql_i64(stmt, 1), fault)
                                               : catalog_inline_bury(cat, sql_i64(stmt, 1), fault);
        if (status != STORE_OK)
            return status;
    }
}

enum store_status manifest_release(struct catalog *cat, int64_t manifest, struct fault *fault)
{
    static struct sql pieces = { .text = "DELETE FROM piece WHERE manifest = ?1" };
    static struct sql parts = { .text = "DELETE FROM manifest_part WHERE manifest = ?1" };
    enum store_status status = release_pieces(cat, manifest, fault);

    if (status == STORE_OK)
        status = sql_run_i64(cat, &pieces, manifest, 0, fault);
    if (status == STORE_OK)
        status = sql_run_i64(cat, &parts, manifest, 0, fault);
    return status;
}

enum store_status catalog_manifest_part_list(struct catalog *cat, int64_t manifest, uint32_t after,
                                             uint32_t max, part_visit *visit, void *context,
                                             struct fault *fault)
{
    static struct sql sql = { .text = "SELECT number, size, etag, checksum"
                                      "  FROM manifest_part"
                                      " WHERE manifest = ?1 AND number > ?2"
                                      " ORDER BY number"
                                      " LIMIT ?3" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, manifest);
    sql_bind_i64(stmt, 2, after);
    sql_bind_i64(stmt, 3, max);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct part part = { .number = (uint32_t)sql_i64(stmt, 0),
                             .size_bytes = (uint64_t)sql_i64(stmt, 1),
                             .etag = sql_str(stmt, 2),
                             .checksum = sql_str(stmt, 3) };

        if (!visit(context, &part))
            return STORE_STOPPED;
    }
}
