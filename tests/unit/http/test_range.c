/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges and preconditions of reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "server/http/parse/range.h"

static void range_is(const char *header, uint64_t size, enum range_result expected, uint64_t offset,
                     uint64_t length)
{
    uint64_t got_offset = 0;
    uint64_t got_length = 0;
    enum range_result got = http_range_parse(str_from_cstr(header), size, &got_offset, &got_length);

    if (got != expected || got_offset != offset || got_length != length)
        fail_msg("%s of %llu: %d %llu+%llu", header, (unsigned long long)size, got,
                 (unsigned long long)got_offset, (unsigned long long)got_length);
}

void test_http_range__one_range_is_partial(void **state)
{
    (void)state;
    range_is("bytes=0-0", 10, RANGE_PARTIAL, 0, 1);
    range_is("bytes=2-5", 10, RANGE_PARTIAL, 2, 4);
    range_is("Bytes=2-5", 10, RANGE_PARTIAL, 2, 4);
    range_is("bytes=9-", 10, RANGE_PARTIAL, 9, 1);
    range_is("bytes=0-99", 10, RANGE_PARTIAL, 0, 10);
    range_is("bytes=-3", 10, RANGE_PARTIAL, 7, 3);
    range_is("bytes=-30", 10, RANGE_PARTIAL, 0, 10);
    range_is("bytes=1-99999999999999999999999", 10, RANGE_PARTIAL, 1, 9);
    range_is("bytes=-99999999999999999999999", 10, RANGE_PARTIAL, 0, 10);
    range_is("bytes=0-18446744073709551615", UINT64_MAX, RANGE_PARTIAL, 0, UINT64_MAX);
}

void test_http_range__ranges_outside_are_unsatisfiable(void **state)
{
    (void)state;
    range_is("bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0);
    range_is("bytes=10-20", 10, RANGE_UNSATISFIABLE, 0, 0);
    range_is("bytes=0-0", 0, RANGE_UNSATISFIABLE, 0, 0);
    range_is("bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0);
    range_is("bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0);
    range_is("bytes=-0", 0, RANGE_UNSATISFIABLE, 0, 0);
    range_is("bytes=99999999999999999999999-", 10, RANGE_UNSATISFIABLE, 0, 0);
}

/* RFC 9110 14.1.2: a suffix is satisfiable even where there is nothing to take it of. */
void test_http_range__a_suffix_of_nothing_is_all_of_it(void **state)
{
    (void)state;
    range_is("bytes=-1", 0, RANGE_NONE, 0, 0);
    range_is("bytes=-13", 0, RANGE_NONE, 0, 0);
    range_is("bytes=-99999999999999999999999", 0, RANGE_NONE, 0, 0);
}

void test_http_range__malformed_and_several_ranges_mean_the_whole(void **state)
{
    static const char *const none[] = { "",           "bytes",      "bytes=",        "bytes=-",
                                        "bytes=a-b",  "bytes=5-2",  "bytes=0-1,3-4", "items=0-1",
                                        "bytes=+1-2", "bytes=1 -2", "bytes = 1-2",   "bytes=0x1-2",
                                        "bytes=1--2", "bytes=--2" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(none); i++)
        range_is(none[i], 10, RANGE_NONE, 0, 0);
    range_is(NULL, 10, RANGE_NONE, 0, 0);
}

#define ETAG STR("abc")
#define MODIFIED_US (INT64_C(1700000000) * US_PER_S + 999999)
#define AT "Tue, 14 Nov 2023 22:13:20 GMT" /* 1700000000 */
#define BEFORE "Tue, 14 Nov 2023 22:13:19 GMT"
#define AFTER "Tue, 14 Nov 2023 22:13:21 GMT"

static enum precondition check_at(int64_t now_us, const char *match, const char *none_match,
                                  const char *modified, const char *unmodified)
{
    struct preconditions p = {
        .if_match = str_from_cstr(match),
        .if_none_match = str_from_cstr(none_match),
        .if_modified_since = str_from_cstr(modified),
        .if_unmodified_since = str_from_cstr(unmodified),
    };

    return http_preconditions_check(&p, ETAG, MODIFIED_US, now_us);
}

static enum precondition check(const char *match, const char *none_match, const char *modified,
                               const char *unmodified)
{
    return check_at(MODIFIED_US + 3600 * US_PER_S, match, none_match, modified, unmodified);
}

void test_http_preconditions__each_alone(void **state)
{
    (void)state;
    assert_int_equal(check(NULL, NULL, NULL, NULL), PRECONDITION_NONE);
    assert_int_equal(check("\"abc\"", NULL, NULL, NULL), PRECONDITION_NONE);
    assert_int_equal(check("abc", NULL, NULL, NULL), PRECONDITION_NONE);
    assert_int_equal(check("*", NULL, NULL, NULL), PRECONDITION_NONE);
    assert_int_equal(check("\"x,y\", \"abc\"", NULL, NULL, NULL), PRECONDITION_NONE);
    assert_int_equal(check("\"abd\"", NULL, NULL, NULL), PRECONDITION_IF_MATCH);
    assert_int_equal(check("W/\"abc\"", NULL, NULL, NULL), PRECONDITION_IF_MATCH);
    assert_int_equal(check("", NULL, NULL, NULL), PRECONDITION_IF_MATCH);
    assert_int_equal(check(NULL, "\"abc\"", NULL, NULL), PRECONDITION_IF_NONE_MATCH);
    assert_int_equal(check(NULL, "W/\"abc\"", NULL, NULL), PRECONDITION_IF_NONE_MATCH);
    assert_int_equal(check(NULL, "*", NULL, NULL), PRECONDITION_IF_NONE_MATCH);
    assert_int_equal(check(NULL, "\"abd\"", NULL, NULL), PRECONDITION_NONE);
}

void test_http_preconditions__dates_compare_whole_seconds(void **state)
{
    (void)state;
    assert_int_equal(check(NULL, NULL, AT, NULL), PRECONDITION_IF_MODIFIED_SINCE);
    assert_int_equal(check(NULL, NULL, AFTER, NULL), PRECONDITION_IF_MODIFIED_SINCE);
    assert_int_equal(check(NULL, NULL, BEFORE, NULL), PRECONDITION_NONE);
    assert_int_equal(check(NULL, NULL, NULL, AT), PRECONDITION_NONE);
    assert_int_equal(check(NULL, NULL, NULL, BEFORE), PRECONDITION_IF_UNMODIFIED_SINCE);
    assert_int_equal(check(NULL, NULL, "yesterday", "tomorrow"), PRECONDITION_NONE);
}

void test_http_preconditions__if_modified_since_after_now_is_no_condition(void **state)
{
    (void)state;
    assert_int_equal(check_at(MODIFIED_US, NULL, NULL, AT, NULL), PRECONDITION_IF_MODIFIED_SINCE);
    assert_int_equal(check_at(MODIFIED_US, NULL, NULL, AFTER, NULL), PRECONDITION_NONE);
    assert_int_equal(check_at(MODIFIED_US, NULL, NULL, NULL, AFTER), PRECONDITION_NONE);
}

/* PROVES: GetObject, If-Match and If-Unmodified-Since both present; If-None-Match likewise */
void test_http_preconditions__tags_win_over_dates(void **state)
{
    (void)state;
    assert_int_equal(check("\"abc\"", NULL, NULL, BEFORE), PRECONDITION_NONE);
    assert_int_equal(check(NULL, "\"abc\"", BEFORE, NULL), PRECONDITION_IF_NONE_MATCH);
    assert_int_equal(check(NULL, "\"abd\"", AFTER, NULL), PRECONDITION_NONE);
    assert_int_equal(check("\"abc\"", "\"abc\"", NULL, NULL), PRECONDITION_IF_NONE_MATCH);
}

void test_http_if_range__holds_for_the_same_tag_or_date(void **state)
{
    (void)state;
    assert_true(http_if_range_holds(STR_NONE, ETAG, MODIFIED_US));
    assert_true(http_if_range_holds(STR("\"abc\""), ETAG, MODIFIED_US));
    assert_false(http_if_range_holds(STR("W/\"abc\""), ETAG, MODIFIED_US));
    assert_false(http_if_range_holds(STR("\"abd\""), ETAG, MODIFIED_US));
    assert_true(http_if_range_holds(STR(AT), ETAG, MODIFIED_US));
    assert_false(http_if_range_holds(STR(AFTER), ETAG, MODIFIED_US));
    assert_false(http_if_range_holds(STR(BEFORE), ETAG, MODIFIED_US));
}

#define RANGE_TEST(name) cmocka_unit_test(test_http_range__##name)
#define PRE_TEST(name) cmocka_unit_test(test_http_preconditions__##name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RANGE_TEST(one_range_is_partial),
        RANGE_TEST(ranges_outside_are_unsatisfiable),
        RANGE_TEST(a_suffix_of_nothing_is_all_of_it),
        RANGE_TEST(malformed_and_several_ranges_mean_the_whole),
        PRE_TEST(each_alone),
        PRE_TEST(dates_compare_whole_seconds),
        PRE_TEST(if_modified_since_after_now_is_no_condition),
        PRE_TEST(tags_win_over_dates),
        cmocka_unit_test(test_http_if_range__holds_for_the_same_tag_or_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
