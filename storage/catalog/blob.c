/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of blobs and the count of their references.
 *
 * live --last release--> dead (dead_seq) --sweep--> no row, then no bytes
 *   ^---------reference--------/
 *
 * A reference revives a dead row in the same transaction that uses it, and the sweep is a
 * transaction of the same writer: there is no moment between the two.
 */
#include "storage/catalog/sql.h"

/* Where the row says the bytes are; one with a blob's columns. */
static bool row_is_at(sqlite3_stmt *stmt, uint32_t pack, uint64_t at)
{
    return (uint32_t)sql_i64(stmt, 2) == pack && (uint64_t)sql_i64(stmt, 3) == at;
}

/* The bytes at hand take the place of those that the row has named so far. */
static enum store_status blob_replace(struct catalog *cat, const struct staged_body *staged,
                                      int64_t id, struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE blob"
                                      "   SET pack = ?2, at = ?3, damaged_us = NULL"
                                      " WHERE id = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, id);
    sql_bind_i64(stmt, 2, staged->pack);
    sql_bind_i64(stmt, 3, (int64_t)staged->pack_at);
    return sql_run(cat, stmt, fault);
}

/*
 * Bytes that are there already stay where they are, wherever the new ones were put, but for those
 * that were found to be damaged: before, or just now by whoever has compared (staged->stale).
 */
enum store_status blob_reference(struct catalog *cat, const struct staged_body *staged,
                                 int64_t *ret_id, struct fault *fault)
{
    static struct sql sql = { .text = "INSERT INTO blob(id, scope, hash, size, refs, pack, at, sum)"
                                      " VALUES(?1, ?2, ?3, ?4, 1, ?5, ?6, ?7)"
                                      " ON CONFLICT(scope, hash)"
                                      " DO UPDATE SET refs = refs + 1, dead_seq = NULL,"
                                      "               sum = excluded.sum"
                                      " RETURNING id, size, pack, at, damaged_us" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool replace;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, tx_next_seq(cat));
    sql_bind_i64(stmt, 2, (int64_t)staged->scope);
    sql_bind_str(stmt, 3, staged->hash);
    sql_bind_i64(stmt, 4, (int64_t)staged->stored_bytes);
    sql_bind_i64(stmt, 5, staged->pack);
    sql_bind_i64(stmt, 6, (int64_t)staged->pack_at);
    sql_bind_i64(stmt, 7, (int64_t)staged->sum);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if ((uint64_t)sql_i64(stmt, 1) != staged->stored_bytes)
        return store_fault(fault, STORE_DAMAGED, "two sizes under one hash");

    *ret_id = sql_i64(stmt, 0);
    replace = sqlite3_column_type(stmt, 4) != SQLITE_NULL ||
              (staged->stale && row_is_at(stmt, staged->stale_pack, staged->stale_at));
    return replace ? blob_replace(cat, staged, *ret_id, fault) : STORE_OK;
}

enum store_status blob_add_reference(struct catalog *cat, int64_t id, struct fault *fault)
{
    static struct sql sql = {
        .text = "UPDATE blob SET refs = refs + 1, dead_seq = NULL WHERE id = ?1"
    };
    enum store_status status = sql_run_i64(cat, &sql, id, 0, fault);

    if (status == STORE_OK && sqlite3_changes(cat->db) != 1)
        return store_fault(fault, STORE_DAMAGED, "blob %lld has no row", (long long)id);
    return status;
}

enum store_status blob_release(struct catalog *cat, int64_t id, struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE blob"
                                      "   SET refs = refs - 1,"
                                      "       dead_seq = iif(refs = 1, ?2, NULL)"
                                      " WHERE id = ?1 AND refs > 0" };
    enum store_status status = sql_run_i64(cat, &sql, id, tx_dead_seq(cat), fault);

    if (status == STORE_OK && sqlite3_changes(cat->db) != 1)
        return store_fault(fault, STORE_DAMAGED, "blob %lld was not referenced", (long long)id);
    return status;
}

/* Facts of a row with BLOB_COLUMNS. */
#define BLOB_COLUMNS " id, scope, hash, size, pack, at, sum, damaged_us "

static enum store_status row_blob(sqlite3_stmt *stmt, struct piece *into, struct fault *fault)
{
    if (sql_str(stmt, 2).len != SHA256_BYTES)
        return store_fault(fault, STORE_DAMAGED, "blob %lld has a strange hash",
                           (long long)sql_i64(stmt, 0));

    into->kind = BODY_BLOB;
    into->ref = sql_i64(stmt, 0);
    into->scope = (uint64_t)sql_i64(stmt, 1);
    memcpy(into->hash, sql_str(stmt, 2).p, SHA256_BYTES);
    into->stored_bytes = (uint64_t)sql_i64(stmt, 3);
    into->pack = (uint32_t)sql_i64(stmt, 4);
    into->pack_at = (uint64_t)sql_i64(stmt, 5);
    into->summed = sqlite3_column_type(stmt, 6) != SQLITE_NULL;
    into->sum = (uint64_t)sql_i64(stmt, 6);
    into->damaged = sqlite3_column_type(stmt, 7) != SQLITE_NULL;
    return STORE_OK;
}

enum store_status blob_describe(struct catalog *cat, int64_t id, struct piece *into,
                                struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" BLOB_COLUMNS "FROM blob WHERE id = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, id);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if (!row)
        return store_fault(fault, STORE_RETRY, "blob %lld is gone", (long long)id);
    return row_blob(stmt, into, fault);
}

enum store_status catalog_blob_find(struct catalog *cat, uint64_t scope,
                                    const uint8_t hash[SHA256_BYTES], struct piece *ret_blob,
                                    bool *ret_found, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" BLOB_COLUMNS "FROM blob"
                                      " WHERE scope = ?1 AND hash = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, (int64_t)scope);
    sql_bind_str(stmt, 2, str_make(hash, SHA256_BYTES));
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;

    *ret_found = row;
    *ret_blob = (struct piece){ 0 };
    return row ? row_blob(stmt, ret_blob, fault) : STORE_OK;
}

enum store_status catalog_pack_extents(struct catalog *cat, uint32_t pack, extent_visit *visit,
                                       void *context, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT at, size FROM blob WHERE pack = ?1 AND pack > 0"
                                      " ORDER BY at" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row = true;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, pack);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;
        if (!visit(context, (uint64_t)sql_i64(stmt, 0), (uint64_t)sql_i64(stmt, 1)))
            return STORE_STOPPED;
    }
}

enum store_status catalog_has_dead(struct catalog *cat, bool *ret_dead, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT EXISTS(SELECT 1 FROM blob WHERE dead_seq IS NOT NULL)"
                                      "    OR EXISTS(SELECT 1 FROM inline_dead)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status == STORE_OK)
        status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_dead = sql_i64(stmt, 0) != 0;
    return status;
}
