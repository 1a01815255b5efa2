/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns that object and version share, turned into a struct version or, fewer of them, into
 * a struct listed_version; ids in text form.
 */
#include "base/text/codec.h"
#include "storage/catalog/sql.h"

enum store_status row_version(struct catalog *cat, sqlite3_stmt *stmt, struct arena *arena,
                              bool latest, struct version *ret_version, struct fault *fault)
{
    int64_t flags = sql_i64(stmt, 3);
    struct version v = {
        .key = sql_str(stmt, 0),
        .seq = sql_i64(stmt, 1),
        .tail = (uint64_t)sql_i64(stmt, 2),
        .delete_marker = (flags & FLAG_DELETE_MARKER) != 0,
        .null_version = (flags & FLAG_NULL_VERSION) != 0,
        .latest = latest,
        .modified_us = sql_i64(stmt, 4),
        .size_bytes = (uint64_t)sql_i64(stmt, 5),
        .part_count = (uint32_t)sql_i64(stmt, 9),
        .body = { .kind = (enum body_kind)sql_i64(stmt, 10),
                  .id = sql_i64(stmt, 11),
                  .wrapped_key = sql_str(stmt, 12) },
        .attrs = { .storage_class = (uint8_t)sql_i64(stmt, 7),
                   .sse = (uint8_t)sql_i64(stmt, 8),
                   .etag = sql_str(stmt, 13),
                   .checksum = sql_str(stmt, 14),
                   .tags = sql_str(stmt, 15),
                   .headers = sql_str(stmt, 16),
                   .acl = sql_str(stmt, 17) },
    };
    enum store_status status = account_text(cat, sql_i64(stmt, 6), &v.attrs.owner, fault);

    if (status != STORE_OK)
        return status;
    if (!sql_keep(arena, &v.key) || !sql_keep(arena, &v.body.wrapped_key) ||
        !sql_keep(arena, &v.attrs.etag) || !sql_keep(arena, &v.attrs.checksum) ||
        !sql_keep(arena, &v.attrs.tags) || !sql_keep(arena, &v.attrs.headers) ||
        !sql_keep(arena, &v.attrs.acl) || !sql_keep(arena, &v.attrs.owner))
        return fault_set(fault, STORE_NO_MEMORY, "attributes of a version");

    *ret_version = v;
    return STORE_OK;
}

void row_listed(sqlite3_stmt *stmt, bool latest, struct listed_version *ret_listed)
{
    int64_t flags = sql_i64(stmt, 1);

    *ret_listed = (struct listed_version){
        .key = sql_str(stmt, 0),
        .delete_marker = (flags & FLAG_DELETE_MARKER) != 0,
        .null_version = (flags & FLAG_NULL_VERSION) != 0,
        .latest = latest,
        .modified_us = sql_i64(stmt, 2),
        .size_bytes = (uint64_t)sql_i64(stmt, 3),
        .storage_class = (uint8_t)sql_i64(stmt, 4),
        .etag = sql_str(stmt, 5),
        .checksum = sql_str(stmt, 6),
    };
}

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
