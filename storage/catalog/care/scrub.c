/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scrub asks of the catalog and writes into it.
 *
 * Bodies are walked in two stages, inline ones and blobs, each by id: a place in the walk survives
 * whatever is stored and removed meanwhile. meta has it: scrub_us is when the last pass ended,
 * scrub_stage and scrub_at how far the one under way has come.
 */
#include "base/digest/hash.h"
#include "storage/catalog/sql.h"

enum store_status catalog_scrub_place(struct catalog *cat, struct scrub_place *ret_place,
                                      struct fault *fault)
{
    static struct sql sql = { .text = "SELECT sum(iif(name = 'scrub_us', value, 0)),"
                                      "       sum(iif(name = 'scrub_stage', value, 0)),"
                                      "       sum(iif(name = 'scrub_at', value, 0))"
                                      "  FROM meta" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status == STORE_OK)
        status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_place = (struct scrub_place){ .ended_us = sql_i64(stmt, 0),
                                           .stage = (enum scrub_stage)sql_i64(stmt, 1),
                                           .at = sql_i64(stmt, 2) };
    return status;
}

static struct scrub_find row_inline(sqlite3_stmt *stmt)
{
    struct str data = sql_str(stmt, 1);
    bool summed = sqlite3_column_type(stmt, 2) != SQLITE_NULL;
    uint64_t sum = hash_quick(data, 0);

    return (struct scrub_find){ .kind = BODY_INLINE,
                                .id = sql_i64(stmt, 0),
                                .stored_bytes = data.len,
                                .damaged = summed && (uint64_t)sql_i64(stmt, 2) != sum,
                                .was_damaged = sqlite3_column_type(stmt, 3) != SQLITE_NULL,
                                .summed = summed,
                                .sum = sum };
}

enum store_status catalog_scrub_inline(struct catalog *cat, int64_t after, scrub_visit *visit,
                                       void *context, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT id, data, sum, damaged_us FROM inline_body"
                                      " WHERE id > ?1"
                                      " ORDER BY id" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, after);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct scrub_find find = row_inline(stmt);

        if (!visit(context, &find))
            return STORE_STOPPED;
    }
}

enum store_status catalog_blob_after(struct catalog *cat, int64_t after, int64_t *ret_id,
                                     struct fault *fault)
{
    static struct sql sql = { .text = "SELECT ifnull(min(id), 0) FROM blob"
                                      " WHERE id > ?1 AND dead_seq IS NULL" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, after);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        *ret_id = sql_i64(stmt, 0);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------- */

static enum store_status note_inline(struct catalog *cat, const struct scrub_find *find,
                                     struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE inline_body"
                                      "   SET damaged_us = ?2, sum = ?3"
                                      " WHERE id = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status;

    /* What is there now is no more the sum of what was stored. */
    if (find->damaged) {
        static struct sql mark = { .text = "UPDATE inline_body"
                                           "   SET damaged_us = ifnull(damaged_us, ?2)"
                                           " WHERE id = ?1" };

        return sql_run_i64(cat, &mark, find->id, clock_now_us(cat->clock), fault);
    }
    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, find->id);
    sql_bind_str(stmt, 2, STR_NONE);
    sql_bind_i64(stmt, 3, (int64_t)find->sum);
    return sql_run(cat, stmt, fault);
}

static enum store_status note_blob(struct catalog *cat, const struct scrub_find *find,
                                   struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE blob"
                                      "   SET damaged_us = iif(?4, ifnull(damaged_us, ?5), NULL),"
                                      "       sum = iif(?4, sum, ?6)"
                                      " WHERE id = ?1 AND pack = ?2 AND at = ?3" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, find->id);
    sql_bind_i64(stmt, 2, find->pack);
    sql_bind_i64(stmt, 3, (int64_t)find->pack_at);
    sql_bind_i64(stmt, 4, find->damaged);
    sql_bind_i64(stmt, 5, clock_now_us(cat->clock));
    sql_bind_i64(stmt, 6, (int64_t)find->sum);
    return sql_run(cat, stmt, fault);
}

static enum store_status write_place(struct catalog *cat, const struct scrub_place *place,
                                     struct fault *fault)
{
    static struct sql sql = { .text = "INSERT OR REPLACE INTO meta VALUES"
                                      " ('scrub_us', ?1), ('scrub_stage', ?2), ('scrub_at', ?3)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, place->ended_us);
    sql_bind_i64(stmt, 2, place->stage);
    sql_bind_i64(stmt, 3, place->at);
    return sql_run(cat, stmt, fault);
}

enum store_status catalog_scrub_note(struct catalog *cat, const struct scrub_note *note,
                                     struct fault *fault)
{
    enum store_status status = write_place(cat, &note->place, fault);

    for (size_t i = 0; status == STORE_OK && i < note->count; i++) {
        const struct scrub_find *find = &note->finds[i];

        status = find->kind == BODY_INLINE ? note_inline(cat, find, fault)
                                           : note_blob(cat, find, fault);
    }
    return status;
}

/* ---- whose they are ---------------------------------------------------------------------- */

enum store_status catalog_body_owners(struct catalog *cat, enum body_kind kind, int64_t id,
                                      owner_visit *visit, void *context, struct fault *fault)
{
    static struct sql sql = {
        .text = "WITH held(kind, id) AS (SELECT ?1, ?2 UNION"
                "  SELECT " SQL_BODY_MANIFEST ", manifest FROM piece WHERE kind = ?1 AND ref = ?2),"
                "  marked(seq) AS (SELECT version FROM annotation"
                "                   WHERE (body_kind, body_id) IN held)"
                " SELECT b.name, v.key, v.seq, v.tail, v.flags FROM"
                "  (SELECT bucket, key, seq, tail, flags FROM object"
                "    WHERE (body_kind, body_id) IN held"
                "   UNION ALL SELECT bucket, key, seq, tail, flags FROM version"
                "    WHERE (body_kind, body_id) IN held"
                "   UNION ALL SELECT bucket, key, seq, tail, flags FROM object WHERE seq IN marked"
                "   UNION ALL SELECT bucket, key, seq, tail, flags FROM version WHERE seq IN marked"
                "   UNION ALL SELECT u.bucket, u.key, 0, 0, 0 FROM part p JOIN upload u"
                "    ON u.id = p.upload WHERE (p.body_kind, p.body_id) IN held) v"
                "  JOIN bucket b ON b.id = v.bucket"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, kind);
    sql_bind_i64(stmt, 2, id);
    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct body_owner owner = {
            .bucket = sql_str(stmt, 0),
            .key = sql_str(stmt, 1),
            .part = sql_i64(stmt, 2) == 0,
            .null_version = (sql_i64(stmt, 4) & FLAG_NULL_VERSION) != 0,
        };

        id_text(sql_i64(stmt, 2), (uint64_t)sql_i64(stmt, 3), owner.version);
        if (!visit(context, &owner))
            return STORE_STOPPED;
    }
}
