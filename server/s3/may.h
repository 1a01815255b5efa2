/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the access decision: who asks, from where and for what is taken from the request.
 *
 * may.c holds the only call to access_decide; whatever depends on who the caller is asks here. The
 * loop's thread; no allocation unless it refuses.
 */
#ifndef SERVER_S3_MAY_H
#define SERVER_S3_MAY_H

#include "server/auth/access.h"
#include "server/s3/op.h"
#include "server/s3/routes.h"

/* What an action is to be done to. What there is none of is NULL or STR_NONE. All borrowed. */
struct op_subject {
    const struct bucket *bucket;
    const struct bucket_config *config; /* of bucket */
    struct str key;
    struct str version;           /* id as it was asked for; STR_NONE: the current one */
    struct str sought;            /* key that is not there */
    const struct version *object; /* no delete marker */
    const struct upload *upload;
};

/* What the request itself names: its bucket (if it is loaded), key and version. */
struct op_subject op_subject(const struct op *op);

/* The row's action; on one version it is one of its own. */
enum access_action op_action(const struct op *op);

/* The whole question, as access_decide is asked it. */
struct access_request op_question(const struct op *op, enum access_action action,
                                  const struct op_subject *subject);

/* May the caller? For what is answered otherwise than by refusing the request. */
MUST_CHECK bool op_may(const struct op *op, enum access_action action,
                       const struct op_subject *subject);

/* The same for a user who did not send the request: replication is done for a bucket's owner. */
MUST_CHECK bool op_may_for(const struct op *op, const struct user *user, enum access_action action,
                           const struct op_subject *subject);

/* S3_OK, or AccessDenied with the reason in the log. */
MUST_CHECK enum s3_error op_require(struct op *op, enum access_action action,
                                    const struct op_subject *subject);

/*
 * Where the bucket has a policy, the row's action of op->version is asked for once more, with what its
 * body sets (op->said); at the door that was not known. read: what came of reading the body, which is
 * told to those who may.
 */
MUST_CHECK enum s3_error op_require_said(struct op *op, enum s3_error read);

/*
 * The same for an object that was looked up. That there is none (found NULL, or a delete marker) is
 * told to those who may list the bucket: then that is asked instead.
 */
MUST_CHECK enum s3_error op_require_of_object(struct op *op, enum access_action action,
                                              struct op_subject subject,
                                              const struct version *found);
MUST_CHECK bool op_may_of_object(const struct op *op, enum access_action action,
                                 struct op_subject subject, const struct version *found);

/*
 * To the owner of the bucket, where the settings say so: what denied the request, in x-pail-denied-by. On
 * an answer that is AccessDenied; else nothing.
 */
void op_explain_denial(struct op *op);

/*
 * Does what the body says decide, so that nothing is asked before? A policy may open some of the things
 * that it names, or that it sets, to a user; who signs nothing is asked at the door.
 */
MUST_CHECK bool op_asks_for_each(const struct op *op);

#endif
