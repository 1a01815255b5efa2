/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request heads with V4 signatures; see sign.h.
 */
#include "tests/bench/sign.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text/codec.h"

#define SIGNED_MAX (SIGN_HEADERS_MAX + 3) /* host, x-amz-content-sha256, x-amz-date */
#define PRESIGN_EXPIRES_S 3600

struct signed_headers {
    struct sign_header item[SIGNED_MAX];
    size_t count;
};

struct str sign_empty_sha256(void)
{
    return STR("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

void sign_call_add(struct sign_call *call, struct str name, struct str value)
{
    assert(call->header_count < SIGN_HEADERS_MAX);
    call->headers[call->header_count++] = (struct sign_header){ name, value };
}

bool signer_open(struct signer *signer, const struct options *options)
{
    char secret[256];
    int secret_len;
    int scope_len;

    *signer = (struct signer){ .form = (enum auth_form)options->auth,
                               .access_key = options->access_key,
                               .host = options->authority };
    clock_format_amz(clock_now_us(&clock_of_system), signer->date);
    scope_len = snprintf(signer->scope, sizeof(signer->scope), "%.8s/%.*s/s3/aws4_request",
                         signer->date, STR_ARG(options->region));
    secret_len = snprintf(secret, sizeof(secret), "AWS4%.*s", STR_ARG(options->secret_key));
    if (scope_len < 0 || (size_t)scope_len >= sizeof(signer->scope) || secret_len < 0 ||
        (size_t)secret_len >= sizeof(secret))
        return false;

    hmac_sha256(str_make(secret, (size_t)secret_len), str_make(signer->date, 8), signer->key);
    hmac_sha256(str_make(signer->key, SHA256_BYTES), options->region, signer->key);
    hmac_sha256(str_make(signer->key, SHA256_BYTES), STR("s3"), signer->key);
    hmac_sha256(str_make(signer->key, SHA256_BYTES), STR("aws4_request"), signer->key);
    explicit_bzero(secret, sizeof(secret));
    return true;
}

void sign_text(const struct signer *signer, const char *algorithm, struct str rest,
               char signature[SIGN_SIGNATURE_LEN])
{
    char text[512];
    uint8_t mac[SHA256_BYTES];
    int len = snprintf(text, sizeof(text), "%s\n%s\n%s\n%.*s", algorithm, signer->date,
                       signer->scope, STR_ARG(rest));

    assert(len > 0 && (size_t)len < sizeof(text));
    hmac_sha256(str_make(signer->key, SHA256_BYTES), str_make(text, (size_t)len), mac);
    hex_encode(mac, sizeof(mac), signature);
}

/* Insert in order of the names. */
static void signed_add(struct signed_headers *headers, struct str name, struct str value)
{
    size_t at = headers->count++;

    for (; at > 0 && str_compare(headers->item[at - 1].name, name) > 0; at--)
        headers->item[at] = headers->item[at - 1];
    headers->item[at] = (struct sign_header){ name, value };
}

static void names_write(struct buf *out, const struct signed_headers *headers, const char *between)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (i > 0)
            buf_str(out, str_from_cstr(between));
        buf_str(out, headers->item[i].name);
    }
}

static void signature_make(const struct signer *signer, const struct sign_call *call,
                           const struct signed_headers *headers, struct str query,
                           struct str payload, struct buf *scratch,
                           char signature[SIGN_SIGNATURE_LEN])
{
    uint8_t digest[SHA256_BYTES];
    char digest_text[2 * SHA256_BYTES];

    buf_clear(scratch);
    buf_str(scratch, call->method);
    buf_char(scratch, '\n');
    buf_str(scratch, call->path);
    buf_char(scratch, '\n');
    buf_str(scratch, query);
    buf_char(scratch, '\n');
    for (size_t i = 0; i < headers->count; i++) {
        buf_str(scratch, headers->item[i].name);
        buf_char(scratch, ':');
        buf_str(scratch, headers->item[i].value);
        buf_char(scratch, '\n');
    }
    buf_char(scratch, '\n');
    names_write(scratch, headers, ";");
    buf_char(scratch, '\n');
    buf_str(scratch, payload);

    digest_once(DIGEST_SHA256, buf_view(scratch), digest);
    hex_encode(digest, sizeof(digest), digest_text);
    sign_text(signer, "AWS4-HMAC-SHA256", str_make(digest_text, sizeof(digest_text)), signature);
}

/* The parameters of a presigned URL, then the call's own: upper-case letters sort first. */
static void presigned_query(const struct signer *signer, const struct sign_call *call,
                            const struct signed_headers *headers, struct buf *out)
{
    CLEANUP(buf_free) struct buf scope = BUF_WITH_MAX(512);

    uri_encode(&scope, signer->access_key, URI_KEEP_NONE);
    buf_lit(&scope, "%2F");
    uri_encode(&scope, str_from_cstr(signer->scope), URI_KEEP_NONE);
    buf_printf(out,
               "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%.*s&X-Amz-Date=%s"
               "&X-Amz-Expires=%d&X-Amz-SignedHeaders=",
               STR_ARG(buf_view(&scope)), signer->date, PRESIGN_EXPIRES_S);
    names_write(out, headers, "%3B");
    if (call->query.len > 0) {
        buf_char(out, '&');
        buf_str(out, call->query);
    }
}

static void line(struct buf *out, struct str name, struct str value)
{
    buf_str(out, name);
    buf_lit(out, ": ");
    buf_str(out, value);
    buf_lit(out, "\r\n");
}

void sign_head(const struct signer *signer, const struct sign_call *call, struct buf *scratch,
               struct buf *out, char signature[SIGN_SIGNATURE_LEN])
{
    CLEANUP(buf_free) struct buf query = BUF_WITH_MAX(8192);
    struct signed_headers headers = { 0 };

    signed_add(&headers, STR("host"), signer->host);
    for (size_t i = 0; i < call->header_count; i++)
        signed_add(&headers, call->headers[i].name, call->headers[i].value);
    if (signer->form == AUTH_FORM_HEADER) {
        signed_add(&headers, STR("x-amz-content-sha256"), call->payload);
        signed_add(&headers, STR("x-amz-date"), str_make(signer->date, CLOCK_AMZ_LEN));
        signature_make(signer, call, &headers, call->query, call->payload, scratch, signature);
        buf_str(&query, call->query);
    } else if (signer->form == AUTH_FORM_PRESIGNED) {
        presigned_query(signer, call, &headers, &query);
        signature_make(signer, call, &headers, buf_view(&query), STR("UNSIGNED-PAYLOAD"), scratch,
                       signature);
        buf_lit(&query, "&X-Amz-Signature=");
        buf_append(&query, signature, SIGN_SIGNATURE_LEN);
    } else {
        buf_str(&query, call->query);
    }

    buf_str(out, call->method);
    buf_char(out, ' ');
    buf_str(out, call->path);
    if (query.len > 0) {
        buf_char(out, '?');
        buf_str(out, buf_view(&query));
    }
    buf_lit(out, " HTTP/1.1\r\nUser-Agent: pail-bench\r\n");
    for (size_t i = 0; i < headers.count; i++)
        line(out, headers.item[i].name, headers.item[i].value);
    if (signer->form == AUTH_FORM_HEADER) {
        buf_printf(out, "Authorization: AWS4-HMAC-SHA256 Credential=%.*s/%s, SignedHeaders=",
                   STR_ARG(signer->access_key), signer->scope);
        names_write(out, &headers, ";");
        buf_printf(out, ", Signature=%.*s\r\n", SIGN_SIGNATURE_LEN, signature);
    }
    if (call->content_length != UINT64_MAX)
        buf_printf(out, "Content-Length: %llu\r\n", (unsigned long long)call->content_length);
    buf_lit(out, "\r\n");
}
