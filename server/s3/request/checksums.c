/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checksums of versions and parts as they are kept and shown, and the conditions of writes.
 *
 * Packed form: kind, type, number of parts (4 bytes, big-endian), then the value's bytes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
#include "server/s3/op.h"

#include "base/text/codec.h"

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

void xml_checksum(struct op *op, struct buf *out, const struct stored_checksum *checksum,
                  bool with_type)
{
    struct str text = stored_checksum_text(op, checksum);
    struct str type = checksum_type_name(checksum->type);

    if (!str_present(text)) {
        out->failed = true;
        return;
    }
    buf_lit(out, "<Checksum");
    buf_str(out, checksum_name(checksum->kind));
    buf_char(out, '>');
    buf_str(out, text);
    buf_lit(out, "</Checksum");
    buf_str(out, checksum_name(checksum->kind));
    buf_char(out, '>');
    if (with_type && str_present(type))
        xml_text(out, STR("ChecksumType"), type);
}

void xml_checksum_kind(struct buf *out, struct str packed)
{
    const uint8_t *p = (const uint8_t *)packed.p;

    if (!packed_is_whole(packed))
        return;
    buf_lit(out, "<ChecksumAlgorithm>");
    buf_str(out, checksum_name((enum checksum_kind)p[0]));
    buf_lit(out, "</ChecksumAlgorithm>");
    if (p[1] == CHECKSUM_TYPE_NONE)
        return;
    buf_lit(out, "<ChecksumType>");
    buf_str(out, checksum_type_name((enum checksum_type)p[1]));
    buf_lit(out, "</ChecksumType>");
}

enum checksum_kind xml_checksum_of(const struct xml_node *element)
{
    struct str prefix = STR("Checksum");

    if (!str_starts(element->name, prefix))
        return CHECKSUM_NONE;
    return checksum_from_name(str_skip(element->name, prefix.len));
}

void xml_owner(struct buf *out, struct str canonical_id)
{
    buf_lit(out, "<Owner>");
    xml_text(out, STR("ID"), canonical_id);
    buf_lit(out, "</Owner>");
}

void xml_initiator(struct op *op, struct buf *out, struct str canonical_id)
{
    const struct user *user = users_by_canonical_id(op->options->auth.users, canonical_id);

    buf_lit(out, "<Initiator>");
    xml_text(out, STR("ID"), canonical_id);
    if (user != NULL)
        xml_text(out, STR("DisplayName"), user->display_name);
    buf_lit(out, "</Initiator>");
}

void xml_etag(struct buf *out, struct str etag)
{
    buf_lit(out, "<ETag>&quot;");
    buf_str(out, etag);
    buf_lit(out, "&quot;</ETag>");
}

/* ---- conditions of writes ------------------------------------------------------------------- */

struct str etag_bare(struct str text)
{
    text = str_trim(text);
    if (text.len >= 2 && text.p[0] == '"' && text.p[text.len - 1] == '"')
        return str_slice(text, 1, text.len - 2);
    return text;
}

static enum s3_error size_condition(struct op *op, struct write_condition *condition)
{
    struct str text = op_header(op, "x-amz-if-match-size");

    if (!str_present(text))
        return S3_OK;
    if (!str_to_u64(text, &condition->size_bytes))
        return op_fail_argument(op, STR("Invalid size"), STR("x-amz-if-match-size"), text);
    condition->has_size = true;
    return S3_OK;
}

static enum s3_error time_condition(struct op *op, struct write_condition *condition)
{
    struct str text = op_header(op, "x-amz-if-match-last-modified-time");

    if (!str_present(text))
        return S3_OK;
    if (!clock_parse_http(text, &condition->modified_us))
        return op_fail_argument(op, STR("Invalid date"), STR("x-amz-if-match-last-modified-time"),
                                text);
    condition->has_modified = true;
    return S3_OK;
}

static enum s3_error refuse_condition(struct op *op, const char *name)
{
    return op_fail(op, S3_NotImplemented, str_from_cstr(name),
                   arena_printf(op->arena,
                                "We don't accept the provided value of %s header for this API",
                                name));
}

/*
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * Any value of If-None-Match but "*", "*" in If-Match and both headers at once are 501 on AWS.
 */
enum s3_error condition_from_request(struct op *op, bool for_delete,
                                     struct write_condition *ret_condition)
{
    struct write_condition condition = { 0 };
    struct str if_match = op_header(op, "if-match");
    struct str if_none_match = op_header(op, "if-none-match");
    enum s3_error err;

    if (str_present(if_none_match) && str_present(if_match))
        return op_fail(op, S3_NotImplemented, STR("If-Match,If-None-Match"),
                       STR("Multiple conditional request headers present in the request"));
    if (str_present(if_none_match)) {
        if (for_delete || !str_eq(if_none_match, STR("*")))
            return refuse_condition(op, "If-None-Match");
        condition.if_none_match_any = true;
    }
    if (str_present(if_match)) {
        if (!for_delete && str_eq(if_match, STR("*")))
            return refuse_condition(op, "If-Match");
        condition.if_match = etag_bare(if_match);
    }
    if (for_delete) {
        err = size_condition(op, &condition);
        if (err == S3_OK)
            err = time_condition(op, &condition);
        if (err != S3_OK)
            return err;
    }
    *ret_condition = condition;
    return S3_OK;
}

struct version_id version_id_of(const struct version *version)
{
    if (version->null_version)
        return (struct version_id){ .kind = VERSION_NULL };
    return (struct version_id){ .kind = VERSION_EXACT, .seq = version->seq, .tail = version->tail };
}
