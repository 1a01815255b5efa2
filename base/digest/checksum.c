/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ten checksum algorithms of S3, behind one streaming interface: what each is called, how long it
 * is, and who computes it.
 */
#include "base/digest/checksum.h"

#include <assert.h>
#include <xxhash.h>

#include "base/digest/crc.h"
#include "base/memory.h"

enum family { FAMILY_NONE, FAMILY_CRC, FAMILY_DIGEST, FAMILY_XXH64, FAMILY_XXH3 };

static const struct {
    struct str name;
    struct str suffix;
    size_t bytes;
    enum family family;
    const struct crc *crc;   /* FAMILY_CRC only */
    enum digest_kind digest; /* FAMILY_DIGEST only */
} kinds[CHECKSUM_KINDS] = {
    [CHECKSUM_NONE] = { STR_INIT(""), STR_INIT(""), 0, FAMILY_NONE, NULL, 0 },
    [CHECKSUM_CRC32] = { STR_INIT("CRC32"), STR_INIT("crc32"), 4, FAMILY_CRC, &crc_32, 0 },
    [CHECKSUM_CRC32C] = { STR_INIT("CRC32C"), STR_INIT("crc32c"), 4, FAMILY_CRC, &crc_32c, 0 },
    [CHECKSUM_CRC64NVME] = { STR_INIT("CRC64NVME"), STR_INIT("crc64nvme"), 8, FAMILY_CRC,
                             &crc_64nvme, 0 },
    [CHECKSUM_SHA1] = { STR_INIT("SHA1"), STR_INIT("sha1"), SHA1_BYTES, FAMILY_DIGEST, NULL,
                        DIGEST_SHA1 },
    [CHECKSUM_SHA256] = { STR_INIT("SHA256"), STR_INIT("sha256"), SHA256_BYTES, FAMILY_DIGEST, NULL,
                          DIGEST_SHA256 },
    [CHECKSUM_MD5] = { STR_INIT("MD5"), STR_INIT("md5"), MD5_BYTES, FAMILY_DIGEST, NULL,
                       DIGEST_MD5 },
    [CHECKSUM_SHA512] = { STR_INIT("SHA512"), STR_INIT("sha512"), SHA512_BYTES, FAMILY_DIGEST, NULL,
                          DIGEST_SHA512 },
    [CHECKSUM_XXHASH64] = { STR_INIT("XXHASH64"), STR_INIT("xxhash64"), 8, FAMILY_XXH64, NULL, 0 },
    [CHECKSUM_XXHASH3] = { STR_INIT("XXHASH3"), STR_INIT("xxhash3"), 8, FAMILY_XXH3, NULL, 0 },
    [CHECKSUM_XXHASH128] = { STR_INIT("XXHASH128"), STR_INIT("xxhash128"), 16, FAMILY_XXH3, NULL,
                             0 },
};

struct checksum {
    enum checksum_kind kind;
    union {
        uint64_t crc;
        struct digest *digest;
        XXH64_state_t *xxh64;
        XXH3_state_t *xxh3;
    };
};

struct str checksum_name(enum checksum_kind kind)
{
    assert(kind < CHECKSUM_KINDS);
    return kinds[kind].name;
}

struct str checksum_header_suffix(enum checksum_kind kind)
{
    assert(kind < CHECKSUM_KINDS);
    return kinds[kind].suffix;
}

size_t checksum_bytes(enum checksum_kind kind)
{
    assert(kind < CHECKSUM_KINDS);
    return kinds[kind].bytes;
}

bool checksum_can_combine(enum checksum_kind kind)
{
    assert(kind < CHECKSUM_KINDS);
    return kinds[kind].family == FAMILY_CRC;
}

enum checksum_kind checksum_from_name(struct str name)
{
    for (unsigned i = CHECKSUM_NONE + 1; i < CHECKSUM_KINDS; i++) {
        if (str_eq_nocase(kinds[i].name, name))
            return (enum checksum_kind)i;
    }

    return CHECKSUM_NONE;
}

enum checksum_kind checksum_from_header_suffix(struct str suffix)
{
    /* Names and suffixes differ in case only, and header names have none. */
    return checksum_from_name(suffix);
}

static void put_big_endian(uint64_t value, size_t bytes, uint8_t *out)
{
    for (size_t i = bytes; i > 0; i--) {
        out[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

static uint64_t get_big_endian(const uint8_t *in, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | in[i];

    return value;
}

static void put_xxh128(XXH128_hash_t value, uint8_t *out)
{
    put_big_endian(value.high64, 8, out);
    put_big_endian(value.low64, 8, out + 8);
}

/* Make the state of a zeroed checksum; false without memory. */
static bool state_open(struct checksum *checksum)
{
    switch (kinds[checksum->kind].family) {
    case FAMILY_DIGEST:
        checksum->digest = digest_open(kinds[checksum->kind].digest);
        return checksum->digest != NULL;
    case FAMILY_XXH64:
        checksum->xxh64 = XXH64_createState();
        return checksum->xxh64 != NULL && XXH64_reset(checksum->xxh64, 0) == XXH_OK;
    case FAMILY_XXH3:
        checksum->xxh3 = XXH3_createState();
        /* The 64 and 128 bit forms share state and reset. */
        return checksum->xxh3 != NULL && XXH3_64bits_reset(checksum->xxh3) == XXH_OK;
    default:
        checksum->crc = 0;
        return true;
    }
}

struct checksum *checksum_open(enum checksum_kind kind)
{
    struct checksum *checksum;

    assert(kind > CHECKSUM_NONE && kind < CHECKSUM_KINDS);
    checksum = mem_zalloc(sizeof(*checksum));
    if (checksum == NULL)
        return NULL;

    checksum->kind = kind;
    if (!state_open(checksum)) {
        checksum_close(checksum);
        return NULL;
    }

    return checksum;
}

void checksum_close(struct checksum *checksum)
{
    if (checksum == NULL)
        return;

    switch (kinds[checksum->kind].family) {
    case FAMILY_DIGEST:
        digest_close(checksum->digest);
        break;
    case FAMILY_XXH64:
        (void)XXH64_freeState(checksum->xxh64);
        break;
    case FAMILY_XXH3:
        (void)XXH3_freeState(checksum->xxh3);
        break;
    default:
        break;
    }
    mem_free(checksum);
}

void checksum_closep(struct checksum **checksum)
{
    checksum_close(*checksum);
    *checksum = NULL;
}

enum checksum_kind checksum_kind_of(const struct checksum *checksum)
{
    return checksum->kind;
}

void checksum_update(struct checksum *checksum, const void *bytes, size_t len)
{
    if (len == 0)
        return;

    switch (kinds[checksum->kind].family) {
    case FAMILY_DIGEST:
        digest_update(checksum->digest, bytes, len);
        break;
    case FAMILY_XXH64:
        (void)XXH64_update(checksum->xxh64, bytes, len);
        break;
    case FAMILY_XXH3:
        (void)XXH3_64bits_update(checksum->xxh3, bytes, len);
        break;
    default:
        checksum->crc = crc_run(kinds[checksum->kind].crc, checksum->crc, bytes, len);
        break;
    }
}

void checksum_final(struct checksum *checksum, uint8_t *out)
{
    switch (kinds[checksum->kind].family) {
    case FAMILY_DIGEST:
        digest_final(checksum->digest, out);
        break;
    case FAMILY_XXH64:
        put_big_endian(XXH64_digest(checksum->xxh64), 8, out);
        break;
    case FAMILY_XXH3:
        if (checksum->kind == CHECKSUM_XXHASH128)
            put_xxh128(XXH3_128bits_digest(checksum->xxh3), out);
        else
            put_big_endian(XXH3_64bits_digest(checksum->xxh3), 8, out);
        break;
    default:
        put_big_endian(checksum->crc, kinds[checksum->kind].bytes, out);
        break;
    }
}

void checksum_once(enum checksum_kind kind, struct str bytes, uint8_t *out)
{
    assert(kind > CHECKSUM_NONE && kind < CHECKSUM_KINDS);

    switch (kinds[kind].family) {
    case FAMILY_DIGEST:
        digest_once(kinds[kind].digest, bytes, out);
        break;
    case FAMILY_XXH64:
        put_big_endian(XXH64(bytes.p, bytes.len, 0), 8, out);
        break;
    case FAMILY_XXH3:
        if (kind == CHECKSUM_XXHASH128)
            put_xxh128(XXH3_128bits(bytes.p, bytes.len), out);
        else
            put_big_endian(XXH3_64bits(bytes.p, bytes.len), 8, out);
        break;
    default:
        put_big_endian(crc_run(kinds[kind].crc, 0, bytes.p, bytes.len), kinds[kind].bytes, out);
        break;
    }
}

void checksum_combine(enum checksum_kind kind, const uint8_t *a, const uint8_t *b, uint64_t b_bytes,
                      uint8_t *out)
{
    size_t bytes = kinds[kind].bytes;

    assert(checksum_can_combine(kind));
    put_big_endian(crc_combine(kinds[kind].crc, get_big_endian(a, bytes), get_big_endian(b, bytes),
                               b_bytes),
                   bytes, out);
}
