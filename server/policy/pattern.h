/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns: texts of a policy with wildcards and variables, and whether a value is one of theirs.
 */
#ifndef SERVER_POLICY_PATTERN_H
#define SERVER_POLICY_PATTERN_H

#include "server/policy/policy.h"

enum piece_kind { PIECE_TEXT, PIECE_ANY, PIECE_ONE, PIECE_VARIABLE };

struct piece {
    enum piece_kind kind;
    struct str text;   /* TEXT; VARIABLE: the key's name */
    struct str preset; /* VARIABLE: its default; STR_NONE: it has none */
};

struct pattern {
    const struct piece *pieces;
    size_t count;
    struct str source; /* as it stands in the document */
};

enum pattern_form {
    PATTERN_PLAIN = 0,
    PATTERN_WILD = 1,      /* '*' and '?' */
    PATTERN_VARIABLES = 2, /* ${...}: of version 2012-10-17 */
    PATTERN_NO_CASE = 4,
};

/* text is borrowed for the arena's life. False: no memory, or a variable without an end. */
MUST_CHECK bool pattern_compile(struct str text, unsigned form, struct arena *arena,
                                struct pattern *ret_pattern);

/* A variable that the request has not, and that has no default, matches nothing. */
MUST_CHECK bool pattern_matches(const struct pattern *pattern, struct str value, bool no_case,
                                const struct policy_question *question);

/* Without wildcards and variables. */
bool pattern_is_fixed(const struct pattern *pattern);

#endif
