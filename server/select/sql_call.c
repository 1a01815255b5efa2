/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL's functions and aggregates by name, with the forms of arguments that some have of their own.
 * See sql_build.h.
 */
#include "server/select/sql_build.h"

#define OPEN S3_ParseExpectedLeftParenBuiltinFunctionCall
#define CLOSE S3_ParseExpectedRightParenBuiltinFunctionCall

/* ---- aggregates --------------------------------------------------------------------------------- */

static enum s3_error read_aggregate(struct sql_parser *parser, struct sql_expr *node)
{
    enum s3_error err;

    if (parser->in_aggregate)
        return S3_UnsupportedSqlStructure;
    node->kind = SQL_AGGREGATE;
    node->slot = parser->statement->aggregates++;
    if (sql_is_sign(&parser->lexer, '*')) {
        if (node->op != SQL_COUNT)
            return S3_ParseUnsupportedCallWithStar;
        err = sql_next(&parser->lexer);
        return err == S3_OK ? sql_expect_sign(parser, ')', CLOSE) : err;
    }
    if (sql_is_sign(&parser->lexer, ')'))
        return S3_ParseNonUnaryAgregateFunctionCall;
    if (sql_is_word(&parser->lexer, "distinct"))
        return S3_UnsupportedSqlOperation;
    parser->in_aggregate = true;
    err = sql_read_args(parser, node, CLOSE);
    parser->in_aggregate = false;
    if (err == S3_OK && node->count != 1)
        return S3_ParseNonUnaryAgregateFunctionCall;
    return err;
}

/* ---- functions with words between their arguments -------------------------------------------------- */

/* SUBSTRING(text FROM begin [FOR length]), or with commas. */
static enum s3_error read_substring(struct sql_parser *parser, struct sql_expr *node)
{
    enum s3_error err = sql_read_arg(parser, node);

    if (err != S3_OK)
        return err;
    if (sql_is_sign(&parser->lexer, ',')) {
        err = sql_next(&parser->lexer);
        return err == S3_OK ? sql_read_args(parser, node, CLOSE) : err;
    }
    err = sql_expect_word(parser, "from", S3_ParseExpectedArgumentDelimiter);
    if (err == S3_OK)
        err = sql_read_arg(parser, node);
    if (err == S3_OK && sql_is_word(&parser->lexer, "for")) {
        err = sql_next(&parser->lexer);
        if (err == S3_OK)
            err = sql_read_arg(parser, node);
    }
    return err == S3_OK ? sql_expect_sign(parser, ')', CLOSE) : err;
}

/* TRIM([[LEADING | TRAILING | BOTH] [characters] FROM] text) */
static enum s3_error read_trim(struct sql_parser *parser, struct sql_expr *node)
{
    static const char *const words[] = { "both", "leading", "trailing" };
    struct sql_expr *first = NULL;
    bool told = false;
    enum s3_error err = S3_OK;

    for (size_t i = 0; i < COUNT_OF(words) && !told; i++) {
        told = sql_is_word(&parser->lexer, words[i]);
        if (told) {
            node->trim = (enum sql_trim)i;
            err = sql_next(&parser->lexer);
        }
    }
    if (err == S3_OK && !(told && sql_is_word(&parser->lexer, "from")))
        err = parser->read_expression(parser, &first);
    if (err != S3_OK)
        return err;
    if (!told && !sql_is_word(&parser->lexer, "from")) {
        err = sql_add_arg(parser, node, first);
    } else {
        err = sql_expect_word(parser, "from", S3_ParseExpectedKeyword);
        if (err == S3_OK)
            err = sql_read_arg(parser, node);
        if (err == S3_OK && first != NULL)
            err = sql_add_arg(parser, node, first);
    }
    return err == S3_OK ? sql_expect_sign(parser, ')', CLOSE) : err;
}

/* ---- functions of timestamps ----------------------------------------------------------------------- */

/* The part that a function is about; only EXTRACT has those of the offset. */
static enum s3_error read_part(struct sql_parser *parser, struct sql_expr *node)
{
    if (parser->lexer.kind != TOKEN_NAME || !time_part_from_name(parser->lexer.text, &node->part) ||
        (node->op != SQL_EXTRACT && node->part >= TIME_OFFSET_HOUR))
        return S3_ParseExpectedDatePart;
    return sql_next(&parser->lexer);
}

/* DATE_ADD(part, quantity, timestamp), DATE_DIFF(part, from, to) */
static enum s3_error read_date_call(struct sql_parser *parser, struct sql_expr *node)
{
    enum s3_error err = read_part(parser, node);

    if (err == S3_OK)
        err = sql_expect_sign(parser, ',', S3_ParseExpectedArgumentDelimiter);
    return err == S3_OK ? sql_read_args(parser, node, CLOSE) : err;
}

/* EXTRACT(part FROM timestamp) */
static enum s3_error read_extract(struct sql_parser *parser, struct sql_expr *node)
{
    enum s3_error err = read_part(parser, node);

    if (err == S3_OK)
        err = sql_expect_word(parser, "from", S3_ParseExpectedKeyword);
    if (err == S3_OK)
        err = sql_read_arg(parser, node);
    return err == S3_OK ? sql_expect_sign(parser, ')', CLOSE) : err;
}

/* ---- the table ---------------------------------------------------------------------------------- */

struct function {
    const char *name;
    int op;
    size_t min, max;                                                         /* arguments */
    enum s3_error (*read)(struct sql_parser *parser, struct sql_expr *node); /* NULL: with commas */
};

static const struct function functions[] = {
    { "count", SQL_COUNT, 0, 1, read_aggregate },
    { "sum", SQL_SUM, 1, 1, read_aggregate },
    { "avg", SQL_AVG, 1, 1, read_aggregate },
    { "min", SQL_MIN, 1, 1, read_aggregate },
    { "max", SQL_MAX, 1, 1, read_aggregate },
    { "coalesce", SQL_COALESCE, 1, SIZE_MAX, NULL },
    { "nullif", SQL_NULLIF, 2, 2, NULL },
    { "char_length", SQL_CHAR_LENGTH, 1, 1, NULL },
    { "character_length", SQL_CHAR_LENGTH, 1, 1, NULL },
    { "lower", SQL_LOWER, 1, 1, NULL },
    { "upper", SQL_UPPER, 1, 1, NULL },
    { "trim", SQL_TRIM, 1, 2, read_trim },
    { "substring", SQL_SUBSTRING, 2, 3, read_substring },
    { "utcnow", SQL_UTCNOW, 0, 0, NULL },
    { "to_timestamp", SQL_TO_TIMESTAMP, 1, 1, NULL },
    { "to_string", SQL_TO_STRING, 2, 2, NULL },
    { "date_add", SQL_DATE_ADD, 2, 2, read_date_call },
    { "date_diff", SQL_DATE_DIFF, 2, 2, read_date_call },
    { "extract", SQL_EXTRACT, 1, 1, read_extract },
};

enum s3_error sql_read_call(struct sql_parser *parser, struct str name, struct sql_expr **ret_expr)
{
    const struct function *function = NULL;
    struct sql_expr *node = sql_node(parser, SQL_CALL);
    enum s3_error err;

    for (size_t i = 0; i < COUNT_OF(functions) && function == NULL; i++) {
        if (str_eq_nocase(name, str_from_cstr(functions[i].name)))
            function = &functions[i];
    }
    if (function == NULL)
        return S3_UnsupportedFunction;
    if (node == NULL)
        return S3_SlowDown;
    node->op = function->op;
    err = sql_expect_sign(parser, '(', OPEN);
    if (err == S3_OK && function->read != NULL)
        err = function->read(parser, node);
    else if (err == S3_OK && sql_is_sign(&parser->lexer, ')'))
        err = sql_next(&parser->lexer);
    else if (err == S3_OK)
        err = sql_read_args(parser, node, CLOSE);
    if (err == S3_OK && (node->count < function->min || node->count > function->max))
        return S3_EvaluatorInvalidArguments;
    *ret_expr = node;
    return err;
}
