/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4 read a second time: the slow, plain signer that the fuzz targets hold against
 * server/auth. Shares nothing with it but HMAC and SHA-256 of base/.
 *
 *     https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *     https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
#ifndef TESTS_FUZZ_REFERENCE_SIGV4_H
#define TESTS_FUZZ_REFERENCE_SIGV4_H

#include "server/http/http.h"
#include "tests/fuzz/fuzz.h"

#define REFERENCE_TEXT_BYTES_MAX (1024u * 1024)
#define REFERENCE_PARAMS_MAX HTTP_QUERY_PARAMS_MAX

static inline int reference_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static inline void reference_put(struct buf *out, char c, bool keep_slash)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
        c == '.' || c == '_' || c == '~' || (c == '/' && keep_slash))
        buf_char(out, c);
    else
        buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
}

/* Text with escapes, decoded and encoded; a plus is a blank. */
static inline void reference_recode(struct buf *out, struct str raw, bool keep_slash)
{
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.p[i];

        if (c == '%' && i + 2 < raw.len && reference_hex(raw.p[i + 1]) >= 0 &&
            reference_hex(raw.p[i + 2]) >= 0) {
            c = (char)(reference_hex(raw.p[i + 1]) * 16 + reference_hex(raw.p[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        reference_put(out, c, keep_slash);
    }
}

struct reference_param {
    struct str name, value; /* encoded */
};

static inline int reference_order(const void *left, const void *right)
{
    const struct reference_param *a = left;
    const struct reference_param *b = right;
    int order = str_compare(a->name, b->name);

    return order != 0 ? order : str_compare(a->value, b->value);
}

static inline void reference_query(struct buf *out, struct str raw_query, struct arena *arena)
{
    struct reference_param params[REFERENCE_PARAMS_MAX];
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(REFERENCE_TEXT_BYTES_MAX);
    struct str item;
    size_t count = 0;

    while (str_next(&raw_query, '&', &item)) {
        struct str name;
        struct str value;

        if (item.len == 0 || count == REFERENCE_PARAMS_MAX)
            continue;
        (void)str_cut(item, '=', &name, &value);
        buf_clear(&text);
        reference_recode(&text, name, false);
        params[count].name = arena_dup(arena, buf_view(&text));
        buf_clear(&text);
        reference_recode(&text, value, false);
        params[count].value = arena_dup(arena, buf_view(&text));
        if (!str_eq(params[count].name, STR("X-Amz-Signature")))
            count++;
    }
    qsort(params, count, sizeof(params[0]), reference_order);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%.*s=%.*s", i > 0 ? "&" : "", STR_ARG(params[i].name),
                   STR_ARG(params[i].value));
}

/* name:value,value with runs of blanks as one space. */
static inline void reference_header(struct buf *out, const struct http_request *request,
                                    struct str name)
{
    bool first = true;

    for (size_t i = 0; i < name.len; i++)
        buf_char(out, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 32) : name.p[i]);
    buf_char(out, ':');
    for (size_t i = 0; i < request->field_count; i++) {
        /* A target in absolute form names the host, whatever the field says. */
        struct str value = str_eq_nocase(name, STR("host")) ? request->host
                                                            : request->fields[i].value;
        bool blank = false;
        bool begun = false;

        if (!str_eq_nocase(request->fields[i].name, name))
            continue;
        if (!first)
            buf_char(out, ',');
        first = false;
        for (size_t at = 0; at < value.len; at++) {
            if (value.p[at] == ' ' || value.p[at] == '\t') {
                blank = begun;
                continue;
            }
            if (blank)
                buf_char(out, ' ');
            blank = false;
            begun = true;
            buf_char(out, value.p[at]);
        }
    }
    buf_char(out, '\n');
}

/*
 * The signature of a request as 64 digits. False: it is too long to say.
 *
 * credential_scope: DATE/REGION/s3/aws4_request. payload: as it stands in the canonical request.
 */
static inline bool reference_sign(const struct http_request *request, struct str secret,
                                  struct str amz_date, struct str scope, struct str signed_headers,
                                  struct str payload, struct arena *arena, char out[64])
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(REFERENCE_TEXT_BYTES_MAX);
    CLEANUP(buf_free) struct buf sign = BUF_WITH_MAX(4096);
    struct str rest = signed_headers;
    struct str field;
    uint8_t key[SHA256_BYTES];
    uint8_t digest[SHA256_BYTES];

    buf_printf(&text, "%.*s\n", STR_ARG(request->method));
    reference_recode(&text, request->raw_path, true);
    buf_char(&text, '\n');
    reference_query(&text, request->raw_query, arena);
    buf_char(&text, '\n');
    while (str_next(&rest, ';', &field))
        reference_header(&text, request, field);
    buf_printf(&text, "\n%.*s\n%.*s", STR_ARG(signed_headers), STR_ARG(payload));
    digest_once(DIGEST_SHA256, buf_view(&text), digest);

    buf_printf(&sign, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n", STR_ARG(amz_date), STR_ARG(scope));
    for (size_t i = 0; i < sizeof(digest); i++)
        buf_printf(&sign, "%02x", digest[i]);
    if (text.failed || sign.failed)
        return false;

    buf_clear(&text);
    buf_printf(&text, "AWS4%.*s", STR_ARG(secret));
    hmac_sha256(buf_view(&text), str_slice(scope, 0, 8), key);
    rest = str_skip(scope, 9);
    while (str_next(&rest, '/', &field))
        hmac_sha256(str_make(key, sizeof(key)), field, key);
    hmac_sha256(str_make(key, sizeof(key)), buf_view(&sign), digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    return true;
}

static inline bool reference_matches(const struct http_request *request, struct str secret,
                                     struct str amz_date, struct str scope,
                                     struct str signed_headers, struct str payload,
                                     struct str signature, struct arena *arena)
{
    char expected[64];

    return reference_sign(request, secret, amz_date, scope, signed_headers, payload, arena,
                          expected) &&
           str_eq(str_make(expected, sizeof(expected)), signature);
}

/*
 * Every x-amz-* header and host are in a list separated by ';'; x-amz-content-sha256 need not be, its
 * value is signed by itself.
 */
static inline bool reference_covers(const struct http_request *request, struct str signed_headers)
{
    bool host = false;
    struct str rest = signed_headers;
    struct str listed;

    while (str_next(&rest, ';', &listed))
        host = host || str_eq_nocase(listed, STR("host"));
    if (!host)
        return false;
    for (size_t i = 0; i < request->field_count; i++) {
        bool covered = !str_starts_nocase(request->fields[i].name, STR("x-amz-")) ||
                       str_eq_nocase(request->fields[i].name, STR("x-amz-content-sha256"));

        rest = signed_headers;
        while (!covered && str_next(&rest, ';', &listed))
            covered = str_eq_nocase(listed, request->fields[i].name);
        if (!covered)
            return false;
    }
    return true;
}

#endif
