/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL's functions. Characters are those of UTF-8; letters change their case in ASCII alone. See
 * functions.h.
 */
#include "server/select/functions.h"

#include <math.h>

/* ---- texts -------------------------------------------------------------------------------------- */

enum s3_error function_text(const struct value *value, struct arena *arena, struct str *ret_text)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(VALUE_RECORD_BYTES_MAX);

    if (value->type == VALUE_TEXT) {
        *ret_text = value->text;
        return S3_OK;
    }
    value_write_text(&out, value);
    if (out.failed)
        return S3_OverMaxRecordSize;
    *ret_text = arena_dup(arena, buf_view(&out));
    return str_present(*ret_text) ? S3_OK : S3_OverMaxRecordSize;
}

static int64_t count_chars(struct str text)
{
    int64_t count = 0;

    for (; text.len > 0; count++)
        (void)str_next_char(&text);
    return count;
}

static enum s3_error change_case(struct str text, bool upper, struct arena *arena,
                                 struct value *ret_value)
{
    char *out = arena_alloc(arena, text.len + 1);

    if (out == NULL)
        return S3_OverMaxRecordSize;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        out[i] = upper && c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
        if (!upper)
            out[i] = str_lower(c);
    }
    *ret_value = value_text(str_make(out, text.len));
    return S3_OK;
}

static bool is_among(struct str characters, struct str one)
{
    return str_find(characters, one) != SIZE_MAX;
}

/* The last character of a text that is not empty. */
static struct str last_char(struct str text)
{
    size_t at = text.len - 1;

    while (at > 0 && ((unsigned char)text.p[at] & 0xc0) == 0x80)
        at--;
    return str_skip(text, at);
}

static struct str trim(struct str text, struct str characters, enum sql_trim where)
{
    while (where != SQL_TRIM_TRAILING && text.len > 0) {
        struct str rest = text;

        (void)str_next_char(&rest);
        if (!is_among(characters, str_slice(text, 0, text.len - rest.len)))
            break;
        text = rest;
    }
    while (where != SQL_TRIM_LEADING && text.len > 0) {
        struct str last = last_char(text);

        if (!is_among(characters, last))
            break;
        text.len -= last.len;
    }
    return text;
}

/* From the begin-th character, which may lie before the first: then there are so many fewer. */
static enum s3_error substring(struct str text, const struct value *args, size_t count,
                               struct value *ret_value)
{
    int64_t begin;
    int64_t end = INT64_MAX;
    struct str rest = text;
    struct value number;

    if (!value_to_number(&args[1], &number) || number.type != VALUE_INT)
        return S3_IncorrectSqlFunctionArgumentType;
    begin = number.whole;
    if (count == 3) {
        if (!value_to_number(&args[2], &number) || number.type != VALUE_INT)
            return S3_IncorrectSqlFunctionArgumentType;
        if (number.whole < 0)
            return S3_IllegalSqlFunctionArgument;
        if (__builtin_add_overflow(begin, number.whole, &end))
            end = INT64_MAX;
    }
    for (int64_t at = 1; at < begin && rest.len > 0; at++)
        (void)str_next_char(&rest);
    text = rest;
    for (int64_t at = begin > 1 ? begin : 1; at < end && rest.len > 0; at++)
        (void)str_next_char(&rest);
    *ret_value = value_text(str_slice(text, 0, text.len - rest.len));
    return S3_OK;
}

/* ---- timestamps --------------------------------------------------------------------------------- */

/* A text is read as CAST reads it. */
static enum s3_error to_timestamp(const struct value *value, struct value *ret_value)
{
    if (value->type != VALUE_TEXT)
        return S3_IncorrectSqlFunctionArgumentType;
    return time_read(str_trim(value->text), ret_value) ? S3_OK : S3_ValueParseFailure;
}

static enum s3_error date_add(const struct sql_expr *call, const struct value *args,
                              struct value *ret_value)
{
    struct value quantity;

    if (!value_to_number(&args[0], &quantity) || quantity.type != VALUE_INT ||
        args[1].type != VALUE_TIME)
        return S3_IncorrectSqlFunctionArgumentType;
    return time_add(&args[1], call->part, quantity.whole, ret_value);
}

static enum s3_error of_timestamps(const struct sql_expr *call, const struct value *args,
                                   struct arena *arena, struct value *ret_value)
{
    struct str text;
    enum s3_error err;

    if (args[0].type != VALUE_TIME)
        return S3_IncorrectSqlFunctionArgumentType;
    if (call->op == SQL_EXTRACT) {
        *ret_value = value_int(time_extract(&args[0], call->part));
        return S3_OK;
    }
    if (args[1].type != (call->op == SQL_TO_STRING ? VALUE_TEXT : VALUE_TIME))
        return S3_IncorrectSqlFunctionArgumentType;
    if (call->op == SQL_DATE_DIFF) {
        *ret_value = value_int(time_diff(&args[0], &args[1], call->part));
        return S3_OK;
    }
    err = time_format(&args[0], args[1].text, arena, &text);
    if (err == S3_OK)
        *ret_value = value_text(text);
    return err;
}

/* ---- by name ------------------------------------------------------------------------------------ */

static enum s3_error of_text(const struct sql_expr *call, const struct value *args,
                             struct arena *arena, struct value *ret_value)
{
    struct str text;
    struct str characters = STR(" ");
    enum s3_error err;

    if (args[0].type != VALUE_TEXT)
        return S3_IncorrectSqlFunctionArgumentType;
    text = args[0].text;
    switch ((enum sql_function)call->op) {
    case SQL_CHAR_LENGTH:
        *ret_value = value_int(count_chars(text));
        return S3_OK;
    case SQL_LOWER:
    case SQL_UPPER:
        return change_case(text, call->op == SQL_UPPER, arena, ret_value);
    case SQL_TRIM:
        if (call->count == 2) {
            err = function_text(&args[1], arena, &characters);
            if (err != S3_OK)
                return err;
        }
        *ret_value = value_text(trim(text, characters, call->trim));
        return S3_OK;
    case SQL_SUBSTRING:
        return substring(text, args, call->count, ret_value);
    default:
        return S3_UnsupportedFunction;
    }
}

enum s3_error function_call(const struct sql_expr *call, const struct value *args,
                            struct arena *arena, struct value *ret_value)
{
    switch ((enum sql_function)call->op) {
    case SQL_TO_TIMESTAMP:
        return to_timestamp(&args[0], ret_value);
    case SQL_DATE_ADD:
        return date_add(call, args, ret_value);
    case SQL_TO_STRING:
    case SQL_DATE_DIFF:
    case SQL_EXTRACT:
        return of_timestamps(call, args, arena, ret_value);
    default:
        return of_text(call, args, arena, ret_value);
    }
}

/* ---- CAST --------------------------------------------------------------------------------------- */

static enum s3_error cast_bool(const struct value *value, struct value *ret_value)
{
    if (value->type == VALUE_BOOL)
        *ret_value = *value;
    else if (value_is_number(value))
        *ret_value = value_bool(value->real != 0);
    else if (value->type == VALUE_TEXT && str_eq_nocase(value->text, STR("true")))
        *ret_value = value_bool(true);
    else if (value->type == VALUE_TEXT && str_eq_nocase(value->text, STR("false")))
        *ret_value = value_bool(false);
    else
        return S3_CastFailed;
    return S3_OK;
}

/* What is behind the point falls away. */
static enum s3_error cast_int(const struct value *number, struct value *ret_value)
{
    double real = trunc(number->real);

    if (number->type == VALUE_INT) {
        *ret_value = value_int(number->whole);
        return S3_OK;
    }
    if (real < -0x1p63 || real >= 0x1p63)
        return S3_CastFailed;
    *ret_value = value_int((int64_t)real);
    return S3_OK;
}

enum s3_error function_cast(const struct value *value, enum sql_type type, struct arena *arena,
                            struct value *ret_value)
{
    struct value number = { 0 };
    struct str text;
    enum s3_error err;

    if (type == SQL_TYPE_BOOL)
        return cast_bool(value, ret_value);
    if (type == SQL_TYPE_TIMESTAMP) {
        *ret_value = *value;
        if (value->type == VALUE_TIME)
            return S3_OK;
        return value->type == VALUE_TEXT && time_read(str_trim(value->text), ret_value)
                   ? S3_OK
                   : S3_CastFailed;
    }
    if (type == SQL_TYPE_STRING) {
        err = function_text(value, arena, &text);
        if (err == S3_OK)
            *ret_value = value_text(text);
        return err;
    }
    if (value->type == VALUE_BOOL)
        number = value_int(value->truth);
    else if (!value_to_number(value, &number))
        return S3_CastFailed;
    if (type == SQL_TYPE_INT)
        return cast_int(&number, ret_value);
    *ret_value = type == SQL_TYPE_FLOAT ? value_real(number.real) : number;
    return S3_OK;
}

/* ---- arithmetic --------------------------------------------------------------------------------- */

static bool overflows(int op, int64_t a, int64_t b, int64_t *ret)
{
    switch (op) {
    case '+':
        return __builtin_add_overflow(a, b, ret);
    case '-':
        return __builtin_sub_overflow(a, b, ret);
    case '*':
        return __builtin_mul_overflow(a, b, ret);
    default:
        break;
    }
    if (b == -1) /* the one quotient that does not fit, and a remainder that traps */
        return op == '%' ? (*ret = 0, false) : __builtin_sub_overflow((int64_t)0, a, ret);
    *ret = op == '/' ? a / b : a % b;
    return false;
}

static double compute(int op, double a, double b)
{
    switch (op) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return a / b;
    default:
        return fmod(a, b);
    }
}

enum s3_error function_arithmetic(int op, const struct value *a, const struct value *b,
                                  struct value *ret_value)
{
    struct value left;
    struct value right;
    int64_t whole;
    double real;

    if (!value_to_number(a, &left) || !value_to_number(b, &right))
        return S3_IncorrectSqlFunctionArgumentType;
    if ((op == '/' || op == '%') && right.real == 0)
        return S3_IllegalSqlFunctionArgument;
    if (left.type == VALUE_INT && right.type == VALUE_INT) {
        if (overflows(op, left.whole, right.whole, &whole))
            return S3_IntegerOverflow;
        *ret_value = value_int(whole);
        return S3_OK;
    }
    real = compute(op, left.real, right.real);
    if (!isfinite(real))
        return S3_IllegalSqlFunctionArgument;
    *ret_value = value_real(real);
    return S3_OK;
}

/* ---- LIKE --------------------------------------------------------------------------------------- */

enum like { LIKE_ANY, LIKE_ONE, LIKE_SAME };

/* Take the next part of a pattern that is not empty. False: an escape with nothing to escape. */
static bool next_part(struct str *pattern, struct str escape, enum like *ret_kind,
                      struct str *ret_char)
{
    struct str rest = *pattern;
    bool escaped = str_present(escape) && str_starts(rest, escape);

    if (escaped) {
        rest = str_skip(rest, escape.len);
        if (rest.len == 0 || (rest.p[0] != '%' && rest.p[0] != '_' && !str_starts(rest, escape)))
            return false;
    }
    *ret_char = rest;
    (void)str_next_char(&rest);
    ret_char->len -= rest.len;
    *ret_kind = LIKE_SAME;
    if (!escaped && ret_char->p[0] == '%')
        *ret_kind = LIKE_ANY;
    else if (!escaped && ret_char->p[0] == '_')
        *ret_kind = LIKE_ONE;
    *pattern = rest;
    return true;
}

static enum s3_error check_pattern(struct str pattern, struct str escape)
{
    enum like kind;
    struct str one;

    if (str_present(escape) && count_chars(escape) != 1)
        return S3_LikeInvalidInputs;
    while (pattern.len > 0) {
        if (!next_part(&pattern, escape, &kind, &one))
            return S3_LikeInvalidInputs;
    }
    return S3_OK;
}

/* Back to the last % where it goes no further: that one alone can have taken too little. */
enum s3_error function_like(struct str text, struct str pattern, struct str escape, uint64_t *work,
                            bool *ret_matches)
{
    struct str again_text = STR_NONE;
    struct str again_pattern = STR_NONE;
    enum s3_error err = check_pattern(pattern, escape);

    if (err != S3_OK)
        return err;
    *ret_matches = false;
    while (text.len > 0 || pattern.len > 0) {
        enum like kind = LIKE_SAME;
        struct str one = STR_NONE;
        struct str rest = pattern;

        if (++*work > FUNCTION_WORK_MAX)
            return S3_UnsupportedSqlOperation;
        if (pattern.len > 0 && !next_part(&rest, escape, &kind, &one))
            return S3_LikeInvalidInputs;
        if (pattern.len > 0 && kind == LIKE_ANY) {
            again_text = text;
            again_pattern = pattern = rest;
        } else if (pattern.len > 0 && text.len > 0 && kind == LIKE_ONE) {
            (void)str_next_char(&text);
            pattern = rest;
        } else if (pattern.len > 0 && text.len > 0 && str_starts(text, one)) {
            text = str_skip(text, one.len);
            pattern = rest;
        } else if (str_present(again_text) && again_text.len > 0) {
            (void)str_next_char(&again_text);
            text = again_text;
            pattern = again_pattern;
        } else {
            return S3_OK;
        }
    }
    *ret_matches = true;
    return S3_OK;
}
