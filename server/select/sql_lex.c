/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL's words, texts, numbers and signs. See sql.h.
 */
#include "server/select/sql_build.h"

/* What the grammar is made of, and so no name of a column unless it is quoted. */
static const char *const reserved[] = {
    "all",  "and",   "as",     "between", "by",      "case",  "cast",   "distinct",
    "else", "end",   "escape", "false",   "from",    "group", "having", "in",
    "is",   "join",  "like",   "limit",   "missing", "not",   "null",   "on",
    "or",   "order", "select", "then",    "true",    "union", "when",   "where",
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Between two quotes; one inside is written twice. */
static enum s3_error read_quoted(struct sql_lexer *lexer, char quote)
{
    struct str rest = str_skip(lexer->rest, 1);
    size_t end = 0;
    size_t len = 0;
    char *out;

    while (end < rest.len &&
           (rest.p[end] != quote || (end + 1 < rest.len && rest.p[end + 1] == quote)))
        end += rest.p[end] == quote ? 2 : 1;
    if (end >= rest.len)
        return S3_LexerInvalidLiteral;
    out = arena_alloc(lexer->arena, end + 1);
    if (out == NULL)
        return S3_SlowDown;
    for (size_t at = 0; at < end; at++) {
        out[len++] = rest.p[at];
        if (rest.p[at] == quote)
            at++;
    }
    lexer->text = str_make(out, len);
    lexer->rest = str_skip(rest, end + 1);
    return S3_OK;
}

static enum s3_error read_number(struct sql_lexer *lexer)
{
    struct str rest = lexer->rest;
    size_t len = 0;

    while (len < rest.len && (is_digit(rest.p[len]) || rest.p[len] == '.'))
        len++;
    if (len < rest.len && (rest.p[len] == 'e' || rest.p[len] == 'E')) {
        len++;
        if (len < rest.len && (rest.p[len] == '-' || rest.p[len] == '+'))
            len++;
        while (len < rest.len && is_digit(rest.p[len]))
            len++;
    }
    lexer->text = str_slice(rest, 0, len);
    lexer->rest = str_skip(rest, len);
    if ((len < rest.len && is_name_char(rest.p[len])) ||
        !value_read_number(lexer->text, &lexer->number))
        return S3_LexerInvalidLiteral;
    lexer->kind = TOKEN_NUMBER;
    return S3_OK;
}

static enum s3_error read_sign(struct sql_lexer *lexer)
{
    static const struct {
        char text[3];
        int sign;
    } pairs[] = {
        { "<=", SQL_LE }, { ">=", SQL_GE }, { "<>", SQL_NE }, { "!=", SQL_NE }, { "||", SQL_BARS },
    };
    char first = lexer->rest.p[0];
    size_t len = 1;

    lexer->kind = TOKEN_SIGN;
    lexer->sign = (unsigned char)first;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        if (str_starts(lexer->rest, str_make(pairs[i].text, 2))) {
            lexer->sign = pairs[i].sign;
            len = 2;
        }
    }
    if (len == 1 && (first == '!' || first == '|'))
        return S3_LexerInvalidOperator;
    if (len == 1 && (first == '\0' || strchr("=<>+-*/%(),.[];", first) == NULL))
        return S3_LexerInvalidChar;
    lexer->rest = str_skip(lexer->rest, len);
    return S3_OK;
}

static enum s3_error read_time(struct sql_lexer *lexer)
{
    struct str text;
    struct str rest;

    if (!str_cut(str_skip(lexer->rest, 1), '`', &text, &rest) || !time_read(text, &lexer->number))
        return S3_LexerInvalidIONLiteral;
    lexer->kind = TOKEN_TIME;
    lexer->rest = rest;
    return S3_OK;
}

enum s3_error sql_next(struct sql_lexer *lexer)
{
    size_t len = 0;
    char first;

    while (lexer->rest.len > 0 && is_blank(lexer->rest.p[0]))
        lexer->rest = str_skip(lexer->rest, 1);
    lexer->kind = TOKEN_END;
    lexer->text = STR_NONE;
    lexer->sign = 0;
    if (lexer->rest.len == 0)
        return S3_OK;
    first = lexer->rest.p[0];
    if (first == '\'' || first == '"') {
        lexer->kind = first == '"' ? TOKEN_QUOTED : TOKEN_TEXT;
        return read_quoted(lexer, first);
    }
    if (first == '`')
        return read_time(lexer);
    if (is_digit(first) || (first == '.' && lexer->rest.len > 1 && is_digit(lexer->rest.p[1])))
        return read_number(lexer);
    while (len < lexer->rest.len && is_name_char(lexer->rest.p[len]))
        len++;
    if (len == 0)
        return read_sign(lexer);
    lexer->kind = TOKEN_NAME;
    lexer->text = str_slice(lexer->rest, 0, len);
    lexer->rest = str_skip(lexer->rest, len);
    return S3_OK;
}

bool sql_is_word(const struct sql_lexer *lexer, const char *word)
{
    return lexer->kind == TOKEN_NAME && str_eq_nocase(lexer->text, str_from_cstr(word));
}

bool sql_is_sign(const struct sql_lexer *lexer, int sign)
{
    return lexer->kind == TOKEN_SIGN && lexer->sign == sign;
}

bool sql_is_name(const struct sql_lexer *lexer)
{
    if (lexer->kind == TOKEN_QUOTED)
        return true;
    if (lexer->kind != TOKEN_NAME)
        return false;
    for (size_t i = 0; i < COUNT_OF(reserved); i++) {
        if (sql_is_word(lexer, reserved[i]))
            return false;
    }
    return true;
}
