/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services of S3 that store objects for a bucket's owner: the delivery of access logs, and S3 itself,
 * which delivers inventories.
 *
 * (1) What a service stores is an object like any other: admitted by the one access decision (its principal
 *     is the service), encrypted, owned and locked as its bucket says, written by an ordinary intent.
 * (2) Nobody is told of it as of a request: it has no record, so no log tells of a log.
 *
 * On AWS such requests come from outside, as from any client; here they are struct ops that no connection
 * belongs to. One thread at a time.
 */
#ifndef SERVER_S3_DELIVERY_SERVICE_H
#define SERVER_S3_DELIVERY_SERVICE_H

#include "server/s3/loop_stores.h"
#include "server/s3/op.h"

enum service { SERVICE_LOGGING = 0, SERVICE_S3 };

#define SERVICE_FIELDS_MAX 4

/* All borrowed for as long as the op lives. */
struct service_request {
    enum service service;
    const struct s3_options *options;
    struct loop_store *at;           /* of both buckets */
    struct str source;               /* the bucket for which it acts */
    struct str account;              /* of that bucket's owner */
    struct str bucket, key;          /* of the object */
    const struct http_field *fields; /* further ones of the request: Content-Type, encryption */
    size_t field_count;              /* at most SERVICE_FIELDS_MAX */
};

/* In the arena; NULL: no memory. Its configuration is let go of by service_close. */
MUST_CHECK struct op *service_op(const struct service_request *request, struct arena *arena);
/* May be called more than once, and for NULL. */
void service_close(struct op *op);

/*
 * Load the bucket and ask whether the service may put the object. S3_OK, NoSuchBucket, AccessDenied
 * (op->fault says why), or a failure. Inside of reader_begin.
 */
MUST_CHECK enum s3_error service_admit(struct op *op);

/*
 * Store the object: begin, body_writer_append to op->writer, commit. Begin and commit take snapshots of
 * their own. grants: given on it besides what its owner and the bucket's have, where ACLs say anything.
 * Waits for the disk: not for event loops.
 */
MUST_CHECK enum s3_error service_begin(struct op *op, uint64_t expected_bytes);
MUST_CHECK enum s3_error service_commit(struct op *op, const struct acl_grant *grants,
                                        size_t grant_count, struct body_digests *ret_digests);

/* Why it was refused, for the log: one sentence, in the arena or static. */
struct str service_problem(const struct op *op, enum s3_error error);

/* The account of a canonical id: that of the users who have it, else the one it is given. */
struct str service_account(struct credentials *credentials, struct str canonical_id,
                           struct arena *arena);

#endif
