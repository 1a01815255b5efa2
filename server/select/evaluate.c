/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions by kind, in the logic of three values. As deep as the tree, which is SQL_DEPTH_MAX at
 * most. See evaluate.h.
 */
#include "server/select/evaluate.h"

#define ARGS_MAX 3 /* of a function whose arguments are all computed first */

/* ---- paths -------------------------------------------------------------------------------------- */

struct value path_step(const struct value *from, const struct sql_step *step)
{
    const struct value missing = { .type = VALUE_MISSING };
    const struct value *to;
    size_t number;

    if (step->is_index)
        return from->type == VALUE_LIST && step->index < from->count ? from->items[step->index]
                                                                     : missing;
    to = value_member(from, step->name, !step->is_quoted);
    if (to != NULL)
        return *to;
    /* Columns of a record without names, and the value of one that is no record. */
    number = value_column_number(step->name);
    if (from->type == VALUE_STRUCT && from->names == NULL && number > 0 && number <= from->count)
        return from->items[number - 1];
    return missing;
}

static struct value path_value(const struct evaluation *in, const struct sql_expr *expr)
{
    struct value value = *in->record;

    if (expr->column > 0)
        return expr->column <= value.count ? value.items[expr->column - 1] : (struct value){ 0 };
    for (size_t i = 0; i < expr->path.count; i++)
        value = path_step(&value, &expr->path.steps[i]);
    return value;
}

/* ---- truth -------------------------------------------------------------------------------------- */

static void negate(struct value *value)
{
    if (value->type == VALUE_BOOL)
        value->truth = !value->truth;
}

/* AND ends at the first false, OR at the first true; what is no truth value is unknown. */
static enum s3_error logic(const struct evaluation *in, const struct sql_expr *expr,
                           struct value *ret_value)
{
    bool ends_with = expr->kind == SQL_OR;
    bool unknown = false;

    for (size_t i = 0; i < expr->count; i++) {
        struct value part;
        enum s3_error err = evaluate(in, expr->args[i], &part);

        if (err != S3_OK)
            return err;
        if (part.type == VALUE_BOOL && part.truth == ends_with) {
            *ret_value = part;
            return S3_OK;
        }
        unknown |= part.type != VALUE_BOOL;
    }
    *ret_value = unknown ? value_null() : value_bool(!ends_with);
    return S3_OK;
}

static bool holds(int op, int order)
{
    switch (op) {
    case SQL_EQ:
        return order == 0;
    case SQL_NE:
        return order != 0;
    case SQL_LT:
        return order < 0;
    case SQL_GT:
        return order > 0;
    case SQL_LE:
        return order <= 0;
    default:
        return order >= 0;
    }
}

/* Values of two kinds are not equal; which is greater is unknown. */
static struct value compare(int op, const struct value *a, const struct value *b)
{
    int order;

    if (value_unknown(a) || value_unknown(b))
        return value_null();
    if (value_compare(a, b, &order))
        return value_bool(holds(op, order));
    if (op == SQL_EQ || op == SQL_NE)
        return value_bool(op == SQL_NE);
    return value_null();
}

static enum s3_error between(const struct value args[3], struct value *ret_value)
{
    struct value low = compare(SQL_GE, &args[0], &args[1]);
    struct value high = compare(SQL_LE, &args[0], &args[2]);
    bool out = (low.type == VALUE_BOOL && !low.truth) || (high.type == VALUE_BOOL && !high.truth);

    *ret_value = value_null();
    if (out || (low.type == VALUE_BOOL && high.type == VALUE_BOOL))
        *ret_value = value_bool(!out);
    return S3_OK;
}

static enum s3_error in_list(const struct evaluation *in, const struct sql_expr *expr,
                             struct value *ret_value)
{
    struct value value;
    bool unknown = false;
    enum s3_error err = evaluate(in, expr->args[0], &value);

    for (size_t i = 1; err == S3_OK && i < expr->count; i++) {
        struct value item;
        struct value same;

        err = evaluate(in, expr->args[i], &item);
        if (err != S3_OK)
            break;
        same = compare(SQL_EQ, &value, &item);
        if (same.type == VALUE_BOOL && same.truth) {
            *ret_value = same;
            return S3_OK;
        }
        unknown |= same.type != VALUE_BOOL;
    }
    *ret_value = unknown ? value_null() : value_bool(false);
    return err;
}

static enum s3_error like(const struct evaluation *in, const struct value *args, size_t count,
                          struct value *ret_value)
{
    struct str escape = count == 3 ? args[2].text : STR_NONE;
    bool matches;
    enum s3_error err;

    for (size_t i = 0; i < count; i++) {
        if (args[i].type != VALUE_TEXT)
            return S3_LikeInvalidInputs;
    }
    err = function_like(args[0].text, args[1].text, escape, in->work, &matches);
    if (err == S3_OK)
        *ret_value = value_bool(matches);
    return err;
}

/* ---- choices ------------------------------------------------------------------------------------ */

static enum s3_error choose_case(const struct evaluation *in, const struct sql_expr *expr,
                                 struct value *ret_value)
{
    size_t first = expr->has_operand ? 1 : 0;
    size_t last = expr->count - (expr->has_else ? 1 : 0);
    struct value operand = { 0 };
    enum s3_error err = expr->has_operand ? evaluate(in, expr->args[0], &operand) : S3_OK;

    for (size_t i = first; err == S3_OK && i < last; i += 2) {
        struct value when;

        err = evaluate(in, expr->args[i], &when);
        if (err == S3_OK && expr->has_operand)
            when = compare(SQL_EQ, &operand, &when);
        if (err == S3_OK && when.type == VALUE_BOOL && when.truth)
            return evaluate(in, expr->args[i + 1], ret_value);
    }
    if (err == S3_OK && expr->has_else)
        return evaluate(in, expr->args[last], ret_value);
    *ret_value = value_null();
    return err;
}

static enum s3_error coalesce(const struct evaluation *in, const struct sql_expr *expr,
                              struct value *ret_value)
{
    for (size_t i = 0; i < expr->count; i++) {
        enum s3_error err = evaluate(in, expr->args[i], ret_value);

        if (err != S3_OK || !value_unknown(ret_value))
            return err;
    }
    *ret_value = value_null();
    return S3_OK;
}

/* ---- kinds whose arguments are computed first --------------------------------------------------- */

static enum s3_error concat(const struct evaluation *in, const struct value args[2],
                            struct value *ret_value)
{
    char *out;

    if (args[0].type != VALUE_TEXT || args[1].type != VALUE_TEXT)
        return S3_IncorrectSqlFunctionArgumentType;
    if (args[0].text.len + args[1].text.len > VALUE_RECORD_BYTES_MAX)
        return S3_OverMaxRecordSize;
    out = arena_alloc(in->arena, args[0].text.len + args[1].text.len + 1);
    if (out == NULL)
        return S3_OverMaxRecordSize;
    memcpy(out, args[0].text.p, args[0].text.len);
    memcpy(out + args[0].text.len, args[1].text.p, args[1].text.len);
    *ret_value = value_text(str_make(out, args[0].text.len + args[1].text.len));
    return S3_OK;
}

static enum s3_error arithmetic(const struct sql_expr *expr, const struct value *args,
                                struct value *ret_value)
{
    const struct value zero = value_int(0);

    if (expr->count == 1)
        return function_arithmetic('-', &zero, &args[0], ret_value);
    return function_arithmetic(expr->op, &args[0], &args[1], ret_value);
}

/* None of the arguments is unknown. */
static enum s3_error apply(const struct evaluation *in, const struct sql_expr *expr,
                           const struct value *args, struct value *ret_value)
{
    switch (expr->kind) {
    case SQL_NOT:
        *ret_value = args[0].type == VALUE_BOOL ? args[0] : value_null();
        negate(ret_value);
        return S3_OK;
    case SQL_LIKE:
        return like(in, args, expr->count, ret_value);
    case SQL_ARITHMETIC:
        return arithmetic(expr, args, ret_value);
    case SQL_CONCAT:
        return concat(in, args, ret_value);
    case SQL_CAST:
        return function_cast(&args[0], (enum sql_type)expr->op, in->arena, ret_value);
    default:
        break;
    }
    if (expr->kind == SQL_CALL && expr->op == SQL_UTCNOW) {
        *ret_value = time_of_us(in->now_us);
        return S3_OK;
    }
    return function_call(expr, args, in->arena, ret_value);
}

static enum s3_error nullif(const struct value args[2], struct value *ret_value)
{
    struct value same = compare(SQL_EQ, &args[0], &args[1]);

    *ret_value = same.type == VALUE_BOOL && same.truth ? value_null() : args[0];
    return S3_OK;
}

static enum s3_error of_arguments(const struct evaluation *in, const struct sql_expr *expr,
                                  struct value *ret_value)
{
    struct value args[ARGS_MAX] = { 0 };
    bool unknown = false;

    for (size_t i = 0; i < expr->count; i++) {
        enum s3_error err = evaluate(in, expr->args[i], &args[i]);

        if (err != S3_OK)
            return err;
        unknown |= value_unknown(&args[i]);
        *in->work += args[i].text.len;
    }
    switch (expr->kind) {
    case SQL_COMPARE:
        *ret_value = compare(expr->op, &args[0], &args[1]);
        return S3_OK;
    case SQL_BETWEEN:
        return between(args, ret_value);
    case SQL_IS_NULL:
        /* What is missing is null too. */
        *ret_value = value_bool(unknown);
        return S3_OK;
    case SQL_IS_MISSING:
        *ret_value = value_bool(args[0].type == VALUE_MISSING);
        return S3_OK;
    default:
        break;
    }
    if (expr->kind == SQL_CALL && expr->op == SQL_NULLIF)
        return nullif(args, ret_value);
    if (unknown) {
        *ret_value = value_null();
        return S3_OK;
    }
    return apply(in, expr, args, ret_value);
}

/* ---- aggregates --------------------------------------------------------------------------------- */

static enum s3_error result(const struct evaluation *in, const struct sql_expr *expr,
                            struct value *ret_value)
{
    const struct aggregate *aggregate;
    struct value count;

    if (in->aggregates == NULL)
        return S3_UnsupportedSqlStructure;
    aggregate = &in->aggregates[expr->slot];
    count = value_real((double)aggregate->count);
    if (expr->op == SQL_COUNT)
        *ret_value = value_int((int64_t)aggregate->count);
    else if (aggregate->count == 0)
        *ret_value = value_null();
    else if (expr->op == SQL_AVG)
        return function_arithmetic('/', &aggregate->value, &count, ret_value);
    else
        *ret_value = aggregate->value;
    return S3_OK;
}

static enum s3_error take_number(int op, const struct value *value, struct aggregate *aggregate)
{
    struct value number;
    int order;

    if (!value_to_number(value, &number))
        return S3_IncorrectSqlFunctionArgumentType;
    number.text = STR_NONE; /* it is the record's */
    if (aggregate->count == 0) {
        aggregate->value = number;
        return S3_OK;
    }
    if (op == SQL_SUM || op == SQL_AVG)
        return function_arithmetic('+', &aggregate->value, &number, &aggregate->value);
    if (value_compare(&number, &aggregate->value, &order) &&
        (op == SQL_MIN ? order < 0 : order > 0))
        aggregate->value = number;
    return S3_OK;
}

enum s3_error evaluate_aggregates(const struct evaluation *in, const struct sql_expr *expr,
                                  struct aggregate *aggregates)
{
    struct aggregate *aggregate = &aggregates[expr->slot];
    struct value value = value_bool(true);
    enum s3_error err = S3_OK;

    if (expr->kind != SQL_AGGREGATE) {
        for (size_t i = 0; err == S3_OK && i < expr->count; i++)
            err = evaluate_aggregates(in, expr->args[i], aggregates);
        return err;
    }
    if (expr->count == 1)
        err = evaluate(in, expr->args[0], &value);
    if (err != S3_OK || value_unknown(&value))
        return err;
    if (expr->op != SQL_COUNT)
        err = take_number(expr->op, &value, aggregate);
    if (err == S3_OK)
        aggregate->count++;
    return err;
}

/* ---- all ---------------------------------------------------------------------------------------- */

enum s3_error evaluate(const struct evaluation *in, const struct sql_expr *expr,
                       struct value *ret_value)
{
    enum s3_error err;

    if (++*in->work > EVALUATE_WORK_MAX)
        return S3_UnsupportedSqlOperation;
    switch (expr->kind) {
    case SQL_LITERAL:
        *ret_value = expr->literal;
        return S3_OK;
    case SQL_PATH:
        *ret_value = path_value(in, expr);
        return S3_OK;
    case SQL_AND:
    case SQL_OR:
        return logic(in, expr, ret_value);
    case SQL_CASE:
        return choose_case(in, expr, ret_value);
    case SQL_AGGREGATE:
        return result(in, expr, ret_value);
    case SQL_IN:
        err = in_list(in, expr, ret_value);
        break;
    case SQL_CALL:
        if (expr->op == SQL_COALESCE)
            return coalesce(in, expr, ret_value);
        return of_arguments(in, expr, ret_value);
    default:
        err = of_arguments(in, expr, ret_value);
        break;
    }
    if (err == S3_OK && expr->negated)
        negate(ret_value);
    return err;
}

enum s3_error evaluate_is_true(const struct evaluation *in, const struct sql_expr *expr,
                               bool *ret_true)
{
    struct value value;
    enum s3_error err = evaluate(in, expr, &value);

    if (err == S3_OK)
        *ret_true = value.type == VALUE_BOOL && value.truth;
    return err;
}
