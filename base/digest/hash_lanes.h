/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MD5, and SHA-256 where wanted, of several streams side by side.
 *
 * Both are chains: each step waits for the one before, so one stream leaves most of a core idle.
 * Streams that are hashed together share it (docs/decisions/0008-hashing-side-by-side.md).
 *
 * (1) A stream is fed whole blocks by hash_lanes_run and its rest by hash_lane_final.
 * (2) Results do not depend on which streams were hashed together.
 * (3) Nothing allocates and nothing can fail. Any thread; a stream is one thread's at a time.
 *
 * https://www.rfc-editor.org/rfc/rfc1321, https://csrc.nist.gov/pubs/fips/180-4/upd1/final
 */
#ifndef BASE_DIGEST_HASH_LANES_H
#define BASE_DIGEST_HASH_LANES_H

#include "base/digest/digest.h"

#define HASH_BLOCK_BYTES 64

/* One stream; plain data that may be copied or forgotten at any time. */
struct hash_lane {
    uint32_t md5[4];
    uint32_t sha256[8];
    bool with_sha256;
};

/* The next bytes of a stream. Streams of one call differ. */
struct hash_job {
    struct hash_lane *lane;
    const void *bytes; /* borrowed for the call */
    size_t len;        /* a multiple of HASH_BLOCK_BYTES; may be 0 */
    bool md5_only;     /* SHA-256 gets these bytes by hash_lane_sha256, perhaps in another thread */
};

void hash_lane_init(struct hash_lane *lane, bool with_sha256);
/* Changes the jobs: afterwards every len is 0. */
void hash_lanes_run(struct hash_job *jobs, size_t count);
/* SHA-256 of a stream's next whole blocks. Does nothing if the stream has none. */
void hash_lane_sha256(struct hash_lane *lane, const void *bytes, size_t len);
/*
 * The last bytes, `len` of any number. total_bytes: of the whole stream, these included. sha256 is
 * written only if the stream has one.
 */
void hash_lane_final(struct hash_lane *lane, const void *rest, size_t len, uint64_t total_bytes,
                     uint8_t md5[MD5_BYTES], uint8_t sha256[SHA256_BYTES]);

/*
 * For tests: how many forms of the widest MD5 this processor can run, and the choice of one. The
 * last is the best and the default. Not while another thread hashes.
 */
size_t hash_lanes_forms(void);
void hash_lanes_choose(size_t form);

#endif
