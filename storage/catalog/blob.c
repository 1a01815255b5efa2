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

/* Bytes that are there already stay where they are, wherever the new ones were put. */
enum store_status blob_reference(struct catalog *cat, const struct staged_body *staged,
                                 int64_t *ret_id, struct fault *fault)
{
    static struct sql sql = { .text = "INSERT INTO blob(id, scope, hash, size, refs, pack, at)"
                                      " VALUES(?1, ?2, ?3, ?4, 1, ?5, ?6)"
                                      " ON CONFLICT(scope, hash)"
                                      " DO UPDATE SET refs = refs + 1, dead_seq = NULL"
                                      " RETURNING id, size" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, tx_next_seq(cat));
    sql_bind_i64(stmt, 2, (int64_t)staged->scope);
    sql_bind_str(stmt, 3, staged->hash);
    sql_bind_i64(stmt, 4, (int64_t)staged->stored_bytes);
    sql_bind_i64(stmt, 5, staged->pack);
    sql_bind_i64(stmt, 6, (int64_t)staged->pack_at);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if ((uint64_t)sql_i64(stmt, 1) != staged->stored_bytes)
        return fault_set(fault, STORE_DAMAGED, "two sizes under one hash");

    *ret_id = sql_i64(stmt, 0);
    return STORE_OK;
}

enum store_status blob_add_reference(struct catalog *cat, int64_t id, struct fault *fault)
{
    static struct sql sql = {
        .text = "UPDATE blob SET refs = refs + 1, dead_seq = NULL WHERE id = ?1"
    };
    enum store_status status = sql_run_i64(cat, &sql, id, 0, fault);

    if (status == STORE_OK && sqlite3_changes(cat->db) != 1)
        return fault_set(fault, STORE_DAMAGED, "blob %lld has no row", (long long)id);
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
        return fault_set(fault, STORE_DAMAGED, "blob %lld was not referenced", (long long)id);
    return status;
}

enum store_status blob_describe(struct catalog *cat, int64_t id, struct piece *into,
                                struct fault *fault)
{
    static struct sql sql = { .text = "SELECT scope, hash, size, pack, at FROM blob"
                                      " WHERE id = ?1" };
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
        return fault_set(fault, STORE_RETRY, "blob %lld is gone", (long long)id);
    if (sql_str(stmt, 1).len != SHA256_BYTES)
        return fault_set(fault, STORE_DAMAGED, "blob %lld has a strange hash", (long long)id);

    into->scope = (uint64_t)sql_i64(stmt, 0);
    memcpy(into->hash, sql_str(stmt, 1).p, SHA256_BYTES);
    into->stored_bytes = (uint64_t)sql_i64(stmt, 2);
    into->pack = (uint32_t)sql_i64(stmt, 3);
    into->pack_at = (uint64_t)sql_i64(stmt, 4);
    return STORE_OK;
}

enum store_status catalog_blob_place(struct catalog *cat, uint64_t scope,
                                     const uint8_t hash[SHA256_BYTES], struct blob_place *ret_place,
                                     struct fault *fault)
{
    static struct sql sql = { .text = "SELECT pack, at FROM blob WHERE scope = ?1 AND hash = ?2" };
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

    *ret_place = (struct blob_place){ .known = row };
    if (row) {
        ret_place->pack = (uint32_t)sql_i64(stmt, 0);
        ret_place->pack_at = (uint64_t)sql_i64(stmt, 1);
    }
    return STORE_OK;
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
