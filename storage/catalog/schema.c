/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which schema a catalog has, and how an older one becomes this program's.
 *
 * (1) Each schema is one step after the one before it, in a transaction of its own: a crash leaves
 *     one or the other.
 * (2) What a step did to a catalog it does for good: steps and rows of columns.def that a release had
 *     do not change.
 */
#include <stdio.h>

#include "storage/catalog/columns.h"
#include "storage/catalog/sql.h"

/* What a step to that schema does beside adding the columns that are new in it. */
static const char *const steps[SCHEMA_STEPS + 1] = {
    [2] = "ALTER TABLE blob ADD COLUMN pack INTEGER NOT NULL DEFAULT 0;"
          "ALTER TABLE blob ADD COLUMN at INTEGER NOT NULL DEFAULT 0;"
          "CREATE INDEX blob_pack ON blob(pack, at) WHERE pack > 0;",
    /* Parts made from whole multipart objects had their parts, and left them behind. */
    [4] = "DELETE FROM manifest_part WHERE manifest NOT IN"
          " (SELECT body_id FROM object WHERE body_kind = 3"
          "  UNION ALL SELECT body_id FROM version WHERE body_kind = 3);",
    [5] = "ALTER TABLE inline_body ADD COLUMN sum INTEGER;"
          "ALTER TABLE inline_body ADD COLUMN damaged_us INTEGER;"
          "ALTER TABLE blob ADD COLUMN sum INTEGER;"
          "ALTER TABLE blob ADD COLUMN damaged_us INTEGER;"
          "CREATE INDEX blob_damaged ON blob(id) WHERE damaged_us IS NOT NULL;",
    [6] = "CREATE TABLE event("
          "  id INTEGER PRIMARY KEY AUTOINCREMENT, name BLOB NOT NULL, bucket INTEGER NOT NULL,"
          "  bucket_name BLOB NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL, version_id BLOB,"
          "  size INTEGER NOT NULL, etag BLOB NOT NULL, time_us INTEGER NOT NULL, request_id BLOB,"
          "  principal BLOB, address BLOB) STRICT;"
          "CREATE TABLE subscriber("
          "  name BLOB PRIMARY KEY, done INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    [9] = "CREATE TABLE renamed("
          "  id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, token BLOB NOT NULL,"
          "  asked BLOB NOT NULL, UNIQUE(bucket, token)) STRICT;"
          "CREATE TABLE annotation("
          "  version INTEGER NOT NULL, name BLOB NOT NULL, size INTEGER NOT NULL,"
          "  modified_us INTEGER NOT NULL, body_kind INTEGER NOT NULL, body_id INTEGER NOT NULL,"
          "  wrapped_key BLOB, etag BLOB NOT NULL, checksum BLOB,"
          "  PRIMARY KEY(version, name)) STRICT, WITHOUT ROWID;"
          "CREATE TABLE backlog("
          "  id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, key BLOB NOT NULL,"
          "  seq INTEGER NOT NULL, change INTEGER NOT NULL, tries INTEGER NOT NULL,"
          "  due_us INTEGER NOT NULL, UNIQUE(bucket, key, seq)) STRICT;"
          "CREATE INDEX backlog_due ON backlog(due_us, id);",
};

/* Columns, by the schema that first has them; those of schema 1 never need to be added. */
#define ADD(TABLE, NAME, KIND, SINCE, DEFAULT)                                                     \
    { SINCE, "ALTER TABLE " TABLE " ADD COLUMN " #NAME " " COLUMN_TYPE_##KIND DEFAULT },
#define ADD_TO_VERSIONS(NAME, KIND, FIELD, SINCE, DEFAULT, COMMENT)                                \
    ADD("object", NAME, KIND, SINCE, DEFAULT)                                                      \
    ADD("version", NAME, KIND, SINCE, DEFAULT)
#define ADD_TO_UPLOADS(NAME, KIND, FIELD, SINCE, DEFAULT, COMMENT)                                 \
    ADD("upload", NAME, KIND, SINCE, DEFAULT)
#define ADD_TO_BOTH(NAME, KIND, FIELD, SINCE, DEFAULT, COMMENT)                                    \
    ADD_TO_VERSIONS(NAME, KIND, FIELD, SINCE, DEFAULT, COMMENT)                                    \
    ADD_TO_UPLOADS(NAME, KIND, FIELD, SINCE, DEFAULT, COMMENT)
#define ADD_TO_PARTS(NAME, KIND, FIELD, SINCE, DEFAULT, COMMENT)                                   \
    ADD("part", NAME, KIND, SINCE, DEFAULT)
#define ADD_TO_BUCKETS(NAME, KIND, FIELD, SINCE, DEFAULT, COMMENT)                                 \
    ADD("bucket", NAME, KIND, SINCE, DEFAULT)

static const struct {
    int since;
    const char *text;
} additions[] = { COLUMN_ROWS(ADD_TO_VERSIONS, ADD_TO_UPLOADS, ADD_TO_BOTH) PART_ROWS(ADD_TO_PARTS)
                      BUCKET_ROWS(ADD_TO_BUCKETS) };

enum store_status schema_mark(struct catalog *cat, int version, struct fault *fault)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "PRAGMA user_version = %d", version);
    return sql_script(cat, text, fault);
}

/* From the schema before it. */
static enum store_status change_to(struct catalog *cat, int version, struct fault *fault)
{
    enum store_status status = STORE_OK;

    if (version <= SCHEMA_STEPS && steps[version] != NULL)
        status = sql_script(cat, steps[version], fault);
    for (size_t i = 0; status == STORE_OK && i < COUNT_OF(additions); i++) {
        if (additions[i].since == version)
            status = sql_script(cat, additions[i].text, fault);
    }
    return status != STORE_OK ? status : schema_mark(cat, version, fault);
}

static enum store_status migrate(struct catalog *cat, int from, struct fault *fault)
{
    enum store_status status = STORE_OK;

    for (int version = from + 1; status == STORE_OK && version <= SCHEMA_VERSION; version++) {
        status = sql_script(cat, "BEGIN IMMEDIATE", fault);
        if (status == STORE_OK)
            status = change_to(cat, version, fault);
        if (status == STORE_OK)
            status = sql_script(cat, "COMMIT", fault);
        if (status != STORE_OK)
            (void)sqlite3_exec(cat->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

enum store_status schema_check(struct catalog *cat, struct fault *fault)
{
    int64_t application;
    int64_t version;
    enum store_status status = sql_script_i64(cat, "PRAGMA application_id", &application, fault);

    if (status == STORE_OK)
        status = sql_script_i64(cat, "PRAGMA user_version", &version, fault);
    if (status != STORE_OK)
        return status;

    if (application != APPLICATION_ID)
        return store_fault(fault, STORE_FORMAT, "catalog.db is not a pail catalog");
    if (version >= 1 && version < SCHEMA_VERSION && cat->mode == CATALOG_WRITER)
        return migrate(cat, (int)version, fault);
    if (version != SCHEMA_VERSION)
        return store_fault(fault, STORE_FORMAT, "catalog.db has schema %lld, this program knows %d",
                           (long long)version, SCHEMA_VERSION);
    return STORE_OK;
}
