/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access control lists of requests, packed for the store.
 */
#ifndef SERVER_S3_REQUEST_ACL_REQUEST_H
#define SERVER_S3_REQUEST_ACL_REQUEST_H

#include "server/s3/op.h"
#include "server/xml/xml.h"

/* x-amz-acl, x-amz-grant-* of the request -> packed ACL (acl_request.c). given: any was there. */
MUST_CHECK enum s3_error acl_from_headers(struct op *op, struct str owner, enum acl_place place,
                                          struct str *ret_packed, bool *ret_given);

/* AccessControlPolicy document -> packed ACL (acl_request.c). owner: of the resource. */
MUST_CHECK enum s3_error acl_from_xml(struct op *op, struct str owner, struct str *ret_packed);

/*
 * Owner and ACL of the object that this request writes: its sender's, or the bucket owner's where the
 * bucket's ownership controls say so. By what the bucket says now: after a slow body ask again.
 */
MUST_CHECK enum s3_error acl_of_new_object(struct op *op, struct version_attrs *attrs);

/*
 * One Grant element of a document. The grantee has to be known. MalformedACLError, InvalidArgument,
 * UnresolvableGrantByEmailAddress or SlowDown.
 */
MUST_CHECK enum s3_error acl_grant_from_xml(struct op *op, const struct xml_node *node,
                                            struct acl_grant *ret_grant);
/* The same of one that was judged before, without asking who is known. False: it is none, or by e-mail. */
MUST_CHECK bool acl_grant_reread(const struct xml_node *node, struct acl_grant *ret_grant);

/* Does the bucket have its ACLs disabled (BucketOwnerEnforced)? They are kept, and say nothing. */
bool acl_disabled(const struct op *op);

#endif
