/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and forms for the tests of server/auth; see harness.h.
 */
#include "harness.h"

#include <stdio.h>

#include "base/text/codec.h"

struct harness h;

int harness_setup(void **state UNUSED)
{
    if (!digest_init())
        return 1;

    memset(&h, 0, sizeof(h));
    h.arena = arena_open(65536, 16 * 1024 * 1024);
    h.users = users_open();
    h.in_force = users_put_in_force(h.users);
    h.cache = auth_cache_open(h.in_force);
    h.config.region = STR("us-east-1");
    clock_init(&h.clock);
    clock_move(&h.clock, CLOCK_FREEZE, 0);
    h.config.clock = &h.clock;
    return h.arena == NULL || h.cache == NULL || h.users == NULL;
}

void forget_users(void)
{
    h.users = users_open();
    assert_non_null(h.users);
    users_replace(h.in_force, h.users);
}

int harness_teardown(void **state UNUSED)
{
    clock_free(&h.clock);
    auth_cache_close(h.cache);
    users_in_force_close(h.in_force);
    arena_close(h.arena);
    return 0;
}

void add_user(const char *access_key, const char *secret, const char *token, int64_t expires_us)
{
    struct user user = {
        .access_key = str_from_cstr(access_key),
        .secret_key = str_from_cstr(secret),
        .session_token = str_from_cstr(token),
        .canonical_id = STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        .display_name = STR("test"),
        .email = STR("test@example.com"),
        .expires_us = expires_us,
    };

    assert_true(users_add(h.users, &user, NULL));
}

void clock_at(int64_t seconds)
{
    clock_move(&h.clock, CLOCK_SET, seconds * US_PER_S);
}

void clock_at_amz(const char *date)
{
    int64_t us;

    assert_true(clock_parse_amz(str_from_cstr(date), &us));
    clock_at(us / US_PER_S);
}

void header_add(const char *name, const char *value)
{
    assert_true(h.request.field_count < HTTP_HEADERS_MAX);
    h.fields[h.request.field_count++] =
        (struct http_field){ arena_dup(h.arena, str_from_cstr(name)),
                             arena_dup(h.arena, str_from_cstr(value)) };
}

void header_set(const char *name, const char *value)
{
    for (size_t i = 0; i < h.request.field_count; i++) {
        if (!str_eq_nocase(h.fields[i].name, str_from_cstr(name)))
            continue;
        h.fields[i].value = arena_dup(h.arena, str_from_cstr(value));
        return;
    }

    header_add(name, value);
}

struct str header(const char *name)
{
    return http_header(&h.request, str_from_cstr(name));
}

void retarget(const char *target)
{
    struct fault fault = { 0 };

    h.request.target = arena_dup(h.arena, str_from_cstr(target));
    if (!http_target_parse(h.request.target, h.arena, &h.request, &fault))
        fail_msg("target '%s': %s", target, fault.text);
}

/* "Name: value\n" lines to add(name, value). */
static void each_line(const char *text, void (*add)(const char *name, const char *value))
{
    struct str rest = str_from_cstr(text);
    struct str line;

    while (str_next(&rest, '\n', &line)) {
        size_t colon = str_find(line, STR(": "));

        if (line.len == 0)
            continue;
        assert_int_not_equal(colon, SIZE_MAX);
        add(arena_cstr(h.arena, str_slice(line, 0, colon)),
            arena_cstr(h.arena, str_skip(line, colon + 2)));
    }
}

void request(const char *method, const char *target, const char *host, const char *headers)
{
    memset(&h.request, 0, sizeof(h.request));
    h.virtual_bucket = STR_NONE;
    h.request.fields = h.fields;
    h.request.method = arena_dup(h.arena, str_from_cstr(method));
    h.request.host = arena_dup(h.arena, str_from_cstr(host));
    header_add("Host", host);
    each_line(headers, header_add);
    retarget(target);
}

enum s3_error verify(void)
{
    enum s3_error err;

    memset(&h.auth, 0xa5, sizeof(h.auth));
    memset(&h.refusal, 0, sizeof(h.refusal));
    err =
        auth_verify(&h.config, h.cache, &h.request, h.virtual_bucket, h.arena, &h.auth, &h.refusal);
    assert_int_equal(h.refusal.error, err);
    return err;
}

void form_add(const char *name, const char *value)
{
    assert_true(h.form_count < COUNT_OF(h.form));
    h.form[h.form_count++] = (struct form_field){ arena_dup(h.arena, str_from_cstr(name)),
                                                  arena_dup(h.arena, str_from_cstr(value)) };
}

void form(const char *fields)
{
    h.form_count = 0;
    each_line(fields, form_add);
}

enum s3_error verify_form(const char *bucket)
{
    enum s3_error err;

    memset(&h.refusal, 0, sizeof(h.refusal));
    err = auth_verify_post(&h.config, h.cache, &h.request, h.form, h.form_count,
                           str_from_cstr(bucket), h.arena, &h.auth, &h.min_bytes, &h.max_bytes,
                           &h.refusal);
    assert_int_equal(h.refusal.error, err);
    return err;
}

enum s3_error post_policy(const char *policy, const char *fields)
{
    char *encoded = arena_zalloc(h.arena, BASE64_LEN(strlen(policy)) + 1);
    char signature[V2_SIGNATURE_BYTES + 1] = "";

    assert_non_null(encoded);
    base64_encode(policy, strlen(policy), encoded);
    v2_sign(STR(AWS_SECRET), str_from_cstr(encoded), signature);

    form(fields);
    form_add("AWSAccessKeyId", AWS_KEY);
    form_add("Policy", encoded);
    form_add("signature", signature);
    return verify_form("b");
}

void sign_v4(const char *signed_headers)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    CLEANUP(buf_free) struct buf scratch = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    struct str date = header("x-amz-date");
    struct str scope = arena_printf(h.arena, "%.8s/us-east-1/s3/aws4_request", date.p);
    uint8_t key[SHA256_BYTES];
    char signature[64];
    char *authorization;

    canonical_request(&text, &scratch, &h.request, str_from_cstr(signed_headers),
                      header("x-amz-content-sha256"));
    auth_signing_key(STR(AWS_SECRET), str_slice(date, 0, 8), STR("us-east-1"), STR("s3"), key);
    v4_sign(key, date, scope, buf_view(&text), signature);
    authorization =
        arena_cstr(h.arena, arena_printf(h.arena,
                                         "AWS4-HMAC-SHA256 Credential=%s/%.*s, SignedHeaders=%s, "
                                         "Signature=%.64s",
                                         AWS_KEY, STR_ARG(scope), signed_headers, signature));
    header_set("Authorization", authorization);
}

struct str fact_value(enum fact fact)
{
    return h.refusal.values[fact];
}
