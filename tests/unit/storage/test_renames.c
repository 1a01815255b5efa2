/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer decides of renames: what moves, what stays as it was, and what a token stands for.
 */
#include <stdio.h>

#include "fixture.h"

static char big[300000];

static struct intent rename_intent(struct fixture *f, const char *from, const char *to)
{
    return (struct intent){ .kind = INTENT_OBJECT_RENAME,
                            .origin = f->origin,
                            .bucket = BUCKET,
                            .key = str_from_cstr(to),
                            .arena = f->arena,
                            .rename = { .source = str_from_cstr(from) } };
}

static enum store_status rename_key(struct fixture *f, const char *from, const char *to)
{
    struct intent intent = rename_intent(f, from, to);

    return store_submit_wait(f->store, &intent);
}

static enum store_status rename_as(struct fixture *f, const char *from, const char *to,
                                   const char *token, struct str asked)
{
    struct intent intent = rename_intent(f, from, to);

    intent.rename.token = str_from_cstr(token);
    intent.rename.asked = asked;
    return store_submit_wait(f->store, &intent);
}

static bool is_there(struct fixture *f, const char *key)
{
    struct version version;
    enum store_status status = fx_head(f, key, &version);

    if (status != STORE_NO_KEY)
        FX_OK(f, status);
    return status == STORE_OK;
}

/* ---- what moves --------------------------------------------------------------------------- */

static void test_storage_renames__the_key_changes_and_nothing_else(void **state)
{
    static const size_t sizes[] = { 0, 10, 70000, sizeof(big) };
    struct fixture *f = fx_open(NULL);

    (void)state;
    clock_move(store_clock(f->store), CLOCK_FREEZE, 0);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct str bytes = str_make(big, sizes[i]);
        struct version before, after;

        fx_fill(big, sizes[i], (uint32_t)i);
        FX_OK(f, fx_put(f, "old", bytes));
        FX_OK(f, fx_head(f, "old", &before));
        clock_move(store_clock(f->store), CLOCK_ADVANCE, US_PER_S);
        FX_OK(f, rename_key(f, "old", "new"));
        FX_OK(f, fx_head(f, "new", &after));
        assert_false(is_there(f, "old"));
        fx_assert_content(f, "new", bytes);
        assert_int_equal(after.modified_us, before.modified_us);
        assert_true(str_eq(after.attrs.etag, before.attrs.etag));
        assert_true(after.seq > before.seq);
        assert_int_equal(after.body.kind, before.body.kind);
        assert_int_equal(after.body.id, before.body.id);
    }
    fx_close(f);
}

static void test_storage_renames__attributes_and_parts_come_along(void **state)
{
    static const uint32_t numbers[] = { 1, 2 };
    struct fixture *f = fx_open(NULL);
    struct intent set = {
        .kind = INTENT_OBJECT_SET,
        .bucket = BUCKET,
        .key = STR("old"),
        .arena = f->arena,
        .object_set = { .set_tags = true, .tags = STR("t"), .set_acl = true, .acl = STR("a") }
    };
    struct version version;
    struct str upload;

    (void)state;
    upload = fx_upload(f, "old");
    FX_OK(f, fx_part(f, "old", upload, 1, STR("one "), NULL));
    FX_OK(f, fx_part(f, "old", upload, 2, STR("two"), NULL));
    FX_OK(f, fx_complete(f, "old", upload, numbers, COUNT_OF(numbers)));
    FX_OK(f, store_submit_wait(f->store, &set));

    FX_OK(f, rename_key(f, "old", "new"));
    FX_OK(f, fx_head(f, "new", &version));
    assert_int_equal(version.part_count, 2);
    assert_true(str_eq(version.attrs.tags, STR("t")));
    assert_true(str_eq(version.attrs.acl, STR("a")));
    fx_assert_content(f, "new", STR("one two"));
    fx_close(f);
}

static void test_storage_renames__what_is_replaced_gives_its_bytes_back(void **state)
{
    struct fixture *f = fx_open(NULL);

    (void)state;
    fx_fill(big, sizeof(big), 1);
    FX_OK(f, fx_put(f, "new", str_make(big, sizeof(big))));
    fx_fill(big, sizeof(big), 2);
    FX_OK(f, fx_put(f, "old", str_make(big, sizeof(big))));
    assert_int_equal(fx_blob_files(f), 2);

    FX_OK(f, rename_key(f, "old", "new"));
    fx_assert_content(f, "new", str_make(big, sizeof(big)));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 1);
    fx_close(f);
}

/* Of equal bytes both keys name one blob: the one that goes takes only its own reference. */
static void test_storage_renames__onto_a_key_of_the_same_bytes(void **state)
{
    struct fixture *f = fx_open(NULL);

    (void)state;
    fx_fill(big, sizeof(big), 3);
    FX_OK(f, fx_put(f, "old", str_make(big, sizeof(big))));
    FX_OK(f, fx_put(f, "new", str_make(big, sizeof(big))));
    FX_OK(f, rename_key(f, "old", "new"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    fx_assert_content(f, "new", str_make(big, sizeof(big)));
    fx_close(f);
}

/* A warm reader has both keys; neither what was nor that nothing was may outlive the rename. */
static void test_storage_renames__what_a_reader_remembers_of_both_keys_ends(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;

    (void)state;
    FX_OK(f, reader_warm(f->reader, &f->fault));
    FX_OK(f, fx_put(f, "old", STR("bytes")));
    for (unsigned i = 0; i < 3; i++) {
        assert_true(is_there(f, "old"));
        assert_false(is_there(f, "new"));
    }
    FX_OK(f, rename_key(f, "old", "new"));
    assert_int_equal(fx_head(f, "old", &version), STORE_NO_KEY);
    fx_assert_content(f, "new", STR("bytes"));
    fx_close(f);
}

static void test_storage_renames__an_upload_of_either_key_is_told(void **state)
{
    static const uint32_t one[] = { 1 };
    struct fixture *f = fx_open(NULL);
    struct write_condition absent = { .if_none_match_any = true };
    struct version version;
    struct str uploads[2];

    (void)state;
    FX_OK(f, fx_put(f, "old", STR("x")));
    uploads[0] = fx_upload(f, "old");
    uploads[1] = fx_upload(f, "new");
    FX_OK(f, fx_part(f, "old", uploads[0], 1, STR("part"), NULL));
    FX_OK(f, fx_part(f, "new", uploads[1], 1, STR("part"), NULL));
    FX_OK(f, rename_key(f, "old", "new"));

    /* What was current when it began was removed. */
    assert_int_equal(fx_complete_if(f, "old", uploads[0], one, 1, &absent), STORE_CONFLICT);
    /* And was written: its ETag is right, but it is another object. */
    FX_OK(f, fx_head(f, "new", &version));
    assert_int_equal(fx_complete_if(f, "new", uploads[1], one, 1,
                                    &(struct write_condition){ .if_match = version.attrs.etag }),
                     STORE_CONFLICT);
    fx_close(f);
}

/* ---- what is refused ---------------------------------------------------------------------- */

static void test_storage_renames__are_of_unversioned_buckets_and_two_keys(void **state)
{
    struct fixture *f = fx_open(NULL);

    (void)state;
    FX_OK(f, fx_put(f, "old", STR("x")));
    assert_int_equal(rename_key(f, "old", "old"), STORE_CONFLICT);
    assert_int_equal(rename_key(f, "none", "new"), STORE_NO_KEY);
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    assert_int_equal(rename_key(f, "old", "new"), STORE_CONFLICT);
    FX_OK(f, fx_versioning(f, VERSIONING_SUSPENDED));
    assert_int_equal(rename_key(f, "old", "new"), STORE_CONFLICT);
    fx_assert_content(f, "old", STR("x"));
    fx_close(f);
}

static void test_storage_renames__a_locked_version_keeps_its_key(void **state)
{
    static const char *const keys[] = { "old", "new" };
    struct fixture *f = fx_open(NULL);

    (void)state;
    FX_OK(f, fx_put(f, "old", STR("old")));
    FX_OK(f, fx_put(f, "new", STR("new")));
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct intent hold = { .kind = INTENT_OBJECT_SET,
                               .bucket = BUCKET,
                               .key = str_from_cstr(keys[i]),
                               .arena = f->arena,
                               .object_set = { .set_hold = true, .legal_hold = HOLD_ON } };

        FX_OK(f, store_submit_wait(f->store, &hold));
        assert_int_equal(rename_key(f, "old", "new"), STORE_RETAINED);
        hold.object_set.legal_hold = HOLD_OFF;
        FX_OK(f, store_submit_wait(f->store, &hold));
    }
    FX_OK(f, rename_key(f, "old", "new"));
    fx_close(f);
}

static void test_storage_renames__what_was_judged_is_what_is_renamed(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct intent intent = rename_intent(f, "old", "new");
    struct version old, new;

    (void)state;
    FX_OK(f, fx_put(f, "old", STR("first")));
    FX_OK(f, fx_head(f, "old", &old));
    FX_OK(f, fx_put(f, "old", STR("second")));
    intent.rename.judged = &old;
    assert_int_equal(store_submit_wait(f->store, &intent), STORE_RETRY);

    FX_OK(f, fx_head(f, "old", &old));
    FX_OK(f, fx_put(f, "new", STR("there")));
    intent.rename.heed_replaced = true; /* there was nothing */
    assert_int_equal(store_submit_wait(f->store, &intent), STORE_RETRY);
    FX_OK(f, fx_head(f, "new", &new));
    FX_OK(f, fx_put(f, "new", STR("another")));
    intent.rename.replaced = &new;
    assert_int_equal(store_submit_wait(f->store, &intent), STORE_RETRY);
    FX_OK(f, fx_delete(f, "new"));
    assert_int_equal(store_submit_wait(f->store, &intent), STORE_RETRY);

    intent.rename.replaced = NULL;
    FX_OK(f, store_submit_wait(f->store, &intent));
    fx_assert_content(f, "new", STR("second"));
    assert_int_equal(store_submit_wait(f->store, &intent), STORE_RETRY); /* it is gone */
    fx_close(f);
}

/* ---- tokens ------------------------------------------------------------------------------- */

static void test_storage_renames__a_token_is_good_for_one_rename(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct str asked;

    (void)state;
    FX_OK(f, fx_put(f, "old", STR("1")));
    FX_OK(f, rename_as(f, "old", "new", "token", STR("a")));
    FX_OK(f, fx_put(f, "old", STR("2")));
    FX_OK(f, rename_as(f, "old", "new", "token", STR("a")));
    fx_assert_content(f, "old", STR("2"));
    fx_assert_content(f, "new", STR("1"));
    assert_int_equal(rename_as(f, "old", "new", "token", STR("b")), STORE_TOKEN_REUSED);

    fx_stop(f);
    fx_start(f);
    FX_OK(f, rename_as(f, "old", "new", "token", STR("a")));
    fx_assert_content(f, "old", STR("2"));
    FX_OK(f, rename_asked(f->reader, fx_bucket_id(f), STR("token"), f->arena, &asked, &f->fault));
    assert_true(str_eq(asked, STR("a")));
    FX_OK(f, rename_asked(f->reader, fx_bucket_id(f), STR("other"), f->arena, &asked, &f->fault));
    assert_false(str_present(asked));
    fx_close(f);
}

static void test_storage_renames__a_refusal_keeps_no_token(void **state)
{
    struct fixture *f = fx_open(NULL);

    (void)state;
    assert_int_equal(rename_as(f, "old", "new", "token", STR("a")), STORE_NO_KEY);
    FX_OK(f, fx_put(f, "old", STR("1")));
    FX_OK(f, rename_as(f, "old", "new", "token", STR("a")));
    assert_false(is_there(f, "old"));
    fx_close(f);
}

static void test_storage_renames__the_last_tokens_are_kept(void **state)
{
    struct fixture *f = fx_open(NULL);
    char token[16];

    (void)state;
    FX_OK(f, fx_put(f, "a", STR("1")));
    for (unsigned i = 0; i <= STORE_RENAMES_KEPT; i++) {
        (void)snprintf(token, sizeof(token), "%u", i);
        FX_OK(f, rename_as(f, i % 2 == 0 ? "a" : "b", i % 2 == 0 ? "b" : "a", token, STR("x")));
    }
    /* It is at "b"; the second one is known still, the first one not any more. */
    FX_OK(f, rename_as(f, "b", "a", "1", STR("x")));
    assert_true(is_there(f, "b"));
    assert_int_equal(rename_as(f, "a", "b", "0", STR("x")), STORE_NO_KEY);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_renames__the_key_changes_and_nothing_else),
        cmocka_unit_test(test_storage_renames__attributes_and_parts_come_along),
        cmocka_unit_test(test_storage_renames__what_is_replaced_gives_its_bytes_back),
        cmocka_unit_test(test_storage_renames__onto_a_key_of_the_same_bytes),
        cmocka_unit_test(test_storage_renames__what_a_reader_remembers_of_both_keys_ends),
        cmocka_unit_test(test_storage_renames__an_upload_of_either_key_is_told),
        cmocka_unit_test(test_storage_renames__are_of_unversioned_buckets_and_two_keys),
        cmocka_unit_test(test_storage_renames__a_locked_version_keeps_its_key),
        cmocka_unit_test(test_storage_renames__what_was_judged_is_what_is_renamed),
        cmocka_unit_test(test_storage_renames__a_token_is_good_for_one_rename),
        cmocka_unit_test(test_storage_renames__a_refusal_keeps_no_token),
        cmocka_unit_test(test_storage_renames__the_last_tokens_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
