/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timestamps of S3 Select: what is one, what comes of its functions, and what they refuse.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-date.html
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/select/evaluate.h"

#define NOW_US INT64_C(1795759320123456) /* 2026-11-27T06:02:00.123456Z */

static struct arena *arena;

static int setup(void **state UNUSED)
{
    arena = arena_open(4096, 16u << 20);
    return arena == NULL;
}

static int teardown(void **state UNUSED)
{
    arena_close(arena);
    return 0;
}

static enum s3_error compute(const char *expression, struct value *ret_value)
{
    struct str text = arena_printf(arena, "SELECT %s FROM S3Object s", expression);
    struct value record = { .type = VALUE_STRUCT };
    struct sql_statement statement;
    uint64_t work = 0;
    struct evaluation in = { .record = &record, .arena = arena, .work = &work, .now_us = NOW_US };
    enum s3_error err = sql_parse(text, arena, &statement);

    return err == S3_OK ? evaluate(&in, statement.columns[0].expr, ret_value) : err;
}

static void assert_computed(const char *expression, const char *expected)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);
    struct value value;
    enum s3_error err = compute(expression, &value);

    if (err != S3_OK)
        fail_msg("%s: %.*s", expression, STR_ARG(s3_error_row(err)->code));
    value_write_text(&out, &value);
    if (!str_eq(buf_view(&out), str_from_cstr(expected)))
        fail_msg("%s: %.*s, not %s", expression, (int)out.len, out.p, expected);
}

static void assert_refused(const char *expression, enum s3_error expected)
{
    struct value value;
    enum s3_error err = compute(expression, &value);

    if (err != expected)
        fail_msg("%s: %.*s", expression, STR_ARG(s3_error_row(err)->code));
}

/* ---- reading and writing ------------------------------------------------------------------ */

static void test_select_timestamp__what_is_read_is_written_as_it_was(void **state UNUSED)
{
    static const char *const same[] = {
        "2010T",
        "2010-05T",
        "2010-05-06",
        "0001-01-01",
        "9999-12-31",
        "2000-02-29",
        "2010-05-06T07:08Z",
        "2010-05-06T07:08-00:00",
        "2010-05-06T07:08:09Z",
        "2010-05-06T07:08:09.1+08:00",
        "2010-05-06T23:59:59.123456789-23:59",
        "1969-12-31T23:59:59.999Z",
        "0001-01-01T00:00+01:00",
        "9999-12-31T23:59-01:00",
    };

    for (size_t i = 0; i < COUNT_OF(same); i++) {
        char text[128];

        (void)snprintf(text, sizeof(text), "TO_TIMESTAMP('%s')", same[i]);
        assert_computed(text, same[i]);
        (void)snprintf(text, sizeof(text), "`%s`", same[i]);
        assert_computed(text, same[i]);
        (void)snprintf(text, sizeof(text), "CAST(CAST(' %s ' AS TIMESTAMP) AS STRING)", same[i]);
        assert_computed(text, same[i]);
    }
    assert_computed("`2010-05-06T`", "2010-05-06");
    assert_computed("`2010-05-06T07:08`", "2010-05-06T07:08-00:00");
    assert_computed("CAST(`2010T` AS TIMESTAMP)", "2010T");
    assert_computed("UTCNOW()", "2026-11-27T06:02:00.123Z");
}

static void test_select_timestamp__what_is_none(void **state UNUSED)
{
    static const char *const none[] = {
        "",
        "2010",
        "10T",
        "0000T",
        "2010-5T",
        "2010-13T",
        "2010-00T",
        "2010-05",
        "2010-02-29",
        "2010-02-29T",
        "1900-02-29",
        "2010-04-31",
        "2010-01-00",
        "2010-05T07:08Z",
        "2010-05-06T7:08Z",
        "+010T",
        "2010-05-06T24",
        "2010-05-06T24:00Z",
    };
    static const char *const no_clock[] = { "07:60Z",      "07:08:60Z",           "07:08:09.Z",
                                            "07:08+24:00", "07:08+01:60",         "07:08+0100",
                                            "07:08z",      "07:08:09.1234567890Z" };
    char text[128];

    for (size_t i = 0; i < COUNT_OF(none); i++) {
        (void)snprintf(text, sizeof(text), "TO_TIMESTAMP('%s')", none[i]);
        assert_refused(text, S3_ValueParseFailure);
        (void)snprintf(text, sizeof(text), "CAST('%s' AS TIMESTAMP)", none[i]);
        assert_refused(text, S3_CastFailed);
        (void)snprintf(text, sizeof(text), "`%s`", none[i]);
        assert_refused(text, S3_LexerInvalidIONLiteral);
    }
    for (size_t i = 0; i < COUNT_OF(no_clock); i++) {
        (void)snprintf(text, sizeof(text), "TO_TIMESTAMP('2010-05-06T%s')", no_clock[i]);
        assert_refused(text, S3_ValueParseFailure);
    }
    assert_refused("`2010T", S3_LexerInvalidIONLiteral);
    assert_refused("TO_TIMESTAMP(2010)", S3_IncorrectSqlFunctionArgumentType);
    assert_refused("CAST(2010 AS TIMESTAMP)", S3_CastFailed);
}

/* ---- counting ----------------------------------------------------------------------------- */

static void test_select_timestamp__date_add(void **state UNUSED)
{
    static const char *const cases[][2] = {
        { "DATE_ADD(year, 5, `2010-01-01T`)", "2015-01-01" },
        { "DATE_ADD(month, 1, `2010T`)", "2010-02T" },
        { "DATE_ADD(month, 13, `2010T`)", "2011-02T" },
        { "DATE_ADD(MONTH, -1, `2010-03-31T`)", "2010-02-28" },
        { "DATE_ADD(year, 1, `2012-02-29T`)", "2013-02-28" },
        { "DATE_ADD(day, -1, `2017-01-10T`)", "2017-01-09" },
        { "DATE_ADD(day, 60, `2000-01-01T`)", "2000-03-01" },
        { "DATE_ADD(hour, 1, `2017T`)", "2017-01-01T01:00-00:00" },
        { "DATE_ADD(hour, 1, `2017-01-02T03:04Z`)", "2017-01-02T04:04Z" },
        { "DATE_ADD(minute, 1, `2017-01-02T03:04:05.006Z`)", "2017-01-02T03:05:05.006Z" },
        { "DATE_ADD(second, 1, `2017-01-02T03:04:05.006Z`)", "2017-01-02T03:04:06.006Z" },
        { "DATE_ADD(second, 1, `2017-12-31T23:59:59-05:00`)", "2018-01-01T00:00:00-05:00" },
        { "DATE_ADD(day, '2', `2017-01-02T`)", "2017-01-04" },
        { "DATE_ADD(day, NULL, `2017-01-02T`)", "" },
        { "DATE_ADD(year, 7989, `2010T`)", "9999T" },
        { "DATE_ADD(year, -2009, `2010T`)", "0001T" },
        { "DATE_ADD(day, 3652058, `0001-01-01T`)", "9999-12-31" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_computed(cases[i][0], cases[i][1]);
    assert_refused("DATE_ADD(year, 7990, `2010T`)", S3_IllegalSqlFunctionArgument);
    assert_refused("DATE_ADD(year, -2010, `2010T`)", S3_IllegalSqlFunctionArgument);
    assert_refused("DATE_ADD(year, 9223372036854775807, `2010T`)", S3_IllegalSqlFunctionArgument);
    assert_refused("DATE_ADD(month, 9223372036854775807, `2010T`)", S3_IllegalSqlFunctionArgument);
    assert_refused("DATE_ADD(day, 9223372036854775807, `2010T`)", S3_IllegalSqlFunctionArgument);
    assert_refused("DATE_ADD(second, 9223372036854775807, `2010T`)", S3_IllegalSqlFunctionArgument);
    assert_refused("DATE_ADD(second, -9223372036854775807, `1960T`)",
                   S3_IllegalSqlFunctionArgument);
    assert_refused("DATE_ADD(day, 3652059, `0001-01-01T`)", S3_IllegalSqlFunctionArgument);
    assert_refused("DATE_ADD(day, 1.5, `2010T`)", S3_IncorrectSqlFunctionArgumentType);
    assert_refused("DATE_ADD(day, 1, '2010T')", S3_IncorrectSqlFunctionArgumentType);
    assert_refused("DATE_ADD(week, 1, `2010T`)", S3_ParseExpectedDatePart);
    assert_refused("DATE_ADD('day', 1, `2010T`)", S3_ParseExpectedDatePart);
    assert_refused("DATE_ADD(timezone_hour, 1, `2010T`)", S3_ParseExpectedDatePart);
    assert_refused("DATE_ADD(day 1, `2010T`)", S3_ParseExpectedArgumentDelimiter);
    assert_refused("DATE_ADD(day, 1)", S3_EvaluatorInvalidArguments);
}

static void test_select_timestamp__date_diff(void **state UNUSED)
{
    static const char *const cases[][2] = {
        { "DATE_DIFF(year, `2010-01-01T`, `2011-01-01T`)", "1" },
        { "DATE_DIFF(year, `2010T`, `2010-05T`)", "0" },
        { "DATE_DIFF(month, `2010T`, `2011T`)", "12" },
        { "DATE_DIFF(month, `2011T`, `2010T`)", "-12" },
        { "DATE_DIFF(month, `2010-01-31T`, `2010-02-28T`)", "0" },
        { "DATE_DIFF(month, `2010-02-28T`, `2010-01-29T`)", "0" },
        { "DATE_DIFF(year, `2012-02-29T`, `2011-03-01T`)", "0" },
        { "DATE_DIFF(day, `2010-01-01T23:00`, `2010-01-02T01:00`)", "0" },
        { "DATE_DIFF(day, `2010-01-01T23:00Z`, `2010-01-02T23:00Z`)", "1" },
        { "DATE_DIFF(hour, `2010-01-01T00:00+02:00`, `2010-01-01T00:00Z`)", "2" },
        { "DATE_DIFF(minute, `2010-01-01T00:00:30Z`, `2010-01-01T00:02:00Z`)", "1" },
        { "DATE_DIFF(second, `2010-01-01T00:00:00.5Z`, `2010-01-01T00:00:02.4Z`)", "1" },
        { "DATE_DIFF(second, `2010-01-01T00:00:02.4Z`, `2010-01-01T00:00:00.5Z`)", "-1" },
        { "DATE_DIFF(day, `0001-01-01T`, `9999-12-31T`)", "3652058" },
        { "DATE_DIFF(day, NULL, `9999-12-31T`)", "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_computed(cases[i][0], cases[i][1]);
    assert_refused("DATE_DIFF(day, `2010T`, '2010T')", S3_IncorrectSqlFunctionArgumentType);
    assert_refused("DATE_DIFF(day, 1, `2010T`)", S3_IncorrectSqlFunctionArgumentType);
}

static void test_select_timestamp__extract(void **state UNUSED)
{
    static const char *const cases[][2] = {
        { "EXTRACT(YEAR FROM `2010-01-01T`)", "2010" },
        { "EXTRACT(MONTH FROM `2010T`)", "1" },
        { "EXTRACT(month FROM `2010-10T`)", "10" },
        { "EXTRACT(DAY FROM `2010-10-11T`)", "11" },
        { "EXTRACT(HOUR FROM `2017-01-02T03:04:05+07:08`)", "3" },
        { "EXTRACT(MINUTE FROM `2017-01-02T03:04:05+07:08`)", "4" },
        { "EXTRACT(SECOND FROM `2017-01-02T03:04:05.9+07:08`)", "5" },
        { "EXTRACT(TIMEZONE_HOUR FROM `2017-01-02T03:04:05+07:08`)", "7" },
        { "EXTRACT(TIMEZONE_MINUTE FROM `2017-01-02T03:04:05-07:08`)", "-8" },
        { "EXTRACT(TIMEZONE_HOUR FROM `2017T`)", "0" },
        { "EXTRACT(YEAR FROM MISSING)", "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_computed(cases[i][0], cases[i][1]);
    assert_refused("EXTRACT(YEAR `2010T`)", S3_ParseExpectedKeyword);
    assert_refused("EXTRACT(ERA FROM `2010T`)", S3_ParseExpectedDatePart);
    assert_refused("EXTRACT(YEAR FROM '2010T')", S3_IncorrectSqlFunctionArgumentType);
}

static void test_select_timestamp__moments_are_compared_wherever_they_are_told(void **state UNUSED)
{
    assert_computed("`2010-01-01T02:00+02:00` = `2010-01-01T00:00Z`", "true");
    assert_computed("`2010T` < `2010-01-01T00:00:00.000000001Z`", "true");
    assert_computed("`2010T` > `2010-01-01T00:00:00.1Z`", "false");
    assert_computed("`2010T` BETWEEN `2009T` AND `2011T`", "true");
    assert_computed("`2010T` = '2010T'", "false");
    assert_computed("`2010T` = 2010", "false");
    assert_refused("`2010T` + 1", S3_IncorrectSqlFunctionArgumentType);
    assert_refused("UTCNOW(1)", S3_EvaluatorInvalidArguments);
    assert_refused("CAST(`2010T` AS INT)", S3_CastFailed);
}

/* ---- patterns ----------------------------------------------------------------------------- */

#define MOON "`1969-07-20T20:18:05.060000001Z`"

static void test_select_timestamp__to_string(void **state UNUSED)
{
    static const char *const cases[][2] = {
        { "TO_STRING(" MOON ", 'MMMM d, y')", "July 20, 1969" },
        { "TO_STRING(" MOON ", 'MMM d, yyyy')", "Jul 20, 1969" },
        { "TO_STRING(" MOON ", 'M-d-yy')", "7-20-69" },
        { "TO_STRING(" MOON ", 'MM-d-y MMMMM')", "07-20-1969 J" },
        { "TO_STRING(" MOON ", 'MMMM d, y h:m a')", "July 20, 1969 8:18 PM" },
        { "TO_STRING(" MOON ", 'y-MM-dd''T''H:m:ssX')", "1969-07-20T20:18:05Z" },
        { "TO_STRING(" MOON ", 'S SS SSS SSSSSSSSS n')", "0 06 060 060000001 60000001" },
        { "TO_STRING(" MOON ", 'HH hh ''it''''s'' ''''')", "20 08 it's '" },
        { "TO_STRING(`0007-01-02T00:00Z`, 'y yy yyyy d dd h a')", "7 07 0007 2 02 12 AM" },
        { "TO_STRING(`2010-01-01T12:00-08:00`, 'X XX XXX XXXX XXXXX')",
          "-08 -0800 -08:00 -0800 -08:00" },
        { "TO_STRING(`2010-01-01T12:00+05:30`, 'X x xx xxx h a')",
          "+0530 +0530 +0530 +05:30 12 PM" },
        { "TO_STRING(`2010-01-01T12:00Z`, 'x xx xxx X XXX')", "+00 +0000 +00:00 Z Z" },
        { "TO_STRING(`2010T`, '')", "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_computed(cases[i][0], cases[i][1]);
}

static void test_select_timestamp__patterns_that_are_none(void **state UNUSED)
{
    static const char *const symbols[] = { "b", "Y", "D", "z", "Z", "E", "T" };
    static const char *const tokens[] = { "yyy",    "yyyyy",  "MMMMMM",    "ddd", "aa",
                                          "HHH",    "hhh",    "mmm",       "sss", "nn",
                                          "XXXXXX", "xxxxxx", "SSSSSSSSSS" };
    char text[128];

    for (size_t i = 0; i < COUNT_OF(symbols); i++) {
        (void)snprintf(text, sizeof(text), "TO_STRING(`2010T`, '%s')", symbols[i]);
        assert_refused(text, S3_EvaluatorInvalidTimestampFormatPatternSymbol);
    }
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        (void)snprintf(text, sizeof(text), "TO_STRING(`2010T`, '%s')", tokens[i]);
        assert_refused(text, S3_EvaluatorInvalidTimestampFormatPatternToken);
    }
    assert_refused("TO_STRING(`2010T`, 'y''T')",
                   S3_EvaluatorUnterminatedTimestampFormatPatternToken);
    assert_refused("TO_STRING(`2010T`, 1)", S3_IncorrectSqlFunctionArgumentType);
    assert_refused("TO_STRING('2010T', 'y')", S3_IncorrectSqlFunctionArgumentType);
    assert_refused("TO_STRING(`2010T`)", S3_EvaluatorInvalidArguments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select_timestamp__what_is_read_is_written_as_it_was),
        cmocka_unit_test(test_select_timestamp__what_is_none),
        cmocka_unit_test(test_select_timestamp__date_add),
        cmocka_unit_test(test_select_timestamp__date_diff),
        cmocka_unit_test(test_select_timestamp__extract),
        cmocka_unit_test(test_select_timestamp__moments_are_compared_wherever_they_are_told),
        cmocka_unit_test(test_select_timestamp__to_string),
        cmocka_unit_test(test_select_timestamp__patterns_that_are_none),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
