/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to objects: put (with bytes or a copy source), delete, set attributes.
 *
 * Every verb first looks and decides, then writes: a refusal leaves nothing behind.
 */
#include "storage/catalog/sql.h"

/* ---- put --------------------------------------------------------------------------------- */

/* The new body's reference, taken before anything old is given back: a key can copy itself. */
static enum store_status take_body(struct catalog *cat, struct intent *intent,
                                   const struct staged_body *staged, const struct version *from,
                                   struct version *fresh)
{
    if (from == NULL) {
        fresh->size_bytes = staged->size_bytes;
        return body_store(cat, staged, &fresh->body, &intent->fault);
    }

    /* Of a multipart object too: a copy has no parts. */
    return copy_source_slice(cat, intent, from, &fresh->body, &fresh->size_bytes);
}

enum store_status catalog_object_put(struct catalog *cat, struct intent *intent,
                                     const struct staged_body *staged,
                                     const struct rewrapping *rewrapping)
{
    const struct intent_put *put = &intent->put;
    bool copies = copy_refers(intent);
    struct bucket_facts bucket;
    struct version_facts current;
    struct version from;
    bool found;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = versions_current(cat, bucket.id, intent->key, scratch_reset(cat), &current, &found,
                                  &intent->fault);
    if (status == STORE_OK)
        status = condition_check(&put->condition, found ? &current : NULL);
    if (status == STORE_OK && copies)
        status = copy_source_find(cat, intent, &from);
    if (status != STORE_OK)
        return status;

    struct version fresh = { .key = intent->key,
                             .replication = replication_begins(put->replicate),
                             .attrs = put->attrs };

    status = take_body(cat, intent, staged, copies ? &from : NULL, &fresh);
    if (status == STORE_OK && put->with_annotations)
        status = annotations_copy(cat, intent, &fresh, rewrapping);
    if (status == STORE_OK)
        status = versions_insert(cat, &bucket, &fresh, found ? &current : NULL, &intent->fault);
    if (status == STORE_OK)
        status = event_written(cat, intent, &bucket, &fresh);
    return status != STORE_OK ? status : intent_result(intent, &bucket, &fresh);
}

/* ---- delete ------------------------------------------------------------------------------ */

static struct version_facts facts_of(const struct version *version)
{
    return (struct version_facts){
        .seq = version->seq,
        .delete_marker = version->delete_marker,
        .null_version = version->null_version,
        .annotated = version->annotated,
        .latest = version->latest,
        .modified_us = version->modified_us,
        .size_bytes = version->size_bytes,
        .etag = version->attrs.etag,
        .body = version->body,
    };
}

static bool is_retained(struct catalog *cat, const struct version_attrs *attrs)
{
    return attrs->lock_mode != LOCK_NONE && attrs->retain_until_us > clock_now_us(cat->clock);
}

bool version_is_locked(struct catalog *cat, const struct version_attrs *attrs, bool bypass)
{
    return attrs->legal_hold == HOLD_ON ||
           (is_retained(cat, attrs) && !(bypass && attrs->lock_mode == LOCK_GOVERNANCE));
}

static enum store_status delete_named(struct catalog *cat, struct intent *intent,
                                      const struct bucket_facts *bucket, struct delete_item *item)
{
    struct version version;
    enum store_status status = catalog_version_get(cat, bucket->id, item->key, item->version,
                                                   scratch_reset(cat), &version, &intent->fault);

    /* S3 answers 204 for what is not there. */
    if (status == STORE_NO_VERSION || status == STORE_NO_KEY)
        return STORE_OK;
    if (status != STORE_OK)
        return status;

    if (item->judged_seq != 0 && item->judged_seq != version.seq)
        return STORE_OK;

    struct version_facts facts = facts_of(&version);

    status = condition_check(&item->condition, &facts);
    if (status == STORE_OK && version_is_locked(cat, &version.attrs, item->bypass))
        status = STORE_RETAINED;
    if (status != STORE_OK)
        return status;
    item->deleted_marker = facts.delete_marker;
    status = versions_remove(cat, bucket, item->key, &facts, &intent->fault);
    return status != STORE_OK
               ? status
               : event_of_version(cat, intent, bucket, &version, clock_now_us(cat->clock));
}

static enum store_status put_marker(struct catalog *cat, struct intent *intent,
                                    const struct bucket_facts *bucket, struct delete_item *item,
                                    const struct version_facts *current)
{
    struct version marker = { .key = item->key,
                              .delete_marker = true,
                              .replication = replication_begins(item->replicate),
                              .attrs.owner = intent->remove.owner };
    enum store_status status = versions_insert(cat, bucket, &marker, current, &intent->fault);

    if (status == STORE_OK)
        status = event_written(cat, intent, bucket, &marker);
    if (status != STORE_OK)
        return status;

    item->made_marker = true;
    item->marker_version = version_id_text(&marker, intent->arena);
    return str_present(item->marker_version) ? STORE_OK : STORE_NO_MEMORY;
}

/* Of a bucket without versioning. */
static enum store_status remove_only(struct catalog *cat, struct intent *intent,
                                     const struct bucket_facts *bucket, struct str key,
                                     const struct version_facts *only)
{
    struct change change = { .event = intent->origin.event,
                             .key = key,
                             .seq = only->seq,
                             .null_version = true,
                             .size_bytes = only->size_bytes,
                             .etag = only->etag,
                             .time_us = clock_now_us(cat->clock) };
    enum store_status status = versions_remove(cat, bucket, key, only, &intent->fault);

    return status != STORE_OK ? status : event_append(cat, intent, bucket, &change);
}

static enum store_status delete_current(struct catalog *cat, struct intent *intent,
                                        const struct bucket_facts *bucket, struct delete_item *item)
{
    struct version_facts current;
    bool found;
    enum store_status status = versions_current(cat, bucket->id, item->key, scratch_reset(cat),
                                                &current, &found, &intent->fault);

    if (status == STORE_OK && item->judged_seq != 0 && (!found || current.seq != item->judged_seq))
        return STORE_OK;
    if (status == STORE_OK)
        status = condition_check(&item->condition, found ? &current : NULL);
    /* A condition on what is not there: nothing to delete, nothing to mark. */
    if (status == STORE_NO_KEY)
        return STORE_OK;
    if (status != STORE_OK)
        return status;

    if (bucket->versioning != VERSIONING_NEVER)
        return put_marker(cat, intent, bucket, item, found ? &current : NULL);
    return found ? remove_only(cat, intent, bucket, item->key, &current) : STORE_OK;
}

enum store_status catalog_object_delete(struct catalog *cat, struct intent *intent)
{
    struct bucket_facts bucket;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status != STORE_OK)
        return status;
    intent->result.versioned = bucket.versioning != VERSIONING_NEVER;

    for (size_t i = 0; i < intent->remove.count; i++) {
        struct delete_item *item = &intent->remove.items[i];

        item->deleted_marker = false;
        item->made_marker = false;
        item->marker_version = STR_NONE;
        item->status = item->has_version ? delete_named(cat, intent, &bucket, item)
                                         : delete_current(cat, intent, &bucket, item);
        /* A refused item is its own affair; a failure takes back the whole intent. */
        if (item->status != STORE_OK && item->status != STORE_PRECONDITION_FAILED &&
            item->status != STORE_RETAINED)
            return item->status;
    }

    return STORE_OK;
}

/* ---- set --------------------------------------------------------------------------------- */

#define SET_OF(TABLE)                                                                              \
    "UPDATE " TABLE " SET tags = iif(?4, ?5, tags), acl = iif(?6, ?7, acl),"                       \
    " lock_mode = iif(?8, ?9, lock_mode), retain_us = iif(?8, ?10, retain_us),"                    \
    " legal_hold = iif(?11, ?12, legal_hold), sse = iif(?13, ?14, sse),"                           \
    " headers = iif(?13, ?15, headers), wrapped_key = iif(?13, ?16, wrapped_key),"                 \
    " class = iif(?17, ?18, class), restore_us = iif(?19, ?20, restore_us),"                       \
    " restored_us = iif(?19, ?21, restored_us),"                                                   \
    " replication = iif(?22 AND replication != 4, 1, replication)"                                 \
    " WHERE bucket = ?1 AND key = ?2 AND seq = ?3"

/*
 * An ACL that is as it was is no change; tags are told whatever they were.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
 */
static bool changes_version(const struct intent_object_set *set, const struct version *version)
{
    return set->set_tags || set->set_class || set->set_restore ||
           str_present(set->acl) != str_present(version->attrs.acl) ||
           !str_eq(set->acl, version->attrs.acl);
}

/* A retention that still holds is not shortened and changes its mode only for who may bypass it. */
static bool may_retain(struct catalog *cat, const struct intent_object_set *set,
                       const struct version_attrs *attrs)
{
    if (!set->set_retention || !is_retained(cat, attrs))
        return true;
    if (set->lock_mode == attrs->lock_mode && set->retain_until_us >= attrs->retain_until_us)
        return true;
    return set->bypass && attrs->lock_mode == LOCK_GOVERNANCE;
}

static void bind_set(sqlite3_stmt *stmt, const struct intent_object_set *set, struct str wrapped)
{
    sql_bind_i64(stmt, 4, set->set_tags);
    sql_bind_str(stmt, 5, set->tags);
    sql_bind_i64(stmt, 6, set->set_acl);
    sql_bind_str(stmt, 7, set->acl);
    sql_bind_i64(stmt, 8, set->set_retention);
    sql_bind_i64(stmt, 9, set->lock_mode);
    sql_bind_i64(stmt, 10, set->retain_until_us);
    sql_bind_i64(stmt, 11, set->set_hold);
    sql_bind_i64(stmt, 12, set->legal_hold);
    sql_bind_i64(stmt, 13, set->set_encryption);
    sql_bind_i64(stmt, 14, set->sse);
    sql_bind_str(stmt, 15, set->headers);
    sql_bind_str(stmt, 16, wrapped);
    sql_bind_i64(stmt, 17, set->set_class);
    sql_bind_i64(stmt, 18, set->storage_class);
    sql_bind_i64(stmt, 19, set->set_restore);
    sql_bind_i64(stmt, 20, set->restore_ready_us);
    sql_bind_i64(stmt, 21, set->restored_until_us);
    sql_bind_i64(stmt, 22, set->replicate);
}

enum store_status catalog_object_set(struct catalog *cat, struct intent *intent,
                                     const struct rewrapping *rewrapping)
{
    static struct sql current = { .text = SET_OF("object") };
    static struct sql history = { .text = SET_OF("version") };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    const struct intent_object_set *set = &intent->object_set;
    uint8_t room[WRAPPED_KEY_BYTES_MAX];
    struct str wrapped = STR_NONE;
    struct bucket_facts bucket;
    struct version version;
    enum store_status status = bucket_of_intent(cat, intent, &bucket);

    if (status == STORE_OK)
        status = catalog_version_get(cat, bucket.id, intent->key, set->version, scratch_reset(cat),
                                     &version, &intent->fault);
    if (status != STORE_OK)
        return status;
    if (set->judged_seq != 0 && set->judged_seq != version.seq)
        return STORE_NO_VERSION;
    if (version.delete_marker)
        return STORE_DELETE_MARKER;
    if (!version_is_as_judged(&version, set->judged))
        return STORE_RETRY;
    if (!may_retain(cat, set, &version.attrs))
        return STORE_RETAINED;
    if (set->set_encryption)
        status = body_rewrap(cat, &version.body, rewrapping, room, &wrapped, &intent->fault);
    if (status == STORE_OK && set->set_encryption && version.annotated)
        status = annotations_rewrap(cat, version.seq, rewrapping, &intent->fault);
    if (status != STORE_OK)
        return status;

    status = sql_start(cat, version.latest ? &current : &history, &stmt, &intent->fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket.id);
    sql_bind_text(stmt, 2, intent->key);
    sql_bind_i64(stmt, 3, version.seq);
    bind_set(stmt, set, wrapped);
    status = sql_run(cat, stmt, &intent->fault);
    if (status == STORE_OK && set->replicate)
        status = backlog_append(cat, bucket.id, &version,
                                version.replication == REPLICATION_FAILED ? BACKLOG_NEW
                                                                          : BACKLOG_CHANGED,
                                &intent->fault);
    if (status == STORE_OK && changes_version(set, &version))
        status = event_of_version(cat, intent, &bucket, &version, clock_now_us(cat->clock));
    return status != STORE_OK ? status : intent_result(intent, &bucket, &version);
}
