/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digest of a fixed beginning, finished many times with different ends.
 *
 * The bodies of a run differ in their last bytes only, so that the digest of a new 10 MiB body
 * costs one block. This is the one file of the bench that sees OpenSSL: base/digest/digest.h hides the
 * state a copy is made of.
 */
#ifndef TESTS_BENCH_MIDSTATE_H
#define TESTS_BENCH_MIDSTATE_H

#include "base/digest/digest.h"

struct midstate;

/* kind: DIGEST_MD5 or DIGEST_SHA256. NULL: no memory. */
MUST_CHECK struct midstate *midstate_open(enum digest_kind kind, const void *start, size_t len);
void midstate_close(struct midstate *midstate); /* NULL is fine */
/* Digest of the beginning and `end` together. One thread at a time. */
void midstate_final(const struct midstate *midstate, struct str end, uint8_t *out);

#endif
