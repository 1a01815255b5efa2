/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads of HTTP/1.1 answers, and the chunked form of their bodies.
 */
#ifndef TESTS_BENCH_RESPONSE_H
#define TESTS_BENCH_RESPONSE_H

#include "base/text/str.h"

enum response_state { RESPONSE_MORE, RESPONSE_READY, RESPONSE_BAD };

struct response {
    unsigned status;
    bool has_length;
    bool chunked;
    bool close;
    uint64_t length;
    struct str etag; /* without its quotes; borrows the head */
    size_t head_len;
};

/* in: what has arrived so far. *ret_response is set for RESPONSE_READY. */
enum response_state response_parse(struct str in, struct response *ret_response);

/* ---- chunked bodies ---- */

struct chunked {
    enum { CHUNKED_SIZE, CHUNKED_EXTENSION, CHUNKED_DATA, CHUNKED_DATA_END, CHUNKED_TRAILER } state;
    uint64_t left;
    unsigned digits;
    size_t line_len; /* of the trailer line being read */
    bool done;
};

/*
 * Take the next bytes from *in: at most one run of data, which *ret_data gets (perhaps empty).
 * False: not a chunked body.
 */
MUST_CHECK bool chunked_next(struct chunked *chunked, struct str *in, struct str *ret_data);

#endif
