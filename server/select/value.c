/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values: reading numbers, comparing, writing. Pure. See value.h.
 */
#include "server/select/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text/text.h"
#include "server/select/timestamp.h"

#define NUMBER_BYTES_MAX 400 /* written longer it is no number */
#define COLUMN_DIGITS_MAX 9

/* ---- numbers ------------------------------------------------------------------------------------ */

static size_t skip_digits(struct str text, size_t at)
{
    while (at < text.len && text.p[at] >= '0' && text.p[at] <= '9')
        at++;
    return at;
}

/* Where the digits, the point and the exponent end; 0: there is no number. */
static size_t number_end(struct str text, bool *ret_is_whole)
{
    size_t begin = text.len > 0 && (text.p[0] == '-' || text.p[0] == '+') ? 1 : 0;
    size_t at = skip_digits(text, begin);
    size_t digits = at - begin;
    size_t exponent;

    *ret_is_whole = true;
    if (at < text.len && text.p[at] == '.') {
        size_t end = skip_digits(text, at + 1);

        digits += end - at - 1;
        at = end;
        *ret_is_whole = false;
    }
    if (digits == 0)
        return 0;
    if (at == text.len || (text.p[at] != 'e' && text.p[at] != 'E'))
        return at;
    *ret_is_whole = false;
    exponent = at + 1;
    if (exponent < text.len && (text.p[exponent] == '-' || text.p[exponent] == '+'))
        exponent++;
    at = skip_digits(text, exponent);
    return at > exponent ? at : 0;
}

/* False: more than 64 bits hold. */
static bool read_whole(struct str text, int64_t *ret_whole)
{
    bool negative = text.p[0] == '-';
    uint64_t magnitude;

    if (!str_to_u64(str_skip(text, negative || text.p[0] == '+'), &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_whole = negative ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
    if (magnitude == 0)
        *ret_whole = 0;
    return true;
}

bool value_read_number(struct str text, struct value *ret_value)
{
    char digits[NUMBER_BYTES_MAX + 1];
    struct value value = { .type = VALUE_REAL, .text = text };
    bool is_whole;

    if (text.len == 0 || text.len > NUMBER_BYTES_MAX || number_end(text, &is_whole) != text.len)
        return false;
    if (is_whole && read_whole(text, &value.whole)) {
        value.type = VALUE_INT;
        value.real = (double)value.whole;
    } else {
        memcpy(digits, text.p, text.len);
        digits[text.len] = '\0';
        value.real = strtod(digits, NULL);
        if (!isfinite(value.real))
            return false;
    }
    *ret_value = value;
    return true;
}

bool value_to_number(const struct value *value, struct value *ret_number)
{
    if (value->type == VALUE_TEXT)
        return value_read_number(str_trim(value->text), ret_number);
    if (!value_is_number(value))
        return false;
    *ret_number = *value;
    return true;
}

/* ---- order -------------------------------------------------------------------------------------- */

static int compare_numbers(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_INT && b->type == VALUE_INT)
        return (a->whole > b->whole) - (a->whole < b->whole);
    return (a->real > b->real) - (a->real < b->real);
}

bool value_compare(const struct value *a, const struct value *b, int *ret_order)
{
    struct value left;
    struct value right;

    if (a->type == VALUE_TEXT && b->type == VALUE_TEXT) {
        *ret_order = str_compare(a->text, b->text);
        return true;
    }
    if (a->type == VALUE_TIME && b->type == VALUE_TIME) {
        *ret_order = (a->whole > b->whole) - (a->whole < b->whole);
        if (*ret_order == 0)
            *ret_order = (a->time.nanos > b->time.nanos) - (a->time.nanos < b->time.nanos);
        return true;
    }
    if (a->type == VALUE_BOOL && b->type == VALUE_BOOL) {
        *ret_order = a->truth - b->truth;
        return true;
    }
    if (!value_to_number(a, &left) || !value_to_number(b, &right))
        return false;
    *ret_order = compare_numbers(&left, &right);
    return true;
}

/* ---- members ------------------------------------------------------------------------------------ */

size_t value_column_number(struct str name)
{
    uint64_t number;

    if (name.len < 2 || name.len > 1 + COLUMN_DIGITS_MAX || name.p[0] != '_' ||
        !str_to_u64(str_skip(name, 1), &number))
        return 0;
    return (size_t)number;
}

const struct value *value_member(const struct value *value, struct str name, bool nocase)
{
    if (value->type != VALUE_STRUCT || value->names == NULL)
        return NULL;
    for (size_t i = 0; i < value->count; i++) {
        if (str_eq(value->names[i], name) || (nocase && str_eq_nocase(value->names[i], name)))
            return &value->items[i];
    }
    return NULL;
}

/* ---- writing ------------------------------------------------------------------------------------ */

/* The shortest digits that read as the same number. */
static void write_real(struct buf *out, double real)
{
    char digits[40];

    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof(digits), "%.*g", precision, real);
        if (strtod(digits, NULL) == real)
            break;
    }
    buf_str(out, str_from_cstr(digits));
}

static void write_number(struct buf *out, const struct value *value)
{
    if (str_present(value->text))
        buf_str(out, value->text);
    else if (value->type == VALUE_INT)
        buf_printf(out, "%lld", (long long)value->whole);
    else
        write_real(out, value->real);
}

static void write_name(struct buf *out, const struct value *value, size_t at)
{
    if (value->names == NULL)
        buf_printf(out, "\"_%zu\"", at + 1);
    else
        text_json(out, value->names[at]);
    buf_char(out, ':');
}

/* As deep as the value, which is VALUE_DEPTH_MAX at most. */
void value_write_json(struct buf *out, const struct value *value)
{
    bool first = true;

    switch (value->type) {
    case VALUE_MISSING:
    case VALUE_NULL:
        buf_lit(out, "null");
        return;
    case VALUE_BOOL:
        buf_str(out, value->truth ? STR("true") : STR("false"));
        return;
    case VALUE_INT:
    case VALUE_REAL:
        write_number(out, value);
        return;
    case VALUE_TEXT:
        text_json(out, value->text);
        return;
    case VALUE_TIME:
        buf_char(out, '"');
        time_write(out, value);
        buf_char(out, '"');
        return;
    case VALUE_LIST:
    case VALUE_STRUCT:
        break;
    }
    buf_char(out, value->type == VALUE_LIST ? '[' : '{');
    for (size_t i = 0; i < value->count; i++) {
        if (value->items[i].type == VALUE_MISSING)
            continue;
        if (!first)
            buf_char(out, ',');
        first = false;
        if (value->type == VALUE_STRUCT)
            write_name(out, value, i);
        value_write_json(out, &value->items[i]);
    }
    buf_char(out, value->type == VALUE_LIST ? ']' : '}');
}

void value_write_text(struct buf *out, const struct value *value)
{
    if (value->type == VALUE_TEXT)
        buf_str(out, value->text);
    else if (value->type == VALUE_TIME)
        time_write(out, value);
    else if (!value_unknown(value))
        value_write_json(out, value);
}
