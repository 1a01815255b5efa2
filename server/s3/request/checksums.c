/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checksums of versions and parts as they are kept and shown.
 *
 * Packed form: kind, type, number of parts (4 bytes, big-endian), then the value's bytes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
#include "server/s3/request/checksums.h"

#include "base/text/codec.h"
#include "server/s3/answer.h"
#include "server/s3/op.h"

#define PACKED_HEAD_BYTES 6

struct str stored_checksum_pack_in(struct arena *arena, const struct stored_checksum *checksum)
{
    size_t len = checksum_bytes(checksum->kind);
    uint8_t *p;

    if (checksum->kind == CHECKSUM_NONE)
        return STR_NONE;
    p = arena_alloc(arena, PACKED_HEAD_BYTES + len);
    if (p == NULL)
        return STR_NONE;
    p[0] = (uint8_t)checksum->kind;
    p[1] = (uint8_t)checksum->type;
    p[2] = (uint8_t)(checksum->parts >> 24);
    p[3] = (uint8_t)(checksum->parts >> 16);
    p[4] = (uint8_t)(checksum->parts >> 8);
    p[5] = (uint8_t)checksum->parts;
    memcpy(p + PACKED_HEAD_BYTES, checksum->value, len);
    return str_make(p, PACKED_HEAD_BYTES + len);
}

struct str stored_checksum_pack(struct op *op, const struct stored_checksum *checksum)
{
    return stored_checksum_pack_in(op->arena, checksum);
}

static bool packed_is_whole(struct str packed)
{
    const uint8_t *p = (const uint8_t *)packed.p;

    return packed.len >= PACKED_HEAD_BYTES && p[0] != CHECKSUM_NONE && p[0] < CHECKSUM_KINDS &&
           p[1] <= CHECKSUM_FULL_OBJECT &&
           packed.len == PACKED_HEAD_BYTES + checksum_bytes((enum checksum_kind)p[0]);
}

bool stored_checksum_unpack(struct str packed, struct stored_checksum *ret_checksum)
{
    const uint8_t *p = (const uint8_t *)packed.p;
    struct stored_checksum checksum = { 0 };

    if (!packed_is_whole(packed))
        return false;
    checksum.kind = (enum checksum_kind)p[0];
    checksum.type = (enum checksum_type)p[1];
    checksum.parts = (uint32_t)p[2] << 24 | (uint32_t)p[3] << 16 | (uint32_t)p[4] << 8 | p[5];
    memcpy(checksum.value, p + PACKED_HEAD_BYTES, packed.len - PACKED_HEAD_BYTES);
    *ret_checksum = checksum;
    return true;
}

struct str stored_checksum_text(struct op *op, const struct stored_checksum *checksum)
{
    char base64[BASE64_OF_64];
    size_t len = checksum_bytes(checksum->kind);

    base64_encode(checksum->value, len, base64);
    if (checksum->type == CHECKSUM_COMPOSITE)
        return arena_printf(op->arena, "%.*s-%u", (int)BASE64_LEN(len), base64, checksum->parts);
    return arena_dup(op->arena, str_make(base64, BASE64_LEN(len)));
}

struct str checksum_type_name(enum checksum_type type)
{
    switch (type) {
    case CHECKSUM_COMPOSITE:
        return STR("COMPOSITE");
    case CHECKSUM_FULL_OBJECT:
        return STR("FULL_OBJECT");
    case CHECKSUM_TYPE_NONE:
        break;
    }
    return STR_NONE;
}

enum checksum_type checksum_type_from_name(struct str name)
{
    if (str_eq_nocase(name, checksum_type_name(CHECKSUM_COMPOSITE)))
        return CHECKSUM_COMPOSITE;
    if (str_eq_nocase(name, checksum_type_name(CHECKSUM_FULL_OBJECT)))
        return CHECKSUM_FULL_OBJECT;
    return CHECKSUM_TYPE_NONE;
}

struct str checksum_header(struct arena *arena, enum checksum_kind kind)
{
    return arena_printf(arena, "x-amz-checksum-%.*s", STR_ARG(checksum_header_suffix(kind)));
}

void op_set_checksum(struct op *op, const struct stored_checksum *checksum, bool with_type)
{
    struct str name = checksum_header(op->arena, checksum->kind);
    struct str text = stored_checksum_text(op, checksum);
    struct str type = checksum_type_name(checksum->type);

    if (!str_present(name) || !str_present(text))
        return;
    (void)http_reply_header(op->reply, name, text);
    if (with_type && str_present(type))
        op_set(op, "x-amz-checksum-type", type);
}

/* ---- conditions of writes ------------------------------------------------------------------- */
