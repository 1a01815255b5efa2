/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer decides of locked versions: what stays, until when, and which retention gives way to which.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */
#include "fixture.h"

#define DAY_US (24 * 3600 * US_PER_S)

/* With versioning, and a clock that stands. */
static struct fixture *open_versioned(void)
{
    struct fixture *f = fx_open(NULL);

    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    clock_move(store_clock(f->store), CLOCK_FREEZE, 0);
    return f;
}

static int64_t now_us(const struct fixture *f)
{
    return clock_now_us(store_clock(f->store));
}

static struct version_id put_locked(struct fixture *f, const char *key, enum lock_mode mode,
                                    int64_t until_us, enum legal_hold hold)
{
    struct intent put = { .kind = INTENT_OBJECT_PUT,
                          .bucket = BUCKET,
                          .key = str_from_cstr(key),
                          .arena = f->arena,
                          .put.attrs = { .etag = STR("e"),
                                         .owner = OWNER,
                                         .lock_mode = (uint8_t)mode,
                                         .retain_until_us = until_us,
                                         .legal_hold = (uint8_t)hold } };
    struct version_id id;

    FX_OK(f, store_submit_wait(f->store, &put));
    assert_true(version_id_parse(put.result.version_text, &id));
    return id;
}

static enum store_status remove_version(struct fixture *f, const char *key, struct version_id id,
                                        bool bypass)
{
    struct delete_item item = {
        .key = str_from_cstr(key), .has_version = true, .version = id, .bypass = bypass
    };
    struct intent remove = { .kind = INTENT_OBJECT_DELETE,
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .remove = { .items = &item, .count = 1 } };

    FX_OK(f, store_submit_wait(f->store, &remove));
    return item.status;
}

static enum store_status set_on(struct fixture *f, struct version_id id,
                                struct intent_object_set set)
{
    struct intent intent = {
        .kind = INTENT_OBJECT_SET, .bucket = BUCKET, .key = STR("k"), .arena = f->arena
    };

    set.version = id;
    intent.object_set = set;
    return store_submit_wait(f->store, &intent);
}

static struct version_attrs attrs_of(struct fixture *f, struct version_id id)
{
    struct version version;

    FX_OK(f, version_get(f->reader, fx_bucket_id(f), STR("k"), id, f->arena, &version, &f->fault));
    return version.attrs;
}

/* ---- removal ----------------------------------------------------------------------------- */

static void test_storage_locks__a_retention_ends_with_its_last_microsecond(void **state)
{
    static const enum lock_mode modes[] = { LOCK_GOVERNANCE, LOCK_COMPLIANCE };
    struct fixture *f = open_versioned();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        int64_t until_us = now_us(f) + DAY_US;
        struct version_id id = put_locked(f, "k", modes[i], until_us, HOLD_NEVER_SET);

        clock_move(store_clock(f->store), CLOCK_SET, until_us - 1);
        assert_int_equal(remove_version(f, "k", id, false), STORE_RETAINED);
        clock_move(store_clock(f->store), CLOCK_SET, until_us - 30 * DAY_US);
        assert_int_equal(remove_version(f, "k", id, false), STORE_RETAINED);
        clock_move(store_clock(f->store), CLOCK_SET, until_us);
        assert_int_equal(remove_version(f, "k", id, false), STORE_OK);
    }
    fx_close(f);
}

static void test_storage_locks__a_bypass_is_of_governance_alone(void **state)
{
    static const struct {
        enum lock_mode mode;
        enum legal_hold hold;
        enum store_status expected;
    } rows[] = {
        { LOCK_GOVERNANCE, HOLD_NEVER_SET, STORE_OK },
        { LOCK_GOVERNANCE, HOLD_OFF, STORE_OK },
        { LOCK_GOVERNANCE, HOLD_ON, STORE_RETAINED },
        { LOCK_COMPLIANCE, HOLD_OFF, STORE_RETAINED },
        { LOCK_COMPLIANCE, HOLD_ON, STORE_RETAINED },
        { LOCK_NONE, HOLD_ON, STORE_RETAINED },
        { LOCK_NONE, HOLD_OFF, STORE_OK },
    };
    struct fixture *f = open_versioned();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t until_us = rows[i].mode != LOCK_NONE ? now_us(f) + DAY_US : 0;
        struct version_id id = put_locked(f, "k", rows[i].mode, until_us, rows[i].hold);

        assert_int_equal(remove_version(f, "k", id, true), rows[i].expected);
    }
    fx_close(f);
}

static void test_storage_locks__a_locked_item_stays_and_its_neighbours_go(void **state)
{
    struct fixture *f = open_versioned();
    struct version_id free = put_locked(f, "free", LOCK_NONE, 0, HOLD_NEVER_SET);
    struct version_id kept = put_locked(f, "k", LOCK_NONE, 0, HOLD_ON);
    struct delete_item items[] = {
        { .key = STR("k"), .has_version = true, .version = kept },
        { .key = STR("free"), .has_version = true, .version = free },
        { .key = STR("k") },
    };
    struct intent remove = { .kind = INTENT_OBJECT_DELETE,
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .remove = { .items = items, .count = COUNT_OF(items) } };
    struct version version;

    (void)state;
    FX_OK(f, store_submit_wait(f->store, &remove));
    assert_int_equal(items[0].status, STORE_RETAINED);
    assert_int_equal(items[1].status, STORE_OK);
    assert_int_equal(items[2].status, STORE_OK);
    assert_true(items[2].made_marker);
    assert_int_equal(fx_head(f, "free", &version), STORE_NO_KEY);
    assert_int_equal(attrs_of(f, kept).legal_hold, HOLD_ON);
    fx_close(f);
}

/* Hidden by a newer version, current again, and after a restart. */
static void test_storage_locks__a_lock_stays_with_its_version_wherever_it_moves(void **state)
{
    struct fixture *f = open_versioned();
    int64_t until_us = now_us(f) + DAY_US;
    struct version_id kept = put_locked(f, "k", LOCK_COMPLIANCE, until_us, HOLD_OFF);
    struct version_id newer = put_locked(f, "k", LOCK_NONE, 0, HOLD_NEVER_SET);

    (void)state;
    assert_int_equal(remove_version(f, "k", kept, true), STORE_RETAINED);
    FX_OK(f,
          set_on(f, kept, (struct intent_object_set){ .set_hold = true, .legal_hold = HOLD_ON }));
    assert_int_equal(remove_version(f, "k", newer, false), STORE_OK);
    fx_stop(f);
    fx_start(f);
    assert_int_equal(attrs_of(f, kept).lock_mode, LOCK_COMPLIANCE);
    assert_true(attrs_of(f, kept).retain_until_us == until_us);
    assert_int_equal(attrs_of(f, kept).legal_hold, HOLD_ON);
    assert_int_equal(remove_version(f, "k", kept, true), STORE_RETAINED);
    fx_close(f);
}

/* ---- setting ----------------------------------------------------------------------------- */

static void test_storage_locks__which_retention_gives_way_to_which(void **state)
{
    static const struct {
        enum lock_mode mode, to;
        int64_t more_us;    /* than the one that holds */
        bool without, with; /* a bypass: is it taken? */
    } rows[] = {
        { LOCK_GOVERNANCE, LOCK_GOVERNANCE, 0, true, true },
        { LOCK_GOVERNANCE, LOCK_GOVERNANCE, -1, false, true },
        { LOCK_GOVERNANCE, LOCK_COMPLIANCE, 1, false, true },
        { LOCK_GOVERNANCE, LOCK_NONE, 0, false, true },
        { LOCK_COMPLIANCE, LOCK_COMPLIANCE, 0, true, true },
        { LOCK_COMPLIANCE, LOCK_COMPLIANCE, 1, true, true },
        { LOCK_COMPLIANCE, LOCK_COMPLIANCE, -1, false, false },
        { LOCK_COMPLIANCE, LOCK_GOVERNANCE, 1, false, false },
        { LOCK_COMPLIANCE, LOCK_NONE, 0, false, false },
        { LOCK_NONE, LOCK_COMPLIANCE, 0, true, true },
    };
    struct fixture *f = open_versioned();

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        bool bypass = i >= COUNT_OF(rows);
        size_t row = i % COUNT_OF(rows);
        bool taken = bypass ? rows[row].with : rows[row].without;
        int64_t until_us = now_us(f) + DAY_US;
        struct version_id id = put_locked(f, "k", rows[row].mode, until_us, HOLD_NEVER_SET);
        struct intent_object_set set = { .set_retention = true,
                                         .bypass = bypass,
                                         .lock_mode = (uint8_t)rows[row].to,
                                         .retain_until_us = until_us + rows[row].more_us };

        assert_int_equal(set_on(f, id, set), taken ? STORE_OK : STORE_RETAINED);
        assert_int_equal(attrs_of(f, id).lock_mode, taken ? rows[row].to : rows[row].mode);
        assert_true(attrs_of(f, id).retain_until_us == until_us + (taken ? rows[row].more_us : 0));
    }
    fx_close(f);
}

static void test_storage_locks__one_that_is_over_gives_way_to_any(void **state)
{
    struct fixture *f = open_versioned();
    int64_t until_us = now_us(f) + DAY_US;
    struct version_id id = put_locked(f, "k", LOCK_COMPLIANCE, until_us, HOLD_NEVER_SET);
    struct intent_object_set none = { .set_retention = true };

    (void)state;
    clock_move(store_clock(f->store), CLOCK_SET, until_us - 1);
    assert_int_equal(set_on(f, id, none), STORE_RETAINED);
    clock_move(store_clock(f->store), CLOCK_SET, until_us);
    FX_OK(f, set_on(f, id, none));
    assert_int_equal(attrs_of(f, id).lock_mode, LOCK_NONE);
    fx_close(f);
}

static void test_storage_locks__retention_hold_and_tags_are_set_apart(void **state)
{
    struct fixture *f = open_versioned();
    int64_t until_us = now_us(f) + DAY_US;
    struct version_id id = put_locked(f, "k", LOCK_COMPLIANCE, until_us, HOLD_NEVER_SET);
    struct version_attrs attrs;

    (void)state;
    FX_OK(f, set_on(f, id, (struct intent_object_set){ .set_hold = true, .legal_hold = HOLD_ON }));
    FX_OK(f, set_on(f, id, (struct intent_object_set){ .set_tags = true, .tags = STR("tags") }));
    attrs = attrs_of(f, id);
    assert_int_equal(attrs.lock_mode, LOCK_COMPLIANCE);
    assert_true(attrs.retain_until_us == until_us);
    assert_int_equal(attrs.legal_hold, HOLD_ON);
    assert_true(str_eq(attrs.tags, STR("tags")));
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_locks__a_retention_ends_with_its_last_microsecond),
        cmocka_unit_test(test_storage_locks__a_bypass_is_of_governance_alone),
        cmocka_unit_test(test_storage_locks__a_locked_item_stays_and_its_neighbours_go),
        cmocka_unit_test(test_storage_locks__a_lock_stays_with_its_version_wherever_it_moves),
        cmocka_unit_test(test_storage_locks__which_retention_gives_way_to_which),
        cmocka_unit_test(test_storage_locks__one_that_is_over_gives_way_to_any),
        cmocka_unit_test(test_storage_locks__retention_hold_and_tags_are_set_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
