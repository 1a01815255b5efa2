/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lookup of one version: current, null, by id, by number.
 *
 * More than one table is asked, so the caller holds a snapshot or is the writer.
 */
#include "storage/catalog/row.h"

static enum store_status one_version(struct catalog *cat, struct sql *sql, int64_t bucket,
                                     struct str key, int64_t seq, struct arena *arena, bool latest,
                                     struct version *ret_version, bool *ret_found,
                                     struct fault *fault)
{
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket);
    sql_bind_text(stmt, 2, key);
    if (sqlite3_bind_parameter_count(stmt) > 2)
        sql_bind_i64(stmt, 3, seq);
    status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK && row)
        status = row_version(cat, stmt, arena, latest, ret_version, fault);
    if (status == STORE_OK)
        *ret_found = row;
    return status;
}

static enum store_status find_current(struct catalog *cat, int64_t bucket, struct str key,
                                      struct arena *arena, struct version *ret_version,
                                      bool *ret_found, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" VERSION_COLUMNS "FROM object"
                                      " WHERE bucket = ?1 AND key = ?2" };

    return one_version(cat, &sql, bucket, key, 0, arena, /* latest= */ true, ret_version, ret_found,
                       fault);
}

static enum store_status find_null(struct catalog *cat, int64_t bucket, struct str key,
                                   struct arena *arena, struct version *ret_version,
                                   bool *ret_found, struct fault *fault)
{
    static struct sql current = {
        .text = "SELECT" VERSION_COLUMNS "FROM object"
                " WHERE bucket = ?1 AND key = ?2 AND (flags & " SQL_NULL_VERSION ") != 0"
    };
    static struct sql history = {
        .text = "SELECT" VERSION_COLUMNS "FROM version"
                " WHERE bucket = ?1 AND key = ?2 AND (flags & " SQL_NULL_VERSION ") != 0"
    };
    enum store_status status = one_version(cat, &current, bucket, key, 0, arena, /* latest= */ true,
                                           ret_version, ret_found, fault);

    if (status != STORE_OK || *ret_found)
        return status;
    return one_version(cat, &history, bucket, key, 0, arena, /* latest= */ false, ret_version,
                       ret_found, fault);
}

static enum store_status find_seq(struct catalog *cat, int64_t bucket, struct str key, int64_t seq,
                                  struct arena *arena, struct version *ret_version, bool *ret_found,
                                  struct fault *fault)
{
    static struct sql current = { .text = "SELECT" VERSION_COLUMNS "FROM object"
                                          " WHERE bucket = ?1 AND key = ?2 AND seq = ?3" };
    static struct sql history = { .text = "SELECT" VERSION_COLUMNS "FROM version"
                                          " WHERE bucket = ?1 AND key = ?2 AND seq = ?3" };
    enum store_status status = one_version(cat, &current, bucket, key, seq, arena,
                                           /* latest= */ true, ret_version, ret_found, fault);

    if (status != STORE_OK || *ret_found)
        return status;
    return one_version(cat, &history, bucket, key, seq, arena, /* latest= */ false, ret_version,
                       ret_found, fault);
}

enum store_status catalog_version_get(struct catalog *cat, int64_t bucket_id, struct str key,
                                      struct version_id id, struct arena *arena,
                                      struct version *ret_version, struct fault *fault)
{
    struct version version;
    bool found = false;
    enum store_status status = STORE_OK;

    switch (id.kind) {
    case VERSION_CURRENT:
        status = find_current(cat, bucket_id, key, arena, &version, &found, fault);
        break;
    case VERSION_NULL:
        status = find_null(cat, bucket_id, key, arena, &version, &found, fault);
        break;
    case VERSION_EXACT:
        status = find_seq(cat, bucket_id, key, id.seq, arena, &version, &found, fault);
        /* A null version answers to "null" alone, and a guessed number names nothing. */
        if (status == STORE_OK && found)
            found = version.tail == id.tail && !version.null_version;
        break;
    }
    if (status != STORE_OK)
        return status;
    if (!found)
        return id.kind == VERSION_CURRENT ? STORE_NO_KEY : STORE_NO_VERSION;

    *ret_version = version;
    return STORE_OK;
}

enum store_status catalog_version_by_seq(struct catalog *cat, int64_t bucket_id, struct str key,
                                         int64_t seq, struct arena *arena,
                                         struct version *ret_version, struct fault *fault)
{
    bool found = false;
    enum store_status status =
        find_seq(cat, bucket_id, key, seq, arena, ret_version, &found, fault);

    return status == STORE_OK && !found ? STORE_NO_VERSION : status;
}
