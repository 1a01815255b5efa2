/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams side by side; see hash_lanes.h.
 *
 * (1) MD5 of several streams: the same step of each in one vector. Of one: OpenSSL's.
 * (2) SHA-256 has instructions of its own that wait for themselves: two streams take turns, block
 *     by block, and so does a lone stream's SHA-256 with its MD5. The processor overlaps them.
 */
#include "base/digest/hash_lanes.h"

#include <pthread.h>
#include <string.h>

/* The block functions have no counterpart in EVP. They are deprecated there, not gone. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>

#define LANES_MAX 16
#define LANES_FEW 4
/* Up to that many are faster one after the other, each with its SHA-256 in between. */
#define LANES_NONE 2
/* Streams advance by that much at a time, so that SHA-256 finds in the cache what MD5 has read. */
#define STRIDE_BLOCKS 128

/* ---- MD5 in vectors -------------------------------------------------------------------------- */

static inline uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* RFC 1321, 3.4; F and G in forms with one operation less. */
#define MD5_F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define MD5_G(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define MD5_H(x, y, z) ((x) ^ (y) ^ (z))
#define MD5_I(x, y, z) ((y) ^ ((x) | ~(z)))
#define STEP(f, a, b, c, d, k, t, s)                                                               \
    (a) += f(b, c, d) + m[k].vector + (uint32_t)(t);                                               \
    (a) = ((a) << (s) | (a) >> (32 - (s))) + (b);
/* clang-format off */
#define MD5_ROUNDS                                                                                 \
    STEP(MD5_F, a, b, c, d, 0, 0xd76aa478, 7)                                                      \
    STEP(MD5_F, d, a, b, c, 1, 0xe8c7b756, 12)                                                     \
    STEP(MD5_F, c, d, a, b, 2, 0x242070db, 17)                                                     \
    STEP(MD5_F, b, c, d, a, 3, 0xc1bdceee, 22)                                                     \
    STEP(MD5_F, a, b, c, d, 4, 0xf57c0faf, 7)                                                      \
    STEP(MD5_F, d, a, b, c, 5, 0x4787c62a, 12)                                                     \
    STEP(MD5_F, c, d, a, b, 6, 0xa8304613, 17)                                                     \
    STEP(MD5_F, b, c, d, a, 7, 0xfd469501, 22)                                                     \
    STEP(MD5_F, a, b, c, d, 8, 0x698098d8, 7)                                                      \
    STEP(MD5_F, d, a, b, c, 9, 0x8b44f7af, 12)                                                     \
    STEP(MD5_F, c, d, a, b, 10, 0xffff5bb1, 17)                                                    \
    STEP(MD5_F, b, c, d, a, 11, 0x895cd7be, 22)                                                    \
    STEP(MD5_F, a, b, c, d, 12, 0x6b901122, 7)                                                     \
    STEP(MD5_F, d, a, b, c, 13, 0xfd987193, 12)                                                    \
    STEP(MD5_F, c, d, a, b, 14, 0xa679438e, 17)                                                    \
    STEP(MD5_F, b, c, d, a, 15, 0x49b40821, 22)                                                    \
    STEP(MD5_G, a, b, c, d, 1, 0xf61e2562, 5)                                                      \
    STEP(MD5_G, d, a, b, c, 6, 0xc040b340, 9)                                                      \
    STEP(MD5_G, c, d, a, b, 11, 0x265e5a51, 14)                                                    \
    STEP(MD5_G, b, c, d, a, 0, 0xe9b6c7aa, 20)                                                     \
    STEP(MD5_G, a, b, c, d, 5, 0xd62f105d, 5)                                                      \
    STEP(MD5_G, d, a, b, c, 10, 0x02441453, 9)                                                     \
    STEP(MD5_G, c, d, a, b, 15, 0xd8a1e681, 14)                                                    \
    STEP(MD5_G, b, c, d, a, 4, 0xe7d3fbc8, 20)                                                     \
    STEP(MD5_G, a, b, c, d, 9, 0x21e1cde6, 5)                                                      \
    STEP(MD5_G, d, a, b, c, 14, 0xc33707d6, 9)                                                     \
    STEP(MD5_G, c, d, a, b, 3, 0xf4d50d87, 14)                                                     \
    STEP(MD5_G, b, c, d, a, 8, 0x455a14ed, 20)                                                     \
    STEP(MD5_G, a, b, c, d, 13, 0xa9e3e905, 5)                                                     \
    STEP(MD5_G, d, a, b, c, 2, 0xfcefa3f8, 9)                                                      \
    STEP(MD5_G, c, d, a, b, 7, 0x676f02d9, 14)                                                     \
    STEP(MD5_G, b, c, d, a, 12, 0x8d2a4c8a, 20)                                                    \
    STEP(MD5_H, a, b, c, d, 5, 0xfffa3942, 4)                                                      \
    STEP(MD5_H, d, a, b, c, 8, 0x8771f681, 11)                                                     \
    STEP(MD5_H, c, d, a, b, 11, 0x6d9d6122, 16)                                                    \
    STEP(MD5_H, b, c, d, a, 14, 0xfde5380c, 23)                                                    \
    STEP(MD5_H, a, b, c, d, 1, 0xa4beea44, 4)                                                      \
    STEP(MD5_H, d, a, b, c, 4, 0x4bdecfa9, 11)                                                     \
    STEP(MD5_H, c, d, a, b, 7, 0xf6bb4b60, 16)                                                     \
    STEP(MD5_H, b, c, d, a, 10, 0xbebfbc70, 23)                                                    \
    STEP(MD5_H, a, b, c, d, 13, 0x289b7ec6, 4)                                                     \
    STEP(MD5_H, d, a, b, c, 0, 0xeaa127fa, 11)                                                     \
    STEP(MD5_H, c, d, a, b, 3, 0xd4ef3085, 16)                                                     \
    STEP(MD5_H, b, c, d, a, 6, 0x04881d05, 23)                                                     \
    STEP(MD5_H, a, b, c, d, 9, 0xd9d4d039, 4)                                                      \
    STEP(MD5_H, d, a, b, c, 12, 0xe6db99e5, 11)                                                    \
    STEP(MD5_H, c, d, a, b, 15, 0x1fa27cf8, 16)                                                    \
    STEP(MD5_H, b, c, d, a, 2, 0xc4ac5665, 23)                                                     \
    STEP(MD5_I, a, b, c, d, 0, 0xf4292244, 6)                                                      \
    STEP(MD5_I, d, a, b, c, 7, 0x432aff97, 10)                                                     \
    STEP(MD5_I, c, d, a, b, 14, 0xab9423a7, 15)                                                    \
    STEP(MD5_I, b, c, d, a, 5, 0xfc93a039, 21)                                                     \
    STEP(MD5_I, a, b, c, d, 12, 0x655b59c3, 6)                                                     \
    STEP(MD5_I, d, a, b, c, 3, 0x8f0ccc92, 10)                                                     \
    STEP(MD5_I, c, d, a, b, 10, 0xffeff47d, 15)                                                    \
    STEP(MD5_I, b, c, d, a, 1, 0x85845dd1, 21)                                                     \
    STEP(MD5_I, a, b, c, d, 8, 0x6fa87e4f, 6)                                                      \
    STEP(MD5_I, d, a, b, c, 15, 0xfe2ce6e0, 10)                                                    \
    STEP(MD5_I, c, d, a, b, 6, 0xa3014314, 15)                                                     \
    STEP(MD5_I, b, c, d, a, 13, 0x4e0811a1, 21)                                                    \
    STEP(MD5_I, a, b, c, d, 4, 0xf7537e82, 6)                                                      \
    STEP(MD5_I, d, a, b, c, 11, 0xbd3af235, 10)                                                    \
    STEP(MD5_I, c, d, a, b, 2, 0x2ad7d2bb, 15)                                                     \
    STEP(MD5_I, b, c, d, a, 9, 0xeb86d391, 21)
/* clang-format on */

#define LANES LANES_FEW
#define NAME md5_few
#define TARGET
#include "base/digest/md5_lanes.inc"

#define LANES LANES_MAX
#define NAME md5_many
#define TARGET
#include "base/digest/md5_lanes.inc"

#if defined(__x86_64__)

#define LANES LANES_MAX
#define NAME md5_many_avx2
#define TARGET __attribute__((target("avx2")))
#include "base/digest/md5_lanes.inc"

#endif

typedef void md5_many_fn(uint32_t state[4][LANES_MAX], const uint8_t *const bytes[LANES_MAX],
                         size_t blocks);

static pthread_once_t forms_once = PTHREAD_ONCE_INIT;
static md5_many_fn *forms[2]; /* what this processor can do, the best last */
static size_t form_count;
static md5_many_fn *md5_many_chosen;

static void find_forms(void)
{
    forms[form_count++] = md5_many;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        forms[form_count++] = md5_many_avx2;
#endif
    md5_many_chosen = forms[form_count - 1];
}

size_t hash_lanes_forms(void)
{
    (void)pthread_once(&forms_once, find_forms);
    return form_count;
}

void hash_lanes_choose(size_t form)
{
    if (form < hash_lanes_forms())
        md5_many_chosen = forms[form];
}

/* ---- one stride of up to LANES_MAX streams ---------------------------------------------------- */

static const uint8_t *block_of(const struct hash_job *job, size_t block)
{
    return (const uint8_t *)job->bytes + block * HASH_BLOCK_BYTES;
}

static void md5_load(const struct hash_lane *lane, MD5_CTX *ret)
{
    ret->A = lane->md5[0];
    ret->B = lane->md5[1];
    ret->C = lane->md5[2];
    ret->D = lane->md5[3];
}

static void md5_store(const MD5_CTX *context, struct hash_lane *lane)
{
    lane->md5[0] = context->A;
    lane->md5[1] = context->B;
    lane->md5[2] = context->C;
    lane->md5[3] = context->D;
}

static void sha256_load(const struct hash_lane *lane, SHA256_CTX *ret)
{
    memcpy(ret->h, lane->sha256, sizeof(lane->sha256));
}

static void sha256_store(const SHA256_CTX *context, struct hash_lane *lane)
{
    memcpy(lane->sha256, context->h, sizeof(lane->sha256));
}

static bool wants_sha256(const struct hash_job *job)
{
    return job->lane->with_sha256 && !job->md5_only;
}

/* MD5 and SHA-256 of one stream by turns. */
static void run_one(const struct hash_job *job, size_t blocks)
{
    MD5_CTX md5;
    SHA256_CTX sha256;

    md5_load(job->lane, &md5);
    sha256_load(job->lane, &sha256);
    for (size_t i = 0; i < blocks; i++) {
        MD5_Transform(&md5, block_of(job, i));
        if (wants_sha256(job))
            SHA256_Transform(&sha256, block_of(job, i));
    }
    md5_store(&md5, job->lane);
    if (wants_sha256(job))
        sha256_store(&sha256, job->lane);
}

/* Unused lanes do the first stream's work again. */
static void run_md5(struct hash_job *const jobs[], size_t count, size_t blocks)
{
    size_t width = count <= LANES_FEW ? LANES_FEW : LANES_MAX;
    uint32_t state[4 * LANES_MAX];
    const uint8_t *bytes[LANES_MAX];

    for (size_t l = 0; l < width; l++) {
        const struct hash_job *job = jobs[l < count ? l : 0];

        bytes[l] = job->bytes;
        for (size_t i = 0; i < 4; i++)
            state[i * width + l] = job->lane->md5[i];
    }
    if (width == LANES_FEW)
        md5_few((uint32_t(*)[LANES_FEW])state, bytes, blocks);
    else
        md5_many_chosen((uint32_t(*)[LANES_MAX])state, bytes, blocks);
    for (size_t l = 0; l < count; l++) {
        for (size_t i = 0; i < 4; i++)
            jobs[l]->lane->md5[i] = state[i * width + l];
    }
}

static void run_sha256_pair(const struct hash_job *a, const struct hash_job *b, size_t blocks)
{
    SHA256_CTX one;
    SHA256_CTX two;

    sha256_load(a->lane, &one);
    sha256_load(b->lane, &two);
    for (size_t i = 0; i < blocks; i++) {
        SHA256_Transform(&one, block_of(a, i));
        SHA256_Transform(&two, block_of(b, i));
    }
    sha256_store(&one, a->lane);
    sha256_store(&two, b->lane);
}

static void run_sha256_one(const struct hash_job *job, size_t blocks)
{
    SHA256_CTX context;

    sha256_load(job->lane, &context);
    for (size_t i = 0; i < blocks; i++)
        SHA256_Transform(&context, block_of(job, i));
    sha256_store(&context, job->lane);
}

static void run_sha256(struct hash_job *const jobs[], size_t count, size_t blocks)
{
    const struct hash_job *waiting = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!wants_sha256(jobs[i]))
            continue;
        if (waiting == NULL) {
            waiting = jobs[i];
            continue;
        }
        run_sha256_pair(waiting, jobs[i], blocks);
        waiting = NULL;
    }
    if (waiting != NULL)
        run_sha256_one(waiting, blocks);
}

static void run_stride(struct hash_job *const jobs[], size_t count, size_t blocks)
{
    if (count > LANES_NONE) {
        run_md5(jobs, count, blocks);
        run_sha256(jobs, count, blocks);
    }
    for (size_t i = 0; count <= LANES_NONE && i < count; i++)
        run_one(jobs[i], blocks);
    for (size_t i = 0; i < count; i++) {
        jobs[i]->bytes = block_of(jobs[i], blocks);
        jobs[i]->len -= blocks * HASH_BLOCK_BYTES;
    }
}

/* ---- streams ---------------------------------------------------------------------------------- */

void hash_lane_init(struct hash_lane *lane, bool with_sha256)
{
    *lane = (struct hash_lane){
        .md5 = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 },
        .sha256 = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                    0x1f83d9ab, 0x5be0cd19 },
        .with_sha256 = with_sha256,
    };
}

void hash_lanes_run(struct hash_job *jobs, size_t count)
{
    struct hash_job *active[LANES_MAX];
    size_t active_count = 0;
    size_t next = 0;

    (void)hash_lanes_forms();
    for (;;) {
        size_t blocks = STRIDE_BLOCKS;
        size_t kept = 0;

        for (; active_count < LANES_MAX && next < count; next++) {
            if (jobs[next].len > 0)
                active[active_count++] = &jobs[next];
        }
        if (active_count == 0)
            return;
        for (size_t i = 0; i < active_count; i++)
            blocks = size_min(blocks, active[i]->len / HASH_BLOCK_BYTES);
        run_stride(active, active_count, blocks);
        for (size_t i = 0; i < active_count; i++) {
            if (active[i]->len > 0)
                active[kept++] = active[i];
        }
        active_count = kept;
    }
}

void hash_lane_sha256(struct hash_lane *lane, const void *bytes, size_t len)
{
    struct hash_job job = { .lane = lane, .bytes = bytes };

    if (lane->with_sha256)
        run_sha256_one(&job, len / HASH_BLOCK_BYTES);
}

static void store_le(uint64_t value, size_t len, uint8_t *out)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static void store_be(uint64_t value, size_t len, uint8_t *out)
{
    for (size_t i = 0; i < len; i++)
        out[len - 1 - i] = (uint8_t)(value >> 8 * i);
}

/* A bit, zeros, and the length in bits: the two algorithms differ in its byte order alone. */
static void run_padding(const struct hash_lane *lane, const uint8_t *rest, size_t len,
                        uint64_t total_bytes, MD5_CTX *ret_md5, SHA256_CTX *ret_sha256)
{
    uint8_t tail[2 * HASH_BLOCK_BYTES] = { 0 };
    size_t tail_len = len + 1 + 8 <= HASH_BLOCK_BYTES ? HASH_BLOCK_BYTES : 2 * HASH_BLOCK_BYTES;
    uint64_t bits = total_bytes * 8;

    md5_load(lane, ret_md5);
    sha256_load(lane, ret_sha256);
    if (len > 0)
        memcpy(tail, rest, len);
    tail[len] = 0x80;
    store_le(bits, 8, tail + tail_len - 8);
    for (size_t at = 0; at < tail_len; at += HASH_BLOCK_BYTES)
        MD5_Transform(ret_md5, tail + at);
    store_be(bits, 8, tail + tail_len - 8);
    for (size_t at = 0; lane->with_sha256 && at < tail_len; at += HASH_BLOCK_BYTES)
        SHA256_Transform(ret_sha256, tail + at);
}

void hash_lane_final(struct hash_lane *lane, const void *rest, size_t len, uint64_t total_bytes,
                     uint8_t md5[MD5_BYTES], uint8_t sha256[SHA256_BYTES])
{
    size_t whole = len - len % HASH_BLOCK_BYTES;
    struct hash_job job = { .lane = lane, .bytes = rest, .len = whole };
    MD5_CTX md5_context;
    SHA256_CTX sha256_context;

    hash_lanes_run(&job, 1);
    run_padding(lane, (const uint8_t *)rest + whole, len - whole, total_bytes, &md5_context,
                &sha256_context);
    md5_store(&md5_context, lane);
    sha256_store(&sha256_context, lane);
    for (size_t i = 0; i < 4; i++)
        store_le(lane->md5[i], 4, md5 + 4 * i);
    for (size_t i = 0; lane->with_sha256 && i < 8; i++)
        store_be(lane->sha256[i], 4, sha256 + 4 * i);
}
