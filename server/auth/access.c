/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access decision; see access.h.
 *
 * (1) A voter speaks of one thing and abstains from all else. A new kind of rule is a new voter.
 * (2) Without an allowing voter a request is denied for the last reason that was given.
 */
#include "server/auth/access.h"

#include <assert.h>

#include "server/auth/voters.h"

/* ---- actions --------------------------------------------------------------------------------- */

enum grant_name {
    NO_GRANT = 0,
    BUCKET_READ,
    BUCKET_WRITE,
    BUCKET_READ_ACP,
    BUCKET_WRITE_ACP,
    OBJECT_READ,
    OBJECT_READ_ACP,
    OBJECT_WRITE_ACP,
};

enum right {
    NOBODY = 0,
    BUCKET_OWNER = 1,
    OBJECT_OWNER = 2,
    EITHER_OWNER = BUCKET_OWNER | OBJECT_OWNER,
    ANY_USER = 4,
};

static const struct {
    enum grant_name grant;
    enum right right;
} actions[ACCESS_ACTIONS] = {
#define A(SERVICE, NAME, GRANT, RIGHT) [ACTION_##NAME] = { GRANT, RIGHT },
#include "server/auth/actions.def"
#undef A
};

static bool owner_enforced(const struct access_resource *resource)
{
    return resource->rules != NULL && resource->rules->ownership == OWNERSHIP_OWNER_ENFORCED;
}

static bool blocks(const struct access_resource *resource, enum public_access_block what)
{
    return resource->rules != NULL && (resource->rules->blocked & what) != 0;
}

/* Absent where there is no object. */
static struct str object_owner(const struct access_resource *resource)
{
    return str_present(resource->object_owner) && owner_enforced(resource) ? resource->bucket_owner
                                                                           : resource->object_owner;
}

/* ---- uploads --------------------------------------------------------------------------------- */

/*
 * An upload is its initiator's and the bucket owner's, whoever else may write to the bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
 */
static struct access_verdict vote_of_upload(const struct access_request *request)
{
    const struct access_resource *resource = &request->resource;

    if (!str_present(resource->initiator) ||
        vote_is_owner(request->principal, resource->initiator) ||
        vote_is_owner(request->principal, resource->bucket_owner))
        return vote_nothing();
    return vote_deny("somebody else's upload in somebody else's bucket");
}

/* ---- what is somebody's whatever the lists say ----------------------------------------------- */

static struct access_verdict vote_of_right(const struct access_request *request)
{
    const struct access_resource *resource = &request->resource;
    enum right right = actions[request->action].right;

    if ((right & ANY_USER) && request->principal != NULL)
        return vote_allow("any user may");
    if ((right & BUCKET_OWNER) && vote_is_owner(request->principal, resource->bucket_owner))
        return vote_allow("the bucket's owner may");
    if ((right & OBJECT_OWNER) && vote_is_owner(request->principal, object_owner(resource)))
        return vote_allow("the object's owner may");
    switch (right) {
    case ANY_USER:
        return vote_abstain("nobody signed the request");
    case BUCKET_OWNER:
        return vote_abstain("only the bucket's owner may");
    case OBJECT_OWNER:
    case EITHER_OWNER:
        return vote_abstain("not the owner");
    case NOBODY:
        break;
    }
    return vote_nothing();
}

/* ---- access control lists -------------------------------------------------------------------- */

static const struct {
    bool of_object;
    enum acl_permission permission;
    const char *given;
    const char *missing;
} grants[] = {
    [BUCKET_READ] = { false, ACL_READ, "the bucket's ACL gives READ",
                      "the bucket's ACL gives no READ" },
    [BUCKET_WRITE] = { false, ACL_WRITE, "the bucket's ACL gives WRITE",
                       "the bucket's ACL gives no WRITE" },
    [BUCKET_READ_ACP] = { false, ACL_READ_ACP, "the bucket's ACL gives READ_ACP",
                          "the bucket's ACL gives no READ_ACP" },
    [BUCKET_WRITE_ACP] = { false, ACL_WRITE_ACP, "the bucket's ACL gives WRITE_ACP",
                           "the bucket's ACL gives no WRITE_ACP" },
    [OBJECT_READ] = { true, ACL_READ, "the object's ACL gives READ",
                      "the object's ACL gives no READ" },
    [OBJECT_READ_ACP] = { true, ACL_READ_ACP, "the object's ACL gives READ_ACP",
                          "the object's ACL gives no READ_ACP" },
    [OBJECT_WRITE_ACP] = { true, ACL_WRITE_ACP, "the object's ACL gives WRITE_ACP",
                           "the object's ACL gives no WRITE_ACP" },
};

/* Where ACLs are disabled all in the bucket is its owner's, as if no list had ever been set. */
static struct access_verdict vote_of_owner_enforced(const struct access_request *request,
                                                    bool of_object)
{
    const struct access_resource *resource = &request->resource;

    if (of_object && !str_present(resource->object_owner))
        return vote_abstain("there is no object");
    if (vote_is_owner(request->principal, resource->bucket_owner))
        return vote_allow("the bucket's owner owns all in it");
    return vote_abstain("ACLs are disabled (BucketOwnerEnforced)");
}

static struct access_verdict vote_of_acl(const struct access_request *request)
{
    const struct access_resource *resource = &request->resource;
    enum grant_name name = actions[request->action].grant;
    bool of_object = grants[name].of_object;
    struct str list = of_object ? resource->object_acl : resource->bucket_acl;
    struct str owner = of_object ? resource->object_owner : resource->bucket_owner;
    enum acl_permission permission = grants[name].permission;

    if (name == NO_GRANT)
        return vote_nothing();
    if (owner_enforced(resource))
        return vote_of_owner_enforced(request, of_object);
    if (acl_gives(list, owner, request->principal, permission,
                  blocks(resource, IGNORE_PUBLIC_ACLS)))
        return (struct access_verdict){ .decision = ACCESS_ALLOWED,
                                        .reason = grants[name].given,
                                        .by_acl = !vote_is_owner(request->principal, owner) };
    if (blocks(resource, IGNORE_PUBLIC_ACLS) &&
        acl_gives(list, owner, request->principal, permission, false))
        return vote_abstain("public ACLs are ignored (IgnorePublicAcls)");
    return vote_abstain(grants[name].missing);
}

/* ---- who pays -------------------------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html */
static struct access_verdict vote_of_payer(const struct access_request *request)
{
    const struct access_resource *resource = &request->resource;

    if (resource->rules == NULL || !resource->rules->requester_pays ||
        vote_is_owner(request->principal, resource->bucket_owner))
        return vote_nothing();
    if (request->principal == NULL)
        return vote_deny("the requester pays here, and nobody signed the request");
    return request->context.agrees_to_pay
               ? vote_nothing()
               : vote_deny("the requester pays here, and has not agreed to (x-amz-request-payer)");
}

/* ---- the decision ---------------------------------------------------------------------------- */

static access_voter *const voters[] = { vote_of_upload, vote_of_payer, vote_of_policy,
                                        vote_of_right, vote_of_acl };

struct access_verdict access_count(access_voter *const *asked, size_t count,
                                   const struct access_request *request)
{
    struct access_verdict verdict = vote_deny("nobody allows it");

    for (size_t i = 0; i < count; i++) {
        struct access_verdict vote = asked[i](request);

        if (vote.decision == ACCESS_DENIED)
            return vote;
        if (verdict.decision == ACCESS_ALLOWED || vote.reason == NULL)
            continue;
        verdict.reason = vote.reason;
        verdict.statement = vote.statement;
        verdict.by_acl = vote.by_acl;
        if (vote.decision == ACCESS_ALLOWED)
            verdict.decision = ACCESS_ALLOWED;
    }
    return verdict;
}

struct access_verdict access_decide(const struct access_request *request)
{
    assert(request->action > ACTION_NONE && request->action < ACCESS_ACTIONS);
    return access_count(voters, COUNT_OF(voters), request);
}
