/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4, whatever carried it: headers covered, key known, signature right.
 *
 * (1) `host` and every x-amz-* header of the request are in the signed list, in the header form as
 *     in the presigned one: who holds a presigned PUT must not add a copy source (CVE-2026-54330).
 *     x-amz-content-sha256 need not be: its value is the canonical request's last line.
 * (2) Path and query are signed decoded and encoded again: clients differ in what they escape on the
 *     wire, and what is signed is what the target means.
 * (3) An unknown access key costs what a known one does and is told apart only at the end.
 */
#include "server/auth/call.h"

#include "base/secret.h"

/* AWS4-HMAC-SHA256, date, scope, hash. */
#define TEXT_BYTES_MAX (17 + CLOCK_AMZ_LEN + 1 + 128 + 1 + 2 * SHA256_BYTES)

static char *put(char *at, const char *end, struct str text)
{
    size_t len = size_min(text.len, (size_t)(end - at));

    if (len > 0)
        memcpy(at, text.p, len);
    return at + len;
}

static struct str string_to_sign(struct str amz_date, struct str scope, struct str canonical,
                                 char out[TEXT_BYTES_MAX])
{
    const char *end = out + TEXT_BYTES_MAX;
    uint8_t sha256[SHA256_BYTES];
    char hex[2 * SHA256_BYTES];
    char *at = out;

    digest_once(DIGEST_SHA256, canonical, sha256);
    hex_encode(sha256, sizeof(sha256), hex);
    at = put(at, end, STR("AWS4-HMAC-SHA256\n"));
    at = put(at, end, amz_date);
    at = put(at, end, STR("\n"));
    at = put(at, end, scope);
    at = put(at, end, STR("\n"));
    at = put(at, end, str_make(hex, sizeof(hex)));
    return str_make(out, (size_t)(at - out));
}

void v4_sign(const uint8_t key[SHA256_BYTES], struct str amz_date, struct str scope,
             struct str canonical, char out[2 * SHA256_BYTES])
{
    char text[TEXT_BYTES_MAX];
    uint8_t mac[SHA256_BYTES];

    hmac_sha256(str_make(key, SHA256_BYTES), string_to_sign(amz_date, scope, canonical, text), mac);
    hex_encode(mac, sizeof(mac), out);
}

static bool is_first_of_name(const struct http_request *request, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (str_eq_nocase(request->fields[i].name, request->fields[at].name))
            return false;
    }

    return true;
}

/* "a, b": what should have been signed and was not; STR_NONE when all was. */
static struct str unsigned_headers(struct auth_call *call, struct str signed_headers)
{
    CLEANUP(buf_free) struct buf missing = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    const struct http_request *request = call->request;

    if (!canonical_list_has(signed_headers, STR("host")))
        auth_add_name(&missing, STR("host"));

    for (size_t i = 0; i < request->field_count; i++) {
        struct str name = request->fields[i].name;

        if (auth_is_amz_name(name) && !str_eq_nocase(name, STR("x-amz-content-sha256")) &&
            !canonical_list_has(signed_headers, name) && is_first_of_name(request, i))
            auth_add_name(&missing, name);
    }

    return auth_names(call, &missing);
}

/* Names once each and not too many: what the canonical request costs stays in proportion. */
static bool list_allowed(struct str signed_headers)
{
    struct str rest = signed_headers;
    struct str before = STR_NONE;
    struct str name;
    size_t count = 0;

    while (str_next(&rest, ';', &name)) {
        if (++count > HTTP_HEADERS_MAX)
            return false;
        /* Clients sort; what is sorted needs no search. */
        if (str_present(before) && str_compare(before, name) >= 0 &&
            canonical_list_has(str_slice(signed_headers, 0,
                                         (size_t)(name.p - signed_headers.p) - 1),
                               name))
            return false;
        before = name;
    }

    return true;
}

static enum s3_error check_covered(struct auth_call *call, const struct v4_claim *claim)
{
    struct str missing;

    if (!list_allowed(claim->signed_headers))
        return scope_malformed(call, claim->form,
                               "SignedHeaders names a header twice or more than "
                               "%d headers.",
                               HTTP_HEADERS_MAX);

    missing = unsigned_headers(call, claim->signed_headers);
    return str_present(missing) ? auth_refuse_unsigned(call, missing) : S3_OK;
}

/* The canonical request, in the thread's buffer. */
static bool build(struct auth_call *call, const struct v4_claim *claim, struct str *ret_canonical)
{
    struct buf *text = auth_cache_text(call->cache);

    canonical_request(text, auth_cache_scratch(call->cache), call->request, claim->signed_headers,
                      claim->payload);
    if (text->failed)
        return false;

    *ret_canonical = buf_view(text);
    return true;
}

enum s3_error v4_verify(struct auth_call *call, const struct v4_claim *claim)
{
    struct auth *auth = call->auth;
    struct str canonical;
    char text[TEXT_BYTES_MAX];
    char expected[2 * SHA256_BYTES];
    CLEANUP(secret_key_wipe) struct secret_key key;
    CLEANUP(credential_wipe) struct credential credential;
    bool known = true;
    bool matches;
    enum s3_error err;

    err = check_covered(call, claim);
    if (err != S3_OK)
        return err;

    err = str_present(call->session_token) ? session_claimed(call, &credential)
                                           : auth_claimed(call, &credential, &known);
    if (err != S3_OK)
        return err;
    auth_cache_key(call->cache, &credential, &claim->scope, key.bytes);
    if (!build(call, claim, &canonical))
        return auth_refuse(call, S3_SlowDown, STR_NONE);
    v4_sign(key.bytes, claim->amz_date, claim->scope.text, canonical, expected);
    matches = str_eq_secret(str_make(expected, sizeof(expected)), claim->signature);

    if (!matches || !known)
        return auth_refuse_signature(call, known,
                                     string_to_sign(claim->amz_date, claim->scope.text, canonical,
                                                    text),
                                     claim->signature, canonical);

    err = auth_accept(call, &credential);
    if (err != S3_OK)
        return err;

    auth->session = call->session;
    auth->scope = claim->scope.text;
    auth->signed_headers = claim->signed_headers;
    auth->amz_date = claim->amz_date;
    memcpy(auth->signing_key, key.bytes, sizeof(key.bytes));
    memcpy(auth->previous_signature, expected, sizeof(expected));
    return S3_OK;
}
