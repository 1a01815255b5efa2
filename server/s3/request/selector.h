/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What S3 makes of parameters that the operation they stand with does not have (selectors.def).
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
#ifndef SERVER_S3_REQUEST_SELECTOR_H
#define SERVER_S3_REQUEST_SELECTOR_H

#include "server/s3/op.h"
#include "server/s3/routes.h"

struct selector {
    enum resource resource;
    struct str name;
    struct str type; /* ResourceType of a refusal */
    enum { OF_ITSELF, OF_BUCKET } of;
};

/* The selector of that name on a resource, or NULL. */
const struct selector *selector_find(enum resource resource, struct str name);
/* The one a request names, or NULL. */
const struct selector *selector_named(const struct http_request *request, enum resource resource);

/* Two selectors at once: true, and the refusal that names them all. */
bool selector_conflict(const struct http_request *request, enum resource resource,
                       struct arena *arena, struct s3_refusal *ret_refusal);

/* A parameter that an operation refuses in words of its own. */
struct refused_param {
    struct str operation;
    struct str name;
    struct s3_refusal refusal;
    bool after_bucket;
    struct route route; /* after_bucket: it runs instead of the operation's */
};
const struct refused_param *refused_param_find(struct str operation, struct str name);

#endif
