/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy says of a question.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
#include "server/policy/internal.h"

static bool one_matches(const struct patterns *patterns, struct str value, bool no_case,
                        const struct policy_question *question)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (pattern_matches(&patterns->list[i], value, no_case, question))
            return !patterns->negated;
    }
    return patterns->negated;
}

static bool applies(const struct statement *statement, const struct policy_question *question)
{
    if (statement->has_principals &&
        !principals_match(&statement->principals, &question->principal))
        return false;
    if (!one_matches(&statement->actions, question->action, /* no_case= */ true, question))
        return false;
    if ((statement->resources.count > 0 || statement->resources.negated) &&
        !one_matches(&statement->resources, question->resource, /* no_case= */ false, question))
        return false;
    return conditions_hold(statement, question);
}

struct policy_answer policy_evaluate(const struct policy *policy,
                                     const struct policy_question *question)
{
    struct policy_answer answer = { .effect = POLICY_SAYS_NOTHING };

    for (size_t i = 0; i < policy->count; i++) {
        const struct statement *statement = &policy->statements[i];

        if ((answer.effect == POLICY_ALLOWS && !statement->denies) || !applies(statement, question))
            continue;
        answer =
            (struct policy_answer){ .effect = statement->denies ? POLICY_DENIES : POLICY_ALLOWS,
                                    .statement = i,
                                    .sid = statement->sid };
        if (statement->denies)
            break;
    }
    return answer;
}

static bool names_everybody(const struct principals *principals)
{
    if (principals->negated)
        return true; /* all but some */
    for (size_t i = 0; i < principals->count; i++) {
        if (principals->list[i].kind == NAMED_EVERYBODY)
            return true;
    }
    return false;
}

bool policy_is_public(const struct policy *policy)
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct statement *statement = &policy->statements[i];

        if (!statement->denies && names_everybody(&statement->principals) &&
            !conditions_fix_callers(statement))
            return true;
    }
    return false;
}
