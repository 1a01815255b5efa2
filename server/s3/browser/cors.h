/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-origin requests of browsers: who may, by the bucket's CORS document, and the headers that say so.
 *
 * (1) The first rule that matches counts. A rule's texts are as its headers say them.
 * (2) A bucket without a document, and what is no bucket's, has the rule of --cors, if there is one.
 * (3) A request without Origin costs the look for it.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
 */
#ifndef SERVER_S3_CORS_H
#define SERVER_S3_CORS_H

#include "server/s3/op.h"

#define CORS_RULES_MAX 100
#define CORS_ID_CHARS_MAX 255

struct cors_list {
    const struct str *items;
    size_t count;
};

/* Immutable, in the arena of the bucket's configuration. */
struct cors_rule {
    struct cors_list origins; /* with one '*' at most, as the headers */
    struct cors_list methods;
    struct cors_list headers;
    struct str methods_text;
    struct str exposed_text; /* STR_NONE: none, as max_age */
    struct str max_age;
};

struct cors {
    const struct cors_rule *rules;
    size_t count;
};

/* Answer a preflight (OPTIONS), which is never signed. The loop's thread, outside of a snapshot. */
MUST_CHECK enum s3_error cors_preflight(struct op *op);

/*
 * What an answer to a request with an Origin says of it, be it a refusal or not. The same. A bucket that
 * was not loaded, because the request was refused before, is looked up.
 */
void cors_tell(struct op *op);

#endif
