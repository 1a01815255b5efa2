/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies: a line each for action, resource, the name of a condition key and its value, then a document.
 *
 * (1) What is refused has a reason.
 * (2) A second copy of an accepted document says the same.
 * (3) With a statement behind it that denies everything, it denies; with one that allows everything, it
 *     does not say nothing.
 * (4) A pattern of '*' and '?' matches what a second reading, written here, says it matches.
 */
#include "server/policy/pattern.h"
#include "server/policy/policy.h"
#include "tests/fuzz/fuzz.h"

#define ARENA_BYTES_MAX (8u << 20)
#define PATTERN_BYTES_MAX 64

struct request {
    struct str key;
    struct str value;
};

static bool look_up(void *context, struct str key, struct policy_values *ret_values)
{
    const struct request *request = context;

    ret_values->values = &request->value;
    ret_values->count = str_eq_nocase(key, request->key);
    return ret_values->count > 0;
}

/* The slow way: every way to read a '*'. */
static bool wild_matches(struct str pattern, struct str value)
{
    bool reach[PATTERN_BYTES_MAX + 1] = { [0] = true }; /* bytes of value that were matched */

    for (size_t i = 0; i < pattern.len; i++) {
        bool next[PATTERN_BYTES_MAX + 1] = { 0 };

        for (size_t at = 0; at <= value.len; at++) {
            if (!reach[at])
                continue;
            if (pattern.p[i] == '*')
                memset(next + at, true, value.len - at + 1);
            else if (at < value.len && (pattern.p[i] == '?' || pattern.p[i] == value.p[at]))
                next[at + 1] = true;
        }
        memcpy(reach, next, sizeof(reach));
    }
    return reach[value.len];
}

static void check_pattern(struct str text, struct str value, struct arena *arena)
{
    struct policy_question question = { 0 };
    struct pattern pattern;

    if (text.len > PATTERN_BYTES_MAX || value.len > PATTERN_BYTES_MAX)
        return;
    FUZZ_CHECK(pattern_compile(text, PATTERN_WILD, arena, &pattern), "no memory");
    FUZZ_CHECK(pattern_matches(&pattern, value, false, &question) == wild_matches(text, value),
               "'%.*s' and '%.*s'", STR_ARG(text), STR_ARG(value));
}

/* The document with one more statement; STR_NONE where it has no list to add to. */
static struct str with_statement(struct arena *arena, struct str json, const char *effect)
{
    size_t end = str_rfind_char(json, ']');

    if (end == SIZE_MAX)
        return STR_NONE;
    return arena_printf(arena,
                        "%.*s,{\"Effect\":\"%s\",\"Principal\":\"*\",\"Action\":\"*\","
                        "\"Resource\":\"*\"}%.*s",
                        (int)end, json.p, effect, STR_ARG(str_skip(json, end)));
}

static void check_added(struct arena *arena, struct str json, const struct policy_place *place,
                        const struct policy_question *question)
{
    struct str denied = with_statement(arena, json, "Deny");
    struct str allowed = with_statement(arena, json, "Allow");
    const struct policy *policy;
    struct str problem;

    policy = str_present(denied) ? policy_parse(denied, place, arena, &problem) : NULL;
    if (policy != NULL)
        FUZZ_CHECK(policy_evaluate(policy, question).effect == POLICY_DENIES, "%.*s",
                   STR_ARG(denied));
    policy = str_present(allowed) ? policy_parse(allowed, place, arena, &problem) : NULL;
    if (policy != NULL)
        FUZZ_CHECK(policy_evaluate(policy, question).effect != POLICY_SAYS_NOTHING, "%.*s",
                   STR_ARG(allowed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };
    CLEANUP(arena_closep) struct arena *arena = arena_open(4096, ARENA_BYTES_MAX);
    struct policy_place place = { .kind = (enum policy_kind)(input_byte(&input) % 3),
                                  .bucket = STR("bucket") };
    struct request request = { 0 };
    struct policy_question question = {
        .principal = { .kind = CALLER_USER,
                       .account = STR("111122223333"),
                       .arn = STR("arn:aws:iam::111122223333:user/ann"),
                       .canonical_id = STR("aa") },
        .look_up = look_up,
        .context = &request,
    };
    const struct policy *policy;
    struct policy_answer answer;
    struct str problem;
    struct str json;

    FUZZ_CHECK(arena != NULL, "no memory");
    question.action = input_until(&input, '\n');
    question.resource = input_until(&input, '\n');
    request.key = input_until(&input, '\n');
    request.value = input_until(&input, '\n');
    json = input_rest(&input);
    check_pattern(question.action, question.resource, arena);
    policy = policy_parse(json, &place, arena, &problem);
    if (policy == NULL) {
        FUZZ_CHECK(problem.len > 0, "no reason");
        return 0;
    }
    answer = policy_evaluate(policy, &question);
    (void)policy_is_public(policy);
    policy = policy_parse(json, &place, arena, &problem);
    FUZZ_CHECK(policy != NULL && policy_evaluate(policy, &question).effect == answer.effect,
               "another answer");
    if (place.kind == POLICY_OF_BUCKET)
        check_added(arena, json, &place, &question);
    return 0;
}
