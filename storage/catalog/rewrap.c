/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data keys wrapped anew: those of a version's body, while the bytes stay as they are.
 *
 * Each reference to stored bytes has a wrapped key of its own, so no other object is touched.
 */
#include "storage/catalog/sql.h"

static enum store_status set_piece_key(struct catalog *cat, int64_t manifest, int64_t at,
                                       struct str wrapped, struct fault *fault)
{
    static struct sql sql = {
        .text = "UPDATE piece SET wrapped_key = ?3 WHERE manifest = ?1 AND at = ?2"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, manifest);
    sql_bind_i64(stmt, 2, at);
    sql_bind_str(stmt, 3, wrapped);
    return sql_run(cat, stmt, fault);
}

/* The next one that has a key, from `at` on: one at a time, since each is changed. */
static enum store_status next_piece(struct catalog *cat, int64_t manifest, int64_t *at,
                                    uint8_t wrapped[WRAPPED_KEY_BYTES_MAX], size_t *ret_len,
                                    struct fault *fault)
{
    static struct sql sql = { .text = "SELECT at, wrapped_key FROM piece"
                                      " WHERE manifest = ?1 AND at >= ?2"
                                      "   AND wrapped_key IS NOT NULL"
                                      " ORDER BY at LIMIT 1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    struct str key;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, manifest);
    sql_bind_i64(stmt, 2, *at);
    status = sql_step(cat, stmt, &row, fault);
    if (status != STORE_OK || !row) {
        *ret_len = 0;
        return status;
    }
    key = sql_str(stmt, 1);
    if (key.len > WRAPPED_KEY_BYTES_MAX)
        return store_fault(fault, STORE_DAMAGED, "a wrapped key of %zu bytes", key.len);
    *at = sql_i64(stmt, 0);
    memcpy(wrapped, key.p, key.len);
    *ret_len = key.len;
    return STORE_OK;
}

static enum store_status rewrap_pieces(struct catalog *cat, int64_t manifest,
                                       const struct rewrapping *rewrapping, struct fault *fault)
{
    uint8_t old[WRAPPED_KEY_BYTES_MAX];
    uint8_t new[WRAPPED_KEY_BYTES_MAX];
    size_t len;

    for (int64_t at = 0;; at++) {
        enum store_status status = next_piece(cat, manifest, &at, old, &len, fault);

        if (status != STORE_OK || len == 0)
            return status;
        status = rewrapping->rewrap(rewrapping->context, str_make(old, len), new, &len, fault);
        if (status == STORE_OK)
            status = set_piece_key(cat, manifest, at, str_make(new, len), fault);
        if (status != STORE_OK)
            return status;
    }
}

enum store_status body_rewrap(struct catalog *cat, const struct body_ref *body,
                              const struct rewrapping *rewrapping,
                              uint8_t out[WRAPPED_KEY_BYTES_MAX], struct str *ret_wrapped,
                              struct fault *fault)
{
    enum store_status status;
    size_t len;

    *ret_wrapped = body->wrapped_key;
    if (body->kind == BODY_MANIFEST)
        return rewrap_pieces(cat, body->id, rewrapping, fault);
    if (!str_present(body->wrapped_key))
        return STORE_OK;
    status = rewrapping->rewrap(rewrapping->context, body->wrapped_key, out, &len, fault);
    if (status == STORE_OK)
        *ret_wrapped = str_make(out, len);
    return status;
}
