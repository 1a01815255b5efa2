/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart uploads: create, abort, remove.
 *
 *   open --complete--> done --24 h--> gone
 *     \--abort, expiry--> gone
 *
 * A done upload owns no bytes; its row answers a repeated Complete.
 */
#include "storage/catalog/uploads/upload.h"
#include "base/random.h"

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
    struct intent_upload_create *create = &intent->create_upload;
    struct bucket_facts bucket;
    int64_t owner;
    int64_t seq;
    uint64_t tail = random_u64();
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = account_intern(cat, create->attrs.owner, &owner, &intent->fault);
    if (status == STORE_OK)
        status = sql_start(cat, &sql, &stmt, &intent->fault);
    if (status != STORE_OK)
        return status;

    seq = tx_next_seq(cat);
    intent->result.committed_us = clock_now_us(cat->clock);
    create->upload_id = id_text_in(intent->arena, seq, tail);
    if (!str_present(create->upload_id))
        return STORE_NO_MEMORY;
    sql_bind_i64(stmt, 1, seq);
    sql_bind_i64(stmt, 2, (int64_t)tail);
    sql_bind_i64(stmt, 3, bucket.id);
    sql_bind_text(stmt, 4, intent->key);
    sql_bind_i64(stmt, 5, intent->result.committed_us);
    sql_bind_i64(stmt, 6, owner);
    sql_bind_i64(stmt, 7, create->attrs.storage_class);
    sql_bind_i64(stmt, 8, create->attrs.sse);
    sql_bind_i64(stmt, 9, create->checksum_kind);
    sql_bind_i64(stmt, 10, create->checksum_type);
    sql_bind_str(stmt, 11, create->attrs.tags);
    sql_bind_str(stmt, 12, create->attrs.headers);
    sql_bind_str(stmt, 13, create->attrs.acl);
    cat->uploads = UPLOADS_SOME;
    return sql_run(cat, stmt, &intent->fault);
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
        status = catalog_upload_get(cat, bucket.id, intent->key, intent->abort.upload_id,
                                    scratch_reset(cat), &upload, &intent->fault);
    if (status != STORE_OK)
        return status;
    if (upload.done)
        return STORE_NO_UPLOAD;
    if (intent->abort.has_initiated &&
        intent->abort.initiated_us / US_PER_S != upload.initiated_us / US_PER_S)
        return STORE_PRECONDITION_FAILED;

    return upload_remove(cat, upload.seq, &intent->fault);
}
