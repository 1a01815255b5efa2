/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of the bench, and single blocking exchanges for what is not measured: making a bucket,
 * opening an upload, asking for a refusal.
 */
#ifndef TESTS_BENCH_NET_H
#define TESTS_BENCH_NET_H

#include <netinet/in.h>

#include "base/fault.h"
#include "base/text/buf.h"
#include "tests/bench/response.h"
#include "tests/bench/sign.h"

#define NET_BODY_BYTES_MAX ((size_t)64 << 20)

struct address {
    struct sockaddr_storage bytes;
    socklen_t len;
};

uint64_t net_now_ns(void); /* monotonic */

/* authority: HOST:PORT, [ADDR6]:PORT, or HOST (port 80). */
MUST_CHECK bool net_resolve(struct str authority, struct address *ret_address, struct fault *fault);
/* A connected socket without Nagle's delay, blocking; or a negative errno. */
MUST_CHECK int net_connect(const struct address *address);

/*
 * Send a request and read its answer, over a connection of its own.
 *
 * head     a whole head; body follows it.
 * ret_body gets what came after the head; its content is replaced.
 * ret_response's etag borrows head_text.
 */
MUST_CHECK bool net_exchange(const struct address *address, struct str head, struct str body,
                             struct buf *head_text, struct response *ret_response,
                             struct buf *ret_body, struct fault *fault);

/* The text between <name> and </name>, or STR_NONE. */
struct str net_xml_text(struct str xml, const char *name);

#endif
