/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canonical user ids and the integers that stand for them.
 *
 * Accounts are never removed, so a connection may remember them: a small direct-mapped cache.
 * A rollback empties it, because it may have unmade some.
 */
#include "storage/catalog/sql.h"

void account_cache_free(struct catalog *cat)
{
    for (size_t i = 0; i < ACCOUNT_SLOTS; i++) {
        mem_free(cat->accounts[i].canonical);
        cat->accounts[i] = (struct account_slot){ 0 };
    }
}

static void remember(struct catalog *cat, int64_t id, struct str canonical)
{
    struct account_slot *slot = &cat->accounts[(uint64_t)id % ACCOUNT_SLOTS];
    char *copy;

    if (slot->id == id)
        return;

    copy = mem_cstr(canonical);
    if (copy == NULL)
        return;

    mem_free(slot->canonical);
    *slot = (struct account_slot){ .id = id, .canonical = copy, .len = canonical.len };
}

static bool recall(const struct catalog *cat, struct str canonical, int64_t *ret_id)
{
    for (size_t i = 0; i < ACCOUNT_SLOTS; i++) {
        const struct account_slot *slot = &cat->accounts[i];

        if (slot->id != 0 && str_eq(str_make(slot->canonical, slot->len), canonical)) {
            *ret_id = slot->id;
            return true;
        }
    }

    return false;
}

enum store_status account_find(struct catalog *cat, struct str canonical, int64_t *ret_id,
                               struct fault *fault)
{
    static struct sql sql = { .text = "SELECT id FROM account WHERE canonical = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status;
    bool row;

    if (recall(cat, canonical, ret_id))
        return STORE_OK;

    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_text(stmt, 1, canonical);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;

    *ret_id = row ? sql_i64(stmt, 0) : 0;
    if (row)
        remember(cat, *ret_id, canonical);
    return STORE_OK;
}

enum store_status account_intern(struct catalog *cat, struct str canonical, int64_t *ret_id,
                                 struct fault *fault)
{
    static struct sql sql = { .text = "INSERT INTO account(canonical) VALUES(?1)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = account_find(cat, canonical, ret_id, fault);

    if (status != STORE_OK || *ret_id != 0)
        return status;

    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_text(stmt, 1, canonical);
    status = sql_run(cat, stmt, fault);
    if (status != STORE_OK)
        return status;

    *ret_id = sqlite3_last_insert_rowid(cat->db);
    return STORE_OK;
}

enum store_status account_text(struct catalog *cat, int64_t id, struct str *ret_canonical,
                               struct fault *fault)
{
    static struct sql sql = { .text = "SELECT canonical FROM account WHERE id = ?1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    struct account_slot *slot = &cat->accounts[(uint64_t)id % ACCOUNT_SLOTS];
    enum store_status status;
    bool row;

    if (slot->id == id) {
        *ret_canonical = str_make(slot->canonical, slot->len);
        return STORE_OK;
    }

    status = sql_start(cat, &sql, &stmt, fault);
    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, id);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK)
        return status;
    if (!row)
        return store_fault(fault, STORE_DAMAGED, "account %lld has no row", (long long)id);

    char *copy = mem_cstr(sql_str(stmt, 0));

    if (copy == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "account cache");
    mem_free(slot->canonical);
    *slot = (struct account_slot){ .id = id, .canonical = copy, .len = sql_str(stmt, 0).len };
    *ret_canonical = str_make(slot->canonical, slot->len);
    return STORE_OK;
}
