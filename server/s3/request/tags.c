/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tag sets: from the x-amz-tagging header and from documents, checked by one set of rules, packed.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 * https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/allocation-tag-restrictions.html
 */
#include "server/s3/request/tags.h"

#include "base/text/codec.h"
#include "base/text/pairs.h"
#include "base/text/unicode.h"
#include "server/s3/limits.h"
#include "server/s3/op.h"
#include "server/s3/refuse.h"
#include "server/xml/xml.h"

#define TAGS_BYTES_MAX (64u * 1024u)
#define SYSTEM_TAG_PREFIX STR("aws:")

static const struct tag_rules {
    size_t max;
    struct str too_many;
    struct str system_key;
    bool names_system_key; /* the refusal tells TagKey */
} rules_of[] = {
    [TAGS_OF_OBJECT] = { S3_OBJECT_TAGS_MAX, STR_INIT("Object tags cannot be greater than 10"),
                         STR_INIT("Your TagKey cannot be prefixed with aws:"), true },
    [TAGS_OF_BUCKET] = { S3_BUCKET_TAGS_MAX, STR_INIT("Bucket tag count cannot be greater than 50"),
                         STR_INIT("System tags cannot be added/updated by requester"), true },
    [TAGS_OF_NEW_BUCKET] = { S3_BUCKET_TAGS_MAX,
                             STR_INIT("Bucket tag count cannot be greater than 50"),
                             STR_INIT(
                                 "User-defined tag keys can't start with \"aws:\". This prefix is "
                                 "reserved for system tags. Remove \"aws:\" from your tag keys and "
                                 "try again."),
                             false },
};

/* Letters, numbers and blanks of any script and + - = . _ : / @; lengths are those of UTF-16. */
static bool text_valid(struct str text, size_t units_max)
{
    static const char extra[] = "+-=._:/@";
    size_t units = 0;
    uint32_t c;

    if (!str_is_utf8(text))
        return false;
    while (unicode_next(&text, &c)) {
        units += unicode_utf16_units(c);
        if (!unicode_is_word(c) && (c == 0 || c > 0x7f || strchr(extra, (int)c) == NULL))
            return false;
    }
    return units <= units_max;
}

static bool has_earlier(struct str packed, size_t index, struct str key)
{
    struct str name;
    struct str value;

    for (size_t i = 0; i < index && pairs_next(&packed, &name, &value); i++)
        if (str_eq(name, key))
            return true;
    return false;
}

static enum s3_error check_one(struct op *op, const struct tag_rules *rules, struct str key,
                               struct str value)
{
    if (str_starts_nocase(key, SYSTEM_TAG_PREFIX))
        return op_fail_text(op, S3_InvalidTag, rules->system_key,
                            rules->names_system_key ? key : STR_NONE);
    if (key.len == 0 || !text_valid(key, S3_TAG_KEY_CHARS_MAX))
        return op_fail_text(op, S3_InvalidTag, STR("The TagKey you have provided is invalid"), key);
    if (!text_valid(value, S3_TAG_VALUE_CHARS_MAX))
        return op_fail_text(op, S3_InvalidTag, STR("The TagValue you have provided is invalid"),
                            key, value);
    return S3_OK;
}

enum s3_error tags_check(struct op *op, struct str packed, enum tags_of of)
{
    const struct tag_rules *rules = &rules_of[of];
    struct str cursor = packed;
    struct str key;
    struct str value;

    if (pairs_count(packed) > rules->max)
        return op_fail_text(op, S3_BadRequest, rules->too_many);
    for (size_t i = 0; pairs_next(&cursor, &key, &value); i++) {
        enum s3_error err;

        if (has_earlier(packed, i, key))
            return op_fail_text(op, S3_InvalidTag,
                                STR("Cannot provide multiple Tags with the same key"), key);
        err = check_one(op, rules, key, value);
        if (err != S3_OK)
            return err;
    }
    return S3_OK;
}

/* Into the arena, where a refusal may quote it, and checked; STR_NONE when there are none. */
static enum s3_error keep(struct op *op, const struct buf *packed, enum tags_of of,
                          struct str *ret_packed)
{
    struct str text = buf_view(packed);
    struct str kept = text.len > 0 ? arena_dup(op->arena, text) : STR_NONE;
    enum s3_error err;

    if (packed->failed || (text.len > 0 && !str_present(kept)))
        return op_fail(op, S3_SlowDown);
    err = tags_check(op, kept, of);
    if (err == S3_OK)
        *ret_packed = kept;
    return err;
}

/* ---- the header --------------------------------------------------------------------------------- */

static enum s3_error bad_header(struct op *op, struct str text)
{
    return op_fail_argument(op,
                            STR("The header 'x-amz-tagging' shall be encoded as UTF-8 then "
                                "URLEncoded URL query parameters without tag name duplicates."),
                            STR("x-amz-tagging"), text);
}

/* "key=value" or "key"; a second '=' would have to be encoded. False: no such item. */
static bool header_item(struct op *op, struct str item, struct str *ret_key, struct str *ret_value)
{
    struct str key;
    struct str value;

    if (!str_cut(item, '=', &key, &value))
        value = STR("");
    return key.len > 0 && str_find_char(value, '=') == SIZE_MAX &&
           uri_decode(op->arena, key, ret_key) && uri_decode(op->arena, value, ret_value) &&
           str_is_utf8(*ret_key) && str_is_utf8(*ret_value);
}

enum s3_error tags_from_header(struct op *op, struct str urlencoded, struct str *ret_packed)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(TAGS_BYTES_MAX);
    struct str rest = urlencoded;
    struct str item;
    size_t count = 0;

    while (str_next(&rest, '&', &item)) {
        struct str key;
        struct str value;

        if (item.len == 0)
            continue;
        if (!header_item(op, item, &key, &value))
            return bad_header(op, urlencoded);
        /* Beyond the most there may be, only their number matters. */
        if (count++ <= S3_OBJECT_TAGS_MAX && has_earlier(buf_view(&out), SIZE_MAX, key))
            return bad_header(op, urlencoded);
        if (!pairs_add(&out, key, value))
            return op_fail(op, S3_SlowDown);
    }
    return keep(op, &out, TAGS_OF_OBJECT, ret_packed);
}

/* ---- documents ---------------------------------------------------------------------------------- */

enum s3_error tags_from_xml(struct op *op, const struct xml_node *set, enum tags_of of,
                            struct str *ret_packed)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(TAGS_BYTES_MAX);

    for (const struct xml_node *tag = set->children; tag != NULL; tag = tag->next) {
        const struct xml_node *key = xml_child(tag, STR("Key"));
        const struct xml_node *value = xml_child(tag, STR("Value"));

        if (!str_eq(tag->name, STR("Tag")) || key == NULL || value == NULL ||
            xml_child_count(tag, STR("Key")) != 1 || xml_child_count(tag, STR("Value")) != 1)
            return op_fail(op, S3_MalformedXML);
        if (!pairs_add(&out, key->text, value->text))
            return op_fail(op, S3_SlowDown);
    }
    return keep(op, &out, of, ret_packed);
}
