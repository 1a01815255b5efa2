/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in a question to the access decision.
 */
#include "bare_op.h"

#include "server/auth/acl.h"
#include "server/s3/bucket_config.h"
#include "server/s3/may.h"

#define VERSION "0123456789abcdef0123456789abcdef"

static void ask_of(const char *target, const char *headers)
{
    bare_request(target, headers);
    op.bucket.id = 1;
}

static void test_s3_may__a_question_names_who_what_and_from_where(void **state UNUSED)
{
    struct s3_options options;
    struct access_request asked;
    struct op_subject subject;

    ask_of("/b/k?versionId=" VERSION, "User-Agent: test\n");
    op.request->peer = STR("192.0.2.1:1234");
    op.request->tls = true;
    options = *op.options;
    options.auth.clock = &clock_of_system;
    op.options = &options;
    op.asked_version = true;
    subject = op_subject(&op);
    asked = op_question(&op, ACTION_GetObjectVersion, &subject);

    assert_str(asked.principal->canonical_id, ALICE_ID);
    assert_int_equal(asked.action, ACTION_GetObjectVersion);
    assert_str(asked.resource.bucket, "b");
    assert_str(asked.resource.key, "k");
    assert_str(asked.resource.version, VERSION);
    assert_str(asked.resource.bucket_owner, ALICE_ID);
    assert_ptr_equal(asked.resource.rules, &op.config->access);
    assert_str(asked.context.request->peer, "192.0.2.1:1234");
    assert_true(asked.context.request->tls);
    assert_str(http_header(asked.context.request, STR("user-agent")), "test");
    assert_str(asked.context.region, "us-east-1");
    assert_int_equal(asked.context.scheme, AUTH_V4_HEADER);
    assert_ptr_equal(asked.context.clock, &clock_of_system);
}

static void test_s3_may__a_version_is_in_the_question_only_where_the_operation_took_it(
    void **state UNUSED)
{
    struct op_subject subject;

    ask_of("/b/k?versionId=" VERSION, "");
    subject = op_subject(&op);
    assert_false(str_present(op_question(&op, ACTION_GetObject, &subject).resource.version));
}

static void test_s3_may__of_an_object_and_an_upload_their_owners_are_in_it(void **state UNUSED)
{
    const struct version version = { .attrs = { .owner = STR(BOB_ID), .acl = STR("packed") } };
    const struct upload upload = { .initiator = STR("initiator") };
    struct access_resource resource;
    struct op_subject subject;

    ask_of("/b/k", "");
    op.bucket.acl = STR("bucket's");
    subject = op_subject(&op);
    subject.object = &version;
    subject.upload = &upload;
    resource = op_question(&op, ACTION_GetObject, &subject).resource;
    assert_str(resource.bucket_acl, "bucket's");
    assert_str(resource.object_owner, BOB_ID);
    assert_str(resource.object_acl, "packed");
    assert_str(resource.initiator, "initiator");
}

static void test_s3_may__another_buckets_object_is_asked_of_that_bucket(void **state UNUSED)
{
    const struct bucket other = { .id = 2, .name = STR("other"), .owner = STR(BOB_ID) };
    const struct bucket_config config = { .document_count = 0 };
    const struct op_subject subject = { .bucket = &other, .config = &config, .key = STR("source") };
    struct access_resource resource;

    ask_of("/b/k", "");
    resource = op_question(&op, ACTION_GetObject, &subject).resource;
    assert_str(resource.bucket, "other");
    assert_str(resource.bucket_owner, BOB_ID);
    assert_str(resource.key, "source");
    assert_ptr_equal(resource.rules, &config.access);
}

static void test_s3_may__a_bucket_that_is_to_be_made_has_a_name_and_no_owner(void **state UNUSED)
{
    struct access_resource resource;
    struct op_subject subject;

    ask_of("/b", "");
    op.bucket = (struct bucket){ .id = 0 };
    subject = op_subject(&op);
    resource = op_question(&op, ACTION_CreateBucket, &subject).resource;
    assert_str(resource.bucket, "b");
    assert_false(str_present(resource.bucket_owner));
}

static void test_s3_may__a_refusal_tells_the_log_its_action_and_reason(void **state UNUSED)
{
    struct op_subject subject;

    ask_of("/b/k", "");
    op.bucket.owner = STR(BOB_ID);
    subject = op_subject(&op);
    assert_false(op_may(&op, ACTION_PutObject, &subject));
    assert_string_equal(op.fault.text, "");
    assert_int_equal(op_require(&op, ACTION_PutObject, &subject), S3_AccessDenied);
    assert_string_equal(op.fault.text, "s3:PutObject: the bucket's ACL gives no WRITE");
    assert_false(str_present(op.refusal.message));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_may__a_question_names_who_what_and_from_where),
        cmocka_unit_test(
            test_s3_may__a_version_is_in_the_question_only_where_the_operation_took_it),
        cmocka_unit_test(test_s3_may__of_an_object_and_an_upload_their_owners_are_in_it),
        cmocka_unit_test(test_s3_may__another_buckets_object_is_asked_of_that_bucket),
        cmocka_unit_test(test_s3_may__a_bucket_that_is_to_be_made_has_a_name_and_no_owner),
        cmocka_unit_test(test_s3_may__a_refusal_tells_the_log_its_action_and_reason),
    };

    return cmocka_run_group_tests(tests, bare_group_setup, bare_group_teardown);
}
