/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renames: a current version gets another key, in one row, and the tokens of clients that ask twice.
 *
 * (1) A key and a number are all that changes: bytes, parts, keys of encryption, times and attributes stay.
 *     The number is new, so that nobody takes the key for one that was not written.
 * (2) A bucket without versions only: what a history would be of a key that is no more nobody says.
 */
#include "storage/catalog/sql.h"

/* ---- tokens ------------------------------------------------------------------------------- */

enum store_status catalog_rename_asked(struct catalog *cat, int64_t bucket_id, struct str token,
                                       struct arena *arena, struct str *ret_asked,
                                       struct fault *fault)
{
    static struct sql sql = { .text =
                                  "SELECT asked FROM renamed WHERE bucket = ?1 AND token = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    struct str asked = STR_NONE;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_text(stmt, 2, token);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if (row)
        asked = sql_str(stmt, 0);
    if (!sql_keep(arena, &asked))
        return store_fault(fault, STORE_NO_MEMORY, "a token");

    *ret_asked = asked;
    return STORE_OK;
}

/* The id is one more than the greatest, and the oldest go: there are no gaps. */
static enum store_status token_keep(struct catalog *cat, const struct intent *intent,
                                    int64_t bucket_id, struct fault *fault)
{
    static struct sql keep = { .text =
                                   "INSERT INTO renamed(bucket, token, asked) VALUES(?1, ?2, ?3)" };
    static struct sql forget = { .text = "DELETE FROM renamed WHERE id <= ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &keep, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_text(stmt, 2, intent->rename.token);
    sql_bind_text(stmt, 3, intent->rename.asked);
    status = sql_run(cat, stmt, fault);
    if (status != STORE_OK)
        return status;
    return sql_run_i64(cat, &forget, sqlite3_last_insert_rowid(cat->db) - STORE_RENAMES_KEPT, 0,
                       fault);
}

/* ---- what was looked at ------------------------------------------------------------------- */

/* found NULL: there is none. */
static bool is_same(const struct version *found, const struct version *judged)
{
    if (found == NULL || judged == NULL)
        return found == judged;
    return found->seq == judged->seq && version_is_as_judged(found, judged);
}

struct found {
    struct version source, replaced;
    bool replaces;
};

static enum store_status find(struct catalog *cat, struct intent *intent,
                              const struct bucket_facts *bucket, struct found *ret_found)
{
    const struct intent_rename *rename = &intent->rename;
    const struct version_id current = { .kind = VERSION_CURRENT };
    struct arena *arena = scratch_reset(cat);
    enum store_status status = catalog_version_get(cat, bucket->id, intent->key, current, arena,
                                                   &ret_found->replaced, &intent->fault);

    ret_found->replaces = status == STORE_OK;
    if (status != STORE_OK && status != STORE_NO_KEY)
        return status;
    status = catalog_version_get(cat, bucket->id, rename->source, current, arena,
                                 &ret_found->source, &intent->fault);
    if (status == STORE_NO_KEY && rename->judged != NULL)
        return STORE_RETRY;
    if (status != STORE_OK)
        return status;

    if (rename->judged != NULL && !is_same(&ret_found->source, rename->judged))
        return STORE_RETRY;
    if (rename->heed_replaced &&
        !is_same(ret_found->replaces ? &ret_found->replaced : NULL, rename->replaced))
        return STORE_RETRY;
    if (version_is_locked(cat, &ret_found->source.attrs, /* bypass= */ false) ||
        (ret_found->replaces &&
         version_is_locked(cat, &ret_found->replaced.attrs, /* bypass= */ false)))
        return STORE_RETAINED;
    return STORE_OK;
}

/* ---- the move ----------------------------------------------------------------------------- */

static enum store_status move(struct catalog *cat, struct intent *intent, int64_t bucket_id,
                              int64_t seq)
{
    static struct sql sql = { .text = "UPDATE OR REPLACE object SET key = ?3, seq = ?4"
                                      " WHERE bucket = ?1 AND key = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, &intent->fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_text(stmt, 2, intent->rename.source);
    sql_bind_text(stmt, 3, intent->key);
    sql_bind_i64(stmt, 4, seq);
    return sql_run(cat, stmt, &intent->fault);
}

/* Two events: whoever follows the bucket finds one key gone and the other one there. */
static enum store_status tell(struct catalog *cat, struct intent *intent,
                              const struct bucket_facts *bucket, const struct version *source,
                              const struct version *renamed)
{
    int64_t now_us = clock_now_us(cat->clock);
    struct change gone = { .event = intent->rename.gone_event,
                           .key = source->key,
                           .seq = source->seq,
                           .null_version = true,
                           .size_bytes = source->size_bytes,
                           .etag = source->attrs.etag,
                           .time_us = now_us };
    enum store_status status = event_of_version(cat, intent, bucket, renamed, now_us);

    return status != STORE_OK ? status : event_append(cat, intent, bucket, &gone);
}

static enum store_status rename_found(struct catalog *cat, struct intent *intent,
                                      const struct bucket_facts *bucket, const struct found *found)
{
    struct version renamed = found->source;
    enum store_status status;

    renamed.key = intent->key;
    renamed.seq = tx_next_seq(cat);
    status = move(cat, intent, bucket->id, renamed.seq);
    if (status == STORE_OK && found->source.annotated)
        status = annotations_move(cat, found->source.seq, renamed.seq, &intent->fault);
    if (status == STORE_OK && found->replaces && found->replaced.annotated)
        status = annotations_release(cat, found->replaced.seq, &intent->fault);
    if (status == STORE_OK && found->replaces)
        status = body_release(cat, &found->replaced.body, &intent->fault);
    if (status == STORE_OK)
        status = upload_note_removal(cat, bucket->id, intent->rename.source, &intent->fault);
    if (status == STORE_OK && str_present(intent->rename.token))
        status = token_keep(cat, intent, bucket->id, &intent->fault);
    if (status == STORE_OK)
        status = tell(cat, intent, bucket, &found->source, &renamed);
    return status != STORE_OK ? status : intent_result(intent, bucket, &renamed);
}

enum store_status catalog_object_rename(struct catalog *cat, struct intent *intent)
{
    const struct intent_rename *rename = &intent->rename;
    struct str asked = STR_NONE;
    struct bucket_facts bucket;
    struct found found;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK &&
        (bucket.versioning != VERSIONING_NEVER || str_eq(rename->source, intent->key)))
        status = STORE_CONFLICT;
    if (status == STORE_OK && str_present(rename->token))
        status = catalog_rename_asked(cat, bucket.id, rename->token, scratch_reset(cat), &asked,
                                      &intent->fault);
    if (status != STORE_OK)
        return status;
    if (str_present(asked))
        return str_eq(asked, rename->asked) ? STORE_OK : STORE_TOKEN_REUSED;

    status = find(cat, intent, &bucket, &found);
    return status != STORE_OK ? status : rename_found(cat, intent, &bucket, &found);
}
