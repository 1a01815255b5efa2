/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every write needs to know of its bucket.
 *
 * The writer remembers the facts of recent buckets. Every change to a bucket and every rollback
 * empties that memory.
 */
#include "base/digest/hash.h"
#include "storage/catalog/sql.h"

void bucket_cache_clear(struct catalog *cat)
{
    memset(cat->buckets, 0, sizeof(cat->buckets));
}

static struct bucket_slot *slot_of(struct catalog *cat, struct str name)
{
    if (name.len > BUCKET_NAME_CACHED_MAX)
        return NULL;
    return &cat->buckets[hash_quick(name, 0) % BUCKET_SLOTS];
}

enum store_status bucket_facts_get(struct catalog *cat, struct str name,
                                   struct bucket_facts *ret_facts, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT id, owner, versioning, changed FROM bucket"
                                      " WHERE name = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    struct bucket_slot *slot = slot_of(cat, name);
    enum store_status status;
    bool row;

    if (slot != NULL && slot->facts.id != 0 && str_eq(str_make(slot->name, slot->name_len), name)) {
        *ret_facts = slot->facts;
        return STORE_OK;
    }

    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_text(stmt, 1, name);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if (!row)
        return STORE_NO_BUCKET;

    *ret_facts = (struct bucket_facts){ .id = sql_i64(stmt, 0),
                                        .owner = sql_i64(stmt, 1),
                                        .versioning = (enum bucket_versioning)sql_i64(stmt, 2),
                                        .changed_seq = sql_i64(stmt, 3) };
    if (slot != NULL) {
        *slot = (struct bucket_slot){ .facts = *ret_facts, .name_len = (uint8_t)name.len };
        if (name.len > 0)
            memcpy(slot->name, name.p, name.len);
    }
    return STORE_OK;
}

enum store_status bucket_of_intent(struct catalog *cat, struct intent *intent,
                                   struct bucket_facts *ret_facts)
{
    struct bucket_facts facts;
    enum store_status status = bucket_facts_get(cat, intent->bucket, &facts, &intent->fault);

    if (status != STORE_OK)
        return status;
    if (intent->bucket_id != 0 &&
        (intent->bucket_id != facts.id || intent->bucket_changed_seq != facts.changed_seq))
        return STORE_RETRY;

    *ret_facts = facts;
    return STORE_OK;
}

enum store_status bucket_touch(struct catalog *cat, int64_t id, struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE bucket SET changed = ?2 WHERE id = ?1" };

    bucket_cache_clear(cat);
    return sql_run_i64(cat, &sql, id, tx_next_seq(cat), fault);
}
