/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three CRCs of S3: over bytes, and of what two stretches are together.
 *
 * CRC-64/NVME is ours (table and PCLMUL forms, equal by test against published vectors); CRC-32 and
 * CRC-32C come from ISA-L or zlib and a table. Values are as zlib's crc32 gives them: 0 is the CRC of
 * nothing. Any thread.
 */
#ifndef BASE_DIGEST_CRC_H
#define BASE_DIGEST_CRC_H

#include "base/scope.h"

struct crc;

extern const struct crc crc_32;
extern const struct crc crc_32c;
extern const struct crc crc_64nvme;

/* The CRC of what `before` is the CRC of and then `len` bytes. bytes may be NULL when len is 0. */
uint64_t crc_run(const struct crc *crc, uint64_t before, const void *bytes, size_t len);

/* CRC of A||B from the CRC of A, that of B and B's length. */
uint64_t crc_combine(const struct crc *crc, uint64_t a, uint64_t b, uint64_t b_bytes);

/* The two forms of CRC-64/NVME, seen by tests that compare them. */
uint64_t crc64nvme_table(uint64_t crc, const void *bytes, size_t len);
uint64_t crc64nvme(uint64_t crc, const void *bytes, size_t len);

#endif
