/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACLs as requests bring them: canned names, grant headers, documents.
 */
#include "bare_op.h"

#include "server/s3/request/acl_request.h"

#define ALL_USERS "http://acs.amazonaws.com/groups/global/AllUsers"
#define XSI "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
#define OWNER "<Owner><ID>" ALICE_ID "</ID></Owner>"
#define POLICY(grants)                                                                             \
    "<AccessControlPolicy>" OWNER "<AccessControlList>" grants                                     \
    "</AccessControlList></AccessControlPolicy>"
#define GRANT(type, content, permission)                                                           \
    "<Grant><Grantee " XSI " xsi:type=\"" type "\">" content "</Grantee><Permission>" permission   \
    "</Permission></Grant>"

static struct acl acl;
static bool given;

static enum s3_error headers(const char *text)
{
    struct str packed;
    enum s3_error err;

    bare_request("/b/k", text);
    err = acl_from_headers(&op, op.bucket.owner, ACL_OF_OBJECT, &packed, &given);
    if (err == S3_OK)
        assert_true(acl_unpack(packed, op.bucket.owner, op.arena, &acl));
    return err;
}

static enum s3_error document(const char *text)
{
    struct str packed;
    enum s3_error err;

    bare_request("/b/k?acl", "");
    bare_body(text);
    err = acl_from_xml(&op, op.bucket.owner, &packed);
    if (err == S3_OK)
        assert_true(acl_unpack(packed, op.bucket.owner, op.arena, &acl));
    return err;
}

static void test_s3_acl__no_header_gives_the_private_one(void **state UNUSED)
{
    assert_int_equal(headers(""), S3_OK);
    assert_false(given);
    assert_int_equal(acl.count, 1);
}

static void test_s3_acl__canned_names(void **state UNUSED)
{
    assert_int_equal(headers("x-amz-acl: public-read\n"), S3_OK);
    assert_true(given);
    assert_int_equal(acl.count, 2);
    assert_int_equal(headers("x-amz-acl: everyone\n"), S3_InvalidArgument);
    assert_int_equal(headers("x-amz-acl: log-delivery-write\n"), S3_InvalidArgument);
}

static void test_s3_acl__grant_headers_name_users_three_ways(void **state UNUSED)
{
    assert_int_equal(headers("x-amz-grant-read: id=\"" BOB_ID "\", uri=\"" ALL_USERS "\"\n"
                             "x-amz-grant-full-control: emailAddress=\"BOB@example.com\"\n"),
                     S3_OK);
    assert_int_equal(acl.count, 3);
    assert_int_equal(acl.grants[0].permission, ACL_READ);
    assert_str(acl.grants[0].id, BOB_ID);
    assert_int_equal(acl.grants[1].grantee, ACL_ALL_USERS);
    assert_int_equal(acl.grants[2].permission, ACL_FULL_CONTROL);
    assert_str(acl.grants[2].id, BOB_ID);
    assert_int_equal(headers("x-amz-grant-write-acp: id=" BOB_ID "\n"), S3_OK);
    assert_int_equal(acl.grants[0].permission, ACL_WRITE_ACP);
}

static void refused_argument(const char *message, const char *name, const char *value)
{
    assert_str(op.refusal.message, message);
    assert_str(op.refusal.values[0], name);
    assert_str(op.refusal.values[1], value);
}

static void test_s3_acl__unknown_grantees_are_refused(void **state UNUSED)
{
    assert_int_equal(headers("x-amz-grant-read: id=\"nobody\"\n"), S3_InvalidArgument);
    refused_argument("Invalid id", "id", "nobody");
    assert_int_equal(headers("x-amz-grant-read: uri=\"http://x\"\n"), S3_InvalidArgument);
    refused_argument("Invalid group uri", "uri", "http://x");
    assert_int_equal(headers("x-amz-grant-read: " BOB_ID "\n"), S3_InvalidArgument);
    refused_argument("Argument format not recognized", "x-amz-grant-read", BOB_ID);
    assert_int_equal(headers("x-amz-grant-read: emailAddress=\"x@y\"\n"),
                     S3_UnresolvableGrantByEmailAddress);
}

/* The same in a document goes by the elements' names. */
static void test_s3_acl__unknown_grantees_of_a_document_are_refused(void **state UNUSED)
{
    assert_int_equal(document(POLICY(GRANT("CanonicalUser", "<ID>nobody</ID>", "READ"))),
                     S3_InvalidArgument);
    refused_argument("Invalid id", "CanonicalUser/ID", "nobody");
    assert_int_equal(document(POLICY(GRANT("Group", "<URI>http://x</URI>", "READ"))),
                     S3_InvalidArgument);
    refused_argument("Invalid group uri", "Group/URI", "http://x");
    assert_int_equal(document("<AccessControlPolicy><Owner><ID>nobody</ID></Owner>"
                              "<AccessControlList/></AccessControlPolicy>"),
                     S3_InvalidArgument);
    refused_argument("Invalid id", "CanonicalUser/ID", "nobody");
}

static void test_s3_acl__canned_and_grants_exclude_each_other(void **state UNUSED)
{
    assert_int_equal(headers("x-amz-acl: private\nx-amz-grant-read: id=\"" BOB_ID "\"\n"),
                     S3_InvalidRequest);
}

static void test_s3_acl__documents_of_all_three_types(void **state UNUSED)
{
    assert_int_equal(document(POLICY(GRANT("CanonicalUser", "<ID>" BOB_ID "</ID>", "READ_ACP")
                                         GRANT("Group", "<URI>" ALL_USERS "</URI>", "WRITE")
                                             GRANT("AmazonCustomerByEmail",
                                                   "<EmailAddress>bob@example.com</EmailAddress>",
                                                   "FULL_CONTROL"))),
                     S3_OK);
    assert_int_equal(acl.count, 3);
    assert_int_equal(acl.grants[1].permission, ACL_WRITE);
}

static void test_s3_acl__an_empty_list_revokes_everything(void **state UNUSED)
{
    assert_int_equal(document(POLICY("")), S3_OK);
    assert_int_equal(acl.count, 0);
}

static void test_s3_acl__the_owner_can_not_be_changed(void **state UNUSED)
{
    assert_int_equal(document("<AccessControlPolicy><Owner><ID>" BOB_ID "</ID></Owner>"
                              "<AccessControlList/></AccessControlPolicy>"),
                     S3_AccessDenied);
}

static void test_s3_acl__documents_that_say_nothing_are_malformed(void **state UNUSED)
{
    assert_int_equal(document("<AccessControlPolicy/>"), S3_MalformedACLError);
    assert_int_equal(document("<AccessControlPolicy><AccessControlList/></AccessControlPolicy>"),
                     S3_MalformedACLError);
    assert_int_equal(document("<Foo/>"), S3_MalformedACLError);
    assert_int_equal(document("not xml"), S3_MalformedACLError);
    assert_int_equal(document(POLICY(GRANT("CanonicalUser", "<ID>" BOB_ID "</ID>", "EVERYTHING"))),
                     S3_MalformedACLError);
    assert_int_equal(document(POLICY("<Grant><Grantee><ID>" BOB_ID "</ID></Grantee>"
                                     "<Permission>READ</Permission></Grant>")),
                     S3_MalformedACLError);
}

static void test_s3_acl__a_hundred_grants_and_one_more(void **state UNUSED)
{
    static const char grant[] = GRANT("Group", "<URI>" ALL_USERS "</URI>", "READ");
    static char text[sizeof(POLICY("")) + sizeof(grant) * (ACL_GRANTS_MAX + 1)];
    struct buf out = BUF_WITH_MAX(sizeof(text));

    for (size_t count = ACL_GRANTS_MAX; count <= ACL_GRANTS_MAX + 1; count++) {
        buf_clear(&out);
        buf_lit(&out, "<AccessControlPolicy>" OWNER "<AccessControlList>");
        for (size_t i = 0; i < count; i++)
            buf_lit(&out, GRANT("Group", "<URI>" ALL_USERS "</URI>", "READ"));
        buf_lit(&out, "</AccessControlList></AccessControlPolicy>");
        assert_false(out.failed);
        memcpy(text, out.p, out.len);
        text[out.len] = '\0';
        assert_int_equal(document(text), count == ACL_GRANTS_MAX ? S3_OK : S3_MalformedACLError);
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_acl__no_header_gives_the_private_one),
        cmocka_unit_test(test_s3_acl__canned_names),
        cmocka_unit_test(test_s3_acl__grant_headers_name_users_three_ways),
        cmocka_unit_test(test_s3_acl__unknown_grantees_are_refused),
        cmocka_unit_test(test_s3_acl__unknown_grantees_of_a_document_are_refused),
        cmocka_unit_test(test_s3_acl__canned_and_grants_exclude_each_other),
        cmocka_unit_test(test_s3_acl__documents_of_all_three_types),
        cmocka_unit_test(test_s3_acl__an_empty_list_revokes_everything),
        cmocka_unit_test(test_s3_acl__the_owner_can_not_be_changed),
        cmocka_unit_test(test_s3_acl__documents_that_say_nothing_are_malformed),
        cmocka_unit_test(test_s3_acl__a_hundred_grants_and_one_more),
    };

    return cmocka_run_group_tests(tests, bare_group_setup, bare_group_teardown);
}
