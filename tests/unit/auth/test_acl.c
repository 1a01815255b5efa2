/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACLs: packing, canned lists, and who may do what.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth/acl.h"

#define ANONYMOUS_ID STR("65a011a29cdf8ec533ec3d1ccaae921c")

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

static bool bucket_allows(const struct user *user, enum access_need need, struct str acl)
{
    const struct access_subject subject = { .bucket_owner = alice.canonical_id, .bucket_acl = acl };

    return access_allowed(user, need, &subject, arena);
}

/* An object of bob's in alice's bucket. */
static bool object_allows(const struct user *user, enum access_need need, struct str acl)
{
    const struct access_subject subject = { .bucket_owner = alice.canonical_id,
                                            .object_owner = bob.canonical_id,
                                            .object_acl = acl };

    return access_allowed(user, need, &subject, arena);
}

/* ---- packing --------------------------------------------------------------------------------- */

static void test_auth_acl__private_packs_to_nothing_and_back(void **state UNUSED)
{
    struct acl acl;

    assert_false(str_present(canned("private", &alice, ACL_OF_BUCKET)));
    assert_true(acl_unpack(STR_NONE, alice.canonical_id, arena, &acl));
    assert_int_equal(acl.count, 1);
    assert_int_equal(acl.grants[0].permission, ACL_FULL_CONTROL);
    assert_true(str_eq(acl.grants[0].id, alice.canonical_id));
}

static void test_auth_acl__grants_survive_packing_in_order(void **state UNUSED)
{
    struct acl_grant grants[] = {
        { ACL_USER, ACL_WRITE_ACP, bob.canonical_id },
        { ACL_ALL_USERS, ACL_READ, { "", 0 } },
        { ACL_LOG_DELIVERY, ACL_WRITE, { "", 0 } },
    };
    struct acl acl = { grants, COUNT_OF(grants) };
    struct acl back;
    struct str packed;

    assert_true(acl_pack(&acl, alice.canonical_id, arena, &packed));
    assert_true(acl_unpack(packed, alice.canonical_id, arena, &back));
    assert_int_equal(back.count, COUNT_OF(grants));
    for (size_t i = 0; i < back.count; i++) {
        assert_int_equal(back.grants[i].grantee, grants[i].grantee);
        assert_int_equal(back.grants[i].permission, grants[i].permission);
        assert_true(str_eq(back.grants[i].id, grants[i].id));
    }
}

static void test_auth_acl__a_hundred_grants_fit_and_one_more_does_not(void **state UNUSED)
{
    static char id[64];
    struct acl_grant grants[ACL_GRANTS_MAX + 1];
    struct acl acl = { grants, ACL_GRANTS_MAX };
    struct acl back;
    struct str packed;

    memset(id, 'f', sizeof(id));
    for (size_t i = 0; i < COUNT_OF(grants); i++)
        grants[i] = (struct acl_grant){ ACL_USER, ACL_READ, str_make(id, sizeof(id)) };
    assert_true(acl_pack(&acl, alice.canonical_id, arena, &packed));
    assert_true(packed.len <= ACL_PACKED_BYTES_MAX);
    assert_true(acl_unpack(packed, alice.canonical_id, arena, &back));
    assert_int_equal(back.count, ACL_GRANTS_MAX);
    acl.count++;
    assert_false(acl_pack(&acl, alice.canonical_id, arena, &packed));
}

static void test_auth_acl__an_empty_list_is_not_the_private_one(void **state UNUSED)
{
    struct acl acl = { 0 };
    struct acl back;
    struct str packed;

    assert_true(acl_pack(&acl, alice.canonical_id, arena, &packed));
    assert_true(str_present(packed));
    assert_true(acl_unpack(packed, alice.canonical_id, arena, &back));
    assert_int_equal(back.count, 0);
}

static void test_auth_acl__damaged_bytes_grant_nothing(void **state UNUSED)
{
    struct str whole = canned("public-read", &alice, ACL_OF_BUCKET);
    struct acl acl;

    for (size_t len = 0; len < whole.len; len++) {
        struct str cut = str_slice(whole, 0, len);

        assert_false(acl_unpack(cut, alice.canonical_id, arena, &acl));
        assert_false(bucket_allows(&bob, NEED_BUCKET_READ, cut));
    }
    assert_true(acl_unpack(whole, alice.canonical_id, arena, &acl));
}

/* ---- canned ---------------------------------------------------------------------------------- */

static void test_auth_acl__bucket_and_object_know_different_canned_names(void **state UNUSED)
{
    struct acl acl;
    struct str a = alice.canonical_id;

    assert_false(acl_canned(STR("bucket-owner-read"), a, a, ACL_OF_BUCKET, arena, &acl));
    assert_false(acl_canned(STR("bucket-owner-full-control"), a, a, ACL_OF_BUCKET, arena, &acl));
    assert_true(acl_canned(STR("log-delivery-write"), a, a, ACL_OF_BUCKET, arena, &acl));
    assert_int_equal(acl.count, 3);
    assert_true(acl_canned(STR("log-delivery-write"), a, a, ACL_OF_NEW_BUCKET, arena, &acl));
    assert_int_equal(acl.count, 3);
    assert_true(acl_canned(STR("bucket-owner-read"), a, a, ACL_OF_NEW_BUCKET, arena, &acl));
    assert_int_equal(acl.count, 1);
    assert_false(acl_canned(STR("log-delivery-write"), a, a, ACL_OF_OBJECT, arena, &acl));
    assert_false(acl_canned(STR("public"), a, a, ACL_OF_OBJECT, arena, &acl));
    assert_false(acl_canned(STR(""), a, a, ACL_OF_OBJECT, arena, &acl));
}

static void test_auth_acl__bucket_owner_full_control_adds_one_grant_only_for_strangers(
    void **state UNUSED)
{
    struct acl acl;

    assert_true(acl_canned(STR("bucket-owner-full-control"), bob.canonical_id, alice.canonical_id,
                           ACL_OF_OBJECT, arena, &acl));
    assert_int_equal(acl.count, 2);
    assert_true(acl_canned(STR("bucket-owner-full-control"), alice.canonical_id, alice.canonical_id,
                           ACL_OF_OBJECT, arena, &acl));
    assert_int_equal(acl.count, 1);
}

static void test_auth_acl__aws_exec_read_is_private(void **state UNUSED)
{
    assert_false(str_present(canned("aws-exec-read", &alice, ACL_OF_OBJECT)));
}

/* ---- buckets --------------------------------------------------------------------------------- */

static void test_auth_access__a_private_bucket_is_its_owners_alone(void **state UNUSED)
{
    static const enum access_need needs[] = { NEED_BUCKET_READ, NEED_BUCKET_WRITE,
                                              NEED_BUCKET_READ_ACP, NEED_BUCKET_WRITE_ACP,
                                              NEED_BUCKET_OWNER };

    for (size_t i = 0; i < COUNT_OF(needs); i++) {
        assert_true(bucket_allows(&alice, needs[i], STR_NONE));
        assert_false(bucket_allows(&bob, needs[i], STR_NONE));
        assert_false(bucket_allows(NULL, needs[i], STR_NONE));
    }
}

static void test_auth_access__public_read_write_is_for_anyone_and_no_more(void **state UNUSED)
{
    struct str acl = canned("public-read-write", &alice, ACL_OF_BUCKET);

    assert_true(bucket_allows(NULL, NEED_BUCKET_READ, acl));
    assert_true(bucket_allows(NULL, NEED_BUCKET_WRITE, acl));
    assert_false(bucket_allows(NULL, NEED_BUCKET_READ_ACP, acl));
    assert_false(bucket_allows(&bob, NEED_BUCKET_WRITE_ACP, acl));
    assert_false(bucket_allows(&bob, NEED_BUCKET_OWNER, acl));
}

static void test_auth_access__authenticated_read_excludes_the_anonymous(void **state UNUSED)
{
    struct str acl = canned("authenticated-read", &alice, ACL_OF_BUCKET);

    assert_true(bucket_allows(&bob, NEED_BUCKET_READ, acl));
    assert_false(bucket_allows(NULL, NEED_BUCKET_READ, acl));
    assert_false(bucket_allows(&bob, NEED_BUCKET_WRITE, acl));
}

static void test_auth_access__an_owner_without_grants_keeps_only_the_acl(void **state UNUSED)
{
    struct acl acl = { 0 };
    struct str packed;

    assert_true(acl_pack(&acl, alice.canonical_id, arena, &packed));
    assert_false(bucket_allows(&alice, NEED_BUCKET_READ, packed));
    assert_false(bucket_allows(&alice, NEED_BUCKET_WRITE, packed));
    assert_true(bucket_allows(&alice, NEED_BUCKET_READ_ACP, packed));
    assert_true(bucket_allows(&alice, NEED_BUCKET_WRITE_ACP, packed));
    assert_true(bucket_allows(&alice, NEED_BUCKET_OWNER, packed));
}

/* ---- objects --------------------------------------------------------------------------------- */

static void test_auth_access__a_bucket_owner_does_not_read_others_objects(void **state UNUSED)
{
    assert_true(object_allows(&bob, NEED_OBJECT_READ, STR_NONE));
    assert_false(object_allows(&alice, NEED_OBJECT_READ, STR_NONE));
    assert_false(object_allows(&alice, NEED_OBJECT_READ_ACP, STR_NONE));
    assert_false(object_allows(&alice, NEED_OBJECT_WRITE_ACP, STR_NONE));
    assert_true(object_allows(&alice, NEED_OBJECT_OWNER, STR_NONE));
    assert_true(
        object_allows(&alice, NEED_OBJECT_READ, canned("bucket-owner-read", &bob, ACL_OF_OBJECT)));
    assert_true(object_allows(&alice, NEED_OBJECT_WRITE_ACP,
                              canned("bucket-owner-full-control", &bob, ACL_OF_OBJECT)));
}

static void test_auth_access__an_object_owner_without_grants_keeps_only_the_acl(void **state UNUSED)
{
    struct acl acl = { 0 };
    struct str packed;

    assert_true(acl_pack(&acl, bob.canonical_id, arena, &packed));
    assert_false(object_allows(&bob, NEED_OBJECT_READ, packed));
    assert_true(object_allows(&bob, NEED_OBJECT_READ_ACP, packed));
    assert_true(object_allows(&bob, NEED_OBJECT_WRITE_ACP, packed));
    assert_true(object_allows(&bob, NEED_OBJECT_OWNER, packed));
    assert_false(object_allows(&carol, NEED_OBJECT_OWNER, packed));
}

static void test_auth_access__a_missing_object_is_judged_as_a_listing(void **state UNUSED)
{
    assert_true(bucket_allows(&alice, NEED_OBJECT_READ, STR_NONE));
    assert_false(bucket_allows(&bob, NEED_OBJECT_READ, STR_NONE));
    assert_true(
        bucket_allows(NULL, NEED_OBJECT_READ_ACP, canned("public-read", &alice, ACL_OF_BUCKET)));
}

static void test_auth_access__the_anonymous_own_what_they_wrote(void **state UNUSED)
{
    const struct access_subject subject = { .bucket_owner = alice.canonical_id,
                                            .object_owner = ANONYMOUS_ID };

    assert_true(access_allowed(NULL, NEED_OBJECT_READ, &subject, arena));
    assert_false(access_allowed(&bob, NEED_OBJECT_READ, &subject, arena));
    assert_true(access_allowed(&alice, NEED_OBJECT_OWNER, &subject, arena));
}

static void test_auth_access__needs_of_the_service(void **state UNUSED)
{
    const struct access_subject nothing = { 0 };

    assert_true(access_allowed(NULL, NEED_ANYONE, &nothing, arena));
    assert_false(access_allowed(NULL, NEED_USER, &nothing, arena));
    assert_true(access_allowed(&bob, NEED_USER, &nothing, arena));
    assert_false(access_allowed(NULL, NEED_BUCKET_OWNER, &nothing, arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auth_acl__private_packs_to_nothing_and_back),
        cmocka_unit_test(test_auth_acl__grants_survive_packing_in_order),
        cmocka_unit_test(test_auth_acl__a_hundred_grants_fit_and_one_more_does_not),
        cmocka_unit_test(test_auth_acl__an_empty_list_is_not_the_private_one),
        cmocka_unit_test(test_auth_acl__damaged_bytes_grant_nothing),
        cmocka_unit_test(test_auth_acl__bucket_and_object_know_different_canned_names),
        cmocka_unit_test(
            test_auth_acl__bucket_owner_full_control_adds_one_grant_only_for_strangers),
        cmocka_unit_test(test_auth_acl__aws_exec_read_is_private),
        cmocka_unit_test(test_auth_access__a_private_bucket_is_its_owners_alone),
        cmocka_unit_test(test_auth_access__public_read_write_is_for_anyone_and_no_more),
        cmocka_unit_test(test_auth_access__authenticated_read_excludes_the_anonymous),
        cmocka_unit_test(test_auth_access__an_owner_without_grants_keeps_only_the_acl),
        cmocka_unit_test(test_auth_access__a_bucket_owner_does_not_read_others_objects),
        cmocka_unit_test(test_auth_access__an_object_owner_without_grants_keeps_only_the_acl),
        cmocka_unit_test(test_auth_access__a_missing_object_is_judged_as_a_listing),
        cmocka_unit_test(test_auth_access__the_anonymous_own_what_they_wrote),
        cmocka_unit_test(test_auth_access__needs_of_the_service),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
