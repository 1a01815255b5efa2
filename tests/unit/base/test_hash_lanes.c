/* SPDX-License-Identifier: Apache-2.0 */
/* base/hash_lanes: whatever runs together, every stream gets the digests of its own bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "base/digest/hash_lanes.h"

#define STREAMS_MAX 40
#define STREAM_BYTES 40000

static uint8_t bytes[STREAMS_MAX][STREAM_BYTES];

static uint32_t next_random(void)
{
    static uint32_t state = 12345;

    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void fill(void)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        for (size_t at = 0; at < STREAM_BYTES; at++)
            bytes[i][at] = (uint8_t)next_random();
    }
}

static void assert_digests(struct hash_lane *lane, const void *rest, size_t rest_len,
                           const uint8_t *stream, size_t len)
{
    uint8_t wanted[DIGEST_BYTES_MAX];
    uint8_t md5[MD5_BYTES];
    uint8_t sha256[SHA256_BYTES];

    memset(sha256, 0xee, sizeof(sha256));
    hash_lane_final(lane, rest, rest_len, len, md5, sha256);
    digest_once(DIGEST_MD5, str_make(stream, len), wanted);
    assert_memory_equal(md5, wanted, MD5_BYTES);
    digest_once(DIGEST_SHA256, str_make(stream, len), wanted);
    if (!lane->with_sha256)
        memset(wanted, 0xee, sizeof(wanted));
    assert_memory_equal(sha256, wanted, SHA256_BYTES);
}

static void test_base_hash_lanes__every_length_of_the_rest(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 300; len++) {
        struct hash_lane lane;

        hash_lane_init(&lane, len % 3 != 0);
        assert_digests(&lane, bytes[0], len, bytes[0], len);
    }
}

/* Streams of unlike lengths, fed in unlike pieces, together and apart. */
static void run_together(size_t count)
{
    struct hash_lane lanes[STREAMS_MAX];
    size_t total[STREAMS_MAX];
    size_t at[STREAMS_MAX] = { 0 };
    bool more = true;

    for (size_t i = 0; i < count; i++) {
        hash_lane_init(&lanes[i], next_random() % 4 != 0);
        total[i] = next_random() % (STREAM_BYTES + 1);
    }
    while (more) {
        struct hash_job jobs[STREAMS_MAX];
        size_t fed = 0;

        more = false;
        for (size_t i = 0; i < count; i++) {
            size_t blocks = (total[i] - at[i]) / HASH_BLOCK_BYTES;
            size_t len = blocks > 0 ? (next_random() % blocks + 1) * HASH_BLOCK_BYTES : 0;

            if (next_random() % 3 == 0)
                len = 0;
            jobs[fed] =
                (struct hash_job){ &lanes[i], bytes[i] + at[i], len, next_random() % 4 == 0 };
            if (jobs[fed++].md5_only)
                hash_lane_sha256(&lanes[i], bytes[i] + at[i], len);
            at[i] += len;
            more = more || total[i] - at[i] >= HASH_BLOCK_BYTES;
        }
        hash_lanes_run(jobs, fed);
        for (size_t i = 0; i < fed; i++)
            assert_int_equal(jobs[i].len, 0);
    }
    for (size_t i = 0; i < count; i++)
        assert_digests(&lanes[i], bytes[i] + at[i], total[i] - at[i], bytes[i], total[i]);
}

static void test_base_hash_lanes__any_number_together_in_every_form(void **state)
{
    (void)state;
    for (size_t form = 0; form < hash_lanes_forms(); form++) {
        hash_lanes_choose(form);
        for (size_t count = 1; count <= STREAMS_MAX; count++)
            run_together(count);
    }
}

/* The count of bits passes 2^32. */
static void test_base_hash_lanes__more_than_half_a_gibibyte(void **state)
{
    const size_t pieces = (((size_t)1 << 29) + (1 << 20)) / 32768;
    struct digest *md5 = digest_open(DIGEST_MD5);
    struct digest *sha256 = digest_open(DIGEST_SHA256);
    struct hash_lane lane;
    uint8_t got[2][SHA256_BYTES];
    uint8_t wanted[SHA256_BYTES];

    (void)state;
    hash_lane_init(&lane, true);
    for (size_t i = 0; i < pieces; i++) {
        struct hash_job job = { &lane, bytes[i % STREAMS_MAX], 32768, false };

        hash_lanes_run(&job, 1);
        digest_update(md5, bytes[i % STREAMS_MAX], 32768);
        digest_update(sha256, bytes[i % STREAMS_MAX], 32768);
    }
    hash_lane_final(&lane, "x", 1, pieces * 32768 + 1, got[0], got[1]);
    digest_update(md5, "x", 1);
    digest_final(md5, wanted);
    assert_memory_equal(got[0], wanted, MD5_BYTES);
    digest_update(sha256, "x", 1);
    digest_final(sha256, wanted);
    assert_memory_equal(got[1], wanted, SHA256_BYTES);
    digest_close(md5);
    digest_close(sha256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_hash_lanes__every_length_of_the_rest),
        cmocka_unit_test(test_base_hash_lanes__any_number_together_in_every_form),
        cmocka_unit_test(test_base_hash_lanes__more_than_half_a_gibibyte),
    };

    fill();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
