/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small bodies inside the catalog. Each has exactly one owner: a version, a part or a piece.
 *
 * A body is stored with its sum and never read without a look at it.
 */
#include "base/digest/hash.h"
#include "storage/catalog/sql.h"

enum store_status inline_store(struct catalog *cat, struct str bytes, int64_t *ret_id,
                               struct fault *fault)
{
    static struct sql sql = { .text = "INSERT INTO inline_body(id, data, sum) VALUES(?1, ?2, ?3)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    int64_t id = tx_next_seq(cat);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, id);
    sql_bind_text(stmt, 2, bytes);
    sql_bind_i64(stmt, 3, (int64_t)hash_quick(bytes, 0));
    status = sql_run(cat, stmt, fault);
    if (status == STORE_OK)
        *ret_id = id;
    return status;
}

enum store_status inline_delete(struct catalog *cat, int64_t id, struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM inline_body WHERE id = ?1" };

    return sql_run_i64(cat, &sql, id, 0, fault);
}

enum store_status catalog_inline_bury(struct catalog *cat, int64_t id, struct fault *fault)
{
    static struct sql sql = { .text = "INSERT INTO inline_dead(id, dead_seq) VALUES(?1, ?2)" };

    return sql_run_i64(cat, &sql, id, tx_dead_seq(cat), fault);
}

enum store_status inline_duplicate(struct catalog *cat, int64_t id, int64_t *ret_id,
                                   struct fault *fault)
{
    static struct sql sql = { .text = "INSERT INTO inline_body(id, data, sum, damaged_us)"
                                      " SELECT ?2, data, sum, damaged_us"
                                      "   FROM inline_body WHERE id = ?1" };
    int64_t fresh = tx_next_seq(cat);
    enum store_status status = sql_run_i64(cat, &sql, id, fresh, fault);

    if (status != STORE_OK)
        return status;
    if (sqlite3_changes(cat->db) != 1)
        return store_fault(fault, STORE_DAMAGED, "inline body %lld has no row", (long long)id);

    *ret_id = fresh;
    return STORE_OK;
}

/* *ret_stmt stands at the body's row; the caller ends it with sql_done. */
static enum store_status find_inline(struct catalog *cat, int64_t id, sqlite3_stmt **ret_stmt,
                                     struct fault *fault)
{
    static struct sql sql = { .text = "SELECT data, sum FROM inline_body WHERE id = ?1" };
    enum store_status status = sql_start(cat, &sql, ret_stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(*ret_stmt, 1, id);
    status = sql_step(cat, *ret_stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if (!row)
        return store_fault(fault, STORE_RETRY, "inline body %lld is gone", (long long)id);
    if (sqlite3_column_type(*ret_stmt, 1) != SQLITE_NULL &&
        (uint64_t)sql_i64(*ret_stmt, 1) != hash_quick(sql_str(*ret_stmt, 0), 0))
        return store_fault(fault, STORE_DAMAGED, "inline body %lld does not have its sum",
                           (long long)id);
    return STORE_OK;
}

enum store_status catalog_inline_get(struct catalog *cat, int64_t id, struct arena *arena,
                                     struct str *ret_bytes, struct fault *fault)
{
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = find_inline(cat, id, &stmt, fault);
    struct str bytes;

    if (status != STORE_OK)
        return status;
    bytes = sql_str(stmt, 0);
    if (!sql_keep(arena, &bytes))
        return store_fault(fault, STORE_NO_MEMORY, "inline body");
    *ret_bytes = bytes;
    return STORE_OK;
}

enum store_status catalog_inline_read(struct catalog *cat, int64_t id, struct buf *ret,
                                      struct fault *fault)
{
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = find_inline(cat, id, &stmt, fault);

    if (status != STORE_OK)
        return status;

    buf_append(ret, sql_str(stmt, 0).p, sql_str(stmt, 0).len);
    return ret->failed ? store_fault(fault, STORE_NO_MEMORY, "inline body") : STORE_OK;
}
