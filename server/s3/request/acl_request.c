/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACLs as requests bring them: x-amz-acl, x-amz-grant-* headers and AccessControlPolicy documents.
 *
 * A user is named by canonical id or e-mail and must be known: an ACL never holds an id that could
 * later become somebody else's.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
 */
#include "server/s3/request/acl_request.h"

#include "server/s3/bucket_config.h"
#include "server/s3/may.h"
#include "server/s3/op.h"
#include "server/s3/refuse.h"
#include "server/xml/xml.h"

#define GROUP_ALL "http://acs.amazonaws.com/groups/global/AllUsers"
#define GROUP_AUTHENTICATED "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
#define GROUP_LOG_DELIVERY "http://acs.amazonaws.com/groups/s3/LogDelivery"

#define BUCKET_OWNERS STR("bucket-owner-full-control")
#define DOCUMENT_ID STR("CanonicalUser/ID") /* a canonical id, as S3 calls it in a document */

/* ---- object ownership ------------------------------------------------------------------------- */

bool acl_disabled(const struct op *op)
{
    return op->config->access.ownership == OWNERSHIP_OWNER_ENFORCED;
}

static struct str new_owner(const struct op *op)
{
    bool given_over = op->config->access.ownership == OWNERSHIP_OWNER_PREFERRED &&
                      str_eq(op_header(op, "x-amz-acl"), BUCKET_OWNERS);

    return acl_disabled(op) || given_over ? op->bucket.owner : op_caller_id(op);
}

/* With ACLs disabled a new object may say what holds anyway: the bucket's owner has full control. */
static bool says_what_holds(const struct op *op, const struct acl *acl)
{
    for (size_t i = 0; i < acl->count; i++) {
        const struct acl_grant *grant = &acl->grants[i];

        if (grant->grantee != ACL_USER || grant->permission != ACL_FULL_CONTROL ||
            !str_eq(grant->id, op->bucket.owner))
            return false;
    }
    return true;
}

/* ---- grantees --------------------------------------------------------------------------------- */

static bool grantee_of_group(struct str uri, enum acl_grantee *ret_grantee)
{
    if (str_eq(uri, STR(GROUP_ALL)))
        *ret_grantee = ACL_ALL_USERS;
    else if (str_eq(uri, STR(GROUP_AUTHENTICATED)))
        *ret_grantee = ACL_AUTHENTICATED_USERS;
    else if (str_eq(uri, STR(GROUP_LOG_DELIVERY)))
        *ret_grantee = ACL_LOG_DELIVERY;
    else
        return false;
    return true;
}

/* Where a grantee was named, which S3 tells by how it calls the argument. */
struct grant_place {
    struct str id;
    struct str uri;
};

static enum s3_error check_id(struct op *op, struct str id, struct str argument)
{
    struct user user;
    enum credentials_answer answer;

    if (str_eq(id, ACL_ANONYMOUS_ID))
        return S3_OK;

    answer =
        credentials_know(auth_credentials(op->auth_cache), CREDENTIALS_BY_CANONICAL_ID, id, &user);
    if (answer == CREDENTIALS_LACKING)
        return op_fail(op, S3_SlowDown);
    return answer == CREDENTIALS_FOUND ? S3_OK
                                       : op_fail_argument(op, STR("Invalid id"), argument, id);
}

static enum s3_error grant_to_id(struct op *op, struct str id, const struct grant_place *place,
                                 struct acl_grant *grant)
{
    enum s3_error err = check_id(op, id, place->id);

    if (err != S3_OK)
        return err;
    grant->grantee = ACL_USER;
    grant->id = id;
    return S3_OK;
}

static enum s3_error grant_to_group(struct op *op, struct str uri, const struct grant_place *place,
                                    struct acl_grant *grant)
{
    grant->id = STR("");
    if (!grantee_of_group(uri, &grant->grantee))
        return op_fail_argument(op, STR("Invalid group uri"), place->uri, uri);
    return S3_OK;
}

static enum s3_error grant_to_email(struct op *op, struct str email, struct acl_grant *grant)
{
    struct user user;
    enum credentials_answer answer =
        credentials_know(auth_credentials(op->auth_cache), CREDENTIALS_BY_EMAIL, email, &user);

    if (answer == CREDENTIALS_UNKNOWN)
        return op_fail(op, S3_UnresolvableGrantByEmailAddress, email);
    grant->grantee = ACL_USER;
    grant->id = answer == CREDENTIALS_FOUND ? arena_dup(op->arena, user.canonical_id) : STR_NONE;
    return str_present(grant->id) ? S3_OK : op_fail(op, S3_SlowDown);
}

static enum s3_error too_many_grants(struct op *op)
{
    return op_fail_text(op, S3_MalformedACLError, STR("An ACL holds at most 100 grants"));
}

static enum s3_error acl_add(struct op *op, struct acl *acl, const struct acl_grant *grant)
{
    if (acl->count == ACL_GRANTS_MAX)
        return too_many_grants(op);
    acl->grants[acl->count++] = *grant;
    return S3_OK;
}

static enum s3_error acl_new(struct op *op, struct acl *ret_acl)
{
    ret_acl->count = 0;
    ret_acl->grants = arena_array(op->arena, ACL_GRANTS_MAX, sizeof(*ret_acl->grants));
    return ret_acl->grants != NULL ? S3_OK : op_fail(op, S3_SlowDown);
}

static enum s3_error acl_finish(struct op *op, const struct acl *acl, struct str owner,
                                struct str *ret_packed)
{
    if ((op->config->access.blocked & BLOCK_PUBLIC_ACLS) != 0 && acl_is_public(acl))
        return op_deny(op, "public ACLs are blocked (BlockPublicAcls)");
    return acl_pack(acl, owner, op->arena, ret_packed) ? S3_OK : op_fail(op, S3_SlowDown);
}

/* ---- headers ---------------------------------------------------------------------------------- */

struct grant_header {
    const char *name;
    unsigned permission;
};

static const struct grant_header grant_headers[] = {
    { "x-amz-grant-read", ACL_READ },
    { "x-amz-grant-write", ACL_WRITE },
    { "x-amz-grant-read-acp", ACL_READ_ACP },
    { "x-amz-grant-write-acp", ACL_WRITE_ACP },
    { "x-amz-grant-full-control", ACL_FULL_CONTROL },
};

static struct str unquote(struct str text)
{
    text = str_trim(text);
    if (text.len >= 2 && (text.p[0] == '"' || text.p[0] == '\'') &&
        text.p[text.len - 1] == text.p[0])
        return str_slice(text, 1, text.len - 2);
    return text;
}

/* One `id="..."`, `uri="..."` or `emailAddress="..."`. */
static enum s3_error grant_from_text(struct op *op, struct str text, const char *header,
                                     struct acl_grant *grant)
{
    const struct grant_place place = { .id = STR("id"), .uri = STR("uri") };
    struct str kind;
    struct str value;

    if (str_cut(text, '=', &kind, &value)) {
        kind = str_trim(kind);
        value = unquote(value);
        if (str_eq_nocase(kind, STR("id")))
            return grant_to_id(op, value, &place, grant);
        if (str_eq_nocase(kind, STR("uri")))
            return grant_to_group(op, value, &place, grant);
        if (str_eq_nocase(kind, STR("emailAddress")))
            return grant_to_email(op, value, grant);
    }
    return op_fail_argument(op, STR("Argument format not recognized"), str_from_cstr(header), text);
}

static enum s3_error grants_from_header(struct op *op, const struct grant_header *header,
                                        struct str value, struct acl *acl)
{
    struct str rest = value;
    struct str item;

    while (str_next(&rest, ',', &item)) {
        struct acl_grant grant = { .permission = header->permission };
        enum s3_error err;

        item = str_trim(item);
        if (item.len == 0)
            continue;
        err = grant_from_text(op, item, header->name, &grant);
        if (err == S3_OK)
            err = acl_add(op, acl, &grant);
        if (err != S3_OK)
            return err;
    }
    return S3_OK;
}

static enum s3_error acl_from_canned(struct op *op, struct str name, struct str owner,
                                     enum acl_place place, struct str *ret_packed)
{
    struct acl acl;

    if (place == ACL_OF_OBJECT && acl_disabled(op) && !str_eq(name, BUCKET_OWNERS))
        return op_fail(op, S3_AccessControlListNotSupported);
    if (!acl_canned(name, owner, place == ACL_OF_OBJECT ? op->bucket.owner : owner, place,
                    op->arena, &acl))
        return op_fail_argument(op, STR(""), STR("x-amz-acl"), name);
    return acl_finish(op, &acl, owner, ret_packed);
}

enum s3_error acl_from_headers(struct op *op, struct str owner, enum acl_place place,
                               struct str *ret_packed, bool *ret_given)
{
    struct str canned = op_header(op, "x-amz-acl");
    struct str values[COUNT_OF(grant_headers)];
    struct acl acl;
    enum s3_error err;
    bool grants = false;

    for (size_t i = 0; i < COUNT_OF(grant_headers); i++) {
        values[i] = op_header(op, grant_headers[i].name);
        grants = grants || str_present(values[i]);
    }
    *ret_packed = STR_NONE;
    *ret_given = grants || str_present(canned);
    if (grants && str_present(canned))
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Specifying both Canned ACLs and Header Grants is not allowed"));
    if (str_present(canned))
        return acl_from_canned(op, canned, owner, place, ret_packed);
    if (!grants)
        return S3_OK;
    err = acl_new(op, &acl);
    for (size_t i = 0; err == S3_OK && i < COUNT_OF(grant_headers); i++)
        if (str_present(values[i]))
            err = grants_from_header(op, &grant_headers[i], values[i], &acl);
    if (err == S3_OK && place == ACL_OF_OBJECT && acl_disabled(op) && !says_what_holds(op, &acl))
        return op_fail(op, S3_AccessControlListNotSupported);
    return err == S3_OK ? acl_finish(op, &acl, owner, ret_packed) : err;
}

/*
 * Another list than the one an object has anyway takes a right of its own, which whoever writes it has,
 * unless a policy denies it. Where ACLs are disabled none is set.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
static enum s3_error require_acl(struct op *op)
{
    const struct version made = { .attrs.owner = op_caller_id(op) };
    struct op_subject subject = op_subject(op);

    if (acl_disabled(op) || str_eq(op_header(op, "x-amz-acl"), STR("private")))
        return S3_OK;
    subject.object = &made;
    return op_require(op, ACTION_PutObjectAcl, &subject);
}

enum s3_error acl_of_new_object(struct op *op, struct version_attrs *attrs)
{
    bool given;
    enum s3_error err;

    attrs->owner = new_owner(op);
    err = acl_from_headers(op, attrs->owner, ACL_OF_OBJECT, &attrs->acl, &given);
    return err == S3_OK && given ? require_acl(op) : err;
}

/* ---- documents -------------------------------------------------------------------------------- */

static bool permission_of(struct str name, unsigned *ret_permission)
{
    if (str_eq(name, STR("READ")))
        *ret_permission = ACL_READ;
    else if (str_eq(name, STR("WRITE")))
        *ret_permission = ACL_WRITE;
    else if (str_eq(name, STR("READ_ACP")))
        *ret_permission = ACL_READ_ACP;
    else if (str_eq(name, STR("WRITE_ACP")))
        *ret_permission = ACL_WRITE_ACP;
    else if (str_eq(name, STR("FULL_CONTROL")))
        *ret_permission = ACL_FULL_CONTROL;
    else
        return false;
    return true;
}

enum s3_error acl_grant_from_xml(struct op *op, const struct xml_node *node,
                                 struct acl_grant *grant)
{
    const struct grant_place place = { .id = DOCUMENT_ID, .uri = STR("Group/URI") };
    const struct xml_node *grantee = xml_child(node, STR("Grantee"));
    struct str text;

    if (!str_eq(node->name, STR("Grant")) || grantee == NULL ||
        !permission_of(xml_child_text(node, STR("Permission")), &grant->permission))
        return op_fail(op, S3_MalformedACLError);
    if (str_eq(grantee->type, STR("CanonicalUser"))) {
        text = xml_child_text(grantee, STR("ID"));
        return str_present(text) ? grant_to_id(op, text, &place, grant)
                                 : op_fail(op, S3_MalformedACLError);
    }
    if (str_eq(grantee->type, STR("Group"))) {
        text = xml_child_text(grantee, STR("URI"));
        return str_present(text) ? grant_to_group(op, text, &place, grant)
                                 : op_fail(op, S3_MalformedACLError);
    }
    if (str_eq(grantee->type, STR("AmazonCustomerByEmail"))) {
        text = xml_child_text(grantee, STR("EmailAddress"));
        return str_present(text) ? grant_to_email(op, text, grant)
                                 : op_fail(op, S3_MalformedACLError);
    }
    return op_fail(op, S3_MalformedACLError);
}

bool acl_grant_reread(const struct xml_node *node, struct acl_grant *ret_grant)
{
    const struct xml_node *grantee = xml_child(node, STR("Grantee"));
    struct acl_grant grant = { .id = STR("") };

    if (grantee == NULL ||
        !permission_of(xml_child_text(node, STR("Permission")), &grant.permission))
        return false;
    if (str_eq(grantee->type, STR("CanonicalUser")))
        grant.id = xml_child_text(grantee, STR("ID"));
    else if (!grantee_of_group(xml_child_text(grantee, STR("URI")), &grant.grantee))
        return false;
    *ret_grant = grant;
    return str_present(grant.id);
}

static enum s3_error check_owner(struct op *op, const struct xml_node *root, struct str owner)
{
    const struct xml_node *node = xml_child(root, STR("Owner"));
    struct str id = node != NULL ? xml_child_text(node, STR("ID")) : STR_NONE;
    enum s3_error err;

    if (!str_present(id))
        return op_fail(op, S3_MalformedACLError);
    if (str_eq(id, owner))
        return S3_OK;
    err = check_id(op, id, DOCUMENT_ID);
    return err != S3_OK ? err : op_deny(op, "ownership does not change hands through an ACL");
}

enum s3_error acl_from_xml(struct op *op, struct str owner, struct str *ret_packed)
{
    const struct xml_node *root =
        xml_parse(op->body, STR("AccessControlPolicy"), op->arena, &op->fault);
    const struct xml_node *list = root != NULL ? xml_child(root, STR("AccessControlList")) : NULL;
    struct acl acl;
    enum s3_error err;

    if (list == NULL)
        return op_fail(op, S3_MalformedACLError);
    err = check_owner(op, root, owner);
    if (err == S3_OK)
        err = acl_new(op, &acl);
    for (const struct xml_node *node = list->children; err == S3_OK && node != NULL;
         node = node->next) {
        struct acl_grant grant = { 0 };

        err = acl_grant_from_xml(op, node, &grant);
        if (err == S3_OK)
            err = acl_add(op, &acl, &grant);
    }
    return err == S3_OK ? acl_finish(op, &acl, owner, ret_packed) : err;
}
