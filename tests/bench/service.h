/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server under test, for calls that are not measured: one blocking exchange each.
 */
#ifndef TESTS_BENCH_SERVICE_H
#define TESTS_BENCH_SERVICE_H

#include "tests/bench/net.h"

struct service {
    const struct options *options;
    struct address address;
    struct signer signer; /* signs headers, whatever --auth says; or nothing with none */
    struct buf scratch;
    struct buf head;
    struct buf head_text;
    struct buf body; /* of the last answer */
    struct response response;
};

MUST_CHECK bool service_open(struct service *service, const struct options *options,
                             struct fault *fault);
void service_close(struct service *service); /* also the CLEANUP helper */

/* path: encoded, from "/" on. False only when there was no answer; the status is in response. */
MUST_CHECK bool service_call(struct service *service, struct str method, struct str path,
                             struct str query, struct str body, struct fault *fault);
/* The same, and anything but a 2xx is a fault that names the S3 code. */
MUST_CHECK bool service_do(struct service *service, struct str method, struct str path,
                           struct str query, struct str body, struct fault *fault);
/* Make the bucket, or find that it is ours; with versioning when --versions asks for it. */
MUST_CHECK bool service_bucket(struct service *service, struct fault *fault);

#endif
