/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presigned V4 URLs: AWS's published example, windows, what may be added, and our own maker.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
#include "harness.h"

#define HOST "examplebucket.s3.amazonaws.com"
#define EXAMPLE_TARGET                                                                             \
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" AWS_KEY                         \
    "%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"  \
    "&X-Amz-SignedHeaders=host&X-Amz-Signature="                                                   \
    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"

static void example(void)
{
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    clock_at_amz("20130524T000000Z");
    request("GET", EXAMPLE_TARGET, HOST, "");
}

/* Presign GET /b/k and make a request of it. */
static void made(const char *extra, uint64_t expires_s)
{
    CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(16384);

    assert_true(auth_presign(&url, users_first(h.users), STR("GET"), STR("http://h:9000/"),
                             STR("us-east-1"), STR("b"), STR("a b/\xc3\xbc+"), str_from_cstr(extra),
                             expires_s, clock_now_us(&h.clock)));
    assert_true(str_starts(buf_view(&url), STR("http://h:9000/b/a%20b/%C3%BC%2B?")));
    request("GET", arena_cstr(h.arena, str_skip(buf_view(&url), 13)), "h:9000", "");
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "PUT Object" */
static void test_auth_sign__aws_example_of_an_upload(void **state UNUSED)
{
    struct http_field fields[2 + AUTH_SIGN_FIELDS] = {
        { STR("Date"), STR("Fri, 24 May 2013 00:00:00 GMT") },
        { STR("x-amz-storage-class"), STR("REDUCED_REDUNDANCY") },
    };
    struct http_request request = { .method = STR("PUT"),
                                    .raw_path = STR("/test%24file.text"),
                                    .host = STR(HOST),
                                    .fields = fields,
                                    .field_count = 2 };
    struct auth_signer signer = { .access_key = STR(AWS_KEY),
                                  .secret_key = STR(AWS_SECRET),
                                  .region = STR("us-east-1"),
                                  .service = STR("s3") };

    clock_at_amz("20130524T000000Z");
    assert_true(auth_sign(&request, &signer,
                          STR("44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
                          clock_now_us(&h.clock), h.arena));
    assert_int_equal(request.field_count, 5);
    assert_text(http_header(&request, STR("authorization")),
                "AWS4-HMAC-SHA256 Credential=" AWS_KEY "/20130524/us-east-1/s3/aws4_request, "
                "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
                "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void test_auth_sign__other_services_and_session_tokens(void **state UNUSED)
{
    struct http_field fields[AUTH_SIGN_FIELDS];
    struct http_request request = {
        .method = STR("POST"), .raw_path = STR("/"), .host = STR("h"), .fields = fields
    };
    struct auth_signer signer = { .access_key = STR("a"),
                                  .secret_key = STR("s"),
                                  .session_token = STR("t"),
                                  .region = STR("r"),
                                  .service = STR("sqs") };

    assert_true(auth_sign(&request, &signer, STR("00"), 0, h.arena));
    assert_text(http_header(&request, STR("x-amz-security-token")), "t");
    assert_false(str_present(http_header(&request, STR("x-amz-content-sha256"))));
    assert_true(str_find(http_header(&request, STR("authorization")),
                         STR("SignedHeaders=host;x-amz-date;x-amz-security-token,")) != SIZE_MAX);
    signer.region.len = 65;
    assert_false(auth_sign(&request, &signer, STR("00"), 0, h.arena));
}

static void test_auth_presign__aws_example_verifies(void **state UNUSED)
{
    example();
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.scheme, AUTH_V4_QUERY);
    assert_int_equal(h.auth.payload, PAYLOAD_UNSIGNED);
    assert_text(h.auth.user->access_key, AWS_KEY);
}

static void test_auth_presign__an_empty_authorization_beside_it_is_no_credential(
    void **state UNUSED)
{
    example();
    header_add("Authorization", "");
    assert_int_equal(verify(), S3_OK);
}

static void test_auth_presign__two_credentials_are_refused(void **state UNUSED)
{
    static const char *const values[] = { "AWS " AWS_KEY ":x",
                                          "AWS4-HMAC-SHA256 Credential=x",
                                          "AWS4-ECDSA-P256-SHA256 x",
                                          "AWS",
                                          "Basic dTpw",
                                          "Bearer abc",
                                          "token abc",
                                          "abc",
                                          "Digest a=\"b\"" };

    example();
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        request("GET", EXAMPLE_TARGET, HOST, "");
        header_add("Authorization", values[i]);
        assert_int_equal(verify(), S3_InvalidArgument);
        assert_true(str_starts(h.refusal.message, STR("Only one auth mechanism allowed; ")));
        assert_text(fact_value(FACT_ARGUMENT_NAME), "Authorization");
        assert_text(fact_value(FACT_ARGUMENT_VALUE), values[i]);
        request("GET", "/b/k?AWSAccessKeyId=a&Signature=b&Expires=1", HOST, "");
        header_add("Authorization", values[i]);
        assert_int_equal(verify(), S3_InvalidArgument);
        request("GET", "/b/k?X-Amz-Credential=a", HOST, "");
        header_add("Authorization", values[i]);
        assert_int_equal(verify(), S3_InvalidArgument);
    }
    request("GET", EXAMPLE_TARGET "&Signature=x", HOST, "");
    assert_int_equal(verify(), S3_InvalidArgument);
}

static void test_auth_presign__window(void **state UNUSED)
{
    int64_t start_s;

    example();
    start_s = clock_now_us(&h.clock) / US_PER_S;

    clock_at(start_s + 86398);
    assert_int_equal(verify(), S3_OK);
    clock_at(start_s + 86402);
    assert_int_equal(verify(), S3_AccessDenied);
    assert_message("Request has expired");
    assert_text(fact_value(FACT_DENIED_AMZ_EXPIRES), "86400");
    assert_text(fact_value(FACT_DENIED_EXPIRES), "2013-05-25T00:00:00Z");
    assert_text(fact_value(FACT_DENIED_SERVER_TIME), "2013-05-25T00:00:02Z");

    clock_at(start_s - 899);
    assert_int_equal(verify(), S3_OK);
    clock_at(start_s - 902);
    assert_int_equal(verify(), S3_AccessDenied);
    assert_message("Request is not yet valid");
}

static void test_auth_presign__expires_is_a_number_of_a_week_at_most(void **state UNUSED)
{
    static const struct {
        const char *text;
        enum s3_error expected;
    } cases[] = {
        { "1", S3_SignatureDoesNotMatch },
        { "604800", S3_SignatureDoesNotMatch },
        { "604801", S3_AuthorizationQueryParametersError },
        { "0", S3_AuthorizationQueryParametersError },
        { "-1", S3_AuthorizationQueryParametersError },
        { "-", S3_AuthorizationQueryParametersError },
        { "", S3_AuthorizationQueryParametersError },
        { "1e3", S3_AuthorizationQueryParametersError },
        { "%201", S3_AuthorizationQueryParametersError },
        { "2147483648", S3_AuthorizationQueryParametersError },
        { "9223372036854775808", S3_AuthorizationQueryParametersError },
        { "99999999999999999999999999", S3_AuthorizationQueryParametersError },
    };

    example();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        retarget(
            arena_cstr(h.arena,
                       arena_printf(h.arena,
                                    "/t?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" AWS_KEY
                                    "%%2F20130524%%2Fus-east-1%%2Fs3%%2Faws4_request&X-Amz-Date="
                                    "20130524T000000Z&X-Amz-Expires=%s&X-Amz-SignedHeaders=host&"
                                    "X-Amz-Signature=x",
                                    cases[i].text)));
        if (verify() != cases[i].expected)
            fail_msg("expires '%s': error %d", cases[i].text, (int)h.refusal.error);
    }
}

static void test_auth_presign__every_parameter_is_required_once(void **state UNUSED)
{
    static const char *const names[] = {
        "X-Amz-Algorithm", "X-Amz-Credential",    "X-Amz-Date",
        "X-Amz-Expires",   "X-Amz-SignedHeaders", "X-Amz-Signature"
    };

    example();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char *without = arena_cstr(h.arena, STR(EXAMPLE_TARGET));
        char *at = strstr(without, names[i]);

        at[0] = 'Y';
        retarget(without);
        assert_int_equal(verify(), S3_AuthorizationQueryParametersError);
        retarget(arena_cstr(h.arena, arena_printf(h.arena, "%s&%s=1", EXAMPLE_TARGET, names[i])));
        assert_int_equal(verify(), S3_AuthorizationQueryParametersError);
    }
}

static void test_auth_presign__bad_algorithm_date_or_credential(void **state UNUSED)
{
    static const struct {
        const char *from, *to;
        enum s3_error expected;
    } cases[] = {
        { "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA255", S3_AuthorizationQueryParametersError },
        { "20130524T000000Z", "20130524T000000A", S3_AuthorizationQueryParametersError },
        { "20130524T000000Z", "20130525T000000Z", S3_AuthorizationQueryParametersError },
        { "%2Fs3%2F", "%2Fs4%2F", S3_AuthorizationQueryParametersError },
        { "aws4_request", "aws5_request", S3_AuthorizationQueryParametersError },
        { "SignedHeaders=host", "SignedHeaders=hose", S3_AccessDenied },
    };

    example();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *target = arena_cstr(h.arena, STR(EXAMPLE_TARGET));

        memcpy(strstr(target, cases[i].from), cases[i].to, strlen(cases[i].to));
        retarget(target);
        assert_int_equal(verify(), cases[i].expected);
    }

    h.config.strict_region = true;
    h.config.region = STR("eu-west-1");
    retarget(EXAMPLE_TARGET);
    assert_int_equal(verify(), S3_AuthorizationQueryParametersError);
    assert_message("Error parsing the X-Amz-Credential parameter; the region 'us-east-1' is wrong; "
                   "expecting 'eu-west-1'");
}

static void test_auth_presign__what_we_make_verifies(void **state UNUSED)
{
    static const char *const extras[] = {
        NULL,  "versionId=abc", "response-content-type=text%2Fplain&versionId=1",
        "acl", "A=1&z=2",       "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD",
    };

    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    for (size_t i = 0; i < COUNT_OF(extras); i++) {
        made(extras[i], 60);
        assert_int_equal(verify(), S3_OK);
        h.request.method = STR("PUT");
        assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    }
}

static void test_auth_presign__a_hash_in_the_query_is_enforced(void **state UNUSED)
{
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    made("X-Amz-Content-Sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         60);
    /* auth_presign signs UNSIGNED-PAYLOAD: the hash it is told of changes what must be signed. */
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    assert_true(
        str_ends(fact_value(FACT_MISMATCH_CANONICAL),
                 STR("\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")));

    made("X-Amz-Content-Sha256=nonsense", 60);
    assert_int_equal(verify(), S3_InvalidArgument);
    made("X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", 60);
    header_add("x-amz-content-sha256",
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(verify(), S3_InvalidArgument);
}

static void test_auth_presign__maker_refuses_what_would_not_verify(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(16384);
    const struct user *user;

    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    user = users_first(h.users);
    assert_false(auth_presign(&out, user, STR("GET"), STR("ftp://h"), STR("r"), STR("b"), STR("k"),
                              STR_NONE, 60, 0));
    assert_false(auth_presign(&out, user, STR("GET"), STR("http://"), STR("r"), STR("b"), STR("k"),
                              STR_NONE, 60, 0));
    assert_false(auth_presign(&out, user, STR("GET"), STR("http://h/p"), STR("r"), STR("b"),
                              STR("k"), STR_NONE, 60, 0));
    assert_false(auth_presign(&out, user, STR("GET"), STR("http://h"), STR(""), STR("b"), STR("k"),
                              STR_NONE, 60, 0));
    assert_false(auth_presign(&out, user, STR("GET"), STR("http://h"), STR("r"), STR("b"), STR("k"),
                              STR_NONE, 0, 0));
    assert_false(auth_presign(&out, user, STR("GET"), STR("http://h"), STR("r"), STR("b"), STR("k"),
                              STR_NONE, 604801, 0));
    assert_false(auth_presign(&out, user, STR("GET"), STR("http://h"), STR("r"), STR("b"), STR("k"),
                              STR("a=%zz"), 60, 0));
    assert_int_equal(out.len, 0);
}

static void test_auth_presign__default_port_is_not_part_of_the_signed_host(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(16384);

    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    assert_true(auth_presign(&url, users_first(h.users), STR("GET"), STR("https://h:443"), STR("r"),
                             STR("b"), STR("k"), STR_NONE, 60, clock_now_us(&h.clock)));
    request("GET", arena_cstr(h.arena, str_skip(buf_view(&url), 13)), "h", "");
    assert_int_equal(verify(), S3_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_auth_sign__aws_example_of_an_upload),
        AUTH_TEST(test_auth_sign__other_services_and_session_tokens),
        AUTH_TEST(test_auth_presign__aws_example_verifies),
        AUTH_TEST(test_auth_presign__an_empty_authorization_beside_it_is_no_credential),
        AUTH_TEST(test_auth_presign__two_credentials_are_refused),
        AUTH_TEST(test_auth_presign__window),
        AUTH_TEST(test_auth_presign__expires_is_a_number_of_a_week_at_most),
        AUTH_TEST(test_auth_presign__every_parameter_is_required_once),
        AUTH_TEST(test_auth_presign__bad_algorithm_date_or_credential),
        AUTH_TEST(test_auth_presign__what_we_make_verifies),
        AUTH_TEST(test_auth_presign__a_hash_in_the_query_is_enforced),
        AUTH_TEST(test_auth_presign__maker_refuses_what_would_not_verify),
        AUTH_TEST(test_auth_presign__default_port_is_not_part_of_the_signed_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
