/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When lifecycle rules are due.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/s3/lifecycle/rules.h"
#include "server/s3/lifecycle/storage_class.h"

#define DAY LIFECYCLE_DAY_US
#define NOON (DAY / 2)

static uint8_t class_of(const char *name)
{
    uint8_t number = 0;

    assert_true(storage_class_parse(str_from_cstr(name), &number));
    return number;
}

static const struct lifecycle_version thing = { .key = STR_INIT("logs/a"),
                                                .size_bytes = LIFECYCLE_SMALL_BYTES,
                                                .since_us = 100 * DAY + NOON };

static void test_s3_lifecycle__days_end_at_midnight(void **state)
{
    (void)state;
    assert_int_equal(lifecycle_midnight(100 * DAY + NOON, 1, DAY), 102 * DAY);
    assert_int_equal(lifecycle_midnight(100 * DAY + NOON, 0, DAY), 101 * DAY);
    assert_int_equal(lifecycle_midnight(100 * DAY + 1, 1, DAY), 102 * DAY);
    assert_int_equal(lifecycle_midnight(100 * DAY, 1, DAY), 101 * DAY);
    assert_int_equal(lifecycle_midnight(7 * US_PER_S, 2, 10 * US_PER_S), 30 * US_PER_S);
    assert_int_equal(lifecycle_midnight(100 * DAY, UINT32_MAX, DAY), INT64_MAX);
    assert_int_equal(lifecycle_midnight(INT64_MAX - 1, 1, DAY), INT64_MAX);
}

static void test_s3_lifecycle__the_sooner_expiration_wins(void **state)
{
    const struct lifecycle_rule rules[] = {
        { .id = STR("later"), .prefix = STR("logs/"), .expiration = { .set = true, .days = 9 } },
        { .id = STR("sooner"), .prefix = STR(""), .expiration = { .set = true, .days = 2 } },
        { .id = STR("other"), .prefix = STR("data/"), .expiration = { .set = true, .days = 1 } },
        { .id = STR("same"), .prefix = STR(""), .expiration = { .set = true, .days = 2 } },
    };
    const struct lifecycle lifecycle = { .rules = rules, .count = COUNT_OF(rules) };
    const struct lifecycle none = { .rules = rules, .count = 0 };
    struct lifecycle_due due;

    (void)state;
    assert_true(lifecycle_expiration(&lifecycle, &thing, DAY, &due));
    assert_int_equal(due.at_us, 103 * DAY);
    assert_true(str_eq(due.rule_id, STR("sooner")));
    assert_false(lifecycle_expiration(&none, &thing, DAY, &due));
}

static void test_s3_lifecycle__a_date_is_for_all(void **state)
{
    const struct lifecycle_rule rule = { .id = STR("d"),
                                         .prefix = STR(""),
                                         .expiration = {
                                             .set = true, .dated = true, .at_us = 5 * DAY } };
    const struct lifecycle lifecycle = { .rules = &rule, .count = 1 };
    struct lifecycle_due due;

    (void)state;
    assert_true(lifecycle_expiration(&lifecycle, &thing, DAY, &due));
    assert_int_equal(due.at_us, 5 * DAY);
}

static void test_s3_lifecycle__noncurrent_versions_have_newer_ones(void **state)
{
    const struct lifecycle_rule rule = {
        .id = STR("n"),
        .prefix = STR(""),
        .noncurrent_expiration = { .set = true, .days = 1, .newer_versions = 2 },
    };
    const struct lifecycle lifecycle = { .rules = &rule, .count = 1 };
    struct lifecycle_version version = thing;
    struct lifecycle_due due;

    (void)state;
    for (version.newer_versions = 0; version.newer_versions < 4; version.newer_versions++)
        assert_int_equal(lifecycle_noncurrent_expiration(&lifecycle, &version, DAY, &due),
                         version.newer_versions >= 2);
}

static void test_s3_lifecycle__markers_go_at_once_or_by_age(void **state)
{
    const struct lifecycle_rule rules[] = {
        { .id = STR("age"), .prefix = STR(""), .expiration = { .set = true, .days = 1 } },
        { .id = STR("lone"), .prefix = STR("logs/"), .lone_markers = true },
    };
    struct lifecycle lifecycle = { .rules = rules, .count = 1 };
    struct lifecycle_due due;

    (void)state;
    assert_true(lifecycle_marker_expiration(&lifecycle, &thing, DAY, &due));
    assert_int_equal(due.at_us, 102 * DAY);
    lifecycle.count = 2;
    assert_true(lifecycle_marker_expiration(&lifecycle, &thing, DAY, &due));
    assert_int_equal(due.at_us, thing.since_us);
}

static void test_s3_lifecycle__the_coldest_class_wins_and_none_gets_warmer(void **state)
{
    const struct lifecycle_transition steps[] = {
        { .when = { .set = true, .days = 1 }, .storage_class = class_of("DEEP_ARCHIVE") },
        { .when = { .set = true, .days = 0 }, .storage_class = class_of("STANDARD_IA") },
    };
    const struct lifecycle_rule rule = { .prefix = STR(""),
                                         .transitions = steps,
                                         .transition_count = 2,
                                         .noncurrent_transitions = steps,
                                         .noncurrent_transition_count = 1 };
    const struct lifecycle lifecycle = { .rules = &rule, .count = 1 };
    struct lifecycle_version version = thing;
    uint8_t class;

    (void)state;
    assert_false(lifecycle_class(&lifecycle, &version, false, 101 * DAY - 1, DAY, &class));
    assert_true(lifecycle_class(&lifecycle, &version, false, 101 * DAY, DAY, &class));
    assert_int_equal(class, class_of("STANDARD_IA"));
    assert_false(lifecycle_class(&lifecycle, &version, true, 101 * DAY, DAY, &class));
    assert_true(lifecycle_class(&lifecycle, &version, false, 102 * DAY, DAY, &class));
    assert_int_equal(class, class_of("DEEP_ARCHIVE"));
    assert_true(lifecycle_class(&lifecycle, &version, true, 102 * DAY, DAY, &class));
    version.storage_class = class_of("DEEP_ARCHIVE");
    assert_false(lifecycle_class(&lifecycle, &version, false, 200 * DAY, DAY, &class));
}

static void test_s3_lifecycle__small_ones_stay(void **state)
{
    const struct lifecycle_transition step = { .when = { .set = true },
                                               .storage_class = class_of("GLACIER") };
    struct lifecycle_rule rule = { .prefix = STR(""), .transitions = &step, .transition_count = 1 };
    struct lifecycle lifecycle = { .rules = &rule, .count = 1 };
    struct lifecycle_version version = thing;
    uint8_t class;

    (void)state;
    version.size_bytes = LIFECYCLE_SMALL_BYTES - 1;
    assert_false(lifecycle_class(&lifecycle, &version, false, 200 * DAY, DAY, &class));
    lifecycle.small_to_archives = true;
    assert_true(lifecycle_class(&lifecycle, &version, false, 200 * DAY, DAY, &class));
    lifecycle.small_to_archives = false;
    rule.has_sizes = true;
    assert_true(lifecycle_class(&lifecycle, &version, false, 200 * DAY, DAY, &class));
    rule.below_bytes = LIFECYCLE_SMALL_BYTES - 1;
    assert_false(lifecycle_class(&lifecycle, &version, false, 200 * DAY, DAY, &class));
}

static void test_s3_lifecycle__uploads_are_of_a_prefix(void **state)
{
    const struct lifecycle_rule rules[] = {
        { .id = STR("u"), .prefix = STR("a/"), .abort_days = 3 },
        { .id = STR("v"), .prefix = STR("a/b"), .abort_days = 1 },
    };
    const struct lifecycle lifecycle = { .rules = rules, .count = 2 };
    struct lifecycle_due due;

    (void)state;
    assert_false(lifecycle_abort(&lifecycle, STR("b"), 0, DAY, &due));
    assert_true(lifecycle_abort(&lifecycle, STR("a/c"), NOON, DAY, &due));
    assert_int_equal(due.at_us, 4 * DAY);
    assert_true(lifecycle_abort(&lifecycle, STR("a/b"), NOON, DAY, &due));
    assert_true(str_eq(due.rule_id, STR("v")));
}

static void test_s3_storage_class__names_and_ranks(void **state)
{
    uint8_t number;

    (void)state;
    assert_false(storage_class_parse(STR("glacier"), &number));
    assert_true(storage_class_parse(STR_NONE, &number));
    assert_int_equal(number, 0);
    assert_true(str_eq(storage_class_name(255), STR("STANDARD")));
    assert_false(storage_class_is_archive(255));
    assert_false(storage_class_is_colder(255, 0));
    assert_false(storage_class_is_target(class_of("REDUCED_REDUNDANCY")));
    assert_true(storage_class_is_target(class_of("GLACIER_IR")));
    assert_int_equal(storage_class_days_min(class_of("ONEZONE_IA")), 30);
    assert_int_equal(storage_class_days_min(255), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_lifecycle__days_end_at_midnight),
        cmocka_unit_test(test_s3_lifecycle__the_sooner_expiration_wins),
        cmocka_unit_test(test_s3_lifecycle__a_date_is_for_all),
        cmocka_unit_test(test_s3_lifecycle__noncurrent_versions_have_newer_ones),
        cmocka_unit_test(test_s3_lifecycle__markers_go_at_once_or_by_age),
        cmocka_unit_test(test_s3_lifecycle__the_coldest_class_wins_and_none_gets_warmer),
        cmocka_unit_test(test_s3_lifecycle__small_ones_stay),
        cmocka_unit_test(test_s3_lifecycle__uploads_are_of_a_prefix),
        cmocka_unit_test(test_s3_storage_class__names_and_ranks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
