/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access control lists, pure. What they open is access.c's to say.
 *
 * An ACL travels packed (opaque to the store); STR_NONE is "private": full control for the owner.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
 */
#ifndef SERVER_AUTH_ACL_H
#define SERVER_AUTH_ACL_H

#include "server/auth/auth.h"

#define ACL_GRANTS_MAX 100
#define ACL_PACKED_BYTES_MAX 8192

enum acl_permission {
    ACL_READ = 1,
    ACL_WRITE = 2,
    ACL_READ_ACP = 4,
    ACL_WRITE_ACP = 8,
    ACL_FULL_CONTROL = 15,
};

enum acl_grantee { ACL_USER = 0, ACL_ALL_USERS, ACL_AUTHENTICATED_USERS, ACL_LOG_DELIVERY };

struct acl_grant {
    enum acl_grantee grantee;
    unsigned permission; /* one enum acl_permission (FULL_CONTROL stays one grant) */
    struct str id;       /* canonical id for ACL_USER */
};

struct acl {
    struct acl_grant *grants;
    size_t count;
};

/* STR_NONE gives the private ACL of owner. False: damaged bytes or no memory. */
MUST_CHECK bool acl_unpack(struct str packed, struct str owner, struct arena *arena,
                           struct acl *ret_acl);
/* STR_NONE when it is exactly the private ACL of owner. False: no memory or too long. */
MUST_CHECK bool acl_pack(const struct acl *acl, struct str owner, struct arena *arena,
                         struct str *ret_packed);

/* What an ACL is asked for. */
enum acl_place { ACL_OF_OBJECT = 0, ACL_OF_BUCKET, ACL_OF_NEW_BUCKET };

/*
 * A canned ACL by its x-amz-acl name. bucket_owner is used by bucket-owner-read/-full-control.
 * False: unknown name, or one of the other kind. What is for objects only is ignored when a bucket
 * is created: it is private.
 */
MUST_CHECK bool acl_canned(struct str name, struct str owner, struct str bucket_owner,
                           enum acl_place place, struct arena *arena, struct acl *ret_acl);

/* Whoever sends no credentials acts under this id, as on AWS: what they wrote is theirs. */
#define ACL_ANONYMOUS_ID STR("65a011a29cdf8ec533ec3d1ccaae921c")

/* Who is meant by the group of log delivery, as on AWS. */
#define ACL_LOG_DELIVERY_HEX "3272ee65a908a7677109fedda345db8d9554ba26398b2ca10581de88777e2b61"
#define ACL_LOG_DELIVERY_ID STR(ACL_LOG_DELIVERY_HEX)

/* Canonical id of a user; NULL is the anonymous one. */
struct str acl_user_id(const struct user *user);

/*
 * Does an ACL (STR_NONE: the private one of owner) grant the permission to user (NULL: anonymous)?
 * without_public: what is granted to all users, or to all who sign, does not count. Allocates
 * nothing. Where a list is damaged it grants nothing more.
 */
MUST_CHECK bool acl_gives(struct str packed, struct str owner, const struct user *user,
                          enum acl_permission permission, bool without_public);

/* Does it grant anything to all users, or to all who sign? */
bool acl_is_public(const struct acl *acl);

#endif
