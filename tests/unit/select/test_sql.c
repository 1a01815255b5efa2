/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: what each is for one record of JSON, and what is no expression. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/select/evaluate.h"
#include "server/select/json.h"

#define RECORD                                                                                      \
    "{\"i\": 7, \"r\": 2.5, \"w\": \"Gr\\u00fcn\", \"n\": null, \"t\": true, \"l\": [1, \"two\"], " \
    "\"o\": {\"In\": 1, \"in\": 2}, \"number\": \" 12 \"}"

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
    struct sql_statement statement;
    struct value record;
    uint64_t work = 0;
    struct evaluation in = { .record = &record, .arena = arena, .work = &work };
    enum s3_error err = sql_parse(text, arena, &statement);

    assert_int_equal(json_read(STR(RECORD), arena, &record), S3_OK);
    return err == S3_OK ? evaluate(&in, statement.columns[0].expr, ret_value) : err;
}

static void test_select_sql__expressions_are_computed(void **state UNUSED)
{
    static const char *const cases[][2] = {
        { "i", "7" },
        { "s.i", "7" },
        { "s.w", "\"Gr\xc3\xbcn\"" },
        { "S.I", "7" },
        { "s.\"I\"", "null" },
        { "s.l[1]", "\"two\"" },
        { "s.l[2]", "null" },
        { "s.o.\"in\"", "2" },
        { "s.o['In']", "1" },
        { "s.o.x.y", "null" },
        { "r", "2.5" },
        { "1 + 2 * 3", "7" },
        { "(1 + 2) * 3", "9" },
        { "10 - 4 - 3", "3" },
        { "7 / 2", "3" },
        { "7 / 2.0", "3.5" },
        { "-7 % 3", "-1" },
        { "- -1", "1" },
        { "0.1 + 0.2", "0.30000000000000004" },
        { "1e3 + 0.5", "1000.5" },
        { "number + 1", "13" },
        { "n + 1", "null" },
        { "(-9223372036854775807 - 1) % -1", "0" },
        { "i = 7 AND r < 3", "true" },
        { "i = 7 AND n = 1", "null" },
        { "i = 8 AND n = 1", "false" },
        { "i = 7 OR n = 1", "true" },
        { "i = 8 OR n = 1", "null" },
        { "NOT n = 1", "null" },
        { "NOT t", "false" },
        { "NOT NOT t", "true" },
        { "n = n", "null" },
        { "n IS NULL", "true" },
        { "x IS NULL", "true" },
        { "n IS MISSING", "false" },
        { "x IS MISSING", "true" },
        { "x IS NOT MISSING", "false" },
        { "i <> 7", "false" },
        { "i != 'x'", "true" },
        { "i < 'x'", "null" },
        { "'b' > 'a'", "true" },
        { "i BETWEEN 7 AND 8", "true" },
        { "i NOT BETWEEN 1 AND 6", "true" },
        { "i BETWEEN n AND 6", "false" },
        { "i BETWEEN n AND 8", "null" },
        { "i IN (1, 7)", "true" },
        { "i IN (1, n)", "null" },
        { "i NOT IN (1, 2)", "true" },
        { "w LIKE 'Gr_n'", "true" },
        { "w LIKE '%n'", "true" },
        { "w LIKE 'gr%'", "false" },
        { "w NOT LIKE '%x%'", "true" },
        { "'a%b' LIKE 'a\\%b' ESCAPE '\\'", "true" },
        { "'axb' LIKE 'a\\%b' ESCAPE '\\'", "false" },
        { "'aXbXc' LIKE '%X%X_'", "true" },
        { "'' LIKE '%'", "true" },
        { "'' LIKE '_'", "false" },
        { "'a' || 'b' || 'c'", "\"abc\"" },
        { "'it''s'", "\"it's\"" },
        { "CHAR_LENGTH(w)", "4" },
        { "UPPER('a\xc3\xbc')", "\"A\xc3\xbc\"" },
        { "LOWER('ABC')", "\"abc\"" },
        { "SUBSTRING(w, 3)", "\"\xc3\xbcn\"" },
        { "SUBSTRING(w FROM 3 FOR 1)", "\"\xc3\xbc\"" },
        { "SUBSTRING(w, -1, 4)", "\"Gr\"" },
        { "SUBSTRING(w, 9)", "\"\"" },
        { "SUBSTRING(w, 2, 9223372036854775807)", "\"r\xc3\xbcn\"" },
        { "TRIM('  a b  ')", "\"a b\"" },
        { "TRIM(TRAILING 'ab' FROM 'xabab')", "\"x\"" },
        { "TRIM('\xc3\xbc' FROM '\xc3\xbcx\xc3\xbc')", "\"x\"" },
        { "COALESCE(n, x, 3)", "3" },
        { "COALESCE(n)", "null" },
        { "NULLIF(i, 7)", "null" },
        { "NULLIF(i, 8)", "7" },
        { "CASE i WHEN 1 THEN 'a' WHEN 7 THEN 'b' END", "\"b\"" },
        { "CASE WHEN n THEN 1 ELSE 2 END", "2" },
        { "CASE WHEN n THEN 1 END", "null" },
        { "CAST('12' AS INT)", "12" },
        { "CAST(2.9 AS INT)", "2" },
        { "CAST(-2.9 AS INTEGER)", "-2" },
        { "CAST(t AS INT)", "1" },
        { "CAST('1.50' AS DECIMAL(10, 2))", "1.50" },
        { "CAST('1.50' AS FLOAT)", "1.5" },
        { "CAST(i AS STRING)", "\"7\"" },
        { "CAST('TRUE' AS BOOL)", "true" },
        { "CAST(0 AS BOOL)", "false" },
        { "CAST(n AS INT)", "null" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(1000);
        struct value value;
        enum s3_error err = compute(cases[i][0], &value);

        if (err != S3_OK)
            fail_msg("%s: %.*s", cases[i][0], STR_ARG(s3_error_row(err)->code));
        value_write_json(&out, &value);
        if (!str_eq(buf_view(&out), str_from_cstr(cases[i][1])))
            fail_msg("%s is %.*s, not %s", cases[i][0], STR_ARG(buf_view(&out)), cases[i][1]);
    }
}

static void test_select_sql__what_can_not_be_computed_is_an_error(void **state UNUSED)
{
    static const struct {
        const char *expression;
        enum s3_error error;
    } cases[] = {
        { "1 / 0", S3_IllegalSqlFunctionArgument },
        { "1 % 0.0", S3_IllegalSqlFunctionArgument },
        { "1e308 * 10", S3_IllegalSqlFunctionArgument },
        { "9223372036854775807 + 1", S3_IntegerOverflow },
        { "(-9223372036854775807 - 1) / -1", S3_IntegerOverflow },
        { "w + 1", S3_IncorrectSqlFunctionArgumentType },
        { "i || 'x'", S3_IncorrectSqlFunctionArgumentType },
        { "LOWER(i)", S3_IncorrectSqlFunctionArgumentType },
        { "SUBSTRING(w, 'x')", S3_IncorrectSqlFunctionArgumentType },
        { "SUBSTRING(w, 1, -1)", S3_IllegalSqlFunctionArgument },
        { "CAST(w AS INT)", S3_CastFailed },
        { "CAST(1e19 AS INT)", S3_CastFailed },
        { "CAST(l AS FLOAT)", S3_CastFailed },
        { "CAST('yes' AS BOOL)", S3_CastFailed },
        { "i LIKE '7'", S3_LikeInvalidInputs },
        { "w LIKE 'a' ESCAPE 'ab'", S3_LikeInvalidInputs },
        { "w LIKE 'a!' ESCAPE '!'", S3_LikeInvalidInputs },
        { "SQRT(i)", S3_UnsupportedFunction },
        { "s.l[*]", S3_ParseInvalidContextForWildcardInSelectList },
        { "s.l[x]", S3_ParseExpectedMember },
        { "s.+", S3_ParseExpectedMember },
        { "i IS 7", S3_ParseExpectedKeyword },
        { "i NOT 7", S3_ParseExpectedKeyword },
        { "i BETWEEN 1 OR 2", S3_ParseExpectedKeyword },
        { "CASE WHEN i 1 END", S3_ParseExpectedKeyword },
        { "CAST(i AS DECIMAL(x))", S3_ParseInvalidTypeParam },
        { "COUNT(DISTINCT i)", S3_UnsupportedSqlOperation },
        { "(1", S3_ParseUnexpectedToken },
        { "|", S3_LexerInvalidOperator },
        { "#", S3_LexerInvalidChar },
        { "1.2.3", S3_LexerInvalidLiteral },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct value value;
        enum s3_error err = compute(cases[i].expression, &value);

        if (err != cases[i].error)
            fail_msg("%s: %.*s", cases[i].expression,
                     err == S3_OK ? 7 : (int)s3_error_row(err)->code.len,
                     err == S3_OK ? "nothing" : s3_error_row(err)->code.p);
    }
}

/* The chain's expression, count times what is repeated. */
static struct str repeated(const char *head, const char *part, size_t count, const char *tail)
{
    struct buf out = BUF_WITH_MAX(SQL_BYTES_MAX);
    struct str text;

    buf_str(&out, str_from_cstr(head));
    for (size_t i = 0; i < count; i++)
        buf_str(&out, str_from_cstr(part));
    buf_str(&out, str_from_cstr(tail));
    text = arena_dup(arena, buf_view(&out));
    buf_free(&out);
    return text;
}

static void test_select_sql__depth_is_bounded_and_length_is_not(void **state UNUSED)
{
    struct sql_statement statement;
    struct str text;

    text = repeated("SELECT ", "(", SQL_DEPTH_MAX - 1, "");
    text = arena_printf(arena, "%.*s1%.*s FROM S3Object", STR_ARG(text),
                        STR_ARG(repeated("", ")", SQL_DEPTH_MAX - 1, "")));
    assert_int_equal(sql_parse(text, arena, &statement), S3_OK);
    text = repeated("SELECT ", "(", SQL_DEPTH_MAX, "1");
    assert_int_equal(sql_parse(text, arena, &statement), S3_UnsupportedSqlStructure);

    text = repeated("SELECT 1", " + 1", SQL_DEPTH_MAX - 1, " FROM S3Object");
    assert_int_equal(sql_parse(text, arena, &statement), S3_OK);
    text = repeated("SELECT 1", " + 1", SQL_DEPTH_MAX, " FROM S3Object");
    assert_int_equal(sql_parse(text, arena, &statement), S3_UnsupportedSqlStructure);

    text = repeated("SELECT a FROM S3Object WHERE a = 1", " OR a = 1", 5000, "");
    assert_int_equal(sql_parse(text, arena, &statement), S3_OK);
    text = repeated("SELECT a FROM S3Object WHERE a IN (1", ", 1", 5000, ")");
    assert_int_equal(sql_parse(text, arena, &statement), S3_OK);

    text = repeated("SELECT s", ".a", SQL_STEPS_MAX - 1, " FROM S3Object s");
    assert_int_equal(sql_parse(text, arena, &statement), S3_OK);
    text = repeated("SELECT s", ".a", SQL_STEPS_MAX, " FROM S3Object s");
    assert_int_equal(sql_parse(text, arena, &statement), S3_InvalidKeyPath);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select_sql__expressions_are_computed),
        cmocka_unit_test(test_select_sql__what_can_not_be_computed_is_an_error),
        cmocka_unit_test(test_select_sql__depth_is_bounded_and_length_is_not),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
