/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bucket's website document says, compiled.
 *
 * Immutable, in the arena of the bucket's configuration. What is absent is STR_NONE or 0.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_WebsiteConfiguration.html
 */
#ifndef SERVER_S3_WEBSITE_CONFIG_H
#define SERVER_S3_WEBSITE_CONFIG_H

#include "base/arena.h"
#include "base/text/str.h"

#define WEBSITE_RULES_MAX 50

/* Where to; what is absent stays as it was asked for. One of key and key_prefix at most. */
struct website_redirect {
    struct str protocol; /* "http", "https" */
    struct str host;
    struct str key;
    struct str key_prefix; /* takes the place of the rule's prefix */
    int status;            /* 0: 301 */
};

struct website_rule {
    struct str prefix; /* of the key */
    int error;         /* the status that it is for; 0: it is asked before anything is looked up */
    struct website_redirect to;
};

struct website {
    const struct website_redirect *all; /* of every request; then the rest is absent */
    struct str index;
    struct str error_key;
    const struct website_rule *rules; /* the first that applies counts */
    size_t rule_count;
};

#endif
