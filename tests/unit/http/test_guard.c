/* SPDX-License-Identifier: Apache-2.0 */
/* What the guard lets pass, and the status of what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/http/parse/guard.h"

#define FIELD(name, value) ((struct http_field){ STR(name), STR(value) })
#define HOST FIELD("Host", "h")

static struct http_request request;

/* 0: passes. */
static int judge(const struct http_field *fields, size_t count)
{
    static struct http_field copy[HTTP_HEADERS_MAX + 1];
    int status = 0;

    memcpy(copy, fields, count * sizeof(*copy));
    request = (struct http_request){
        .method = STR("PUT"), .target = STR("/"), .fields = copy, .field_count = count
    };
    return http_guard(&request, &status) == NULL ? 0 : status;
}

#define JUDGE(...)                                                                                 \
    judge((const struct http_field[]){ __VA_ARGS__ },                                              \
          COUNT_OF(((const struct http_field[]){ __VA_ARGS__ })))

void test_http_guard__plain_requests_pass(void **state)
{
    (void)state;
    assert_int_equal(JUDGE(HOST), 0);
    assert_false(request.has_body);
    assert_int_equal(JUDGE(HOST, FIELD("content-length", "5")), 0);
    assert_true(request.has_body && request.has_content_length && request.content_length == 5);
    assert_int_equal(JUDGE(HOST, FIELD("content-length", "0")), 0);
    assert_true(!request.has_body && request.has_content_length);
    assert_int_equal(JUDGE(HOST, FIELD("Transfer-Encoding", "Chunked")), 0);
    assert_true(request.has_body && request.chunked && !request.has_content_length);
    assert_int_equal(JUDGE(HOST, FIELD("x", "a\tb\xff")), 0);
    assert_int_equal(JUDGE(HOST, FIELD("content-length", "5"), FIELD("expect", "100-Continue")), 0);
    assert_true(request.expects_continue);
    assert_int_equal(JUDGE(HOST, FIELD("expect", "100-continue")), 0);
    assert_false(request.expects_continue);
}

void test_http_guard__ambiguous_lengths_are_refused(void **state)
{
    (void)state;
    assert_int_equal(JUDGE(HOST, FIELD("Content-Length", "5"), FIELD("content-length", "5")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("Content-Length", "5"),
                           FIELD("Transfer-Encoding", "chunked")),
                     400);
    assert_int_equal(JUDGE(HOST, FIELD("Transfer-Encoding", "gzip, chunked")), 501);
    assert_int_equal(JUDGE(HOST, FIELD("Transfer-Encoding", "identity")), 501);
    assert_int_equal(JUDGE(HOST, FIELD("Transfer-Encoding", "chunked"),
                           FIELD("transfer-encoding", "chunked")),
                     400);
    assert_int_equal(JUDGE(HOST, FIELD("Content-Length", "")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("Content-Length", "+1")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("Content-Length", "1, 1")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("Content-Length", "18446744073709551616")), 400);
}

void test_http_guard__http_1_0_has_no_transfer_encoding(void **state)
{
    struct http_field fields[] = { HOST, FIELD("Transfer-Encoding", "chunked") };
    int status = 0;

    (void)state;
    request = (struct http_request){ .method = STR("PUT"),
                                     .target = STR("/"),
                                     .fields = fields,
                                     .field_count = 2,
                                     .http_1_0 = true };
    assert_non_null(http_guard(&request, &status));
    assert_int_equal(status, 400);
}

void test_http_guard__exactly_one_host(void **state)
{
    (void)state;
    assert_int_equal(JUDGE(FIELD("x", "y")), 400);
    assert_int_equal(JUDGE(HOST, HOST), 400);
    assert_int_equal(JUDGE(FIELD("Host", "")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "a b")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "a/b")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "u@h")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "[::1]:9000")), 0);
    assert_int_equal(JUDGE(FIELD("Host", "my_bucket.s3.localhost:9000")), 0);
    assert_int_equal(JUDGE(FIELD("Host", "h:")), 0);
    assert_int_equal(JUDGE(FIELD("Host", ":9000")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "h:90x")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "::1")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "a?acl")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "a#b")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "a\\b")), 400);
    assert_int_equal(JUDGE(FIELD("Host", "\xc3\xbc")), 400);
}

void test_http_guard__names_are_tokens_and_values_have_no_control_bytes(void **state)
{
    (void)state;
    assert_int_equal(JUDGE(HOST, FIELD("a b", "")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("a:", "")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("", "")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("\xc3\xa9", "")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("a\0", "")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("a", "b\r")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("a", "b\0c")), 400);
    assert_int_equal(JUDGE(HOST, FIELD("a", "\x7f")), 400);
}

void test_http_guard__other_expectations_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(JUDGE(HOST, FIELD("content-length", "5"), FIELD("Expect", "cake")), 0);
    assert_false(request.expects_continue);
}

void test_http_guard__limits_hold_at_the_maximum_and_one_past_it(void **state)
{
    static char bytes[HTTP_TARGET_BYTES_MAX + 1];
    struct http_field many[HTTP_HEADERS_MAX + 1];
    struct http_field big[4];
    int status = 0;

    (void)state;
    memset(bytes, 'v', sizeof(bytes));
    many[0] = HOST;
    for (size_t i = 1; i < COUNT_OF(many); i++)
        many[i] = FIELD("a", "b");
    assert_int_equal(judge(many, HTTP_HEADERS_MAX), 0);
    assert_int_equal(judge(many, HTTP_HEADERS_MAX + 1), 431);

    for (size_t past = 0; past <= 1; past++) {
        big[0] = HOST;
        big[1] = (struct http_field){ STR("n"), { bytes, HTTP_HEADER_BYTES_MAX - 1 + past } };
        assert_int_equal(judge(big, 2), past ? 431 : 0);
    }
    /* target "/" and Host: h take 6 bytes; two full fields and the rest of the sum */
    for (size_t past = 0; past <= 1; past++) {
        for (size_t i = 1; i <= 2; i++)
            big[i] = (struct http_field){ STR("n"), { bytes, HTTP_HEADER_BYTES_MAX - 1 } };
        big[3] = (struct http_field){
            STR("n"), { bytes, HTTP_HEAD_BYTES_MAX - 2 * HTTP_HEADER_BYTES_MAX - 6 - 1 + past }
        };
        assert_int_equal(judge(big, 4), past ? 431 : 0);
    }
    for (size_t past = 0; past <= 1; past++) {
        request = (struct http_request){ .method = STR("GET"), .fields = many, .field_count = 1 };
        request.target = str_make(bytes, HTTP_TARGET_BYTES_MAX + past);
        assert_int_equal(http_guard(&request, &status) == NULL, past == 0);
    }
    assert_int_equal(status, 414);
}

#define TEST(name) cmocka_unit_test(test_http_guard__##name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_requests_pass),
        TEST(ambiguous_lengths_are_refused),
        TEST(http_1_0_has_no_transfer_encoding),
        TEST(exactly_one_host),
        TEST(names_are_tokens_and_values_have_no_control_bytes),
        TEST(other_expectations_are_ignored),
        TEST(limits_hold_at_the_maximum_and_one_past_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
