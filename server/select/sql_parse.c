/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement's clauses, and whom its paths mean. See sql.h.
 */
#include "server/select/sql_build.h"

/* ---- SELECT ------------------------------------------------------------------------------------- */

static enum s3_error read_column(struct sql_parser *parser, struct sql_column *column)
{
    struct sql_lexer *lexer = &parser->lexer;
    enum s3_error err;

    if (sql_is_sign(lexer, '*'))
        return S3_ParseAsteriskIsNotAloneInSelectList;
    err = parser->read_expression(parser, &column->expr);
    if (err != S3_OK)
        return err;
    column->name = column->expr->name;
    if (sql_is_word(lexer, "as")) {
        err = sql_next(lexer);
        if (err == S3_OK && !sql_is_name(lexer))
            err = S3_ParseExpectedIdentForAlias;
    } else if (!sql_is_name(lexer)) {
        return S3_OK;
    }
    column->name = lexer->text;
    return err == S3_OK ? sql_next(lexer) : err;
}

static enum s3_error read_columns(struct sql_parser *parser)
{
    struct sql_statement *statement = parser->statement;
    enum s3_error err = S3_OK;
    bool more;

    if (sql_is_sign(&parser->lexer, '*')) {
        statement->all = true;
        err = sql_next(&parser->lexer);
        if (err == S3_OK && sql_is_sign(&parser->lexer, ','))
            return S3_ParseAsteriskIsNotAloneInSelectList;
        return err;
    }
    if (sql_is_word(&parser->lexer, "from") || parser->lexer.kind == TOKEN_END)
        return S3_ParseEmptySelect;
    statement->columns = arena_array(parser->arena, SQL_COLUMNS_MAX, sizeof(*statement->columns));
    if (statement->columns == NULL)
        return S3_SlowDown;
    do {
        if (statement->column_count == SQL_COLUMNS_MAX)
            return S3_OverMaxColumn;
        err = read_column(parser, &statement->columns[statement->column_count++]);
        more = err == S3_OK && sql_is_sign(&parser->lexer, ',');
        if (more)
            err = sql_next(&parser->lexer);
    } while (more && err == S3_OK);
    return err;
}

/* ---- FROM --------------------------------------------------------------------------------------- */

static enum s3_error read_from(struct sql_parser *parser)
{
    struct sql_statement *statement = parser->statement;
    struct sql_lexer *lexer = &parser->lexer;
    enum s3_error err = sql_expect_word(parser, "from", S3_ParseSelectMissingFrom);

    if (err != S3_OK)
        return err;
    if (lexer->kind != TOKEN_NAME || !str_eq_nocase(lexer->text, STR("S3Object")))
        return sql_is_name(lexer) ? S3_InvalidDataSource : S3_ParseUnexpectedToken;
    statement->alias = lexer->text;
    err = sql_next(lexer);
    if (err == S3_OK)
        err = sql_read_path(parser, NULL, &statement->from);
    if (err != S3_OK)
        return err;
    if (statement->from.count > 0 && statement->from.steps[0].all)
        statement->from = (struct sql_path){ statement->from.steps + 1, statement->from.count - 1 };
    for (size_t i = 0; i < statement->from.count; i++) {
        if (str_present(statement->from.steps[i].name))
            statement->alias = statement->from.steps[i].name;
    }
    if (sql_is_word(lexer, "as")) {
        err = sql_next(lexer);
        if (err == S3_OK && !sql_is_name(lexer))
            return S3_ParseExpectedIdentForAlias;
    }
    if (err != S3_OK || !sql_is_name(lexer))
        return err;
    statement->alias = lexer->text;
    statement->alias_is_quoted = lexer->kind == TOKEN_QUOTED;
    return sql_next(lexer);
}

/* ---- LIMIT, and what may not follow ---------------------------------------------------------------- */

static enum s3_error read_limit(struct sql_parser *parser)
{
    struct sql_lexer *lexer = &parser->lexer;
    enum s3_error err;

    if (!sql_is_word(lexer, "limit"))
        return S3_OK;
    err = sql_next(lexer);
    if (err != S3_OK)
        return err;
    if (sql_is_sign(lexer, '-'))
        return S3_EvaluatorNegativeLimit;
    if (lexer->kind != TOKEN_NUMBER || lexer->number.type != VALUE_INT)
        return S3_ParseExpectedNumber;
    parser->statement->has_limit = true;
    parser->statement->limit = (uint64_t)lexer->number.whole;
    return sql_next(lexer);
}

static enum s3_error read_end(struct sql_parser *parser)
{
    static const char *const clauses[] = { "group", "order", "having", "join", "union" };
    struct sql_lexer *lexer = &parser->lexer;

    for (size_t i = 0; i < COUNT_OF(clauses); i++) {
        if (sql_is_word(lexer, clauses[i]))
            return S3_UnsupportedSqlStructure;
    }
    if (sql_is_sign(lexer, ';')) {
        enum s3_error err = sql_next(lexer);

        if (err != S3_OK)
            return err;
    }
    return lexer->kind == TOKEN_END ? S3_OK : S3_ParseUnexpectedToken;
}

/* ---- whom paths mean ---------------------------------------------------------------------------- */

static bool is_alias(const struct sql_statement *statement, const struct sql_step *step)
{
    if (!str_present(step->name))
        return false;
    if (step->is_quoted || statement->alias_is_quoted)
        return str_eq(step->name, statement->alias);
    return str_eq_nocase(step->name, statement->alias);
}

/* alias.* alone is *. */
static bool is_all(const struct sql_statement *statement)
{
    const struct sql_expr *expr = statement->columns[0].expr;

    return statement->column_count == 1 && expr->kind == SQL_PATH && expr->path.count == 1 &&
           expr->path.steps[0].all;
}

static enum s3_error resolve(struct sql_statement *statement)
{
    for (struct sql_expr *path = statement->paths; path != NULL; path = path->next_path) {
        if (is_alias(statement, &path->path.steps[0]))
            path->path = (struct sql_path){ path->path.steps + 1, path->path.count - 1 };
        if (statement->aggregates > 0 && !path->in_aggregate && !path->in_where)
            return S3_UnsupportedSqlStructure;
    }
    if (statement->column_count > 0 && is_all(statement)) {
        statement->all = true;
        statement->columns[0].expr->path.count = 0;
    }
    for (struct sql_expr *path = statement->paths; path != NULL; path = path->next_path) {
        for (size_t i = 0; i < path->path.count; i++) {
            if (path->path.steps[i].all)
                return S3_ParseInvalidContextForWildcardInSelectList;
        }
    }
    return S3_OK;
}

static enum s3_error read_where(struct sql_parser *parser)
{
    struct sql_statement *statement = parser->statement;
    struct sql_expr *before = statement->paths;
    size_t aggregates = statement->aggregates;
    enum s3_error err;

    if (!sql_is_word(&parser->lexer, "where"))
        return S3_OK;
    err = sql_next(&parser->lexer);
    if (err == S3_OK)
        err = parser->read_expression(parser, &statement->where);
    for (struct sql_expr *path = statement->paths; path != before; path = path->next_path)
        path->in_where = true;
    if (err == S3_OK && statement->aggregates > aggregates)
        return S3_UnsupportedSqlStructure;
    return err;
}

enum s3_error sql_parse(struct str text, struct arena *arena, struct sql_statement *ret_statement)
{
    struct sql_statement statement = { 0 };
    struct sql_parser parser = {
        .lexer = { .rest = text, .arena = arena },
        .arena = arena,
        .statement = &statement,
        .read_expression = sql_read_expression,
    };
    enum s3_error err;

    if (text.len > SQL_BYTES_MAX)
        return S3_ExpressionTooLong;
    err = sql_next(&parser.lexer);
    if (err == S3_OK)
        err = sql_expect_word(&parser, "select", S3_ParseUnexpectedToken);
    if (err == S3_OK)
        err = read_columns(&parser);
    if (err == S3_OK)
        err = read_from(&parser);
    if (err == S3_OK)
        err = read_where(&parser);
    if (err == S3_OK)
        err = read_limit(&parser);
    if (err == S3_OK)
        err = read_end(&parser);
    if (err == S3_OK)
        err = resolve(&statement);
    if (err == S3_OK)
        *ret_statement = statement;
    return err;
}
