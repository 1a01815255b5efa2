/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL's operators, from the loosest to the tightest: OR, AND, NOT, comparisons, ||, + and -, * / %,
 * signs. What they stand between is sql_term.c's. See sql.h.
 */
#include "server/select/sql_build.h"

static enum s3_error read_sum(struct sql_parser *parser, struct sql_expr **ret_expr);

/* A chain of one operator with two arguments each. */
typedef enum s3_error read_function(struct sql_parser *parser, struct sql_expr **ret_expr);

static enum s3_error read_chain(struct sql_parser *parser, const char *signs, enum sql_kind kind,
                                read_function *read_part, struct sql_expr **ret_expr)
{
    struct sql_expr *left;
    enum s3_error err = read_part(parser, &left);

    while (err == S3_OK && parser->lexer.kind == TOKEN_SIGN &&
           strchr(signs, parser->lexer.sign) != NULL) {
        struct sql_expr *both = sql_node(parser, kind);
        struct sql_expr *right;

        if (both == NULL)
            return S3_SlowDown;
        both->op = parser->lexer.sign;
        err = sql_next(&parser->lexer);
        if (err == S3_OK)
            err = read_part(parser, &right);
        if (err == S3_OK)
            err = sql_add_arg(parser, both, left);
        if (err == S3_OK)
            err = sql_add_arg(parser, both, right);
        left = both;
    }
    if (err == S3_OK)
        *ret_expr = left;
    return err;
}

/* ---- arithmetic --------------------------------------------------------------------------------- */

/* A sign is as deep as what it stands before, so that many of them are counted. */
static enum s3_error read_signed(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    bool minus = sql_is_sign(&parser->lexer, '-');
    struct sql_expr *inner;
    struct sql_expr *negative;
    enum s3_error err;

    if (!minus && !sql_is_sign(&parser->lexer, '+'))
        return sql_read_term(parser, ret_expr);
    if (++parser->depth > SQL_DEPTH_MAX)
        return S3_UnsupportedSqlStructure;
    err = sql_next(&parser->lexer);
    if (err == S3_OK)
        err = read_signed(parser, &inner);
    if (err != S3_OK)
        return err;
    parser->depth--;
    if (!minus) {
        *ret_expr = inner;
        return S3_OK;
    }
    negative = sql_node(parser, SQL_ARITHMETIC);
    if (negative == NULL)
        return S3_SlowDown;
    negative->op = '-';
    *ret_expr = negative;
    return sql_add_arg(parser, negative, inner);
}

static enum s3_error read_product(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    return read_chain(parser, "*/%", SQL_ARITHMETIC, read_signed, ret_expr);
}

static enum s3_error read_sum(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    return read_chain(parser, "+-", SQL_ARITHMETIC, read_product, ret_expr);
}

static enum s3_error read_concat(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    return read_chain(parser, "|", SQL_CONCAT, read_sum, ret_expr);
}

/* ---- comparisons -------------------------------------------------------------------------------- */

/* The next operand of a comparison. */
static enum s3_error read_operand(struct sql_parser *parser, struct sql_expr *of)
{
    struct sql_expr *arg;
    enum s3_error err = read_concat(parser, &arg);

    return err == S3_OK ? sql_add_arg(parser, of, arg) : err;
}

static enum s3_error read_is(struct sql_parser *parser, struct sql_expr *node)
{
    enum s3_error err = sql_next(&parser->lexer);

    if (err == S3_OK && sql_is_word(&parser->lexer, "not")) {
        node->negated = !node->negated;
        err = sql_next(&parser->lexer);
    }
    if (err != S3_OK)
        return err;
    node->kind = sql_is_word(&parser->lexer, "missing") ? SQL_IS_MISSING : SQL_IS_NULL;
    if (node->kind == SQL_IS_NULL && !sql_is_word(&parser->lexer, "null"))
        return S3_ParseExpectedKeyword;
    return sql_next(&parser->lexer);
}

static enum s3_error read_between(struct sql_parser *parser, struct sql_expr *node)
{
    enum s3_error err = sql_next(&parser->lexer);

    node->kind = SQL_BETWEEN;
    if (err == S3_OK)
        err = read_operand(parser, node);
    if (err == S3_OK)
        err = sql_expect_word(parser, "and", S3_ParseExpectedKeyword);
    return err == S3_OK ? read_operand(parser, node) : err;
}

static enum s3_error read_in(struct sql_parser *parser, struct sql_expr *node)
{
    enum s3_error err = sql_next(&parser->lexer);

    node->kind = SQL_IN;
    if (err == S3_OK)
        err = sql_expect_sign(parser, '(', S3_ParseExpectedLeftParenValueConstructor);
    return err == S3_OK ? sql_read_args(parser, node, S3_ParseExpectedArgumentDelimiter) : err;
}

static enum s3_error read_like(struct sql_parser *parser, struct sql_expr *node)
{
    enum s3_error err = sql_next(&parser->lexer);

    node->kind = SQL_LIKE;
    if (err == S3_OK)
        err = read_operand(parser, node);
    if (err != S3_OK || !sql_is_word(&parser->lexer, "escape"))
        return err;
    err = sql_next(&parser->lexer);
    return err == S3_OK ? read_operand(parser, node) : err;
}

static bool is_comparison(const struct sql_lexer *lexer)
{
    static const char signs[] = { SQL_EQ, SQL_LT, SQL_GT, SQL_NE, SQL_LE, SQL_GE, '\0' };

    return lexer->kind == TOKEN_SIGN && strchr(signs, lexer->sign) != NULL;
}

/* A test of the operand that was read stands here. */
static bool begins_test(const struct sql_lexer *lexer)
{
    static const char *const words[] = { "is", "not", "between", "in", "like" };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (sql_is_word(lexer, words[i]))
            return true;
    }
    return is_comparison(lexer);
}

static enum s3_error read_test(struct sql_parser *parser, struct sql_expr *node)
{
    struct sql_lexer *lexer = &parser->lexer;
    enum s3_error err;

    if (is_comparison(lexer)) {
        node->op = lexer->sign;
        err = sql_next(lexer);
        return err == S3_OK ? read_operand(parser, node) : err;
    }
    if (sql_is_word(lexer, "is"))
        return read_is(parser, node);
    node->negated = sql_is_word(lexer, "not");
    if (node->negated) {
        err = sql_next(lexer);
        if (err != S3_OK)
            return err;
    }
    if (sql_is_word(lexer, "between"))
        return read_between(parser, node);
    if (sql_is_word(lexer, "in"))
        return read_in(parser, node);
    return sql_is_word(lexer, "like") ? read_like(parser, node) : S3_ParseExpectedKeyword;
}

static enum s3_error read_comparison(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    struct sql_expr *left;
    enum s3_error err = read_concat(parser, &left);

    while (err == S3_OK && begins_test(&parser->lexer)) {
        struct sql_expr *node = sql_node(parser, SQL_COMPARE);

        if (node == NULL)
            return S3_SlowDown;
        err = sql_add_arg(parser, node, left);
        if (err == S3_OK)
            err = read_test(parser, node);
        left = node;
    }
    if (err == S3_OK)
        *ret_expr = left;
    return err;
}

/* ---- NOT, AND, OR ------------------------------------------------------------------------------- */

static enum s3_error read_not(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    struct sql_expr *inner;
    struct sql_expr *node;
    enum s3_error err;

    if (!sql_is_word(&parser->lexer, "not"))
        return read_comparison(parser, ret_expr);
    if (++parser->depth > SQL_DEPTH_MAX)
        return S3_UnsupportedSqlStructure;
    node = sql_node(parser, SQL_NOT);
    if (node == NULL)
        return S3_SlowDown;
    err = sql_next(&parser->lexer);
    if (err == S3_OK)
        err = read_not(parser, &inner);
    parser->depth--;
    *ret_expr = node;
    return err == S3_OK ? sql_add_arg(parser, node, inner) : err;
}

/* One node for the whole chain; what stands alone has none. */
static enum s3_error read_logic(struct sql_parser *parser, const char *word, enum sql_kind kind,
                                read_function *read_part, struct sql_expr **ret_expr)
{
    struct sql_expr *node = NULL;
    struct sql_expr *part;
    enum s3_error err = read_part(parser, &part);

    *ret_expr = part;
    while (err == S3_OK && sql_is_word(&parser->lexer, word)) {
        if (node == NULL) {
            node = sql_node(parser, kind);
            if (node == NULL)
                return S3_SlowDown;
            err = sql_add_arg(parser, node, part);
            *ret_expr = node;
        }
        if (err == S3_OK)
            err = sql_next(&parser->lexer);
        if (err == S3_OK)
            err = read_part(parser, &part);
        if (err == S3_OK)
            err = sql_add_arg(parser, node, part);
    }
    return err;
}

static enum s3_error read_and(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    return read_logic(parser, "and", SQL_AND, read_not, ret_expr);
}

enum s3_error sql_read_expression(struct sql_parser *parser, struct sql_expr **ret_expr)
{
    enum s3_error err;

    if (++parser->depth > SQL_DEPTH_MAX)
        return S3_UnsupportedSqlStructure;
    err = read_logic(parser, "or", SQL_OR, read_and, ret_expr);
    parser->depth--;
    return err;
}
