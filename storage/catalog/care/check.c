/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fsck asks of the catalog. Every rule of schema.sql that SQLite does not enforce is a query
 * here whose rows are findings.
 */
#include <stdio.h>

#include "storage/catalog/care/references.h"
#include "storage/catalog/columns.h"

/* ---- what columns.def promises of values ------------------------------------------------- */

/* Accounts that rows name. */
#define ACCOUNTS_i64(TABLE, NAME)
#define ACCOUNTS_u64(TABLE, NAME)
#define ACCOUNTS_u32(TABLE, NAME)
#define ACCOUNTS_u8(TABLE, NAME)
#define ACCOUNTS_flag(TABLE, NAME)
#define ACCOUNTS_body(TABLE, NAME)
#define ACCOUNTS_account(TABLE, NAME) " UNION SELECT " #NAME " FROM " TABLE
#define ACCOUNTS_text(TABLE, NAME)
#define ACCOUNTS_optional(TABLE, NAME)
#define ACCOUNTS_own(TABLE, NAME)
#define ACCOUNTS_OF_VERSION(NAME, KIND, ...)                                                       \
    ACCOUNTS_##KIND("object", NAME) ACCOUNTS_##KIND("version", NAME)
#define ACCOUNTS_OF_UPLOAD(NAME, KIND, ...) ACCOUNTS_##KIND("upload", NAME)
#define ACCOUNTS_OF_BUCKET(NAME, KIND, ...) ACCOUNTS_##KIND("bucket", NAME)
#define ACCOUNTS                                                                                   \
    " (SELECT 0 AS account WHERE 0" COLUMN_ROWS(ACCOUNTS_OF_VERSION, COLUMN_NOTHING,               \
                                                ACCOUNTS_OF_VERSION)                               \
        COLUMN_ROWS(COLUMN_NOTHING, ACCOUNTS_OF_UPLOAD, ACCOUNTS_OF_UPLOAD)                        \
            BUCKET_ROWS(ACCOUNTS_OF_BUCKET) ") "

/* The names of the columns in a row whose numbers their fields can not have, or "". SQLite sees to
 * the types. */
#define STRANGE_(NAME, RANGE) " || iif(" #NAME " NOT BETWEEN " RANGE ", ' " #NAME "', '')"
#define STRANGE_i64(NAME)
#define STRANGE_u64(NAME)
#define STRANGE_u32(NAME) STRANGE_(NAME, "0 AND 4294967295")
#define STRANGE_u8(NAME) STRANGE_(NAME, "0 AND 255")
#define STRANGE_flag(NAME) STRANGE_(NAME, "0 AND 1")
#define STRANGE_body(NAME) STRANGE_(NAME, SQL_BODY_EMPTY " AND " SQL_BODY_MANIFEST)
#define STRANGE_account(NAME)
#define STRANGE_text(NAME)
#define STRANGE_optional(NAME)
#define STRANGE_own(NAME)
#define STRANGE(NAME, KIND, ...) STRANGE_##KIND(NAME)
#define VERSION_STRANGE "''" COLUMN_ROWS(STRANGE, COLUMN_NOTHING, STRANGE)
#define UPLOAD_STRANGE "''" COLUMN_ROWS(COLUMN_NOTHING, STRANGE, STRANGE)
#define PART_STRANGE "''" PART_ROWS(STRANGE)

/* ---- findings ---------------------------------------------------------------------------- */

/* What a finding means; see struct fsck_report. */
enum finding_class { FINDING_DAMAGE, FINDING_ROWS, FINDING_CATALOG };

static const struct {
    enum finding_class class;
    const char *text;
} findings[] = {
    { FINDING_CATALOG, "SELECT 'catalog: ' || integrity_check FROM pragma_integrity_check"
                       " WHERE integrity_check != 'ok'" },
    { FINDING_CATALOG, "SELECT 'object ' || quote(key) || ' is in no bucket' FROM object"
                       " WHERE bucket NOT IN (SELECT id FROM bucket)" },
    { FINDING_CATALOG,
      "SELECT 'version ' || seq || ' has no current version above it' FROM version v"
      " WHERE NOT EXISTS (SELECT 1 FROM object o"
      "                    WHERE o.bucket = v.bucket AND o.key = v.key AND o.seq > v.seq)" },
    { FINDING_CATALOG, "SELECT 'account ' || account || ' has no row' FROM" ACCOUNTS
                       "WHERE account NOT IN (SELECT id FROM account)" },
    { FINDING_CATALOG,
      "SELECT what || ' has a strange' || strange FROM"
      " (SELECT 'object ' || quote(key) AS what, " VERSION_STRANGE " AS strange FROM object"
      "  UNION ALL SELECT 'version ' || seq, " VERSION_STRANGE " FROM version"
      "  UNION ALL SELECT 'upload ' || id, " UPLOAD_STRANGE " FROM upload"
      "  UNION ALL SELECT 'part ' || number || ' of upload ' || upload, " PART_STRANGE " FROM part)"
      " WHERE strange != ''" },
    { FINDING_CATALOG,
      "SELECT 'number ' || n || ' is above the reserved ones' FROM (SELECT max(seq) AS n FROM object"
      " UNION ALL SELECT max(seq) FROM version UNION ALL SELECT max(id) FROM inline_body"
      " UNION ALL SELECT max(id) FROM blob UNION ALL SELECT max(id) FROM upload)"
      " WHERE n > (SELECT value FROM meta WHERE name = 'seq')" },
    { FINDING_DAMAGE, "SELECT 'inline body ' || i || ' is missing' FROM" REFERENCES
                      " WHERE k = " SQL_BODY_INLINE " AND i NOT IN (SELECT id FROM inline_body)" },
    { FINDING_CATALOG,
      "SELECT 'inline body ' || i || ' has ' || count(*) || ' owners' FROM" REFERENCES
      " WHERE k = " SQL_BODY_INLINE " GROUP BY i HAVING count(*) > 1" },
    { FINDING_ROWS, "SELECT 'inline body ' || id || ' has no owner' FROM inline_body"
                    " WHERE id NOT IN (SELECT i FROM" REFERENCES "WHERE k = " SQL_BODY_INLINE ")" },
    { FINDING_DAMAGE, "SELECT 'blob ' || i || ' has no row' FROM" REFERENCES
                      " WHERE k = " SQL_BODY_BLOB " AND i NOT IN (SELECT id FROM blob)" },
    { FINDING_ROWS,
      "SELECT 'blob ' || id || ' counts ' || refs || ' references and has ' || ifnull(n, 0)"
      " FROM blob LEFT JOIN (SELECT i, count(*) AS n FROM" REFERENCES "WHERE k = " SQL_BODY_BLOB
      " GROUP BY i)"
      " ON i = id WHERE refs != ifnull(n, 0)" },
    { FINDING_ROWS,
      "SELECT 'blob ' || id || ' is dead and alive' FROM blob WHERE (refs = 0) != (dead_seq NOTNULL)" },
    { FINDING_CATALOG, "SELECT 'manifest ' || i || ' has ' || count(*) || ' owners' FROM" BODIES
                       " WHERE k = " SQL_BODY_MANIFEST " GROUP BY i HAVING count(*) > 1" },
    { FINDING_ROWS,
      "SELECT DISTINCT 'manifest ' || manifest || ' has no owner' FROM piece"
      " WHERE manifest NOT IN (SELECT i FROM" BODIES "WHERE k = " SQL_BODY_MANIFEST ")" },
    { FINDING_ROWS,
      "SELECT DISTINCT 'parts of manifest ' || manifest || ' belong to no object' FROM manifest_part"
      " WHERE manifest NOT IN (SELECT i FROM" VERSIONS "WHERE k = " SQL_BODY_MANIFEST ")" },
    { FINDING_CATALOG,
      "SELECT 'manifest ' || i || ' has ' || n || ' parts, its object ' || part_count FROM"
      " (SELECT i, part_count, (SELECT count(*) FROM manifest_part WHERE manifest = i) AS n FROM"
      " " VERSIONS "WHERE k = " SQL_BODY_MANIFEST ") WHERE n != part_count" },
    { FINDING_CATALOG, "SELECT 'manifest ' || i || ' is not as long as its body' FROM" BODIES
                       " WHERE k = " SQL_BODY_MANIFEST
                       " AND size != (SELECT ifnull(sum(len), 0) FROM piece WHERE manifest = i)" },
    { FINDING_CATALOG,
      "SELECT 'manifest ' || manifest || ' has a gap at ' || at FROM (SELECT manifest, at, len,"
      " sum(len) OVER (PARTITION BY manifest ORDER BY at"
      "                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM piece)"
      " WHERE at != ifnull(before, 0) OR len <= 0" },
    { FINDING_CATALOG, "SELECT 'an empty body has ' || size || ' bytes' FROM" BODIES
                       "WHERE k = " SQL_BODY_EMPTY " AND size != 0" },
    { FINDING_CATALOG,
      "SELECT 'blob ' || id || ' overlaps the next one of pack ' || pack FROM"
      " (SELECT id, pack, at + size AS ends, lead(at) OVER (PARTITION BY pack ORDER BY at) AS next"
      "    FROM blob WHERE pack > 0) WHERE ends > next" },
    { FINDING_DAMAGE, "SELECT 'blob ' || id || ' was found to be damaged' FROM blob"
                      " WHERE damaged_us NOTNULL AND dead_seq IS NULL" },
    { FINDING_DAMAGE, "SELECT 'inline body ' || id || ' was found to be damaged' FROM inline_body"
                      " WHERE damaged_us NOTNULL AND id NOT IN (SELECT id FROM inline_dead)" },
    { FINDING_ROWS,
      "SELECT 'part ' || number || ' belongs to no open upload' FROM part"
      " WHERE upload NOT IN (SELECT id FROM upload WHERE state = " SQL_UPLOAD_OPEN ")" },
    { FINDING_ROWS,
      "SELECT 'upload ' || id || ' is in no bucket' FROM upload"
      " WHERE state = " SQL_UPLOAD_OPEN " AND bucket NOT IN (SELECT id FROM bucket)" },
    { FINDING_ROWS, "SELECT count(*) || ' events wait for nobody' FROM event"
                    " WHERE NOT EXISTS (SELECT 1 FROM subscriber) HAVING count(*) > 0" },
    { FINDING_CATALOG,
      "SELECT 'events ' || min(id) || ' to ' || max(id) || ' are ' || count(*) FROM event"
      " HAVING count(*) != max(id) - min(id) + 1" },
    { FINDING_CATALOG, "SELECT 'subscriber ' || quote(name) || ' is done with event ' || done"
                       " || ', which was never there' FROM subscriber"
                       " WHERE done > " SQL_LAST_EVENT },
    { FINDING_ROWS,
      "SELECT 'annotation ' || quote(name) || ' belongs to no version'" ANNOTATIONS_LEFT },
    { FINDING_ROWS, "SELECT 'version ' || seq || ' does not say whether it has annotations' FROM"
                    " (SELECT seq, flags, replication FROM object"
                    "  UNION ALL SELECT seq, flags, replication FROM version)"
                    " WHERE" ANNOTATED_DIFFERS },
    { FINDING_ROWS, "SELECT 'document ' || quote(kind) || ' is in no bucket' FROM document"
                    " WHERE bucket NOT IN (SELECT id FROM bucket)" },
};

static void count_finding(struct fsck_report *report, enum finding_class class)
{
    report->errors++;
    report->damaged += class == FINDING_DAMAGE;
    report->rows += class == FINDING_ROWS;
}

static enum store_status report_rows(struct catalog *cat, enum finding_class class,
                                     const char *text, check_line *line, void *context,
                                     struct fsck_report *report, struct fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(cat->db, text, -1, &stmt, NULL);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW) {
            count_finding(report, class);
            line(context, (const char *)sqlite3_column_text(stmt, 0));
        }
    }
    (void)sqlite3_finalize(stmt);

    /* A damaged catalog is a finding, not a failure of the check. */
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB) {
        report->errors++;
        line(context, "catalog: a table could not be read");
        return STORE_OK;
    }
    return rc == SQLITE_DONE ? STORE_OK : sql_fail(cat, rc, fault, text);
}

static enum store_status count_rows(struct catalog *cat, struct fsck_report *report,
                                    struct fault *fault)
{
    static struct sql sql = {
        .text = "SELECT (SELECT count(*) FROM bucket),"
                "       (SELECT count(*) FROM object)"
                "       + (SELECT count(*) FROM version),"
                "       (SELECT count(*) FROM upload WHERE state = " SQL_UPLOAD_OPEN "),"
                "       (SELECT count(*) FROM blob),"
                "       (SELECT count(*) FROM inline_body)"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status == STORE_OK)
        status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;

    report->buckets = (uint64_t)sql_i64(stmt, 0);
    report->versions = (uint64_t)sql_i64(stmt, 1);
    report->uploads = (uint64_t)sql_i64(stmt, 2);
    report->blobs = (uint64_t)sql_i64(stmt, 3);
    report->inline_bodies = (uint64_t)sql_i64(stmt, 4);
    return STORE_OK;
}

enum store_status catalog_check(struct catalog *cat, check_line *line, void *context,
                                struct fsck_report *report, struct fault *fault)
{
    enum store_status status = count_rows(cat, report, fault);

    for (size_t i = 0; status == STORE_OK && i < COUNT_OF(findings); i++)
        status =
            report_rows(cat, findings[i].class, findings[i].text, line, context, report, fault);
    return status;
}

enum store_status check_visit_blobs(struct catalog *cat, struct sql *sql, check_blob *visit,
                                    void *context, struct fault *fault)
{
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, sql, &stmt, fault);
    bool row = true;

    while (status == STORE_OK) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct checked_blob blob = { .scope = (uint64_t)sql_i64(stmt, 0),
                                     .hash = sql_str(stmt, 1),
                                     .size = (uint64_t)sql_i64(stmt, 2),
                                     .pack = (uint32_t)sql_i64(stmt, 3),
                                     .pack_at = (uint64_t)sql_i64(stmt, 4),
                                     .id = sql_i64(stmt, 5) };

        if (!visit(context, &blob))
            return STORE_STOPPED;
    }
    return status;
}

enum store_status catalog_check_blobs(struct catalog *cat, check_blob *visit, void *context,
                                      struct fault *fault)
{
    static struct sql sql = { .text = "SELECT scope, hash, size, pack, at, id FROM blob"
                                      " WHERE dead_seq IS NULL" /* nobody needs those */
                                      " ORDER BY hash" };

    return check_visit_blobs(cat, &sql, visit, context, fault);
}

enum store_status catalog_check_bodies(struct catalog *cat, check_body *visit, void *context,
                                       struct fault *fault)
{
    static struct sql sql = {
        .text = "SELECT key, body_kind, body_id, wrapped_key, size, etag, part_count = 0"
                "  FROM object WHERE body_kind != " SQL_BODY_EMPTY " UNION ALL"
                " SELECT key, body_kind, body_id, wrapped_key, size, etag, part_count = 0"
                "  FROM version WHERE body_kind != " SQL_BODY_EMPTY " UNION ALL"
                " SELECT x'', body_kind, body_id, wrapped_key, size, etag, 0"
                "  FROM part WHERE body_kind != " SQL_BODY_EMPTY " UNION ALL"
                " SELECT name, body_kind, body_id, wrapped_key, size, etag, 1 FROM annotation"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row = true;

    while (status == STORE_OK) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;

        struct checked_body body = { .key = sql_str(stmt, 0),
                                     .ref = { .kind = (enum body_kind)sql_i64(stmt, 1),
                                              .id = sql_i64(stmt, 2),
                                              .wrapped_key = sql_str(stmt, 3) },
                                     .size = (uint64_t)sql_i64(stmt, 4),
                                     .etag = sql_str(stmt, 5),
                                     .single = sql_i64(stmt, 6) != 0 };

        if (!visit(context, &body))
            return STORE_STOPPED;
    }
    return status;
}
