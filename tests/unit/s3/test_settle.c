/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers from a URL's query and from several lines: which they are, whose value counts.
 */
#include "bare_op.h"

#include <stdio.h>

#include "server/s3/request/settle.h"

static bool settle(const char *target, const char *headers, enum auth_scheme scheme)
{
    bool changed;

    bare_request(target, headers);
    op.auth.scheme = scheme;
    assert_int_equal(headers_settle(&op, &changed), S3_OK);
    return changed;
}

static void test_s3_settle__nothing_to_do_leaves_the_request_alone(void **state UNUSED)
{
    struct http_field *fields;

    assert_false(
        settle("/b/k?acl&x-amz-acl=private", "x-amz-meta-a: 1\nIf-Match: x\n", AUTH_V4_HEADER));
    fields = op.request->fields;
    assert_false(settle("/b/k?acl&X-Amz-Signature=x", "If-Match: a\nIf-Match: b\n", AUTH_V4_QUERY));
    assert_ptr_equal(op.request->fields, fields);
    assert_int_equal(op.request->param_count, 2);
    assert_int_equal(op.fields_sent, 2);
}

static void test_s3_settle__each_form_takes_what_it_signs(void **state UNUSED)
{
    static const struct {
        const char *name;
        bool v4, v2;
    } cases[] = {
        { "x-amz-acl", true, true },
        { "X-AMZ-Copy-Source", true, true },
        { "x-amz-checksum-algorithm", true, true },
        { "x-amz-checksum-mode", true, true },
        { "x-amz-checksum-type", true, true },
        { "Content-Type", true, true },
        { "content-md5", true, true },
        { "Cache-Control", true, false },
        { "content-disposition", true, false },
        { "content-encoding", true, false },
        { "content-language", true, false },
        { "Expires", true, false },
        { "If-Match", true, false },
        { "if-none-match", true, false },
        { "If-Modified-Since", true, false },
        { "if-unmodified-since", true, false },
        { "Range", false, false },
        { "Host", false, false },
        { "Authorization", false, false },
        { "Content-Length", false, false },
        { "prefix", false, false },
        { "x-id", false, false },
        { "X-Amz-Signature", false, false },
        { "X-Amz-Credential", false, false },
        { "X-Amz-Date", false, false },
        { "x-amz-security-token", false, false },
        { "x-amz-content-sha256", false, false },
        { "x-amz-checksum-crc32", false, false },
        { "x-amz-checksum-sha256", false, false },
        { "x-amz-sdk-checksum-algorithm", false, false },
        { "x-amz-trailer", false, false },
        { "x-amz-decoded-content-length", false, false },
    };
    char target[128];

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (enum auth_scheme scheme = AUTH_ANONYMOUS; scheme <= AUTH_V2_POST; scheme++) {
            bool taken = (scheme == AUTH_V4_QUERY && cases[i].v4) ||
                         (scheme == AUTH_V2_QUERY && cases[i].v2);

            (void)snprintf(target, sizeof(target), "/b/k?a=1&%s=v&b=2", cases[i].name);
            if (settle(target, "", scheme) != taken)
                fail_msg("%s, scheme %d", cases[i].name, (int)scheme);
            assert_int_equal(op.request->param_count, taken ? 2 : 3);
            assert_int_equal(str_present(op_header(&op, cases[i].name)), taken);
            assert_true(http_param(op.request, STR("a")) != NULL);
            assert_true(http_param(op.request, STR("b")) != NULL);
        }
    }
}

static void test_s3_settle__what_was_sent_counts_first(void **state UNUSED)
{
    assert_true(settle("/b/k?x-amz-acl=query&content-type=query&x-amz-meta-a=query",
                       "X-Amz-Acl: sent\nContent-Type:\n", AUTH_V2_QUERY));
    assert_str(op_header(&op, "x-amz-acl"), "sent");
    assert_str(op_header(&op, "content-type"), "");
    assert_str(op_header(&op, "x-amz-meta-a"), "query");
    assert_int_equal(op.request->field_count, 3);
    assert_int_equal(op.fields_sent, 2);
    assert_int_equal(op.request->param_count, 0);
}

static void test_s3_settle__what_was_sent_unsigned_gives_way_to_what_was_signed(void **state UNUSED)
{
    const char *target = "/b/k?if-match=query&Content-Type=query";
    const char *sent = "If-Match: sent\nIf-None-Match: sent\ncontent-type: sent\n";
    bool changed;

    bare_request(target, sent);
    op.auth.scheme = AUTH_V4_QUERY;
    op.auth.signed_headers = STR("content-type;host");
    assert_int_equal(headers_settle(&op, &changed), S3_OK);
    assert_true(changed);
    assert_str(op_header(&op, "If-Match"), "query");
    assert_str(op_header(&op, "If-None-Match"), "sent");
    assert_str(op_header(&op, "Content-Type"), "sent");
    assert_int_equal(op.request->field_count, 3);
    assert_int_equal(op.fields_sent, 2);
    assert_int_equal(op.request->param_count, 0);
}

static void test_s3_settle__repeats_are_one_value_as_they_were_signed(void **state UNUSED)
{
    assert_false(settle("/b/k", "x-amz-copy-source: b/a\nx: 1\nX-Amz-Copy-Source: b\nx: 2\n",
                        AUTH_V4_HEADER));
    assert_str(op_header(&op, "x-amz-copy-source"), "b/a,b");
    assert_int_equal(op.request->field_count, 3);
    assert_true(settle("/b/k?x-amz-acl=a&content-type=a&X-Amz-Acl=%20b%20&content-type=b", "",
                       AUTH_V2_QUERY));
    assert_str(op_header(&op, "x-amz-acl"), "a,b");
    assert_str(op_header(&op, "content-type"), "a");
}

static void test_s3_settle__what_no_header_can_hold_is_refused(void **state UNUSED)
{
    static const char *const targets[] = {
        "/b/k?x-amz-meta-a=b%0Ac",   "/b/k?x-amz-meta-a%0A=b", "/b/k?x-amz-a:b=c",
        "/b/k?x-amz-meta-a=b%0D%0A", "/b/k?If-Match=%01",      "/b/k?x-amz-meta%20a=b",
    };
    bool changed;

    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        bare_request(targets[i], "");
        op.auth.scheme = AUTH_V4_QUERY;
        assert_int_equal(headers_settle(&op, &changed), S3_InvalidArgument);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_settle__nothing_to_do_leaves_the_request_alone),
        cmocka_unit_test(test_s3_settle__each_form_takes_what_it_signs),
        cmocka_unit_test(test_s3_settle__what_was_sent_counts_first),
        cmocka_unit_test(test_s3_settle__what_was_sent_unsigned_gives_way_to_what_was_signed),
        cmocka_unit_test(test_s3_settle__repeats_are_one_value_as_they_were_signed),
        cmocka_unit_test(test_s3_settle__what_no_header_can_hold_is_refused),
    };

    return cmocka_run_group_tests(tests, bare_group_setup, bare_group_teardown);
}
