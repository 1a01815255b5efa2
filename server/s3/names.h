/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bucket and key a request names: path style and virtual-host style, decoded once.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
#ifndef SERVER_S3_NAMES_H
#define SERVER_S3_NAMES_H

#include "server/s3/op.h"
#include "server/s3/routes.h"

struct resource_name {
    enum resource resource;
    struct str virtual_bucket; /* from Host, lower-case; STR_NONE in path style */
    bool accelerated;          /* at BUCKET.s3-accelerate.BASE */
    struct str bucket;         /* decoded; STR_NONE for the service */
    struct str key;            /* decoded; STR_NONE unless RESOURCE_OBJECT */
};

/*
 * The bucket that a Host value names, STR_NONE for path style.
 *
 * domains: the configured base names; localhost, s3.localhost, s3.REGION.localhost and
 * s3.localhost.localstack.cloud are always bases. Pure.
 */
struct str name_virtual_bucket(struct str host, const struct str *domains, size_t domain_count,
                               struct arena *arena);

/*
 * Which store a Host value names: NAME.store.BASE, or with a bucket BUCKET.NAME.store.BASE, where
 * BASE is localhost or one of domains. ret_rest is the Host without it (BASE, BUCKET.BASE), for the
 * function above.
 *
 * Of any other Host ret_store is "" and ret_rest the Host. False: no memory. Pure.
 */
MUST_CHECK bool name_store(struct str host, const struct str *domains, size_t domain_count,
                           struct arena *arena, struct str *ret_store, struct str *ret_rest);

/*
 * Whether a Host value may be meant as BUCKET.DOMAIN: a name with a dot in it, and no address.
 * Pure.
 */
bool name_looks_virtual(struct str host);

/*
 * The bucket whose website a Host value names, STR_NONE when it is no website host (or there is no
 * memory): BUCKET.DOMAIN of the website domains, unless it is under a longer base; and, of any base,
 * BUCKET.s3-website.BASE, BUCKET.s3-website-REGION.BASE and BUCKET.s3-website.REGION.BASE. Pure.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
 */
struct str name_website(struct str host, const struct s3_options *options, struct arena *arena);

/*
 * host: the request's, or what name_store left of it.
 * False: a bad escape or no memory (the target parser has refused these before). Pure.
 */
MUST_CHECK bool name_resolve(const struct http_request *request, struct str host,
                             const struct str *domains, size_t domain_count, struct arena *arena,
                             struct resource_name *ret_name);

/* "az1" of "bucket--az1--x-s3"; STR_NONE: it is no directory bucket's name. Pure. */
struct str name_directory_zone(struct str bucket);

/* KeyTooLongError, InvalidURI (not UTF-8, or ".." that lead out of the bucket), or S3_OK. */
enum s3_error name_check_key(struct str key);

#endif
