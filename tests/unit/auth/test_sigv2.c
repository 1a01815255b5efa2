/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 2: the published examples, then its rules.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 */
#include "harness.h"

#define DOC_BUCKET "awsexamplebucket1"
#define DOC_HOST DOC_BUCKET ".us-west-1.s3.amazonaws.com"

static void at(const char *amz_date)
{
    if (users_count(h.users) == 0)
        add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    clock_at_amz(amz_date);
}

static void virtual_request(const char *method, const char *target, const char *headers)
{
    request(method, target, DOC_HOST, headers);
    h.virtual_bucket = STR(DOC_BUCKET);
}

static void test_auth_sigv2__aws_examples_verify(void **state UNUSED)
{
    at("20070327T193642Z");
    virtual_request("GET", "/photos/puppy.jpg",
                    "Date: Tue, 27 Mar 2007 19:36:42 +0000\n"
                    "Authorization: AWS " AWS_KEY ":qgk2+6Sv9/oM7G3qLEjTH1a1l1g=\n");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.scheme, AUTH_V2_HEADER);
    assert_int_equal(h.auth.payload, PAYLOAD_ABSENT);

    at("20070327T211508Z");
    virtual_request("PUT", "/photos/puppy.jpg",
                    "Content-Type: image/jpeg\nContent-Length: 94328\n"
                    "Date: Tue, 27 Mar 2007 21:15:45 +0000\n"
                    "Authorization: AWS " AWS_KEY ":iqRzw+ileNPu1fhspnRs8nOjjIA=\n");
    assert_int_equal(verify(), S3_OK);

    at("20070327T194246Z");
    virtual_request("GET", "/?prefix=photos&max-keys=50&marker=puppy",
                    "User-Agent: Mozilla/5.0\nDate: Tue, 27 Mar 2007 19:42:41 +0000\n"
                    "Authorization: AWS " AWS_KEY ":m0WP8eCtspQl5Ahe6L1SozdX9YA=\n");
    assert_int_equal(verify(), S3_OK);

    at("20070327T194446Z");
    virtual_request("GET", "/?acl",
                    "Date: Tue, 27 Mar 2007 19:44:46 +0000\n"
                    "Authorization: AWS " AWS_KEY ":82ZHiFIjc+WbcwFKGUVEQspPn+0=\n");
    assert_int_equal(verify(), S3_OK);

    at("20070328T012959Z");
    request("GET", "/", "s3.us-west-1.amazonaws.com",
            "Date: Wed, 28 Mar 2007 01:29:59 +0000\n"
            "Authorization: AWS " AWS_KEY ":qGdzdERIC03wnaRNKh6OqZehG9s=\n");
    assert_int_equal(verify(), S3_OK);

    at("20070328T014949Z");
    request("GET", "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re", "s3.us-west-1.amazonaws.com",
            "Date: Wed, 28 Mar 2007 01:49:49 +0000\n"
            "Authorization: AWS " AWS_KEY ":DNEZGsoieTZ92F3bUfSPQcbGmlM=\n");
    assert_int_equal(verify(), S3_OK);
}

/* Sign text by hand into the Authorization header. */
static void sign(const char *text)
{
    char signature[V2_SIGNATURE_BYTES];

    v2_sign(STR(AWS_SECRET), str_from_cstr(text), signature);
    header_set("Authorization",
               arena_cstr(h.arena, arena_printf(h.arena, "AWS %s:%.28s", AWS_KEY, signature)));
}

#define DATE "Tue, 27 Mar 2007 21:06:08 +0000"

static void test_auth_sigv2__x_amz_date_leaves_the_date_line_empty(void **state UNUSED)
{
    at("20070327T210608Z");
    request("DELETE", "/b/k", "h", "Date: nonsense\nx-amz-date: " DATE "\n");
    sign("DELETE\n\n\n\nx-amz-date:" DATE "\n/b/k");
    assert_int_equal(verify(), S3_OK);
    header_set("x-amz-date", "20070327T210608Z");
    sign("DELETE\n\n\n\nx-amz-date:20070327T210608Z\n/b/k");
    assert_int_equal(verify(), S3_OK);
}

static void test_auth_sigv2__amz_headers_are_sorted_and_joined(void **state UNUSED)
{
    at("20070327T210608Z");
    request("PUT", "/b/k", "h",
            "Date: " DATE "\nX-Amz-Meta-B: 2\nx-amz-acl:  public-read \n"
            "x-amz-meta-a: fred@x\nX-AMZ-META-A: jane@x\nContent-MD5: md5\nContent-Type: t/t\n");
    sign("PUT\nmd5\nt/t\n" DATE "\nx-amz-acl:public-read\nx-amz-meta-a:fred@x,jane@x\n"
         "x-amz-meta-b:2\n/b/k");
    assert_int_equal(verify(), S3_OK);
}

static void test_auth_sigv2__sub_resources_are_signed_decoded_and_sorted(void **state UNUSED)
{
    at("20070327T210608Z");
    request("GET",
            "/b/k?versionId=v%2F1&x-id=GetObject&response-content-type=a%2Fb&acl&prefix=p&uploads=",
            "h", "Date: " DATE "\n");
    sign("GET\n\n\n" DATE "\n/b/k?acl&response-content-type=a/b&uploads=&versionId=v/1");
    assert_int_equal(verify(), S3_OK);
    sign("GET\n\n\n" DATE "\n/b/k?acl&response-content-type=a/b&uploads&versionId=v/1");
    assert_int_equal(verify(), S3_OK);
    sign("GET\n\n\n" DATE "\n/b/k?acl&response-content-type=a/b&versionId=v/1");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
}

static void test_auth_sigv2__header_form_refuses_amz_parameters(void **state UNUSED)
{
    at("20070327T210608Z");
    request("PUT", "/b/k?x-amz-acl=public-read", "h", "Date: " DATE "\n");
    sign("PUT\n\n\n" DATE "\n/b/k");
    assert_int_equal(verify(), S3_AccessDenied);
    assert_text(fact_value(FACT_DENIED_HEADERS), "x-amz-acl");
    request("PUT", "/b/k?X-Amz-Meta-A=1&x-amz-acl=private", "h", "Date: " DATE "\n");
    sign("PUT\n\n\n" DATE "\n/b/k");
    assert_int_equal(verify(), S3_AccessDenied);
    assert_text(fact_value(FACT_DENIED_HEADERS), "x-amz-meta-a, x-amz-acl");
}

/* PROVES: ceph s3-tests test_headers.py, expectations for V2 */
static void test_auth_sigv2__bad_authorization_and_dates(void **state UNUSED)
{
    static const struct {
        const char *authorization, *date;
        enum s3_error expected;
    } cases[] = {
        { "", DATE, S3_AccessDenied },
        { "AWS HAHAHA", DATE, S3_InvalidArgument },
        { "AWS", DATE, S3_InvalidArgument },
        { "AWS :x", DATE, S3_InvalidArgument },
        { "AWS x:", DATE, S3_InvalidArgument },
        { "Bearer x", DATE, S3_InvalidArgument },
        { "AWSx:y", DATE, S3_InvalidArgument },
        { "AWS " AWS_KEY ":x", "", S3_AccessDenied },
        { "AWS " AWS_KEY ":x", "Bad Date", S3_AccessDenied },
        { "AWS " AWS_KEY ":x", "Tue, 07 Jul 1950 21:53:04 GMT", S3_AccessDenied },
        { "AWS " AWS_KEY ":x", "Tue, 07 Jul 2010 21:53:04 GMT", S3_RequestTimeTooSkewed },
        { "AWS " AWS_KEY ":x", "Tue, 07 Jul 2030 21:53:04 GMT", S3_RequestTimeTooSkewed },
        { "AWS " AWS_KEY ":x", DATE, S3_SignatureDoesNotMatch },
        { "AWS NOBODY:x", DATE, S3_InvalidAccessKeyId },
    };

    at("20070327T210608Z");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        request("PUT", "/b/k", "h", "");
        header_add("Authorization", cases[i].authorization);
        header_add("Date", cases[i].date);
        if (verify() != cases[i].expected)
            fail_msg("case %zu: error %d", i, (int)h.refusal.error);
    }
}

static void test_auth_sigv2__mismatch_names_the_string_to_sign(void **state UNUSED)
{
    at("20070327T210608Z");
    request("PUT", "/b/k", "h", "Date: " DATE "\nAuthorization: AWS " AWS_KEY ":eA==\n");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    assert_text(fact_value(FACT_MISMATCH_TEXT), "PUT\n\n\n" DATE "\n/b/k");
    assert_text(fact_value(FACT_MISMATCH_SIGNATURE), "eA==");
    assert_false(str_present(fact_value(FACT_MISMATCH_CANONICAL)));
}

/* A presigned GET as `s3cmd signurl` and libs3 make it. */
static void presign(const char *expires, const char *extra)
{
    char signature[V2_SIGNATURE_BYTES];
    CLEANUP(buf_free) struct buf encoded = BUF_WITH_MAX(200);
    struct str text = arena_printf(h.arena, "GET\n\n\n%s\n/b/k", expires);

    v2_sign(STR(AWS_SECRET), text, signature);
    uri_encode(&encoded, str_make(signature, sizeof(signature)), URI_KEEP_NONE);
    request("GET",
            arena_cstr(h.arena, arena_printf(h.arena,
                                             "/b/k?AWSAccessKeyId=%s&Expires=%s&"
                                             "Signature=%.*s%s",
                                             AWS_KEY, expires, STR_ARG(buf_view(&encoded)), extra)),
            "h", "");
}

static void test_auth_sigv2__query_form_ends_at_expires(void **state UNUSED)
{
    at("20070327T210608Z"); /* 1175029568 */
    presign("1175029569", "");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.scheme, AUTH_V2_QUERY);
    presign("1175029566", "");
    assert_int_equal(verify(), S3_AccessDenied);
    assert_message("Request has expired");
    assert_text(fact_value(FACT_DENIED_EXPIRES), "2007-03-27T21:06:06Z");
    assert_false(str_present(fact_value(FACT_DENIED_AMZ_EXPIRES)));
    presign("18446744073709551615", "");
    assert_int_equal(verify(), S3_OK);
    presign("0", "");
    assert_int_equal(verify(), S3_AccessDenied);
    presign("-1", "");
    assert_int_equal(verify(), S3_AccessDenied);
    presign("1175029569x", "");
    assert_int_equal(verify(), S3_AccessDenied);
    presign("", "");
    assert_int_equal(verify(), S3_AccessDenied);
}

static void test_auth_sigv2__query_form_signs_hoisted_headers(void **state UNUSED)
{
    at("20070327T210608Z");
    presign("1175029569", "&x-amz-acl=public-read");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    presign("1175029569", "&Content-Type=text%2Fhtml");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    presign("1175029569", "");
    header_add("Content-Type", "text/html");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    presign("1175029569", "&content-type=a/b");
    header_add("Content-Type", "c/d");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    presign("1175029569", "&x-amz-acl=private");
    header_add("x-amz-acl", "public-read");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    assert_text(fact_value(FACT_MISMATCH_TEXT), "GET\n\n\n1175029569\nx-amz-acl:public-read\n/b/k");
}

/* GET of target, presigned with the signature of this very text. */
static enum s3_error verify_of_text(const char *method, const char *target, const char *text)
{
    CLEANUP(buf_free) struct buf encoded = BUF_WITH_MAX(200);
    char signature[V2_SIGNATURE_BYTES];

    at("20070327T210608Z");
    v2_sign(STR(AWS_SECRET), str_from_cstr(text), signature);
    uri_encode(&encoded, str_make(signature, sizeof(signature)), URI_KEEP_NONE);
    request(method,
            arena_cstr(h.arena, arena_printf(h.arena,
                                             "%s&AWSAccessKeyId=%s&Expires=1175029569&"
                                             "Signature=%.*s",
                                             target, AWS_KEY, STR_ARG(buf_view(&encoded)))),
            "h", "");
    return verify();
}

static void test_auth_sigv2__a_value_that_reads_as_another_parameter_is_refused(void **state UNUSED)
{
    static const struct {
        const char *value; /* encoded */
        enum s3_error expected;
    } cases[] = {
        { "text/plain%26versionId%3DV", S3_InvalidArgument },
        { "text/plain%26versionId", S3_InvalidArgument },
        { "text/plain%26a%3Db%26acl%26c", S3_InvalidArgument },
        { "%26tagging", S3_InvalidArgument },
        { "a%26uploadId%3D1%26partNumber%3D2", S3_InvalidArgument },
        { "a%26response-content-type%3Db", S3_InvalidArgument },
        { "a%26b%3Dc", S3_OK },
        { "a%26b%3Dc%26ACL", S3_OK },
        { "a%26aclx%3D1%26xacl", S3_OK },
        { "versionId%3DV", S3_OK },
        { "a%26%26", S3_OK },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *target =
            arena_cstr(h.arena, arena_printf(h.arena, "/b/k?response-content-disposition=%s",
                                             cases[i].value));
        struct str decoded;

        assert_true(uri_decode(h.arena, str_from_cstr(cases[i].value), &decoded));
        if (verify_of_text("GET", target,
                           arena_cstr(h.arena, arena_printf(h.arena,
                                                            "GET\n\n\n1175029569\n/b/k?response-"
                                                            "content-disposition=%.*s",
                                                            STR_ARG(decoded)))) !=
            cases[i].expected)
            fail_msg("'%s': error %d", cases[i].value, (int)h.refusal.error);
        if (cases[i].expected == S3_OK)
            continue;
        assert_text(fact_value(FACT_ARGUMENT_NAME), "response-content-disposition");
        assert_true(str_eq(fact_value(FACT_ARGUMENT_VALUE), decoded));
    }
    /* The header form signs the same text. */
    request("GET", "/b/k?response-content-type=a%26versionId%3DV", "h", "Date: " DATE "\n");
    sign("GET\n\n\n" DATE "\n/b/k?response-content-type=a&versionId=V");
    assert_int_equal(verify(), S3_InvalidArgument);
    retarget("/b/k?response-content-type=a&versionId=V");
    assert_int_equal(verify(), S3_OK);
}

static void test_auth_sigv2__hoisted_names_are_tokens_and_values_hold_no_lines(void **state UNUSED)
{
    static const char text[] = "PUT\n\n\n1175029569\nx-amz-acl:private\n"
                               "x-amz-server-side-encryption:AES256\n/b/k";

    assert_int_equal(verify_of_text("PUT",
                                    "/b/k?x-amz-acl=private&x-amz-server-side-encryption=AES256",
                                    text),
                     S3_OK);
    assert_int_equal(verify_of_text("PUT",
                                    "/b/k?x-amz-acl:private%0Ax-amz-server-side-encryption=AES256",
                                    text),
                     S3_InvalidArgument);
    assert_int_equal(verify_of_text("PUT",
                                    "/b/k?x-amz-acl=private%0Ax-amz-server-side-encryption:AES256",
                                    text),
                     S3_InvalidArgument);
    assert_int_equal(verify_of_text("PUT", "/b/k?x-amz-acl:=private",
                                    "PUT\n\n\n1175029569\nx-amz-acl::private\n/b/k"),
                     S3_InvalidArgument);
    assert_int_equal(verify_of_text("PUT", "/b/k?content-md5=a%0Ab",
                                    "PUT\na\nb\n\n1175029569\n/b/k"),
                     S3_InvalidArgument);
    assert_int_equal(verify_of_text("PUT", "/b/k?content-type=a%7F",
                                    "PUT\n\na\x7f\n1175029569\n/b/k"),
                     S3_InvalidArgument);
    assert_int_equal(verify_of_text("PUT", "/b/k?x-amz-meta-a=b%09c",
                                    "PUT\n\n\n1175029569\nx-amz-meta-a:b\tc\n/b/k"),
                     S3_OK);
}

static void test_auth_sigv2__a_plus_is_a_blank_in_what_is_signed(void **state UNUSED)
{
    assert_int_equal(verify_of_text("GET", "/b/k?response-content-type=a+b%2Bc",
                                    "GET\n\n\n1175029569\n/b/k?response-content-type=a b+c"),
                     S3_OK);
    assert_int_equal(verify_of_text("GET", "/b/pl+us?x=1", "GET\n\n\n1175029569\n/b/pl%20us"),
                     S3_OK);
    /* As sent, too: V2 signs the path undecoded. */
    assert_int_equal(verify_of_text("GET", "/b/pl+us?x=1", "GET\n\n\n1175029569\n/b/pl+us"), S3_OK);
    assert_int_equal(verify_of_text("GET", "/b/pl+us?x=1", "GET\n\n\n1175029569\n/b/pl%2Bus"),
                     S3_SignatureDoesNotMatch);
}

static void test_auth_sigv2__query_form_needs_its_three_parameters_once(void **state UNUSED)
{
    at("20070327T210608Z");
    request("GET", "/b/k?AWSAccessKeyId=a", "h", "");
    assert_int_equal(verify(), S3_AccessDenied);
    request("GET", "/b/k?Signature=a&Expires=1", "h", "");
    assert_int_equal(verify(), S3_AccessDenied);
    presign("1175029569", "&Expires=2175029569");
    assert_int_equal(verify(), S3_AccessDenied);
    presign("1175029569", "&AWSAccessKeyId=x");
    assert_int_equal(verify(), S3_AccessDenied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_auth_sigv2__aws_examples_verify),
        AUTH_TEST(test_auth_sigv2__x_amz_date_leaves_the_date_line_empty),
        AUTH_TEST(test_auth_sigv2__amz_headers_are_sorted_and_joined),
        AUTH_TEST(test_auth_sigv2__sub_resources_are_signed_decoded_and_sorted),
        AUTH_TEST(test_auth_sigv2__header_form_refuses_amz_parameters),
        AUTH_TEST(test_auth_sigv2__bad_authorization_and_dates),
        AUTH_TEST(test_auth_sigv2__mismatch_names_the_string_to_sign),
        AUTH_TEST(test_auth_sigv2__query_form_ends_at_expires),
        AUTH_TEST(test_auth_sigv2__query_form_signs_hoisted_headers),
        AUTH_TEST(test_auth_sigv2__a_value_that_reads_as_another_parameter_is_refused),
        AUTH_TEST(test_auth_sigv2__hoisted_names_are_tokens_and_values_hold_no_lines),
        AUTH_TEST(test_auth_sigv2__a_plus_is_a_blank_in_what_is_signed),
        AUTH_TEST(test_auth_sigv2__query_form_needs_its_three_parameters_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
