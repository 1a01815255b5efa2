/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions: operators, quantifiers, and what a missing key means.
 *
 * (1) All conditions of a statement must hold; of one condition's values one must match, and of a
 *     negated operator's none.
 * (2) A key that the request has not fails a condition, but one of a negated operator, of IfExists and of
 *     ForAllValues, which hold then.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/policy/internal.h"

#define IF_EXISTS STR("IfExists")
#define FOR_ANY STR("ForAnyValue:")
#define FOR_ALL STR("ForAllValues:")
#define NUMBER_BYTES_MAX 64
#define ADDRESS_BYTES_MAX 64

/* Does one value of the request match one of the policy? */
typedef bool match_function(const struct condition *condition, const struct pattern *wanted,
                            struct str value, const struct policy_question *question);

struct operation {
    struct str name;
    match_function *match;
    unsigned form; /* enum pattern_form */
    int order;     /* of numbers and dates: < 0, 0, > 0 */
    bool or_equal; /* ... */
    bool negated;
    bool is_null;
};

/* ---- matching one value ---------------------------------------------------------------------- */

static bool match_text(const struct condition *condition, const struct pattern *wanted,
                       struct str value, const struct policy_question *question)
{
    return pattern_matches(wanted, value, (condition->operation->form & PATTERN_NO_CASE) != 0,
                           question);
}

static bool match_bool(const struct condition *condition UNUSED, const struct pattern *wanted,
                       struct str value, const struct policy_question *question)
{
    return pattern_matches(wanted, value, /* no_case= */ true, question);
}

static bool ordered(const struct operation *operation, int order)
{
    if (order == 0)
        return operation->order == 0 || operation->or_equal;
    return operation->order != 0 && (order < 0) == (operation->order < 0);
}

static bool read_number(struct str text, double *ret_number)
{
    char copy[NUMBER_BYTES_MAX];
    char *end;

    if (text.len == 0 || text.len >= sizeof(copy) ||
        (!strchr("+-.", text.p[0]) && (text.p[0] < '0' || text.p[0] > '9')))
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    *ret_number = strtod(copy, &end);
    return *end == '\0';
}

static bool match_number(const struct condition *condition, const struct pattern *wanted,
                         struct str value, const struct policy_question *question UNUSED)
{
    double a;
    double b;

    return read_number(value, &a) && read_number(wanted->source, &b) &&
           ordered(condition->operation, a < b ? -1 : a > b);
}

/* ISO 8601, or seconds since 1970. */
static bool read_time(struct str text, int64_t *ret_us)
{
    double seconds;

    if (clock_parse_iso8601(text, ret_us))
        return true;
    if (!read_number(text, &seconds) || seconds < -1e11 || seconds > 1e11)
        return false;
    *ret_us = (int64_t)(seconds * (double)US_PER_S);
    return true;
}

static bool match_time(const struct condition *condition, const struct pattern *wanted,
                       struct str value, const struct policy_question *question UNUSED)
{
    int64_t a;
    int64_t b;

    return read_time(value, &a) && read_time(wanted->source, &b) &&
           ordered(condition->operation, a < b ? -1 : a > b);
}

struct address {
    unsigned char bytes[16]; /* IPv4 is mapped */
    bool v4;
};

static bool read_address(struct str text, struct address *ret_address)
{
    char copy[ADDRESS_BYTES_MAX];

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    memset(ret_address->bytes, 0, 10);
    ret_address->bytes[10] = ret_address->bytes[11] = 0xff;
    ret_address->v4 = inet_pton(AF_INET, copy, ret_address->bytes + 12) == 1;
    return ret_address->v4 || inet_pton(AF_INET6, copy, ret_address->bytes) == 1;
}

static bool read_block(struct str text, struct address *ret_address, unsigned *ret_bits)
{
    struct str base;
    struct str bits;
    uint64_t number;
    bool has_bits = str_cut(text, '/', &base, &bits);

    if (!read_address(base, ret_address))
        return false;
    number = ret_address->v4 ? 32 : 128;
    if (has_bits && (!str_to_u64(bits, &number) || number > (ret_address->v4 ? 32u : 128u)))
        return false;
    *ret_bits = (unsigned)number + (ret_address->v4 ? 96u : 0u);
    return true;
}

static bool match_address(const struct condition *condition UNUSED, const struct pattern *wanted,
                          struct str value, const struct policy_question *question UNUSED)
{
    struct address block;
    struct address address;
    unsigned bits;

    if (!read_block(wanted->source, &block, &bits) || !read_address(value, &address))
        return false;
    for (unsigned i = 0; i < bits; i++) {
        unsigned mask = 0x80u >> i % 8;

        if ((block.bytes[i / 8] & mask) != (address.bytes[i / 8] & mask))
            return false;
    }
    return true;
}

/* ---- operators ------------------------------------------------------------------------------- */

#define VALUES PATTERN_VARIABLES
#define WILD (PATTERN_VARIABLES | PATTERN_WILD)
static const struct operation operations[] = {
    { STR_INIT("StringEquals"), match_text, VALUES, 0, false, false, false },
    { STR_INIT("StringNotEquals"), match_text, VALUES, 0, false, true, false },
    { STR_INIT("StringEqualsIgnoreCase"), match_text, VALUES | PATTERN_NO_CASE, 0, false, false,
      false },
    { STR_INIT("StringNotEqualsIgnoreCase"), match_text, VALUES | PATTERN_NO_CASE, 0, false, true,
      false },
    { STR_INIT("StringLike"), match_text, WILD, 0, false, false, false },
    { STR_INIT("StringNotLike"), match_text, WILD, 0, false, true, false },
    { STR_INIT("NumericEquals"), match_number, 0, 0, true, false, false },
    { STR_INIT("NumericNotEquals"), match_number, 0, 0, true, true, false },
    { STR_INIT("NumericLessThan"), match_number, 0, -1, false, false, false },
    { STR_INIT("NumericLessThanEquals"), match_number, 0, -1, true, false, false },
    { STR_INIT("NumericGreaterThan"), match_number, 0, 1, false, false, false },
    { STR_INIT("NumericGreaterThanEquals"), match_number, 0, 1, true, false, false },
    { STR_INIT("DateEquals"), match_time, 0, 0, true, false, false },
    { STR_INIT("DateNotEquals"), match_time, 0, 0, true, true, false },
    { STR_INIT("DateLessThan"), match_time, 0, -1, false, false, false },
    { STR_INIT("DateLessThanEquals"), match_time, 0, -1, true, false, false },
    { STR_INIT("DateGreaterThan"), match_time, 0, 1, false, false, false },
    { STR_INIT("DateGreaterThanEquals"), match_time, 0, 1, true, false, false },
    { STR_INIT("Bool"), match_bool, VALUES, 0, false, false, false },
    { STR_INIT("BinaryEquals"), match_text, 0, 0, false, false, false },
    { STR_INIT("IpAddress"), match_address, 0, 0, false, false, false },
    { STR_INIT("NotIpAddress"), match_address, 0, 0, false, true, false },
    { STR_INIT("ArnEquals"), match_text, WILD, 0, false, false, false },
    { STR_INIT("ArnLike"), match_text, WILD, 0, false, false, false },
    { STR_INIT("ArnNotEquals"), match_text, WILD, 0, false, true, false },
    { STR_INIT("ArnNotLike"), match_text, WILD, 0, false, true, false },
    { STR_INIT("Null"), match_bool, 0, 0, false, false, true },
};

static bool read_operator(struct str text, struct condition *condition)
{
    if (str_starts(text, FOR_ANY)) {
        condition->quantifier = QUANTIFIER_ANY;
        text = str_skip(text, FOR_ANY.len);
    } else if (str_starts(text, FOR_ALL)) {
        condition->quantifier = QUANTIFIER_ALL;
        text = str_skip(text, FOR_ALL.len);
    }
    if (str_ends(text, IF_EXISTS)) {
        condition->if_exists = true;
        text.len -= IF_EXISTS.len;
    }
    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        if (str_eq(operations[i].name, text))
            condition->operation = &operations[i];
    }
    return condition->operation != NULL && !(condition->operation->is_null && condition->if_exists);
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* true, false and numbers are taken without quotes, too. */
static struct str text_of(struct parsing *parsing, const json_t *json)
{
    if (json_is_boolean(json))
        return json_is_true(json) ? STR("true") : STR("false");
    if (json_is_integer(json))
        return arena_printf(parsing->arena, "%lld", (long long)json_integer_value(json));
    if (json_is_real(json))
        return arena_printf(parsing->arena, "%.17g", json_real_value(json));
    return policy_text(parsing, json);
}

static bool value_is_good(const struct condition *condition, const struct pattern *value)
{
    struct address address;
    unsigned bits;
    double number;
    int64_t us;

    if (condition->operation->match == match_address)
        return read_block(value->source, &address, &bits);
    if (condition->operation->match == match_number)
        return read_number(value->source, &number);
    if (condition->operation->match == match_time)
        return read_time(value->source, &us);
    if (condition->operation->is_null)
        return str_eq_nocase(value->source, STR("true")) ||
               str_eq_nocase(value->source, STR("false"));
    return true;
}

static bool values_parse(struct parsing *parsing, const json_t *json, struct condition *condition)
{
    size_t count = json_is_array(json) ? json_array_size(json) : 1;
    unsigned form = condition->operation->form;

    if (!parsing->has_variables)
        form &= ~(unsigned)PATTERN_VARIABLES;
    condition->values = arena_array(parsing->arena, count + 1, sizeof(*condition->values));
    if (condition->values == NULL)
        return policy_no_memory(parsing);
    for (; condition->count < count; condition->count++) {
        struct pattern *value = &condition->values[condition->count];
        struct str text =
            text_of(parsing, json_is_array(json) ? json_array_get(json, condition->count) : json);

        if (!str_present(text) || !pattern_compile(text, form, parsing->arena, value) ||
            !value_is_good(condition, value))
            return policy_wrong(parsing, STR("Invalid policy syntax."));
    }
    return true;
}

static size_t conditions_in(const json_t *json)
{
    size_t count = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)json, name, value) count += json_object_size(value);
    return count;
}

static bool block_parse(struct parsing *parsing, struct str name, const json_t *keys,
                        struct statement *statement)
{
    const char *key;
    json_t *value;

    if (!json_is_object(keys))
        return policy_wrong(parsing, STR("Invalid policy syntax."));
    json_object_foreach((json_t *)(uintptr_t)keys, key, value)
    {
        struct condition *condition = &statement->conditions[statement->condition_count++];

        *condition = (struct condition){ .key = arena_dup(parsing->arena, str_from_cstr(key)) };
        if (!str_present(condition->key))
            return policy_no_memory(parsing);
        if (!read_operator(name, condition))
            return policy_wrong(parsing,
                                arena_printf(parsing->arena, "Invalid Condition type : %.*s",
                                             STR_ARG(str_slice(name, 0, 64))));
        if (str_find_char(condition->key, ':') == SIZE_MAX)
            return policy_wrong(parsing, STR("Policy has an invalid condition key"));
        if (!values_parse(parsing, value, condition))
            return false;
    }
    return true;
}

bool conditions_parse(struct parsing *parsing, const json_t *json, struct statement *statement)
{
    const char *name;
    json_t *keys;

    if (json == NULL)
        return true;
    if (!json_is_object(json))
        return policy_wrong(parsing, STR("Invalid policy syntax."));
    statement->conditions =
        arena_array(parsing->arena, conditions_in(json) + 1, sizeof(*statement->conditions));
    if (statement->conditions == NULL)
        return policy_no_memory(parsing);
    json_object_foreach((json_t *)(uintptr_t)json, name, keys)
    {
        if (!block_parse(parsing, str_from_cstr(name), keys, statement))
            return false;
    }
    return true;
}

/* ---- evaluating ------------------------------------------------------------------------------ */

static bool one_of(const struct condition *condition, struct str value,
                   const struct policy_question *question)
{
    for (size_t i = 0; i < condition->count; i++) {
        if (condition->operation->match(condition, &condition->values[i], value, question))
            return true;
    }
    return false;
}

/* How many of the request's values the condition is content with. */
static size_t content_with(const struct condition *condition, const struct policy_values *values,
                           const struct policy_question *question)
{
    size_t count = 0;

    for (size_t i = 0; i < values->count; i++)
        count += one_of(condition, values->values[i], question) != condition->operation->negated;
    return count;
}

static bool condition_holds(const struct condition *condition,
                            const struct policy_question *question)
{
    struct policy_values values = { 0 };
    bool present = question->look_up(question->context, condition->key, &values) &&
                   values.count > 0;
    size_t content;

    if (condition->operation->is_null)
        return one_of(condition, present ? STR("false") : STR("true"), question);
    if (!present && (condition->if_exists || condition->quantifier == QUANTIFIER_ALL))
        return true;
    if (!present)
        return condition->operation->negated && condition->quantifier == QUANTIFIER_NONE;
    content = content_with(condition, &values, question);
    /* Without a quantifier: one of a positive operator's, all of a negated one's. */
    if (condition->quantifier == QUANTIFIER_ALL ||
        (condition->quantifier == QUANTIFIER_NONE && condition->operation->negated))
        return content == values.count;
    return content > 0;
}

bool conditions_hold(const struct statement *statement, const struct policy_question *question)
{
    for (size_t i = 0; i < statement->condition_count; i++) {
        if (!condition_holds(&statement->conditions[i], question))
            return false;
    }
    return true;
}

/* ---- the public ------------------------------------------------------------------------------ */

#define PUBLIC_V4_BITS 8 /* wider blocks of addresses are everybody */
#define PUBLIC_V6_BITS 32

static bool tells_callers_apart(struct str key)
{
    static const struct str keys[] = {
        STR_INIT("aws:PrincipalAccount"),
        STR_INIT("aws:PrincipalArn"),
        STR_INIT("aws:PrincipalOrgID"),
        STR_INIT("aws:PrincipalOrgPaths"),
        STR_INIT("aws:SourceAccount"),
        STR_INIT("aws:SourceArn"),
        STR_INIT("aws:SourceOrgID"),
        STR_INIT("aws:SourceOrgPaths"),
        STR_INIT("aws:SourceOwner"),
        STR_INIT("aws:SourceVpc"),
        STR_INIT("aws:SourceVpce"),
        STR_INIT("aws:userid"),
        STR_INIT("s3:DataAccessPointAccount"),
        STR_INIT("s3:DataAccessPointArn"),
        STR_INIT("s3:x-amz-server-side-encryption-aws-kms-key-id"),
    };

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (str_eq_nocase(keys[i], key))
            return true;
    }
    return false;
}

static bool block_is_narrow(const struct pattern *value)
{
    struct address address;
    unsigned bits;

    if (!read_block(value->source, &address, &bits))
        return false;
    return address.v4 ? bits - 96 >= PUBLIC_V4_BITS : bits >= PUBLIC_V6_BITS;
}

static bool fixes_callers(const struct condition *condition)
{
    const struct operation *operation = condition->operation;
    bool addresses = operation->match == match_address &&
                     str_eq_nocase(condition->key, STR("aws:SourceIp"));
    bool texts = operation->match == match_text && tells_callers_apart(condition->key);

    if (operation->negated || condition->if_exists || condition->count == 0 ||
        condition->quantifier == QUANTIFIER_ALL || (!addresses && !texts))
        return false;
    for (size_t i = 0; i < condition->count; i++) {
        if (addresses ? !block_is_narrow(&condition->values[i])
                      : !pattern_is_fixed(&condition->values[i]))
            return false;
    }
    return true;
}

bool conditions_fix_callers(const struct statement *statement)
{
    for (size_t i = 0; i < statement->condition_count; i++) {
        if (fixes_callers(&statement->conditions[i]))
            return true;
    }
    return false;
}
