/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACLs: packing and canned lists.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth/acl.h"

static struct arena *arena;
static const struct user alice = { .canonical_id = { "aaaa", 4 } };
static const struct user bob = { .canonical_id = { "bbbb", 4 } };

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
        assert_false(acl_gives(cut, alice.canonical_id, &bob, ACL_READ, false));
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
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
