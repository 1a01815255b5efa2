/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a document to statements.
 *
 * (1) Nothing in it is skipped: an unknown element, one given twice, a type that is not the grammar's
 *     make it malformed.
 * (2) jansson sees it only after its depth was looked at.
 */
#include "server/policy/internal.h"

#define NOT_JSON STR("Policies must be valid JSON and the first byte must be '{'")

static void json_release(json_t **json)
{
    json_decref(*json);
}

static bool depth_allowed(struct str json)
{
    unsigned depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.p[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > POLICY_DEPTH_MAX)
            return false;
    }
    return true;
}

/* ---- actions and resources ------------------------------------------------------------------- */

static bool patterns_parse(struct parsing *parsing, const json_t *json, unsigned form,
                           struct str problem, struct patterns *ret_patterns)
{
    size_t count = policy_items(json);

    if (count == 0)
        return policy_wrong(parsing, problem);
    ret_patterns->list = arena_array(parsing->arena, count, sizeof(*ret_patterns->list));
    if (ret_patterns->list == NULL)
        return policy_no_memory(parsing);
    for (size_t i = 0; i < count; i++) {
        struct str text = policy_text(parsing, policy_item(json, i));

        if (!str_present(text) || text.len == 0 ||
            !pattern_compile(text, form, parsing->arena, &ret_patterns->list[i]))
            return policy_wrong(parsing, problem);
        ret_patterns->count++;
    }
    return true;
}

/* "*", or "s3:...": a bucket's policy is about S3 alone. */
static bool actions_are_good(struct parsing *parsing, const struct patterns *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        struct str text = actions->list[i].source;
        bool any = str_eq(text, STR("*"));
        size_t colon = str_find_char(text, ':');

        if (any)
            continue;
        if (colon == SIZE_MAX || colon + 1 == text.len ||
            (parsing->place->kind == POLICY_OF_BUCKET && !str_starts_nocase(text, STR("s3:"))))
            return policy_wrong(parsing, STR("Policy has invalid action"));
    }
    return true;
}

/* arn:aws:s3:::BUCKET and what is in it. A wildcard may stand for it, as long as it may be that one. */
static bool is_of_bucket(const struct parsing *parsing, const struct pattern *pattern)
{
    struct str text = pattern->source;
    struct str name;

    if (str_eq(text, STR("*")))
        return true;
    if (!str_starts(text, STR("arn:aws:s3:::")))
        return false;
    text = str_skip(text, STR("arn:aws:s3:::").len);
    (void)str_cut(text, '/', &name, &(struct str){ 0 });
    if (!str_present(parsing->place->bucket) || str_find_char(name, '*') != SIZE_MAX ||
        str_find_char(name, '?') != SIZE_MAX || str_find_char(name, '$') != SIZE_MAX)
        return true;
    return str_eq(name, parsing->place->bucket);
}

static bool resources_are_good(struct parsing *parsing, const struct patterns *resources)
{
    for (size_t i = 0; i < resources->count; i++) {
        struct str text = resources->list[i].source;

        if (parsing->place->kind == POLICY_OF_BUCKET
                ? !is_of_bucket(parsing, &resources->list[i])
                : !str_eq(text, STR("*")) && !str_starts(text, STR("arn:")))
            return policy_wrong(parsing, STR("Policy has invalid resource"));
    }
    return true;
}

/* ---- one statement --------------------------------------------------------------------------- */

struct elements {
    const json_t *sid, *effect, *principal, *not_principal, *action, *not_action, *resource,
        *not_resource, *condition;
};

static bool take_elements(struct parsing *parsing, const json_t *json, struct elements *ret)
{
    const struct {
        const char *name;
        const json_t **to;
    } known[] = {
        { "Sid", &ret->sid },
        { "Effect", &ret->effect },
        { "Principal", &ret->principal },
        { "NotPrincipal", &ret->not_principal },
        { "Action", &ret->action },
        { "NotAction", &ret->not_action },
        { "Resource", &ret->resource },
        { "NotResource", &ret->not_resource },
        { "Condition", &ret->condition },
    };
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        size_t i = 0;

        while (i < COUNT_OF(known) && strcmp(known[i].name, name) != 0)
            i++;
        if (i == COUNT_OF(known))
            return policy_wrong(parsing, arena_printf(parsing->arena, "Unknown field %.64s", name));
        *known[i].to = value;
    }
    return true;
}

static bool missing(struct parsing *parsing, const char *name)
{
    return policy_wrong(parsing, arena_printf(parsing->arena, "Missing required field %s", name));
}

static bool parse_sid(struct parsing *parsing, const json_t *json, struct statement *statement)
{
    if (json == NULL)
        return true;
    statement->sid = policy_text(parsing, json);
    for (size_t i = 0; i < statement->sid.len; i++) {
        char c = statement->sid.p[i];
        bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!good && !(parsing->place->kind == POLICY_OF_BUCKET && strchr(" -_.", c) != NULL))
            return policy_wrong(parsing,
                                STR("Statement IDs (SID) in a single policy must be made of "
                                    "letters and digits"));
    }
    return str_present(statement->sid) || policy_wrong(parsing, STR("Invalid policy syntax."));
}

static bool parse_effect(struct parsing *parsing, const json_t *json, struct statement *statement)
{
    struct str text;

    if (json == NULL)
        return missing(parsing, "Effect");
    text = policy_text(parsing, json);
    statement->denies = str_eq(text, STR("Deny"));
    if (statement->denies || str_eq(text, STR("Allow")))
        return true;
    return policy_wrong(parsing, arena_printf(parsing->arena, "Invalid effect: %.*s",
                                              STR_ARG(str_slice(text, 0, 64))));
}

static bool parse_principals(struct parsing *parsing, const struct elements *elements,
                             struct statement *statement)
{
    const json_t *json = elements->principal != NULL ? elements->principal
                                                     : elements->not_principal;

    if (parsing->place->kind == POLICY_OF_IDENTITY)
        return json == NULL ||
               policy_wrong(parsing, STR("Policy document should not specify a principal."));
    if (json == NULL)
        return missing(parsing, "Principal");
    if (elements->principal != NULL && elements->not_principal != NULL)
        return policy_wrong(parsing, STR("Invalid policy syntax."));
    statement->has_principals = true;
    statement->principals.negated = elements->principal == NULL;
    return principals_parse(parsing, json, &statement->principals);
}

static bool parse_actions(struct parsing *parsing, const struct elements *elements,
                          struct statement *statement)
{
    const json_t *json = elements->action != NULL ? elements->action : elements->not_action;

    if (json == NULL)
        return missing(parsing, "Action");
    if (elements->action != NULL && elements->not_action != NULL)
        return policy_wrong(parsing, STR("Invalid policy syntax."));
    statement->actions.negated = elements->action == NULL;
    return patterns_parse(parsing, json, PATTERN_WILD, STR("Policy has invalid action"),
                          &statement->actions) &&
           actions_are_good(parsing, &statement->actions);
}

static bool parse_resources(struct parsing *parsing, const struct elements *elements,
                            struct statement *statement)
{
    const json_t *json = elements->resource != NULL ? elements->resource : elements->not_resource;
    unsigned form = PATTERN_WILD | (parsing->has_variables ? PATTERN_VARIABLES : 0u);

    if (parsing->place->kind == POLICY_OF_TRUST)
        return json == NULL || policy_wrong(parsing, STR("Has prohibited field Resource"));
    if (json == NULL)
        return missing(parsing, "Resource");
    if (elements->resource != NULL && elements->not_resource != NULL)
        return policy_wrong(parsing, STR("Invalid policy syntax."));
    statement->resources.negated = elements->resource == NULL;
    return patterns_parse(parsing, json, form, STR("Policy has invalid resource"),
                          &statement->resources) &&
           resources_are_good(parsing, &statement->resources);
}

static bool statement_parse(struct parsing *parsing, const json_t *json,
                            struct statement *statement)
{
    struct elements elements = { 0 };

    return (json_is_object(json) || policy_wrong(parsing, STR("Invalid policy syntax."))) &&
           take_elements(parsing, json, &elements) && parse_sid(parsing, elements.sid, statement) &&
           parse_effect(parsing, elements.effect, statement) &&
           parse_principals(parsing, &elements, statement) &&
           parse_actions(parsing, &elements, statement) &&
           parse_resources(parsing, &elements, statement) &&
           conditions_parse(parsing, elements.condition, statement);
}

/* ---- the document ---------------------------------------------------------------------------- */

static bool parse_version(struct parsing *parsing, const json_t *json)
{
    struct str text = json != NULL ? policy_text(parsing, json) : STR("2008-10-17");

    parsing->has_variables = str_eq(text, STR("2012-10-17"));
    return parsing->has_variables || str_eq(text, STR("2008-10-17")) ||
           policy_wrong(parsing, STR("The policy must contain a valid version string"));
}

static bool check_members(struct parsing *parsing, const json_t *document)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)document, name, value)
    {
        if (strcmp(name, "Version") != 0 && strcmp(name, "Id") != 0 &&
            strcmp(name, "Statement") != 0)
            return policy_wrong(parsing, arena_printf(parsing->arena, "Unknown field %.64s", name));
    }
    return json_object_get(document, "Id") == NULL ||
           json_is_string(json_object_get(document, "Id")) ||
           policy_wrong(parsing, STR("Invalid policy syntax."));
}

static bool document_parse(struct parsing *parsing, const json_t *document, struct policy *policy)
{
    const json_t *statements = json_object_get(document, "Statement");
    size_t count = json_is_array(statements) ? json_array_size(statements) : 1;

    if (statements == NULL)
        return missing(parsing, "Statement");
    if (!check_members(parsing, document) ||
        !parse_version(parsing, json_object_get(document, "Version")))
        return false;
    if (count == 0)
        return policy_wrong(parsing, STR("Could not parse the policy: Statement is empty!"));
    policy->statements = arena_array(parsing->arena, count, sizeof(*policy->statements));
    if (policy->statements == NULL)
        return policy_no_memory(parsing);
    memset(policy->statements, 0, count * sizeof(*policy->statements));
    for (; policy->count < count; policy->count++) {
        const json_t *one = json_is_array(statements) ? json_array_get(statements, policy->count)
                                                      : statements;

        if (!statement_parse(parsing, one, &policy->statements[policy->count]))
            return false;
    }
    return true;
}

const struct policy *policy_parse(struct str json, const struct policy_place *place,
                                  struct arena *arena, struct str *ret_problem)
{
    struct parsing parsing = { .place = place, .arena = arena };
    struct policy *policy = ARENA_NEW(arena, struct policy);
    CLEANUP(json_release) json_t *document = NULL;
    json_error_t error;

    *ret_problem = STR_NONE;
    if (policy == NULL)
        return NULL;
    if (json.len > POLICY_BYTES_MAX) {
        *ret_problem = STR("Policy exceeds the maximum allowed document size.");
        return NULL;
    }
    if (json.len > 0 && json.p[0] == '{' && depth_allowed(json))
        document = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL) {
        *ret_problem = NOT_JSON;
        return NULL;
    }
    if (document_parse(&parsing, document, policy))
        return policy;
    *ret_problem = parsing.problem;
    return NULL;
}
