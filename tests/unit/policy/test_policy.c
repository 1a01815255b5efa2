/* SPDX-License-Identifier: Apache-2.0 */
/* What policies are refused, and what accepted ones say: tables of documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/policy/policy.h"

#define ACCOUNT "111122223333"
#define CANONICAL "00000000000000000000000000000000000000000000000000000000000000aa"

static struct arena *arena;

static void assert_str_equal(struct str got, const char *wanted)
{
    if (!str_eq(got, str_from_cstr(wanted)))
        fail_msg("'%.*s', not '%s'", STR_ARG(got), wanted);
}

static int setup(void **state UNUSED)
{
    arena = arena_open(4096, 4u << 20);
    return arena == NULL;
}

static int teardown(void **state UNUSED)
{
    arena_close(arena);
    return 0;
}

/* ---- refusals -------------------------------------------------------------------------------- */

#define STATEMENT(ELEMENTS) "{\"Statement\": {" ELEMENTS "}}"
#define WHO "\"Principal\": \"*\", "
#define EFFECT "\"Effect\": \"Allow\", "
#define ACTION "\"Action\": \"s3:GetObject\", "
#define WHAT "\"Resource\": \"arn:aws:s3:::bucket/*\""

static void test_policy_parse__what_is_wrong_is_said(void **state UNUSED)
{
    static const struct {
        const char *json;
        const char *problem;
    } cases[] = {
        { "", "Policies must be valid JSON and the first byte must be '{'" },
        { " {}", "Policies must be valid JSON and the first byte must be '{'" },
        { "[]", "Policies must be valid JSON and the first byte must be '{'" },
        { "{", "Policies must be valid JSON and the first byte must be '{'" },
        { "{\"Statement\": [], \"Statement\": []}",
          "Policies must be valid JSON and the first byte must be '{'" },
        { "{\"a\":[[[[[[[[[[[]]]]]]]]]]]}",
          "Policies must be valid JSON and the first byte must be '{'" },
        { "{}", "Missing required field Statement" },
        { "{\"Statement\": []}", "Could not parse the policy: Statement is empty!" },
        { "{\"Statement\": 1}", "Invalid policy syntax." },
        { "{\"Statment\": [], \"Statement\": {}}", "Unknown field Statment" },
        { "{\"Version\": \"2012-10-18\", "
          "\"Statement\": {}}",
          "The policy must contain a valid version string" },
        { STATEMENT(WHO EFFECT ACTION WHAT ", \"Extra\": 1"), "Unknown field Extra" },
        { STATEMENT(EFFECT ACTION WHAT), "Missing required field Principal" },
        { STATEMENT(WHO ACTION WHAT), "Missing required field Effect" },
        { STATEMENT(WHO EFFECT WHAT), "Missing required field Action" },
        { STATEMENT(WHO EFFECT "\"Action\": \"s3:GetObject\""), "Missing required field Resource" },
        { STATEMENT(WHO "\"Effect\": \"allow\", " ACTION WHAT), "Invalid effect: allow" },
        { STATEMENT("\"Principal\": \"all\", " EFFECT ACTION WHAT), "Invalid principal in policy" },
        { STATEMENT("\"Principal\": {}, " EFFECT ACTION WHAT), "Invalid principal in policy" },
        { STATEMENT("\"Principal\": {\"AWS\": []}, " EFFECT ACTION WHAT),
          "Invalid principal in policy" },
        { STATEMENT("\"Principal\": {\"AWS\": \"12345678901\"}, " EFFECT ACTION WHAT),
          "Invalid principal in policy" },
        { STATEMENT("\"Principal\": {\"AWS\": \"arn:aws:iam::" ACCOUNT
                    ":user/*\"}, " EFFECT ACTION WHAT),
          "Invalid principal in policy" },
        { STATEMENT("\"Principal\": {\"GCP\": \"*\"}, " EFFECT ACTION WHAT),
          "Invalid principal in policy" },
        { STATEMENT(WHO EFFECT "\"Action\": \"GetObject\", " WHAT), "Policy has invalid action" },
        { STATEMENT(WHO EFFECT "\"Action\": \"ec2:Run\", " WHAT), "Policy has invalid action" },
        { STATEMENT(WHO EFFECT "\"Action\": [], " WHAT), "Policy has invalid action" },
        { STATEMENT(WHO EFFECT ACTION "\"Resource\": \"arn:aws:s3:::other/*\""),
          "Policy has invalid resource" },
        { STATEMENT(WHO EFFECT ACTION "\"Resource\": \"bucket/*\""),
          "Policy has invalid resource" },
        { STATEMENT(WHO EFFECT ACTION WHAT ", \"Condition\": {\"StringIs\": {\"aws:a\": \"b\"}}"),
          "Invalid Condition type : StringIs" },
        { STATEMENT(WHO EFFECT ACTION WHAT ", \"Condition\": {\"NullIfExists\": {\"aws:a\": "
                                           "\"true\"}}"),
          "Invalid Condition type : NullIfExists" },
        { STATEMENT(WHO EFFECT ACTION WHAT ", \"Condition\": {\"StringLike\": {\"plain\": \"b\"}}"),
          "Policy has an invalid condition key" },
        { STATEMENT(WHO EFFECT ACTION WHAT
                    ", \"Condition\": {\"IpAddress\": {\"aws:SourceIp\": \"1.2.3.4/33\"}}"),
          "Invalid policy syntax." },
        { STATEMENT(WHO EFFECT ACTION WHAT
                    ", \"Condition\": {\"NumericEquals\": {\"s3:max-keys\": \"many\"}}"),
          "Invalid policy syntax." },
    };
    static const struct policy_place place = { POLICY_OF_BUCKET, STR_INIT("bucket") };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str problem;

        assert_null(policy_parse(str_from_cstr(cases[i].json), &place, arena, &problem));
        assert_str_equal(problem, cases[i].problem);
    }
}

/* ---- what they say --------------------------------------------------------------------------- */

struct request {
    const char *key; /* of the only condition key, and its values, ended by NULL */
    const char *values[4];
};

static bool look_up(void *context, struct str key, struct policy_values *ret_values)
{
    static struct str values[4];
    const struct request *request = context;

    ret_values->values = values;
    ret_values->count = 0;
    if (request->key == NULL || !str_eq_nocase(key, str_from_cstr(request->key)))
        return false;
    while (ret_values->count < 4 && request->values[ret_values->count] != NULL) {
        values[ret_values->count] = str_from_cstr(request->values[ret_values->count]);
        ret_values->count++;
    }
    return true;
}

static const struct policy *parsed(const char *json)
{
    static const struct policy_place place = { POLICY_OF_BUCKET, STR_INIT("bucket") };
    struct str problem;
    const struct policy *policy = policy_parse(str_from_cstr(json), &place, arena, &problem);

    if (policy == NULL)
        fail_msg("%.*s", STR_ARG(problem));
    return policy;
}

static enum policy_effect said(const char *json, const char *action, const char *resource,
                               const struct request *request)
{
    struct policy_question question = {
        .principal = { .kind = CALLER_USER,
                       .account = STR(ACCOUNT),
                       .arn = STR("arn:aws:iam::" ACCOUNT ":user/ann"),
                       .canonical_id = STR(CANONICAL) },
        .action = str_from_cstr(action),
        .resource = str_from_cstr(resource),
        .look_up = look_up,
        .context = (void *)(uintptr_t)request,
    };

    return policy_evaluate(parsed(json), &question).effect;
}

#define KEY "arn:aws:s3:::bucket/a/b"
#define ALLOW(PRINCIPAL, ACTIONS, RESOURCES)                                                       \
    "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", " PRINCIPAL             \
    ", " ACTIONS ", " RESOURCES "}]}"
#define ALL "\"Principal\": \"*\""
#define GET "\"Action\": \"s3:GetObject\""
#define IN_BUCKET "\"Resource\": \"arn:aws:s3:::bucket/*\""

static const struct request nothing = { 0 };

static void test_policy_evaluate__principals(void **state UNUSED)
{
    static const struct {
        const char *principal;
        bool is_caller;
    } cases[] = {
        { "\"Principal\": \"*\"", true },
        { "\"Principal\": {\"AWS\": \"*\"}", true },
        { "\"Principal\": {\"AWS\": \"" ACCOUNT "\"}", true },
        { "\"Principal\": {\"AWS\": \"arn:aws:iam::" ACCOUNT ":root\"}", true },
        { "\"Principal\": {\"AWS\": \"arn:aws:iam::" ACCOUNT ":user/ann\"}", true },
        { "\"Principal\": {\"AWS\": [\"444455556666\", \"" ACCOUNT "\"]}", true },
        { "\"Principal\": {\"CanonicalUser\": \"" CANONICAL "\"}", true },
        { "\"Principal\": {\"AWS\": \"arn:aws:iam::" ACCOUNT ":user/ben\"}", false },
        { "\"Principal\": {\"AWS\": \"444455556666\"}", false },
        { "\"Principal\": {\"Service\": \"logging.s3.amazonaws.com\"}", false },
        { "\"NotPrincipal\": {\"AWS\": \"444455556666\"}", true },
        { "\"NotPrincipal\": {\"AWS\": \"" ACCOUNT "\"}", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char json[512];

        (void)snprintf(json, sizeof(json), ALLOW("%s", GET, IN_BUCKET), cases[i].principal);
        assert_int_equal(said(json, "s3:GetObject", KEY, &nothing),
                         cases[i].is_caller ? POLICY_ALLOWS : POLICY_SAYS_NOTHING);
    }
}

static void test_policy_evaluate__actions_and_resources(void **state UNUSED)
{
    static const struct {
        const char *elements;
        bool applies;
    } cases[] = {
        { GET ", " IN_BUCKET, true },
        { "\"Action\": \"s3:getobject\", " IN_BUCKET, true },
        { "\"Action\": \"s3:Get*\", " IN_BUCKET, true },
        { "\"Action\": \"s3:*ect\", " IN_BUCKET, true },
        { "\"Action\": \"s3:G?tObject\", " IN_BUCKET, true },
        { "\"Action\": \"*\", " IN_BUCKET, true },
        { "\"Action\": [\"s3:PutObject\", \"s3:GetObject\"], " IN_BUCKET, true },
        { "\"Action\": \"s3:GetObjectAcl\", " IN_BUCKET, false },
        { "\"Action\": \"s3:Get\", " IN_BUCKET, false },
        { "\"NotAction\": \"s3:PutObject\", " IN_BUCKET, true },
        { "\"NotAction\": \"s3:Get*\", " IN_BUCKET, false },
        { GET ", \"Resource\": \"*\"", true },
        { GET ", \"Resource\": \"arn:aws:s3:::bucket/a/*\"", true },
        { GET ", \"Resource\": \"arn:aws:s3:::bucket/?/b\"", true },
        { GET ", \"Resource\": \"arn:aws:s3:::*\"", true },
        { GET ", \"Resource\": \"arn:aws:s3:::bucket\"", false },
        { GET ", \"Resource\": \"arn:aws:s3:::bucket/A/*\"", false },
        { GET ", \"Resource\": \"arn:aws:s3:::bucket/a/b/c\"", false },
        { GET ", \"NotResource\": \"arn:aws:s3:::bucket/x/*\"", true },
        { GET ", \"NotResource\": \"arn:aws:s3:::bucket/a/*\"", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char json[512];

        (void)snprintf(json, sizeof(json), "{\"Statement\": {\"Effect\": \"Allow\", " ALL ", %s}}",
                       cases[i].elements);
        assert_int_equal(said(json, "s3:GetObject", KEY, &nothing),
                         cases[i].applies ? POLICY_ALLOWS : POLICY_SAYS_NOTHING);
    }
}

static void test_policy_evaluate__conditions(void **state UNUSED)
{
    static const struct {
        const char *condition;
        struct request request;
        bool holds;
    } cases[] = {
        { "\"StringEquals\": {\"aws:a\": \"x\"}", { "aws:a", { "x" } }, true },
        { "\"StringEquals\": {\"AWS:A\": [\"y\", \"x\"]}", { "aws:a", { "x" } }, true },
        { "\"StringEquals\": {\"aws:a\": \"X\"}", { "aws:a", { "x" } }, false },
        { "\"StringEquals\": {\"aws:a\": \"x*\"}", { "aws:a", { "xy" } }, false },
        { "\"StringEquals\": {\"aws:a\": \"x\"}", { NULL, { NULL } }, false },
        { "\"StringEqualsIfExists\": {\"aws:a\": \"x\"}", { NULL, { NULL } }, true },
        { "\"StringEqualsIfExists\": {\"aws:a\": \"x\"}", { "aws:a", { "y" } }, false },
        { "\"StringNotEquals\": {\"aws:a\": \"x\"}", { "aws:a", { "y" } }, true },
        { "\"StringNotEquals\": {\"aws:a\": [\"x\", \"y\"]}", { "aws:a", { "y" } }, false },
        { "\"StringNotEquals\": {\"aws:a\": \"x\"}", { NULL, { NULL } }, true },
        { "\"StringEqualsIgnoreCase\": {\"aws:a\": \"ABC\"}", { "aws:a", { "abc" } }, true },
        { "\"StringNotEqualsIgnoreCase\": {\"aws:a\": \"ABC\"}", { "aws:a", { "abc" } }, false },
        { "\"StringLike\": {\"aws:a\": \"x*z?\"}", { "aws:a", { "xyyzz" } }, true },
        { "\"StringLike\": {\"aws:a\": \"*a*a*b\"}",
          { "aws:a", { "aaaaaaaaaaaaaaaaaac" } },
          false },
        { "\"StringLike\": {\"aws:a\": \"${*}\"}", { "aws:a", { "*" } }, true },
        { "\"StringLike\": {\"aws:a\": \"${*}\"}", { "aws:a", { "x" } }, false },
        { "\"StringNotLike\": {\"aws:a\": \"x*\"}", { "aws:a", { "xy" } }, false },
        { "\"NumericEquals\": {\"aws:a\": \"10\"}", { "aws:a", { "10.0" } }, true },
        { "\"NumericNotEquals\": {\"aws:a\": 10}", { "aws:a", { "11" } }, true },
        { "\"NumericLessThan\": {\"aws:a\": 10}", { "aws:a", { "9" } }, true },
        { "\"NumericLessThan\": {\"aws:a\": 10}", { "aws:a", { "10" } }, false },
        { "\"NumericLessThanEquals\": {\"aws:a\": 10}", { "aws:a", { "10" } }, true },
        { "\"NumericGreaterThan\": {\"aws:a\": 10}", { "aws:a", { "10" } }, false },
        { "\"NumericGreaterThanEquals\": {\"aws:a\": 10}", { "aws:a", { "11" } }, true },
        { "\"NumericEquals\": {\"aws:a\": 10}", { "aws:a", { "ten" } }, false },
        { "\"DateLessThan\": {\"aws:a\": \"2030-01-01T00:00:00Z\"}",
          { "aws:a", { "2026-11-26T00:00:00Z" } },
          true },
        { "\"DateGreaterThan\": {\"aws:a\": \"2030-01-01T00:00:00Z\"}",
          { "aws:a", { "2026-11-26T00:00:00Z" } },
          false },
        { "\"DateEquals\": {\"aws:a\": \"0\"}", { "aws:a", { "1970-01-01T00:00:00Z" } }, true },
        { "\"Bool\": {\"aws:a\": \"true\"}", { "aws:a", { "true" } }, true },
        { "\"Bool\": {\"aws:a\": false}", { "aws:a", { "true" } }, false },
        { "\"BinaryEquals\": {\"aws:a\": \"QUJD\"}", { "aws:a", { "QUJD" } }, true },
        { "\"IpAddress\": {\"aws:a\": \"10.0.0.0/8\"}", { "aws:a", { "10.200.0.1" } }, true },
        { "\"IpAddress\": {\"aws:a\": \"10.0.0.0/8\"}", { "aws:a", { "11.0.0.1" } }, false },
        { "\"IpAddress\": {\"aws:a\": \"10.0.0.1\"}", { "aws:a", { "10.0.0.1" } }, true },
        { "\"IpAddress\": {\"aws:a\": \"2001:db8::/32\"}", { "aws:a", { "2001:db8::1" } }, true },
        { "\"IpAddress\": {\"aws:a\": \"10.0.0.0/8\"}", { "aws:a", { "::ffff:10.1.1.1" } }, true },
        { "\"NotIpAddress\": {\"aws:a\": \"10.0.0.0/8\"}", { "aws:a", { "10.0.0.1" } }, false },
        { "\"ArnLike\": {\"aws:a\": \"arn:aws:iam::*:user/a*\"}",
          { "aws:a", { "arn:aws:iam::" ACCOUNT ":user/ann" } },
          true },
        { "\"ArnNotEquals\": {\"aws:a\": \"arn:aws:iam::*:user/a*\"}",
          { "aws:a", { "arn:aws:iam::" ACCOUNT ":user/ann" } },
          false },
        { "\"Null\": {\"aws:a\": \"true\"}", { NULL, { NULL } }, true },
        { "\"Null\": {\"aws:a\": \"true\"}", { "aws:a", { "x" } }, false },
        { "\"Null\": {\"aws:a\": false}", { "aws:a", { "x" } }, true },
        { "\"ForAnyValue:StringEquals\": {\"aws:a\": [\"x\", \"y\"]}",
          { "aws:a", { "z", "y" } },
          true },
        { "\"ForAnyValue:StringEquals\": {\"aws:a\": \"x\"}", { "aws:a", { "z", "y" } }, false },
        { "\"ForAnyValue:StringEquals\": {\"aws:a\": \"x\"}", { NULL, { NULL } }, false },
        { "\"ForAllValues:StringEquals\": {\"aws:a\": [\"x\", \"y\"]}",
          { "aws:a", { "x", "y" } },
          true },
        { "\"ForAllValues:StringEquals\": {\"aws:a\": \"x\"}", { "aws:a", { "x", "y" } }, false },
        { "\"ForAllValues:StringEquals\": {\"aws:a\": \"x\"}", { NULL, { NULL } }, true },
        { "\"ForAllValues:StringNotEquals\": {\"aws:a\": \"x\"}", { "aws:a", { "z", "y" } }, true },
        { "\"ForAnyValue:StringNotEquals\": {\"aws:a\": \"x\"}", { "aws:a", { "x", "y" } }, true },
        { "\"ForAnyValue:StringNotEquals\": {\"aws:a\": \"x\"}", { "aws:a", { "x" } }, false },
        { "\"StringEquals\": {\"aws:a\": \"${aws:a}\"}", { "aws:a", { "x*" } }, true },
        { "\"StringEquals\": {\"aws:a\": \"${aws:b, 'x'}\"}", { "aws:a", { "x" } }, true },
        { "\"StringEquals\": {\"aws:a\": \"${aws:b}\"}", { "aws:a", { "x" } }, false },
        { "\"StringEquals\": {\"aws:a\": \"x\"}, \"StringLike\": {\"aws:a\": \"y\"}",
          { "aws:a", { "x" } },
          false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char json[768];

        (void)snprintf(json, sizeof(json), ALLOW(ALL, GET, IN_BUCKET ", \"Condition\": {%s}"),
                       cases[i].condition);
        if (said(json, "s3:GetObject", KEY, &cases[i].request) !=
            (cases[i].holds ? POLICY_ALLOWS : POLICY_SAYS_NOTHING))
            fail_msg("%s", cases[i].condition);
    }
}

static void test_policy_evaluate__variables_in_resources(void **state UNUSED)
{
    const struct request ann = { "aws:username", { "a" } };
    const struct request wild = { "aws:username", { "*" } };

    assert_int_equal(said(ALLOW(ALL, GET,
                                "\"Resource\": \"arn:aws:s3:::bucket/${aws:username}/*\""),
                          "s3:GetObject", KEY, &ann),
                     POLICY_ALLOWS);
    assert_int_equal(said(ALLOW(ALL, GET,
                                "\"Resource\": \"arn:aws:s3:::bucket/${aws:username}/*\""),
                          "s3:GetObject", KEY, &wild),
                     POLICY_SAYS_NOTHING);
    assert_int_equal(said(ALLOW(ALL, GET,
                                "\"Resource\": \"arn:aws:s3:::bucket/${aws:username}/*\""),
                          "s3:GetObject", KEY, &nothing),
                     POLICY_SAYS_NOTHING);
    /* The older version has no variables. */
    assert_int_equal(said("{\"Statement\": {\"Effect\": \"Allow\", " ALL ", " GET
                          ", \"Resource\": \"arn:aws:s3:::bucket/${aws:username}/*\"}}",
                          "s3:GetObject", "arn:aws:s3:::bucket/${aws:username}/x", &nothing),
                     POLICY_ALLOWS);
}

static void test_policy_evaluate__a_denial_wins_wherever_it_stands(void **state UNUSED)
{
#define ONE(EFFECT_WORD) "{\"Effect\": \"" EFFECT_WORD "\", " ALL ", " GET ", " IN_BUCKET "}"
    assert_int_equal(said("{\"Statement\": [" ONE("Allow") ", " ONE("Deny") "]}", "s3:GetObject",
                          KEY, &nothing),
                     POLICY_DENIES);
    assert_int_equal(said("{\"Statement\": [" ONE("Deny") ", " ONE("Allow") "]}", "s3:GetObject",
                          KEY, &nothing),
                     POLICY_DENIES);
    assert_int_equal(said("{\"Statement\": [" ONE("Deny") ", " ONE("Allow") "]}", "s3:PutObject",
                          KEY, &nothing),
                     POLICY_SAYS_NOTHING);
}

static void test_policy_is_public__by_who_is_let_in_and_what_binds_it(void **state UNUSED)
{
    static const struct {
        const char *elements;
        bool is_public;
    } cases[] = {
        { ALL, true },
        { "\"Principal\": {\"AWS\": \"*\"}", true },
        { "\"Principal\": {\"AWS\": \"" ACCOUNT "\"}", false },
        { "\"NotPrincipal\": {\"AWS\": \"" ACCOUNT "\"}", true },
        { ALL ", \"Condition\": {\"IpAddress\": {\"aws:SourceIp\": \"10.0.0.0/8\"}}", false },
        { ALL ", \"Condition\": {\"IpAddress\": {\"aws:SourceIp\": \"0.0.0.0/0\"}}", true },
        { ALL ", \"Condition\": {\"IpAddress\": {\"aws:SourceIp\": \"0.0.0.0/1\"}}", true },
        { ALL ", \"Condition\": {\"NotIpAddress\": {\"aws:SourceIp\": \"10.0.0.0/8\"}}", true },
        { ALL ", \"Condition\": {\"StringEquals\": {\"aws:SourceVpc\": \"vpc-1\"}}", false },
        { ALL ", \"Condition\": {\"StringLike\": {\"aws:SourceVpc\": \"vpc-*\"}}", true },
        { ALL ", \"Condition\": {\"StringEquals\": {\"aws:UserAgent\": \"x\"}}", true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char json[512];

        (void)snprintf(json, sizeof(json),
                       "{\"Statement\": {\"Effect\": \"Allow\", " GET ", " IN_BUCKET ", %s}}",
                       cases[i].elements);
        assert_int_equal(policy_is_public(parsed(json)), cases[i].is_public);
    }
    assert_false(policy_is_public(
        parsed("{\"Statement\": {\"Effect\": \"Deny\", " GET ", " IN_BUCKET ", " ALL "}}")));
}

static void test_policy_parse__size_has_a_limit(void **state UNUSED)
{
    static const char head[] = "{\"Statement\": {\"Effect\": \"Allow\", " ALL ", " GET
                               ", " IN_BUCKET;
    static const struct policy_place place = { POLICY_OF_BUCKET, STR_INIT("bucket") };
    static char json[POLICY_BYTES_MAX + 1];
    struct str problem;

    for (size_t len = POLICY_BYTES_MAX; len <= POLICY_BYTES_MAX + 1; len++) {
        memset(json, ' ', sizeof(json));
        memcpy(json, head, sizeof(head) - 1);
        memcpy(json + len - 2, "}}", 2);
        assert_int_equal(policy_parse(str_make(json, len), &place, arena, &problem) != NULL,
                         len == POLICY_BYTES_MAX);
    }
    assert_str_equal(problem, "Policy exceeds the maximum allowed document size.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_policy_parse__what_is_wrong_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_parse__size_has_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_evaluate__principals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_evaluate__actions_and_resources, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_policy_evaluate__conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_evaluate__variables_in_resources, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_policy_evaluate__a_denial_wins_wherever_it_stands,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_is_public__by_who_is_let_in_and_what_binds_it,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
