/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access control lists; see acl.h.
 *
 * Packed form: version byte, number of grants, then for each grant its grantee kind, permission
 * bits, length of the id and the id.
 */
#include "server/auth/acl.h"

#define ACL_VERSION 1
#define ACL_HEAD_BYTES 2
#define ACL_GRANT_HEAD_BYTES 3
#define ACL_ID_BYTES_MAX 255

/* ---- packed form ------------------------------------------------------------------------------ */

struct packed_acl {
    const uint8_t *at;
    size_t left; /* bytes */
    unsigned grants;
};

static bool packed_begin(struct str packed, struct packed_acl *ret_cursor)
{
    const uint8_t *p = (const uint8_t *)packed.p;

    if (packed.len < ACL_HEAD_BYTES || p[0] != ACL_VERSION || p[1] > ACL_GRANTS_MAX)
        return false;
    *ret_cursor = (struct packed_acl){ p + ACL_HEAD_BYTES, packed.len - ACL_HEAD_BYTES, p[1] };
    return true;
}

/* False when the bytes are damaged. */
static bool packed_grant(struct packed_acl *cursor, struct acl_grant *ret_grant)
{
    const uint8_t *p = cursor->at;
    size_t len;

    if (cursor->left < ACL_GRANT_HEAD_BYTES || p[0] > ACL_LOG_DELIVERY || p[1] > ACL_FULL_CONTROL ||
        cursor->left < (len = ACL_GRANT_HEAD_BYTES + (size_t)p[2]))
        return false;
    *ret_grant = (struct acl_grant){ (enum acl_grantee)p[0], p[1],
                                     str_make(p + ACL_GRANT_HEAD_BYTES, p[2]) };
    cursor->at += len;
    cursor->left -= len;
    cursor->grants--;
    return true;
}

bool acl_unpack(struct str packed, struct str owner, struct arena *arena, struct acl *ret_acl)
{
    struct packed_acl cursor;
    struct acl acl = { 0 };

    if (!str_present(packed))
        return acl_canned(STR("private"), owner, owner, ACL_OF_OBJECT, arena, ret_acl);
    if (!packed_begin(packed, &cursor))
        return false;
    acl.grants = arena_array(arena, cursor.grants > 0 ? cursor.grants : 1, sizeof(*acl.grants));
    if (acl.grants == NULL)
        return false;
    while (cursor.grants > 0)
        if (!packed_grant(&cursor, &acl.grants[acl.count++]))
            return false;
    if (cursor.left != 0)
        return false;
    *ret_acl = acl;
    return true;
}

static bool is_private(const struct acl *acl, struct str owner)
{
    return acl->count == 1 && acl->grants[0].grantee == ACL_USER &&
           acl->grants[0].permission == ACL_FULL_CONTROL && str_eq(acl->grants[0].id, owner);
}

bool acl_pack(const struct acl *acl, struct str owner, struct arena *arena, struct str *ret_packed)
{
    size_t len = ACL_HEAD_BYTES;
    uint8_t *bytes;
    uint8_t *p;

    if (acl->count > ACL_GRANTS_MAX)
        return false;
    if (is_private(acl, owner)) {
        *ret_packed = STR_NONE;
        return true;
    }
    for (size_t i = 0; i < acl->count; i++) {
        if (acl->grants[i].id.len > ACL_ID_BYTES_MAX)
            return false;
        len += ACL_GRANT_HEAD_BYTES + acl->grants[i].id.len;
    }
    if (len > ACL_PACKED_BYTES_MAX || (bytes = arena_alloc(arena, len)) == NULL)
        return false;
    p = bytes;
    *p++ = ACL_VERSION;
    *p++ = (uint8_t)acl->count;
    for (size_t i = 0; i < acl->count; i++) {
        const struct acl_grant *grant = &acl->grants[i];

        *p++ = (uint8_t)grant->grantee;
        *p++ = (uint8_t)grant->permission;
        *p++ = (uint8_t)grant->id.len;
        if (grant->id.len > 0)
            memcpy(p, grant->id.p, grant->id.len);
        p += grant->id.len;
    }
    *ret_packed = str_make(bytes, len);
    return true;
}

/* ---- canned ACLs ------------------------------------------------------------------------------ */

enum canned_scope { CANNED_BOTH = 0, CANNED_BUCKET, CANNED_OBJECT };

/* What a canned ACL grants beside full control for the owner. */
struct canned {
    struct str name;
    enum canned_scope scope;
    enum acl_grantee grantee;
    unsigned permissions; /* one grant for each of READ, WRITE, READ_ACP; or FULL_CONTROL */
    bool to_bucket_owner;
};

/*
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
 * aws-exec-read lets Amazon EC2 read, which is nobody here.
 */
static const struct canned canned_acls[] = {
    { STR_INIT("private"), CANNED_BOTH, ACL_USER, 0, false },
    { STR_INIT("public-read"), CANNED_BOTH, ACL_ALL_USERS, ACL_READ, false },
    { STR_INIT("public-read-write"), CANNED_BOTH, ACL_ALL_USERS, ACL_READ | ACL_WRITE, false },
    { STR_INIT("authenticated-read"), CANNED_BOTH, ACL_AUTHENTICATED_USERS, ACL_READ, false },
    { STR_INIT("aws-exec-read"), CANNED_BOTH, ACL_USER, 0, false },
    { STR_INIT("bucket-owner-read"), CANNED_OBJECT, ACL_USER, ACL_READ, true },
    { STR_INIT("bucket-owner-full-control"), CANNED_OBJECT, ACL_USER, ACL_FULL_CONTROL, true },
    { STR_INIT("log-delivery-write"), CANNED_BUCKET, ACL_LOG_DELIVERY, ACL_WRITE | ACL_READ_ACP,
      false },
};

static bool is_for(const struct canned *canned, enum acl_place place)
{
    switch (canned->scope) {
    case CANNED_BOTH:
        return true;
    case CANNED_BUCKET:
        return place != ACL_OF_OBJECT;
    case CANNED_OBJECT:
        /* A new bucket's owner is the bucket owner it would grant something to. */
        return place != ACL_OF_BUCKET;
    }
    return false;
}

static const struct canned *find_canned(struct str name, enum acl_place place)
{
    for (size_t i = 0; i < COUNT_OF(canned_acls); i++)
        if (str_eq(canned_acls[i].name, name) && is_for(&canned_acls[i], place))
            return &canned_acls[i];
    return NULL;
}

bool acl_canned(struct str name, struct str owner, struct str bucket_owner, enum acl_place place,
                struct arena *arena, struct acl *ret_acl)
{
    const unsigned each[] = { ACL_READ, ACL_WRITE, ACL_READ_ACP, ACL_WRITE_ACP };
    const struct canned *canned = find_canned(name, place);
    struct acl acl = { 0 };
    struct str id;

    if (canned == NULL ||
        (acl.grants = arena_array(arena, 1 + COUNT_OF(each), sizeof(*acl.grants))) == NULL)
        return false;
    acl.grants[acl.count++] = (struct acl_grant){ ACL_USER, ACL_FULL_CONTROL, owner };
    id = canned->to_bucket_owner ? bucket_owner : STR("");
    if (canned->to_bucket_owner && str_eq(owner, bucket_owner)) {
        /* The one full-control grant says it already. */
    } else if (canned->permissions == ACL_FULL_CONTROL) {
        acl.grants[acl.count++] = (struct acl_grant){ canned->grantee, ACL_FULL_CONTROL, id };
    } else {
        for (size_t i = 0; i < COUNT_OF(each); i++)
            if (canned->permissions & each[i])
                acl.grants[acl.count++] = (struct acl_grant){ canned->grantee, each[i], id };
    }
    *ret_acl = acl;
    return true;
}

/* ---- what a list gives ------------------------------------------------------------------------- */

struct str acl_user_id(const struct user *user)
{
    return user != NULL ? user->canonical_id : ACL_ANONYMOUS_ID;
}

static bool grant_is_for(const struct acl_grant *grant, const struct user *user)
{
    switch (grant->grantee) {
    case ACL_USER:
        return grant->id.len > 0 && str_eq(acl_user_id(user), grant->id);
    case ACL_ALL_USERS:
        return true;
    case ACL_AUTHENTICATED_USERS:
        return user != NULL;
    case ACL_LOG_DELIVERY:
        return user != NULL && user->kind == USER_SERVICE &&
               str_eq(user->canonical_id, ACL_LOG_DELIVERY_ID);
    }
    return false;
}

static bool is_of_the_public(const struct acl_grant *grant)
{
    return grant->grantee == ACL_ALL_USERS || grant->grantee == ACL_AUTHENTICATED_USERS;
}

bool acl_is_public(const struct acl *acl)
{
    for (size_t i = 0; i < acl->count; i++)
        if (is_of_the_public(&acl->grants[i]))
            return true;
    return false;
}

bool acl_gives(struct str packed, struct str owner, const struct user *user,
               enum acl_permission permission, bool without_public)
{
    struct packed_acl cursor;
    struct acl_grant grant;

    if (!str_present(packed))
        return owner.len > 0 && str_eq(acl_user_id(user), owner);
    if (!packed_begin(packed, &cursor))
        return false;
    while (cursor.grants > 0) {
        if (!packed_grant(&cursor, &grant))
            return false;
        if (without_public && is_of_the_public(&grant))
            continue;
        if ((grant.permission & permission) == (unsigned)permission && grant_is_for(&grant, user))
            return true;
    }
    return false;
}
