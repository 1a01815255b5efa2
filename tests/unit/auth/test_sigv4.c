/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4 in the Authorization header: AWS's published examples, then its rules.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
#include "harness.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOST "examplebucket.s3.amazonaws.com"
#define CREDENTIAL "AWS4-HMAC-SHA256 Credential=" AWS_KEY "/20130524/us-east-1/s3/aws4_request,"
#define HEAD "x-amz-date: 20130524T000000Z\nx-amz-content-sha256: " EMPTY "\n"
#define AUTHORIZATION "Authorization: " CREDENTIAL

static void setup_aws(void)
{
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    clock_at_amz("20130524T000000Z");
}

/* GET of an object, signed by the test itself. */
static void signed_get(const char *headers, const char *signed_headers)
{
    setup_aws();
    request("GET", "/b/k?versionId=1", "h:9000", headers);
    sign_v4(signed_headers);
}

#define PLAIN_LIST "host;x-amz-content-sha256;x-amz-date"

static void test_auth_sigv4__aws_examples_verify(void **state UNUSED)
{
    setup_aws();

    request("GET", "/test.txt", HOST,
            "Range: bytes=0-9\n" HEAD AUTHORIZATION
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41\n");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.scheme, AUTH_V4_HEADER);
    assert_int_equal(h.auth.payload, PAYLOAD_HEX);
    assert_text(h.auth.scope, "20130524/us-east-1/s3/aws4_request");
    assert_text(h.auth.amz_date, "20130524T000000Z");

    request("PUT", "/test%24file.text", HOST,
            "Date: Fri, 24 May 2013 00:00:00 GMT\nx-amz-date: 20130524T000000Z\n"
            "x-amz-storage-class: REDUCED_REDUNDANCY\nx-amz-content-sha256: "
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n" AUTHORIZATION
            "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
            "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd\n");
    assert_int_equal(verify(), S3_OK);
    /* The same key, spelt as a browser would. */
    retarget("/test$file.text");
    assert_int_equal(verify(), S3_OK);

    request("GET", "/?lifecycle", HOST,
            HEAD AUTHORIZATION
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
            "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543\n");
    assert_int_equal(verify(), S3_OK);
    retarget("/?lifecycle=");
    assert_int_equal(verify(), S3_OK);

    request("GET", "/?max-keys=2&prefix=J", HOST,
            HEAD AUTHORIZATION
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
            "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7\n");
    assert_int_equal(verify(), S3_OK);
    retarget("/?prefix=J&max-keys=2");
    assert_int_equal(verify(), S3_OK);
    retarget("/?prefix=J&max-keys=3");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
}

static bool chunk(const char *data_of, size_t count, const char *signature)
{
    CLEANUP(buf_free) struct buf data = BUF_WITH_MAX(100000);
    uint8_t sha256[SHA256_BYTES];

    for (size_t i = 0; i < count; i++)
        buf_char(&data, data_of[0]);
    digest_once(DIGEST_SHA256, buf_view(&data), sha256);
    return auth_chunk_verify(&h.auth, sha256, str_from_cstr(signature));
}

static void chunked_example(void)
{
    setup_aws();
    request("PUT", "/examplebucket/chunkObject.txt", "s3.amazonaws.com",
            "x-amz-date: 20130524T000000Z\nx-amz-storage-class: REDUCED_REDUNDANCY\n"
            "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n"
            "Content-Encoding: aws-chunked\nx-amz-decoded-content-length: 66560\n"
            "Content-Length: 66824\n" AUTHORIZATION
            "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
            "x-amz-decoded-content-length;x-amz-storage-class,"
            "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9\n");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.payload, PAYLOAD_SIGNED_CHUNKS);
}

#define CHUNK_1 "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
#define CHUNK_2 "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
#define CHUNK_3 "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"

static void test_auth_chunks__aws_example_verifies(void **state UNUSED)
{
    chunked_example();
    assert_true(chunk("a", 65536, CHUNK_1));
    assert_true(chunk("a", 1024, CHUNK_2));
    assert_true(chunk("", 0, CHUNK_3));
}

static void test_auth_chunks__wrong_dropped_repeated_or_swapped_is_refused(void **state UNUSED)
{
    chunked_example();
    assert_false(chunk("b", 65536, CHUNK_1));
    assert_false(chunk("a", 65535, CHUNK_1));
    assert_false(chunk("a", 1024, CHUNK_2));
    assert_false(chunk("a", 65536, ""));
    assert_false(chunk("a", 65536, CHUNK_1 "0"));
    assert_true(chunk("a", 65536, CHUNK_1));
    assert_false(chunk("a", 65536, CHUNK_1));
    assert_false(chunk("", 0, CHUNK_3));
    assert_true(chunk("a", 1024, CHUNK_2));
    assert_true(chunk("", 0, CHUNK_3));
}

static void test_auth_chunks__aws_trailer_example_verifies(void **state UNUSED)
{
    setup_aws();
    request("PUT", "/examplebucket/chunkObject.txt", "s3.amazonaws.com",
            "x-amz-date: 20130524T000000Z\nx-amz-storage-class: REDUCED_REDUNDANCY\n"
            "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\n"
            "Content-Encoding: aws-chunked\nx-amz-decoded-content-length: 66560\n"
            "x-amz-trailer: x-amz-checksum-crc32c\n" AUTHORIZATION
            "SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;"
            "x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,"
            "Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e\n");
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(h.auth.payload, PAYLOAD_SIGNED_TRAILER);
    assert_true(
        chunk("a", 65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"));
    assert_true(
        chunk("a", 1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"));
    assert_true(chunk("", 0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"));
    assert_false(auth_trailer_verify(
        &h.auth, STR("x-amz-checksum-crc32c:sOO8/R==\n"),
        STR("d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435")));
    assert_true(auth_trailer_verify(
        &h.auth, STR("x-amz-checksum-crc32c:sOO8/Q==\n"),
        STR("d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435")));
}

static void test_auth_sigv4__mismatch_gives_the_texts_we_made(void **state UNUSED)
{
    setup_aws();
    request("GET", "/?lifecycle", HOST,
            HEAD AUTHORIZATION "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=00\n");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    assert_text(fact_value(FACT_MISMATCH_ACCESS_KEY), AWS_KEY);
    assert_text(fact_value(FACT_MISMATCH_SIGNATURE), "00");
    assert_text(fact_value(FACT_MISMATCH_TEXT),
                "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
                "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca");
    assert_text(fact_value(FACT_MISMATCH_CANONICAL),
                "GET\n/\nlifecycle=\nhost:" HOST "\nx-amz-content-sha256:" EMPTY
                "\nx-amz-date:20130524T000000Z\n\nhost;x-amz-content-sha256;x-amz-date\n" EMPTY);
    assert_text(str_slice(fact_value(FACT_MISMATCH_CANONICAL_BYTES), 0, 17), "47 45 54 0a 2f 0a");
    assert_true(str_starts(fact_value(FACT_MISMATCH_BYTES), STR("41 57 53 34 2d")));
    assert_false(str_ends(fact_value(FACT_MISMATCH_BYTES), STR(" ")));
}

static void test_auth_sigv4__unknown_key_is_named(void **state UNUSED)
{
    setup_aws();
    request("GET", "/", HOST,
            HEAD "Authorization: AWS4-HMAC-SHA256 Credential=NO/BODY/20130524/us-east-1/s3/"
                 "aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=0\n");
    assert_int_equal(verify(), S3_InvalidAccessKeyId);
    assert_text(fact_value(FACT_KEY_ID), "NO/BODY");
}

static void test_auth_sigv4__blanks_between_parts_are_optional(void **state UNUSED)
{
    static const char *const joints[] = { ",", ", ", " ,", "  ,\t " };

    for (size_t i = 0; i < COUNT_OF(joints); i++) {
        struct str value;
        struct str rest;
        struct str part;
        char text[1024] = "";

        harness_teardown(NULL);
        assert_int_equal(harness_setup(NULL), 0);
        signed_get(HEAD, PLAIN_LIST);
        value = header("Authorization");
        rest = value;
        for (size_t n = 0; str_next(&rest, ',', &part); n++) {
            strcat(text, n > 0 ? joints[i] : "");
            strncat(text, str_trim(part).p, str_trim(part).len);
        }
        header_set("Authorization", text);
        assert_int_equal(verify(), S3_OK);
    }
}

static void test_auth_sigv4__malformed_authorization_is_400(void **state UNUSED)
{
    static const char *const values[] = {
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e",
        "AWS4-HMAC-SHA256 Credential=a/20130524/r/s3/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=a/20130524/r/s3/aws4_request, Signature=0",
        "AWS4-HMAC-SHA256 Credential=, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=20130524/r/s3/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=/20130524/r/s3/aws4_request, SignedHeaders=host, Signature=0",
        CREDENTIAL " SignedHeaders=host, Signature=0, Signature=1",
        CREDENTIAL " SignedHeaders=host, Signature=0, Other=1",
        CREDENTIAL " SignedHeaders=, Signature=0",
        CREDENTIAL " SignedHeaders=host;host;x-amz-date, Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20130524/r/s3/aws4_other, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20130525/r/s3/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20130524/r/iam/aws4_request, SignedHeaders=host, "
        "Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20130524//s3/aws4_request, SignedHeaders=host, Signature=0",
    };

    setup_aws();
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        request("GET", "/", HOST, HEAD);
        header_add("Authorization", values[i]);
        if (verify() != S3_AuthorizationHeaderMalformed)
            fail_msg("'%s': error %d", values[i], (int)h.refusal.error);
    }
}

static void test_auth_sigv4__other_algorithms_are_not_implemented(void **state UNUSED)
{
    static const char *const values[] = {
        "AWS4-ECDSA-P256-SHA256 Credential=a/20130524/s3/aws4_request, SignedHeaders=host, "
        "Signature=0",
    };

    setup_aws();
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        request("GET", "/", HOST, HEAD);
        header_add("Authorization", values[i]);
        assert_int_equal(verify(), S3_NotImplemented);
    }

    request("PUT", "/b/k", HOST,
            "x-amz-content-sha256: STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD\n");
    assert_int_equal(verify(), S3_NotImplemented);
}

static void test_auth_sigv4__skew_of_900_seconds_is_the_limit(void **state UNUSED)
{
    static const struct {
        int64_t offset_s;
        enum s3_error expected;
    } cases[] = {
        { -901, S3_RequestTimeTooSkewed },
        { -899, S3_OK },
        { 899, S3_OK },
        { 902, S3_RequestTimeTooSkewed },
        { 100000000, S3_RequestTimeTooSkewed },
        { -100000000, S3_RequestTimeTooSkewed },
    };

    signed_get("x-amz-date: 20130524T120000Z\nx-amz-content-sha256: " EMPTY "\n", PLAIN_LIST);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        clock_at_amz("20130524T120000Z");
        clock_at(clock_now_us(&h.clock) / US_PER_S + cases[i].offset_s);
        assert_int_equal(verify(), cases[i].expected);
    }
    assert_text(fact_value(FACT_SKEW_REQUEST_TIME), "20130524T120000Z");
    assert_text(fact_value(FACT_SKEW_MAX), "900000");
    assert_int_equal(fact_value(FACT_SKEW_SERVER_TIME).len, 20);

    h.config.skew_us = INT64_C(200000000) * US_PER_S;
    assert_int_equal(verify(), S3_OK);
}

static void test_auth_sigv4__date_header_serves_without_x_amz_date(void **state UNUSED)
{
    setup_aws();
    request("GET", "/b/k?versionId=1", "h:9000",
            "x-amz-date: 20130524T000000Z\nx-amz-content-sha256: " EMPTY "\n"
            "Date: Fri, 24 May 2013 00:00:00 GMT\n");
    sign_v4("date;host;x-amz-content-sha256");
    for (size_t i = 0; i < h.request.field_count; i++) {
        if (str_eq(h.fields[i].name, STR("x-amz-date")))
            h.fields[i].name = STR("x-other");
    }
    assert_int_equal(verify(), S3_OK);
    assert_text(h.auth.amz_date, "20130524T000000Z");
}

static void test_auth_sigv4__a_missing_or_bad_date_is_denied(void **state UNUSED)
{
    static const char *const headers[] = {
        "",
        "x-amz-date: \n",
        "x-amz-date: yesterday\n",
        "x-amz-date: 20130524\n",
        "x-amz-date: 20131324T000000Z\n",
        "Date: \n",
        "Date: Tue, 07 Jul 1950 21:53:04 GMT\n",
        "x-amz-date: \xd9\xa2\xd9\xa0\xd9\xa1\xd9\xa3T000000Z\n",
        "x-amz-date: 20130524T000000Z\nx-amz-date: 20130524T000000Z\n",
    };

    setup_aws();
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        request("GET", "/", HOST, headers[i]);
        header_add("x-amz-content-sha256", EMPTY);
        header_add("Authorization", CREDENTIAL " SignedHeaders=host, Signature=0");
        assert_int_equal(verify(), S3_AccessDenied);
        assert_message("AWS authentication requires a valid Date or x-amz-date header");
    }
}

static void test_auth_sigv4__strict_region_names_ours(void **state UNUSED)
{
    signed_get(HEAD, PLAIN_LIST);
    assert_int_equal(verify(), S3_OK);
    h.config.region = STR("eu-west-1");
    assert_int_equal(verify(), S3_OK);
    h.config.strict_region = true;
    assert_int_equal(verify(), S3_AuthorizationHeaderMalformed);
    assert_message("The authorization header is malformed; the region 'us-east-1' is wrong; "
                   "expecting 'eu-west-1'");
    assert_text(fact_value(FACT_MALFORMED_REGION), "eu-west-1");
}

static void test_auth_sigv4__payload_header_is_required_and_strict(void **state UNUSED)
{
    static const char *const bad[] = {
        "",
        "x",
        "unsigned-payload",
        "UNSIGNED-PAYLOAD ,",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOA",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855a",
        "g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    };
    static const struct {
        const char *value;
        enum payload_mode mode;
    } good[] = {
        { EMPTY, PAYLOAD_HEX },
        { "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", PAYLOAD_HEX },
        { "UNSIGNED-PAYLOAD", PAYLOAD_UNSIGNED },
        { "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", PAYLOAD_SIGNED_CHUNKS },
        { "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", PAYLOAD_SIGNED_TRAILER },
        { "STREAMING-UNSIGNED-PAYLOAD-TRAILER", PAYLOAD_UNSIGNED_TRAILER },
    };

    setup_aws();
    request("GET", "/", HOST,
            "x-amz-date: 20130524T000000Z\n" AUTHORIZATION
            "SignedHeaders=host;x-amz-date,Signature=0\n");
    assert_int_equal(verify(), S3_InvalidRequest);
    assert_message("Missing required header for this request: x-amz-content-sha256");

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        header_set("x-amz-content-sha256", bad[i]);
        assert_int_equal(verify(), S3_InvalidArgument);
        assert_text(fact_value(FACT_ARGUMENT_NAME), "x-amz-content-sha256");
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        header_set("x-amz-content-sha256", good[i].value);
        sign_v4(PLAIN_LIST);
        assert_int_equal(verify(), S3_OK);
        assert_int_equal(h.auth.payload, good[i].mode);
    }
    header_add("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert_int_equal(verify(), S3_InvalidArgument);
}

static void test_auth_sigv4__unsigned_host_or_amz_headers_are_named(void **state UNUSED)
{
    signed_get(HEAD, "x-amz-content-sha256;x-amz-date");
    assert_int_equal(verify(), S3_AccessDenied);
    assert_message("There were headers present in the request which were not signed");
    assert_text(fact_value(FACT_DENIED_HEADERS), "host");

    request("GET", "/", "h", HEAD "X-Amz-Acl: private\nx-amz-meta-a: b\n");
    sign_v4("host;x-amz-content-sha256;x-amz-date");
    assert_int_equal(verify(), S3_AccessDenied);
    assert_text(fact_value(FACT_DENIED_HEADERS), "x-amz-acl, x-amz-meta-a");

    request("GET", "/", "h", HEAD "X-Amz-Acl: private\nX-AMZ-acl: private\nx-amz-meta-a: b\n");
    sign_v4("x-amz-content-sha256;x-amz-meta-a");
    assert_int_equal(verify(), S3_AccessDenied);
    assert_text(fact_value(FACT_DENIED_HEADERS), "host, x-amz-date, x-amz-acl");
}

static void test_auth_sigv4__the_payload_header_alone_may_be_unsigned(void **state UNUSED)
{
    signed_get(HEAD, "host;x-amz-date");
    assert_int_equal(verify(), S3_OK);
    /* Its value is signed all the same. */
    header_set("x-amz-content-sha256",
               "0000000000000000000000000000000000000000000000000000000000000000");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    header_set("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    header_set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
}

static void test_auth_sigv4__other_headers_may_be_unsigned_or_signed(void **state UNUSED)
{
    signed_get(HEAD "Content-Type: a/b\nContent-MD5: x\nRange: bytes=0-1\nx-amzn-trace-id: 1\n",
               PLAIN_LIST);
    assert_int_equal(verify(), S3_OK);
    sign_v4("content-md5;content-type;host;range;x-amz-content-sha256;x-amz-date;x-amzn-trace-id");
    assert_int_equal(verify(), S3_OK);
    header_set("Content-Type", "a/c");
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);
}

static void canonical_value_is(const char *headers, const char *expected)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(10000);
    CLEANUP(buf_free) struct buf scratch = BUF_WITH_MAX(10000);

    request("GET", "/", "h", headers);
    canonical_request(&out, &scratch, &h.request, STR("x"), STR("p"));
    assert_text(buf_view(&out),
                arena_cstr(h.arena, arena_printf(h.arena, "GET\n/\n\nx:%s\n\nx\np", expected)));
}

static void test_auth_canonical__header_values_are_trimmed_collapsed_and_joined(void **state UNUSED)
{
    canonical_value_is("X: a\n", "a");
    canonical_value_is("x:   a   b  c \n", "a b c");
    canonical_value_is("x: a\tb\t \tc\n", "a b c");
    canonical_value_is("X: a \nx:   b\nX: c\n", "a,b,c");
    canonical_value_is("x: \"a  b\"\n", "\"a b\"");
    canonical_value_is("x: a,\nx:  \n", "a,,");
    canonical_value_is("x: \xc3\xbc\n", "\xc3\xbc");
    canonical_value_is("y: a\n", "");
}

static void canonical_query_is(const char *target, const char *expected)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(10000);
    CLEANUP(buf_free) struct buf scratch = BUF_WITH_MAX(10000);

    request("GET", target, "h", "");
    canonical_query(&out, &scratch, h.request.params, h.request.param_count);
    assert_text(buf_view(&out), expected);
}

static void test_auth_canonical__query_is_decoded_once_encoded_and_sorted(void **state UNUSED)
{
    canonical_query_is("/", "");
    canonical_query_is("/?acl", "acl=");
    canonical_query_is("/?acl=", "acl=");
    canonical_query_is("/?b=2&a=1", "a=1&b=2");
    canonical_query_is("/?a=2&a=1&a", "a=&a=1&a=2");
    canonical_query_is("/?a-b=1&a=2&A=3", "A=3&a=2&a-b=1");
    canonical_query_is("/?p=a/b&q=a%2fb", "p=a%2Fb&q=a%2Fb");
    canonical_query_is("/?p=a+b&q=%2B&r=%20", "p=a%20b&q=%2B&r=%20");
    canonical_query_is("/?p=%252F", "p=%252F");
    canonical_query_is("/?p=a=b", "p=a%3Db");
    canonical_query_is("/?X-Amz-Signature=x&X-Amz-Date=y", "X-Amz-Date=y");
    canonical_query_is("/?%C3%BC=1&z=2", "%C3%BC=1&z=2");
}

static void canonical_path_is(const char *path, const char *expected)
{
    assert_text(canonical_path(h.arena, str_from_cstr(path)), expected);
}

static void test_auth_canonical__path_is_decoded_once_and_encoded(void **state UNUSED)
{
    canonical_path_is("/", "/");
    canonical_path_is("/b/pl+us", "/b/pl%20us");
    canonical_path_is("/b/pl%20us", "/b/pl%20us");
    canonical_path_is("/b/%2Baskhn", "/b/%2Baskhn");
    canonical_path_is("/%2Fb/k", "//b/k");
    canonical_path_is("/b/a//../b/./", "/b/a//../b/./");
    canonical_path_is("/b/%c3%bc(1)~%7E", "/b/%C3%BC%281%29~~");
    canonical_path_is("/b/%252F", "/b/%252F");
    assert_false(str_present(canonical_path(h.arena, STR("/b/%2"))));
}

/* "sent" on the wire, signed as if it were "meant". */
static enum s3_error verify_respelt(const char *sent, const char *meant)
{
    request("GET", meant, "h",
            "x-amz-date: 20130524T000000Z\nx-amz-content-sha256: UNSIGNED-PAYLOAD\n");
    sign_v4("host;x-amz-content-sha256;x-amz-date");
    retarget(sent);
    return verify();
}

static void test_auth_sigv4__a_plus_is_signed_as_the_blank_it_means(void **state UNUSED)
{
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    clock_at_amz("20130524T000000Z");
    assert_int_equal(verify_respelt("/b/pl+us", "/b/pl%20us"), S3_OK);
    assert_int_equal(verify_respelt("/b?prefix=my+folder/", "/b?prefix=my%20folder%2F"), S3_OK);
    assert_int_equal(verify_respelt("/b?a+b=c", "/b?a%20b=c"), S3_OK);
    assert_int_equal(verify_respelt("/b/%2Baskhn", "/b/%2Baskhn"), S3_OK);
    assert_int_equal(verify_respelt("/b/+askhn", "/b/%2Baskhn"), S3_SignatureDoesNotMatch);
    assert_int_equal(verify_respelt("/b/%2Baskhn", "/b/%20askhn"), S3_SignatureDoesNotMatch);
    assert_int_equal(verify_respelt("/b?prefix=a+b", "/b?prefix=a%2Bb"), S3_SignatureDoesNotMatch);
}

static void test_auth_sigv4__a_mismatch_shows_the_path_decoded_and_encoded(void **state UNUSED)
{
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    clock_at_amz("20130524T000000Z");
    assert_int_equal(verify_respelt("/%2Fb/k", "/b/k"), S3_SignatureDoesNotMatch);
    assert_true(str_starts(fact_value(FACT_MISMATCH_CANONICAL), STR("GET\n//b/k\n")));
}

static void test_auth_cache__a_signing_key_is_the_published_one(void **state UNUSED)
{
    /* https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-examples.html */
    static const uint8_t expected[SHA256_BYTES] = {
        0xc4, 0xaf, 0xb1, 0xcc, 0x57, 0x71, 0xd8, 0x71, 0x76, 0x3a, 0x39,
        0x3e, 0x44, 0xb7, 0x03, 0x57, 0x1b, 0x55, 0xcc, 0x28, 0x42, 0x4d,
        0x1a, 0x5e, 0x86, 0xda, 0x6e, 0xd3, 0xc1, 0x54, 0xa4, 0xb9,
    };
    uint8_t key[SHA256_BYTES];

    auth_signing_key(STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), STR("20150830"),
                     STR("us-east-1"), STR("iam"), key);
    assert_memory_equal(key, expected, sizeof(key));
}

static void test_auth_cache__a_new_secret_for_an_old_key_counts_at_once(void **state UNUSED)
{
    signed_get(HEAD, PLAIN_LIST);
    assert_int_equal(verify(), S3_OK);

    forget_users();
    add_user(AWS_KEY, "rotated", NULL, 0);
    assert_int_equal(verify(), S3_SignatureDoesNotMatch);

    forget_users();
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    assert_int_equal(verify(), S3_OK);
}

static void test_auth_sigv4__a_steady_verification_takes_memory_for_its_user_alone(
    void **state UNUSED)
{
    struct credential credential;
    size_t used;
    size_t before;

    signed_get(HEAD, PLAIN_LIST);
    assert_int_equal(verify(), S3_OK);
    used = arena_used(h.arena);
    assert_true(credential_copy(h.auth.user, h.arena, &credential));
    assert_non_null(ARENA_NEW(h.arena, struct user));
    used = arena_used(h.arena) - used;
    before = arena_used(h.arena);
    assert_int_equal(verify(), S3_OK);
    assert_int_equal(arena_used(h.arena) - before, used);
}

static void test_auth_sigv4__many_signed_headers_and_one_too_many(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf list = BUF_WITH_MAX(100000);

    setup_aws();
    request("GET", "/", "h", HEAD);
    buf_lit(&list, "host");
    for (unsigned i = 0; i < HTTP_HEADERS_MAX - 3; i++)
        buf_printf(&list, ";x%03u", i);
    buf_lit(&list, ";x-amz-content-sha256;x-amz-date");
    sign_v4(arena_cstr(h.arena, buf_view(&list)));
    assert_int_equal(verify(), S3_OK);

    buf_lit(&list, ";y");
    sign_v4(arena_cstr(h.arena, buf_view(&list)));
    assert_int_equal(verify(), S3_AuthorizationHeaderMalformed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_auth_sigv4__aws_examples_verify),
        AUTH_TEST(test_auth_chunks__aws_example_verifies),
        AUTH_TEST(test_auth_chunks__wrong_dropped_repeated_or_swapped_is_refused),
        AUTH_TEST(test_auth_chunks__aws_trailer_example_verifies),
        AUTH_TEST(test_auth_sigv4__mismatch_gives_the_texts_we_made),
        AUTH_TEST(test_auth_sigv4__unknown_key_is_named),
        AUTH_TEST(test_auth_sigv4__blanks_between_parts_are_optional),
        AUTH_TEST(test_auth_sigv4__malformed_authorization_is_400),
        AUTH_TEST(test_auth_sigv4__other_algorithms_are_not_implemented),
        AUTH_TEST(test_auth_sigv4__skew_of_900_seconds_is_the_limit),
        AUTH_TEST(test_auth_sigv4__date_header_serves_without_x_amz_date),
        AUTH_TEST(test_auth_sigv4__a_missing_or_bad_date_is_denied),
        AUTH_TEST(test_auth_sigv4__strict_region_names_ours),
        AUTH_TEST(test_auth_sigv4__payload_header_is_required_and_strict),
        AUTH_TEST(test_auth_sigv4__unsigned_host_or_amz_headers_are_named),
        AUTH_TEST(test_auth_sigv4__the_payload_header_alone_may_be_unsigned),
        AUTH_TEST(test_auth_sigv4__other_headers_may_be_unsigned_or_signed),
        AUTH_TEST(test_auth_canonical__header_values_are_trimmed_collapsed_and_joined),
        AUTH_TEST(test_auth_canonical__query_is_decoded_once_encoded_and_sorted),
        AUTH_TEST(test_auth_canonical__path_is_decoded_once_and_encoded),
        AUTH_TEST(test_auth_sigv4__a_plus_is_signed_as_the_blank_it_means),
        AUTH_TEST(test_auth_sigv4__a_mismatch_shows_the_path_decoded_and_encoded),
        AUTH_TEST(test_auth_cache__a_signing_key_is_the_published_one),
        AUTH_TEST(test_auth_cache__a_new_secret_for_an_old_key_counts_at_once),
        AUTH_TEST(test_auth_sigv4__a_steady_verification_takes_memory_for_its_user_alone),
        AUTH_TEST(test_auth_sigv4__many_signed_headers_and_one_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
