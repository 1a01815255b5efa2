/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repairs of rows that other rows do not agree with. No row goes that says where an object's bytes
 * are; what nothing names any more is given back by the sweep.
 */
#include "storage/catalog/care/references.h"

#define BLOB_COUNTS                                                                                \
    " (SELECT b.id AS id, b.refs AS refs, b.dead_seq AS dead_seq, ifnull(r.n, 0) AS n FROM blob b" \
    "  LEFT JOIN (SELECT i, count(*) AS n FROM" REFERENCES "             WHERE k = " SQL_BODY_BLOB \
    " GROUP BY i) r ON r.i = b.id) "

/* In this order: what one removes the later ones find left over. */
static const struct {
    const char *what;
    const char *sql;
} repairs[] = {
    { "uploads of no bucket removed", "DELETE FROM upload WHERE state = " SQL_UPLOAD_OPEN
                                      " AND bucket NOT IN (SELECT id FROM bucket)" },
    { "parts of no open upload removed",
      "DELETE FROM part WHERE upload NOT IN (SELECT id FROM upload WHERE state = " SQL_UPLOAD_OPEN
      ")" },
    { "documents of no bucket removed",
      "DELETE FROM document WHERE bucket NOT IN (SELECT id FROM bucket)" },
    { "events that wait for nobody removed",
      "DELETE FROM event WHERE NOT EXISTS (SELECT 1 FROM subscriber)" },
    { "annotations of no version removed", "DELETE" ANNOTATIONS_LEFT },
    { "versions told whether they have annotations",
      "UPDATE object SET flags = iif(flags & " SQL_ANNOTATED ", flags - " SQL_ANNOTATED
      ", flags + " SQL_ANNOTATED ") WHERE" ANNOTATED_DIFFERS },
    { "older versions told whether they have annotations",
      "UPDATE version SET flags = iif(flags & " SQL_ANNOTATED ", flags - " SQL_ANNOTATED
      ", flags + " SQL_ANNOTATED ") WHERE" ANNOTATED_DIFFERS },
    { "rows about parts of no object removed",
      "DELETE FROM manifest_part WHERE manifest NOT IN"
      " (SELECT i FROM" VERSIONS "WHERE k = " SQL_BODY_MANIFEST ")" },
    { "pieces of no body removed", "DELETE FROM piece WHERE manifest NOT IN"
                                   " (SELECT i FROM" BODIES "WHERE k = " SQL_BODY_MANIFEST ")" },
};

enum store_status catalog_repair_rows(struct catalog *cat, repair_visit *visit, void *context,
                                      struct fault *fault)
{
    for (size_t i = 0; i < COUNT_OF(repairs); i++) {
        enum store_status status = sql_script(cat, repairs[i].sql, fault);
        int changed = sqlite3_changes(cat->db);

        if (status != STORE_OK)
            return status;
        if (changed > 0)
            visit(context, repairs[i].what, (uint64_t)changed);
    }
    return STORE_OK;
}

enum store_status catalog_repair_counts(struct catalog *cat, uint64_t *ret_changed,
                                        struct fault *fault)
{
    enum store_status status =
        sql_script(cat,
                   "UPDATE blob SET refs = c.n,"
                   "  dead_seq = iif(c.n > 0, NULL, (SELECT value FROM meta WHERE name = 'seq'))"
                   " FROM" BLOB_COUNTS "c"
                   " WHERE c.id = blob.id AND (c.n != c.refs OR (c.n = 0) != (c.dead_seq NOTNULL))",
                   fault);

    if (status == STORE_OK)
        *ret_changed = (uint64_t)sqlite3_changes(cat->db);
    return status;
}

enum store_status catalog_unowned_inline(struct catalog *cat, inline_visit *visit, void *context,
                                         struct fault *fault)
{
    static struct sql sql = { .text = "SELECT id, data FROM inline_body WHERE id NOT IN"
                                      " (SELECT i FROM" REFERENCES "WHERE k = " SQL_BODY_INLINE
                                      ")" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    while (status == STORE_OK) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;
        status = visit(context, sql_i64(stmt, 0), sql_str(stmt, 1));
    }
    return status;
}

enum store_status catalog_unowned_blobs(struct catalog *cat, check_blob *visit, void *context,
                                        struct fault *fault)
{
    static struct sql sql = { .text = "SELECT b.scope, b.hash, b.size, b.pack, b.at, b.id"
                                      "  FROM blob b JOIN" BLOB_COUNTS "c ON c.id = b.id"
                                      " WHERE c.n = 0 AND b.dead_seq IS NULL" };

    return check_visit_blobs(cat, &sql, visit, context, fault);
}

enum store_status catalog_mark_damaged(struct catalog *cat, enum body_kind kind, int64_t id,
                                       struct fault *fault)
{
    static struct sql blob = { .text = "UPDATE blob SET damaged_us = ?2 WHERE id = ?1" };
    static struct sql body = { .text = "UPDATE inline_body SET damaged_us = ?2 WHERE id = ?1" };

    return sql_run_i64(cat, kind == BODY_BLOB ? &blob : &body, id, clock_now_us(cat->clock), fault);
}
