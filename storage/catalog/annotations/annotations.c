/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations: texts beside a version, each under a name. Looked up, and set one at a time.
 *
 * (1) They belong to one version, by its seq, wherever its row stands and whatever its key is.
 * (2) A version's row says whether it has any (FLAG_ANNOTATED), so that those without cost nothing.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html
 */
#include "storage/catalog/sql.h"

/* ---- lookups ----------------------------------------------------------------------------- */

#define COLUMNS " name, size, modified_us, body_kind, body_id, wrapped_key, etag, checksum"

/* Its texts are borrowed from the row. */
static struct annotation row_annotation(sqlite3_stmt *stmt)
{
    return (struct annotation){ .name = sql_str(stmt, 0),
                                .size_bytes = (uint64_t)sql_i64(stmt, 1),
                                .modified_us = sql_i64(stmt, 2),
                                .body = { .kind = (enum body_kind)sql_i64(stmt, 3),
                                          .id = sql_i64(stmt, 4),
                                          .wrapped_key = sql_str(stmt, 5) },
                                .etag = sql_str(stmt, 6),
                                .checksum = sql_str(stmt, 7) };
}

enum store_status catalog_annotation_get(struct catalog *cat, int64_t version, struct str name,
                                         struct arena *arena, struct annotation *ret_annotation,
                                         struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" COLUMNS "  FROM annotation"
                                      " WHERE version = ?1 AND name = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    struct annotation found;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, version);
    sql_bind_text(stmt, 2, name);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if (!row)
        return STORE_NO_ANNOTATION;

    found = row_annotation(stmt);
    if (!sql_keep(arena, &found.name) || !sql_keep(arena, &found.body.wrapped_key) ||
        !sql_keep(arena, &found.etag) || !sql_keep(arena, &found.checksum))
        return store_fault(fault, STORE_NO_MEMORY, "an annotation");
    *ret_annotation = found;
    return STORE_OK;
}

enum store_status catalog_annotation_list(struct catalog *cat, int64_t version,
                                          const struct annotation_query *query,
                                          annotation_visit *visit, void *context,
                                          struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" COLUMNS "  FROM annotation"
                                      " WHERE version = ?1 AND name > ?2 AND name >= ?3"
                                      " ORDER BY name"
                                      " LIMIT ?4" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, version);
    sql_bind_text(stmt, 2, query->after);
    sql_bind_text(stmt, 3, query->prefix);
    sql_bind_i64(stmt, 4, query->max);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct annotation annotation = row_annotation(stmt);

        if (!str_starts(annotation.name, query->prefix))
            return STORE_OK;
        if (!visit(context, &annotation))
            return STORE_STOPPED;
    }
}

/* ---- set --------------------------------------------------------------------------------- */

static bool same_text(struct str a, struct str b)
{
    return str_present(a) == str_present(b) && str_eq(a, b);
}

/* What decided who may, and what the text is encrypted with. */
static bool is_as_judged(const struct version *version, const struct version *judged)
{
    return version_is_as_judged(version, judged) &&
           (judged == NULL || (version->attrs.sse == judged->attrs.sse &&
                               same_text(version->attrs.headers, judged->attrs.headers)));
}

static enum store_status find_version(struct catalog *cat, struct intent *intent,
                                      const struct bucket_facts *bucket,
                                      struct version *ret_version)
{
    const struct intent_annotation *asked = &intent->annotation;
    enum store_status status = catalog_version_get(cat, bucket->id, intent->key, asked->version,
                                                   scratch_reset(cat), ret_version, &intent->fault);

    if (status != STORE_OK)
        return status;
    if (ret_version->delete_marker)
        return STORE_DELETE_MARKER;
    if (!is_as_judged(ret_version, asked->judged))
        return STORE_RETRY;
    if (str_present(asked->if_match) && !str_eq(asked->if_match, ret_version->attrs.etag))
        return STORE_PRECONDITION_FAILED;
    if (asked->remove && version_is_locked(cat, &ret_version->attrs, asked->bypass))
        return STORE_RETAINED;
    return STORE_OK;
}

static enum store_status check_count(struct catalog *cat, int64_t version, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT count(*) FROM annotation WHERE version = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, version);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    return sql_i64(stmt, 0) < STORE_ANNOTATIONS_MAX ? STORE_OK : STORE_ANNOTATION_LIMIT;
}

static enum store_status write_row(struct catalog *cat, int64_t version,
                                   const struct annotation *fresh, struct fault *fault)
{
    static struct sql sql = { .text = "INSERT OR REPLACE INTO annotation(version," COLUMNS ")"
                                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, version);
    sql_bind_text(stmt, 2, fresh->name);
    sql_bind_i64(stmt, 3, (int64_t)fresh->size_bytes);
    sql_bind_i64(stmt, 4, fresh->modified_us);
    sql_bind_i64(stmt, 5, fresh->body.kind);
    sql_bind_i64(stmt, 6, fresh->body.id);
    sql_bind_str(stmt, 7, fresh->body.wrapped_key);
    sql_bind_text(stmt, 8, fresh->etag);
    sql_bind_str(stmt, 9, fresh->checksum);
    return sql_run(cat, stmt, fault);
}

static enum store_status remove_row(struct catalog *cat, int64_t version, struct str name,
                                    struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM annotation WHERE version = ?1 AND name = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, version);
    sql_bind_text(stmt, 2, name);
    return sql_run(cat, stmt, fault);
}

#define MARK_IN(TABLE)                                                                             \
    "UPDATE " TABLE " SET flags = iif(EXISTS(SELECT 1 FROM annotation WHERE version = ?3),"        \
    "  flags | " SQL_ANNOTATED ", flags & ~" SQL_ANNOTATED ")"                                     \
    " WHERE bucket = ?1 AND key = ?2 AND seq = ?3"

/* The version's row says whether it has any. */
static enum store_status mark(struct catalog *cat, const struct bucket_facts *bucket,
                              const struct version *version, struct fault *fault)
{
    static struct sql current = { .text = MARK_IN("object") };
    static struct sql history = { .text = MARK_IN("version") };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, version->latest ? &current : &history, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket->id);
    sql_bind_text(stmt, 2, version->key);
    sql_bind_i64(stmt, 3, version->seq);
    return sql_run(cat, stmt, fault);
}

static enum store_status put(struct catalog *cat, struct intent *intent,
                             const struct bucket_facts *bucket, const struct version *version,
                             const struct annotation *old, const struct staged_body *staged,
                             int64_t now_us)
{
    const struct intent_annotation *asked = &intent->annotation;
    struct annotation fresh = { .name = asked->name,
                                .size_bytes = staged->size_bytes,
                                .modified_us = now_us,
                                .etag = asked->etag,
                                .checksum = asked->checksum };
    enum store_status status = body_store(cat, staged, &fresh.body, &intent->fault);

    if (status == STORE_OK && old != NULL)
        status = body_release(cat, &old->body, &intent->fault);
    if (status == STORE_OK)
        status = write_row(cat, version->seq, &fresh, &intent->fault);
    if (status == STORE_OK && !version->annotated)
        status = mark(cat, bucket, version, &intent->fault);
    return status;
}

static enum store_status take_away(struct catalog *cat, struct intent *intent,
                                   const struct bucket_facts *bucket, const struct version *version,
                                   const struct annotation *old)
{
    enum store_status status = remove_row(cat, version->seq, old->name, &intent->fault);

    if (status == STORE_OK)
        status = body_release(cat, &old->body, &intent->fault);
    return status != STORE_OK ? status : mark(cat, bucket, version, &intent->fault);
}

enum store_status catalog_annotation_set(struct catalog *cat, struct intent *intent,
                                         const struct staged_body *staged)
{
    const struct intent_annotation *asked = &intent->annotation;
    int64_t now_us = clock_now_us(cat->clock);
    struct annotation old;
    struct bucket_facts bucket;
    struct version version;
    bool found;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = find_version(cat, intent, &bucket, &version);
    if (status != STORE_OK)
        return status;
    status =
        catalog_annotation_get(cat, version.seq, asked->name, cat->scratch, &old, &intent->fault);
    found = status == STORE_OK;
    if (status == STORE_NO_ANNOTATION)
        status = asked->remove ? STORE_OK : check_count(cat, version.seq, &intent->fault);
    if (status != STORE_OK)
        return status;

    if (!asked->remove)
        status = put(cat, intent, &bucket, &version, found ? &old : NULL, staged, now_us);
    else if (found)
        status = take_away(cat, intent, &bucket, &version, &old);
    if (status == STORE_OK && (found || !asked->remove))
        status = event_of_version(cat, intent, &bucket, &version, now_us);
    if (status == STORE_OK)
        status = intent_result(intent, &bucket, &version);
    if (status == STORE_OK)
        intent->result.committed_us = now_us;
    return status;
}
