/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a write sets besides bytes (tags, an ACL, a hold): who may, of every caller, by bucket lists x
 * object ownership x bucket policies that allow, deny or do not mention each of the actions, against a
 * model written from S3's pages. test_access_matrix.c has whole operations.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
#include <stdio.h>

#include "bare_op.h"

#include "server/auth/acl.h"
#include "server/policy/policy.h"
#include "server/s3/bucket_config.h"
#include "server/s3/may.h"
#include "server/s3/request/attrs.h"

#define WRONG_SHOWN_MAX 10
#define HOST_ID "hhhh"
#define NAMED_ACCOUNT "000000000003"

/* ---- the world ------------------------------------------------------------------------------- */

enum person { HOST, WRITER, NAMED, UNSIGNED, PEOPLE };

static const struct user users[PEOPLE] = {
    [HOST] = { .canonical_id = { HOST_ID, 4 }, .account = { "000000000001", 12 } },
    [WRITER] = { .canonical_id = { "wwww", 4 }, .account = { "000000000002", 12 } },
    [NAMED] = { .canonical_id = { "nnnn", 4 }, .account = { NAMED_ACCOUNT, 12 } },
};

enum list { PRIVATE, OPEN_TO_READ, OPEN_TO_WRITE, LISTS };
static const char *const list_names[LISTS] = { "private", "public-read", "public-read-write" };

enum setting { TAGS = 1, LIST = 2, HOLD = 4, SETTINGS = 8 };

/* What the bucket's policy says of each action: by turns nothing, Allow, Deny. */
enum { A_WRITE, A_TAGS, A_LIST, A_HOLD, ACTIONS };
enum effect { NOTHING, ALLOW, DENY, EFFECTS };
static const char *const action_names[ACTIONS] = { "s3:PutObject", "s3:PutObjectTagging",
                                                   "s3:PutObjectAcl", "s3:PutObjectLegalHold" };
#define POLICIES (3 * 3 * 3 * 3)

struct cell {
    enum object_ownership ownership;
    enum list list;
    unsigned policy; /* POLICIES of them: a digit for each action */
    bool for_named;  /* ... of NAMED alone, else of everybody */
    enum person caller;
    unsigned settings;
};

static enum effect effect_on(const struct cell *cell, unsigned action)
{
    unsigned digits = cell->policy;

    for (unsigned i = 0; i < action; i++)
        digits /= EFFECTS;
    return cell->for_named && cell->caller != NAMED ? NOTHING : (enum effect)(digits % EFFECTS);
}

/* ---- the model --------------------------------------------------------------------------------- */

/* A denial ends it; an allowance opens it, but not what is somebody else's than the bucket owner's. */
static bool judged(const struct cell *cell, unsigned action, bool host_owns, bool without)
{
    enum effect effect = effect_on(cell, action);

    return effect != DENY && (without || (effect == ALLOW && host_owns));
}

static bool model_says(const struct cell *cell)
{
    bool enforced = cell->ownership == OWNERSHIP_OWNER_ENFORCED;
    bool given_over = cell->ownership == OWNERSHIP_OWNER_PREFERRED && (cell->settings & LIST);
    bool host = cell->caller == HOST;
    bool host_owns = host || enforced || given_over;

    if (!judged(cell, A_WRITE, true, host || (!enforced && cell->list == OPEN_TO_WRITE)))
        return false;
    /* Whoever writes has the list of what is written in hand; without lists there is none to set. */
    if ((cell->settings & LIST) && !enforced && !judged(cell, A_LIST, host, true))
        return false;
    if ((cell->settings & TAGS) && !judged(cell, A_TAGS, host_owns, host || !host_owns))
        return false;
    return !(cell->settings & HOLD) || judged(cell, A_HOLD, true, host);
}

/* ---- the server ---------------------------------------------------------------------------------- */

static struct arena *lasting;
static const struct policy *compiled[POLICIES][2];
static struct str packed[LISTS];

static void say(struct buf *out, const struct cell *cell, enum effect effect)
{
    bool any = false;

    buf_printf(out,
               "{\"Effect\":\"%s\",\"Principal\":%s,\"Resource\":\"arn:aws:s3:::b/*\",\"Action\":[",
               effect == ALLOW ? "Allow" : "Deny",
               cell->for_named ? "{\"AWS\":\"" NAMED_ACCOUNT "\"}" : "\"*\"");
    for (unsigned i = 0; i < ACTIONS; i++)
        if (effect_on(cell, i) == effect) {
            buf_printf(out, "%s\"%s\"", any ? "," : "", action_names[i]);
            any = true;
        }
    /* An action that no cell asks for: a statement has one at least. */
    buf_printf(out, "%s\"s3:GetObjectTorrent\"]}", any ? "," : "");
}

static const struct policy *compile(unsigned number, bool for_named)
{
    const struct policy_place place = { .kind = POLICY_OF_BUCKET, .bucket = STR("b") };
    const struct cell cell = { .policy = number, .for_named = for_named, .caller = NAMED };
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(POLICY_BYTES_MAX);
    const struct policy *policy;
    struct str problem;

    buf_lit(&text, "{\"Statement\":[");
    say(&text, &cell, ALLOW);
    buf_lit(&text, ",");
    say(&text, &cell, DENY);
    buf_lit(&text, "]}");
    assert_false(text.failed);
    policy = policy_parse(buf_view(&text), &place, lasting, &problem);
    if (policy == NULL)
        fail_msg("%.*s: %.*s", STR_ARG(buf_view(&text)), STR_ARG(problem));
    return policy;
}

static struct str pack(enum list list)
{
    struct acl acl;
    struct str out;

    assert_true(acl_canned(str_from_cstr(list_names[list]), STR(HOST_ID), STR(HOST_ID),
                           ACL_OF_BUCKET, lasting, &acl));
    assert_true(acl_pack(&acl, STR(HOST_ID), lasting, &out));
    return out;
}

/* As admit.c asks for the write, and request/attrs.c for what it sets. */
static bool server_says(const struct cell *cell)
{
    struct bucket_config config = { .lock.enabled = true,
                                    .access = {
                                        .ownership = cell->ownership,
                                        .policy = compiled[cell->policy][cell->for_named] } };
    struct version_attrs attrs = { 0 };
    char headers[256];
    struct op_subject subject;

    (void)snprintf(headers, sizeof(headers), "%s%s%s",
                   cell->settings & TAGS ? "x-amz-tagging: a=b\n" : "",
                   cell->settings & LIST ? "x-amz-acl: bucket-owner-full-control\n" : "",
                   cell->settings & HOLD ? "x-amz-object-lock-legal-hold: ON\n" : "");
    bare_request("/b/k", headers);
    op.auth.user = cell->caller == UNSIGNED ? NULL : &users[cell->caller];
    op.bucket = (struct bucket){
        .id = 1, .name = STR("b"), .owner = STR(HOST_ID), .acl = packed[cell->list]
    };
    op.config = &config;
    subject = op_subject(&op);
    if (op_require(&op, ACTION_PutObject, &subject) != S3_OK)
        return false;
    return attrs_from_request(&op, &attrs) == S3_OK;
}

/* ---- the cross product --------------------------------------------------------------------------- */

static size_t decisions, wrong;

static void judge(const struct cell *cell)
{
    bool server = server_says(cell);

    decisions++;
    if (server == model_says(cell) && (server || op.refusal.error == S3_AccessDenied))
        return;
    if (wrong++ < WRONG_SHOWN_MAX)
        print_error("%s: ownership=%d list=%s policy=%u%s caller=%d settings=%u: %s\n",
                    server ? "allowed" : "refused", cell->ownership, list_names[cell->list],
                    cell->policy, cell->for_named ? " of named" : "", cell->caller, cell->settings,
                    op.fault.text);
}

static void judge_callers(struct cell cell)
{
    for (cell.caller = HOST; cell.caller < PEOPLE; cell.caller++)
        for (cell.settings = 0; cell.settings < SETTINGS; cell.settings++)
            judge(&cell);
}

static void test_s3_write_rights__follow_the_model_in_every_cell(void **state UNUSED)
{
    struct cell cell = { 0 };

    for (cell.policy = 0; cell.policy < POLICIES; cell.policy++)
        for (unsigned named = 0; named < 2; named++)
            for (cell.ownership = OWNERSHIP_UNSET; cell.ownership <= OWNERSHIP_OWNER_ENFORCED;
                 cell.ownership++)
                for (cell.list = PRIVATE; cell.list < LISTS; cell.list++) {
                    cell.for_named = named == 1;
                    judge_callers(cell);
                }
    op.config = &bucket_config_none;
    print_message("%zu decisions\n", decisions);
    assert_int_equal(wrong, 0);
    assert_int_equal(decisions, POLICIES * 2 * 4 * LISTS * PEOPLE * SETTINGS);
}

static int setup(void **state)
{
    if (bare_group_setup(state) != 0)
        return 1;
    lasting = arena_open(65536, 16 * 1024 * 1024);
    assert_non_null(lasting);
    for (enum list list = PRIVATE; list < LISTS; list++)
        packed[list] = pack(list);
    for (unsigned number = 0; number < POLICIES; number++)
        for (unsigned named = 0; named < 2; named++)
            compiled[number][named] = compile(number, named == 1);
    return 0;
}

static int teardown(void **state)
{
    arena_close(lasting);
    return bare_group_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_write_rights__follow_the_model_in_every_cell),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
