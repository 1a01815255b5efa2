/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a statement is read: inside the parser. Recursive descent; what it is deep in is counted.
 */
#ifndef SERVER_SELECT_SQL_BUILD_H
#define SERVER_SELECT_SQL_BUILD_H

#include "server/select/sql.h"

/* ---- sql_lex.c ---------------------------------------------------------------------------------- */

enum sql_token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_QUOTED, /* "name" */
    TOKEN_TEXT,   /* 'text' */
    TOKEN_NUMBER,
    TOKEN_TIME, /* `2010-01-01T`: a timestamp of Ion, the one literal of it that is read */
    TOKEN_SIGN, /* a character, or one of enum sql_operator */
};

struct sql_lexer {
    struct str rest;
    struct arena *arena;
    enum sql_token_kind kind; /* of the token that is looked at */
    int sign;
    struct str text;
    struct value number; /* of a timestamp too */
};

/* Look at the next token. */
MUST_CHECK enum s3_error sql_next(struct sql_lexer *lexer);
/* The token is that word, not quoted, in either case. */
bool sql_is_word(const struct sql_lexer *lexer, const char *word);
bool sql_is_sign(const struct sql_lexer *lexer, int sign);
/* The token is a name that may stand for itself: quoted, or no word of the grammar. */
bool sql_is_name(const struct sql_lexer *lexer);

/* ---- sql_build.c -------------------------------------------------------------------------------- */

struct sql_parser {
    struct sql_lexer lexer;
    struct arena *arena;
    struct sql_statement *statement;
    unsigned depth;
    bool in_aggregate;
    enum s3_error (*read_expression)(struct sql_parser *parser, struct sql_expr **ret_expr);
};

/* NULL: the arena is full. */
MUST_CHECK struct sql_expr *sql_node(struct sql_parser *parser, enum sql_kind kind);
MUST_CHECK enum s3_error sql_add_arg(struct sql_parser *parser, struct sql_expr *node,
                                     struct sql_expr *arg);
/* Take the token that has to come next; otherwise the error. */
MUST_CHECK enum s3_error sql_expect_word(struct sql_parser *parser, const char *word,
                                         enum s3_error otherwise);
MUST_CHECK enum s3_error sql_expect_sign(struct sql_parser *parser, int sign,
                                         enum s3_error otherwise);
/* One more argument; all to the closing parenthesis, with commas between them. */
MUST_CHECK enum s3_error sql_read_arg(struct sql_parser *parser, struct sql_expr *node);
MUST_CHECK enum s3_error sql_read_args(struct sql_parser *parser, struct sql_expr *node,
                                       enum s3_error otherwise);
/* The steps from the token on: .name, ['name'], [n], [*], behind one that was read (NULL: none). */
MUST_CHECK enum s3_error sql_read_path(struct sql_parser *parser, const struct sql_step *head,
                                       struct sql_path *ret_path);

/* ---- sql_call.c, sql_term.c, sql_expr.c ------------------------------------------------------------ */

/*
 * What a name with a parenthesis behind it calls, from the parenthesis on.
 */
MUST_CHECK enum s3_error sql_read_call(struct sql_parser *parser, struct str name,
                                       struct sql_expr **ret_expr);
MUST_CHECK enum s3_error sql_read_term(struct sql_parser *parser, struct sql_expr **ret_expr);
MUST_CHECK enum s3_error sql_read_expression(struct sql_parser *parser, struct sql_expr **ret_expr);

#endif
