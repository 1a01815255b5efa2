/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers of a policy's elements have in common.
 */
#include "server/policy/internal.h"

bool policy_wrong(struct parsing *parsing, struct str problem)
{
    if (!parsing->failed)
        parsing->problem = problem;
    parsing->failed = true;
    return false;
}

bool policy_no_memory(struct parsing *parsing)
{
    return policy_wrong(parsing, STR_NONE);
}

struct str policy_text(struct parsing *parsing, const json_t *json)
{
    struct str copy;

    if (!json_is_string(json))
        return STR_NONE;
    copy = arena_dup(parsing->arena, str_make(json_string_value(json), json_string_length(json)));
    if (!str_present(copy))
        (void)policy_no_memory(parsing);
    return copy;
}

size_t policy_items(const json_t *json)
{
    return json_is_array(json) ? json_array_size(json) : json_is_string(json) ? 1 : 0;
}

const json_t *policy_item(const json_t *json, size_t i)
{
    return json_is_array(json) ? json_array_get(json, i) : json;
}
