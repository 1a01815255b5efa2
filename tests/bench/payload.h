/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the body of a PUT travels: plain, or in one of the aws-chunked forms.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
#ifndef TESTS_BENCH_PAYLOAD_H
#define TESTS_BENCH_PAYLOAD_H

#include "tests/bench/plan.h"

/* What SDKs use: signed chunks of 64 KiB, unsigned ones of 1 MiB. */
#define PAYLOAD_SIGNED_CHUNK_BYTES (UINT64_C(64) << 10)
#define PAYLOAD_UNSIGNED_CHUNK_BYTES (UINT64_C(1) << 20)

struct payload;

/* Which of content's digests the form needs. */
unsigned payload_digests(const struct options *options);
/* NULL with the reason in *fault. content and signer are borrowed. */
MUST_CHECK struct payload *payload_open(const struct options *options,
                                        const struct content *content, const struct signer *signer,
                                        struct fault *fault);
void payload_close(struct payload *payload);
void payload_closep(struct payload **payload);
/* Segments of every body of this payload. */
MUST_CHECK bool payload_shape(struct payload *payload, struct shape *shape);
/* Headers, payload hash and length of body `number`; texts live in payload until the next call. */
void payload_call(struct payload *payload, uint32_t number, struct sign_call *call);
/* Append the text parts of the body. signature: of the head. */
void payload_text(struct payload *payload, uint32_t number, const char *signature, struct buf *out);

#endif
