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
    static struct sql sql = { .text = "INSERT INTO upload(" UPLOAD_COLUMNS ", bucket)"
                                      " VALUES(" UPLOAD_MARKS ", ?)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    struct intent_upload_create *create = &intent->create_upload;
    struct bucket_facts bucket;
    uint64_t tail = random_u64();
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = sql_start(cat, &sql, &stmt, &intent->fault);
    if (status != STORE_OK)
        return status;

    struct upload fresh = {
        .seq = tx_next_seq(cat),
        .key = intent->key,
        .initiated_us = clock_now_us(cat->clock),
        .initiator = create->initiator,
        .attrs = create->attrs,
        .checksum_kind = create->checksum_kind,
        .checksum_type = create->checksum_type,
    };

    fresh.state_us = fresh.initiated_us;
    fresh.attrs.etag = STR_NONE; /* not before it is complete */
    fresh.attrs.checksum = STR_NONE;
    intent->result.committed_us = fresh.initiated_us;
    create->upload_id = id_text_in(intent->arena, fresh.seq, tail);
    if (!str_present(create->upload_id))
        return STORE_NO_MEMORY;
    sql_bind_i64(stmt, UPLOAD_COLUMN_COUNT + 1, bucket.id);
    status = bind_upload(cat, stmt, &fresh, tail, bucket.owner, &intent->fault);
    cat->uploads = UPLOADS_SOME;
    return status != STORE_OK ? status : sql_run(cat, stmt, &intent->fault);
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
