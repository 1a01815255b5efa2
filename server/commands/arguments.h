/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words after a subcommand, one at a time: options "--name", "--name=value", and operands.
 *
 * No abbreviations: a script that works must go on working when an option is added. "--" ends the
 * options; a lone "-" is an operand. One thread.
 */
#ifndef SERVER_COMMANDS_ARGUMENTS_H
#define SERVER_COMMANDS_ARGUMENTS_H

#include "base/fault.h"
#include "base/text/str.h"

struct arguments {
    char *const *next; /* ended by NULL */
    bool operands_only;
    struct str attached; /* the value of "--name=value", until asked for */
};

#define ARGUMENTS(words) ((struct arguments){ .next = (words) })

enum argument { ARGUMENT_END, ARGUMENT_OPTION, ARGUMENT_OPERAND };

/* ret_text: the option with its dashes, or the operand; borrowed from the words. */
enum argument arguments_next(struct arguments *arguments, struct str *ret_text);

/* The value of the option just read: attached to it, or the next word. */
MUST_CHECK bool arguments_value(struct arguments *arguments, struct str option,
                                struct str *ret_value, struct fault *fault);

/* For an option that takes no value: false when it was given one. */
MUST_CHECK bool arguments_no_value(struct arguments *arguments, struct str option,
                                   struct fault *fault);

/*
 * For an option that is none of those, with the nearest of them. Returns false.
 */
MUST_CHECK bool arguments_unknown(struct str option, const struct str *known, size_t count,
                                  struct fault *fault);

/* True when --help or -h is among the options. */
bool arguments_ask_help(char *const *words);

#endif
