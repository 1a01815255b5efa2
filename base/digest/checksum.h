/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ten checksum algorithms of S3, behind one streaming interface.
 *
 * Values are big-endian bytes as S3 encodes them in base64.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
#ifndef BASE_DIGEST_CHECKSUM_H
#define BASE_DIGEST_CHECKSUM_H

#include "base/digest/digest.h"

enum checksum_kind {
    CHECKSUM_NONE = 0,
    CHECKSUM_CRC32,
    CHECKSUM_CRC32C,
    CHECKSUM_CRC64NVME,
    CHECKSUM_SHA1,
    CHECKSUM_SHA256,
    CHECKSUM_MD5,
    CHECKSUM_SHA512,
    CHECKSUM_XXHASH64,
    CHECKSUM_XXHASH3,
    CHECKSUM_XXHASH128,
    CHECKSUM_KINDS,
};

#define CHECKSUM_BYTES_MAX 64
/* base64 of the longest value */
#define CHECKSUM_TEXT_MAX BASE64_OF_64
#define BASE64_OF_64 88

/* "CRC32", "CRC64NVME", ... as in x-amz-checksum-algorithm. */
struct str checksum_name(enum checksum_kind kind);
/* CHECKSUM_NONE for an unknown name; case-insensitive. */
enum checksum_kind checksum_from_name(struct str name);
/* "crc32", "crc64nvme", ...: the tail of x-amz-checksum-*. */
struct str checksum_header_suffix(enum checksum_kind kind);
enum checksum_kind checksum_from_header_suffix(struct str suffix);
size_t checksum_bytes(enum checksum_kind kind);
/* True for the CRC family, whose full-object value can be combined from parts. */
bool checksum_can_combine(enum checksum_kind kind);

struct checksum;
MUST_CHECK struct checksum *checksum_open(enum checksum_kind kind); /* NULL: no memory */
void checksum_close(struct checksum *checksum);
void checksum_closep(struct checksum **checksum);
enum checksum_kind checksum_kind_of(const struct checksum *checksum);
void checksum_update(struct checksum *checksum, const void *bytes, size_t len);
/* Writes checksum_bytes(kind). */
void checksum_final(struct checksum *checksum, uint8_t *out);
void checksum_once(enum checksum_kind kind, struct str bytes, uint8_t *out);

/*
 * CRC of A||B from crc(A), crc(B) and B's length. Values in S3's big-endian form.
 * kind must satisfy checksum_can_combine. out may be a.
 */
void checksum_combine(enum checksum_kind kind, const uint8_t *a, const uint8_t *b, uint64_t b_bytes,
                      uint8_t *out);

#endif
