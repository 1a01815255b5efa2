/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes of a statement's tree, and what every part of the parser reads. See sql_build.h.
 */
#include "server/select/sql_build.h"

struct sql_expr *sql_node(struct sql_parser *parser, enum sql_kind kind)
{
    struct sql_expr *node = ARENA_NEW(parser->arena, struct sql_expr);

    if (node == NULL)
        return NULL;
    node->kind = kind;
    node->depth = 1;
    return node;
}

/* Arguments lie in arrays whose size is a power of two: one that is full is as long as it can be. */
enum s3_error sql_add_arg(struct sql_parser *parser, struct sql_expr *node, struct sql_expr *arg)
{
    if ((node->count & (node->count - 1)) == 0) {
        size_t capacity = node->count == 0 ? 1 : node->count * 2;
        struct sql_expr **args = arena_array(parser->arena, capacity, sizeof(struct sql_expr *));

        if (args == NULL)
            return S3_SlowDown;
        if (node->count > 0)
            memcpy(args, node->args, node->count * sizeof(struct sql_expr *));
        node->args = args;
    }
    node->args[node->count++] = arg;
    if (node->depth <= arg->depth)
        node->depth = arg->depth + 1;
    return node->depth > SQL_DEPTH_MAX ? S3_UnsupportedSqlStructure : S3_OK;
}

enum s3_error sql_expect_word(struct sql_parser *parser, const char *word, enum s3_error otherwise)
{
    return sql_is_word(&parser->lexer, word) ? sql_next(&parser->lexer) : otherwise;
}

enum s3_error sql_expect_sign(struct sql_parser *parser, int sign, enum s3_error otherwise)
{
    return sql_is_sign(&parser->lexer, sign) ? sql_next(&parser->lexer) : otherwise;
}

enum s3_error sql_read_arg(struct sql_parser *parser, struct sql_expr *node)
{
    struct sql_expr *arg;
    enum s3_error err = parser->read_expression(parser, &arg);

    return err == S3_OK ? sql_add_arg(parser, node, arg) : err;
}

enum s3_error sql_read_args(struct sql_parser *parser, struct sql_expr *node,
                            enum s3_error otherwise)
{
    for (;;) {
        enum s3_error err = sql_read_arg(parser, node);

        if (err != S3_OK)
            return err;
        if (!sql_is_sign(&parser->lexer, ','))
            return sql_expect_sign(parser, ')', otherwise);
        err = sql_next(&parser->lexer);
        if (err != S3_OK)
            return err;
    }
}

/* ---- paths -------------------------------------------------------------------------------------- */

/* Behind the bracket. */
static enum s3_error read_bracket(struct sql_parser *parser, struct sql_step *step)
{
    struct sql_lexer *lexer = &parser->lexer;
    enum s3_error err;

    if (sql_is_sign(lexer, '*')) {
        step->all = true;
    } else if (lexer->kind == TOKEN_TEXT) {
        step->name = lexer->text;
        step->is_quoted = true;
    } else if (lexer->kind == TOKEN_NUMBER && lexer->number.type == VALUE_INT) {
        step->is_index = true;
        step->index = (size_t)lexer->number.whole;
    } else {
        return S3_ParseExpectedMember;
    }
    err = sql_next(lexer);
    return err == S3_OK ? sql_expect_sign(parser, ']', S3_ParseExpectedMember) : err;
}

/* Behind the point. */
static enum s3_error read_member(struct sql_parser *parser, struct sql_step *step)
{
    struct sql_lexer *lexer = &parser->lexer;

    if (sql_is_sign(lexer, '*')) {
        step->all = true;
    } else if (lexer->kind == TOKEN_QUOTED || lexer->kind == TOKEN_NAME) {
        step->name = lexer->text;
        step->is_quoted = lexer->kind == TOKEN_QUOTED;
    } else {
        return S3_ParseExpectedMember;
    }
    return sql_next(lexer);
}

enum s3_error sql_read_path(struct sql_parser *parser, const struct sql_step *head,
                            struct sql_path *ret_path)
{
    struct sql_step steps[SQL_STEPS_MAX];
    size_t count = 0;
    struct sql_step *kept;

    if (head != NULL)
        steps[count++] = *head;
    while (sql_is_sign(&parser->lexer, '.') || sql_is_sign(&parser->lexer, '[')) {
        bool bracket = sql_is_sign(&parser->lexer, '[');
        struct sql_step step = { 0 };
        enum s3_error err = sql_next(&parser->lexer);

        if (err == S3_OK)
            err = bracket ? read_bracket(parser, &step) : read_member(parser, &step);
        if (err != S3_OK)
            return err;
        if (count == SQL_STEPS_MAX)
            return S3_InvalidKeyPath;
        steps[count++] = step;
    }
    kept = arena_array(parser->arena, count + 1, sizeof(*kept));
    if (kept == NULL)
        return S3_SlowDown;
    if (count > 0)
        memcpy(kept, steps, count * sizeof(*kept));
    *ret_path = (struct sql_path){ kept, count };
    return S3_OK;
}
