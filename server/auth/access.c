/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access decision; see access.h.
 *
 * (1) A voter speaks of one thing and abstains from all else. A new kind of rule is a new voter.
 * (2) Without an allowing voter a request is denied for the last reason that was given.
 */
#include "server/auth/access.h"

#include <assert.h>

#include "server/auth/acl.h"

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
    struct str name;
    enum grant_name grant;
    enum right right;
} actions[ACCESS_ACTIONS] = {
#define A(SERVICE, NAME, GRANT, RIGHT)                                                             \
    [ACTION_##NAME] = { { #SERVICE ":" #NAME, sizeof(#SERVICE ":" #NAME) - 1 }, GRANT, RIGHT },
#include "server/auth/actions.def"
#undef A
};

struct str access_action_name(enum access_action action)
{
    return actions[action].name;
}

static const struct access_verdict nothing_to_say = { ACCESS_ABSTAINED, NULL };

static struct access_verdict allow(const char *reason)
{
    return (struct access_verdict){ ACCESS_ALLOWED, reason };
}

static struct access_verdict abstain(const char *reason)
{
    return (struct access_verdict){ ACCESS_ABSTAINED, reason };
}

static struct access_verdict deny(const char *reason)
{
    return (struct access_verdict){ ACCESS_DENIED, reason };
}

static bool is_owner(const struct user *user, struct str owner)
{
    return owner.len > 0 && str_eq(acl_user_id(user), owner);
}

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

    if (!str_present(resource->initiator) || is_owner(request->principal, resource->initiator) ||
        is_owner(request->principal, resource->bucket_owner))
        return nothing_to_say;
    return deny("somebody else's upload in somebody else's bucket");
}

/* ---- what is somebody's whatever the lists say ----------------------------------------------- */

static struct access_verdict vote_of_right(const struct access_request *request)
{
    const struct access_resource *resource = &request->resource;
    enum right right = actions[request->action].right;

    if ((right & ANY_USER) && request->principal != NULL)
        return allow("any user may");
    if ((right & BUCKET_OWNER) && is_owner(request->principal, resource->bucket_owner))
        return allow("the bucket's owner may");
    if ((right & OBJECT_OWNER) && is_owner(request->principal, object_owner(resource)))
        return allow("the object's owner may");
    switch (right) {
    case ANY_USER:
        return abstain("nobody signed the request");
    case BUCKET_OWNER:
        return abstain("only the bucket's owner may");
    case OBJECT_OWNER:
    case EITHER_OWNER:
        return abstain("not the owner");
    case NOBODY:
        break;
    }
    return nothing_to_say;
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
        return abstain("there is no object");
    if (is_owner(request->principal, resource->bucket_owner))
        return allow("the bucket's owner owns all in it");
    return abstain("ACLs are disabled (BucketOwnerEnforced)");
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
        return nothing_to_say;
    if (owner_enforced(resource))
        return vote_of_owner_enforced(request, of_object);
    if (acl_gives(list, owner, request->principal, permission,
                  blocks(resource, IGNORE_PUBLIC_ACLS)))
        return allow(grants[name].given);
    if (blocks(resource, IGNORE_PUBLIC_ACLS) &&
        acl_gives(list, owner, request->principal, permission, false))
        return abstain("public ACLs are ignored (IgnorePublicAcls)");
    return abstain(grants[name].missing);
}

/* ---- who pays -------------------------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html */
static struct access_verdict vote_of_payer(const struct access_request *request)
{
    const struct access_resource *resource = &request->resource;

    if (resource->rules == NULL || !resource->rules->requester_pays ||
        is_owner(request->principal, resource->bucket_owner))
        return nothing_to_say;
    if (request->principal == NULL)
        return deny("the requester pays here, and nobody signed the request");
    return request->context.agrees_to_pay
               ? nothing_to_say
               : deny("the requester pays here, and has not agreed to (x-amz-request-payer)");
}

/* ---- the decision ---------------------------------------------------------------------------- */

static access_voter *const voters[] = { vote_of_upload, vote_of_payer, vote_of_right, vote_of_acl };

struct access_verdict access_count(access_voter *const *asked, size_t count,
                                   const struct access_request *request)
{
    struct access_verdict verdict = deny("nobody allows it");

    for (size_t i = 0; i < count; i++) {
        struct access_verdict vote = asked[i](request);

        if (vote.decision == ACCESS_DENIED)
            return vote;
        if (verdict.decision == ACCESS_ALLOWED || vote.reason == NULL)
            continue;
        verdict.reason = vote.reason;
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
