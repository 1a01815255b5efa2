/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that are not operations of S3's API: a browser's preflight (cors.h), health questions, other AWS
 * services' calls that AWS_ENDPOINT_URL or a tool's own setting brought here, and those to buckets'
 * websites.
 *
 * S3 has no POST of its own endpoint, and no anonymous caller can read a bucket's key through the
 * paths of health; so nothing that S3 answers is taken from it. All are told by the request alone,
 * before routing, and cost a comparison of the path where they are not asked for.
 */
#ifndef SERVER_S3_FOREIGN_H
#define SERVER_S3_FOREIGN_H

#include "server/s3/op.h"
#include "server/s3/routes.h"

enum foreign {
    FOREIGN_NOT = 0, /* S3's own */
    FOREIGN_PREFLIGHT,
    FOREIGN_HEALTH,
    FOREIGN_STS,
    FOREIGN_OTHER,   /* a service that is not here */
    FOREIGN_WEBSITE, /* a bucket's website, at its own host (website.h) */
    FOREIGN_KINDS,
};

#define FOREIGN_BODY_BYTES_MAX (64u * 1024u)

/*
 * What the request is; ret_service: the AWS service its caller signed for, else STR_NONE. Of a website
 * op's bucket is set.
 *
 *   preflight  OPTIONS, at whatever host
 *   website    at a website host (name_website), whatever it is
 *   health     GET or HEAD of one of a few paths, path style, no query, no Authorization
 *   a call     POST / or GET /?Action=..., signed (V4) for another service than s3
 */
enum foreign foreign_kind(struct op *op, struct str *ret_service);

/* What stands for a route: its name in the log, and that its body is kept in memory. */
extern const struct route foreign_routes[];

/* Fill the reply of a health question. */
void foreign_answer_health(struct op *op);
/* Fill the reply of a service that is not here: in XML, or in JSON where the caller speaks it. */
void foreign_answer_other(struct op *op, struct str service);

#endif
