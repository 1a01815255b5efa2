/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart uploads: create, look up, abort, remove.
 *
 *   open --complete--> done --24 h--> gone
 *     \--abort, expiry--> gone
 *
 * A done upload owns no bytes; its row answers a repeated Complete.
 */
#include "storage/catalog/uploads/upload.h"
#include "base/random.h"

enum store_status row_upload(struct catalog *cat, sqlite3_stmt *stmt, struct arena *arena,
                             struct upload *ret_upload, struct fault *fault)
{
    uint64_t tail = (uint64_t)sql_i64(stmt, 1);
    int64_t done_flags = sql_i64(stmt, 12);
    struct upload u = {
        .seq = sql_i64(stmt, 0),
        .key = sql_str(stmt, 2),
        .done = sql_i64(stmt, 3) != 0,
        .initiated_us = sql_i64(stmt, 4),
        .checksum_kind = (uint8_t)sql_i64(stmt, 8),
        .checksum_type = (uint8_t)sql_i64(stmt, 9),
        .done_version = { .kind = (done_flags & FLAG_NULL_VERSION) != 0 ? VERSION_NULL
                                                                        : VERSION_EXACT,
                          .seq = sql_i64(stmt, 10),
                          .tail = (uint64_t)sql_i64(stmt, 11) },
        .done_versioned = (done_flags & FLAG_WAS_VERSIONED) != 0,
        .key_removed = (done_flags & FLAG_KEY_REMOVED) != 0,
        .attrs = { .storage_class = (uint8_t)sql_i64(stmt, 6),
                   .sse = (uint8_t)sql_i64(stmt, 7),
                   .etag = sql_str(stmt, 13),
                   .checksum = sql_str(stmt, 14),
                   .tags = sql_str(stmt, 15),
                   .headers = sql_str(stmt, 16),
                   .acl = sql_str(stmt, 17) },
    };
    enum store_status status = account_text(cat, sql_i64(stmt, 5), &u.initiator, fault);

    if (status != STORE_OK)
        return status;
    if (!u.done)
        u.done_version = (struct version_id){ .kind = VERSION_CURRENT };
    u.id = id_text_in(arena, u.seq, tail);
    if (!str_present(u.id) || !sql_keep(arena, &u.initiator) || !sql_keep(arena, &u.key) ||
        !sql_keep(arena, &u.attrs.etag) || !sql_keep(arena, &u.attrs.checksum) ||
        !sql_keep(arena, &u.attrs.tags) || !sql_keep(arena, &u.attrs.headers) ||
        !sql_keep(arena, &u.attrs.acl))
        return fault_set(fault, STORE_NO_MEMORY, "upload");

    u.attrs.owner = u.initiator;
    *ret_upload = u;
    return STORE_OK;
}

enum store_status catalog_upload_get(struct catalog *cat, int64_t bucket_id, struct str key,
                                     struct str upload_id, struct arena *arena,
                                     struct upload *ret_upload, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" UPLOAD_COLUMNS "FROM upload"
                                      " WHERE id = ?1 AND tail = ?2 AND bucket = ?3 AND key = ?4" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    struct version_id id;
    enum store_status status;
    bool row;

    if (!version_id_parse(upload_id, &id) || id.kind != VERSION_EXACT)
        return STORE_NO_UPLOAD;

    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, id.seq);
    sql_bind_i64(stmt, 2, (int64_t)id.tail);
    sql_bind_i64(stmt, 3, bucket_id);
    sql_bind_text(stmt, 4, key);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    return row ? row_upload(cat, stmt, arena, ret_upload, fault) : STORE_NO_UPLOAD;
}

enum store_status catalog_upload_create(struct catalog *cat, struct intent *intent)
{
    static struct sql sql = {
        .text =
            "INSERT INTO upload(id, tail, bucket, key, state, initiated_us, state_us, owner, class,"
            "                   sse, checksum_kind, checksum_type, done_seq, done_tail, done_flags,"
            "                   etag, checksum, tags, headers, acl)"
            " VALUES(?1, ?2, ?3, ?4, 0, ?5, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, 0, x'', NULL, ?11, ?12,"
            "        ?13)"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    struct bucket_facts bucket;
    int64_t owner;
    int64_t seq;
    uint64_t tail = random_u64();
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = account_intern(cat, intent->attrs.owner, &owner, &intent->fault);
    if (status == STORE_OK)
        status = sql_start(cat, &sql, &stmt, &intent->fault);
    if (status != STORE_OK)
        return status;

    seq = tx_next_seq(cat);
    intent->committed_us = clock_now_us();
    intent->upload_id = id_text_in(intent->arena, seq, tail);
    if (!str_present(intent->upload_id))
        return STORE_NO_MEMORY;
    sql_bind_i64(stmt, 1, seq);
    sql_bind_i64(stmt, 2, (int64_t)tail);
    sql_bind_i64(stmt, 3, bucket.id);
    sql_bind_text(stmt, 4, intent->key);
    sql_bind_i64(stmt, 5, intent->committed_us);
    sql_bind_i64(stmt, 6, owner);
    sql_bind_i64(stmt, 7, intent->attrs.storage_class);
    sql_bind_i64(stmt, 8, intent->attrs.sse);
    sql_bind_i64(stmt, 9, intent->checksum_kind);
    sql_bind_i64(stmt, 10, intent->checksum_type);
    sql_bind_str(stmt, 11, intent->attrs.tags);
    sql_bind_str(stmt, 12, intent->attrs.headers);
    sql_bind_str(stmt, 13, intent->attrs.acl);
    cat->uploads = UPLOADS_SOME;
    return sql_run(cat, stmt, &intent->fault);
}

/* ---- what happens to the key meanwhile --------------------------------------------------- */

/*
 * Asked of the catalog once in a while, so that deletes in a store without uploads pay nothing.
 * upload_age answers: finished uploads cost nothing here. Below, the planner would read all that
 * are open rather than those of the key.
 */
static enum store_status know_open(struct catalog *cat, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT 1 FROM upload WHERE state = 0 LIMIT 1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status;
    bool row;

    if (cat->uploads != UPLOADS_UNKNOWN)
        return STORE_OK;
    status = sql_start(cat, &sql, &stmt, fault);
    if (status == STORE_OK)
        status = sql_step(cat, stmt, &row, fault);
    if (status == STORE_OK)
        cat->uploads = row ? UPLOADS_SOME : UPLOADS_NONE;
    return status;
}

enum store_status upload_note_removal(struct catalog *cat, int64_t bucket, struct str key,
                                      struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE upload INDEXED BY upload_open"
                                      " SET done_flags = done_flags | 8"
                                      " WHERE bucket = ?1 AND key = ?2 AND state = 0" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = know_open(cat, fault);

    if (status != STORE_OK || cat->uploads == UPLOADS_NONE)
        return status;
    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket);
    sql_bind_text(stmt, 2, key);
    return sql_run(cat, stmt, fault);
}

void upload_note_closed(struct catalog *cat)
{
    cat->uploads = UPLOADS_UNKNOWN;
}

/* ---- removal ----------------------------------------------------------------------------- */

struct release {
    struct catalog *cat;
    struct fault *fault;
};

static enum store_status release_part(void *context, const struct stored_part *stored)
{
    struct release *release = context;

    return body_release(release->cat, &stored->body, release->fault);
}

enum store_status upload_remove(struct catalog *cat, int64_t upload, struct fault *fault)
{
    static struct sql sql = { .text = "DELETE FROM upload WHERE id = ?1" };
    struct release release = { .cat = cat, .fault = fault };
    enum store_status status = part_each(cat, upload, release_part, &release, fault);

    if (status == STORE_OK)
        status = part_remove_all(cat, upload, fault);
    upload_note_closed(cat);
    return status != STORE_OK ? status : sql_run_i64(cat, &sql, upload, 0, fault);
}

enum store_status catalog_upload_abort(struct catalog *cat, struct intent *intent)
{
    struct bucket_facts bucket;
    struct upload upload;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = catalog_upload_get(cat, bucket.id, intent->key, intent->upload_id,
                                    scratch_reset(cat), &upload, &intent->fault);
    if (status != STORE_OK)
        return status;
    if (upload.done)
        return STORE_NO_UPLOAD;
    if (intent->has_initiated && intent->initiated_us / US_PER_S != upload.initiated_us / US_PER_S)
        return STORE_PRECONDITION_FAILED;

    return upload_remove(cat, upload.seq, &intent->fault);
}
