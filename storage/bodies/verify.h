/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verify: are the stored bytes of a blob those that were stored?
 *
 * Asked before a stored copy stands for bytes that were just received, before a whole file of up to
 * VERIFY_READ_MAX is sent as it is, and by the scrub. The sum in the blob's row says it, or, for blobs from
 * before there were sums, the SHA-256 that names them.
 */
#ifndef STORAGE_BODIES_VERIFY_H
#define STORAGE_BODIES_VERIFY_H

#include "storage/internal.h"

/*
 * A whole file that is sent as it is (sendfile) is verified first up to that size: 36 us in the
 * page cache. docs/decisions/0011-verified-bytes.md has the figures.
 */
#define VERIFY_READ_MAX (512u * 1024u)
/* Bytes read at a time. */
#define VERIFY_STEP_BYTES (128u * 1024u)

/* Its pack or file; base: where the blob starts in it. STORE_DAMAGED when it can not be opened. */
MUST_CHECK enum store_status blob_open_place(const struct store_dir *dir, const struct piece *blob,
                                             int *ret_fd, uint64_t *ret_base, struct fault *fault);
/*
 * Read all of an open blob. room: a buffer of VERIFY_STEP_BYTES, made when empty.
 * STORE_DAMAGED: other bytes, or none to be read. STORE_NO_MEMORY: not known.
 */
MUST_CHECK enum store_status blob_verify(const struct piece *blob, int fd, uint64_t base,
                                         struct buf *room, struct fault *fault);
/*
 * The same for whoever has time. pace is asked before each step and may wait; false: STORE_STOPPED.
 * ret_sum: of the bytes there are, on STORE_OK. Both may be NULL.
 */
typedef bool verify_pace(void *context, uint64_t bytes);
MUST_CHECK enum store_status blob_verify_paced(const struct piece *blob, int fd, uint64_t base,
                                               struct buf *room, uint64_t *ret_sum,
                                               verify_pace *pace, void *context,
                                               struct fault *fault);

#endif
