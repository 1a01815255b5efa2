/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST forms: AWS's published example, a table of policies, who may not sign.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
#include <stdio.h>

#include "harness.h"

#define AWS_POLICY                                                                                 \
    "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7" \
    "ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91" \
    "c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3Qi" \
    "OiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwi" \
    "fSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRh" \
    "LXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVT" \
    "MjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNy" \
    "ZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9" \
    "LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAi" \
    "MjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9"
#define AWS_FIELDS                                                                                 \
    "key: user/user1/${filename}\nacl: public-read\n"                                              \
    "success_action_redirect: http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html\n" \
    "Content-Type: image/jpeg\nx-amz-meta-uuid: 14365123651274\n"                                  \
    "x-amz-server-side-encryption: AES256\nX-Amz-Algorithm: AWS4-HMAC-SHA256\n"                    \
    "X-Amz-Credential: " AWS_KEY "/20151229/us-east-1/s3/aws4_request\n"                           \
    "X-Amz-Date: 20151229T000000Z\nx-amz-meta-tag: \n"
#define AWS_SIGNATURE                                                                              \
    "X-Amz-Signature: 8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e\n"

static void setup_aws(void)
{
    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    clock_at_amz("20151229T000000Z");
}

static void test_auth_post__aws_example_verifies(void **state UNUSED)
{
    setup_aws();
    form(AWS_FIELDS "Policy: " AWS_POLICY "\n" AWS_SIGNATURE);
    assert_int_equal(verify_form("sigv4examplebucket"), S3_OK);
    assert_int_equal(h.auth.scheme, AUTH_V4_POST);
    assert_text(h.auth.user->access_key, AWS_KEY);
    assert_int_equal(h.min_bytes, 0);
    assert_int_equal(h.max_bytes, UINT64_MAX);

    /* The bucket is the one routed to: neither another route nor a field changes that. */
    assert_int_equal(verify_form("other"), S3_AccessDenied);
    assert_message("Invalid according to Policy: Policy Condition failed: "
                   "[\"eq\", \"$bucket\", \"sigv4examplebucket\"]");
    form_add("bucket", "sigv4examplebucket");
    assert_int_equal(verify_form("other"), S3_AccessDenied);
    assert_int_equal(verify_form("sigv4examplebucket"), S3_OK);
}

#define EXPIRES "\"expiration\":\"2015-12-30T12:00:00.000Z\""
#define WITH(conditions) "{" EXPIRES ",\"conditions\":[{\"bucket\":\"b\"}," conditions "]}"
#define ANY_KEY "[\"starts-with\",\"$key\",\"\"]"

static void test_auth_policy__table(void **state UNUSED)
{
    static const struct {
        const char *policy, *fields;
        enum s3_error expected;
    } cases[] = {
        { WITH(ANY_KEY), "key: k\n", S3_OK },
        { WITH("{\"key\":\"k\"}"), "key: k\n", S3_OK },
        { WITH("{\"key\":\"k\"}"), "KEY: k\n", S3_OK },
        { WITH("{\"key\":\"k\"}"), "key: K\n", S3_AccessDenied },
        { WITH("[\"eq\",\"$key\",\"k\"]"), "key: k\n", S3_OK },
        { WITH("[\"eQ\",\"$KeY\",\"k\"]"), "key: k\n", S3_OK },
        { WITH("[\"eq\",\"$key\",\"k\"]"), "key: kk\n", S3_AccessDenied },
        { WITH("[\"starts-with\",\"$key\",\"user/\"]"), "key: user/${filename}\n", S3_OK },
        { WITH("[\"StArTs-WiTh\",\"$key\",\"user/\"]"), "key: user\n", S3_AccessDenied },
        { WITH("[\"starts-with\",\"$key\",\"user/\"]"), "key: user/a\nkey: other\n",
          S3_AccessDenied },
        /* a dollar sign, escaped as documented or not at all */
        { WITH("[\"starts-with\",\"$key\",\"\\\\$foo\"]"), "key: \\$foo.txt\n", S3_OK },
        { WITH("[\"starts-with\",\"$key\",\"\\\\$foo\"]"), "key: $foo.txt\n", S3_OK },
        { WITH("[\"starts-with\",\"$key\",\"$foo\"]"), "key: $foo.txt\n", S3_OK },
        /* fields and conditions without each other */
        { WITH(ANY_KEY), "key: k\nacl: private\n", S3_AccessDenied },
        { WITH(ANY_KEY), "key: k\nx-amz-meta-a: 1\n", S3_AccessDenied },
        { WITH(ANY_KEY), "key: k\nx-amz-tagging: 1\n", S3_AccessDenied },
        { WITH(ANY_KEY), "key: k\nsuccess_action_redirect: http://x/\n", S3_AccessDenied },
        { WITH(ANY_KEY), "key: k\nx-ignore-this: 1\nX-Ignore-: 2\nfile: f\n", S3_OK },
        { WITH(ANY_KEY ",{\"acl\":\"private\"}"), "key: k\n", S3_AccessDenied },
        { WITH(ANY_KEY ",[\"starts-with\",\"$Content-Type\",\"\"]"), "key: k\n", S3_OK },
        { WITH(ANY_KEY ",[\"starts-with\",\"$Content-Type\",\"image/\"]"), "key: k\n",
          S3_AccessDenied },
        { WITH(ANY_KEY ",[\"starts-with\",\"$content-type\",\"image/\"]"),
          "key: k\nContent-Type: image/png,image/gif\n", S3_OK },
        { WITH(ANY_KEY ",[\"starts-with\",\"$content-type\",\"image/\"]"),
          "key: k\nContent-Type: image/png,text/html\n", S3_AccessDenied },
        /* the bucket */
        { "{" EXPIRES ",\"conditions\":[" ANY_KEY "]}", "key: k\n", S3_AccessDenied },
        { "{" EXPIRES ",\"conditions\":[" ANY_KEY ",{\"bucket\":\"c\"}]}", "key: k\n",
          S3_AccessDenied },
        { "{" EXPIRES ",\"conditions\":[" ANY_KEY ",{\"bucket\":\"c\"}]}", "key: k\nbucket: c\n",
          S3_AccessDenied },
        { WITH(ANY_KEY), "key: k\nbucket: c\n", S3_AccessDenied },
        { WITH(ANY_KEY), "key: k\nBUCKET: b\n", S3_OK },
        { "{" EXPIRES ",\"conditions\":[" ANY_KEY ",[\"starts-with\",\"$bucket\",\"\"]]}",
          "key: k\n", S3_OK },
        /* expiration */
        { "{\"expiration\":\"2015-12-29T00:00:00Z\",\"conditions\":[{\"bucket\":\"b\"}," ANY_KEY
          "]}",
          "key: k\n", S3_AccessDenied },
        { "{\"expiration\":\"2015-12-29T00:01:00Z\",\"conditions\":[{\"bucket\":\"b\"}," ANY_KEY
          "]}",
          "key: k\n", S3_OK },
        { "{\"expiration\":\"tomorrow\",\"conditions\":[{\"bucket\":\"b\"}]}", "key: k\n",
          S3_InvalidPolicyDocument },
        { "{\"expiration\":1900000000,\"conditions\":[{\"bucket\":\"b\"}]}", "key: k\n",
          S3_InvalidPolicyDocument },
        { "{\"EXPIRATION\":\"2015-12-30T12:00:00Z\",\"conditions\":[{\"bucket\":\"b\"}]}",
          "key: k\n", S3_InvalidPolicyDocument },
        /* documents that are none */
        { "{" EXPIRES "}", "key: k\n", S3_InvalidPolicyDocument },
        { "{" EXPIRES ",\"conditions\":[]}", "key: k\n", S3_InvalidPolicyDocument },
        { "{" EXPIRES ",\"CONDITIONS\":[{\"bucket\":\"b\"}]}", "key: k\n",
          S3_InvalidPolicyDocument },
        { "{" EXPIRES ",\"conditions\":{\"bucket\":\"b\"}}", "key: k\n", S3_InvalidPolicyDocument },
        { "{" EXPIRES ",\"conditions\":[{\"bucket\":\"b\"}],\"more\":1}", "key: k\n",
          S3_InvalidPolicyDocument },
        { "{" EXPIRES "," EXPIRES ",\"conditions\":[{\"bucket\":\"b\"}]}", "key: k\n",
          S3_InvalidPolicyDocument },
        { "", "key: k\n", S3_InvalidPolicyDocument },
        { "[]", "key: k\n", S3_InvalidPolicyDocument },
        { "null", "key: k\n", S3_InvalidPolicyDocument },
        { "{", "key: k\n", S3_InvalidPolicyDocument },
        { WITH(ANY_KEY) "x", "key: k\n", S3_InvalidPolicyDocument },
        { WITH("{}"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH("{\"key\":\"k\",\"acl\":\"private\"}"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH("{\"key\":\"a\",\"key\":\"k\"}"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH("{\"key\":1}"), "key: 1\n", S3_InvalidPolicyDocument },
        { WITH("{\"key\":[\"k\"]}"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH("\"key\""), "key: k\n", S3_InvalidPolicyDocument },
        { WITH("[\"eq\",\"key\",\"k\"]"), "key: k\n", S3_AccessDenied },
        { WITH("[\"eq\",\"$\",\"k\"]"), "key: k\n", S3_AccessDenied },
        { WITH("[\"eq\",\"$key\"]"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH("[\"eq\",\"$key\",\"k\",\"k\"]"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH("[\"eq\",\"$key\",1]"), "key: 1\n", S3_AccessDenied },
        { WITH("[\"ends-with\",\"$key\",\"k\"]"), "key: k\n", S3_AccessDenied },
        { WITH("[[[[[[[[[[\"k\"]]]]]]]]]]"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH("{\"key\":\"\\u0000\"}"), "key: k\n", S3_AccessDenied },
        /* sizes */
        { WITH(ANY_KEY ",[\"content-length-range\",0]"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH(ANY_KEY ",[\"content-length-range\",-1,9]"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH(ANY_KEY ",[\"content-length-range\",9,1]"), "key: k\n", S3_InvalidPolicyDocument },
        { WITH(ANY_KEY ",[\"content-length-range\",1.5,9]"), "key: k\n", S3_AccessDenied },
        { WITH(ANY_KEY ",[\"content-length-range\",\"a\",9]"), "key: k\n", S3_AccessDenied },
        { WITH(ANY_KEY ",[\"content-length-range\",\"-1\",9]"), "key: k\n", S3_AccessDenied },
        { WITH(ANY_KEY ",[\"content-length-range\",1,null]"), "key: k\n", S3_AccessDenied },
        { WITH(ANY_KEY ",[\"content-length-range\",1,9]"), "key: k\n", S3_OK },
        { WITH(ANY_KEY ",[\"content-length-range\",\"1\",\"9\"]"), "key: k\n", S3_OK },
    };

    setup_aws();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        enum s3_error err = post_policy(cases[i].policy, cases[i].fields);

        if (err != cases[i].expected)
            fail_msg("case %zu %s with %s: error %d %.*s", i, cases[i].policy, cases[i].fields,
                     (int)err, STR_ARG(h.refusal.message));
    }
    assert_int_equal(h.min_bytes, 1);
    assert_int_equal(h.max_bytes, 9);
}

static void test_auth_policy__ranges_narrow_each_other(void **state UNUSED)
{
    setup_aws();
    assert_int_equal(post_policy(WITH(ANY_KEY ",[\"content-length-range\",2,100],"
                                              "[\"content-length-range\",1,50]"),
                                 "key: k\n"),
                     S3_OK);
    assert_int_equal(h.min_bytes, 2);
    assert_int_equal(h.max_bytes, 50);
}

static void test_auth_policy__refusals_say_what_failed(void **state UNUSED)
{
    setup_aws();
    (void)!post_policy(WITH("[\"starts-with\",\"$key\",\"u/\"]"), "key: k\n");
    assert_message("Invalid according to Policy: Policy Condition failed: "
                   "[\"starts-with\", \"$key\", \"u/\"]");
    (void)!post_policy(WITH("{\"key\":\"u\\\"\\u0001\"}"), "key: k\n");
    assert_message("Invalid according to Policy: Policy Condition failed: "
                   "[\"eq\", \"$key\", \"u\\\"\\u0001\"]");
    (void)!post_policy(WITH(ANY_KEY ",[\"eq\", \"success_action_redirect\", \"http://a.test/x\"],"
                                    "[\"eq\",\"$acl\",\"x\"]"),
                       "key: k\nsuccess_action_redirect: http://a.test/x\n");
    assert_message("Invalid according to Policy: Policy Condition failed: "
                   "[\"eq\", \"success_action_redirect\", \"http://a.test/x\"]");
    (void)!post_policy(WITH(ANY_KEY ",[\"content-length-range\",\"test\",\"10\"]"), "key: k\n");
    assert_message("Invalid according to Policy: Policy Condition failed: "
                   "[\"content-length-range\", \"test\", \"10\"]");
    (void)!post_policy(WITH(ANY_KEY ",[\"EQ\",\"$KEY\",7]"), "key: k\n");
    assert_message("Invalid according to Policy: Policy Condition failed: [\"EQ\", \"$KEY\", 7]");
    (void)!post_policy(WITH(ANY_KEY), "key: k\nacl: x\nx-amz-meta-a: 1\n");
    assert_message("Invalid according to Policy: Extra input fields: acl, x-amz-meta-a");
    (void)!post_policy("{" EXPIRES ",\"conditions\":[" ANY_KEY "]}", "key: k\n");
    assert_message("Invalid according to Policy: Extra input fields: bucket");
}

static void test_auth_policy__base64_is_strict(void **state UNUSED)
{
    static const char *const junk[] = { "\n", " ", "=", "!" };

    setup_aws();
    for (size_t i = 0; i < COUNT_OF(junk); i++) {
        char signature[V2_SIGNATURE_BYTES + 1] = "";
        char *policy = arena_cstr(h.arena, arena_printf(h.arena, "%s%s", AWS_POLICY, junk[i]));

        v2_sign(STR(AWS_SECRET), str_from_cstr(policy), signature);
        form("key: k\nAWSAccessKeyId: " AWS_KEY "\n");
        form_add("policy", policy);
        form_add("signature", signature);
        assert_int_equal(verify_form("b"), S3_InvalidPolicyDocument);
    }
}

static void test_auth_post__without_policy_and_signature_is_anonymous(void **state UNUSED)
{
    setup_aws();
    form("key: k\n");
    assert_int_equal(verify_form("b"), S3_OK);
    assert_int_equal(h.auth.scheme, AUTH_ANONYMOUS);
    assert_null(h.auth.user);
    assert_int_equal(h.max_bytes, UINT64_MAX);
}

static void names_missing(const char *fields, const char *name)
{
    char message[160];

    form(fields);
    if (verify_form("b") != S3_InvalidArgument)
        fail_msg("%s: error %d", fields, (int)h.refusal.error);
    (void)snprintf(message, sizeof(message),
                   "Bucket POST must contain a field named '%s'.  If it is specified, please check "
                   "the order of the fields.",
                   name);
    assert_message(message);
    assert_text(fact_value(FACT_ARGUMENT_NAME), name);
    assert_text(fact_value(FACT_ARGUMENT_VALUE), "");
}

/* One field of an authentication asks for the others, in this order. */
static void test_auth_post__the_first_field_that_is_missing_is_named(void **state UNUSED)
{
    setup_aws();
    names_missing("key: k\nsignature: x\n", "policy");
    names_missing("key: k\nAWSAccessKeyId: x\n", "policy");
    names_missing("key: k\nx-amz-signature: x\n", "policy");
    names_missing("key: k\npolicy: e30=\nsignature: x\n", "AWSAccessKeyId");
    names_missing("key: k\npolicy: e30=\nAWSAccessKeyId: x\n", "Signature");
    names_missing("key: k\npolicy: e30=\nx-amz-signature: x\n", "X-Amz-Algorithm");
    names_missing("key: k\npolicy: e30=\nx-amz-credential: x\n", "X-Amz-Algorithm");
    names_missing("key: k\npolicy: e30=\nx-amz-date: x\nx-amz-signature: x\n", "X-Amz-Algorithm");
    names_missing("key: k\npolicy: e30=\nx-amz-date: x\n", "X-Amz-Algorithm");
    names_missing("key: k\npolicy: e30=\nx-amz-algorithm: AWS4-HMAC-SHA256\n", "X-Amz-Credential");
    names_missing("key: k\npolicy: e30=\nx-amz-algorithm: AWS4-HMAC-SHA256\nx-amz-credential: x\n"
                  "x-amz-signature: x\n",
                  "X-Amz-Date");
    names_missing("key: k\npolicy: e30=\nx-amz-algorithm: AWS4-HMAC-SHA256\nx-amz-credential: x\n"
                  "x-amz-date: x\n",
                  "X-Amz-Signature");
}

static void test_auth_post__a_policy_that_nobody_signed_is_denied(void **state UNUSED)
{
    setup_aws();
    form("key: k\npolicy: e30=\n");
    assert_int_equal(verify_form("b"), S3_AccessDenied);
    assert_false(str_present(h.refusal.message));
}

static void test_auth_post__what_is_doubled_or_malformed_is_named(void **state UNUSED)
{
    static const char *const forms[] = {
        "key: k\npolicy: e30=\npolicy: e30=\nsignature: x\nAWSAccessKeyId: x\n",
        "key: k\npolicy: e30=\nsignature: x\nAWSAccessKeyId: x\nx-amz-signature: x\n",
        "key: k\npolicy: e30=\nx-amz-signature: x\nx-amz-algorithm: AWS4-HMAC-SHA256\n"
        "x-amz-credential: x\nx-amz-date: 20151229T000000Z\n",
        "key: k\npolicy: e30=\nx-amz-signature: x\nx-amz-algorithm: AWS4-HMAC-SHA1\n"
        "x-amz-credential: a/20151229/r/s3/aws4_request\nx-amz-date: 20151229T000000Z\n",
        "key: k\npolicy: e30=\nx-amz-signature: x\nx-amz-algorithm: AWS4-HMAC-SHA256\n"
        "x-amz-credential: a/20151229/r/s3/aws4_request\nx-amz-date: 2015\n",
    };

    setup_aws();
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        form(forms[i]);
        if (verify_form("b") != S3_InvalidArgument)
            fail_msg("form %zu: error %d", i, (int)h.refusal.error);
    }
}

static void test_auth_post__unknown_keys_and_wrong_signatures(void **state UNUSED)
{
    setup_aws();
    form("key: k\npolicy: e30=\nsignature: x\nAWSAccessKeyId: nobody\n");
    assert_int_equal(verify_form("b"), S3_InvalidAccessKeyId);
    form("key: k\npolicy: e30=\nsignature: x\nAWSAccessKeyId: " AWS_KEY "\n");
    assert_int_equal(verify_form("b"), S3_SignatureDoesNotMatch);
    assert_text(fact_value(FACT_MISMATCH_TEXT), "e30=");
}

static void test_auth_post__a_second_credential_beside_the_forms_is_refused(void **state UNUSED)
{
    static const char policy[] =
        "{\"expiration\": \"2030-01-01T00:00:00Z\", \"conditions\": [{\"bucket\": \"b\"}]}";
    static const char *const values[] = { "AWS " AWS_KEY ":x", "Basic dTpw", "Bearer x" };

    add_user(AWS_KEY, AWS_SECRET, NULL, 0);
    clock_at_amz("20260101T000000Z");
    request("POST", "/b", "h", "");
    assert_int_equal(post_policy(policy, ""), S3_OK);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        request("POST", "/b", "h", "");
        header_add("Authorization", values[i]);
        assert_int_equal(post_policy(policy, ""), S3_InvalidArgument);
        assert_true(str_starts(h.refusal.message, STR("Only one auth mechanism allowed; ")));
        assert_text(fact_value(FACT_ARGUMENT_NAME), "Authorization");
        assert_text(fact_value(FACT_ARGUMENT_VALUE), values[i]);
    }
    request("POST", "/b?X-Amz-Signature=x", "h", "");
    assert_int_equal(post_policy(policy, ""), S3_InvalidArgument);
    request("POST", "/b?AWSAccessKeyId=x", "h", "");
    assert_int_equal(post_policy(policy, ""), S3_InvalidArgument);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_auth_post__aws_example_verifies),
        AUTH_TEST(test_auth_policy__table),
        AUTH_TEST(test_auth_policy__ranges_narrow_each_other),
        AUTH_TEST(test_auth_policy__refusals_say_what_failed),
        AUTH_TEST(test_auth_policy__base64_is_strict),
        AUTH_TEST(test_auth_post__without_policy_and_signature_is_anonymous),
        AUTH_TEST(test_auth_post__the_first_field_that_is_missing_is_named),
        AUTH_TEST(test_auth_post__a_policy_that_nobody_signed_is_denied),
        AUTH_TEST(test_auth_post__what_is_doubled_or_malformed_is_named),
        AUTH_TEST(test_auth_post__unknown_keys_and_wrong_signatures),
        AUTH_TEST(test_auth_post__a_second_credential_beside_the_forms_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
