/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access decision: who may do what, why, and how votes are counted.
 * tests/unit/s3/test_access_matrix.c has the whole cross product.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth/access.h"
#include "server/auth/acl.h"

static struct arena *arena;
static const struct user alice = { .canonical_id = { "aaaa", 4 } };
static const struct user bob = { .canonical_id = { "bbbb", 4 } };
static const struct user carol = { .canonical_id = { "cccc", 4 } };

static int setup(void **state UNUSED)
{
    arena = arena_open(4096, 1024 * 1024);
    return arena == NULL;
}

static int teardown(void **state UNUSED)
{
    arena_close(arena);
    return 0;
}

/* The packed canned ACL of an object or bucket of owner in alice's bucket. */
static struct str canned(const char *name, const struct user *owner, enum acl_place place)
{
    struct acl acl;
    struct str packed;

    assert_true(acl_canned(str_from_cstr(name), owner->canonical_id, alice.canonical_id, place,
                           arena, &acl));
    assert_true(acl_pack(&acl, owner->canonical_id, arena, &packed));
    return packed;
}

static bool allowed(const struct user *user, enum access_action action,
                    const struct access_resource *resource)
{
    const struct access_request request = { .principal = user,
                                            .action = action,
                                            .resource = *resource };

    return access_decide(&request).decision == ACCESS_ALLOWED;
}

static bool bucket_allows(const struct user *user, enum access_action action, struct str acl)
{
    const struct access_resource bucket = { .bucket_owner = alice.canonical_id, .bucket_acl = acl };

    return allowed(user, action, &bucket);
}

/* An object of bob's in alice's bucket. */
static bool object_allows(const struct user *user, enum access_action action, struct str acl)
{
    const struct access_resource object = { .bucket_owner = alice.canonical_id,
                                            .object_owner = bob.canonical_id,
                                            .object_acl = acl };

    return allowed(user, action, &object);
}

/* ---- buckets --------------------------------------------------------------------------------- */

static void test_auth_access__a_private_bucket_is_its_owners_alone(void **state UNUSED)
{
    static const enum access_action actions[] = { ACTION_ListBucket, ACTION_PutObject,
                                                  ACTION_GetBucketAcl, ACTION_PutBucketAcl,
                                                  ACTION_DeleteBucket };

    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        assert_true(bucket_allows(&alice, actions[i], STR_NONE));
        assert_false(bucket_allows(&bob, actions[i], STR_NONE));
        assert_false(bucket_allows(NULL, actions[i], STR_NONE));
    }
}

static void test_auth_access__public_read_write_is_for_anyone_and_no_more(void **state UNUSED)
{
    struct str acl = canned("public-read-write", &alice, ACL_OF_BUCKET);

    assert_true(bucket_allows(NULL, ACTION_ListBucket, acl));
    assert_true(bucket_allows(NULL, ACTION_PutObject, acl));
    assert_false(bucket_allows(NULL, ACTION_GetBucketAcl, acl));
    assert_false(bucket_allows(&bob, ACTION_PutBucketAcl, acl));
    assert_false(bucket_allows(&bob, ACTION_DeleteBucket, acl));
}

static void test_auth_access__authenticated_read_excludes_the_anonymous(void **state UNUSED)
{
    struct str acl = canned("authenticated-read", &alice, ACL_OF_BUCKET);

    assert_true(bucket_allows(&bob, ACTION_ListBucket, acl));
    assert_false(bucket_allows(NULL, ACTION_ListBucket, acl));
    assert_false(bucket_allows(&bob, ACTION_PutObject, acl));
}

static void test_auth_access__an_owner_without_grants_keeps_only_the_acl(void **state UNUSED)
{
    struct acl acl = { 0 };
    struct str packed;

    assert_true(acl_pack(&acl, alice.canonical_id, arena, &packed));
    assert_false(bucket_allows(&alice, ACTION_ListBucket, packed));
    assert_false(bucket_allows(&alice, ACTION_PutObject, packed));
    assert_true(bucket_allows(&alice, ACTION_GetBucketAcl, packed));
    assert_true(bucket_allows(&alice, ACTION_PutBucketAcl, packed));
    assert_true(bucket_allows(&alice, ACTION_DeleteBucket, packed));
}

/* ---- objects --------------------------------------------------------------------------------- */

static void test_auth_access__a_bucket_owner_does_not_read_others_objects(void **state UNUSED)
{
    assert_true(object_allows(&bob, ACTION_GetObject, STR_NONE));
    assert_false(object_allows(&alice, ACTION_GetObject, STR_NONE));
    assert_false(object_allows(&alice, ACTION_GetObjectAcl, STR_NONE));
    assert_false(object_allows(&alice, ACTION_PutObjectAcl, STR_NONE));
    assert_true(object_allows(&alice, ACTION_GetObjectTagging, STR_NONE));
    assert_true(
        object_allows(&alice, ACTION_GetObject, canned("bucket-owner-read", &bob, ACL_OF_OBJECT)));
    assert_true(object_allows(&alice, ACTION_PutObjectAcl,
                              canned("bucket-owner-full-control", &bob, ACL_OF_OBJECT)));
}

static void test_auth_access__an_object_owner_without_grants_keeps_only_the_acl(void **state UNUSED)
{
    struct acl acl = { 0 };
    struct str packed;

    assert_true(acl_pack(&acl, bob.canonical_id, arena, &packed));
    assert_false(object_allows(&bob, ACTION_GetObject, packed));
    assert_true(object_allows(&bob, ACTION_GetObjectAcl, packed));
    assert_true(object_allows(&bob, ACTION_PutObjectAcl, packed));
    assert_true(object_allows(&bob, ACTION_GetObjectTagging, packed));
    assert_false(object_allows(&carol, ACTION_GetObjectTagging, packed));
}

static void test_auth_access__an_object_that_is_not_there_opens_nothing(void **state UNUSED)
{
    struct str acl = canned("public-read-write", &alice, ACL_OF_BUCKET);

    assert_false(bucket_allows(&alice, ACTION_GetObject, acl));
    assert_false(bucket_allows(&bob, ACTION_GetObjectAcl, acl));
    assert_false(bucket_allows(NULL, ACTION_GetObjectVersion, acl));
}

static void test_auth_access__the_anonymous_own_what_they_wrote(void **state UNUSED)
{
    const struct access_resource object = { .bucket_owner = alice.canonical_id,
                                            .object_owner = ACL_ANONYMOUS_ID };

    assert_true(allowed(NULL, ACTION_GetObject, &object));
    assert_false(allowed(&bob, ACTION_GetObject, &object));
    assert_true(allowed(&alice, ACTION_GetObjectTagging, &object));
}

static void test_auth_access__an_account_is_asked_for_users_only(void **state UNUSED)
{
    const struct access_resource nothing = { 0 };

    assert_false(allowed(NULL, ACTION_CreateBucket, &nothing));
    assert_true(allowed(&bob, ACTION_CreateBucket, &nothing));
    assert_false(allowed(NULL, ACTION_DeleteBucket, &nothing));
    assert_false(allowed(&bob, ACTION_DeleteBucket, &nothing));
}

/* ---- uploads --------------------------------------------------------------------------------- */

static void test_auth_access__an_upload_is_its_initiators_and_the_bucket_owners(void **state UNUSED)
{
    const struct access_resource upload = {
        .bucket_owner = alice.canonical_id,
        .bucket_acl = canned("public-read-write", &alice, ACL_OF_BUCKET),
        .initiator = bob.canonical_id,
    };

    assert_true(allowed(&bob, ACTION_AbortMultipartUpload, &upload));
    assert_true(allowed(&alice, ACTION_AbortMultipartUpload, &upload));
    assert_false(allowed(&carol, ACTION_AbortMultipartUpload, &upload));
    assert_false(allowed(NULL, ACTION_AbortMultipartUpload, &upload));
}

static void test_auth_access__an_initiator_without_write_has_lost_his_upload(void **state UNUSED)
{
    const struct access_resource upload = { .bucket_owner = alice.canonical_id,
                                            .initiator = bob.canonical_id };

    assert_false(allowed(&bob, ACTION_ListMultipartUploadParts, &upload));
}

/* ---- names and reasons ----------------------------------------------------------------------- */

static void test_auth_access__actions_have_the_names_of_policies(void **state UNUSED)
{
    assert_true(
        str_eq(access_action_name(ACTION_DeleteObjectVersion), STR("s3:DeleteObjectVersion")));
    assert_true(str_eq(access_action_name(ACTION_CreateSession), STR("s3express:CreateSession")));
    for (int i = ACTION_NONE + 1; i < ACCESS_ACTIONS; i++)
        for (int k = i + 1; k < ACCESS_ACTIONS; k++)
            assert_false(str_eq(access_action_name((enum access_action)i),
                                access_action_name((enum access_action)k)));
}

static struct access_verdict bucket_verdict(const struct user *user, enum access_action action)
{
    const struct access_request request = {
        .principal = user,
        .action = action,
        .resource = { .bucket_owner = alice.canonical_id, .initiator = bob.canonical_id },
    };

    return access_decide(&request);
}

static void test_auth_access__a_refusal_says_what_is_missing(void **state UNUSED)
{
    assert_string_equal(bucket_verdict(&bob, ACTION_ListBucket).reason,
                        "the bucket's ACL gives no READ");
    assert_string_equal(bucket_verdict(&bob, ACTION_PutBucketAcl).reason,
                        "the bucket's ACL gives no WRITE_ACP");
    assert_string_equal(bucket_verdict(&bob, ACTION_DeleteBucket).reason,
                        "only the bucket's owner may");
    assert_string_equal(bucket_verdict(&bob, ACTION_GetObject).reason,
                        "the object's ACL gives no READ");
    assert_string_equal(bucket_verdict(&bob, ACTION_GetObjectTagging).reason, "not the owner");
    assert_string_equal(bucket_verdict(&carol, ACTION_PutObject).reason,
                        "somebody else's upload in somebody else's bucket");
    assert_string_equal(bucket_verdict(&alice, ACTION_DeleteBucket).reason,
                        "the bucket's owner may");
}

static void test_auth_access__every_decision_is_one_and_has_a_reason(void **state UNUSED)
{
    const struct user *users[] = { &alice, &bob, &carol, NULL };

    for (int action = ACTION_NONE + 1; action < ACCESS_ACTIONS; action++)
        for (size_t i = 0; i < COUNT_OF(users); i++) {
            struct access_verdict verdict = bucket_verdict(users[i], (enum access_action)action);

            assert_int_not_equal(verdict.decision, ACCESS_ABSTAINED);
            assert_non_null(verdict.reason);
        }
}

/* ---- the count ------------------------------------------------------------------------------- */

static struct access_verdict denies(const struct access_request *request UNUSED)
{
    return (struct access_verdict){ .decision = ACCESS_DENIED, .reason = "denies" };
}

static struct access_verdict allows(const struct access_request *request UNUSED)
{
    return (struct access_verdict){ .decision = ACCESS_ALLOWED, .reason = "allows" };
}

static struct access_verdict silent(const struct access_request *request UNUSED)
{
    return (struct access_verdict){ .decision = ACCESS_ABSTAINED, .reason = NULL };
}

static struct access_verdict mutters(const struct access_request *request UNUSED)
{
    return (struct access_verdict){ .decision = ACCESS_ABSTAINED, .reason = "mutters" };
}

static void expect_count(access_voter *first, access_voter *second, access_voter *third,
                         enum access_decision decision, const char *reason)
{
    access_voter *const voters[] = { first, second, third };
    const struct access_request request = { .action = ACTION_GetObject };
    struct access_verdict verdict = access_count(voters, COUNT_OF(voters), &request);

    assert_int_equal(verdict.decision, decision);
    assert_string_equal(verdict.reason, reason);
}

static void test_auth_access__a_deny_wins_wherever_it_stands(void **state UNUSED)
{
    expect_count(denies, allows, allows, ACCESS_DENIED, "denies");
    expect_count(allows, denies, allows, ACCESS_DENIED, "denies");
    expect_count(allows, allows, denies, ACCESS_DENIED, "denies");
    expect_count(silent, mutters, denies, ACCESS_DENIED, "denies");
}

static void test_auth_access__one_allow_is_enough_and_gives_the_reason(void **state UNUSED)
{
    expect_count(silent, allows, mutters, ACCESS_ALLOWED, "allows");
    expect_count(mutters, silent, allows, ACCESS_ALLOWED, "allows");
    expect_count(allows, mutters, silent, ACCESS_ALLOWED, "allows");
}

static void test_auth_access__where_nobody_allows_it_is_denied(void **state UNUSED)
{
    expect_count(silent, silent, silent, ACCESS_DENIED, "nobody allows it");
    expect_count(silent, mutters, silent, ACCESS_DENIED, "mutters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auth_access__a_private_bucket_is_its_owners_alone),
        cmocka_unit_test(test_auth_access__public_read_write_is_for_anyone_and_no_more),
        cmocka_unit_test(test_auth_access__authenticated_read_excludes_the_anonymous),
        cmocka_unit_test(test_auth_access__an_owner_without_grants_keeps_only_the_acl),
        cmocka_unit_test(test_auth_access__a_bucket_owner_does_not_read_others_objects),
        cmocka_unit_test(test_auth_access__an_object_owner_without_grants_keeps_only_the_acl),
        cmocka_unit_test(test_auth_access__an_object_that_is_not_there_opens_nothing),
        cmocka_unit_test(test_auth_access__the_anonymous_own_what_they_wrote),
        cmocka_unit_test(test_auth_access__an_account_is_asked_for_users_only),
        cmocka_unit_test(test_auth_access__an_upload_is_its_initiators_and_the_bucket_owners),
        cmocka_unit_test(test_auth_access__an_initiator_without_write_has_lost_his_upload),
        cmocka_unit_test(test_auth_access__actions_have_the_names_of_policies),
        cmocka_unit_test(test_auth_access__a_refusal_says_what_is_missing),
        cmocka_unit_test(test_auth_access__every_decision_is_one_and_has_a_reason),
        cmocka_unit_test(test_auth_access__a_deny_wins_wherever_it_stands),
        cmocka_unit_test(test_auth_access__one_allow_is_enough_and_gives_the_reason),
        cmocka_unit_test(test_auth_access__where_nobody_allows_it_is_denied),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
