/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buckets: lookup, list, create, set, delete.
 */
#include <assert.h>

#include "base/random.h"
#include "storage/catalog/row.h"

#define READ_BUCKET(NAME, KIND, FIELD, ...)                                                        \
    COLUMN_IF_FIELD_##KIND(row_##KIND(&row, BUCKET_AT_##NAME, &b.FIELD);)
#define BIND_BUCKET(NAME, KIND, FIELD, ...)                                                        \
    COLUMN_IF_FIELD_##KIND(bind_##KIND(&row, BUCKET_AT_##NAME, fresh.FIELD);)

/* A bucket, and whether it has documents. */
#define BUCKET_AT_DOCUMENTS BUCKET_COLUMN_COUNT
#define BUCKET_LOOK                                                                                \
    BUCKET_COLUMNS ", EXISTS(SELECT 1 FROM document WHERE document.bucket = bucket.id) "

static enum store_status row_bucket(struct catalog *cat, sqlite3_stmt *stmt, struct arena *arena,
                                    struct bucket *ret_bucket, struct fault *fault)
{
    struct row row = { .cat = cat, .stmt = stmt, .arena = arena, .fault = fault };
    struct bucket b = {
        .versioning = (enum bucket_versioning)sql_i64(stmt, BUCKET_AT_versioning),
        .has_documents = sql_i64(stmt, BUCKET_AT_DOCUMENTS) != 0,
    };

    row_i64(&row, BUCKET_AT_id, &b.id);
    row_text(&row, BUCKET_AT_name, &b.name);
    BUCKET_ROWS(READ_BUCKET);
    if (row.status == STORE_OK)
        *ret_bucket = b;
    return row.status;
}

enum store_status catalog_bucket_get(struct catalog *cat, struct str name, struct arena *arena,
                                     struct bucket *ret_bucket, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" BUCKET_LOOK "FROM bucket WHERE name = ?1" };
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
        return STORE_NO_BUCKET;

    return row_bucket(cat, stmt, arena, ret_bucket, fault);
}

enum store_status catalog_bucket_unchanged(struct catalog *cat, const struct bucket *bucket,
                                           struct fault *fault)
{
    static struct sql sql = { .text = "SELECT 1 FROM bucket"
                                      " WHERE id = ?1 AND changed = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket->id);
    sql_bind_i64(stmt, 2, bucket->changed_seq);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    return row ? STORE_OK : STORE_RETRY;
}

enum store_status catalog_bucket_list(struct catalog *cat, struct str owner, struct str prefix,
                                      struct str after, bucket_visit *visit, void *context,
                                      struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" BUCKET_LOOK "FROM bucket"
                                      " WHERE owner = ?1 AND name > ?2 AND name >= ?3"
                                      " ORDER BY name" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    int64_t owner_id;
    enum store_status status = account_find(cat, owner, &owner_id, fault);
    struct bucket bucket;
    bool row;

    if (status != STORE_OK || owner_id == 0)
        return status;
    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, owner_id);
    sql_bind_text(stmt, 2, after);
    sql_bind_text(stmt, 3, prefix);

    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;
        status = row_bucket(cat, stmt, /* arena= */ NULL, &bucket, fault);
        if (status != STORE_OK)
            return status;
        if (!str_starts(bucket.name, prefix))
            return STORE_OK;
        if (!visit(context, &bucket))
            return STORE_STOPPED;
    }
}

/* ---- writes ------------------------------------------------------------------------------ */

static enum store_status owner_bucket_count(struct catalog *cat, int64_t owner, int64_t *ret_count,
                                            struct fault *fault)
{
    static struct sql sql = { .text = "SELECT count(*) FROM bucket WHERE owner = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, owner);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_count = sql_i64(stmt, 0);
    return status;
}

static enum store_status bucket_insert(struct catalog *cat, struct intent *intent, int64_t id)
{
    static struct sql sql = { .text = "INSERT INTO bucket(" BUCKET_COLUMNS ")"
                                      " VALUES(" BUCKET_MARKS ")" };
    const struct intent_bucket_create *create = &intent->bucket_create;
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, &intent->fault);

    if (status != STORE_OK)
        return status;

    struct row row = { .cat = cat, .stmt = stmt, .fault = &intent->fault };
    struct bucket fresh = { .owner = create->owner,
                            .region = create->region,
                            .created_us = clock_now_us(cat->clock),
                            .acl = create->acl,
                            .changed_seq = id };

    intent->result.committed_us = fresh.created_us;
    bind_i64(&row, BUCKET_AT_id, id);
    bind_text(&row, BUCKET_AT_name, intent->bucket);
    bind_i64(&row, BUCKET_AT_versioning, create->versioning);
    BUCKET_ROWS(BIND_BUCKET);
    return row.status != STORE_OK ? row.status : sql_run(cat, stmt, &intent->fault);
}

enum store_status catalog_bucket_create(struct catalog *cat, struct intent *intent)
{
    struct intent_bucket_create *create = &intent->bucket_create;
    struct bucket_facts facts;
    enum store_status status = bucket_facts_get(cat, intent->bucket, &facts, &intent->fault);
    struct str present;
    int64_t count = 0;
    int64_t owner;
    int64_t id;

    if (status == STORE_OK) {
        status = account_text(cat, facts.owner, &present, &intent->fault);
        if (status == STORE_OK && !sql_keep(intent->arena, &present))
            status = STORE_NO_MEMORY;
        if (status != STORE_OK)
            return status;
        create->present_owner = present;
        return STORE_BUCKET_EXISTS;
    }
    if (status != STORE_NO_BUCKET)
        return status;

    status = account_find(cat, create->owner, &owner, &intent->fault);
    if (status == STORE_OK && owner != 0)
        status = owner_bucket_count(cat, owner, &count, &intent->fault);
    if (status != STORE_OK)
        return status;
    if (count >= STORE_BUCKETS_MAX)
        return STORE_BUCKET_LIMIT;

    id = tx_next_seq(cat);
    status = bucket_insert(cat, intent, id);
    for (size_t i = 0; status == STORE_OK && i < create->document_count; i++)
        status = document_write(cat, id, &create->documents[i], &intent->fault);
    return status;
}

enum store_status catalog_bucket_set(struct catalog *cat, struct intent *intent)
{
    static struct sql sql = { .text = "UPDATE bucket"
                                      "   SET versioning = iif(?2, ?3, versioning),"
                                      "       acl = iif(?4, ?5, acl),"
                                      "       changed = ?6"
                                      " WHERE id = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    const struct intent_bucket_set *set = &intent->bucket_set;
    struct bucket_facts facts;
    enum store_status status = bucket_of_intent(cat, intent, &facts);

    /* Deletes rely on it: see versions_remove. */
    assert(!set->set_versioning || set->versioning != VERSIONING_NEVER);
    if (status == STORE_OK)
        status = sql_start(cat, &sql, &stmt, &intent->fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, facts.id);
    sql_bind_i64(stmt, 2, set->set_versioning);
    sql_bind_i64(stmt, 3, set->versioning);
    sql_bind_i64(stmt, 4, set->set_acl);
    sql_bind_str(stmt, 5, set->acl);
    sql_bind_i64(stmt, 6, tx_next_seq(cat));
    bucket_cache_clear(cat);
    return sql_run(cat, stmt, &intent->fault);
}

static enum store_status bucket_is_empty(struct catalog *cat, int64_t bucket, bool *ret_empty,
                                         struct fault *fault)
{
    /* Rows of `version` never outlive their row in `object`; asked all the same, it is cheap. */
    static struct sql sql = { .text = "SELECT EXISTS(SELECT 1 FROM object WHERE bucket = ?1)"
                                      "    OR EXISTS(SELECT 1 FROM version WHERE bucket = ?1)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_empty = sql_i64(stmt, 0) == 0;
    return status;
}

static enum store_status next_upload(struct catalog *cat, int64_t bucket, int64_t *ret_upload,
                                     struct fault *fault)
{
    static struct sql sql = { .text = "SELECT id FROM upload INDEXED BY upload_open"
                                      " WHERE bucket = ?1 AND state = " SQL_UPLOAD_OPEN
                                      " LIMIT 1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_upload = row ? sql_i64(stmt, 0) : 0;
    return status;
}

/* Finished uploads stay until the sweep: they hold nothing and their bucket id is never reused. */
static enum store_status remove_uploads(struct catalog *cat, int64_t bucket, struct fault *fault)
{
    int64_t upload;

    for (;;) {
        enum store_status status = next_upload(cat, bucket, &upload, fault);

        if (status != STORE_OK || upload == 0)
            return status;
        status = upload_remove(cat, upload, fault);
        if (status != STORE_OK)
            return status;
    }
}

enum store_status catalog_bucket_delete(struct catalog *cat, struct intent *intent)
{
    static struct sql documents = { .text = "DELETE FROM document WHERE bucket = ?1" };
    static struct sql bucket = { .text = "DELETE FROM bucket WHERE id = ?1" };
    struct bucket_facts facts;
    bool empty;
    enum store_status status = bucket_of_intent(cat, intent, &facts);

    if (status == STORE_OK)
        status = bucket_is_empty(cat, facts.id, &empty, &intent->fault);
    if (status != STORE_OK)
        return status;
    if (!empty)
        return STORE_BUCKET_NOT_EMPTY;

    bucket_cache_clear(cat);
    status = remove_uploads(cat, facts.id, &intent->fault);
    if (status == STORE_OK)
        status = sql_run_i64(cat, &documents, facts.id, 0, &intent->fault);
    if (status == STORE_OK)
        status = sql_run_i64(cat, &bucket, facts.id, 0, &intent->fault);
    return status;
}
