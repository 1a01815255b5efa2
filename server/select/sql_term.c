/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SQL's operators stand between: literals, paths, calls, CASE, CAST, parentheses. See sql_build.h.
 */
#include "server/select/sql_build.h"

/* ---- literals ----------------------------------------------------------------------------------- */

/* The literal that the token is; NULL where it is none. */
static bool literal_of(const struct sql_lexer *lexer, struct value *ret_value)
{
    if (lexer->kind == TOKEN_NUMBER || lexer->kind == TOKEN_TIME)
        *ret_value = lexer->number;
    else if (lexer->kind == TOKEN_TEXT)
        *ret_value = value_text(lexer->text);
    else if (sql_is_word(lexer, "true") || sql_is_word(lexer, "false"))
        *ret_value = value_bool(sql_is_word(lexer, "true"));
    else if (sql_is_word(lexer, "null"))
        *ret_value = value_null();
    else if (sql_is_word(lexer, "missing"))
        *ret_value = (struct value){ .type = VALUE_MISSING };
    else
        return false;
    return true;
}

/* ---- CASE --------------------------------------------------------------------------------------- */

static enum s3_error read_case(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    struct sql_expr *node = sql_node(parser, SQL_CASE);
    enum s3_error err = sql_next(&parser->lexer);

    if (node == NULL)
        return S3_SlowDown;
    if (err == S3_OK && !sql_is_word(&parser->lexer, "when")) {
        node->has_operand = true;
        err = sql_read_arg(parser, node);
    }
    if (err == S3_OK && !sql_is_word(&parser->lexer, "when"))
        return S3_ParseExpectedWhenClause;
    while (err == S3_OK && sql_is_word(&parser->lexer, "when")) {
        err = sql_next(&parser->lexer);
        if (err == S3_OK)
            err = sql_read_arg(parser, node);
        if (err == S3_OK)
            err = sql_expect_word(parser, "then", S3_ParseExpectedKeyword);
        if (err == S3_OK)
            err = sql_read_arg(parser, node);
    }
    if (err == S3_OK && sql_is_word(&parser->lexer, "else")) {
        node->has_else = true;
        err = sql_next(&parser->lexer);
        if (err == S3_OK)
            err = sql_read_arg(parser, node);
    }
    *ret_expr = node;
    return err == S3_OK ? sql_expect_word(parser, "end", S3_ParseExpectedKeyword) : err;
}

/* ---- CAST --------------------------------------------------------------------------------------- */

/* DECIMAL(precision, scale): both are taken, neither rounds. */
static enum s3_error skip_precision(struct sql_parser *parser)
{
    enum s3_error err = S3_OK;

    if (!sql_is_sign(&parser->lexer, '('))
        return S3_OK;
    do {
        err = sql_next(&parser->lexer);
        if (err == S3_OK && parser->lexer.kind != TOKEN_NUMBER)
            return S3_ParseInvalidTypeParam;
        if (err == S3_OK)
            err = sql_next(&parser->lexer);
    } while (err == S3_OK && sql_is_sign(&parser->lexer, ','));
    return err == S3_OK ? sql_expect_sign(parser, ')', S3_ParseInvalidTypeParam) : err;
}

static enum s3_error read_type(struct sql_parser *parser, struct sql_expr *node)
{
    static const struct {
        const char *name;
        enum sql_type type;
    } types[] = {
        { "bool", SQL_TYPE_BOOL },       { "boolean", SQL_TYPE_BOOL },
        { "int", SQL_TYPE_INT },         { "integer", SQL_TYPE_INT },
        { "string", SQL_TYPE_STRING },   { "varchar", SQL_TYPE_STRING },
        { "float", SQL_TYPE_FLOAT },     { "decimal", SQL_TYPE_DECIMAL },
        { "numeric", SQL_TYPE_DECIMAL }, { "timestamp", SQL_TYPE_TIMESTAMP },
    };

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        enum s3_error err;

        if (!sql_is_word(&parser->lexer, types[i].name))
            continue;
        node->op = types[i].type;
        err = sql_next(&parser->lexer);
        return err == S3_OK ? skip_precision(parser) : err;
    }
    return S3_ParseExpectedTypeName;
}

static enum s3_error read_cast(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    struct sql_expr *node = sql_node(parser, SQL_CAST);
    enum s3_error err = sql_next(&parser->lexer);

    if (node == NULL)
        return S3_SlowDown;
    if (err == S3_OK)
        err = sql_expect_sign(parser, '(', S3_ParseExpectedLeftParenAfterCast);
    if (err == S3_OK)
        err = sql_read_arg(parser, node);
    if (err == S3_OK)
        err = sql_expect_word(parser, "as", S3_ParseCastArity);
    if (err == S3_OK)
        err = read_type(parser, node);
    *ret_expr = node;
    return err == S3_OK
               ? sql_expect_sign(parser, ')', S3_ParseExpectedRightParenBuiltinFunctionCall)
               : err;
}

/* ---- names -------------------------------------------------------------------------------------- */

/* A path, or a call where a parenthesis stands behind the name. */
static enum s3_error read_named(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    struct sql_lexer *lexer = &parser->lexer;
    struct sql_step head = { .name = lexer->text, .is_quoted = lexer->kind == TOKEN_QUOTED };
    struct sql_expr *node;
    enum s3_error err = sql_next(lexer);

    if (err != S3_OK)
        return err;
    if (!head.is_quoted && sql_is_sign(lexer, '('))
        return sql_read_call(parser, head.name, ret_expr);
    node = sql_node(parser, SQL_PATH);
    if (node == NULL)
        return S3_SlowDown;
    err = sql_read_path(parser, &head, &node->path);
    if (err != S3_OK)
        return err;
    for (size_t i = 0; i < node->path.count; i++) {
        if (str_present(node->path.steps[i].name))
            node->name = node->path.steps[i].name;
    }
    node->in_aggregate = parser->in_aggregate;
    node->next_path = parser->statement->paths;
    parser->statement->paths = node;
    *ret_expr = node;
    return S3_OK;
}

enum s3_error sql_read_term(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    struct sql_lexer *lexer = &parser->lexer;
    struct value literal;
    enum s3_error err;

    if (sql_is_sign(lexer, '(')) {
        err = sql_next(lexer);
        if (err == S3_OK)
            err = parser->read_expression(parser, ret_expr);
        return err == S3_OK ? sql_expect_sign(parser, ')', S3_ParseUnexpectedToken) : err;
    }
    if (literal_of(lexer, &literal)) {
        *ret_expr = sql_node(parser, SQL_LITERAL);
        if (*ret_expr == NULL)
            return S3_SlowDown;
        (*ret_expr)->literal = literal;
        return sql_next(lexer);
    }
    if (sql_is_word(lexer, "case"))
        return read_case(parser, ret_expr);
    if (sql_is_word(lexer, "cast"))
        return read_cast(parser, ret_expr);
    if (sql_is_name(lexer))
        return read_named(parser, ret_expr);
    if (lexer->kind == TOKEN_NAME)
        return S3_ParseUnexpectedKeyword;
    return lexer->kind == TOKEN_END ? S3_ParseExpectedExpression : S3_ParseUnexpectedToken;
}
