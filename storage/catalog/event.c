/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox: events beside the changes they tell, and who waits for them. See storage/event.h.
 *
 * (1) AUTOINCREMENT numbers events without a gap: what a rollback takes back is numbered again, what
 *     was deleted is not.
 * (2) Events go from the lowest id on only, so the rows there are have all ids from first to last.
 */
#include "storage/catalog/sql.h"

/* What one forgetting removes at most; the rest goes with the next. */
#define FORGET_ROWS "10000"

/* ---- who waits --------------------------------------------------------------------------- */

/* Asked of the catalog after a rollback alone: a store without subscribers pays nothing. */
static enum store_status know_subscribers(struct catalog *cat, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT EXISTS(SELECT 1 FROM subscriber)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status;
    bool row;

    if (cat->subscribers != SUBSCRIBERS_UNKNOWN)
        return STORE_OK;
    status = sql_start(cat, &sql, &stmt, fault);
    if (status == STORE_OK)
        status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        cat->subscribers = sql_i64(stmt, 0) != 0 ? SUBSCRIBERS_SOME : SUBSCRIBERS_NONE;
    return status;
}

static enum store_status run_named(struct catalog *cat, struct sql *sql, struct str name,
                                   int64_t number, struct fault *fault)
{
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_text(stmt, 1, name);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sql_bind_i64(stmt, 2, number);
    status = sql_run(cat, stmt, fault);
    return status == STORE_OK && sqlite3_changes64(cat->db) == 0 ? STORE_NO_SUBSCRIBER : status;
}

enum store_status catalog_subscriber_done(struct catalog *cat, struct str name, int64_t *ret_id,
                                          struct fault *fault)
{
    static struct sql sql = { .text = "SELECT done FROM subscriber WHERE name = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_text(stmt, 1, name);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if (!row)
        return STORE_NO_SUBSCRIBER;

    *ret_id = sql_i64(stmt, 0);
    return STORE_OK;
}

static enum store_status count_subscribers(struct catalog *cat, int64_t *ret_count,
                                           struct fault *fault)
{
    static struct sql sql = { .text = "SELECT count(*) FROM subscriber" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status == STORE_OK)
        status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_count = sql_i64(stmt, 0);
    return status;
}

enum store_status subscriber_add(struct catalog *cat, struct str name, struct fault *fault)
{
    static struct sql sql = { .text = "INSERT INTO subscriber(name, done)"
                                      " VALUES(?1, " SQL_LAST_EVENT ")" };
    enum store_status status;
    int64_t count;
    int64_t done;

    if (name.len == 0 || name.len > STORE_SUBSCRIBER_NAME_MAX)
        return STORE_SUBSCRIBER_LIMIT;
    status = catalog_subscriber_done(cat, name, &done, fault);
    if (status != STORE_NO_SUBSCRIBER)
        return status;
    status = count_subscribers(cat, &count, fault);
    if (status == STORE_OK && count >= STORE_SUBSCRIBERS_MAX)
        status = STORE_SUBSCRIBER_LIMIT;
    if (status != STORE_OK)
        return status;

    cat->subscribers = SUBSCRIBERS_SOME;
    return run_named(cat, &sql, name, 0, fault);
}

enum store_status catalog_subscribe(struct catalog *cat, struct intent *intent)
{
    return subscriber_add(cat, intent->subscription.name, &intent->fault);
}

/* What all subscribers are done with. */
static enum store_status remove_done(struct catalog *cat, struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM event"
                                      " WHERE id <= min((SELECT min(done) FROM subscriber),"
                                      "  (SELECT min(id) FROM event) + " FORGET_ROWS " - 1)" };

    return sql_run_i64(cat, &sql, 0, 0, fault);
}

enum store_status catalog_unsubscribe(struct catalog *cat, struct intent *intent)
{
    static struct sql one = { .text = "DELETE FROM subscriber WHERE name = ?1" };
    /* Without a condition SQLite frees the pages and looks at no row. */
    static struct sql all = { .text = "DELETE FROM event" };
    struct fault *fault = &intent->fault;
    enum store_status status = run_named(cat, &one, intent->subscription.name, 0, fault);

    if (status != STORE_OK)
        return status;
    cat->subscribers = SUBSCRIBERS_UNKNOWN;
    status = know_subscribers(cat, fault);
    if (status != STORE_OK)
        return status;
    return cat->subscribers == SUBSCRIBERS_SOME ? remove_done(cat, fault)
                                                : sql_run_i64(cat, &all, 0, 0, fault);
}

enum store_status catalog_events_forget(struct catalog *cat, struct intent *intent)
{
    static struct sql sql = { .text = "UPDATE subscriber"
                                      "   SET done = max(done, min(?2, " SQL_LAST_EVENT "))"
                                      " WHERE name = ?1" };
    const struct intent_subscription *subscription = &intent->subscription;
    enum store_status status =
        run_named(cat, &sql, subscription->name, subscription->done_event, &intent->fault);

    return status != STORE_OK ? status : remove_done(cat, &intent->fault);
}

/* ---- what they wait for ------------------------------------------------------------------ */

enum store_status event_append(struct catalog *cat, struct intent *intent,
                               const struct bucket_facts *bucket, const struct change *change)
{
    static struct sql sql = {
        .text = "INSERT INTO event(name, bucket, bucket_name, key, seq, version_id, size, etag,"
                "                  time_us, request_id, principal, address)"
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    char id[VERSION_TEXT_LEN];
    struct str version_id = STR_NONE;
    enum store_status status;

    if (!str_present(change->event))
        return STORE_OK;
    status = know_subscribers(cat, &intent->fault);
    if (status != STORE_OK || cat->subscribers == SUBSCRIBERS_NONE)
        return status;
    status = sql_start(cat, &sql, &stmt, &intent->fault);
    if (status != STORE_OK)
        return status;

    if (bucket->versioning != VERSIONING_NEVER) {
        id_text(change->seq, change->tail, id);
        version_id = change->null_version ? STR("null") : str_make(id, sizeof(id));
    }
    sql_bind_text(stmt, 1, change->event);
    sql_bind_i64(stmt, 2, bucket->id);
    sql_bind_text(stmt, 3, intent->bucket);
    sql_bind_text(stmt, 4, change->key);
    sql_bind_i64(stmt, 5, change->seq);
    sql_bind_str(stmt, 6, version_id);
    sql_bind_i64(stmt, 7, (int64_t)change->size_bytes);
    sql_bind_text(stmt, 8, change->etag);
    sql_bind_i64(stmt, 9, change->time_us);
    sql_bind_str(stmt, 10, intent->origin.request_id);
    sql_bind_str(stmt, 11, intent->origin.principal);
    sql_bind_str(stmt, 12, intent->origin.address);
    status = sql_run(cat, stmt, &intent->fault);
    if (status == STORE_OK)
        cat->last_event = sqlite3_last_insert_rowid(cat->db);
    return status;
}

static enum store_status append_version(struct catalog *cat, struct intent *intent,
                                        const struct bucket_facts *bucket, struct str event,
                                        const struct version *version, int64_t time_us)
{
    struct change change = {
        .event = event,
        .key = version->key,
        .seq = version->seq,
        .tail = version->tail,
        .null_version = version->null_version,
        .size_bytes = version->size_bytes,
        .etag = version->attrs.etag,
        .time_us = time_us,
    };

    return event_append(cat, intent, bucket, &change);
}

enum store_status event_written(struct catalog *cat, struct intent *intent,
                                const struct bucket_facts *bucket, const struct version *written)
{
    struct str event = written->delete_marker ? intent->remove.marker_event : intent->origin.event;

    return append_version(cat, intent, bucket, event, written, written->modified_us);
}

enum store_status event_of_version(struct catalog *cat, struct intent *intent,
                                   const struct bucket_facts *bucket, const struct version *version,
                                   int64_t time_us)
{
    return append_version(cat, intent, bucket, intent->origin.event, version, time_us);
}

enum store_status events_bound(struct catalog *cat, struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM event WHERE id <= ?1" };

    if (cat->last_event <= cat->events_max)
        return STORE_OK;
    return sql_run_i64(cat, &sql, cat->last_event - cat->events_max, 0, fault);
}

void catalog_limit_events(struct catalog *cat, uint64_t max)
{
    cat->events_max = (int64_t)max;
}

bool catalog_take_events(struct catalog *cat)
{
    bool events = cat->events;

    cat->events = false;
    return events;
}

static struct store_event row_event(sqlite3_stmt *stmt)
{
    return (struct store_event){ .id = sql_i64(stmt, 0),
                                 .name = sql_str(stmt, 1),
                                 .bucket_id = sql_i64(stmt, 2),
                                 .bucket = sql_str(stmt, 3),
                                 .key = sql_str(stmt, 4),
                                 .seq = sql_i64(stmt, 5),
                                 .version_id = sql_str(stmt, 6),
                                 .size_bytes = (uint64_t)sql_i64(stmt, 7),
                                 .etag = sql_str(stmt, 8),
                                 .time_us = sql_i64(stmt, 9),
                                 .request_id = sql_str(stmt, 10),
                                 .principal = sql_str(stmt, 11),
                                 .address = sql_str(stmt, 12) };
}

enum store_status catalog_event_list(struct catalog *cat, int64_t after, uint32_t max,
                                     event_visit *visit, void *context, uint64_t *ret_lost,
                                     struct fault *fault)
{
    static struct sql sql = {
        .text = "SELECT id, name, bucket, bucket_name, key, seq, version_id, size, etag, time_us,"
                "       request_id, principal, address"
                "  FROM event WHERE id > ?1 ORDER BY id LIMIT ?2"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    int64_t last = after;
    bool row;

    if (status != STORE_OK)
        return status;
    *ret_lost = 0;
    sql_bind_i64(stmt, 1, after);
    sql_bind_i64(stmt, 2, max);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct store_event event = row_event(stmt);

        *ret_lost += (uint64_t)(event.id - last - 1);
        last = event.id;
        if (!visit(context, &event))
            return STORE_STOPPED;
    }
}
