/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request targets: method LF host LF target.
 *
 * (1) The parts of an accepted target are its own bytes, in order, and together all of it.
 * (2) Bucket and key are decoded exactly once: printed by the one encoder and parsed again they
 *     are the same bytes.
 * (3) Every request has a route or an error, never neither and never both.
 */
#include "base/text/codec.h"

#include "server/http/parse/guard.h"
#include "server/s3/names.h"
#include "server/s3/routes.h"
#include "tests/fuzz/fuzz.h"

static void check_param(const struct http_request *request, const struct http_param *param,
                        struct arena *arena)
{
    struct str decoded;

    FUZZ_CHECK(fuzz_inside(param->raw_name, request->target), "a name from elsewhere");
    FUZZ_CHECK(fuzz_inside(param->raw_value, request->target), "a value from elsewhere");
    FUZZ_CHECK(str_find_char(param->raw_name, '=') == SIZE_MAX, "'=' in a name");
    FUZZ_CHECK(str_find_char(param->raw_value, '&') == SIZE_MAX, "'&' in a value");
    FUZZ_CHECK(param->has_equals || param->raw_value.len == 0, "a value without '='");
    FUZZ_CHECK(memchr(param->name.p, 0, param->name.len) == NULL, "NUL in a name");
    FUZZ_CHECK(param->value.len == 0 || memchr(param->value.p, 0, param->value.len) == NULL,
               "NUL in a value");

    FUZZ_CHECK(uri_decode(arena, param->raw_name, &decoded), "name");
    FUZZ_CHECK(str_eq(decoded, param->name), "the name is not its decoded text");
    FUZZ_CHECK(uri_decode(arena, param->raw_value, &decoded), "value");
    FUZZ_CHECK(str_eq(decoded, param->value), "the value is not its decoded text");
}

static void check_parts(const struct http_request *request, struct arena *arena)
{
    size_t query_len = str_present(request->raw_query) ? request->raw_query.len + 1 : 0;
    size_t end = request->target.len - query_len;
    size_t params_len = 0;

    /* What stands before the path is scheme and authority, or nothing. */
    FUZZ_CHECK(request->raw_path.p == request->target.p ||
                   (str_starts_nocase(request->target, STR("http://")) &&
                    request->host.p == request->target.p + STR("http://").len),
               "the path is not the target's beginning");
    FUZZ_CHECK(request->raw_path.p + request->raw_path.len == request->target.p + end ||
                   (str_eq(request->raw_path, STR("/")) &&
                    request->host.p + request->host.len == request->target.p + end),
               "bytes are missing");
    FUZZ_CHECK(http_is_host(request->host), "not a host");
    FUZZ_CHECK(str_find_char(request->raw_path, '?') == SIZE_MAX, "'?' in the path");
    FUZZ_CHECK(request->param_count <= HTTP_QUERY_PARAMS_MAX, "%zu parameters",
               request->param_count);

    for (size_t i = 0; i < request->param_count; i++) {
        check_param(request, &request->params[i], arena);
        params_len += request->params[i].raw_name.len + request->params[i].raw_value.len +
                      (request->params[i].has_equals ? 1 : 0);
        FUZZ_CHECK(i == 0 || request->params[i].raw_name.p > request->params[i - 1].raw_name.p,
                   "parameters out of order");
    }
    /* What is not a parameter is a '&'. */
    for (size_t i = 0; i < request->raw_query.len; i++)
        params_len += request->raw_query.p[i] == '&';
    FUZZ_CHECK(params_len == request->raw_query.len, "bytes of the query are in no parameter");
}

/* Printed and parsed again, a name is the same name. */
static void check_names_again(const struct resource_name *name, struct arena *arena)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(4 * HTTP_TARGET_BYTES_MAX);
    struct http_request again = { .method = STR("GET"), .host = STR("127.0.0.1:9000") };
    struct resource_name second;

    if (name->resource == RESOURCE_SERVICE)
        return;
    buf_char(&text, '/');
    uri_encode(&text, name->bucket, URI_KEEP_NONE);
    buf_char(&text, '/');
    uri_encode(&text, name->key, URI_KEEP_SLASH);

    FUZZ_CHECK(http_target_parse(buf_view(&text), arena, &again, NULL), "%.*s",
               STR_ARG(buf_view(&text)));
    FUZZ_CHECK(name_resolve(&again, again.host, NULL, 0, arena, &second), "%.*s",
               STR_ARG(buf_view(&text)));
    if (name->bucket.len == 0 && name->key.len == 0)
        return;
    FUZZ_CHECK(str_eq(second.bucket, name->bucket), "bucket '%.*s' became '%.*s'",
               STR_ARG(name->bucket), STR_ARG(second.bucket));
    FUZZ_CHECK(str_eq(second.key, name->key), "key '%.*s' became '%.*s'", STR_ARG(name->key),
               STR_ARG(second.key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(16384, 4u << 20);
    const struct str domains[] = { STR("s3.example.com") };
    const struct s3_options options = { .domains = { STR("s3.example.com") },
                                        .domain_count = 1,
                                        .website_domains = { STR("example.com") },
                                        .website_domain_count = 1,
                                        .auth.region = STR("home-1") };
    struct str site;
    struct input input = { data, size };
    struct http_field host = { .name = STR("Host") };
    struct http_request request = { .method = input_until(&input, '\n'),
                                    .fields = &host,
                                    .field_count = 1 };
    struct resource_name name;
    struct fault fault = { 0 };
    struct s3_refusal refusal = { .error = S3_OK };
    const struct route *route;
    int status;

    host.value = str_trim(input_until(&input, '\n'));
    if (arena == NULL || http_guard(&request, &status) != NULL ||
        !http_target_parse(arena_dup(arena, input_rest(&input)), arena, &request, &fault))
        return 0;

    check_parts(&request, arena);
    if (str_eq(request.raw_path, STR("*")))
        return 0;
    FUZZ_CHECK(name_resolve(&request, request.host, domains, COUNT_OF(domains), arena, &name),
               "a target that parsed has no names");
    FUZZ_CHECK((name.resource == RESOURCE_OBJECT) == (name.key.len > 0), "an object has a key");
    FUZZ_CHECK(name.key.len == 0 || memchr(name.key.p, 0, name.key.len) == NULL, "NUL in a key");
    check_names_again(&name, arena);
    site = name_website(request.host, &options, arena);
    FUZZ_CHECK(!str_present(site) || (site.len > 0 && site.len < request.host.len), "no bucket");
    (void)name_check_key(name.key);
    (void)s3_bucket_name_fault(name.bucket);

    route = route_find(&request, name.resource, arena, &refusal);
    FUZZ_CHECK(route != NULL || refusal.error != S3_OK, "no route and no error");
    /* A row that only refuses has no method; at a key a read may be the bucket's. */
    FUZZ_CHECK(route == NULL || route->method.len == 0 ||
                   (str_eq(route->method, request.method) &&
                    (route->resource == name.resource || str_eq(request.method, STR("GET")))),
               "a route of another method or resource");
    return 0;
}
