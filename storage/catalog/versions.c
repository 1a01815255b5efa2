/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the versions of one key move: the rules of bucket versioning.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
 *
 *               | never              | enabled             | suspended
 *   new version | replaces           | current -> history  | replaces the null version wherever
 *               |                    |                     | it is; else current -> history
 *   its id      | null               | own                 | null
 */
#include "base/random.h"
#include "storage/catalog/row.h"

enum store_status versions_current(struct catalog *cat, int64_t bucket, struct str key,
                                   struct arena *arena, struct version_facts *ret_facts,
                                   bool *ret_found, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT seq, flags, modified_us, size, body_kind, body_id,"
                                      "       etag"
                                      "  FROM object"
                                      " WHERE bucket = ?1 AND key = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket);
    sql_bind_text(stmt, 2, key);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;

    *ret_found = row;
    if (!row)
        return STORE_OK;
    *ret_facts = (struct version_facts){
        .seq = sql_i64(stmt, 0),
        .delete_marker = (sql_i64(stmt, 1) & FLAG_DELETE_MARKER) != 0,
        .null_version = (sql_i64(stmt, 1) & FLAG_NULL_VERSION) != 0,
        .annotated = (sql_i64(stmt, 1) & FLAG_ANNOTATED) != 0,
        .latest = true,
        .modified_us = sql_i64(stmt, 2),
        .size_bytes = (uint64_t)sql_i64(stmt, 3),
        .body = { .kind = (enum body_kind)sql_i64(stmt, 4), .id = sql_i64(stmt, 5) },
        .etag = sql_str(stmt, 6),
    };
    return sql_keep(arena, &ret_facts->etag) ? STORE_OK
                                             : store_fault(fault, STORE_NO_MEMORY, "an ETag");
}

/* ---- single moves ------------------------------------------------------------------------ */

static enum store_status run_key(struct catalog *cat, struct sql *sql, int64_t bucket,
                                 struct str key, int64_t seq, struct fault *fault)
{
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket);
    sql_bind_text(stmt, 2, key);
    if (sqlite3_bind_parameter_count(stmt) > 2)
        sql_bind_i64(stmt, 3, seq);
    return sql_run(cat, stmt, fault);
}

static enum store_status current_to_history(struct catalog *cat, int64_t bucket, struct str key,
                                            struct fault *fault)
{
    static struct sql sql = { .text = "INSERT INTO version(bucket," VERSION_COLUMNS ")"
                                      " SELECT bucket," VERSION_COLUMNS "FROM object"
                                      "  WHERE bucket = ?1 AND key = ?2" };

    return run_key(cat, &sql, bucket, key, 0, fault);
}

static enum store_status current_remove(struct catalog *cat, int64_t bucket, struct str key,
                                        struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM object WHERE bucket = ?1 AND key = ?2" };

    return run_key(cat, &sql, bucket, key, 0, fault);
}

static enum store_status history_remove(struct catalog *cat, int64_t bucket, struct str key,
                                        int64_t seq, struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM version"
                                      " WHERE bucket = ?1 AND key = ?2 AND seq = ?3" };

    return run_key(cat, &sql, bucket, key, seq, fault);
}

/* ret_seq: of the newest; 0 when there is none. */
static enum store_status history_newest(struct catalog *cat, int64_t bucket, struct str key,
                                        int64_t *ret_seq, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT seq FROM version"
                                      " WHERE bucket = ?1 AND key = ?2"
                                      " ORDER BY seq DESC"
                                      " LIMIT 1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket);
    sql_bind_text(stmt, 2, key);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_seq = row ? sql_i64(stmt, 0) : 0;
    return status;
}

/* The newest of the history becomes current; nothing happens when there is none. */
static enum store_status history_promote(struct catalog *cat, int64_t bucket, struct str key,
                                         struct fault *fault)
{
    static struct sql sql = { .text = "INSERT INTO object(bucket," VERSION_COLUMNS ")"
                                      " SELECT bucket," VERSION_COLUMNS "FROM version"
                                      "  WHERE bucket = ?1 AND key = ?2 AND seq = ?3" };
    int64_t seq;
    enum store_status status = history_newest(cat, bucket, key, &seq, fault);

    if (status != STORE_OK || seq == 0)
        return status;

    status = run_key(cat, &sql, bucket, key, seq, fault);
    return status != STORE_OK ? status : history_remove(cat, bucket, key, seq, fault);
}

/* *ret_facts has seq, annotated and body alone; seq is 0 when there is none. */
static enum store_status history_null(struct catalog *cat, int64_t bucket, struct str key,
                                      struct version_facts *ret_facts, struct fault *fault)
{
    static struct sql sql = { .text =
                                  "SELECT seq, flags, body_kind, body_id FROM version"
                                  " WHERE bucket = ?1 AND key = ?2 AND (flags & " SQL_NULL_VERSION
                                  ") != 0" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket);
    sql_bind_text(stmt, 2, key);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;

    *ret_facts = (struct version_facts){ .seq = 0 };
    if (row)
        *ret_facts = (struct version_facts){
            .seq = sql_i64(stmt, 0),
            .annotated = (sql_i64(stmt, 1) & FLAG_ANNOTATED) != 0,
            .body = { .kind = (enum body_kind)sql_i64(stmt, 2), .id = sql_i64(stmt, 3) },
        };
    return STORE_OK;
}

/* What a version that goes had beside its row. */
static enum store_status release(struct catalog *cat, const struct version_facts *version,
                                 struct fault *fault)
{
    enum store_status status = version->annotated ? annotations_release(cat, version->seq, fault)
                                                  : STORE_OK;

    return status != STORE_OK ? status : body_release(cat, &version->body, fault);
}

static enum store_status history_drop_null(struct catalog *cat, int64_t bucket, struct str key,
                                           struct fault *fault)
{
    struct version_facts old;
    enum store_status status = history_null(cat, bucket, key, &old, fault);

    if (status != STORE_OK || old.seq == 0)
        return status;

    status = history_remove(cat, bucket, key, old.seq, fault);
    return status != STORE_OK ? status : release(cat, &old, fault);
}

/* ---- the rules --------------------------------------------------------------------------- */

/* Take away or move aside what a new version finds. */
static enum store_status make_room(struct catalog *cat, const struct bucket_facts *bucket,
                                   struct str key, const struct version_facts *current,
                                   struct fault *fault)
{
    enum store_status status;

    if (current == NULL)
        return STORE_OK;
    if (bucket->versioning == VERSIONING_ENABLED)
        return current_to_history(cat, bucket->id, key, fault);
    if (current->null_version)
        return release(cat, current, fault);

    status = current_to_history(cat, bucket->id, key, fault);
    return status != STORE_OK ? status : history_drop_null(cat, bucket->id, key, fault);
}

#define WRITE_INTO(TABLE)                                                                          \
    "INSERT OR REPLACE INTO " TABLE "(" VERSION_COLUMNS ", bucket) VALUES(" VERSION_MARKS ", ?)"

static enum store_status row_write(struct catalog *cat, const struct bucket_facts *bucket,
                                   const struct version *fresh, struct fault *fault)
{
    static struct sql current = { .text = WRITE_INTO("object") };
    static struct sql history = { .text = WRITE_INTO("version") };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, fresh->latest ? &current : &history, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, VERSION_COLUMN_COUNT + 1, bucket->id);
    status = bind_version(cat, stmt, fresh, bucket->owner, fault);
    return status != STORE_OK ? status : sql_run(cat, stmt, fault);
}

enum store_status versions_insert(struct catalog *cat, const struct bucket_facts *bucket,
                                  struct version *fresh, const struct version_facts *current,
                                  struct fault *fault)
{
    enum store_status status;

    if (fresh->seq == 0)
        fresh->seq = tx_next_seq(cat);
    fresh->tail = random_u64();
    fresh->latest = true;
    fresh->null_version = bucket->versioning != VERSIONING_ENABLED;
    fresh->modified_us = clock_now_us(cat->clock);
    /* The clock may step back; a key's history may not. */
    if (current != NULL && current->modified_us > fresh->modified_us)
        fresh->modified_us = current->modified_us;

    status = make_room(cat, bucket, fresh->key, current, fault);
    if (status == STORE_OK)
        status = row_write(cat, bucket, fresh, fault);
    if (status == STORE_OK && fresh->replication == REPLICATION_PENDING)
        status = backlog_append(cat, bucket->id, fresh, BACKLOG_NEW, fault);
    return status;
}

enum store_status versions_insert_replica(struct catalog *cat, const struct bucket_facts *bucket,
                                          struct version *fresh,
                                          const struct version_facts *current, struct fault *fault)
{
    enum store_status status = STORE_OK;

    fresh->latest = current == NULL || current->seq < fresh->seq;
    if (fresh->latest)
        status = make_room(cat, bucket, fresh->key, current, fault);
    if (status == STORE_OK)
        status = row_write(cat, bucket, fresh, fault);
    /* Its number does not tell open uploads that it has come since. */
    return status == STORE_OK && fresh->latest
               ? upload_note_removal(cat, bucket->id, fresh->key, fault)
               : status;
}

enum store_status versions_remove(struct catalog *cat, const struct bucket_facts *bucket,
                                  struct str key, const struct version_facts *version,
                                  struct fault *fault)
{
    enum store_status status;

    if (!version->latest)
        status = history_remove(cat, bucket->id, key, version->seq, fault);
    else
        status = current_remove(cat, bucket->id, key, fault);
    /* A bucket that never had versioning has no history. */
    if (status == STORE_OK && version->latest && bucket->versioning != VERSIONING_NEVER)
        status = history_promote(cat, bucket->id, key, fault);
    if (status == STORE_OK && version->latest)
        status = upload_note_removal(cat, bucket->id, key, fault);
    return status != STORE_OK ? status : release(cat, version, fault);
}

/* ---- conditions -------------------------------------------------------------------------- */

bool condition_asks_presence(const struct write_condition *condition)
{
    return str_present(condition->if_match) || condition->has_size || condition->has_modified;
}

enum store_status condition_check(const struct write_condition *condition,
                                  const struct version_facts *current)
{
    bool there = current != NULL && !current->delete_marker;

    if (condition->if_none_match_any && there)
        return STORE_PRECONDITION_FAILED;
    if (!condition_asks_presence(condition))
        return STORE_OK;
    if (!there)
        return STORE_NO_KEY;
    if (str_present(condition->if_match) && !str_eq(condition->if_match, STR("*")) &&
        !str_eq(condition->if_match, current->etag))
        return STORE_PRECONDITION_FAILED;
    if (condition->has_size && condition->size_bytes != current->size_bytes)
        return STORE_PRECONDITION_FAILED;
    if (condition->has_modified &&
        condition->modified_us / US_PER_S != current->modified_us / US_PER_S)
        return STORE_PRECONDITION_FAILED;
    return STORE_OK;
}

enum store_status intent_result(struct intent *intent, const struct bucket_facts *bucket,
                                const struct version *written)
{
    intent->result = (struct intent_result){
        .committed_us = written->modified_us,
        .versioned = bucket->versioning != VERSIONING_NEVER,
        .version_text = written->null_version
                            ? STR("null")
                            : id_text_in(intent->arena, written->seq, written->tail),
        .size_bytes = written->size_bytes,
    };
    return str_present(intent->result.version_text) ? STORE_OK : STORE_NO_MEMORY;
}
