/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock.h: the date formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"

#define DAY_US (INT64_C(86400) * US_PER_S)
#define YEAR_1_US (INT64_C(-62135596800) * US_PER_S)

static int64_t parsed_http(const char *text)
{
    int64_t us = -1;

    assert_true(clock_parse_http(str_from_cstr(text), &us));
    return us;
}

static void test_base_calendar__formats_are_those_of_s3(void **state)
{
    /* date -u -d @1795238723 */
    int64_t us = INT64_C(1795238723) * US_PER_S + 45678;
    char iso8601[CLOCK_ISO8601_LEN + 1];
    char http[CLOCK_HTTP_LEN + 1];
    char amz[CLOCK_AMZ_LEN + 1];

    (void)state;
    clock_format_iso8601(us, iso8601);
    clock_format_http(us, http);
    clock_format_amz(us, amz);
    assert_string_equal(iso8601, "2026-11-21T05:25:23.045Z");
    assert_string_equal(http, "Sat, 21 Nov 2026 05:25:23 GMT");
    assert_string_equal(amz, "20261121T052523Z");
}

/* Neighbours in one day, across midnight and far apart: the remembered day never shows through. */
static void test_base_calendar__a_remembered_day_changes_nothing(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } times[] = {
        { INT64_C(1795238723045678), "2026-11-21T05:25:23.000Z" },
        { INT64_C(1795238723999999), "2026-11-21T05:25:23.000Z" },
        { INT64_C(1795305599999999), "2026-11-21T23:59:59.000Z" },
        { INT64_C(1795305600000000), "2026-11-22T00:00:00.000Z" },
        { INT64_C(1795305599000000), "2026-11-21T23:59:59.000Z" },
        { 0, "1970-01-01T00:00:00.000Z" },
        { -1, "1969-12-31T23:59:59.000Z" },
        { INT64_MIN, "0001-01-01T00:00:00.000Z" },
        { INT64_MAX, "9999-12-31T23:59:59.000Z" },
        { INT64_C(951782400000000), "2000-02-29T00:00:00.000Z" },
    };
    struct clock_day day = { 0 };
    char text[CLOCK_ISO8601_LEN + 1];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        clock_format_s3(times[i].us, &day, text);
        assert_string_equal(text, times[i].text);
    }
    for (int i = 0; i < 10000; i++) {
        int64_t us = (int64_t)rand() * 100000 * (i % 3 + 1);
        char plain[CLOCK_ISO8601_LEN + 1];

        clock_format_s3(us, &day, text);
        clock_format_iso8601(us, plain);
        memcpy(plain + sizeof("2026-11-21T05:25:23.") - 1, "000", 3);
        assert_string_equal(text, plain);
    }
}

/* The first moment of all, asked of a memory that holds nothing. */
static void test_base_calendar__the_first_day_is_not_taken_for_none(void **state)
{
    struct clock_day day = { 0 };
    char text[CLOCK_ISO8601_LEN + 1];

    (void)state;
    clock_format_s3(YEAR_1_US, &day, text);
    assert_string_equal(text, "0001-01-01T00:00:00.000Z");
}

static void test_base_calendar__times_before_1970_round_down(void **state)
{
    char iso8601[CLOCK_ISO8601_LEN + 1];

    (void)state;
    clock_format_iso8601(-1, iso8601);
    assert_string_equal(iso8601, "1969-12-31T23:59:59.999Z");
}

static void test_base_calendar__times_outside_the_calendar_show_its_ends(void **state)
{
    char text[CLOCK_ISO8601_LEN + 1];

    (void)state;
    clock_format_iso8601(INT64_MIN, text);
    assert_string_equal(text, "0001-01-01T00:00:00.000Z");
    clock_format_iso8601(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

/* The calendar counted day by day, the slow and obvious way. */
static void test_base_calendar__every_day_from_year_1_to_9999_is_right_in_both_directions(
    void **state)
{
    static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    static const char *const weekdays[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    int64_t us = YEAR_1_US; /* a Monday */
    int64_t count = 0;

    (void)state;
    for (int year = 1; year <= 9999; year++) {
        bool leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        for (int month = 1; month <= 12; month++) {
            int days = month_days[month - 1] + (month == 2 && leap_year ? 1 : 0);

            for (int day = 1; day <= days; day++, us += DAY_US, count++) {
                char amz[CLOCK_AMZ_LEN + 1];
                char http[CLOCK_HTTP_LEN + 1];
                int64_t back = 0;
                int date = year * 10000 + month * 100 + day;

                clock_format_amz(us, amz);
                if (atoi(amz) != date)
                    fail_msg("day %d is shown as %s", date, amz);
                if (!clock_parse_amz(str_make(amz, CLOCK_AMZ_LEN), &back) || back != us)
                    fail_msg("%s does not come back", amz);
                clock_format_http(us, http);
                if (memcmp(http, weekdays[count % 7], 3) != 0)
                    fail_msg("weekday of %s", http);
            }
        }
    }
    assert_true(us == INT64_C(253402300800) * US_PER_S);
}

/* RFC 9110, 5.6.7 */
static void test_base_calendar__the_three_http_forms_name_the_same_moment(void **state)
{
    int64_t wanted = INT64_C(784111777) * US_PER_S;

    (void)state;
    assert_true(parsed_http("Sun, 06 Nov 1994 08:49:37 GMT") == wanted);
    assert_true(parsed_http("Sunday, 06-Nov-94 08:49:37 GMT") == wanted);
    assert_true(parsed_http("Sun Nov  6 08:49:37 1994") == wanted);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html */
static void test_base_calendar__numeric_utc_zone_of_the_amazon_examples_is_read(void **state)
{
    int64_t wanted = INT64_C(1175024202) * US_PER_S;

    (void)state;
    assert_true(parsed_http("Tue, 27 Mar 2007 19:36:42 +0000") == wanted);
    assert_true(parsed_http("Tue, 27 Mar 2007 19:36:42 -0000") == wanted);
    assert_true(parsed_http("Tue, 27 Mar 2007 19:36:42 GMT") == wanted);
}

/* Of today: what two digits mean changes with the years. */
static void test_base_calendar__two_digit_years_stay_within_fifty_years_ahead(void **state)
{
    char now[CLOCK_AMZ_LEN + 1];
    char full[CLOCK_ISO8601_LEN + 1];
    char date[40];

    (void)state;
    clock_format_amz(clock_now_us(&clock_of_system), now);
    for (unsigned ahead = 50; ahead <= 51; ahead++) {
        unsigned year = (unsigned)strtoul(now, NULL, 10) / 10000 + ahead;

        (void)snprintf(date, sizeof(date), "Monday, 01-Jan-%02u 00:00:00 GMT", year % 100);
        clock_format_iso8601(parsed_http(date), full);
        assert_int_equal(strtoul(full, NULL, 10), ahead == 50 ? year : year - 100);
    }
}

static void test_base_calendar__http_dates_with_anything_out_of_place_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "Sun",
        "Sun,",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 ",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 PST",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 006 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "1994-11-06T08:49:37Z",
    };
    int64_t us = 5;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (clock_parse_http(str_from_cstr(bad[i]), &us))
            fail_msg("'%s' was accepted", bad[i]);
    }
    assert_true(us == 5);
}

static void test_base_calendar__http_dates_come_back(void **state)
{
    char text[CLOCK_HTTP_LEN + 1];

    (void)state;
    for (int64_t us = 0; us < INT64_C(4102444800) * US_PER_S; us += 12345678 * US_PER_S) {
        clock_format_http(us, text);
        assert_true(parsed_http(text) == us);
    }
}

static void test_base_calendar__leap_second_is_the_next_minute(void **state)
{
    (void)state;
    assert_true(parsed_http("Sat, 31 Dec 2016 23:59:60 GMT") ==
                parsed_http("Sun, 01 Jan 2017 00:00:00 GMT"));
}

static void test_base_calendar__amz_dates_other_than_the_basic_form_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "20261121",
        "20261121T052523",
        "20261121T052523z",
        "20261121t052523Z",
        "20261121T052523Z ",
        "20261121T0525231",
        "2026112 T052523Z",
        "20261321T052523Z",
        "20260229T052523Z",
        "20261100T052523Z",
        "20261121T242523Z",
        "20261121T056023Z",
        "20261121T052561Z",
        "00001121T052523Z",
        "+2261121T052523Z",
        "2026-11-21T05:25:23Z",
    };
    int64_t us = 5;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (clock_parse_amz(str_from_cstr(bad[i]), &us))
            fail_msg("'%s' was accepted", bad[i]);
    }
    assert_true(us == 5);
    assert_true(clock_parse_amz(STR("20261121T052523Z"), &us));
    assert_true(us == INT64_C(1795238723) * US_PER_S);
}

static void test_base_calendar__iso8601_fraction_is_read_to_the_microsecond(void **state)
{
    static const struct {
        const char *text;
        int64_t micros;
    } cases[] = {
        { "2026-11-21T05:25:23Z", 0 },
        { "2026-11-21T05:25:23.0Z", 0 },
        { "2026-11-21T05:25:23.5Z", 500000 },
        { "2026-11-21T05:25:23.045Z", 45000 },
        { "2026-11-21T05:25:23.045678Z", 45678 },
        { "2026-11-21T05:25:23.045678999Z", 45678 },
    };
    int64_t us;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(clock_parse_iso8601(str_from_cstr(cases[i].text), &us));
        assert_true(us == INT64_C(1795238723) * US_PER_S + cases[i].micros);
    }
}

static void test_base_calendar__loose_iso8601_is_refused(void **state)
{
    static const char *const bad[] = {
        "2026-11-21",
        "2026-11-21T05:25:23",
        "2026-11-21 05:25:23Z",
        "2026-11-21T05:25:23.Z",
        "2026-11-21T05:25:23.0123456789Z",
        "2026-11-21T05:25:23,5Z",
        "2026-11-21T05:25:23+00:00",
        "2026-11-21T05:25:23Zx",
        "2026-11-31T05:25:23Z",
        "20261121T052523Z",
    };
    int64_t us = 5;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (clock_parse_iso8601(str_from_cstr(bad[i]), &us))
            fail_msg("'%s' was accepted", bad[i]);
    }
    assert_true(us == 5);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_calendar__formats_are_those_of_s3),
        cmocka_unit_test(test_base_calendar__a_remembered_day_changes_nothing),
        cmocka_unit_test(test_base_calendar__the_first_day_is_not_taken_for_none),
        cmocka_unit_test(test_base_calendar__times_before_1970_round_down),
        cmocka_unit_test(test_base_calendar__times_outside_the_calendar_show_its_ends),
        cmocka_unit_test(
            test_base_calendar__every_day_from_year_1_to_9999_is_right_in_both_directions),
        cmocka_unit_test(test_base_calendar__the_three_http_forms_name_the_same_moment),
        cmocka_unit_test(test_base_calendar__numeric_utc_zone_of_the_amazon_examples_is_read),
        cmocka_unit_test(test_base_calendar__two_digit_years_stay_within_fifty_years_ahead),
        cmocka_unit_test(test_base_calendar__http_dates_with_anything_out_of_place_are_refused),
        cmocka_unit_test(test_base_calendar__http_dates_come_back),
        cmocka_unit_test(test_base_calendar__leap_second_is_the_next_minute),
        cmocka_unit_test(test_base_calendar__amz_dates_other_than_the_basic_form_are_refused),
        cmocka_unit_test(test_base_calendar__iso8601_fraction_is_read_to_the_microsecond),
        cmocka_unit_test(test_base_calendar__loose_iso8601_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
