/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an object as a query reads them: as they are stored, or decompressed.
 */
#ifndef SERVER_SELECT_UNPACK_H
#define SERVER_SELECT_UNPACK_H

#include "server/refusals/errors.h"

struct select_source {
    /* The next bytes in order: > 0, 0 at the end, negative on failure. */
    int64_t (*read)(void *context, void *out, size_t max);
    void *context;
};

enum select_compression { SELECT_PLAIN, SELECT_GZIP, SELECT_BZIP2 };

struct unpack;

/* NULL: no memory. */
MUST_CHECK struct unpack *unpack_open(enum select_compression compression);
void unpack_close(struct unpack *unpack); /* NULL is fine */

/*
 * The next bytes; *ret_len may be 0 before the end. At most one read of the source.
 *
 * ret_ended  nothing comes any more.
 * Returns S3_OK, S3_InvalidCompressionFormat, S3_TruncatedInput or S3_InternalError: the source failed.
 */
MUST_CHECK enum s3_error unpack_read(struct unpack *unpack, const struct select_source *source,
                                     void *out, size_t max, size_t *ret_len, bool *ret_ended);
/* Bytes of the source that were read. */
uint64_t unpack_scanned(const struct unpack *unpack);

#endif
