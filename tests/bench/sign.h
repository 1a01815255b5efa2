/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request heads with V4 signatures, made by code of the bench's own: a client that shared the
 * server's canonical form could not notice a mistake in it.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
#ifndef TESTS_BENCH_SIGN_H
#define TESTS_BENCH_SIGN_H

#include "base/digest/digest.h"
#include "base/text/buf.h"
#include "tests/bench/options.h"

#define SIGN_SIGNATURE_LEN 64
#define SIGN_HEADERS_MAX 8 /* of one call, without those the signer adds */

struct signer {
    enum auth_form form;
    struct str access_key;
    struct str host;
    char date[17];   /* 20261121T052523Z */
    char scope[128]; /* 20261121/us-east-1/s3/aws4_request */
    uint8_t key[SHA256_BYTES];
};

struct sign_header {
    struct str name; /* lower-case */
    struct str value;
};

struct sign_call {
    struct str method;
    struct str path;  /* as sent: percent-encoded */
    struct str query; /* canonical: encoded, sorted, "=" always there; lower-case names */
    struct sign_header headers[SIGN_HEADERS_MAX];
    size_t header_count;
    struct str payload;      /* what x-amz-content-sha256 says */
    uint64_t content_length; /* UINT64_MAX: no body and no header about it */
};

/* Signs as of now. False: names too long. */
MUST_CHECK bool signer_open(struct signer *signer, const struct options *options);
/*
 * Append the whole head, blank line included, to out.
 *
 * scratch   overwritten.
 * signature gets the 64 digits (the seed of a chunk chain); untouched for AUTH_FORM_NONE.
 */
void sign_head(const struct signer *signer, const struct sign_call *call, struct buf *scratch,
               struct buf *out, char signature[SIGN_SIGNATURE_LEN]);
/* Signature over date, scope and what follows them; for chunks and trailers. */
void sign_text(const struct signer *signer, const char *algorithm, struct str rest,
               char signature[SIGN_SIGNATURE_LEN]);
void sign_call_add(struct sign_call *call, struct str name, struct str value);
/* SHA-256 of nothing, as hex digits. */
struct str sign_empty_sha256(void);

#endif
