/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making V4 signatures, with the verifier's own canonical form: presigned URLs, and headers of
 * requests to other servers.
 */
#include "server/auth/call.h"

#include <stdlib.h>

#include "base/secret.h"

#define PRESIGN_ARENA_BYTES (256 * 1024)

/* "http://host:9000/" in parts. host without a port that is the scheme's own: clients drop it. */
static bool split_endpoint(struct str endpoint, struct str *ret_base, struct str *ret_host)
{
    bool tls = str_starts(endpoint, STR("https://"));
    size_t skip = tls ? STR("https://").len : STR("http://").len;
    struct str port = tls ? STR(":443") : STR(":80");
    struct str host;

    if (!tls && !str_starts(endpoint, STR("http://")))
        return false;

    while (str_ends(endpoint, STR("/")))
        endpoint.len--;
    if (endpoint.len <= skip)
        return false;

    host = str_skip(endpoint, skip);
    if (str_ends(host, port))
        host.len -= port.len;

    *ret_base = endpoint;
    *ret_host = host;
    return host.len > 0 && str_find_char(host, '/') == SIZE_MAX;
}

static void add(struct http_request *request, struct str name, struct str value)
{
    request->params[request->param_count++] =
        (struct http_param){ .name = name, .value = value, .has_equals = true };
}

/* "versionId=x&response-content-type=text%2Fplain" */
static bool add_extra(struct http_request *request, struct str extra, struct arena *arena)
{
    struct str field;

    while (str_next(&extra, '&', &field)) {
        struct str raw_name;
        struct str raw_value;
        struct str name;
        struct str value = STR("");

        if (request->param_count + 8 > CANONICAL_PARAMS_MAX)
            return false;
        (void)str_cut(field, '=', &raw_name, &raw_value);
        if (raw_name.len == 0 || !uri_decode(arena, raw_name, &name))
            return false;
        if (str_present(raw_value) && !uri_decode(arena, raw_value, &value))
            return false;
        add(request, name, value);
    }

    return true;
}

bool auth_presign(struct buf *out, const struct user *user, struct str method, struct str endpoint,
                  struct str region, struct str bucket, struct str key, struct str query_extra,
                  uint64_t expires_s, int64_t now_us)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(8192, PRESIGN_ARENA_BYTES);
    CLEANUP(buf_free) struct buf path = BUF_WITH_MAX(HTTP_TARGET_BYTES_MAX);
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    CLEANUP(buf_free) struct buf scratch = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    struct http_param params[CANONICAL_PARAMS_MAX];
    struct http_request request = { .method = method, .params = params };
    struct str service = STR("s3");
    struct str base;
    struct str scope;
    char date[CLOCK_AMZ_LEN + 1];
    char signature[2 * SHA256_BYTES];
    CLEANUP(secret_key_wipe) struct secret_key signing_key;

    if (arena == NULL || expires_s == 0 || expires_s > AUTH_EXPIRES_MAX_S || region.len == 0 ||
        region.len > AUTH_REGION_BYTES_MAX || !split_endpoint(endpoint, &base, &request.host))
        return false;

    clock_format_amz(now_us, date);
    scope = arena_printf(arena, "%.8s/%.*s/s3/aws4_request", date, STR_ARG(region));
    add(&request, STR("X-Amz-Algorithm"), STR("AWS4-HMAC-SHA256"));
    add(&request, STR("X-Amz-Credential"),
        arena_printf(arena, "%.*s/%.*s", STR_ARG(user->access_key), STR_ARG(scope)));
    add(&request, STR("X-Amz-Date"), str_make(date, CLOCK_AMZ_LEN));
    add(&request, STR("X-Amz-Expires"), arena_printf(arena, "%llu", (unsigned long long)expires_s));
    add(&request, STR("X-Amz-SignedHeaders"), STR("host"));
    if (str_present(user->session_token))
        add(&request, STR("X-Amz-Security-Token"), user->session_token);
    if (!add_extra(&request, query_extra, arena))
        return false;

    buf_char(&path, '/');
    uri_encode(&path, bucket, URI_KEEP_NONE);
    if (str_present(key)) {
        buf_char(&path, '/');
        uri_encode(&path, key, URI_KEEP_SLASH);
    }

    request.raw_path = buf_view(&path);
    canonical_request(&text, &scratch, &request, STR("host"), STR("UNSIGNED-PAYLOAD"));
    if (path.failed || text.failed)
        return false;
    auth_signing_key(user->secret_key, str_make(date, 8), region, service, signing_key.bytes);
    v4_sign(signing_key.bytes, str_make(date, CLOCK_AMZ_LEN), scope, buf_view(&text), signature);

    buf_str(out, base);
    buf_str(out, buf_view(&path));
    buf_char(out, '?');
    buf_clear(&scratch);
    canonical_query(out, &scratch, request.params, request.param_count);
    buf_lit(out, "&X-Amz-Signature=");
    buf_append(out, signature, sizeof(signature));
    return !out->failed;
}

/* ---- in headers ---------------------------------------------------------------------------- */

static void add_field(struct http_request *request, const char *name, struct str value)
{
    request->fields[request->field_count++] =
        (struct http_field){ .name = str_from_cstr(name), .value = value };
}

static int by_name(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* "content-type;host;x-amz-date"; STR_NONE: no memory. */
static struct str signed_names(const struct http_request *request, struct arena *arena)
{
    size_t count = request->field_count + 1;
    struct str *names = arena_array(arena, count, sizeof(*names));
    struct buf text = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    struct str list;

    if (names == NULL)
        return STR_NONE;
    names[0] = STR("host");
    for (size_t i = 1; i < count; i++) {
        buf_clear(&text);
        auth_append_lower(&text, request->fields[i - 1].name);
        names[i] = arena_dup(arena, buf_view(&text));
    }
    qsort(names, count, sizeof(*names), by_name);
    buf_clear(&text);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&text, ';');
        buf_str(&text, names[i]);
    }
    list = text.failed ? STR_NONE : arena_dup(arena, buf_view(&text));
    buf_free(&text);
    return list;
}

bool auth_sign(struct http_request *request, const struct auth_signer *signer, struct str payload,
               int64_t now_us, struct arena *arena)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    CLEANUP(buf_free) struct buf scratch = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    CLEANUP(secret_key_wipe) struct secret_key key;
    char signature[2 * SHA256_BYTES];
    char date[CLOCK_AMZ_LEN + 1];
    struct str scope;
    struct str names;
    struct str value;

    if (signer->region.len > AUTH_REGION_BYTES_MAX || signer->service.len > AUTH_REGION_BYTES_MAX)
        return false;
    clock_format_amz(now_us, date);
    add_field(request, "x-amz-date", arena_dup(arena, str_make(date, CLOCK_AMZ_LEN)));
    if (str_eq(signer->service, STR("s3")))
        add_field(request, "x-amz-content-sha256", payload);
    if (str_present(signer->session_token))
        add_field(request, "x-amz-security-token", signer->session_token);
    names = signed_names(request, arena);
    scope = arena_printf(arena, "%.8s/%.*s/%.*s/aws4_request", date, STR_ARG(signer->region),
                         STR_ARG(signer->service));
    canonical_request(&text, &scratch, request, names, payload);
    if (!str_present(names) || !str_present(scope) || text.failed)
        return false;

    auth_signing_key(signer->secret_key, str_make(date, 8), signer->region, signer->service,
                     key.bytes);
    v4_sign(key.bytes, str_make(date, CLOCK_AMZ_LEN), scope, buf_view(&text), signature);
    value =
        arena_printf(arena,
                     "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%.*s",
                     STR_ARG(signer->access_key), STR_ARG(scope), STR_ARG(names),
                     (int)sizeof(signature), signature);
    add_field(request, "Authorization", value);
    return str_present(value);
}
