/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as the files of this folder see it; the others include policy.h.
 */
#ifndef SERVER_POLICY_INTERNAL_H
#define SERVER_POLICY_INTERNAL_H

#include <jansson.h>

#include "server/policy/pattern.h"

#define POLICY_DEPTH_MAX 10

struct patterns {
    struct pattern *list;
    size_t count;
    bool negated; /* NotAction, NotResource */
};

/* ---- principals ------------------------------------------------------------------------------ */

enum named_kind {
    NAMED_EVERYBODY,
    NAMED_ACCOUNT,
    NAMED_ARN,
    NAMED_CANONICAL_USER,
    NAMED_SERVICE,
    NAMED_OTHER,
};

struct named {
    enum named_kind kind;
    struct str text; /* account id, ARN, canonical id or name */
};

struct principals {
    struct named *list;
    size_t count;
    bool negated; /* NotPrincipal */
};

/* ---- conditions ------------------------------------------------------------------------------ */

enum quantifier { QUANTIFIER_NONE = 0, QUANTIFIER_ANY, QUANTIFIER_ALL };

struct operation; /* a row of the table in condition.c */

struct condition {
    const struct operation *operation;
    enum quantifier quantifier;
    bool if_exists;
    struct str key;
    struct pattern *values;
    size_t count;
};

/* ---- statements ------------------------------------------------------------------------------ */

struct statement {
    struct str sid;
    bool denies;
    bool has_principals;
    struct principals principals;
    struct patterns actions;
    struct patterns resources; /* POLICY_OF_TRUST: none */
    struct condition *conditions;
    size_t condition_count;
};

struct policy {
    struct statement *statements;
    size_t count;
};

/* ---- parsing (reading.c) --------------------------------------------------------------------- */

struct parsing {
    const struct policy_place *place;
    struct arena *arena;
    bool has_variables; /* version 2012-10-17 */
    struct str problem; /* the first; STR_NONE */
    bool failed;        /* a problem, or no memory */
};

/* Remembers the first problem (text: of the arena, or static). Returns false. */
bool policy_wrong(struct parsing *parsing, struct str problem);
bool policy_no_memory(struct parsing *parsing); /* returns false */
/* A copy in the arena; STR_NONE: it is no string, or no memory. */
struct str policy_text(struct parsing *parsing, const json_t *json);
/* One string, or a list of at least one: how many; each by policy_item. 0: it is neither. */
size_t policy_items(const json_t *json);
const json_t *policy_item(const json_t *json, size_t i);

MUST_CHECK bool principals_parse(struct parsing *parsing, const json_t *json,
                                 struct principals *ret_principals);
MUST_CHECK bool conditions_parse(struct parsing *parsing, const json_t *json,
                                 struct statement *statement);

/* ---- evaluating ------------------------------------------------------------------------------ */

MUST_CHECK bool principals_match(const struct principals *principals,
                                 const struct policy_principal *who);
MUST_CHECK bool conditions_hold(const struct statement *statement,
                                const struct policy_question *question);
/* Bound to fixed values of a key that tells callers apart (policy_is_public)? */
bool conditions_fix_callers(const struct statement *statement);

#endif
