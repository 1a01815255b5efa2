/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backlog: versions that wait to be replicated. See storage/replication.h.
 *
 * An item's id is its own number from the counter, and another one after each change of its version.
 */
#include "storage/catalog/sql.h"

enum store_status backlog_append(struct catalog *cat, int64_t bucket_id,
                                 const struct version *version, enum backlog_change change,
                                 struct fault *fault)
{
    /* What has never been replicated is new, however often it has changed. */
    static struct sql sql = {
        .text = "INSERT INTO backlog(id, bucket, key, seq, change, tries, due_us)"
                " VALUES(?1, ?2, ?3, ?4, ?5, 0, ?6)"
                " ON CONFLICT(bucket, key, seq) DO UPDATE"
                "   SET id = excluded.id, change = min(change, excluded.change), tries = 0,"
                "       due_us = excluded.due_us"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, tx_next_seq(cat));
    sql_bind_i64(stmt, 2, bucket_id);
    sql_bind_text(stmt, 3, version->key);
    sql_bind_i64(stmt, 4, version->seq);
    sql_bind_i64(stmt, 5, change == BACKLOG_CHANGED);
    sql_bind_i64(stmt, 6, clock_now_us(cat->clock));
    cat->backlog_grew = true;
    return sql_run(cat, stmt, fault);
}

bool catalog_take_backlog(struct catalog *cat)
{
    bool backlog = cat->backlog;

    cat->backlog = false;
    return backlog;
}

/* ---- listed ------------------------------------------------------------------------------ */

static enum store_status next_due(struct catalog *cat, int64_t now_us, int64_t *ret_us,
                                  struct fault *fault)
{
    static struct sql sql = { .text = "SELECT min(due_us) FROM backlog WHERE due_us > ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, now_us);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_us = sqlite3_column_type(stmt, 0) == SQLITE_NULL ? INT64_MAX : sql_i64(stmt, 0);
    return status;
}

enum store_status catalog_backlog_list(struct catalog *cat, int64_t now_us, uint32_t max,
                                       backlog_visit *visit, void *context, int64_t *ret_next_us,
                                       struct fault *fault)
{
    static struct sql sql = {
        .text = "SELECT b.id, b.bucket, bucket.name, b.key, b.seq, b.change, b.tries, b.due_us"
                "  FROM backlog b LEFT JOIN bucket ON bucket.id = b.bucket"
                " WHERE b.due_us <= ?1 ORDER BY b.due_us, b.id LIMIT ?2"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    uint32_t given = 0;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, now_us);
    sql_bind_i64(stmt, 2, max);
    while ((status = sql_step(cat, stmt, &row, fault)) == STORE_OK && row) {
        struct backlog_item item = { .id = sql_i64(stmt, 0),
                                     .bucket_id = sql_i64(stmt, 1),
                                     .bucket = sql_str(stmt, 2),
                                     .key = sql_str(stmt, 3),
                                     .seq = sql_i64(stmt, 4),
                                     .change = sql_i64(stmt, 5) != 0,
                                     .tries = (uint32_t)sql_i64(stmt, 6),
                                     .due_us = sql_i64(stmt, 7) };

        if (!visit(context, &item))
            return STORE_STOPPED;
        given++;
    }
    if (status != STORE_OK)
        return status;
    if (given == max) {
        *ret_next_us = now_us; /* there may be more */
        return STORE_OK;
    }
    return next_due(cat, now_us, ret_next_us, fault);
}

/* ---- ended ------------------------------------------------------------------------------- */

static enum store_status put_off(struct catalog *cat, const struct backlog_item *item,
                                 struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE backlog SET tries = ?2, due_us = ?3 WHERE id = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, item->id);
    sql_bind_i64(stmt, 2, item->tries);
    sql_bind_i64(stmt, 3, item->due_us);
    return sql_run(cat, stmt, fault);
}

/* A replica stays one, whatever becomes of its changes. */
#define NOTE_IN(TABLE)                                                                             \
    "UPDATE " TABLE " SET replication = ?4"                                                        \
    " WHERE bucket = ?1 AND key = ?2 AND seq = ?3 AND replication = 1"

static enum store_status note(struct catalog *cat, struct sql *sql, const struct backlog_item *item,
                              struct fault *fault)
{
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, item->bucket_id);
    sql_bind_text(stmt, 2, item->key);
    sql_bind_i64(stmt, 3, item->seq);
    sql_bind_i64(stmt, 4, item->state);
    return sql_run(cat, stmt, fault);
}

static enum store_status end_item(struct catalog *cat, const struct backlog_item *item,
                                  struct fault *fault)
{
    static struct sql take = { .text = "DELETE FROM backlog WHERE id = ?1" };
    static struct sql current = { .text = NOTE_IN("object") };
    static struct sql history = { .text = NOTE_IN("version") };
    enum store_status status;

    if (item->state == REPLICATION_PENDING)
        return put_off(cat, item, fault);
    status = sql_run_i64(cat, &take, item->id, 0, fault);
    if (status != STORE_OK || sqlite3_changes64(cat->db) == 0 || item->state == REPLICATION_NONE)
        return status; /* 0: it has changed meanwhile, and waits anew */
    status = note(cat, &current, item, fault);
    if (status == STORE_OK && sqlite3_changes64(cat->db) == 0)
        status = note(cat, &history, item, fault);
    return status;
}

enum store_status catalog_replication_end(struct catalog *cat, struct intent *intent)
{
    const struct intent_replication_end *end = &intent->replication_end;
    enum store_status status = STORE_OK;

    for (size_t i = 0; i < end->count && status == STORE_OK; i++)
        status = end_item(cat, &end->items[i], &intent->fault);
    return status;
}
