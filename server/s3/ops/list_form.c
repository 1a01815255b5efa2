/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all listings share of a request: counts, encoding, tokens.
 *
 * A count that is empty is one that was not given; an encoding or a token that is empty is a bad one.
 */
#include "server/s3/ops/list_form.h"

#include "base/text/codec.h"
#include "server/s3/op.h"
#include "server/s3/refuse.h"
#include "server/xml/xml.h"

#define TOKEN_VERSION 1
#define TOKEN_BYTES_MAX (1 + STORE_KEY_BYTES_MAX)

/* Digits, leading zeros and all, with or without a sign before them, that make a 32-bit integer. */
static bool parse_int32(struct str text, int64_t *ret_value)
{
    bool negative = text.len > 0 && text.p[0] == '-';
    struct str digits = str_skip(text, negative ? 1 : 0);
    uint64_t value;

    while (digits.len > 1 && digits.p[0] == '0')
        digits = str_skip(digits, 1);
    if (!str_to_u64(digits, &value) || value > (uint64_t)INT32_MAX + negative)
        return false;
    *ret_value = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

enum s3_error op_count(struct op *op, struct str text, struct str name, struct str range_name,
                       uint32_t most, uint32_t *ret_count)
{
    int64_t value;

    if (text.len == 0)
        return S3_OK;
    if (!parse_int32(text, &value) || (value < 0 && range_name.len == 0))
        return op_fail_argument(op,
                                arena_printf(op->arena,
                                             "Provided %.*s not an integer or within integer range",
                                             STR_ARG(name)),
                                name, text);
    if (value < 0)
        return op_fail_argument(op,
                                arena_printf(op->arena,
                                             "Argument %.*s must be an integer between 0 and "
                                             "2147483647",
                                             STR_ARG(range_name)),
                                range_name, arena_printf(op->arena, "%lld", (long long)value));
    *ret_count = (uint32_t)u64_min((uint64_t)value, most);
    return S3_OK;
}

enum s3_error list_form_from_request(struct op *op, const char *max_name, struct str max_range_name,
                                     struct list_form *ret_form)
{
    struct list_form form = { .prefix = op_param(op, "prefix"),
                              .delimiter = op_param(op, "delimiter"),
                              .encoding = op_param(op, "encoding-type"),
                              .max = STORE_LIST_MAX };
    enum s3_error err;

    form.url = str_eq_nocase(form.encoding, STR("url"));
    if (str_present(form.encoding) && !form.url)
        return op_fail_argument(op, STR("Invalid Encoding Method specified in Request"),
                                STR("encoding-type"), form.encoding);
    if (!str_present(form.prefix))
        form.prefix = STR("");
    if (!str_present(form.delimiter))
        form.delimiter = STR("");
    err = op_count(op, op_param(op, max_name), str_from_cstr(max_name), max_range_name,
                   STORE_LIST_MAX, &form.max);
    if (err == S3_OK)
        *ret_form = form;
    return err;
}

enum s3_error list_attributes(struct op *op, struct list_form *form)
{
    struct str header = op_header(op, "x-amz-optional-object-attributes");
    struct str rest = header;
    struct str name;

    while (str_present(header) && str_next(&rest, ',', &name))
        if (!str_eq(str_trim(name), STR("RestoreStatus")))
            return op_fail_argument(op, STR("Invalid attribute name specified."),
                                    STR("x-amz-optional-object-attributes"), header);
    form->restores = str_present(header);
    return S3_OK;
}

void list_encoding(const struct list_form *form, struct buf *out)
{
    if (form->url)
        xml_text(out, STR("EncodingType"), form->encoding);
}

void list_escape(const struct list_form *form, struct buf *out, struct str text)
{
    if (form->url)
        uri_encode(out, text, URI_LISTED);
    else
        xml_escape(out, text);
}

void list_text(const struct list_form *form, struct buf *out, struct str name, struct str text)
{
    xml_open(out, name);
    list_escape(form, out, text);
    xml_close(out, name);
}

struct str list_token(struct op *op, struct str marker)
{
    uint8_t bytes[TOKEN_BYTES_MAX];
    char *text;

    if (marker.len > STORE_KEY_BYTES_MAX)
        return STR_NONE;
    bytes[0] = TOKEN_VERSION;
    if (marker.len > 0)
        memcpy(bytes + 1, marker.p, marker.len);
    text = arena_alloc(op->arena, BASE64_LEN(1 + marker.len));
    if (text == NULL)
        return STR_NONE;
    base64_encode(bytes, 1 + marker.len, text);
    return str_make(text, BASE64_LEN(1 + marker.len));
}

bool list_token_parse(struct op *op, struct str token, struct str *ret_marker)
{
    uint8_t bytes[TOKEN_BYTES_MAX + 2];
    size_t len;

    if (!base64_decode(token, bytes, sizeof(bytes), &len) || len < 1 || len > TOKEN_BYTES_MAX ||
        bytes[0] != TOKEN_VERSION)
        return false;
    *ret_marker = arena_dup(op->arena, str_make(bytes + 1, len - 1));
    return str_present(*ret_marker);
}

enum s3_error list_token_bad(struct op *op)
{
    return op_fail_argument(op, STR("The continuation token provided is incorrect"),
                            STR("continuation-token"), STR_NONE);
}
