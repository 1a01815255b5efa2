/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bucket's policy among the voters.
 *
 * (1) The account itself is never locked out of the policy: its root user can always read, replace and
 *     remove it.
 * (2) A policy opens what is the bucket owner's. It can close everything.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html
 */
#include <stdio.h>

#include "server/auth/condition_keys.h"
#include "server/auth/voters.h"

#define BUCKET_NAME_BYTES_MAX 255
#define KEY_BYTES_MAX 1024
#define ARN_PREFIX "arn:aws:s3:::"

static bool is_about_policy(enum access_action action)
{
    return action == ACTION_GetBucketPolicy || action == ACTION_PutBucketPolicy ||
           action == ACTION_DeleteBucketPolicy;
}

static struct policy_principal principal_of(const struct user *user,
                                            char arn_room[IDENTITY_ARN_BYTES_MAX])
{
    CLEANUP(buf_free) struct buf arn = BUF_WITH_MAX(IDENTITY_ARN_BYTES_MAX);

    if (user == NULL)
        return (struct policy_principal){ .kind = CALLER_ANONYMOUS };
    if (user->kind == USER_SERVICE)
        return (struct policy_principal){ .kind = CALLER_SERVICE, .service = user->name };
    identity_arn(&arn, user);
    if (!arn.failed)
        memcpy(arn_room, arn.p, arn.len);
    return (struct policy_principal){
        .kind = user->kind == USER_ROOT ? CALLER_ROOT : CALLER_USER,
        .account = user->account,
        .arn = arn.failed ? STR("") : str_make(arn_room, arn.len),
        .canonical_id = user->canonical_id,
    };
}

static struct access_verdict about_statement(enum access_decision decision, const char *reason,
                                             struct str sid)
{
    return (struct access_verdict){ .decision = decision, .reason = reason, .statement = sid };
}

static struct access_verdict evaluate(const struct access_request *request)
{
    const struct access_resource *resource = &request->resource;
    struct condition_values values;
    char arn[sizeof(ARN_PREFIX) + BUCKET_NAME_BYTES_MAX + 1 + KEY_BYTES_MAX];
    char user_arn[IDENTITY_ARN_BYTES_MAX];
    int len = snprintf(arn, sizeof(arn), ARN_PREFIX "%.*s%s%.*s", STR_ARG(resource->bucket),
                       str_present(resource->key) ? "/" : "", STR_ARG(resource->key));
    struct policy_question question = {
        .principal = principal_of(request->principal, user_arn),
        .action = access_action_name(request->action),
        .resource = str_make(arn, (size_t)len < sizeof(arn) ? (size_t)len : sizeof(arn) - 1),
        .look_up = condition_look_up,
        .context = &values,
    };
    struct policy_answer answer;

    values.request = request; /* the rest is room */
    answer = policy_evaluate(resource->rules->policy, &question);

    switch (answer.effect) {
    case POLICY_DENIES:
        return about_statement(ACCESS_DENIED, "the bucket's policy denies it", answer.sid);
    case POLICY_ALLOWS:
        if (str_present(resource->object_owner) &&
            !str_eq(resource->object_owner, resource->bucket_owner) &&
            resource->rules->ownership != OWNERSHIP_OWNER_ENFORCED)
            return vote_abstain("the bucket's policy can not open somebody else's object");
        return about_statement(ACCESS_ALLOWED, "the bucket's policy allows it", answer.sid);
    case POLICY_SAYS_NOTHING:
        break;
    }
    return vote_abstain("the bucket's policy does not allow it");
}

/* Of services nothing is restricted: they act for an account. */
static bool is_service(const struct user *user)
{
    return user != NULL && user->kind == USER_SERVICE;
}

struct access_verdict vote_of_policy(const struct access_request *request)
{
    const struct access_rules *rules = request->resource.rules;
    bool at_home = vote_is_owner(request->principal, request->resource.bucket_owner);

    if (rules == NULL || (rules->policy == NULL && !rules->policy_is_unknown) ||
        str_starts(access_action_name(request->action), STR("pail:")))
        return vote_nothing();
    if (at_home && request->principal->kind != USER_OF_ACCOUNT && is_about_policy(request->action))
        return vote_nothing();
    if (rules->policy_is_unknown)
        return vote_deny("the bucket's policy can not be read by this version of pail");
    if (!at_home && !is_service(request->principal) && rules->policy_is_public &&
        (rules->blocked & RESTRICT_PUBLIC_BUCKETS) != 0)
        return vote_deny("the policy is public, and only the owner's account may "
                         "(RestrictPublicBuckets)");
    return evaluate(request);
}
