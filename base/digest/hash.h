/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A quick hash for tables in memory. Not for disks and not for secrets.
 */
#ifndef BASE_DIGEST_HASH_H
#define BASE_DIGEST_HASH_H

#include "base/text/str.h"

/* seed: unpredictable where clients choose the text, so that they can not make it collide. */
uint64_t hash_quick(struct str text, uint64_t seed);

/*
 * The sum of bytes that come piece by piece: what hash_quick says of all of them with seed 0. It
 * finds what decays, not what somebody changes on purpose. Stays where it was started.
 */
#define HASH_STREAM_BYTES 640
struct hash_stream {
    unsigned char room[HASH_STREAM_BYTES];
};
void hash_stream_start(struct hash_stream *stream);
void hash_stream_add(struct hash_stream *stream, const void *bytes, size_t len);
uint64_t hash_stream_end(struct hash_stream *stream);

#endif
