/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of the answer that the request chooses; see overrides.h.
 *
 * A parameter is UTF-8, a header ISO-8859-1: S3 answers in it, and refuses what it can not say.
 */
#include "server/s3/request/overrides.h"

#include "server/http/parse/guard.h"
#include "server/s3/answer.h"
#include "server/s3/may.h"
#include "server/s3/refuse.h"

static const struct {
    const char *param;
    const char *header;
} table[OVERRIDES_COUNT] = {
    { "response-cache-control", "Cache-Control" },
    { "response-content-disposition", "Content-Disposition" },
    { "response-content-encoding", "Content-Encoding" },
    { "response-content-language", "Content-Language" },
    { "response-content-type", "Content-Type" },
    { "response-expires", "Expires" },
};

/* The characters U+0080 to U+00FF are two bytes of UTF-8 with no more than six bits between them. */
static bool to_latin1(struct str text, char *bytes, size_t *ret_len)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c >= 0x80) {
            unsigned char next = i + 1 < text.len ? (unsigned char)text.p[i + 1] : 0;

            if ((c != 0xc2 && c != 0xc3) || next < 0x80 || next > 0xbf)
                return false;
            c = (unsigned char)(next + (c == 0xc3 ? 0x40 : 0));
            i++;
        }
        bytes[len++] = (char)c;
    }
    *ret_len = len;
    return true;
}

static enum s3_error read_one(struct op *op, const struct http_param *param, struct str *to)
{
    const struct op_subject subject = op_subject(op);
    char *bytes;
    size_t len;

    if (!op_may(op, ACTION_OverrideHeaders, &subject))
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Request specific response headers cannot be used for "
                                "anonymous GET requests."));
    if (!http_is_field_value(param->value))
        return op_fail_argument(op, STR("The header value holds control characters"), param->name,
                                param->value);
    *to = param->value;
    if (str_is_printable(param->value))
        return S3_OK;
    bytes = arena_alloc(op->arena, param->value.len);
    if (bytes == NULL)
        return op_fail(op, S3_SlowDown);
    if (!to_latin1(param->value, bytes, &len))
        return op_fail_argument(op, STR("Header value cannot be represented using ISO-8859-1."),
                                param->name, param->value);
    *to = str_make(bytes, len);
    return S3_OK;
}

enum s3_error overrides_read(struct op *op, struct overrides *ret_overrides)
{
    struct overrides overrides = { 0 };

    for (size_t i = 0; i < op->request->param_count; i++) {
        const struct http_param *param = &op->request->params[i];
        enum s3_error err;
        size_t at = 0;

        if (!str_starts(param->name, STR("response-")))
            continue;
        while (at < OVERRIDES_COUNT && !str_eq(param->name, str_from_cstr(table[at].param)))
            at++;
        if (at == OVERRIDES_COUNT)
            return op_fail_argument(op,
                                    STR("There is no response header of that name to override."),
                                    param->name, param->value);
        if (str_present(overrides.values[at]))
            continue; /* the first one counts */
        err = read_one(op, param, &overrides.values[at]);
        if (err != S3_OK)
            return err;
    }
    *ret_overrides = overrides;
    return S3_OK;
}

void overrides_set(struct op *op, const struct overrides *overrides)
{
    for (size_t i = 0; i < OVERRIDES_COUNT; i++) {
        if (!str_present(overrides->values[i]))
            continue;
        op_drop(op, table[i].header);
        op_set(op, table[i].header, overrides->values[i]);
    }
}
