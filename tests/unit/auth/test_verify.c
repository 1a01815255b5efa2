/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all forms share: anonymous requests, modes, temporary keys, users, what is logged.
 */
#include "harness.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEAD "x-amz-date: 20130524T000000Z\nx-amz-content-sha256: " EMPTY "\n"
#define LIST "host;x-amz-content-sha256;x-amz-date"
#define LIST_TOKEN LIST ";x-amz-security-token"

static void signed_get(const char *headers, const char *list)
{
    clock_at_amz("20130524T000000Z");
    request("GET", "/b/k", "h", headers);
    sign_v4(list);
}

static void test_auth_verify__the_facts_are_in_errors_defs_order(void **state UNUSED)
{
    static const struct s3_error_row rows[] = {
        { STR_NONE, 0, STR_NONE, STR_NONE },
#define E(CODE, STATUS, MESSAGE, EXTRAS)                                                           \
    { { #CODE, sizeof(#CODE) - 1 },                                                                \
      STATUS,                                                                                      \
      { MESSAGE, sizeof(MESSAGE) - 1 },                                                            \
      { EXTRAS, sizeof(EXTRAS) - 1 } },
#include "server/refusals/errors.def"
#undef E
    };

    assert_text(rows[S3_AccessDenied].extras, "HeadersNotSigned X-Amz-Expires Expires ServerTime");
    assert_text(rows[S3_InvalidArgument].extras,
                "ArgumentName ArgumentValue ArgumentName1 ArgumentValue1");
    assert_text(rows[S3_RequestTimeTooSkewed].extras,
                "RequestTime ServerTime MaxAllowedSkewMilliseconds");
    assert_text(rows[S3_SignatureDoesNotMatch].extras,
                "AWSAccessKeyId StringToSign SignatureProvided StringToSignBytes CanonicalRequest "
                "CanonicalRequestBytes");
    assert_text(rows[S3_AuthorizationHeaderMalformed].extras, "Region");
    assert_text(rows[S3_InvalidAccessKeyId].extras, "AWSAccessKeyId");
    assert_true(str_starts(rows[S3_NotImplemented].extras, STR("Header")));
}

static void test_auth_verify__no_credential_is_anonymous(void **state UNUSED)
{
    request("GET", "/b/k?versionId=1&Expires=5", "h", "x-amz-acl: private\n");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.scheme, AUTH_ANONYMOUS);
    assert_null(h.auth.user);
    assert_false(h.auth.audited);
    assert_int_equal(h.auth.payload, PAYLOAD_ABSENT);
}

static void test_auth_verify__anonymous_payload_claims_count(void **state UNUSED)
{
    request("PUT", "/b/k", "h", "x-amz-content-sha256: " EMPTY "\n");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.payload, PAYLOAD_HEX);
    assert_true(str_eq(h.auth.payload_claim, STR(EMPTY)));
    header_set("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.payload, PAYLOAD_UNSIGNED_TRAILER);
    header_set("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    assert_int_equal(verify(), S3_InvalidArgument);
    /* Nothing that is signed says what it may be: it is a claim that no body fulfils. */
    header_set("x-amz-content-sha256", "nonsense");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.payload, PAYLOAD_HEX);
    assert_true(str_eq(h.auth.payload_claim, STR("nonsense")));
}

static void test_auth_verify__two_authorization_headers_are_refused(void **state UNUSED)
{
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    signed_get(HEAD, LIST);
    assert_int_equal(verify(), S3_OK);
    header_add("authorization", "Basic x");
    assert_int_equal(verify(), S3_InvalidArgument);
}

static void test_auth_verify__foreign_schemes_are_refused_and_shown(void **state UNUSED)
{
    static const char *const values[] = { "Bearer secret", "Basic secret", "secret", "aws4 secret",
                                          "AWS4-HMAC-SHA512 secret" };

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        request("GET", "/", "h", "");
        header_add("Authorization", values[i]);
        assert_int_equal(verify(), S3_InvalidArgument);
        assert_message("Unsupported Authorization Type");
        assert_text(fact_value(FACT_ARGUMENT_NAME), "Authorization");
        assert_text(fact_value(FACT_ARGUMENT_VALUE), values[i]);
    }
}

static void test_auth_token__temporary_keys_need_exactly_theirs(void **state UNUSED)
{
    add_user(AWS_KEY, AWS_SECRET, "the-token", 0);
    signed_get(HEAD "x-amz-security-token: the-token\n", LIST_TOKEN);
    assert_int_equal(verify(), S3_OK);
    signed_get(HEAD "x-amz-security-token: the-token2\n", LIST_TOKEN);
    assert_int_equal(verify(), S3_InvalidToken);
    signed_get(HEAD "x-amz-security-token: \n", LIST_TOKEN);
    assert_int_equal(verify(), S3_InvalidToken);
    signed_get(HEAD, LIST);
    assert_int_equal(verify(), S3_AccessDenied);
    /* and it must be signed */
    signed_get(HEAD "x-amz-security-token: the-token\n", LIST);
    assert_int_equal(verify(), S3_AccessDenied);
    assert_text(fact_value(FACT_DENIED_HEADERS), "x-amz-security-token");
    signed_get(HEAD "x-amz-security-token: the-token\nx-amz-security-token: x\n", LIST_TOKEN);
    assert_int_equal(verify(), S3_InvalidToken);
}

static void test_auth_token__every_character_counts(void **state UNUSED)
{
    char token[] = "x-amz-security-token: the-token\n";

    add_user(AWS_KEY, AWS_SECRET, "the-token", 0);
    for (size_t at = strlen("x-amz-security-token: "); token[at] != '\n'; at++) {
        CLEANUP(buf_free) struct buf headers = BUF_WITH_MAX(1000);

        token[at] ^= 1;
        buf_lit(&headers, HEAD);
        buf_str(&headers, str_from_cstr(token));
        signed_get(arena_cstr(h.arena, buf_view(&headers)), LIST_TOKEN);
        assert_int_equal(verify(), S3_InvalidToken);
        token[at] ^= 1;
    }
}

static void test_auth_token__permanent_keys_have_none(void **state UNUSED)
{
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    signed_get(HEAD "x-amz-security-token: any\n", LIST_TOKEN);
    assert_int_equal(verify(), S3_InvalidToken);
}

static void test_auth_token__temporary_keys_expire(void **state UNUSED)
{
    int64_t now_us;

    assert_true(clock_parse_amz(STR("20130524T000000Z"), &now_us));
    add_user(AWS_KEY, AWS_SECRET, "t", now_us + 10 * US_PER_S);
    signed_get(HEAD "x-amz-security-token: t\n", LIST_TOKEN);
    assert_int_equal(verify(), S3_OK);
    clock_at(now_us / US_PER_S + 11);
    assert_int_equal(verify(), S3_ExpiredToken);
}

static void test_auth_token__presigned_urls_carry_it(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(16384);

    add_user(AWS_KEY, AWS_SECRET, "the/token+", 0);
    assert_true(auth_presign(&url, users_first(h.users), STR("GET"), STR("http://h"), STR("r"),
                             STR("b"), STR("k"), STR_NONE, 60, clock_now_us(&h.clock)));
    request("GET", arena_cstr(h.arena, str_skip(buf_view(&url), 8)), "h", "");
    assert_int_equal(verify(), S3_OK);
    retarget(arena_cstr(h.arena, arena_printf(h.arena, "%.*s&x-amz-security-token=x",
                                              STR_ARG(h.request.target))));
    assert_int_equal(verify(), S3_InvalidToken);
}

static void test_auth_mode__audit_lets_failures_through_as_who_they_claim(void **state UNUSED)
{
    add_user("ROOT", "root-secret", NULL, 0);
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    h.config.mode = AUTH_AUDIT;
    log_set_level(LOG_LEVEL_ERROR);

    signed_get(HEAD, LIST);
    assert_int_equal(verify(), S3_OK);
    assert_false(h.auth.audited);

    h.request.method = STR("PUT");
    assert_int_equal(verify(), S3_OK);
    assert_true(h.auth.audited);
    assert_text(h.auth.user->access_key, AWS_KEY);
    assert_int_equal(h.auth.scheme, AUTH_V4_HEADER);

    header_set("Authorization", "AWS NOBODY:x");
    header_set("x-amz-date", "Fri, 24 May 2013 00:00:00 GMT");
    assert_int_equal(verify(), S3_OK);
    assert_true(h.auth.audited);
    assert_text(h.auth.user->access_key, "ROOT");

    request("GET", "/", "h", "");
    assert_int_equal(verify(), S3_OK);
    assert_null(h.auth.user);
    assert_false(h.auth.audited);
    log_set_level(LOG_LEVEL_INFO);
}

static void test_auth_mode__open_takes_anything(void **state UNUSED)
{
    uint8_t sha256[SHA256_BYTES] = { 0 };

    add_user("ROOT", "root-secret", NULL, 0);
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    h.config.mode = AUTH_OPEN;

    request("GET", "/", "h", "");
    assert_int_equal(verify(), S3_OK);
    assert_text(h.auth.user->access_key, "ROOT");
    request("GET", "/", "h", "Authorization: Bearer x\n");
    assert_int_equal(verify(), S3_OK);
    assert_text(h.auth.user->access_key, "ROOT");
    request("GET", "/", "h", "Authorization: AWS " AWS_KEY ":x\n");
    assert_int_equal(verify(), S3_OK);
    assert_text(h.auth.user->access_key, AWS_KEY);
    assert_true(h.auth.audited);

    /* The framing of the body holds all the same; its signatures cannot be checked. */
    request("PUT", "/b/k", "h",
            "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n"
            "Authorization: AWS4-HMAC-SHA256 Credential=x/20130524/r/s3/aws4_request, "
            "SignedHeaders=host, Signature=0\n");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.payload, PAYLOAD_SIGNED_CHUNKS);
    assert_true(auth_chunk_verify(&h.auth, sha256, STR("x")));
    header_set("x-amz-content-sha256", "nonsense");
    assert_int_equal(verify(), S3_InvalidArgument);
}

static void test_auth_mode__forms_follow_it(void **state UNUSED)
{
    add_user("ROOT", "root-secret", NULL, 0);
    h.config.mode = AUTH_OPEN;
    form("key: k\npolicy: e30=\nsignature: x\nAWSAccessKeyId: nobody\n");
    assert_int_equal(verify_form("b"), S3_OK);
    assert_true(h.auth.audited);
    assert_text(h.auth.user->access_key, "ROOT");
    form("key: k\n");
    assert_int_equal(verify_form("b"), S3_OK);
    assert_text(h.auth.user->access_key, "ROOT");
}

/* Everything written to stderr while verifying. */
static struct str logged(enum s3_error expected)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    static char text[65536];
    size_t len;

    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    log_set_level(LOG_LEVEL_DEBUG);
    assert_int_equal(verify(), expected);
    log_set_level(LOG_LEVEL_INFO);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    (void)close(saved);
    rewind(file);
    len = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    return str_make(text, len);
}

static void test_auth_log__mismatch_shows_the_request_but_no_secret(void **state UNUSED)
{
    struct str text;

    add_user(AWS_KEY, AWS_SECRET, "TOPSECRET1", 0);
    signed_get(HEAD "x-amz-security-token: TOPSECRET1\nx-amz-meta-a: shown\n"
                    "x-amz-server-side-encryption-customer-key: TOPSECRET2\n",
               LIST ";x-amz-meta-a;x-amz-security-token;"
                    "x-amz-server-side-encryption-customer-key");
    h.request.method = STR("PUT");
    text = logged(S3_SignatureDoesNotMatch);
    assert_int_not_equal(str_find(text, STR("x-amz-meta-a:shown")), SIZE_MAX);
    assert_int_equal(str_find(text, STR("TOPSECRET")), SIZE_MAX);
    assert_int_equal(str_find(text, STR(AWS_SECRET)), SIZE_MAX);

    retarget("/b/k?X-Amz-Security-Token=TOPSECRET3&a=b");
    text = logged(S3_SignatureDoesNotMatch);
    assert_int_equal(str_find(text, STR("TOPSECRET")), SIZE_MAX);
    assert_int_not_equal(str_find(text, STR("X-Amz-Security-Token=...")), SIZE_MAX);
    assert_int_not_equal(str_find(text, STR("a=b")), SIZE_MAX);

    h.config.mode = AUTH_AUDIT;
    text = logged(S3_OK);
    assert_int_not_equal(str_find(text, STR("auth audited")), SIZE_MAX);
    assert_int_equal(str_find(text, STR("TOPSECRET")), SIZE_MAX);
}

static void test_auth_users__are_found_and_bounded(void **state UNUSED)
{
    struct fault fault = { 0 };
    struct user user = {
        .secret_key = STR("s"),
        .canonical_id = STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        .email = STR("A@b.example"),
    };
    char long_key[AUTH_ACCESS_KEY_BYTES_MAX + 1];

    assert_null(users_first(h.users));
    assert_false(users_add(h.users, &user, &fault));
    memset(long_key, 'k', sizeof(long_key));
    user.access_key = str_make(long_key, sizeof(long_key));
    assert_false(users_add(h.users, &user, NULL));
    user.access_key.len--;
    assert_true(users_add(h.users, &user, NULL));
    assert_false(users_add(h.users, &user, NULL));
    assert_non_null(users_by_access_key(h.users, user.access_key));
    assert_non_null(users_by_email(h.users, STR("a@B.EXAMPLE")));
    assert_null(users_by_email(h.users, STR("")));
    assert_non_null(users_by_canonical_id(h.users, user.canonical_id));
    assert_null(users_by_access_key(h.users, STR("")));

    for (unsigned i = 1; i < AUTH_USERS_MAX; i++) {
        user.access_key = arena_printf(h.arena, "user%u", i);
        assert_true(users_add(h.users, &user, NULL));
    }
    assert_int_equal(users_count(h.users), AUTH_USERS_MAX);
    user.access_key = STR("one-too-many");
    assert_false(users_add(h.users, &user, NULL));
    assert_text(users_by_access_key(h.users, STR("user255"))->access_key, "user255");
    assert_null(users_by_access_key(h.users, STR("one-too-many")));
}

static void test_auth_users__canonical_id_is_the_hash_of_the_name(void **state UNUSED)
{
    char id[64];

    users_canonical_id(STR(""), id);
    assert_memory_equal(id, EMPTY, 64);
}

static void test_auth_verify__a_full_arena_never_verifies_a_bad_request(void **state UNUSED)
{
    struct arena *large = h.arena;
    enum s3_error err;
    bool fits = false;

    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    signed_get(HEAD, LIST);
    for (size_t bytes = 64; bytes < 4096; bytes += 64) {
        CLEANUP(arena_closep) struct arena *small = arena_open(bytes, bytes);

        h.arena = small;
        /* Too small for a copy of the user: the request is nobody's, and refused. */
        err = verify();
        assert_true(err == S3_OK || (err == S3_SlowDown && !fits));
        fits = err == S3_OK;
        h.request.method = STR("PUT");
        assert_int_not_equal(verify(), S3_OK);
        h.request.method = STR("GET");
        h.arena = large;
    }
    assert_true(fits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_auth_verify__the_facts_are_in_errors_defs_order),
        AUTH_TEST(test_auth_verify__no_credential_is_anonymous),
        AUTH_TEST(test_auth_verify__anonymous_payload_claims_count),
        AUTH_TEST(test_auth_verify__two_authorization_headers_are_refused),
        AUTH_TEST(test_auth_verify__foreign_schemes_are_refused_and_shown),
        AUTH_TEST(test_auth_token__temporary_keys_need_exactly_theirs),
        AUTH_TEST(test_auth_token__every_character_counts),
        AUTH_TEST(test_auth_token__permanent_keys_have_none),
        AUTH_TEST(test_auth_token__temporary_keys_expire),
        AUTH_TEST(test_auth_token__presigned_urls_carry_it),
        AUTH_TEST(test_auth_mode__audit_lets_failures_through_as_who_they_claim),
        AUTH_TEST(test_auth_mode__open_takes_anything),
        AUTH_TEST(test_auth_mode__forms_follow_it),
        AUTH_TEST(test_auth_log__mismatch_shows_the_request_but_no_secret),
        AUTH_TEST(test_auth_users__are_found_and_bounded),
        AUTH_TEST(test_auth_users__canonical_id_is_the_hash_of_the_name),
        AUTH_TEST(test_auth_verify__a_full_arena_never_verifies_a_bad_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
