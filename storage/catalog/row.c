/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See row.h. And ids in text form.
 */
#include "storage/catalog/row.h"

#include "base/text/codec.h"

/* ---- kinds, read ------------------------------------------------------------------------- */

void row_i64(struct row *row, int at, int64_t *ret_value)
{
    *ret_value = sql_i64(row->stmt, at);
}

void row_u64(struct row *row, int at, uint64_t *ret_value)
{
    *ret_value = (uint64_t)sql_i64(row->stmt, at);
}

void row_u32(struct row *row, int at, uint32_t *ret_value)
{
    *ret_value = (uint32_t)sql_i64(row->stmt, at);
}

void row_u8(struct row *row, int at, uint8_t *ret_value)
{
    *ret_value = (uint8_t)sql_i64(row->stmt, at);
}

void row_flag(struct row *row, int at, bool *ret_value)
{
    *ret_value = sql_i64(row->stmt, at) != 0;
}

void row_body(struct row *row, int at, enum body_kind *ret_value)
{
    *ret_value = (enum body_kind)sql_i64(row->stmt, at);
}

static void keep(struct row *row, struct str *text)
{
    if (row->status == STORE_OK && !sql_keep(row->arena, text))
        row->status = store_fault(row->fault, STORE_NO_MEMORY, "a row of the catalog");
}

void row_account(struct row *row, int at, struct str *ret_text)
{
    if (row->status == STORE_OK)
        row->status = account_text(row->cat, sql_i64(row->stmt, at), ret_text, row->fault);
    keep(row, ret_text);
}

void row_text(struct row *row, int at, struct str *ret_text)
{
    *ret_text = sql_str(row->stmt, at);
    keep(row, ret_text);
}

void row_optional(struct row *row, int at, struct str *ret_text)
{
    row_text(row, at, ret_text);
}

/* ---- kinds, bound ------------------------------------------------------------------------ */

void bind_i64(struct row *row, int at, int64_t value)
{
    sql_bind_i64(row->stmt, 1 + at, value);
}

void bind_u64(struct row *row, int at, uint64_t value)
{
    sql_bind_i64(row->stmt, 1 + at, (int64_t)value);
}

void bind_u32(struct row *row, int at, uint32_t value)
{
    sql_bind_i64(row->stmt, 1 + at, value);
}

void bind_u8(struct row *row, int at, uint8_t value)
{
    sql_bind_i64(row->stmt, 1 + at, value);
}

void bind_flag(struct row *row, int at, bool value)
{
    sql_bind_i64(row->stmt, 1 + at, value);
}

void bind_body(struct row *row, int at, enum body_kind value)
{
    sql_bind_i64(row->stmt, 1 + at, value);
}

void bind_account(struct row *row, int at, struct str text)
{
    int64_t account = row->account;

    if (row->status == STORE_OK && (str_present(text) || account == 0))
        row->status = account_intern(row->cat, text, &account, row->fault);
    sql_bind_i64(row->stmt, 1 + at, account);
}

void bind_text(struct row *row, int at, struct str text)
{
    sql_bind_text(row->stmt, 1 + at, text);
}

void bind_optional(struct row *row, int at, struct str text)
{
    sql_bind_str(row->stmt, 1 + at, text);
}

/* ---- versions ---------------------------------------------------------------------------- */

#define READ_VERSION(NAME, KIND, FIELD, ...)                                                       \
    COLUMN_IF_FIELD_##KIND(row_##KIND(&row, VERSION_AT_##NAME, &v.FIELD);)
#define READ_ATTR(NAME, KIND, FIELD, ...) row_##KIND(&row, VERSION_AT_##NAME, &v.attrs.FIELD);

enum store_status row_version(struct catalog *cat, sqlite3_stmt *stmt, struct arena *arena,
                              bool latest, struct version *ret_version, struct fault *fault)
{
    struct row row = { .cat = cat, .stmt = stmt, .arena = arena, .fault = fault };
    int64_t flags = sql_i64(stmt, VERSION_AT_flags);
    struct version v = {
        .delete_marker = (flags & FLAG_DELETE_MARKER) != 0,
        .null_version = (flags & FLAG_NULL_VERSION) != 0,
        .annotated = (flags & FLAG_ANNOTATED) != 0,
        .latest = latest,
    };

    row_text(&row, VERSION_AT_key, &v.key);
    COLUMN_ROWS(READ_VERSION, COLUMN_NOTHING, READ_ATTR);
    if (row.status == STORE_OK)
        *ret_version = v;
    return row.status;
}

#define BIND_VERSION(NAME, KIND, FIELD, ...)                                                       \
    COLUMN_IF_FIELD_##KIND(bind_##KIND(&row, VERSION_AT_##NAME, version->FIELD);)
#define BIND_ATTR(NAME, KIND, FIELD, ...)                                                          \
    bind_##KIND(&row, VERSION_AT_##NAME, version->attrs.FIELD);

enum store_status bind_version(struct catalog *cat, sqlite3_stmt *stmt,
                               const struct version *version, int64_t owner, struct fault *fault)
{
    struct row row = { .cat = cat, .stmt = stmt, .account = owner, .fault = fault };
    int flags = (version->delete_marker ? FLAG_DELETE_MARKER : 0) |
                (version->null_version ? FLAG_NULL_VERSION : 0) |
                (version->annotated ? FLAG_ANNOTATED : 0);

    bind_text(&row, VERSION_AT_key, version->key);
    bind_i64(&row, VERSION_AT_flags, flags);
    COLUMN_ROWS(BIND_VERSION, COLUMN_NOTHING, BIND_ATTR);
    return row.status;
}

void row_listed(sqlite3_stmt *stmt, bool latest, struct listed_version *ret_listed)
{
    int64_t flags = sql_i64(stmt, LISTED_AT_flags);

    *ret_listed = (struct listed_version){
        .key = sql_str(stmt, LISTED_AT_key),
        .delete_marker = (flags & FLAG_DELETE_MARKER) != 0,
        .null_version = (flags & FLAG_NULL_VERSION) != 0,
        .latest = latest,
        .modified_us = sql_i64(stmt, LISTED_AT_modified_us),
        .size_bytes = (uint64_t)sql_i64(stmt, LISTED_AT_size),
        .storage_class = (uint8_t)sql_i64(stmt, LISTED_AT_class),
        .etag = sql_str(stmt, LISTED_AT_etag),
        .checksum = sql_str(stmt, LISTED_AT_checksum),
        .restore_ready_us = sql_i64(stmt, LISTED_AT_restore_us),
        .restored_until_us = sql_i64(stmt, LISTED_AT_restored_us),
    };
}

/* ---- ids ---------------------------------------------------------------------------------- */

/* hex(tail), hex(seq ^ tail): looks random, orders nothing, needs no table to be read back. */
void id_text(int64_t seq, uint64_t tail, char out[VERSION_TEXT_LEN])
{
    uint8_t bytes[16];

    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(tail >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)(((uint64_t)seq ^ tail) >> (56 - 8 * i));
    }
    hex_encode(bytes, sizeof(bytes), out);
}

struct str id_text_in(struct arena *arena, int64_t seq, uint64_t tail)
{
    char *text = arena_alloc(arena, VERSION_TEXT_LEN);

    if (text == NULL)
        return STR_NONE;

    id_text(seq, tail, text);
    return str_make(text, VERSION_TEXT_LEN);
}

struct str version_id_text(const struct version *version, struct arena *arena)
{
    if (version->null_version)
        return STR("null");

    return id_text_in(arena, version->seq, version->tail);
}

struct str listed_version_id(const struct listed_version *listed, char out[VERSION_TEXT_LEN])
{
    if (listed->null_version)
        return STR("null");

    id_text(listed->seq, listed->tail, out);
    return str_make(out, VERSION_TEXT_LEN);
}

bool version_id_parse(struct str text, struct version_id *ret_id)
{
    char canonical[VERSION_TEXT_LEN];
    uint8_t bytes[16];
    uint64_t tail = 0;
    uint64_t mixed = 0;

    if (str_eq(text, STR("null"))) {
        *ret_id = (struct version_id){ .kind = VERSION_NULL };
        return true;
    }
    if (text.len != VERSION_TEXT_LEN || !hex_decode(text, bytes, sizeof(bytes)))
        return false;
    /* One id has one text: clients compare them byte by byte. */
    hex_encode(bytes, sizeof(bytes), canonical);
    if (memcmp(text.p, canonical, sizeof(canonical)) != 0)
        return false;

    for (size_t i = 0; i < 8; i++) {
        tail = tail << 8 | bytes[i];
        mixed = mixed << 8 | bytes[8 + i];
    }
    if ((int64_t)(mixed ^ tail) <= 0)
        return false;

    *ret_id =
        (struct version_id){ .kind = VERSION_EXACT, .seq = (int64_t)(mixed ^ tail), .tail = tail };
    return true;
}
