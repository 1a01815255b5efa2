/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of a new version: what is taken from headers, what is refused, what comes back.
 */
#include "bare_op.h"

#include <stdio.h>

#include "base/text/pairs.h"
#include "server/s3/limits.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/metadata.h"
#include "server/s3/request/settle.h"
#include "server/s3/routes.h"

static struct version_attrs attrs;

static enum s3_error take(const char *headers)
{
    bare_request("/b/k", headers);
    attrs = (struct version_attrs){ 0 };
    return attrs_from_request(&op, &attrs);
}

/* Take, store, and give back as GET would. */
static void round_trip(const char *headers)
{
    assert_int_equal(take(headers), S3_OK);
    op.bucket.id = 1;
    op_set_attrs(&op, &attrs);
}

static const char *filled(char *out, const char *head, char with, size_t count)
{
    size_t len = strlen(head);

    memcpy(out, head, len);
    memset(out + len, with, count);
    out[len + count] = '\n';
    out[len + count + 1] = '\0';
    return out;
}

/* ---- system headers ---------------------------------------------------------------------------- */

static void test_s3_attrs__system_headers_come_back(void **state UNUSED)
{
    round_trip("content-type: text/plain\nCache-Control: no-store\n"
               "Content-Disposition: attachment\nContent-Language: de\nContent-Encoding: gzip\n"
               "Expires: Sat, 21 Nov 2026 05:25:23 GMT\nx-amz-website-redirect-location: /x\n");
    assert_str(bare_reply("Content-Type"), "text/plain");
    assert_str(bare_reply("Cache-Control"), "no-store");
    assert_str(bare_reply("Content-Disposition"), "attachment");
    assert_str(bare_reply("Content-Language"), "de");
    assert_str(bare_reply("Content-Encoding"), "gzip");
    assert_str(bare_reply("Expires"), "Sat, 21 Nov 2026 05:25:23 GMT");
    assert_str(bare_reply("x-amz-website-redirect-location"), "/x");
}

static void test_s3_attrs__the_default_type_is_binary_octet_stream(void **state UNUSED)
{
    round_trip("");
    assert_str(bare_reply("Content-Type"), "binary/octet-stream");
    assert_false(str_present(attrs.headers));
}

static void test_s3_attrs__aws_chunked_does_not_survive(void **state UNUSED)
{
    round_trip("Content-Encoding: aws-chunked\n");
    assert_false(str_present(bare_reply("Content-Encoding")));
    round_trip("Content-Encoding: gzip, aws-chunked\n");
    assert_str(bare_reply("Content-Encoding"), "gzip");
    round_trip("Content-Encoding: AWS-Chunked,gzip,br\n");
    assert_str(bare_reply("Content-Encoding"), "gzip, br");
    round_trip("Content-Encoding: foo, aws-chunked, bar\n");
    assert_str(bare_reply("Content-Encoding"), "foo, bar");
    round_trip("Content-Encoding: aws-chunked\nContent-Encoding: gzip\n");
    assert_str(bare_reply("Content-Encoding"), "gzip");
    round_trip("Content-Encoding: foo,bar\n");
    assert_str(bare_reply("Content-Encoding"), "foo,bar");
}

/* ---- metadata ---------------------------------------------------------------------------------- */

static void test_s3_attrs__metadata_names_are_lowered_and_repeats_joined(void **state UNUSED)
{
    round_trip("X-Amz-Meta-Author: A\nx-amz-meta-n: 1\nx-amz-meta-AUTHOR: B\n");
    assert_str(bare_reply("x-amz-meta-author"), "A,B");
    assert_str(bare_reply("x-amz-meta-n"), "1");
    assert_int_equal(pairs_count(attrs.headers), 2);
}

static void test_s3_attrs__metadata_of_2048_bytes_fits_and_one_more_does_not(void **state UNUSED)
{
    static char line[4096];

    assert_int_equal(take(filled(line, "x-amz-meta-a: ", 'v', S3_METADATA_BYTES_MAX - 1)), S3_OK);
    assert_int_equal(take(filled(line, "x-amz-meta-a: ", 'v', S3_METADATA_BYTES_MAX)),
                     S3_MetadataTooLarge);
}

static void test_s3_attrs__metadata_is_iso_8859_1_with_words_in_it(void **state UNUSED)
{
    round_trip("x-amz-meta-a: \xc3\x84M\xc3\x84Z\xc3\x95\xc3\x91 S3\n"
               "x-amz-meta-b: =?UTF-8?Q?actually-ascii?=\nx-amz-meta-c: =?UTF-8?B?AAECAw==?=\n"
               "x-amz-meta-d: a\tb\nx-amz-meta-e: \xe9t\xe9 S3\n");
    assert_str(bare_reply("x-amz-meta-a"), "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=");
    assert_str(bare_reply("x-amz-meta-b"), "actually-ascii");
    assert_str(bare_reply("x-amz-meta-c"), "=?UTF-8?B?AAECAw==?=");
    assert_str(bare_reply("x-amz-meta-d"), "a\tb");
    assert_str(bare_reply("x-amz-meta-e"), "=?UTF-8?Q?=C3=A9t=C3=A9_S3?=");
    assert_true(str_eq(pairs_get(attrs.headers, STR("x-amz-meta-c")), STR("\0\1\2\3")));
}

/* Before, bytes of header fields were kept as they came. */
static void test_s3_attrs__metadata_of_older_stores_is_shown_as_what_it_meant(void **state UNUSED)
{
    assert_str(metadata_shown(op.arena, STR("abc \xe9")), "=?UTF-8?Q?abc_=C3=A9?=");
    assert_str(metadata_shown(op.arena, STR("=?UTF-8?B?w6k=?=")), "=?UTF-8?B?w6k=?=");
}

/* 1022 bytes of UTF-8 in 2 KB, whatever the header's own length is. */
static void test_s3_attrs__metadata_is_measured_in_utf8(void **state UNUSED)
{
    static char line[4096];
    static char words[16384] = "x-amz-meta-aa:";

    assert_int_equal(take(filled(line, "x-amz-meta-aa: ", '\xe9', 1023)), S3_OK);
    assert_int_equal(take(filled(line, "x-amz-meta-aa: ", '\xe9', 1024)), S3_MetadataTooLarge);
    for (int i = 0; i < 300; i++)
        strcat(words, " =?UTF-8?Q?=41=42?=");
    strcat(words, "\n");
    assert_int_equal(take(words), S3_OK);
    assert_int_equal(pairs_get(attrs.headers, STR("x-amz-meta-aa")).len, 600);
}

static const struct route form_route = { .body = TAKES_FORM };

static void form_round_trip(const char *fields)
{
    bare_request("/b", fields);
    op.route = &form_route;
    attrs = (struct version_attrs){ 0 };
    assert_int_equal(attrs_from_request(&op, &attrs), S3_OK);
    op_set_attrs(&op, &attrs);
}

static void test_s3_attrs__form_fields_are_utf8_and_stay_as_sent(void **state UNUSED)
{
    form_round_trip("x-amz-meta-a: =?UTF-8?Q?actually-ascii?=\nx-amz-meta-b: =?UTF-8?B?YWJj?=\n"
                    "x-amz-meta-c: \xc3\x84M\xc3\x84Z\xc3\x95\xc3\x91 S3\nx-amz-meta-d: a\tb\n"
                    "x-amz-meta-e: a\rb\nx-amz-meta-f: abcd\xff\n");
    assert_str(bare_reply("x-amz-meta-a"), "=?UTF-8?Q?actually-ascii?=");
    assert_str(bare_reply("x-amz-meta-b"), "=?UTF-8?B?YWJj?=");
    assert_str(bare_reply("x-amz-meta-c"), "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=");
    assert_str(bare_reply("x-amz-meta-d"), "a\tb");
    assert_str(bare_reply("x-amz-meta-e"), "a b");
    assert_str(bare_reply("x-amz-meta-f"), "=?UTF-8?Q?abcd=EF=BF=BD?=");
}

static void test_s3_attrs__system_headers_of_a_form_are_answered_in_iso_8859_1(void **state UNUSED)
{
    form_round_trip("Cache-Control: non-ascii-%E2%80%94_\xe2\x80\x94_\xc3\xa9_\n"
                    "Content-Type: \xf0\x9f\x98\x80/x\n");
    assert_str(bare_reply("Cache-Control"), "non-ascii-%E2%80%94_ _\xe9_");
    assert_str(bare_reply("Content-Type"), "  /x");
    /* Of a header field the bytes come back as they came. */
    round_trip("Cache-Control: \xe2\x80\x94_\xe9\n");
    assert_str(bare_reply("Cache-Control"), "\xe2\x80\x94_\xe9");
}

static void test_s3_attrs__presigned_urls_carry_headers_in_the_query(void **state UNUSED)
{
    bool changed;

    bare_request("/b/k?X-Amz-Meta-A=1&x-amz-storage-class=STANDARD_IA&content-type=text%2Fhtml"
                 "&Expires=99&x-amz-meta-b=ab%C3%A9&x-amz-meta-c=%3D%3FUTF-8%3FB%3FYWJj%3F%3D",
                 "");
    op.auth.scheme = AUTH_V2_QUERY;
    assert_int_equal(headers_settle(&op, &changed), S3_OK);
    assert_true(changed);
    attrs = (struct version_attrs){ 0 };
    assert_int_equal(attrs_from_request(&op, &attrs), S3_OK);
    op_set_attrs(&op, &attrs);
    assert_str(bare_reply("x-amz-meta-a"), "1");
    assert_str(bare_reply("x-amz-meta-b"), "=?UTF-8?Q?ab=C3=A9?=");
    assert_str(bare_reply("x-amz-meta-c"), "abc");
    assert_str(bare_reply("x-amz-storage-class"), "STANDARD_IA");
    assert_str(bare_reply("Content-Type"), "text/html");
    assert_false(str_present(bare_reply("Expires")));

    bare_request("/b/k?x-amz-meta-a=1&x-amz-acl=public-read", "");
    assert_int_equal(headers_settle(&op, &changed), S3_OK);
    assert_false(changed);
    attrs = (struct version_attrs){ 0 };
    assert_int_equal(attrs_from_request(&op, &attrs), S3_OK);
    assert_false(str_present(attrs.headers));
    assert_false(str_present(attrs.acl));
}

/* ---- storage class and encryption --------------------------------------------------------------- */

static void test_s3_attrs__storage_classes_are_named_or_refused(void **state UNUSED)
{
    round_trip("x-amz-storage-class: DEEP_ARCHIVE\n");
    assert_str(bare_reply("x-amz-storage-class"), "DEEP_ARCHIVE");
    round_trip("x-amz-storage-class: STANDARD\n");
    assert_false(str_present(bare_reply("x-amz-storage-class")));
    assert_int_equal(take("x-amz-storage-class: COLD\n"), S3_InvalidStorageClass);
    assert_int_equal(take("x-amz-storage-class: standard\n"), S3_InvalidStorageClass);
}

static void test_s3_attrs__encryption_comes_back_with_its_key(void **state UNUSED)
{
    round_trip("x-amz-server-side-encryption: AES256\n");
    assert_str(bare_reply("x-amz-server-side-encryption"), "AES256");
    round_trip("x-amz-server-side-encryption: aws:kms\n");
    assert_str(bare_reply("x-amz-server-side-encryption"), "aws:kms");
    assert_str(bare_reply("x-amz-server-side-encryption-aws-kms-key-id"), "arn:aws:kms:default");
    round_trip("x-amz-server-side-encryption: aws:kms:dsse\n"
               "x-amz-server-side-encryption-aws-kms-key-id: alias/aws/s3\n"
               "x-amz-server-side-encryption-bucket-key-enabled: true\n");
    assert_str(bare_reply("x-amz-server-side-encryption"), "aws:kms:dsse");
    assert_str(bare_reply("x-amz-server-side-encryption-aws-kms-key-id"), "alias/aws/s3");
    assert_str(bare_reply("x-amz-server-side-encryption-bucket-key-enabled"), "true");
}

static void test_s3_attrs__encryption_that_makes_no_sense_is_refused(void **state UNUSED)
{
    assert_int_equal(take("x-amz-server-side-encryption: aes:kms\n"), S3_InvalidArgument);
    assert_int_equal(take("x-amz-server-side-encryption-aws-kms-key-id: k\n"), S3_InvalidArgument);
    assert_int_equal(take("x-amz-server-side-encryption: AES256\n"
                          "x-amz-server-side-encryption-aws-kms-key-id: k\n"),
                     S3_InvalidArgument);
}

static void test_s3_attrs__a_customers_key_is_not_taken_over_http(void **state UNUSED)
{
    assert_int_equal(take("x-amz-server-side-encryption-customer-algorithm: AES256\n"),
                     S3_InvalidRequest);
    assert_int_equal(take("x-amz-server-side-encryption-customer-key: a\n"), S3_InvalidRequest);
}

static void test_s3_attrs__promises_pail_can_not_keep_are_501(void **state UNUSED)
{
    assert_int_equal(take("x-amz-write-offset-bytes: 1\n"), S3_NotImplemented);
}

/* ---- tags --------------------------------------------------------------------------------------- */

static void test_s3_attrs__tags_are_urlencoded_and_counted(void **state UNUSED)
{
    round_trip("x-amz-tagging: a=1&b+c=%C3%A4&d=\n");
    assert_str(bare_reply("x-amz-tagging-count"), "3");
    assert_str(pairs_get(attrs.tags, STR("b c")), "\xc3\xa4");
    assert_str(pairs_get(attrs.tags, STR("d")), "");
    round_trip("");
    assert_false(str_present(bare_reply("x-amz-tagging-count")));
}

static void test_s3_attrs__how_many_tags_is_told_to_those_who_may_read_them(void **state UNUSED)
{
    assert_int_equal(take("x-amz-tagging: a=1\n"), S3_OK);
    op.bucket.id = 1;
    op.bucket.owner = STR(BOB_ID);
    op_set_attrs(&op, &attrs);
    assert_false(str_present(bare_reply("x-amz-tagging-count")));
    op.version.attrs.owner = STR(ALICE_ID);
    op_set_attrs(&op, &attrs);
    assert_str(bare_reply("x-amz-tagging-count"), "1");
}

static void test_s3_attrs__a_malformed_tag_header_is_invalid_argument(void **state UNUSED)
{
    assert_int_equal(take("x-amz-tagging: a=%zz\n"), S3_InvalidArgument);
    assert_int_equal(take("x-amz-tagging: a=1&a=2\n"), S3_InvalidArgument);
}

/* ---- website redirects ---------------------------------------------------------------------------- */

static void test_s3_attrs__a_redirect_location_is_a_path_or_a_web_address(void **state UNUSED)
{
    static const char *const good[] = { "/", "/a/b", "http://a.test", "https://a.test/b?c" };
    static const char *const bad[] = { "foo", "ftp://a.test", "http:/a", "https:", "HTTP//a", "",
                                       "?a" };
    char header[4096];
    char value[S3_REDIRECT_BYTES_MAX + 2];

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        (void)snprintf(header, sizeof(header), "x-amz-website-redirect-location: %s\n", good[i]);
        assert_int_equal(take(header), S3_OK);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        (void)snprintf(header, sizeof(header), "x-amz-website-redirect-location: %s\n", bad[i]);
        assert_int_equal(take(header), S3_InvalidRedirectLocation);
    }
    for (size_t len = S3_REDIRECT_BYTES_MAX; len <= S3_REDIRECT_BYTES_MAX + 1; len++) {
        memset(value, '/', len);
        value[len] = '\0';
        (void)snprintf(header, sizeof(header), "x-amz-website-redirect-location: %s\n", value);
        assert_int_equal(take(header),
                         len == S3_REDIRECT_BYTES_MAX ? S3_OK : S3_InvalidRedirectLocation);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_attrs__system_headers_come_back),
        cmocka_unit_test(test_s3_attrs__the_default_type_is_binary_octet_stream),
        cmocka_unit_test(test_s3_attrs__aws_chunked_does_not_survive),
        cmocka_unit_test(test_s3_attrs__metadata_names_are_lowered_and_repeats_joined),
        cmocka_unit_test(test_s3_attrs__metadata_of_2048_bytes_fits_and_one_more_does_not),
        cmocka_unit_test(test_s3_attrs__metadata_is_iso_8859_1_with_words_in_it),
        cmocka_unit_test(test_s3_attrs__metadata_of_older_stores_is_shown_as_what_it_meant),
        cmocka_unit_test(test_s3_attrs__metadata_is_measured_in_utf8),
        cmocka_unit_test(test_s3_attrs__form_fields_are_utf8_and_stay_as_sent),
        cmocka_unit_test(test_s3_attrs__system_headers_of_a_form_are_answered_in_iso_8859_1),
        cmocka_unit_test(test_s3_attrs__presigned_urls_carry_headers_in_the_query),
        cmocka_unit_test(test_s3_attrs__storage_classes_are_named_or_refused),
        cmocka_unit_test(test_s3_attrs__encryption_comes_back_with_its_key),
        cmocka_unit_test(test_s3_attrs__encryption_that_makes_no_sense_is_refused),
        cmocka_unit_test(test_s3_attrs__a_customers_key_is_not_taken_over_http),
        cmocka_unit_test(test_s3_attrs__promises_pail_can_not_keep_are_501),
        cmocka_unit_test(test_s3_attrs__tags_are_urlencoded_and_counted),
        cmocka_unit_test(test_s3_attrs__how_many_tags_is_told_to_those_who_may_read_them),
        cmocka_unit_test(test_s3_attrs__a_malformed_tag_header_is_invalid_argument),
        cmocka_unit_test(test_s3_attrs__a_redirect_location_is_a_path_or_a_web_address),
    };

    return cmocka_run_group_tests(tests, bare_group_setup, bare_group_teardown);
}
