/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the objects of a run contain; see content.h.
 */
#include "tests/bench/content.h"

#include <sys/mman.h>

#include "base/digest/checksum.h"
#include "base/text/buf.h"
#include "tests/bench/midstate.h"

#define BLOCK_SEED UINT64_C(0x9e3779b97f4a7c15)

struct content {
    uint64_t bytes;
    uint32_t seed;
    size_t stamp_bytes;
    char *block;
    size_t block_bytes; /* without the stamp */
    size_t mapped_bytes;
    struct midstate *md5;
    struct midstate *sha256;
    uint8_t crc32[4];
};

/* splitmix64: the same bytes on every machine of this byte order. */
static void block_fill(char *block, size_t len)
{
    uint64_t state = BLOCK_SEED;

    for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        memcpy(block + at, &z, sizeof(z));
    }
}

static bool digests_open(struct content *content, unsigned digests)
{
    if ((digests & CONTENT_MD5) != 0) {
        content->md5 = midstate_open(DIGEST_MD5, content->block, content->block_bytes);
        if (content->md5 == NULL)
            return false;
    }
    if ((digests & CONTENT_SHA256) != 0) {
        content->sha256 = midstate_open(DIGEST_SHA256, content->block, content->block_bytes);
        if (content->sha256 == NULL)
            return false;
    }
    if ((digests & CONTENT_CRC32) != 0)
        checksum_once(CHECKSUM_CRC32, content_block(content), content->crc32);
    return true;
}

struct content *content_open(uint64_t bytes, uint32_t seed, unsigned digests)
{
    struct content *content;
    void *block;

    if (bytes > CONTENT_BYTES_MAX)
        return NULL;
    content = mem_zalloc(sizeof(*content));
    if (content == NULL)
        return NULL;

    content->bytes = bytes;
    content->seed = seed;
    content->stamp_bytes = (size_t)u64_min(bytes, CONTENT_STAMP_BYTES);
    content->block_bytes = (size_t)bytes - content->stamp_bytes;
    content->mapped_bytes = content->block_bytes + 4096;
    block = mmap(NULL, content->mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
    if (block == MAP_FAILED) {
        mem_free(content);
        return NULL;
    }
    (void)madvise(block, content->mapped_bytes, MADV_HUGEPAGE);
    content->block = block;
    block_fill(content->block, content->block_bytes);

    if (!digests_open(content, digests)) {
        content_close(content);
        return NULL;
    }
    return content;
}

void content_close(struct content *content)
{
    if (content == NULL)
        return;
    midstate_close(content->md5);
    midstate_close(content->sha256);
    (void)munmap(content->block, content->mapped_bytes);
    mem_free(content);
}

uint64_t content_bytes(const struct content *content)
{
    return content->bytes;
}

struct str content_block(const struct content *content)
{
    return str_make(content->block, content->block_bytes);
}

size_t content_stamp(const struct content *content, uint32_t number,
                     char ret_text[CONTENT_STAMP_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = (uint64_t)content->seed << 32 | number;

    for (size_t i = content->stamp_bytes; i > 0; i--) {
        ret_text[i - 1] = digits[value & 15];
        value >>= 4;
    }
    return content->stamp_bytes;
}

void content_md5(const struct content *content, uint32_t number, uint8_t out[MD5_BYTES])
{
    char stamp[CONTENT_STAMP_BYTES];

    midstate_final(content->md5, str_make(stamp, content_stamp(content, number, stamp)), out);
}

void content_sha256(const struct content *content, uint32_t number, uint8_t out[SHA256_BYTES])
{
    char stamp[CONTENT_STAMP_BYTES];

    midstate_final(content->sha256, str_make(stamp, content_stamp(content, number, stamp)), out);
}

void content_crc32(const struct content *content, uint32_t number, uint8_t out[4])
{
    char stamp[CONTENT_STAMP_BYTES];
    size_t len = content_stamp(content, number, stamp);
    uint8_t end[4];

    checksum_once(CHECKSUM_CRC32, str_make(stamp, len), end);
    checksum_combine(CHECKSUM_CRC32, content->crc32, end, len, out);
}

bool content_matches(const struct content *content, uint32_t number, uint64_t offset,
                     const void *bytes, size_t len)
{
    const char *at = bytes;
    char stamp[CONTENT_STAMP_BYTES];

    while (len > 0 && content->bytes > 0) {
        uint64_t inside = offset % content->bytes;
        const char *expected = content->block + inside;
        size_t step;

        if (inside < content->block_bytes) {
            step = size_min(len, content->block_bytes - (size_t)inside);
        } else {
            (void)content_stamp(content, number + (uint32_t)(offset / content->bytes), stamp);
            expected = stamp + (inside - content->block_bytes);
            step = size_min(len, (size_t)(content->bytes - inside));
        }
        if (memcmp(at, expected, step) != 0)
            return false;
        at += step;
        len -= step;
        offset += step;
    }
    return len == 0;
}
