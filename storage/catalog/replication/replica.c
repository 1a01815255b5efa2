/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas: a version of one bucket written into another one, or made what its source has become.
 * See storage/replication.h.
 */
#include "storage/catalog/sql.h"

/* ---- its bytes ----------------------------------------------------------------------------- */

static enum store_status copy_parts(struct catalog *cat, int64_t from, int64_t to,
                                    struct fault *fault)
{
    static struct sql sql = {
        .text = "INSERT INTO manifest_part(manifest, number, size, etag, checksum)"
                " SELECT ?2, number, size, etag, checksum"
                "   FROM manifest_part WHERE manifest = ?1"
    };

    return sql_run_i64(cat, &sql, from, to, fault);
}

/* A reference to all the source's bytes, with its parts. */
static enum store_status take_body(struct catalog *cat, const struct version *source,
                                   struct body_ref *ret_ref, struct fault *fault)
{
    enum store_status status =
        body_slice(cat, &source->body, source->size_bytes, 0, source->size_bytes, ret_ref, fault);

    if (status != STORE_OK || source->body.kind != BODY_MANIFEST)
        return status;
    if (ret_ref->kind == BODY_EMPTY)
        *ret_ref = (struct body_ref){ .kind = BODY_MANIFEST, .id = tx_next_seq(cat) };
    return copy_parts(cat, source->body.id, ret_ref->id, fault);
}

static enum store_status make(struct catalog *cat, struct intent *intent,
                              const struct bucket_facts *bucket, const struct version *source,
                              const struct rewrapping *rewrapping)
{
    uint8_t room[WRAPPED_KEY_BYTES_MAX];
    struct version fresh = intent->replica.replica;
    struct version_facts current;
    bool found;
    enum store_status status;

    /* Its bytes are not encrypted as the submitter read it any more. */
    if (!intent->replica.set_encryption && (fresh.attrs.sse != source->attrs.sse ||
                                            !str_eq(fresh.attrs.headers, source->attrs.headers)))
        return STORE_RETRY;
    fresh.key = intent->key;
    fresh.size_bytes = source->size_bytes;
    status = take_body(cat, source, &fresh.body, &intent->fault);
    if (status == STORE_OK && intent->replica.set_encryption)
        status = body_rewrap(cat, &fresh.body, rewrapping, room, &fresh.body.wrapped_key,
                             &intent->fault);
    if (status == STORE_OK)
        status = versions_current(cat, bucket->id, intent->key, intent->arena, &current, &found,
                                  &intent->fault);
    if (status == STORE_OK)
        status =
            versions_insert_replica(cat, bucket, &fresh, found ? &current : NULL, &intent->fault);
    return status != STORE_OK
               ? status
               : event_of_version(cat, intent, bucket, &fresh, clock_now_us(cat->clock));
}

/* ---- one that is there --------------------------------------------------------------------- */

#define CHANGE_IN(TABLE)                                                                           \
    "UPDATE " TABLE " SET tags = ?4, acl = ?5, lock_mode = ?6, retain_us = ?7, legal_hold = ?8"    \
    " WHERE bucket = ?1 AND key = ?2 AND seq = ?3"

/* What its own bucket has retained for good stays so. */
static bool keeps_its_retention(struct catalog *cat, const struct version_attrs *present,
                                const struct version_attrs *wanted)
{
    return present->lock_mode == LOCK_COMPLIANCE &&
           present->retain_until_us > clock_now_us(cat->clock) &&
           (wanted->lock_mode != LOCK_COMPLIANCE ||
            wanted->retain_until_us < present->retain_until_us);
}

static enum store_status change(struct catalog *cat, const struct intent *intent,
                                const struct bucket_facts *bucket, const struct version *present,
                                struct fault *fault)
{
    static struct sql current = { .text = CHANGE_IN("object") };
    static struct sql history = { .text = CHANGE_IN("version") };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    const struct version_attrs *wanted = &intent->replica.replica.attrs;
    const struct version_attrs *lock =
        keeps_its_retention(cat, &present->attrs, wanted) ? &present->attrs : wanted;
    enum store_status status = sql_start(cat, present->latest ? &current : &history, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket->id);
    sql_bind_text(stmt, 2, intent->key);
    sql_bind_i64(stmt, 3, present->seq);
    sql_bind_str(stmt, 4, wanted->tags);
    sql_bind_str(stmt, 5, wanted->acl);
    sql_bind_i64(stmt, 6, lock->lock_mode);
    sql_bind_i64(stmt, 7, lock->retain_until_us);
    sql_bind_i64(stmt, 8, wanted->legal_hold);
    return sql_run(cat, stmt, fault);
}

enum store_status catalog_replica_put(struct catalog *cat, struct intent *intent,
                                      const struct rewrapping *rewrapping)
{
    const struct intent_replica *asked = &intent->replica;
    struct bucket_facts bucket;
    struct version source;
    struct version present;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = catalog_version_by_seq(cat, asked->source_bucket_id, intent->key,
                                        asked->replica.seq, scratch_reset(cat), &source,
                                        &intent->fault);
    if (status == STORE_NO_VERSION ||
        (status == STORE_OK && bucket.versioning != VERSIONING_ENABLED))
        return STORE_RETRY;
    if (status != STORE_OK)
        return status;

    status = catalog_version_by_seq(cat, bucket.id, intent->key, asked->replica.seq, cat->scratch,
                                    &present, &intent->fault);
    if (status == STORE_OK)
        return change(cat, intent, &bucket, &present, &intent->fault);
    if (status != STORE_NO_VERSION || asked->change)
        return status == STORE_NO_VERSION ? STORE_OK : status;
    return make(cat, intent, &bucket, &source, rewrapping);
}
