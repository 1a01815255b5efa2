/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words after a subcommand; see arguments.h.
 */
#include "server/commands/arguments.h"

#include "server/settings/nearest.h"

enum argument arguments_next(struct arguments *arguments, struct str *ret_text)
{
    struct str word = str_from_cstr(*arguments->next);
    struct str name;
    struct str value;

    if (!str_present(word))
        return ARGUMENT_END;

    arguments->next++;
    arguments->attached = STR_NONE;
    if (!arguments->operands_only && str_eq(word, STR("--"))) {
        arguments->operands_only = true;
        return arguments_next(arguments, ret_text);
    }
    if (arguments->operands_only || !str_starts(word, STR("-")) || word.len == 1) {
        *ret_text = word;
        return ARGUMENT_OPERAND;
    }

    if (str_starts(word, STR("--")) && str_cut(word, '=', &name, &value)) {
        word = name;
        arguments->attached = value;
    }
    *ret_text = word;
    return ARGUMENT_OPTION;
}

bool arguments_value(struct arguments *arguments, struct str option, struct str *ret_value,
                     struct fault *fault)
{
    struct str value = arguments->attached;

    if (!str_present(value)) {
        value = str_from_cstr(*arguments->next);
        if (!str_present(value))
            return fault_false(fault, "option %.*s needs a value", STR_ARG(option));
        arguments->next++;
    }

    *ret_value = value;
    return true;
}

bool arguments_no_value(struct arguments *arguments, struct str option, struct fault *fault)
{
    if (str_present(arguments->attached))
        return fault_false(fault, "option %.*s takes no value", STR_ARG(option));

    return true;
}

bool arguments_unknown(struct str option, const struct str *known, size_t count,
                       struct fault *fault)
{
    struct nearest nearest = NEAREST(option);

    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, known[i]);
    return fault_false(fault, "unknown option '%.*s'%s", STR_ARG(option), nearest_hint(&nearest));
}

bool arguments_ask_help(char *const *words)
{
    struct arguments arguments = ARGUMENTS(words);
    enum argument kind;
    struct str text;

    while ((kind = arguments_next(&arguments, &text)) != ARGUMENT_END) {
        if (kind == ARGUMENT_OPTION && (str_eq(text, STR("--help")) || str_eq(text, STR("-h"))))
            return true;
    }

    return false;
}
