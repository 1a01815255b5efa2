/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the objects of a run contain: body number n of a size, made, digested and recognised.
 *
 * (1) A body is one pseudo-random block, the same for every run, whose last 16 bytes are the hex
 *     digits of seed and number. No two bodies of a run are equal, so a store that keeps equal
 *     bodies once gains nothing, and any byte can be checked without keeping the bodies.
 * (2) A body shorter than 16 bytes is the tail of those digits: its number's low ones.
 *
 * Immutable once open, but the digest functions are for one thread at a time.
 */
#ifndef TESTS_BENCH_CONTENT_H
#define TESTS_BENCH_CONTENT_H

#include "base/digest/digest.h"

#define CONTENT_STAMP_BYTES 16
#define CONTENT_BYTES_MAX ((uint64_t)4 << 30)

struct content;

enum content_digests {
    CONTENT_PLAIN = 0,
    CONTENT_MD5 = 1,
    CONTENT_SHA256 = 2,
    CONTENT_CRC32 = 4,
};

/* digests: which of the functions below will be called. NULL: no memory, or too large. */
MUST_CHECK struct content *content_open(uint64_t bytes, uint32_t seed, unsigned digests);
void content_close(struct content *content); /* NULL is fine */

uint64_t content_bytes(const struct content *content);
/* The part all bodies share: bytes less the stamp. */
struct str content_block(const struct content *content);
/* The part that differs; ret_text holds up to 16 bytes and its length is returned. */
size_t content_stamp(const struct content *content, uint32_t number,
                     char ret_text[CONTENT_STAMP_BYTES]);

void content_md5(const struct content *content, uint32_t number, uint8_t out[MD5_BYTES]);
void content_sha256(const struct content *content, uint32_t number, uint8_t out[SHA256_BYTES]);
void content_crc32(const struct content *content, uint32_t number, uint8_t out[4]);

/*
 * Are these the bytes at `offset` of body `number`? Past the end of one body the next number
 * begins: an object made of parts is checked whole.
 */
bool content_matches(const struct content *content, uint32_t number, uint64_t offset,
                     const void *bytes, size_t len);

#endif
