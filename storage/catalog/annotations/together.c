/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All annotations of a version at once: they go with it, are copied with it, and are encrypted as it is.
 */
#include "storage/catalog/sql.h"

/* ---- going ------------------------------------------------------------------------------- */

static enum store_status release_blobs(struct catalog *cat, int64_t version, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT body_id FROM annotation"
                                      " WHERE version = ?1 AND body_kind = " SQL_BODY_BLOB };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    bool row = true;

    if (status == STORE_OK)
        sql_bind_i64(stmt, 1, version);
    while (status == STORE_OK) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            return status;
        status = blob_release(cat, sql_i64(stmt, 0), fault);
    }
    return status;
}

enum store_status annotations_release(struct catalog *cat, int64_t version, struct fault *fault)
{
    static struct sql bodies = { .text = "DELETE FROM inline_body WHERE id IN"
                                         " (SELECT body_id FROM annotation"
                                         "   WHERE version = ?1 AND body_kind = " SQL_BODY_INLINE
                                         ")" };
    static struct sql rows = { .text = "DELETE FROM annotation WHERE version = ?1" };
    enum store_status status = sql_run_i64(cat, &bodies, version, 0, fault);

    if (status == STORE_OK)
        status = release_blobs(cat, version, fault);
    return status != STORE_OK ? status : sql_run_i64(cat, &rows, version, 0, fault);
}

enum store_status annotations_move(struct catalog *cat, int64_t from, int64_t to,
                                   struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE annotation SET version = ?2 WHERE version = ?1" };

    return sql_run_i64(cat, &sql, from, to, fault);
}

/* ---- one after the other ----------------------------------------------------------------- */

/* Where in a version's annotations: each is read, then written, so no statement stays open. */
struct place {
    char name[STORE_ANNOTATION_NAME_BYTES_MAX];
    size_t name_len;
    uint8_t key[WRAPPED_KEY_BYTES_MAX];
    struct body_ref body; /* its wrapped key lies in key */
    uint64_t size_bytes;
};

static struct str place_name(const struct place *place)
{
    return str_make(place->name, place->name_len);
}

/* The one after place; *ret_found false: there is none. */
static enum store_status next(struct catalog *cat, int64_t version, struct place *place,
                              bool *ret_found, struct fault *fault)
{
    static struct sql sql = { .text = "SELECT name, body_kind, body_id, wrapped_key, size"
                                      "  FROM annotation"
                                      " WHERE version = ?1 AND name > ?2"
                                      " ORDER BY name LIMIT 1" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    struct str name;
    struct str key;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, version);
    sql_bind_text(stmt, 2, place_name(place));
    status = sql_step(cat, stmt, ret_found, fault);
    if (status != STORE_OK || !*ret_found)
        return status;
    name = sql_str(stmt, 0);
    key = sql_str(stmt, 3);
    if (name.len > sizeof(place->name) || key.len > sizeof(place->key))
        return store_fault(fault, STORE_DAMAGED, "an annotation's name or key is too long");

    memcpy(place->name, name.p, name.len);
    place->name_len = name.len;
    if (key.len > 0)
        memcpy(place->key, key.p, key.len);
    place->body = (struct body_ref){
        .kind = (enum body_kind)sql_i64(stmt, 1),
        .id = sql_i64(stmt, 2),
        .wrapped_key = str_present(key) ? str_make(place->key, key.len) : STR_NONE,
    };
    place->size_bytes = (uint64_t)sql_i64(stmt, 4);
    return STORE_OK;
}

static enum store_status set_key(struct catalog *cat, int64_t version, struct str name,
                                 struct str wrapped, struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE annotation SET wrapped_key = ?3"
                                      " WHERE version = ?1 AND name = ?2" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, version);
    sql_bind_text(stmt, 2, name);
    sql_bind_str(stmt, 3, wrapped);
    return sql_run(cat, stmt, fault);
}

enum store_status annotations_rewrap(struct catalog *cat, int64_t version,
                                     const struct rewrapping *rewrapping, struct fault *fault)
{
    struct place place = { .name_len = 0 };
    bool found;

    for (;;) {
        uint8_t room[WRAPPED_KEY_BYTES_MAX];
        struct str wrapped;
        enum store_status status = next(cat, version, &place, &found, fault);

        if (status != STORE_OK || !found)
            return status;
        status = body_rewrap(cat, &place.body, rewrapping, room, &wrapped, fault);
        if (status == STORE_OK)
            status = set_key(cat, version, place_name(&place), wrapped, fault);
        if (status != STORE_OK)
            return status;
    }
}

/* ---- copied ------------------------------------------------------------------------------ */

static enum store_status copy_row(struct catalog *cat, int64_t from, int64_t to, struct str name,
                                  const struct body_ref *body, struct fault *fault)
{
    static struct sql sql = {
        .text = "INSERT INTO annotation(version, name, size, modified_us, body_kind, body_id,"
                "                       wrapped_key, etag, checksum)"
                " SELECT ?3, name, size, ?4, ?5, ?6, ?7, etag, checksum FROM annotation"
                "  WHERE version = ?1 AND name = ?2"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, from);
    sql_bind_text(stmt, 2, name);
    sql_bind_i64(stmt, 3, to);
    sql_bind_i64(stmt, 4, clock_now_us(cat->clock));
    sql_bind_i64(stmt, 5, body->kind);
    sql_bind_i64(stmt, 6, body->id);
    sql_bind_str(stmt, 7, body->wrapped_key);
    return sql_run(cat, stmt, fault);
}

static enum store_status copy_one(struct catalog *cat, int64_t from, int64_t to,
                                  const struct place *place, const struct rewrapping *rewrapping,
                                  struct fault *fault)
{
    uint8_t room[WRAPPED_KEY_BYTES_MAX];
    struct body_ref copy;
    enum store_status status =
        body_slice(cat, &place->body, place->size_bytes, 0, place->size_bytes, &copy, fault);

    if (status == STORE_OK)
        status = body_rewrap(cat, &copy, rewrapping, room, &copy.wrapped_key, fault);
    return status != STORE_OK ? status : copy_row(cat, from, to, place_name(place), &copy, fault);
}

enum store_status annotations_copy(struct catalog *cat, struct intent *intent,
                                   struct version *fresh, const struct rewrapping *rewrapping)
{
    const struct copy_source *source = intent_source(intent);
    struct place place = { .name_len = 0 };
    struct version from;
    bool found;
    enum store_status status = copy_source_find(cat, intent, &from);

    if (status != STORE_OK || !from.annotated)
        return status;
    fresh->seq = tx_next_seq(cat);
    for (;;) {
        status = next(cat, source->seq, &place, &found, &intent->fault);
        if (status != STORE_OK || !found)
            return status;
        status = copy_one(cat, source->seq, fresh->seq, &place, rewrapping, &intent->fault);
        if (status != STORE_OK)
            return status;
        fresh->annotated = true;
    }
}
