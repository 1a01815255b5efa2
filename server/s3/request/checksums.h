/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checksums of versions and parts, as they are kept and shown.
 */
#ifndef SERVER_S3_REQUEST_CHECKSUMS_H
#define SERVER_S3_REQUEST_CHECKSUMS_H

#include "server/s3/op.h"

enum checksum_type { CHECKSUM_TYPE_NONE = 0, CHECKSUM_COMPOSITE = 1, CHECKSUM_FULL_OBJECT = 2 };

struct stored_checksum {
    enum checksum_kind kind;
    enum checksum_type type;
    uint8_t value[CHECKSUM_BYTES_MAX];
    uint32_t parts; /* COMPOSITE: the N of "-N" */
};

struct str stored_checksum_pack(struct op *op, const struct stored_checksum *checksum);
bool stored_checksum_unpack(struct str packed, struct stored_checksum *ret_checksum);
/* base64, with "-N" when COMPOSITE; STR_NONE without memory. */
struct str stored_checksum_text(struct op *op, const struct stored_checksum *checksum);
/* x-amz-checksum-<alg> and x-amz-checksum-type reply headers. */
void op_set_checksum(struct op *op, const struct stored_checksum *checksum, bool with_type);

/* stored_checksum_pack without an op, for the store's threads. */
struct str stored_checksum_pack_in(struct arena *arena, const struct stored_checksum *checksum);
/* The arena's copy of "x-amz-checksum-crc32"; STR_NONE without memory. */
struct str checksum_header(struct arena *arena, enum checksum_kind kind);
struct str checksum_type_name(enum checksum_type type);
/* CHECKSUM_TYPE_NONE for an unknown name; case-insensitive, as names of algorithms are. */
enum checksum_type checksum_type_from_name(struct str name);

#endif
