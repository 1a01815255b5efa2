/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions: snapshots of readers, the writer's batch, checkpoints.
 */
#include "storage/catalog/sql.h"

/* A forced log reset must not stall writes for long behind a slow reader. */
#define RESTART_WAIT_MS 20

enum store_status catalog_read_begin(struct catalog *cat, struct fault *fault)
{
    static struct sql sql = { .text = "BEGIN" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status;

    /* An end that had no memory has left its snapshot open. */
    if (!sqlite3_get_autocommit(cat->db) &&
        sqlite3_exec(cat->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
        return store_fault(fault, STORE_NO_MEMORY, "end of a snapshot");
    status = sql_start(cat, &sql, &stmt, fault);
    return status != STORE_OK ? status : sql_run(cat, stmt, fault);
}

void catalog_read_end(struct catalog *cat)
{
    static struct sql sql = { .text = "COMMIT" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;

    if (sql_start(cat, &sql, &stmt, NULL) == STORE_OK)
        (void)sqlite3_step(stmt);
}

enum store_status catalog_begin(struct catalog *cat, struct fault *fault)
{
    static struct sql sql = { .text = "BEGIN IMMEDIATE" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    cat->dead_seq = 0;
    cat->last_event = 0;
    cat->backlog_grew = false;
    cat->tx_failed = false;
    if (status == STORE_OK)
        status = sql_run(cat, stmt, fault);
    if (status == STORE_OK)
        status = tx_reserve_seq(cat, fault);
    if (status != STORE_OK) {
        sql_done(&stmt);
        catalog_rollback(cat);
    }
    return status;
}

enum store_status catalog_commit(struct catalog *cat, struct fault *fault)
{
    static struct sql sql = { .text = "COMMIT" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status;

    if (cat->tx_failed)
        return store_fault(fault, STORE_FULL, "catalog: numbers could not be reserved");
    status = events_bound(cat, fault);
    if (status == STORE_OK)
        status = sql_start(cat, &sql, &stmt, fault);
    if (status == STORE_OK)
        status = sql_run(cat, stmt, fault);
    if (status != STORE_OK)
        return status;
    cat->seq_reserved_on_disk = cat->seq_reserved;
    cat->events = cat->events || cat->last_event > 0;
    cat->backlog = cat->backlog || cat->backlog_grew;
    return STORE_OK;
}

void catalog_rollback(struct catalog *cat)
{
    /* SQLite has rolled back by itself after some failures. */
    if (!sqlite3_get_autocommit(cat->db))
        (void)sqlite3_exec(cat->db, "ROLLBACK", NULL, NULL, NULL);

    cat->seq_reserved = cat->seq_reserved_on_disk;
    cat->dead = true; /* what it was before is not kept: an idle sweep is cheap */
    cat->uploads = UPLOADS_UNKNOWN;
    cat->subscribers = SUBSCRIBERS_UNKNOWN;
    cat->last_event = 0;
    account_cache_free(cat);
    bucket_cache_clear(cat);
}

int64_t catalog_changes(struct catalog *cat)
{
    return sqlite3_total_changes64(cat->db);
}

bool catalog_device_failed(const struct catalog *cat)
{
    return cat->device_failed;
}

uint64_t catalog_statement_runs(const struct catalog *cat)
{
    return cat->statement_runs;
}

uint64_t catalog_free_bytes(struct catalog *cat)
{
    static struct sql sql = { .text = "PRAGMA freelist_count" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    bool row = false;

    if (sql_start(cat, &sql, &stmt, NULL) != STORE_OK ||
        sql_step(cat, stmt, &row, NULL) != STORE_OK || !row)
        return 0;
    return (uint64_t)sql_i64(stmt, 0) * CATALOG_PAGE_BYTES;
}

uint64_t catalog_wal_bytes(const struct catalog *cat)
{
    return cat->wal_bytes;
}

enum store_status catalog_checkpoint(struct catalog *cat, enum catalog_checkpoint how,
                                     uint64_t *ret_left, struct fault *fault)
{
    int log_pages = 0;
    int done_pages = 0;
    int mode = how == CHECKPOINT_PASSIVE ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
    int rc;

    (void)sqlite3_busy_timeout(cat->db, how == CHECKPOINT_PASSIVE ? 0 : RESTART_WAIT_MS);
    rc = sqlite3_wal_checkpoint_v2(cat->db, "main", mode, &log_pages, &done_pages);
    (void)sqlite3_busy_timeout(cat->db, BUSY_TIMEOUT_MS);
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
        return sql_fail(cat, rc, fault, "checkpoint");

    *ret_left = log_pages > done_pages ? (uint64_t)(log_pages - done_pages) * CATALOG_PAGE_BYTES
                                       : 0;
    if (rc == SQLITE_OK && how == CHECKPOINT_RESTART)
        cat->wal_bytes = 0;
    return STORE_OK;
}
