/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CompleteMultipartUpload: parts become one version. No bytes move; the work is O(parts).
 *
 * First every part named is compared with what is stored, then references are moved: a refusal
 * leaves the upload as it was.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
#include "storage/catalog/uploads/upload.h"

/* The stored parts, walked along the parts that were asked for; both by number. */
struct assembly {
    struct catalog *cat;
    struct intent *intent;
    size_t next; /* of the parts asked for */
    uint64_t pieces;
    struct version *fresh;
};

static bool is_chosen(const struct assembly *assembly, const struct part *part)
{
    const struct intent_complete *complete = &assembly->intent->complete;

    return assembly->next < complete->count &&
           complete->parts[assembly->next].number == part->number;
}

static enum store_status check_part(void *context, const struct stored_part *stored)
{
    struct assembly *assembly = context;

    uint64_t pieces = stored->body.kind != BODY_EMPTY;
    enum store_status status = STORE_OK;

    if (!is_chosen(assembly, &stored->part))
        return STORE_OK;
    if (assembly->intent->complete.parts[assembly->next++].seq != stored->part.seq)
        return STORE_RETRY;
    if (stored->body.kind == BODY_MANIFEST)
        status =
            manifest_piece_count(assembly->cat, stored->body.id, &pieces, &assembly->intent->fault);
    assembly->pieces += pieces;
    return status;
}

static enum store_status check_parts(struct catalog *cat, struct intent *intent, int64_t upload)
{
    const struct intent_complete *complete = &intent->complete;
    struct assembly assembly = { .cat = cat, .intent = intent };
    uint32_t previous = 0;
    enum store_status status;

    if (complete->count == 0 || complete->count > STORE_PARTS_MAX)
        return STORE_PART_LIMIT;
    for (size_t i = 0; i < complete->count; i++) {
        if (complete->parts[i].number <= previous)
            return STORE_NO_PART;
        previous = complete->parts[i].number;
    }

    status = part_each(cat, upload, check_part, &assembly, &intent->fault);
    if (status == STORE_OK && assembly.next < complete->count)
        return STORE_RETRY;
    /* Whoever reads the object holds a list of them. */
    if (status == STORE_OK && assembly.pieces > STORE_PIECES_MAX)
        return STORE_PIECE_LIMIT;
    return status;
}

/* A part that was asked for moves into the manifest; another one goes. */
static enum store_status take_part(void *context, const struct stored_part *stored)
{
    struct assembly *assembly = context;
    struct version *fresh = assembly->fresh;
    struct fault *fault = &assembly->intent->fault;
    enum store_status status;

    if (!is_chosen(assembly, &stored->part))
        return body_release(assembly->cat, &stored->body, fault);

    assembly->next++;
    status = manifest_add_part(assembly->cat, fresh->body.id, &stored->part, fault);
    if (status == STORE_OK)
        status = manifest_adopt(assembly->cat, fresh->body.id, fresh->size_bytes, &stored->body,
                                stored->part.size_bytes, fault);
    fresh->size_bytes += stored->part.size_bytes;
    return status;
}

static enum store_status take_parts(struct catalog *cat, struct intent *intent, int64_t upload,
                                    struct version *fresh)
{
    struct assembly assembly = { .cat = cat, .intent = intent, .fresh = fresh };
    enum store_status status;

    fresh->body = (struct body_ref){ .kind = BODY_MANIFEST, .id = tx_next_seq(cat) };
    fresh->part_count = (uint32_t)intent->complete.count;
    status = part_each(cat, upload, take_part, &assembly, &intent->fault);
    return status != STORE_OK ? status : part_remove_all(cat, upload, &intent->fault);
}

static enum store_status mark_done(struct catalog *cat, struct intent *intent,
                                   const struct bucket_facts *bucket, int64_t upload,
                                   const struct version *written)
{
    static struct sql sql = { .text = "UPDATE upload"
                                      "   SET state_us = ?2, done_seq = ?3, done_tail = ?4,"
                                      "       done_flags = ?5, etag = ?6, checksum = ?7,"
                                      "       state = " SQL_UPLOAD_DONE
                                      " WHERE id = ?1 AND state = " SQL_UPLOAD_OPEN };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, &intent->fault);
    int flags = (written->null_version ? FLAG_NULL_VERSION : 0) |
                (bucket->versioning != VERSIONING_NEVER ? FLAG_WAS_VERSIONED : 0);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, upload);
    sql_bind_i64(stmt, 2, clock_now_us(cat->clock));
    sql_bind_i64(stmt, 3, written->seq);
    sql_bind_i64(stmt, 4, (int64_t)written->tail);
    sql_bind_i64(stmt, 5, flags);
    sql_bind_text(stmt, 6, intent->complete.etag);
    sql_bind_str(stmt, 7, intent->complete.checksum);
    upload_note_closed(cat);
    return sql_run(cat, stmt, &intent->fault);
}

/*
 * A condition speaks of the key as it was when the upload began. What the upload's number and its
 * mark tell holds across restarts; a removal that leaves no row behind is only known by the mark.
 */
static enum store_status check_condition(const struct write_condition *condition,
                                         const struct upload *upload,
                                         const struct version_facts *current)
{
    bool asked = condition->if_none_match_any || condition_asks_presence(condition);
    bool changed = upload->key_removed || (current != NULL && current->seq > upload->seq);
    enum store_status status = condition_check(condition, current);

    return status == STORE_OK && asked && changed ? STORE_CONFLICT : status;
}

enum store_status catalog_upload_complete(struct catalog *cat, struct intent *intent)
{
    const struct intent_complete *complete = &intent->complete;
    struct bucket_facts bucket;
    struct upload upload;
    struct version_facts current;
    bool found;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = catalog_upload_get(cat, bucket.id, intent->key, complete->upload_id, intent->arena,
                                    &upload, &intent->fault);
    if (status != STORE_OK)
        return status;
    /* Somebody was faster: read again and answer what they got. */
    if (upload.done)
        return STORE_RETRY;
    status = check_parts(cat, intent, upload.seq);
    if (status == STORE_OK)
        status = versions_current(cat, bucket.id, intent->key, intent->arena, &current, &found,
                                  &intent->fault);
    if (status == STORE_OK)
        status = check_condition(&complete->condition, &upload, found ? &current : NULL);
    if (status != STORE_OK)
        return status;

    struct version fresh = { .key = intent->key,
                             .replication = replication_begins(complete->replicate),
                             .attrs = upload.attrs };

    fresh.attrs.etag = complete->etag;
    fresh.attrs.checksum = complete->checksum;
    status = take_parts(cat, intent, upload.seq, &fresh);
    if (status == STORE_OK)
        status = versions_insert(cat, &bucket, &fresh, found ? &current : NULL, &intent->fault);
    if (status == STORE_OK)
        status = mark_done(cat, intent, &bucket, upload.seq, &fresh);
    if (status == STORE_OK)
        status = event_written(cat, intent, &bucket, &fresh);
    return status != STORE_OK ? status : intent_result(intent, &bucket, &fresh);
}
